#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What an operator meets at the keyboard: odd files, full disks, wrong words. Exit status 0, 1 or 2, and a sentence that says what to do.

usage: test_commands.py SENTINELCTL SENTINEL_DATAPLANE SENTINEL_RULEC CAPTURE
"""
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest

CTL, DATAPLANE, RULEC, CAPTURE = (os.path.abspath(p) for p in sys.argv[1:5])
del sys.argv[1:5]


def run(*args, **kw):
    kw = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **kw}
    return subprocess.run(args, text=True, timeout=120, **kw)


class Commands(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder.name)
        os.mkdir("tmp")
        os.environ["TMPDIR"] = os.path.join(folder.name, "tmp")

    def tearDown(self):
        self.assertEqual(os.listdir("tmp"), [], "a temporary folder was left behind")

    def bundle(self):
        pack = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../rules/packs/router-swaps.yaml")
        self.assertEqual(run(RULEC, "compile", pack, "-o", "b").returncode, 0)
        return "b"

    def refused(self, code, words, *args):
        r = run(*args)
        self.assertEqual(r.returncode, code, (args, r.stderr))
        self.assertIn(words, r.stderr, args)
        return r

    def test_full_disk_is_not_a_bug_of_the_accounting(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no device that is always full")
        with open("/dev/full", "w", encoding="ascii") as full:
            for args in ((CTL, "replay", CAPTURE), (CTL, "replay", CAPTURE, "--txs")):
                r = run(*args, stdout=full)
                self.assertEqual(r.returncode, 1)
                self.assertIn("No space left on device", r.stderr)
                self.assertNotIn("bug", r.stderr)
            r = run(DATAPLANE, "--print-topology", stdout=full)
            self.assertEqual(r.returncode, 1)

    def test_profile_of_the_help_is_one(self):
        text = run(DATAPLANE, "--help").stdout
        with open("box.yaml", "w", encoding="ascii") as f:
            f.write(text[text.index("\n", text.index("\na profile (YAML") + 1) + 1:])
        shown = run(DATAPLANE, "--profile", "box.yaml", "--print-topology")
        self.assertEqual((shown.returncode, shown.stderr), (0, ""))
        for words in ("0000:03:00.0", "filter", "eth1"):
            self.assertIn(words, shown.stdout)

    def test_filter_in_force_is_shown(self):
        """Of steered ports, also where the profile does not say it."""
        port, nodes = "huge_pages: true\nports: [{interface: eth1, steer: true}]\n", "nodes: {a: {addresses: [192.0.2.2]}}\n"
        for text, shown in ((port, "any port, any address, any VLAN, tunnels of ::/0"), (port + nodes, "any port, addresses 192.0.2.2, any VLAN"),
                            (port + nodes + "filter: {ports: [8545]}\n", "ports 8545, any address, any VLAN"),
                            (port.replace(", steer: true", "") + nodes, None)):
            with open("box.yaml", "w", encoding="ascii") as f:
                f.write(text)
            r = run(DATAPLANE, "--profile", "box.yaml", "--print-topology")
            self.assertEqual((r.returncode, r.stderr), (0, ""))
            lines = [line.split(None, 1)[1] for line in r.stdout.splitlines() if line.startswith("filter")]
            self.assertEqual(lines, [shown] if shown else [])

    def test_key_log_that_cannot_be_read(self):
        bundle = self.bundle()
        with open("open", "w", encoding="ascii"):
            os.chmod("open", 0o644)
        for path in ("nothere", "open", "tmp"):
            r = self.refused(1, "leave it to sentinel-keys", DATAPLANE, "--source", CAPTURE, "--bundle", bundle, "--channel", "c", "--rlpx-keys", path)
            self.assertIn(path + ": ", r.stderr)

    def test_capture_whose_name_begins_with_a_dash(self):
        os.symlink(CAPTURE, "-x.pcap")
        self.refused(2, "unknown option: -x.pcap", CTL, "replay", "-x.pcap")
        r = run(CTL, "replay", "--txs", "--", "-x.pcap")
        self.assertEqual((r.returncode, r.stderr), (0, ""))
        last = json.loads(r.stdout.splitlines()[-1])
        self.assertEqual((last["event"], last["residual"]), ("summary", "0"))
        self.assertIn('"event":"tx"', r.stdout)

    def test_capture_that_is_cut_while_it_is_read(self):
        with open(CAPTURE, "rb") as f:
            capture = f.read()
        with open("c.pcap", "wb") as f:
            f.write(capture[:24] + capture[24:] * 40)
        b = self.bundle()
        with subprocess.Popen([DATAPLANE, "--offline", "replay", "c.pcap", "--txs", "--bundle", b], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as p:
            p.stdout.read(1)  # it has begun, and waits for the pipe to be read
            time.sleep(0.3)
            os.truncate("c.pcap", 24)
            err = p.communicate(timeout=60)[1]
        self.assertEqual(p.returncode, 1)
        self.assertIn(b"cut short while it was being read", err)

    def test_offline_verbs_take_what_is_theirs(self):
        b = self.bundle()
        for args in (("check", "extra"), ("profile", "extra"), ("run", "extra", "--txs", "x"), ("check", "--txs"), ("profile", "--bogus")):
            self.refused(2, "--help", DATAPLANE, "--offline", args[0], "--bundle", b, *args[1:])
        for verb in ("replay", "run", "check", "profile"):
            r = run(DATAPLANE, "--offline", verb, "--help")
            self.assertEqual((r.returncode, r.stdout[:6]), (0, "usage:"))

    def test_things_that_are_no_bundle(self):
        open("empty", "w", encoding="ascii").close()
        for path, why in (("nowhere", "No such file"), (".", "not a regular file"), ("/dev/null", "not a regular file"), ("empty", "0 bytes")):
            r = self.refused(1, why, DATAPLANE, "--offline", "check", "--bundle", path)
            self.assertIn("sentinel-rulec compile makes one", r.stderr)

    def test_live_says_what_to_do(self):
        b = self.bundle()
        live = (DATAPLANE, "--bundle", b, "--source", CAPTURE)
        self.refused(1, "its folder does not exist", *live, "--channel", "nowhere/x")
        self.refused(1, "--channel is empty", *live, "--channel", "")
        self.refused(1, "Is a directory", *live, "--profile", ".")
        with open("p.yaml", "w", encoding="ascii") as f:
            f.write("cores: {workers: [1000]}\n")
        self.refused(1, "p.yaml: cores.workers names CPU 1000; this machine has CPUs 0 to", *live, "--profile", "p.yaml")


unittest.main()
