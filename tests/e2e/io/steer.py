#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A port that is shared: the node's frames (a capture, sent onto the wire from the other host) go to the box by AF_XDP with steer, while the two hosts transfer files
over the same interface. The transfer must arrive whole, and the box must get the node's frames and no other. This host's own connection to the node must work, as
control's does. Then another filter while all runs,
and a box that is killed must leave nothing behind.

usage: steer.py DATAPLANE CONTROL SENTINELCTL BUNDLE CAPTURE [BYTES]
With BYTES it also says how fast so much is transferred, with and without steer: nothing that a test could assert. Needs root, and huge pages
(with_huge_pages.sh).
"""
import hashlib
import signal
import struct
import subprocess
import sys
import tempfile

import livebox

PROGRAMS, BUNDLE, CAPTURE = sys.argv[1:4], sys.argv[4], sys.argv[5]
BYTES = int(sys.argv[6]) if len(sys.argv) > 6 else 8 << 20
NODE_PORT, BYSTANDER_PORT = 8545, 9
OWN, OWN_LATER = "192.0.2.11", "192.0.2.12"  # not one of the capture's

# Takes and sends BYTES at once; prints the digest of what came, and how long it took.
END = """
import hashlib, socket, sys, threading, time
role, address, port, n = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
if role == "serve":
    s.bind((address, port)); s.listen(1); print("ready", flush=True); s = s.accept()[0]
else:
    s.connect((address, port))
start = time.monotonic()
block = bytes(range(256)) * 1024
def send():
    left = n
    while left: left -= s.send(block[:min(left, len(block))])
t = threading.Thread(target=send); t.start()
got = 0; h = hashlib.sha256()
while got < n:
    b = s.recv(1 << 18)
    if not b: break
    h.update(b); got += len(b)
t.join()
print(got, h.hexdigest(), time.monotonic() - start, flush=True)
"""

# Sends frames that come on the standard input, each behind its length.
SENDER = """
import socket, struct, sys, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("there0", 0))
while head := sys.stdin.buffer.read(4):
    s.send(sys.stdin.buffer.read(struct.unpack("<I", head)[0]))
    time.sleep(0.0005)
"""


def frames(path):
    data = open(path, "rb").read()
    at = 24
    while at < len(data):
        n = struct.unpack_from("<I", data, at + 8)[0]
        yield data[at + 16:at + 16 + n]
        at += 16 + n


def start_transfer(other, n, address=OWN, port=BYSTANDER_PORT):
    """With the other host as the client, or as the server if the address is its own."""
    there = address == livebox.THERE
    end = lambda into, role: livebox.here(*into, sys.executable, "-c", END, role, address, str(port), str(n), stdout=subprocess.PIPE, text=True)
    server = end(other.into if there else [], "serve")
    assert server.stdout.readline() == "ready\n"
    return [server, end([] if there else other.into, "call")]


def end_transfer(ends, n):
    """Seconds. What each end says it took must be what the other sent."""
    block = bytes(range(256)) * 1024
    whole = hashlib.sha256(block * (n // len(block)) + block[:n % len(block)]).hexdigest()
    for end in ends:
        got, digest, seconds = end.stdout.readline().split()
        assert (got, digest) == (str(n), whole), f"the transfer is harmed: {got} bytes"
        assert end.wait(livebox.PATIENCE_S) == 0
    return float(seconds)


def mirror(other, capture):
    sender = livebox.here(*other.into, sys.executable, "-c", SENDER, stdin=subprocess.PIPE)
    for f in capture:
        sender.stdin.write(struct.pack("<I", len(f)) + f)
    sender.stdin.close()
    assert sender.wait(livebox.PATIENCE_S) == 0


class Box(livebox.Box):
    def port(self):
        return self.status()["ports"][0]

    def steer(self):
        return {k: int(v) for k, v in self.port()["steer"].items()}

    def apply(self, text, refused=None):
        """refused: what the refusal says."""
        with open(self.path("next.yaml"), "w", encoding="ascii") as f:
            f.write(text)
        done = subprocess.run([self.ctl, "profile", "apply", self.path("next.yaml"), "--json", "--socket", self.path("socket")], capture_output=True, text=True,
                              check=False)
        said = done.stdout + done.stderr
        assert done.returncode == 0 if refused is None else done.returncode == 1 and refused in said, said


def program_on(interface):
    return "xdp" in subprocess.run(["ip", "link", "show", interface], capture_output=True, text=True, check=True).stdout


def huge_pages_free():
    with open("/proc/meminfo", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("HugePages_Free"))


def check_filter(box, other, capture):
    n = len(capture)
    ends = start_transfer(other, BYTES)
    mirror(other, capture)
    seconds = end_transfer(ends, BYTES)
    box.wait_for(f"{n} frames", lambda: (s := box.steer())["taken"] >= n and s["passed_port"] > BYTES // 1500 and int(box.port()["delivered"]) >= n, why=lambda: str(box.port()))
    steer = box.steer()
    assert steer["taken"] == n and int(box.port()["delivered"]) == n, box.port()
    assert steer["passed_malformed"] + steer["passed_no_socket"] + steer["passed_torn"] + steer["taken_fragments"] + steer["taken_tunnels"] == 0, steer
    box.wait_for("residuals of 0", lambda: not box.residuals(), why=lambda: str(box.residuals()))
    assert box.counters()["frames"] == n and box.counters()["tx_scanned"] > 0, box.counters()
    return seconds


def check_own(box, other):
    """From this host to the node, by the address that it had at the start and by one that came later."""
    for address in (OWN, OWN_LATER):
        before = box.steer()
        if address == OWN_LATER:
            livebox.run("ip", "addr", "add", OWN_LATER + "/24", "dev", livebox.PORT)
            livebox.run("ip", "addr", "del", OWN + "/24", "dev", livebox.PORT)
            livebox.run("ip", "addr", "replace", OWN_LATER + "/24", "dev", livebox.PORT)
        end_transfer(start_transfer(other, 1 << 20, livebox.THERE, NODE_PORT), 1 << 20)
        box.wait_for("what the node sent to this host", lambda: box.steer()["passed_own"] >= before["passed_own"] + (1 << 20) // 1500, why=lambda: str(box.steer()))
    livebox.run("ip", "addr", "add", OWN + "/24", "dev", livebox.PORT)


def check_change(box, other, capture, profile):
    before = box.steer()
    # a veth puts tags aside, as most hardware does: this filter would take nothing any more
    box.apply(profile.replace("filter: {", "filter: {vlans: [100], "), refused="rxvlan off")
    box.apply(profile.replace(str(NODE_PORT), "1"))
    mirror(other, capture)
    box.wait_for("frames that pass", lambda: box.steer()["passed_port"] >= before["passed_port"] + len(capture), why=lambda: str(box.steer()))
    assert box.steer()["taken"] == before["taken"], (before, box.steer())
    box.apply(profile)
    mirror(other, capture)
    box.wait_for("frames again", lambda: box.steer()["taken"] >= before["taken"] + len(capture), why=lambda: str(box.steer()))
    box.wait_for("residuals of 0", lambda: not box.residuals(), why=lambda: str(box.residuals()))


def main():
    livebox.enter()
    other = livebox.Other(address=OWN)
    capture = list(frames(CAPTURE))
    pages = huge_pages_free()
    without = end_transfer(start_transfer(other, BYTES), BYTES)
    with tempfile.TemporaryDirectory() as folder:
        box = Box(folder, PROGRAMS, BUNDLE, port=f"{{device: 'net_af_xdp0,iface={livebox.PORT}', steer: true}}", profile=f"flows: 65536\nseen: 65536\nfilter: {{ports: [{NODE_PORT}]}}\n")
        assert program_on(livebox.PORT)
        steered = check_filter(box, other, capture)
        box.dataplane.send_signal(signal.SIGSTOP)  # what the program costs, without what the box takes of the CPUs
        alone = end_transfer(start_transfer(other, BYTES), BYTES)
        box.dataplane.send_signal(signal.SIGCONT)
        with open(box.path("box.yaml"), encoding="ascii") as f:
            profile = f.read()
        check_own(box, other)
        check_change(box, other, capture, profile)
        end_transfer(start_transfer(other, 1 << 20), 1 << 20)
        box.kill(box.dataplane)
        livebox.wait_for("the program's end", lambda: not program_on(livebox.PORT))
        end_transfer(start_transfer(other, 1 << 20), 1 << 20)
        # the kernel gives pages that a socket had pinned back a moment later
        livebox.wait_for("huge pages", lambda: huge_pages_free() >= pages)
        box.dataplane = box.start_dataplane()
        box.wait_for("the next box", lambda: program_on(livebox.PORT) and (box.status() or {}).get("dataplane", {}).get("attached"))
        box.stop()
        assert not program_on(livebox.PORT), "a box that has ended leaves its program behind"
    print(f"{len(capture)} frames of the node to the box, {2 * BYTES} bytes of others past it, whole; {2 * BYTES / without / 1e6:.0f} MB/s without steer, "
          f"{2 * BYTES / steered / 1e6:.0f} MB/s with it, {2 * BYTES / alone / 1e6:.0f} while the box stands still")


main()
