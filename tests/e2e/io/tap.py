#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""sentinel-tap under a node's connections: a transfer both ways, in large writes, must arrive whole (digest), and every byte of both directions must arrive at the capture
device exactly once, in frames of wire size with right checksums. Then another filter while it runs, and an end without traces.

usage: tap.py WAY SENTINEL_TAP UNIT
  lo      both ends on the loopback
  veth    a node that talks to another host through its interface
  jumbo   the same with an MTU of 9000
  bridge  a node behind a bridge of the host, another host behind the same bridge, one that comes later, and a node that is started again
The program has what its UNIT leaves it. All in a network namespace of its own. Needs root.
"""
import array
import collections
import hashlib
import json
import os
import select
import socket
import struct
import subprocess
import sys
import threading
import time

import livebox

WAY, TAP, UNIT = sys.argv[1:4]
PORT, OTHER = 18545, 18546
BYTES = 1 << 20
FRAME_MAX = 1600
SO_RCVBUFFORCE, SOL_PACKET, PACKET_STATISTICS = 33, 263, 6

# one end of a transfer: sends BYTES of a seed and takes as many, both at once, and prints the digest of what came
END = """
import hashlib, random, socket, sys, threading
role, address, port, n, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])
family = socket.AF_INET6 if ":" in address else socket.AF_INET
s = socket.socket(family)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
if role == "serve":
    s.bind((address, port)); s.listen(1); print("ready", flush=True); s = s.accept()[0]
else:
    s.connect((address, port))
out = random.Random(seed).randbytes(n)
def send():
    for i in range(0, n, 1 << 18): s.sendall(out[i:i + (1 << 18)])
t = threading.Thread(target=send); t.start()
got = 0; h = hashlib.sha256()
while got < n:
    b = s.recv(1 << 18)
    if not b: break
    h.update(b); got += len(b)
t.join()
print(got, h.hexdigest(), flush=True)
sys.stdin.read()
"""


# all on again, as veth has them
OFFLOADS = f"""
import array, fcntl, socket, struct, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    for command in {livebox.ETHTOOL_OFFLOADS}:
        value = array.array("I", [command, 1])
        fcntl.ioctl(s, {livebox.SIOCETHTOOL}, struct.pack("16sP", sys.argv[1].encode(), value.buffer_info()[0]) + bytes(16))
"""


def digest(seed, n):
    import random
    return hashlib.sha256(random.Random(seed).randbytes(n)).hexdigest()


class Capture:
    """What arrives at an interface."""

    def __init__(self, interface):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, (1 << 30) - 1)
        self.socket.bind((interface, 3))
        self.frames = []
        self.over = False
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self):
        while not self.over or select.select([self.socket], [], [], 0)[0]:
            if select.select([self.socket], [], [], 0.1)[0]:
                self.frames.append(self.socket.recv(70000))

    def end(self):
        time.sleep(0.3)
        self.over = True
        self.thread.join()
        lost = struct.unpack("II", self.socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1]
        assert lost == 0, f"the test itself lost {lost} frames"
        return self.frames


def folded(data):
    if len(data) % 2:
        data += b"\0"
    n = sum(array.array("H", data))
    while n >> 16:
        n = (n & 0xffff) + (n >> 16)
    return n


def segment(frame):
    """(flow, seq, payload) of a TCP frame, whose checksums must be right."""
    at = 14
    kind = frame[12:14]
    assert kind in (b"\x08\x00", b"\x86\xdd"), kind
    if kind == b"\x08\x00":
        head = (frame[at] & 15) * 4
        total = struct.unpack_from(">H", frame, at + 2)[0]
        assert folded(frame[at:at + head]) == 0xffff, "IPv4 header checksum"
        assert frame[at + 9] == 6
        addresses, tcp = frame[at + 12:at + 20], frame[at + head:at + total]
    else:
        head = 40 if frame[at + 6] == 6 else 48
        assert head == 40 or frame[at + 40:at + 48] == bytes([6, 0, 1, 4, 0, 0, 0, 0]), frame[at + 40:at + 48]
        addresses, tcp = frame[at + 8:at + 40], frame[at + head:at + 40 + struct.unpack_from(">H", frame, at + 4)[0]]
    assert folded(addresses + struct.pack(">BBH", 0, 6, len(tcp)) + tcp) == 0xffff, f"TCP checksum of a frame of {len(frame)}"
    sport, dport, seq = struct.unpack_from(">HHI", tcp)
    flags = tcp[13]
    half = len(addresses) // 2
    return (addresses[:half], sport, addresses[half:], dport), seq, tcp[(tcp[12] >> 4) * 4:], flags


def streams(frames):
    """Per direction: the stream's bytes, and how many payload bytes came in all."""
    start, parts, came = {}, collections.defaultdict(dict), collections.Counter()
    ends = collections.Counter()
    for f in frames:
        assert len(f) <= FRAME_MAX, f"a frame of {len(f)} bytes"
        flow, seq, payload, flags = segment(f)
        if flags & 2:
            start[flow] = (seq + 1) & 0xffffffff
        ends[flow] += flags & 1
        if payload:
            off = (seq - start[flow]) & 0xffffffff
            if len(payload) > len(parts[flow].get(off, b"")):
                parts[flow][off] = payload
            came[flow] += len(payload)
    out = {}
    for flow, pieces in parts.items():
        data = bytearray()
        for off in sorted(pieces):
            assert off <= len(data), f"a gap at {len(data)} of {flow}: {off}"
            piece = pieces[off]
            assert data[off:off + len(piece)] == piece[:len(data) - off], "sent again, and other bytes"
            data += piece[len(data) - off:]
        out[flow] = bytes(data), came[flow]
    return out


def tap(into, *argv):
    return subprocess.run([*into, *livebox.bounded(UNIT), TAP, *argv], check=True, capture_output=True, text=True).stdout


def status(into):
    return json.loads(tap(into, "status", "--json"))


def transfer(serve_in, call_in, address, port, n=BYTES):
    """Runs both ends; what each says it took must be what the other sent."""
    start = lambda into, role, seed: livebox.here(*into, sys.executable, "-c", END, role, address, str(port), str(n), str(seed), stdin=subprocess.PIPE,
                                                  stdout=subprocess.PIPE, text=True)
    server = start(serve_in, "serve", 1)
    assert server.stdout.readline() == "ready\n"
    client = start(call_in, "call", 2)
    for end, seed in ((server, 2), (client, 1)):
        assert end.stdout.readline().split() == [str(n), digest(seed, n)], "the node's own transfer is harmed"
    for end in (client, server):
        end.stdin.close()
        assert end.wait(livebox.PATIENCE_S) == 0


class Scene:
    """Where node and clients are, what is tapped in which namespace."""

    def __init__(self):
        self.tapped, self.tap_in, self.serve_in, self.call_in = "lo", [], [], []
        self.addresses = ["127.0.0.1"]
        if WAY == "lo":
            subprocess.run(["sysctl", "-qw", "net.ipv6.conf.lo.disable_ipv6=0"], check=True)
            self.addresses.append("::1")
            return
        self.tapped = livebox.PORT
        if WAY == "bridge":
            self.bridge()
            return
        other = livebox.Other()
        self.addresses = [livebox.HERE]
        self.call_in = other.into
        for into, interface in (([], livebox.PORT), (other.into, "there0")):
            livebox.run(*into, "ip", "link", "set", interface, "mtu", "9000" if WAY == "jumbo" else "1500")
            livebox.run(*into, sys.executable, "-c", OFFLOADS, interface)

    def bridge(self):
        livebox.run("ip", "link", "add", "bridge0", "type", "bridge")
        livebox.run("ip", "link", "set", "bridge0", "up")
        livebox.run("ip", "addr", "add", livebox.HERE + "/24", "dev", "bridge0")
        self.holders = []
        self.add_port(2, livebox.THERE)
        self.add_port(3, "192.0.2.3")
        self.tapped, self.addresses, self.serve_in = "bridge0", [livebox.THERE], self.holders[0]

    def add_port(self, i, address):
        """A host behind the bridge."""
        holder = livebox.here("unshare", "--net", "sh", "-c", "echo; exec cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        holder.stdout.readline()
        into = ["nsenter", f"--net=/proc/{holder.pid}/ns/net"]
        livebox.run("ip", "link", "add", f"port{i}", "type", "veth", "peer", "name", f"node{i}")
        livebox.run("ip", "link", "set", f"node{i}", "netns", str(holder.pid))
        livebox.run("ip", "link", "set", f"port{i}", "master", "bridge0", "up")
        livebox.run(*into, "ip", "addr", "add", address + "/24", "dev", f"node{i}")
        livebox.run(*into, "ip", "link", "set", f"node{i}", "up")
        self.holders.append(into)

    def node_again(self):
        """The node's container is stopped and started."""
        livebox.run("ip", "link", "del", "port2")
        self.add_port(2, livebox.THERE)
        self.serve_in = self.holders.pop()
        for into in self.holders:
            livebox.run(*into, "ip", "neigh", "flush", "all")


def sent_again(*namespaces):
    """Segments that TCP has sent again, in all."""
    total = 0
    for into in namespaces:
        names, values = [line.split() for line in subprocess.run([*into, "cat", "/proc/net/snmp"], capture_output=True, text=True, check=True).stdout.splitlines()
                         if line.startswith("Tcp:")]
        total += int(values[names.index("RetransSegs")])
    return total


def handled(into):
    """Bytes of all clones that came by at the capture device, as long as they came."""
    said = subprocess.run([*into, "tc", "-s", "-j", "qdisc", "show", "dev", "sentinel0"], capture_output=True, text=True, check=True).stdout
    return next(q["bytes"] for q in json.loads(said) if q["kind"] == "clsact")


def check(scene, address, call_in):
    bytes_before = handled(scene.tap_in)
    again = sent_again(scene.serve_in, call_in)
    capture = Capture("sentinel1")
    before = {k: int(v) for k, v in status(scene.tap_in)["counters"].items()}
    transfer(scene.serve_in, call_in, address, PORT)
    transfer(scene.serve_in, call_in, address, OTHER, 1 << 16)  # of nobody's concern
    found = streams(capture.end())
    after = {k: int(v) for k, v in status(scene.tap_in)["counters"].items()}
    again = sent_again(scene.serve_in, call_in) - again
    assert len(found) == 2, list(found)
    # what TCP sends again differs in its IP id or its timestamp; a frame that is cloned twice does not
    assert len(set(capture.frames)) == len(capture.frames), "a frame has been cloned twice"
    for flow, (data, came) in found.items():
        seed = 1 if flow[1] == PORT else 2
        assert hashlib.sha256(data).hexdigest() == digest(seed, BYTES), f"the clone of {flow}: {len(data)} bytes"
        assert came == BYTES or again > 0, f"{came} bytes of {flow} arrived: frames more than once"
    # a large frame comes by once, and not again for each of its pieces: the kernel copies what it cuts
    assert handled(scene.tap_in) - bytes_before < 4 * 2 * BYTES, handled(scene.tap_in) - bytes_before
    assert after["failed"] == 0 and after["passed_port"] > before["passed_port"], after
    print(f"{WAY} {address}: {2 * BYTES} bytes both ways in {len(capture.frames)} frames, the largest of {max(map(len, capture.frames))}; "
          f"{after['sliced'] - before['sliced']} were cut; TCP sent {again} again")
    return after["sliced"] - before["sliced"]


def others_cannot_hold_it():
    """Whoever is not root finds nothing to lock that keeps root out."""
    found = subprocess.run(["find", "/run/sentinel-tap", "-type", "f", "-name", f"net-{os.stat('/proc/self/ns/net').st_ino}"], capture_output=True, text=True, check=True).stdout.split()
    assert len(found) == 1, found
    for path in (*found, "/proc/self/ns/net"):
        held = livebox.here("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", 'exec 9<"$0" && flock 9 && echo held && exec cat', path,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert held.stdout.readline() == ("held\n" if path not in found else ""), path
        tap([], "filter", "--ports", str(PORT))
        held.stdin.close()
        held.wait()
        livebox.STARTED.remove(held)


def main():
    livebox.enter()
    scene = Scene()
    qdiscs = subprocess.run(["tc", "qdisc", "show"], capture_output=True, text=True, check=True).stdout
    tap(scene.tap_in, "attach", "--on", scene.tapped, "--ports", str(PORT))
    if WAY == "lo":
        others_cannot_hold_it()
    for address in scene.addresses:
        cut = check(scene, address, scene.call_in)
        assert (cut > 0) == (WAY in ("lo", "jumbo")), cut
    if WAY == "bridge":
        check(scene, scene.addresses[0], scene.holders[1])  # from port to port, past the host
        scene.add_port(4, "192.0.2.4")  # a container that starts later
        check(scene, scene.addresses[0], scene.holders[2])
        scene.node_again()
        check(scene, scene.addresses[0], scene.holders[1])
    tap(scene.tap_in, "filter", "--ports", str(PORT + 10))
    capture = Capture("sentinel1")
    transfer(scene.serve_in, scene.call_in, scene.addresses[0], PORT, 1 << 16)
    assert capture.end() == [], "the filter has changed"
    tap(scene.tap_in, "detach")
    assert "PROMISC" not in subprocess.run(["ip", "link", "show"], capture_output=True, text=True, check=True).stdout
    if WAY != "bridge":  # whose ports come and go
        assert subprocess.run(["tc", "qdisc", "show"], capture_output=True, text=True, check=True).stdout == qdiscs
    assert not os.path.exists("/proc/sys/net/ipv4/conf/sentinel0") and not status(scene.tap_in)["attached"]


main()
