#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""`sentinelctl rules run|test|profile` on a small rule set: what goes in is what comes out, and mistakes are told of by line and field.

usage: test_rules_run.py SENTINELCTL
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

CTL = sys.argv.pop(1) if len(sys.argv) > 1 else None
POOL = "0x87870bca3f3fd6335c3f4ce8392d69350b4fa4e2"
OTHER = "0x3535353535353535353535353535353535353535"
FROM = "0x00000000000000000000000000000000000000aa"
CALL = "0x42b0b77c" + "00" * 64
HASH = "0x" + "ab" * 32
PACK = f"""pack: test
version: 1
rules:
  - id: 7
    rev: 3
    name: pool-loan
    description: "a loan"
    class: flash_loan
    severity: high
    grade: pause
    status: stable
    match:
      pool: {{to: [{POOL}]}}
      entry: {{selector: [0x42b0b77c]}}
    condition: pool and entry
    protocols: [pool]
    vectors:
      - match: true
        tx: {{to: {POOL}, input: {CALL}}}
      - match: false
        tx: {{to: {OTHER}, input: {CALL}}}
"""
# EIP-155's example, https://eips.ethereum.org/EIPS/eip-155: a signed plain transfer
RAW = ("0xf86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe537567866003e1a15d"
       "3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83")


class RulesRun(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.pack = os.path.join(self.folder.name, "test.yaml")
        with open(self.pack, "w", encoding="utf-8") as f:
            f.write(PACK)

    def tearDown(self):
        self.folder.cleanup()

    def ctl(self, *args, stdin=None):
        env = dict(os.environ, TMPDIR=self.folder.name)
        done = subprocess.run([CTL, *args], input=stdin, capture_output=True, text=True, timeout=120, check=False, env=env)
        # whatever happens, the temporary bundle is gone
        self.assertEqual([n for n in os.listdir(self.folder.name) if n.startswith("sentinelctl-")], [])
        return done

    def run_lines(self, *lines):
        path = os.path.join(self.folder.name, "txs.ndjson")
        with open(path, "w", encoding="utf-8") as f:
            for line in lines:
                f.write((line if isinstance(line, str) else json.dumps(line)) + "\n")
        done = self.ctl("rules", "run", self.pack, "--txs", path)
        out = [json.loads(x) for x in done.stdout.splitlines()]
        self.assertEqual(out[-1]["event"], "summary")
        self.assertEqual(out[-1]["residual"], "0")
        return done, [x["alert"] for x in out[:-1]], out[-1]

    def test_given_hash_and_sender(self):
        done, alerts, summary = self.run_lines(
            {"hash": HASH, "from": FROM, "to": POOL, "input": CALL, "value": "0x0", "seen": "1600000000.000000001", "block": 5, "mev": {}})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(alerts), 1)
        data = alerts[0]["data"]
        tx = data["transaction"]
        self.assertEqual((tx["hash"], tx["from"], tx["to"]), (HASH, FROM, POOL))
        self.assertEqual((tx["nonce"], tx["chain_id"]), (None, None))
        self.assertEqual(tx["selector"], "0x42b0b77c")
        self.assertEqual(data["grade"], "page")  # no node has accepted it, as far as a list tells
        self.assertIn("accepted", data["lacks"])
        self.assertEqual(data["rule"]["name"], "pool-loan")
        self.assertEqual(data["protocols"], [POOL])
        self.assertIn("2020-09-13T12:26:40.000000001Z", json.dumps(alerts[0]))
        self.assertEqual(summary["lines"], "1")

    def test_no_hash_no_sender_is_no_pause(self):
        _, alerts, _ = self.run_lines({"to": POOL, "input": CALL})
        self.assertEqual(alerts[0]["data"]["transaction"]["from"], None)
        self.assertEqual(alerts[0]["data"]["grade"], "page")

    def test_two_that_differ_only_in_sender(self):
        _, alerts, summary = self.run_lines(*({"from": f"0x{i:040x}", "to": POOL, "input": CALL} for i in range(1, 6)))
        self.assertEqual(len({a["data"]["transaction"]["from"] for a in alerts}), 5)
        self.assertEqual(summary["counters"]["tx_duplicate"], "0")

    def test_the_same_again(self):
        one = {"hash": HASH, "from": FROM, "to": POOL, "input": CALL, "nonce": "0x1"}
        _, alerts, summary = self.run_lines(one, one)
        self.assertEqual(len(alerts), 1)
        self.assertEqual(summary["counters"]["tx_duplicate"], "1")
        self.assertEqual(alerts[0]["data"]["transaction"]["nonce"], "1")

    def test_raw_and_bundle(self):
        loan = {"hash": HASH, "from": FROM, "to": POOL, "input": CALL}
        done, alerts, summary = self.run_lines(
            {"raw": RAW, "seen": "1600000000"}, {"bundle": [RAW, loan, HASH, {"hash": HASH}, {"raw": RAW}], "seen": 1600000001})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(alerts), 1)
        self.assertIn("bundle", alerts[0]["data"]["flags"])
        self.assertEqual(summary["counters"]["tx_crossed"], "6")
        self.assertEqual(summary["counters"]["tx_unscanned_hash_only"], "2")
        # in a bundle it is judged once more, since rules may ask for one; there it comes twice
        self.assertEqual(summary["counters"]["tx_duplicate"], "1")

    def test_bad_lines(self):
        done, alerts, summary = self.run_lines(
            "nonsense", "", "[]", {"to": "0x12"}, {"raw": "0xc0"}, {"bundle": []}, {"bundle": [HASH, {"nonce": "x"}]},
            {"to": POOL, "input": CALL, "from": FROM, "seen": "yesterday"}, {"to": POOL, "input": CALL, "from": FROM},
            {"seen": 1}, {"bundle": [{"gas": "0x1"}]})
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(alerts), 1)
        self.assertEqual((summary["lines"], summary["bad_lines"]), ("10", "9"))
        for says in (":1: not JSON", ":3: a line must be", ":4: to must be 20 bytes", ":5: raw: ", ":6: bundle must be",
                     ":7: bundle[1]: nonce must be a number", ":8: seen must be", ":10: no transaction",
                     ":11: bundle[0]: no transaction"):
            self.assertIn("txs.ndjson" + says, done.stderr)

    def test_line_without_end(self):
        path = os.path.join(self.folder.name, "txs.ndjson")
        with open(path, "wb") as f:
            f.truncate(65 << 20)
            f.seek(0, 2)
            f.write(b"\n" + json.dumps({"to": POOL, "input": CALL, "from": FROM}).encode())
        done = self.ctl("rules", "run", self.pack, "--txs", path)
        self.assertEqual(done.returncode, 1)
        self.assertIn("txs.ndjson:1: longer than 64 MB", done.stderr)
        self.assertEqual(len(done.stdout.splitlines()), 2)

    def test_stdin(self):
        line = json.dumps({"to": POOL, "input": CALL, "from": FROM})
        done = self.ctl("rules", "run", self.pack, "--txs", "-", stdin=line)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(len(done.stdout.splitlines()), 2)

    def test_missing_file(self):
        done = self.ctl("rules", "run", self.pack, "--txs", "/nonexistent")
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nonexistent", done.stderr)

    def test_vectors(self):
        done = self.ctl("rules", "test", self.pack)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["failed"], "0")
        with open(self.pack, "w", encoding="utf-8") as f:
            f.write(PACK.replace(f"tx: {{to: {OTHER}, input: {CALL}", f"tx: {{to: {POOL}, input: {CALL}00"))
        done = self.ctl("rules", "test", self.pack)
        self.assertEqual(done.returncode, 1)
        self.assertIn("pool-loan", done.stderr)

    def test_profile(self):
        done = self.ctl("rules", "profile", self.pack)
        self.assertEqual(done.returncode, 0, done.stderr)
        out = [json.loads(x) for x in done.stdout.splitlines()]
        self.assertEqual([x["event"] for x in out], ["profile_rule", "profile"])
        self.assertEqual(out[0]["matches"], "0")
        self.assertGreater(float(out[1]["ns_per_tx"]), 0)

    def test_broken_rules(self):
        with open(self.pack, "w", encoding="utf-8") as f:
            f.write("pack: [\n")
        for verb in ("test", "lint"):
            done = self.ctl("rules", verb, self.pack)
            self.assertEqual(done.returncode, 1)
            self.assertIn("test.yaml", done.stderr + done.stdout)

    def test_wrong_command_lines(self):
        for args in (["rules"], ["rules", "run", self.pack], ["rules", "tset", self.pack], ["rules", "test"], ["replay"], ["replay", "--x"],
                     ["replay", "x.pcap", "--rlpx-keys"], ["rules", "profile", self.pack, "more"], ["nothing"], [], ["tx"]):
            done = self.ctl(*args)
            self.assertEqual(done.returncode, 2, args)
            self.assertEqual(done.stdout, "", args)
            self.assertNotEqual(done.stderr, "", args)


if __name__ == "__main__":
    unittest.main()
