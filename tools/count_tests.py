#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Counts the tests of a meson testlog.json: prints "PASSED FAILED SKIPPED".

A cmocka program counts as its test functions, as it printed them; any other test as one. A program that failed without
a failed function (a crash, a sanitizer report, a timeout) is one failure more. The output of failed tests goes to stderr.
"""
import json
import re
import sys

FUNCTION = re.compile(r"^\[ *(OK|FAILED|SKIPPED) *\] +(\w+)", re.M)
SUMMARY = re.compile(r"^\[=+\].* run\.$", re.M)
KEYS = {"OK": 0, "FAILED": 1, "SKIPPED": 2}


def count(test):
    text = test.get("stdout", "") + "\n" + test.get("stderr", "")
    result = test["result"]
    good = result in ("OK", "EXPECTEDFAIL")
    counts = [0, 0, 0]
    if SUMMARY.search(text) or "[ RUN      ]" in text:
        # cmocka repeats failed and skipped names in its summary: a name counts once
        for kind, name in {(k, n) for k, n in FUNCTION.findall(text) if not n.isdigit()}:
            counts[KEYS[kind]] += 1
    elif good:
        counts[0] = 1
    elif result == "SKIP":
        counts[2] = 1
    if not good and result != "SKIP" and counts[1] == 0:
        counts[1] = 1
    if sum(counts) == 0:
        counts[0 if good else 2 if result == "SKIP" else 1] = 1
    if counts[1]:
        print(f"--- {test['name']}: {result}", file=sys.stderr)
        print("\n".join(text.splitlines()[-60:]), file=sys.stderr)
    return counts


def main():
    total = [0, 0, 0]
    with open(sys.argv[1], encoding="utf-8", errors="replace") as log:
        for line in log:
            for i, n in enumerate(count(json.loads(line))):
                total[i] += n
    print(*total)


main()
