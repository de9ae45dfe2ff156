#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What the README says and a program can check: its profile is accepted, its counters and carriers are there, its commands are known.

usage: readme.py SOURCE_ROOT DATAPLANE SENTINELCTL [unittest arguments]
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

ROOT, DATAPLANE, CTL = sys.argv[1:4]


def read(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as f:
        return f.read()


README = read("README.md")
WORDS = set(re.findall(r"`([^`\n]+)`", README))
SCHEMA = json.loads(read("dataplane/abi/alert.schema.json"))["$defs"]
COUNTERS = {name.lower() for name in re.findall(r"_\((\w+), [CG], \"", read("dataplane/abi/counters.h"))}


class Readme(unittest.TestCase):
    def test_profile(self):
        block = re.search(r"\n( +)# /etc/sentinel/box\.yaml\n.*?\n\n", README, re.S)
        text = re.sub(r"(?m)^" + block[1], "", block[0])
        for key, here in (("cores", "{main: 0, correlator: 0, workers: [0]}"), ("idle", "sleep")):  # a machine of one CPU
            text, n = re.subn(rf"(?m)^{key}:.*$", f"{key}: {here}", text)
            self.assertEqual(n, 1)
        for key in ("ports", "filter", "nodes", "feeds", "chains", "protocols", "checksum"):
            self.assertRegex(text, rf"(?m)^{key}:")
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as f:
            f.write(text)
            f.flush()
            p = subprocess.run([DATAPLANE, "--profile", f.name, "--print-topology"], capture_output=True, text=True, timeout=60)
        self.assertEqual((p.returncode, p.stderr), (0, ""))
        for said in ("websocket on ports 8546", "grpc not read", "1 8453", "1 names, 1 addresses", "geth-1 at 192.0.2.2", "60 s of silence", "mprq_en=1", "ports 8545 8546 8551 30303"):
            self.assertIn(said, p.stdout)

    def test_counters(self):
        families = {c.split("_")[0] for c in COUNTERS if "_" in c}
        named = {w for w in WORDS if re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*_(\*|[a-z0-9]+)", w) and w.split("_")[0] in families}
        named -= set(SCHEMA["flag"]["enum"]) | {"rlpx_keys", "announced_ns", "bundle_len", "sandwich_front", "bundle_pos", "code_flash", "code_score", "code_learned", "code_template", "code_providers"}  # the profile, alerts, the language of rules
        self.assertGreater(len(named), 5)
        for word in named:
            self.assertTrue(word in COUNTERS or word[-1] == "*" and any(c.startswith(word[:-1]) for c in COUNTERS), word)

    def test_carriers_and_flags(self):
        for carrier in SCHEMA["alert"]["properties"]["carrier"]["enum"]:
            self.assertTrue({carrier, re.sub(r"^(http|ws|ipc)-", "", carrier)} & WORDS, carrier)
        table = re.search(r"\| `flags` \|[^\n]*", README)[0]
        self.assertEqual(set(re.findall(r"`([a-z_]+)`", table)) - {"flags"} - set(SCHEMA["flag"]["enum"]), set())
        for flag in ("included", "mac_unverified", "node_said"):
            self.assertIn(f"`{flag}`", table)

    def test_commands(self):
        known = subprocess.run([CTL, "--help"], capture_output=True, text=True, check=True).stdout
        commands = set(re.findall(r"\bsentinelctl ([a-z]+)", README))
        self.assertGreater(len(commands), 4)
        for command in commands:
            self.assertRegex(known, rf"(?m)^  {command} ")
        replay = subprocess.run([CTL, "replay", "--help"], capture_output=True, text=True, check=True).stdout
        for option in set(re.findall(r"sentinelctl replay [^\n`]*?(--[a-z-]+)", README)):
            self.assertIn(option, replay)

    def test_files(self):
        for path in set(re.findall(r"(?<![\w/])(?:dataplane|tests|tools|rules|control)/[\w./-]*\w", README)):
            self.assertTrue(os.path.exists(os.path.join(ROOT, path)), path)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]] + sys.argv[4:], verbosity=2)
