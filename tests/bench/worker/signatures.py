#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes a rule set of N rules for the bench to standard output: signatures.py [N].

What a box with many protocols to guard would have: every rule has a needle of 20 bytes that may lie anywhere in calldata (so that each is a
literal for Hyperscan), half of them with a selector beside it, every fifth also PUSH immediates in init code. One rule fires on the load generator's hits.
"""
import random
import sys

HIT = "0x87870bca3f3fd6335c3f4ce8392d69350b4fa4e2"


def hexes(rng, n):
    return "0x" + rng.randbytes(n).hex()


def vectors(to, data):
    return (f"    vectors:\n      - {{match: true, tx: {{to: \"{to}\", input: \"{data}\"}}}}\n"
            f"      - {{match: false, tx: {{to: \"{to}\", input: \"0x00000000\"}}}}\n")


def main():
    rng = random.Random(20)
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    out = ["pack: bench\nversion: 1\nrules:\n"]
    for i in range(1, n):
        address, selector, to = hexes(rng, 20), hexes(rng, 4), hexes(rng, 20)
        with_selector, with_push = i % 2 == 0, i % 5 == 0
        out.append(f"  - id: {i}\n    rev: 1\n    name: needle-{i}\n    description: a contract that is guarded\n"
                   f"    class: other\n    severity: low\n    grade: watch\n    status: stable\n    match:\n"
                   f"      needle: {{input: \"{address}\"}}\n")
        if with_selector:
            out.append(f"      entry: {{selector: \"{selector}\"}}\n")
        if with_push:
            out.append(f"      callback: {{push_selector: \"{selector}\"}}\n      target: {{push_address: \"{address}\"}}\n")
        condition = "needle and entry" if with_selector else "needle"
        if with_push:
            condition = f"({condition}) or (callback and target)"
        out.append(f"    condition: {condition}\n")
        out.append(vectors(to, (selector if with_selector else "0x01020304") + address[2:]))
    out.append(f"  - id: {n}\n    rev: 1\n    name: hit\n    description: what the load generator's hits call\n    class: flash_loan\n"
               f"    severity: medium\n    grade: page\n    status: stable\n    match:\n      pool: {{to: \"{HIT}\"}}\n"
               f"      entry: {{selector: \"0x42b0b77c\"}}\n    condition: pool and entry\n    protocols: [pool]\n")
    out.append(vectors(HIT, "0x42b0b77c"))
    sys.stdout.write("".join(out))


main()
