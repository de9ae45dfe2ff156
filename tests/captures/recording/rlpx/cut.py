#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Joins a recording of devp2p sessions in mid-stream: cut.py NAME BASE SHARE FOLDER.

Leaves out the first SHARE (0..1) of the packets of FOLDER/BASE.pcap and writes NAME.pcap and NAME.expected.json: what is in messages
that begin in a packet that is left must be found, what is in messages that ended before is lost. Decrypts by itself (verify.py).
"""
import json
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import verify  # pylint: disable=wrong-import-position


def cut_packets(path, share):
    """The packets that are left with the file's header, and how many bytes of each stream were in those left out."""
    with open(path, "rb") as f:
        data = f.read()
    all_packets = list(verify.packets(path))
    n = int(len(all_packets) * share)
    at = 24 + sum(16 + len(p) for p in all_packets[:n])
    gone, first = {}, {}
    for i, (src, dst, flags, seq, payload) in enumerate(verify.segments(path)):
        if flags & 2:
            first[(src, dst)] = (seq + 1) & 0xffffffff
        elif payload and i < n:
            end = ((seq - first[(src, dst)]) & 0xffffffff) + len(payload)
            gone[(src, dst)] = max(gone.get((src, dst), 0), end)
    return data[:24] + data[at:], gone


def main():
    name, base, share, folder = sys.argv[1:]
    path = os.path.join(folder, base + ".pcap")
    data, gone = cut_packets(path, float(share))
    with open(os.path.join(folder, base + ".expected.json"), encoding="utf-8") as f:
        expected = json.load(f)
    with open(os.path.join(folder, expected["keys"]), encoding="utf-8") as f:
        keys = {(s["client"], s["server"]): s["aesSecret"] for s in json.load(f)["sessions"]}
    raws = {t["raw"][2:]: t["hash"] for t in expected["transactions"]}
    whole = set()
    for ends, both in verify.streams(path).items():
        for way, text in zip((ends, ends[::-1]), both):
            for offset, message in verify.frames(text, keys[ends]):
                if offset >= gone.get(way, 0):
                    hexed = message.hex()
                    whole |= {h for raw, h in raws.items() if raw in hexed}
    lost = sorted(set(expected["hashes"]) - whole)
    with open(os.path.join(folder, name + ".pcap"), "wb") as f:
        f.write(data)
    out = {"name": name, "pcap": name + ".pcap", "description": base + ", joined in mid-stream", "reader": "rlpx", "keys": expected["keys"],
           "ref": base + ".expected.json", "recoverable": {"requestComplete": sorted(whole), "rawBytesOnly": [], "lost": lost}}
    with open(os.path.join(folder, name + ".expected.json"), "w", encoding="utf-8") as f:
        json.dump(out, f, indent=1)
        f.write("\n")
    print(f"{name}: {len(whole)} transactions left, {len(lost)} lost")


if __name__ == "__main__":
    main()
