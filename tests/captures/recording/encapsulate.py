#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Puts the packets of recorded captures into every encapsulation that a mirror port delivers.

usage: encapsulate.py FOLDER [NAME]...

Reads FOLDER/BASE.pcap (Ethernet, classic pcap) and writes, for every NAME (default: all), FOLDER/encap-NAME.pcap or .pcapng and the
expectations that refer to BASE's. Written with nothing but the formats' own documents in hand; tshark reads the results the same
way (tests/captures/recording/compare.py).
"""
import json
import struct
import sys

SNAPLEN = 90
MAC = bytes.fromhex("020000000001020000000002")
OUTER4 = (bytes([192, 168, 7, 1]), bytes([192, 168, 7, 2]))
OUTER6 = (bytes.fromhex("fd000000000000000000000000000001"), bytes.fromhex("fd000000000000000000000000000002"))


def checksum(data):
    data += b"\0" * (len(data) % 2)
    s = sum(struct.unpack(f">{len(data) // 2}H", data))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return s ^ 0xffff


def ethertype(ip):
    return 0x0800 if ip[0] >> 4 == 4 else 0x86dd


def ether(payload, kind):
    return MAC + struct.pack(">H", kind) + payload


class Ids:
    """The identification of outer packets and datagrams, one after the other."""
    last = 0

    @classmethod
    def next(cls):
        cls.last = (cls.last + 1) & 0xffff
        return cls.last


def ip4(payload, proto, mark=0):
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), Ids.next(), mark, 64, proto, 0) + OUTER4[0] + OUTER4[1]
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def ip6(payload, following):
    return struct.pack(">IHBB", 0x60000000, len(payload), following, 64) + OUTER6[0] + OUTER6[1] + payload


def udp(payload, port, over6=False):
    head = struct.pack(">HHHH", 49152, port, 8 + len(payload), 0)
    return ip6(head + payload, 17) if over6 else ip4(head + payload, 17)


def gre(payload, kind, key=None, sequence=None, check=False):
    flags = (0x8000 if check else 0) | (0x2000 if key is not None else 0) | (0x1000 if sequence is not None else 0)
    rest = b"" if key is None else struct.pack(">I", key)
    rest += b"" if sequence is None else struct.pack(">I", sequence)
    if not check:
        return struct.pack(">HH", flags, kind) + rest + payload
    head = struct.pack(">HHHH", flags, kind, 0, 0) + rest + payload
    return head[:4] + struct.pack(">H", checksum(head)) + head[6:]


def vlan(ip, *tpids):
    kind, out = ethertype(ip), ip
    for i, tpid in enumerate(reversed(tpids)):
        out, kind = struct.pack(">HH", 0x2000 | (100 + i), kind) + out, tpid
    return ether(out, kind)


def mpls(payload, *labels):
    stack = b"".join(struct.pack(">I", label << 12 | (0x100 if i == len(labels) - 1 else 0) | 64) for i, label in enumerate(labels))
    return stack + payload


def inner(ip):
    return ether(ip, ethertype(ip))


def pppoe(ip):
    protocol = 0x0021 if ip[0] >> 4 == 4 else 0x0057
    return ether(struct.pack(">BBHHH", 0x11, 0, 9, 2 + len(ip), protocol) + ip, 0x8864)


def erspan2(ip):
    return struct.pack(">HHI", 0x1000 | 100, 0x0800 | 7, 3) + inner(ip)


def erspan3(ip, more=False):
    return struct.pack(">HHIHH", 0x2000 | 100, 7, 123456789, 0, 1 if more else 0) + (bytes(8) if more else b"") + inner(ip)


def vxlan(frame, flags=0x08, following=0):
    return struct.pack(">BHBI", flags, 0, following, 77 << 8) + frame


def geneve(payload, kind, options=b""):
    return struct.pack(">BBHI", len(options) // 4, 0, kind, 77 << 8) + options + payload


def extensions(ip):
    """IPv6 behind hop-by-hop, destination and an atomic fragment header."""
    head = bytes([60, 0, 1, 4, 0, 0, 0, 0]) + bytes([44, 0, 1, 4, 0, 0, 0, 0]) + bytes([ip[6], 0, 0, 0, 0, 0, 0, 9])
    return ip[:4] + struct.pack(">HB", len(ip) - 40 + len(head), 0) + ip[7:40] + head + ip[40:]


def fragments(ip, size):
    """The fragments of an IP packet, in order; one that is small enough stays as it is."""
    version = ip[0] >> 4
    head = (ip[0] & 15) * 4 if version == 4 else 40
    data, number = ip[head:], Ids.next()
    if len(data) <= size:
        return [ip]
    out = []
    for at in range(0, len(data), size):
        part, more = data[at:at + size], at + size < len(data)
        if version == 4:
            h = ip[:2] + struct.pack(">HHH", head + len(part), number, at // 8 | (0x2000 if more else 0)) + ip[8:10] + b"\0\0" + ip[12:head]
            out.append(h[:10] + struct.pack(">H", checksum(h)) + h[12:] + part)
        else:
            extra = struct.pack(">BBHI", ip[6], 0, at | more, number)
            out.append(ip[:4] + struct.pack(">HB", 8 + len(part), 44) + ip[7:40] + extra + part)
    return out


def forged(fragment):
    """The same place with other bytes."""
    head = (fragment[0] & 15) * 4
    return fragment[:head] + bytes(b ^ 0x55 for b in fragment[head:])


def overlapping(ip):
    """Fragments; then, before the last one, other versions of the first ones, one of them wider."""
    parts = fragments(ip, 256)
    if len(parts) < 4:
        return [inner(p) for p in parts]
    return [inner(p) for p in parts[:-1] + [forged(p) for p in parts[1:3]] + parts[:1] + parts[-1:]]


def shuffled(parts):
    """From the last one down by twos, then the others upwards."""
    return parts[::-2] + parts[len(parts) % 2::2]


def scattered(ip, size, wrap):
    return [wrap(p) for p in shuffled(fragments(ip, size))]


def cooked(ip):
    return struct.pack(">HHH", 0, 1, 6) + MAC[6:12] + b"\0\0" + struct.pack(">H", ethertype(ip)) + ip


def cooked2(ip):
    return struct.pack(">HHIHBB", ethertype(ip), 0, 2, 1, 0, 6) + MAC[6:12] + b"\0\0" + ip


def twice(frames):
    return [f for f in frames for _ in (0, 1)]


class Both:
    """Both ports of a mirror: every packet again two packets later, and tagged."""

    def __init__(self):
        self.waiting = []

    def __call__(self, ip):
        self.waiting.append(ip)
        late = [self.waiting.pop(0)] if len(self.waiting) > 2 else []
        return [inner(ip)] + [vlan(p, 0x8100) for p in late]


def one(f):
    return lambda ip: [f(ip)]


def outer_fragments(ip):
    return [inner(p) for p in shuffled(fragments(udp(vxlan(inner(ip)), 4789), 600))]


def both_fragmented(ip):
    return [inner(q) for p in fragments(ip, 800) for q in shuffled(fragments(udp(vxlan(inner(p)), 4789), 304))]


def family(number, order):
    return lambda ip: [struct.pack(order + "I", 2 if ip[0] >> 4 == 4 else number) + ip]


def no_length(ip):
    return inner(ip[:2] + b"\0\0" + ip[4:] if ip[0] >> 4 == 4 else ip[:4] + b"\0\0" + ip[6:])


def uncertain(ip):
    """With a TCP checksum that is wrong."""
    at = ((ip[0] & 15) * 4 if ip[0] >> 4 == 4 else 40) + 16
    return ip[:at] + bytes(b ^ 0xa5 for b in ip[at:at + 2]) + ip[at + 2:]


# name: (what it is, base, link type, frames of an IP packet)
KINDS = {
    "vlan3": ("three tags, 0x88a8 0x9100 0x8100", "escapes", 1, one(lambda ip: vlan(ip, 0x88a8, 0x9100, 0x8100))),
    "vlan-9200": ("a tag of type 0x9200", "http10", 1, one(lambda ip: vlan(ip, 0x9200))),
    "mpls": ("three MPLS labels", "escapes", 1, one(lambda ip: ether(mpls(ip, 16000, 16001, 16002), 0x8847))),
    "mpls-ip6": ("IPv6 in multicast MPLS", "ipv6", 1, one(lambda ip: ether(mpls(ip, 2), 0x8848))),
    "mpls-pw": ("Ethernet pseudowire without control word", "escapes", 1, one(lambda ip: ether(mpls(inner(ip), 16, 17), 0x8847))),
    "mpls-cw": ("Ethernet pseudowire with control word", "escapes", 1, one(lambda ip: ether(mpls(bytes(4) + inner(ip), 16), 0x8847))),
    "pppoe": ("PPPoE session", "escapes", 1, one(pppoe)),
    "pppoe-ip6": ("PPPoE session with IPv6, tagged", "ipv6", 1, one(lambda ip: MAC + struct.pack(">HH", 0x8100, 7) + pppoe(ip)[12:])),
    "gre": ("GRE", "escapes", 1, one(lambda ip: inner(ip4(gre(ip, ethertype(ip)), 47)))),
    "gre-all": ("GRE over IPv6 with checksum, key and sequence", "ipv6", 1,
                one(lambda ip: inner(ip6(gre(ip, ethertype(ip), 7, 8, True), 47)))),
    "gretap": ("Ethernet in GRE", "escapes", 1, one(lambda ip: inner(ip4(gre(inner(ip), 0x6558), 47)))),
    "nvgre": ("NVGRE with a tagged frame inside", "http10", 1, one(lambda ip: inner(ip4(gre(vlan(ip, 0x8100), 0x6558, 77 << 8), 47)))),
    "erspan1": ("ERSPAN type I", "escapes", 1, one(lambda ip: inner(ip4(gre(inner(ip), 0x88be), 47)))),
    "erspan2": ("ERSPAN type II", "escapes", 1, one(lambda ip: inner(ip4(gre(erspan2(ip), 0x88be, None, 5), 47)))),
    "erspan3": ("ERSPAN type III", "ipv6", 1, one(lambda ip: inner(ip4(gre(erspan3(ip), 0x22eb, None, 5), 47)))),
    "erspan3-more": ("ERSPAN type III with a platform's header", "http10", 1,
                     one(lambda ip: inner(ip4(gre(erspan3(ip, True), 0x22eb, None, 5), 47)))),
    "vxlan": ("VXLAN", "escapes", 1, one(lambda ip: inner(udp(vxlan(inner(ip)), 4789)))),
    "vxlan-8472": ("VXLAN on Linux's old port, over IPv6", "ipv6", 1, one(lambda ip: inner(udp(vxlan(inner(ip)), 8472, True)))),
    "vxlan-gpe": ("VXLAN-GPE with IP inside", "http10", 1,
                  one(lambda ip: inner(udp(vxlan(ip, 0x0c, 1 if ip[0] >> 4 == 4 else 2), 4790)))),
    "geneve": ("GENEVE", "escapes", 1, one(lambda ip: inner(udp(geneve(inner(ip), 0x6558), 6081)))),
    "geneve-options": ("GENEVE with options and IP inside", "ipv6", 1,
                       one(lambda ip: inner(udp(geneve(ip, ethertype(ip), bytes.fromhex("010280010000000a")), 6081)))),
    "ipip": ("IP in IP", "escapes", 1, one(lambda ip: inner(ip4(ip, 4)))),
    "6in4": ("IPv6 in IPv4", "ipv6", 1, one(lambda ip: inner(ip4(ip, 41)))),
    "4in6": ("IPv4 in IPv6", "http10", 1, one(lambda ip: inner(ip6(ip, 4)))),
    "ip6-extensions": ("IPv6 extension headers", "ipv6", 1, one(lambda ip: inner(extensions(ip)))),
    "nested": ("a mirror's ERSPAN of VXLAN of tagged frames in GRE", "http10", 1,
               one(lambda ip: inner(ip4(gre(erspan2(udp(vxlan(vlan(ip4(gre(ip, ethertype(ip)), 47), 0x8100)), 4789)), 0x88be, None, 1), 47)))),
    "fragments": ("IPv4 fragments of 512 bytes, out of order", "escapes", 1, lambda ip: scattered(ip, 512, inner)),
    "fragments-tiny": ("IPv4 fragments of 8 bytes", "http10", 1, lambda ip: scattered(ip, 8, inner)),
    "fragments-ip6": ("IPv6 fragments, out of order", "ipv6", 1, lambda ip: scattered(ip, 504, inner)),
    "fragments-overlap": ("IPv4 fragments with other versions of some", "escapes", 1, overlapping),
    "fragments-twice": ("IPv4 fragments, every one twice", "escapes", 1, lambda ip: twice([inner(p) for p in fragments(ip, 512)])),
    "fragments-outer": ("fragments of VXLAN's packets", "escapes", 1, outer_fragments),
    "fragments-both": ("fragments in VXLAN whose packets are fragments", "escapes", 1, both_fragmented),
    "span": ("both ports of a mirror, one of them tagged", "escapes", 1, Both()),
    "no-length": ("lengths of zero, as segmentation offload leaves them", "escapes", 1, one(no_length)),
    "sll": ("Linux cooked v1", "escapes", 113, one(cooked)),
    "sll2": ("Linux cooked v2", "ipv6", 276, one(cooked2)),
    "null-le": ("BSD loopback, little endian", "http10", 0, family(24, "<")),
    "null-be": ("BSD loopback, big endian", "ipv6", 0, family(30, ">")),
    "loop": ("OpenBSD loopback", "http10", 108, family(24, ">")),
    "raw": ("bare IP", "escapes", 101, one(lambda ip: ip)),
    "raw-12": ("bare IP under its old number", "http10", 12, one(lambda ip: ip)),
    "raw-ip4": ("bare IPv4", "http10", 228, one(lambda ip: ip)),
    "raw-ip6": ("bare IPv6", "ipv6", 229, one(lambda ip: ip)),
    "nano": ("nanosecond times", "http10", 1, one(inner)),
    "nano-be": ("nanosecond times, big endian", "http10", 1, one(inner)),
    "snaplen": ("cut by a snap length of 90 bytes", "escapes", 1, one(inner)),
    "bad-checksums": ("TCP checksums that offload left to others; trusted", "escapes", 1, one(lambda ip: inner(uncertain(ip)))),
    "pcapng": ("pcapng, two interfaces of different link type and resolution", "escapes", None, None),
    "pcapng-be": ("pcapng, big endian, with simple and obsolete blocks", "http10", None, None),
}


def payload_bytes(ip):
    head = (ip[0] & 15) * 4 if ip[0] >> 4 == 4 else 40
    return len(ip) - head - (ip[head + 12] >> 4) * 4


def counted(name, timed):
    """What must become of the frames: see run.py."""
    n, held = len(timed), [len(fragments(ip, 256)) for _, ip in timed]
    counts = {"accepted": n}
    if name == "span":
        counts["accepted"] = 2 * n - 2
    if name == "fragments-twice":
        counts["accepted"] += sum(1 for _, ip in timed if len(fragments(ip, 512)) == 1)
    if name == "snaplen":
        counts = {"undec_truncated": sum(1 for _, ip in timed if len(inner(ip)) > SNAPLEN)}
        counts["accepted"] = n - counts["undec_truncated"]
        counts["st_gap"] = sum(payload_bytes(ip) for _, ip in timed if len(inner(ip)) > SNAPLEN)
    if name == "fragments-overlap":
        counts["undec_fragment_overlap"] = counts["fragment_conflicts"] = 2 * sum(1 for k in held if k >= 4)
    return {k: str(v) for k, v in counts.items()}


def packets(path):
    """(time in ns, IP packet) of each frame."""
    with open(path, "rb") as f:
        data = f.read()
    order = "<" if data[0] in (0xd4, 0x4d) else ">"
    unit = 1 if data[:4] in (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d") else 1000
    assert struct.unpack_from(order + "I", data, 20)[0] == 1, "a base is Ethernet"
    at = 24
    while at + 16 <= len(data):
        seconds, fraction, captured, _ = struct.unpack_from(order + "IIII", data, at)
        frame = data[at + 16:at + 16 + captured]
        at += 16 + captured
        if frame[12:14] not in (b"\x08\x00", b"\x86\xdd"):
            continue
        ip = frame[14:]
        length = struct.unpack_from(">H", ip, 2)[0] if ip[0] >> 4 == 4 else 40 + struct.unpack_from(">H", ip, 4)[0]
        if ip[9 if ip[0] >> 4 == 4 else 6] == 6:
            yield seconds * 10**9 + fraction * unit, ip[:length]


def write_pcap(path, name, link, frames):
    nano, order = name.startswith("nano"), ">" if name.endswith("-be") else "<"
    with open(path, "wb") as f:
        f.write(struct.pack(order + "IHHiIII", 0xa1b23c4d if nano else 0xa1b2c3d4, 2, 4, 0, 0, 262144, link))
        for t, frame in frames:
            rest = t % 10**9 if nano else t % 10**9 // 1000
            kept = frame[:SNAPLEN] if name == "snaplen" else frame
            f.write(struct.pack(order + "IIII", t // 10**9, rest, len(kept), len(frame)) + kept)


def block(order, kind, body):
    body += b"\0" * (-len(body) % 4)
    return struct.pack(order + "II", kind, 12 + len(body)) + body + struct.pack(order + "I", 12 + len(body))


def interface(order, link, options):
    body = struct.pack(order + "HHI", link, 0, 0)
    for code, value in options:
        body += struct.pack(order + "HH", code, len(value)) + value + b"\0" * (-len(value) % 4)
    return block(order, 1, body + struct.pack(order + "HH", 0, 0))


def write_pcapng(path, name, timed):
    order = ">" if name.endswith("-be") else "<"
    out = block(order, 0x0a0d0d0a, struct.pack(order + "IHHq", 0x1a2b3c4d, 1, 0, -1))
    out += interface(order, 1, [(9, b"\x09")])  # nanoseconds
    out += interface(order, 113, [(9, b"\x94"), (14, struct.pack(order + "q", 1000000000))])  # 2^-20 s, since 2001
    for i, (t, ip) in enumerate(timed):
        if i % 7 == 3:
            out += block(order, 0x40000bad, b"nobody knows this one")
        if name == "pcapng-be" and i % 3 == 1:
            out += block(order, 3, struct.pack(order + "I", len(inner(ip))) + inner(ip))
        elif name == "pcapng-be" and i % 3 == 2:
            frame = inner(ip)
            out += block(order, 2, struct.pack(order + "HHIIII", 0, 0, t >> 32, t & 0xffffffff, len(frame), len(frame)) + frame)
        else:
            n, frame = (1, cooked(ip)) if i % 2 else (0, inner(ip))
            units = t if n == 0 else (t - 10**18) * 2**20 // 10**9
            head = struct.pack(order + "IIIII", n, units >> 32, units & 0xffffffff, len(frame), len(frame))
            out += block(order, 6, head + frame)
    with open(path, "wb") as f:
        f.write(out)


def main():
    folder, names = sys.argv[1], sys.argv[2:] or list(KINDS)
    for name in names:
        what, base, link, frames = KINDS[name]
        timed = list(packets(f"{folder}/{base}.pcap"))
        file = f"encap-{name}." + ("pcap" if link is not None else "pcapng")
        Ids.last = 0
        if link is None:
            write_pcapng(f"{folder}/{file}", name, timed)
        else:
            write_pcap(f"{folder}/{file}", name, link, [(t, frame) for t, ip in timed for frame in frames(ip)])
        expected = {"name": f"encap-{name}", "pcap": file, "ref": f"{base}.expected.json",
                    "sameTransactionsAsRef": name != "snaplen", "description": what, "frames": counted(name, timed)}
        if name == "snaplen":
            expected["recoverable"] = {"requestComplete": [], "rawBytesOnly": []}
        with open(f"{folder}/encap-{name}.expected.json", "w", encoding="utf-8") as f:
            json.dump(expected, f, indent=1)
            f.write("\n")


main()
