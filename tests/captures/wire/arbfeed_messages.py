#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Compares what the Arbitrum scanner finds in a recording with what its client found: arbfeed_messages.py WS_DUMP ARBFEED_DUMP CAPTURE."""
import collections
import json
import subprocess
import sys


def main():
    ws_dump, arbfeed_dump, capture = sys.argv[1:]
    with open(capture[:-len("pcap")] + "expected.json", encoding="utf-8") as f:
        want = json.load(f)
    dump = subprocess.run([ws_dump, capture], stdout=subprocess.PIPE, timeout=60, check=True).stdout
    good = dump.count(b"\n") == want["broadcasts"]
    for piece in ("1", "7", "1448", "1000000"):
        done = subprocess.run([arbfeed_dump, piece], input=dump, stdout=subprocess.PIPE, timeout=60, check=True)
        lines = done.stdout.decode().splitlines()
        txs = [line[3:] for line in lines if line.startswith("tx ")]
        counts = collections.Counter(line for line in lines if not line.startswith("tx "))
        elements = counts.pop("element")
        counts["signed"] = len(txs)
        print(piece, elements, dict(counts))
        good &= elements == want["elements"] and dict(counts) == want["l2"]
        good &= len(txs) == want["crossings"] and list(dict.fromkeys(txs)) == want["hashes"]
    return 0 if good else 1


sys.exit(main())
