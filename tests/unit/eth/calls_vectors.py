#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Calls in calls, as ethers encoded them (tests/e2e/eth/calls_diff.mjs), come out as they were put in.

usage: calls_vectors.py CALLS_DUMP. A line of vectors/calls.txt.gz: recipient, calldata, SHA-256 of the line that CALLS_DUMP gives.
"""
import gzip
import hashlib
import os
import subprocess
import sys

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "vectors")


def main():
    with gzip.open(os.path.join(HERE, "calls.txt.gz"), "rt") as f:
        vectors = [line.split() for line in f]
    assert len(vectors) == 90
    text = "".join(f"{to} {data}\n" for to, data, _ in vectors)
    done = subprocess.run([sys.argv[1]], input=text, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, (done.returncode, done.stderr)
    lines = done.stdout.splitlines()
    assert len(lines) == len(vectors)
    wrong = [(v, line) for v, line in zip(vectors, lines) if hashlib.sha256(line.encode()).hexdigest() != v[2]]
    for (to, data, _), line in wrong[:3]:
        print(f"{to} {data}\n  gives {line}")
    print(f"{len(vectors)} vectors, {sum(int(line.split()[0]) for line in lines)} calls: {len(wrong)} wrong")
    return len(wrong) > 0


if __name__ == "__main__":
    sys.exit(main())
