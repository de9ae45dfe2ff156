#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Do the encapsulated captures say to tshark what their bases say?

usage: compare.py FOLDER [CAPTURE]...

For each FOLDER/encap-NAME (default: all): the TCP segments that tshark finds innermost (addresses, ports, sequence number, payload
length) must be those of the base, in order but for what comes twice. So that the decoder and the script that made the captures
cannot agree on the same mistake. Exit 0 only if they are.
"""
import glob
import json
import os
import subprocess
import sys

FIELDS = ["ip.src", "ipv6.src", "tcp.srcport", "tcp.dstport", "tcp.seq_raw", "tcp.len"]
# tshark takes the last version of an overlap, where we take the first
EXCEPT = {"fragments-overlap"}
# what it must be told: labels of pseudowires, an old port, an old tag
TOLD = ["udp.port==8472,vxlan", "mpls.label==17,pwethnocw", "ethertype==0x9200,vlan"]


def segments(path, told=()):
    """(source, ports, sequence number, payload length) of each segment, the innermost if there are several in a frame."""
    cmd = ["tshark", "-n", "-r", path, "-o", "ip.defragment:TRUE", "-o", "ipv6.defragment:TRUE", "-o", "tcp.desegment_tcp_streams:FALSE",
           "-T", "fields", "-E", "separator=|", "-Y", "tcp"]
    for rule in told:
        cmd += ["-d", rule]
    for f in FIELDS:
        cmd += ["-e", f]
    done = subprocess.run(cmd, capture_output=True, check=False, timeout=120)
    if done.returncode != 0:
        sys.exit(f"{path}: tshark: {done.stderr.decode().strip()}")
    for line in done.stdout.decode().splitlines():
        ip4, ip6, *tcp = (value.split(",") for value in line.split("|"))
        yield ip4, ip6, tuple(v[-1] for v in tcp)


def innermost(found, addresses):
    """The addresses of the base are told from the tunnel's by being among them."""
    for ip4, ip6, tcp in found:
        inside = [a for a in ip4 + ip6 if a in addresses]
        yield (inside[-1] if inside else None,) + tcp


def main():
    folder = sys.argv[1]
    captures = sys.argv[2:] or sorted(glob.glob(os.path.join(folder, "encap-*.pcap*")))
    wrong = 0
    for capture in captures:
        name = os.path.basename(capture)[len("encap-"):].rsplit(".", 1)[0]
        if name in EXCEPT:
            continue
        with open(os.path.splitext(capture)[0] + ".expected.json", encoding="utf-8") as f:
            base = json.load(f)["ref"].replace(".expected.json", ".pcap")
        plain = list(segments(os.path.join(folder, base)))
        addresses = {a for ip4, ip6, _ in plain for a in ip4 + ip6 if a}
        want = list(innermost(plain, addresses))
        told = TOLD + (["mpls.label==16,pwethcw"] if name == "mpls-cw" else [])
        got = list(innermost(segments(capture, told), addresses))
        same = list(dict.fromkeys(got)) == list(dict.fromkeys(want)) and len(got) >= len(want)
        wrong += not same
        print(f"{name}: {'ok' if same else 'DIFFERS'}: {len(got)} segments")
        if not same:
            for pair in [(w, g) for w, g in zip(want, got) if w != g][:3]:
                print(f"  base {pair[0]}\n  here {pair[1]}")
    return 1 if wrong else 0


sys.exit(main())
