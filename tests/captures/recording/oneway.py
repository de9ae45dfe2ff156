#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Leaves one direction of a capture: oneway.py NAME BASE c2s|s2c FOLDER.

Keeps of FOLDER/BASE.pcap the packets to (c2s) or from (s2c) the server's port and writes NAME.pcap and NAME.expected.json. Objects and
submissions must be found; bytes in an answer may be: only the question that is missing says what they are.
"""
import json
import os
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import verify  # pylint: disable=wrong-import-position

PORTS = (8545, 8546, 8551)


def one_way(path, want):
    with open(path, "rb") as f:
        data = f.read()
    out, at = [data[:24]], 24
    for frame in verify.packets(path):
        tcp = 14 + (frame[14] & 15) * 4
        direction = "c2s" if struct.unpack_from(">H", frame, tcp + 2)[0] in PORTS else "s2c"
        end = at + 16 + len(frame)
        if direction == want:
            out.append(data[at:end])
        at = end
    return b"".join(out)


def main():
    name, base, direction, folder = sys.argv[1:]
    with open(os.path.join(folder, base + ".expected.json"), encoding="utf-8") as f:
        expected = json.load(f)
    ours = [t for t in expected.get("transactions", []) if t["direction"] == direction and not t.get("partial")]
    sure = {t["hash"] for t in ours if not t["carrier"].endswith("-jsonrpc-raw")}
    if "transactions" not in expected and direction == "c2s":  # submissions, all of them
        sure = set(expected["hashes"])
    may = {t["hash"] for t in ours} - sure
    with open(os.path.join(folder, name + ".pcap"), "wb") as f:
        f.write(one_way(os.path.join(folder, base + ".pcap"), direction))
    out = {"name": name, "pcap": name + ".pcap", "description": f"{base}, {direction} alone", **({"reader": expected["reader"]} if "reader" in expected else {}),
           "ref": base + ".expected.json",
           "recoverable": {"requestComplete": sorted(sure), "rawBytesOnly": sorted(may | (set(expected.get("may", [])) - sure)),
                           "lost": sorted(set(expected["hashes"]) - sure - may)}}
    with open(os.path.join(folder, name + ".expected.json"), "w", encoding="utf-8") as f:
        json.dump(out, f, indent=1)
        f.write("\n")
    print(f"{name}: {len(sure)} transactions, {len(may)} more perhaps")


main()
