#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Tests corpus.py with small corpora: what it counts, what fails, what it refuses; and the sample that is in the tree."""
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
SAMPLE = HERE.parent / "corpus" / "sample.ndjson"


def call(*args):
    done = subprocess.run([sys.executable, str(HERE / "corpus.py"), *map(str, args)], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


class Judging(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.out = Path(self.temporary.name)
        self.sets = {
            "attacks": [{"id": f"a{i}", "label": "flash", "kind": "plain", "family": f"f{i % 4}", "provider": "p", "solc": f"0.8.{i % 3 + 9}"} for i in range(100)]
            + [{"id": "e0", "label": "executor", "kind": "executor", "family": "executor", "provider": "any", "solc": "0.8.9"}],
            "executors": [{"id": f"x{i}", "form": "f", "provider": "p", "family": "f"} for i in range(10)],
            "benign": [{"id": f"b{i}", "list": "rest", "package": "k"} for i in range(400)] + [{"id": "t0", "list": "templates", "package": "k"}],
            "hard": [{"id": "h0", "template": False, "package": "k"}],
        }
        for name, records in self.sets.items():
            (self.out / f"{name}.ndjson").write_text("".join(json.dumps(r) + "\n" for r in records))
        self.verdicts = {(s, r["id"]): [s in ("attacks", "executors"), ""] for s, records in self.sets.items() for r in records}

    def judge(self):
        path = self.out / "verdicts"
        path.write_text("".join(json.dumps({"set": s, "id": i, "flash": f, "grade": g}) + "\n" for (s, i), (f, g) in self.verdicts.items()))
        return call("judge", self.out, path, "--list")

    def test_all_right(self):
        status, text, _ = self.judge()
        self.assertEqual(status, 0, text)
        self.assertIn("attacks: recall 100 of 100", text)
        self.assertNotIn("FAILS", text)

    def test_one_miss_of_a_hundred_holds_two_fail_and_are_listed(self):
        self.verdicts["attacks", "a7"][0] = False
        self.assertEqual(self.judge()[0], 0)
        self.verdicts["attacks", "a8"][0] = False
        status, text, _ = self.judge()
        self.assertEqual(status, 1)
        self.assertIn("miss attacks a7", text)
        self.assertIn("miss attacks a8", text)

    def test_an_executor_that_shows_nothing_binds_nothing(self):
        self.verdicts["attacks", "e0"][0] = False
        status, text, _ = self.judge()
        self.assertEqual(status, 0)
        self.assertIn("0 of 1 executors that show nothing found", text)

    def test_calls_through_executors_have_their_own_bound(self):
        self.verdicts["executors", "x0"][0] = False
        self.assertEqual(self.judge()[0], 0)
        self.verdicts["executors", "x1"][0] = False
        self.assertEqual(self.judge()[0], 1)

    def test_pages_of_benign_contracts(self):
        for i in range(2):
            self.verdicts["benign", f"b{i}"][1] = "page"
        self.verdicts["benign", "t0"][1] = "page"
        self.assertEqual(self.judge()[0], 0)
        self.verdicts["benign", "b2"][1] = "page"
        status, text, _ = self.judge()
        self.assertEqual(status, 1)
        self.assertIn("page benign b2", text)

    def test_no_pause_is_allowed(self):
        for key in (("benign", "b0"), ("hard", "h0")):
            before = self.verdicts[key][1]
            self.verdicts[key][1] = "pause"
            self.assertEqual(self.judge()[0], 1, key)
            self.verdicts[key][1] = before
        self.verdicts["hard", "h0"][1] = "page"
        self.assertEqual(self.judge()[0], 0)

    def test_a_missing_verdict_is_no_verdict(self):
        del self.verdicts["hard", "h0"]
        status, _, error = self.judge()
        self.assertEqual(status, 2)
        self.assertIn("no verdict: hard h0", error)

    def test_the_strongest_of_several_lines_counts(self):
        path = self.out / "verdicts"
        self.judge()
        with path.open("a") as file:
            file.write(json.dumps({"set": "hard", "id": "h0", "flash": False, "grade": "pause"}) + "\n")
            file.write(json.dumps({"set": "hard", "id": "h0", "flash": False, "grade": "watch"}) + "\n")
        self.assertEqual(call("judge", self.out, path)[0], 1)

    def test_folds_keep_families_together_and_compilers_in_order(self):
        for by in ("family", "solc"):
            status, text, _ = call("folds", self.out, "--by", by, "--count", 3)
            self.assertEqual(status, 0)
            fold = {r["id"]: r["fold"] for r in map(json.loads, text.splitlines())}
            self.assertEqual(len(fold), 101)
            seen = {}
            for r in self.sets["attacks"]:
                self.assertEqual(seen.setdefault(r[by], fold[r["id"]]), fold[r["id"]])
            self.assertEqual(set(fold.values()), {0, 1, 2})
            if by == "solc":
                self.assertLess(seen["0.8.9"], seen["0.8.11"])


class Sample(unittest.TestCase):
    def test_the_sample_is_what_the_corpus_says(self):
        records = [json.loads(line) for line in SAMPLE.read_text().splitlines()]
        self.assertEqual(len({r["init_code"] for r in records}), len(records))
        self.assertEqual(len(records), 20)
        self.assertLess(SAMPLE.stat().st_size, 150_000)
        self.assertGreater(len({r["provider"] for r in records}), 10)
        for r in records:
            self.assertRegex(r["init_code"], r"^0x6[01][0-9a-f]+$")
            self.assertTrue(r["blind"])
            self.assertEqual(r["label"], "flash")


if __name__ == "__main__":
    unittest.main()
