#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Compares the transactions that grpc_dump finds in a recording with what its client counted, crossing by crossing:
grpc_messages.py GRPC_DUMP CAPTURE PORT."""
import collections
import json
import subprocess
import sys

KIND = {"OnAdd": "pending", "Add": "submitted", "All": "asked"}


def main():
    dump, capture, port = sys.argv[1:]
    with open(capture[:-len("pcap")] + "expected.json", encoding="utf-8") as f:
        expected = json.load(f)
    done = subprocess.run([dump, capture, port], capture_output=True, timeout=60, check=False)
    found = [line.split() for line in done.stdout.decode().splitlines()]
    # of a stream whose headers were not seen the method is not known, nor always the side
    known = collections.Counter((h, side, kind) for h, side, kind, method in found if method != "-1")
    want = collections.Counter((t["hash"], t["direction"], KIND[t["method"]]) for t in expected["transactions"])
    hashes = collections.Counter(line[0] for line in found)
    good = done.returncode == 0 and hashes == collections.Counter(t["hash"] for t in expected["transactions"])
    good = good and not known - want
    if "mid-stream" not in expected["description"]:
        good = good and known == want
    print(f"{len(found)} found, {sum(known.values())} with their method, {expected['crossings']} expected, exit {done.returncode}")
    print(done.stderr.decode().strip())
    return 0 if good else 1


sys.exit(main())
