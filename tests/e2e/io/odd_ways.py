#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A client that writes its packets itself submits a transaction in each of the ways that this host's own TCP takes, and that show no port, or not where one looks for it:
in IP fragments of any size, of which later ones say what they like of their datagram, and behind more
extension headers and tags than anybody needs. A tap that asks for the node's
port alone must clone all of it, and the box find every transaction.

usage: odd_ways.py DATAPLANE CONTROL SENTINELCTL BUNDLE SENTINEL_TAP. Needs root.
"""
import array
import ctypes
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading

import livebox
from submit import transaction

PROGRAMS, BUNDLE, TAP = sys.argv[1:4], sys.argv[4], sys.argv[5]
NODE_PORT = 8545
NODE, CLIENT = (livebox.HERE, "2001:db8::1"), ("192.0.2.66", "2001:db8::66")
MAC = bytes.fromhex("020000000066")
SYN, ACK, PSH, RST = 2, 16, 8, 4
DESTINATION, FRAGMENT = 60, 44
PRIORITY = b"\x81\x00\x20\x00"  # a tag that names no VLAN
EMPTY = bytes([0, 1, 4, 0, 0, 0, 0])  # the rest of a destination header that says nothing


def folded(data):
    n = sum(array.array("H", data + bytes(len(data) % 2)))
    while n >> 16:
        n = (n & 0xffff) + (n >> 16)
    return (~n & 0xffff).to_bytes(2, "little")


class Connection:
    """TCP by hand, from an address that nobody has."""

    def __init__(self, wire, node_mac, six, port):
        self.wire, self.node_mac, self.six, self.port = wire, node_mac, six, port
        family = socket.AF_INET6 if six else socket.AF_INET
        self.src, self.dst = socket.inet_pton(family, CLIENT[six]), socket.inet_pton(family, NODE[six])
        self.seq, self.ack, self.id = port << 12, 0, port
        self.send(self.whole(self.segment(SYN)))
        self.seq += 1
        self.ack = self.heard(SYN | ACK)[0] + 1
        self.send(self.whole(self.segment(ACK)))

    def segment(self, flags, payload=b""):
        head = struct.pack(">HHIIBBHHH", self.port, NODE_PORT, self.seq, self.ack, 0x50, flags, 65535, 0, 0)
        check = folded(self.src + self.dst + struct.pack(">IHBB", len(head + payload), 0, 0, 6) + head + payload)
        return head[:16] + check + head[18:] + payload

    def ip4(self, data, at=0, more=False):
        head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(data), self.id, at // 8 | more << 13, 64, 6, 0) + self.src + self.dst
        return head[:10] + folded(head) + head[12:] + data

    def ip6(self, data, following=6):
        return struct.pack(">IHBB", 6 << 28, len(data), following, 64) + self.src + self.dst + data

    def fragment6(self, data, at, more, says):
        return self.ip6(struct.pack(">BBHI", says, 0, at | more, self.id) + data, FRAGMENT)

    def whole(self, tcp):
        return [self.ip6(tcp) if self.six else self.ip4(tcp)]

    def send(self, packets, tags=0):
        for packet in packets:
            self.wire.send(self.node_mac + MAC + PRIORITY * tags + (b"\x86\xdd" if self.six else b"\x08\x00") + packet)

    def heard(self, flags):
        """(seq, ack) of the next such segment of the node's."""
        while True:
            frame = self.wire.recv(65536)
            tcp = frame[54 if self.six else 34:]
            if frame[:6] == MAC and len(tcp) >= 20 and struct.unpack_from(">HH", tcp) == (NODE_PORT, self.port) and tcp[13] & flags == flags:
                return struct.unpack_from(">II", tcp, 4)

    def submit(self, nonce, dress, tags):
        body = b'{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["0x%s"]}' % transaction(nonce).hex().encode()
        post = b"POST / HTTP/1.1\r\nHost: node\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        self.send(dress(self, self.segment(ACK | PSH, post)), tags)
        self.seq += len(post)
        while self.heard(ACK)[1] != self.seq:
            pass
        self.send(self.whole(self.segment(RST | ACK)))
        return post


def pieces(data, first, n):
    at, size = 0, first
    while at < len(data):
        yield data[at:at + size], at, at + size < len(data)
        at, size = at + size, n


def fragments4(first, n):
    return lambda c, tcp: [c.ip4(*p) for p in pieces(tcp, first, n)]


def fragments6(says, inside=b"", first_says=6):
    return lambda c, tcp: [c.fragment6(data, at, more, says if at else first_says) for data, at, more in pieces(inside + tcp, 256, 256)]


def behind(n):
    return lambda c, tcp: [c.ip6(b"".join(bytes([DESTINATION if i + 1 < n else 6]) + EMPTY for i in range(n)) + tcp, DESTINATION)]


WAYS = [
    ("whole", 0, Connection.whole),
    ("behind 4 tags of priority", 0, Connection.whole, 4),
    ("behind 20 tags of priority", 0, Connection.whole, 20),
    ("in fragments", 0, fragments4(256, 256)),
    ("in fragments, the first of which ends behind the ports", 0, fragments4(8, 256)),
    ("whole", 1, Connection.whole),
    ("in fragments", 1, fragments6(6)),
    ("in fragments, a destination header in them", 1, fragments6(DESTINATION, bytes([6]) + EMPTY, DESTINATION)),
    ("in fragments, the later of which say UDP", 1, fragments6(17)),
    ("behind 7 destination headers", 1, behind(7)),
    ("behind 40 destination headers", 1, behind(40)),
]


def node(came):
    """Takes what comes on the node's port."""
    def take(s):
        data = b""
        try:
            while more := s.recv(1 << 16):
                data += more
        except ConnectionResetError:
            pass
        came.append(data)

    def serve(s):
        while True:
            threading.Thread(target=take, args=s.accept()[:1], daemon=True).start()

    for address, family in zip(NODE, (socket.AF_INET, socket.AF_INET6)):
        s = socket.create_server((address, NODE_PORT), family=family)
        threading.Thread(target=serve, args=(s,), daemon=True).start()


def host(other):
    """This host's addresses and neighbours; the other's wire, as a socket."""
    livebox.run("sysctl", "-qw", f"net.ipv6.conf.{livebox.PORT}.disable_ipv6=0")
    livebox.run("ip", "addr", "add", NODE[1] + "/64", "dev", livebox.PORT, "nodad")
    for address in CLIENT:
        livebox.run("ip", "neigh", "replace", address, "lladdr", MAC.hex(":"), "dev", livebox.PORT, "nud", "permanent")
    here, there = os.open("/proc/self/ns/net", os.O_RDONLY), os.open(f"/proc/{other.holder.pid}/ns/net", os.O_RDONLY)
    ctypes.CDLL(None).setns(there, 0)
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    wire.bind(("there0", 3))
    wire.setsockopt(263, 1, struct.pack("iHH8s", socket.if_nametoindex("there0"), 1, 0, b""))  # promiscuous
    ctypes.CDLL(None).setns(here, 0)
    wire.settimeout(5)
    text = subprocess.run(["ip", "-br", "link", "show", livebox.PORT], capture_output=True, text=True, check=True).stdout.split()[2]
    return wire, bytes.fromhex(text.replace(":", ""))


def main():
    livebox.enter()
    other, came = livebox.Other(), []
    wire, node_mac = host(other)
    node(came)
    subprocess.run([TAP, "attach", "--on", livebox.PORT, "--ports", str(NODE_PORT)], check=True)
    with tempfile.TemporaryDirectory() as folder:
        box = livebox.Box(folder, PROGRAMS, BUNDLE, port="'net_af_packet0,iface=sentinel1'")
        for nonce, (name, six, dress, *tags) in enumerate(WAYS):
            post = Connection(wire, node_mac, six, 20000 + nonce).submit(nonce, dress, sum(tags))
            box.wait_for(f"the node to take what came {name}", lambda: post in came, 10)
        found = lambda: {int(e["data"]["transaction"]["nonce"]) for e in box.alerts()}
        missing = lambda: [f"IPv{6 if six else 4} {name}" for nonce, (name, six, *_) in enumerate(WAYS) if nonce not in found()]
        box.wait_for("what the node took", lambda: not missing(), 10, lambda: f"not seen: {missing()}\n{subprocess.run([TAP, 'status'], capture_output=True, text=True, check=True).stdout}")
        box.wait_for("residuals of 0", lambda: not box.residuals())
        box.stop()
    print(f"{len(WAYS)} transactions in as many ways, all found")


main()
