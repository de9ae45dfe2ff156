#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What `sentinelctl status` says of a box that has read a recording, beside what the recording's makers say: shares per protocol, RLPx with the secrets
of one session of two, the nodes' word.

usage: coverage.py DATAPLANE CONTROL SENTINELCTL BUNDLE CAPTURES [unittest arguments]
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest

DATAPLANE, CONTROL, CTL, BUNDLE, CAPTURES = sys.argv[1:6]
PATIENCE_S = 120
USDT = "0xdac17f958d2ee523a2206206994597c13d831ec7"
WETH = "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"
NOBODY = "0x00000000000000000000000000000000000000ff"


def expected(name):
    with open(os.path.join(CAPTURES, name + ".expected.json"), encoding="utf-8") as f:
        return json.load(f)


class Box:
    """Reads one recording to its end, and tells its status."""

    def __init__(self, name, profile="", keys=None):
        self.folder = tempfile.TemporaryDirectory(prefix="sentinel-")
        self.path = lambda n: os.path.join(self.folder.name, n)
        with open(self.path("box.yaml"), "w", encoding="utf-8") as f:
            f.write(profile)
        self.log = open(self.path("log"), "wb")
        self.processes, more = [], []
        if keys:
            subprocess.run([sys.executable, os.path.join(CAPTURES, "recording/keys_to_log.py"), os.path.join(CAPTURES, keys), self.path("keys")],
                           check=True)
            more = ["--rlpx-keys", self.path("keys")]
        try:
            self.start(CONTROL, "--channel", self.path("channel"), "--socket", self.path("socket"), "--journal", self.path("journal"))
            self.start(DATAPLANE, "--source", os.path.join(CAPTURES, name + ".pcap"), "--bundle", BUNDLE, "--channel", self.path("channel"),
                       "--profile", self.path("box.yaml"), "--stay", *more)
        except OSError:
            self.__exit__()
            raise

    def start(self, *argv):
        self.processes.append(subprocess.Popen(argv, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL))

    def __enter__(self):
        end = time.monotonic() + PATIENCE_S
        while not self.at_rest():
            if time.monotonic() > end or any(p.poll() is not None for p in self.processes):
                self.__exit__()
                raise AssertionError("the box did not come to rest")
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        for p in self.processes:
            p.kill()
            p.wait()
        self.log.close()
        self.folder.cleanup()

    def ask(self, *more):
        return subprocess.run([CTL, "status", "--socket", self.path("socket"), *more], capture_output=True, text=True, timeout=60)

    def at_rest(self):
        p = self.ask("--json")
        if p.returncode != 0:
            return False
        self.status = json.loads(p.stdout)
        return self.status["dataplane"].get("source_done") and all(r["head"] == r["consumed"] for r in self.status["rings"])

    def screen(self):
        return self.ask().stdout


class Coverage(unittest.TestCase):
    maxDiff = None

    def test_blocks_and_protocols(self):
        truth = expected("engine")
        to = {t["hash"]: t["to"] for t in truth["transactions"]}
        included = {h for b in truth["blocks"] if b["kind"] == "new" and b["status"] == "VALID" for h in b["transactions"]}
        never = included - set(truth["pending"])
        self.assertEqual((len(included), len(never)), (truth["included"], truth["never_seen"]))
        profile = f'protocols: {{usdt: ["0x{USDT[2:].upper()}"], weth: ["{WETH}", "{NOBODY}"], unused: ["{NOBODY[:-2]}fe"]}}\n'
        with Box("engine", profile) as box:
            status, screen = box.status, box.screen()
        self.assertEqual({i["residual"] for i in status["identities"].values()}, {"0"})
        want = []
        for name, address in (("usdt", USDT), ("weth", WETH), ("unused", None)):
            of = {h for h in included if to[h] == address}
            want.append({"name": name, "included": str(len(of)), "announced_only": "0", "never_seen": str(len(of & never))})
        self.assertEqual(status["protocols"], want)
        self.assertGreater(int(want[0]["never_seen"]), 0)
        self.assertGreater(int(want[0]["included"]), int(want[0]["never_seen"]))
        self.assertIn(f"{len(included)} transactions included: {len(included - never)} seen pending (66.7 %), 0 only announced (0.0 %), "
                      f"{len(never)} never seen (33.3 %)", screen)
        self.assertRegex(screen, rf"  usdt +{want[0]['included']} included, {want[0]['never_seen']} never seen")
        self.assertRegex(screen, r"  unused +0 included\n")
        with open(os.path.join(CAPTURES, "../../README.md"), encoding="utf-8") as f:
            readme = f.read()
        for line in screen.splitlines():  # the README shows this recording
            if line.startswith(("coverage", "nodes", "blocks", "  usdt")):
                self.assertIn(f"\n    {line}\n", readme)
        self.assertRegex(screen, rf"{len(truth['replaced_by'])} replaced, 0 dropped, \d+ reorged; {len(truth['reorged'])} block left the chain; "
                         r"1 block was invalid")

    def test_rlpx(self):
        with Box("rlpx-opaque", keys="rlpx-opaque.keys.json") as box:
            line = re.search(r"RLPx +2 connections, secrets known of 1; (\S+) % of 52.8 kB read, 26.8 kB opaque; 30 messages\n", box.screen())
        self.assertIsNotNone(line)
        self.assertAlmostEqual(float(line[1]), 49.2)
        with Box("rlpx-opaque") as box:
            self.assertIn("RLPx       2 connections, secrets known of 0; 0.0 % of 52.8 kB read, 52.8 kB opaque; 0 messages\n", box.screen())

    def test_secrets_are_known_before_the_first_frame(self):
        """A session that is decided in the first frames, and would be out of the windows by the next look at the log."""
        with Box("rlpx", keys="rlpx.keys.json") as box:
            self.assertIn("RLPx       3 connections, secrets known of 3; 100.0 % of 136.6 kB read, 0 bytes opaque; 120 messages\n", box.screen())

    def test_nodes_word(self):
        with Box("node-answers") as box:
            screen, c = box.screen(), box.status["counters"]
        self.assertIn("1 missed (5.9 %)\n               1  signed by the node itself\n", screen)
        self.assertEqual(int(c["node_hashes"]), int(c["node_scanned"]) + 1)

    def test_a_feed_that_the_profile_leaves_out(self):
        with Box("ws-ethers", "feeds: {websocket: off, arbitrum: off}\n") as box:
            self.assertRegex(box.screen(), r"  left out   \d+ messages of feeds that the profile does not read there\n")
            self.assertEqual(box.status["counters"]["tx_crossed"], "0")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]] + sys.argv[6:], verbosity=2)
