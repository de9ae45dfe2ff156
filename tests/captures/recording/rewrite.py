#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Rewrites a capture so that its frames carry VLAN tags: rewrite.py vlan|qinq FOLDER BASE.

Reads FOLDER/BASE.pcap, writes FOLDER/vlan.pcap (or qinq.pcap) and the expectations that refer to BASE's.
"""
import json
import struct
import sys

TAGS = {"vlan": struct.pack(">HH", 0x8100, 0x2077), "qinq": struct.pack(">HHHH", 0x88A8, 0x0064, 0x8100, 0x6077)}


def main():
    kind, folder, base = sys.argv[1:]
    with open(f"{folder}/{base}.pcap", "rb") as f:
        data = f.read()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    out, at = [data[:24]], 24
    while at + 16 <= len(data):
        seconds, fraction, captured, length = struct.unpack_from(order + "IIII", data, at)
        frame = data[at + 16:at + 16 + captured]
        frame = frame[:12] + TAGS[kind] + frame[12:]
        more = len(TAGS[kind])
        out.append(struct.pack(order + "IIII", seconds, fraction, captured + more, length + more) + frame)
        at += 16 + captured
    with open(f"{folder}/{kind}.pcap", "wb") as f:
        f.write(b"".join(out))
    with open(f"{folder}/{kind}.expected.json", "w", encoding="utf-8") as f:
        json.dump({"name": kind, "pcap": f"{kind}.pcap", "ref": f"{base}.expected.json", "sameTransactionsAsRef": True,
                   "description": {"vlan": "one 802.1Q tag", "qinq": "802.1ad and 802.1Q tags"}[kind]}, f, indent=1)
        f.write("\n")


main()
