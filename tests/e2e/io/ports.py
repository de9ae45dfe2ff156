#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Ports of the kernel, live on a veth pair with two queues, whose sender spreads by a hash of its own that takes the directions of a connection apart.

usage: ports.py xdp|packet|pcap DATAPLANE CONTROL SENTINELCTL BUNDLE CAPTURE CHANNELS
  CHANNELS  the library that makes a veth's queues look like a NIC's
  xdp     two AF_XDP queues, two workers (huge pages: run under with_huge_pages.sh); before that, without what makes a veth's queues look like a NIC's, the
          box says why it refuses them
  packet  AF_PACKET, two workers
  pcap    net_pcap, whose frames carry timestamps, and one worker; libpcap gives a frame out only when more have come
What a replay of the capture finds must be found, by whichever worker (not by net_pcap, whose buffer is small); frames that come while nobody reads are counted, each of them; a link that goes and comes
is noticed, an interface that is no more is survived; it is promiscuous only while the box runs. Needs root.
"""
import ctypes
import json
import mmap
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

import livebox
from livebox import run

MODE, PROGRAMS, BUNDLE, CAPTURE, CHANNELS = sys.argv[1], sys.argv[2:5], sys.argv[5], sys.argv[6], sys.argv[7]
PORTS = {"xdp": "{interface: in0, checksum: trust}", "packet": "{device: 'net_af_packet0,iface=in0', checksum: trust}", "pcap": "'net_pcap0,rx_iface=in0'"}
DRIVER = {"xdp": "net_af_xdp", "packet": "net_af_packet", "pcap": "net_pcap"}
WORKERS = 1 if MODE == "pcap" else 2
FLOOD = 20000


def frames(path):
    """The frames of a classic little-endian pcap file."""
    with open(path, "rb") as f:
        data = f.read()
    at = 24
    while at < len(data):
        n = int.from_bytes(data[at + 8:at + 12], "little")
        yield data[at + 16:at + 16 + n]
        at += 16 + n


def wire():
    """A sender of frames on out0, as fast as it can, or slower than anyone reads."""
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind(("out0", 0))

    def send(list_of, slowly):
        for i, frame in enumerate(list_of):
            while True:
                try:
                    s.send(frame)
                    break
                except OSError:
                    time.sleep(0.001)
            if slowly and i % 16 == 15:
                time.sleep(0.002)
    return send


def port(box):
    return box.status()["ports"][0]


def whole(box, sent):
    """All that was sent is somewhere."""
    box.wait_for("the port's account", lambda: int(port(box)["wire"]) == sent, 10, lambda: f"{port(box)}, sent {sent}")
    box.wait_for("rest", lambda: not box.residuals(), 10, lambda: f"{box.residuals()}")


def filler(n):
    frame = max(frames(CAPTURE), key=len)
    return [frame[:6] + i.to_bytes(6, "big") + b"\x88\xb5" + frame[14:600] for i in range(n)]  # an EtherType for experiments


def reading(box, send):
    """The capture, slowly: nothing is missed, and every alert of a replay comes."""
    sample = list(frames(CAPTURE))
    send(sample, True)
    end = time.monotonic() + livebox.PATIENCE_S
    while MODE == "pcap" and box.counters().get("frames", 0) < len(sample) and time.monotonic() < end:
        send(filler(2000), False)
    box.wait_for("the frames", lambda: box.counters().get("frames", 0) >= len(sample))
    replay = subprocess.run([PROGRAMS[0], "--offline", "replay", CAPTURE, "--bundle", BUNDLE], check=True, capture_output=True, text=True).stdout
    lines = [json.loads(line) for line in replay.splitlines()]
    key = lambda e: (e["data"]["transaction"]["hash"], e["data"]["rule"]["id"])
    expected = {key(line["alert"]) for line in lines if line["event"] == "alert"}
    if MODE != "pcap":
        box.wait_for("the alerts", lambda: {key(e) for e in box.alerts()} == expected)
        whole(box, len(sample))
    box.wait_for("rest", lambda: not box.residuals(), 10, lambda: f"{box.residuals()}")
    counters = box.counters()
    # both directions of each connection met
    for name in ("tx_crossed", "http_requests", "http_responses", "answers") if MODE != "pcap" else ():
        assert counters[name] == int(lines[-1]["counters"][name]), (name, counters[name], lines[-1]["counters"][name])
    p = port(box)
    assert (p["missed"] == "0" or MODE == "pcap") and p["link"] == "up" and p["driver"] == DRIVER[MODE], p
    assert (p["queues"], p["spread"]) == {"xdp": ("2", "worker"), "packet": ("1", "worker"), "pcap": ("1", "one")}[MODE], p
    return len(sample)


def stalled(box, send, sent):
    """Nobody reads for a while: what the rings could not hold is counted by the port."""
    at_rest = box.counters()["frames"]
    box.dataplane.send_signal(signal.SIGSTOP)
    send(filler(FLOOD), False)
    box.dataplane.send_signal(signal.SIGCONT)
    whole(box, sent + FLOOD)
    p, now = port(box), box.counters()["frames"]
    assert int(p["delivered"]) == now and now - at_rest + int(p["missed"]) == FLOOD and int(p["missed"]) > 0, (p, now, at_rest)
    return int(p["missed"])


def promiscuity():
    said = subprocess.run(["ip", "-d", "-j", "link", "show", "in0"], capture_output=True, text=True, check=True).stdout
    return json.loads(said)[0]["promiscuity"]


def ends(box):
    """However a box ends, its interface is as promiscuous as it was."""
    more = 1 if MODE == "pcap" else promiscuity()  # what else the driver asks for
    assert more >= 1, more
    box.kill(box.dataplane)
    assert promiscuity() == 0
    run("ip", "link", "set", "in0", "promisc", "on")
    for own in (1, 0):
        box.dataplane = box.start_dataplane()
        box.wait_for("the new dataplane", lambda: (d := (box.status() or {}).get("dataplane", {})).get("attached") and d["pid"] == str(box.dataplane.pid))
        assert promiscuity() == own + more
        if own:
            box.dataplane.send_signal(signal.SIGTERM)
            assert box.dataplane.wait(livebox.PATIENCE_S) == 0
            box.started.remove(box.dataplane)
            assert promiscuity() == 1
            run("ip", "link", "set", "in0", "promisc", "off")


def links(box):
    for state, says in (("down", "down"), ("up", "up")):
        run("ip", "link", "set", "out0", state)
        box.wait_for(f"the link {state}", lambda: port(box)["link"] == says, 10)
    assert port(box)["link_downs"] == "1" and "in0: LINK DOWN" in box.said() and "in0: link up" in box.said(), box.said()
    run("ip", "link", "del", "in0")
    box.wait_for("the interface gone", lambda: port(box)["link"] == "gone", 10)
    assert "gone" in port(box)["warnings"] and "in0: the interface is GONE" in box.said(), box.said()
    # another one of that name shows the box nothing
    run("ip", "link", "add", "in0", "type", "veth", "peer", "name", "out0")
    for interface in ("in0", "out0"):
        run("ip", "link", "set", interface, "up")
    time.sleep(2.5)  # it looks every second
    assert port(box)["link"] == "gone" and box.said().count("in0: link up") == 1, (port(box), box.said())
    assert all(int(core["heartbeat_age_ms"]) < 2000 for core in box.status()["lcores"] if core["heartbeat_age_ms"]), box.status()["lcores"]


class Holder:
    """An AF_XDP socket of somebody else's on a queue (linux/if_xdp.h)."""

    def __init__(self, interface, queue):
        self.where = struct.pack("=HHIII", 44, 2, socket.if_nametoindex(interface), queue, 0)  # AF_XDP, XDP_COPY

    def __enter__(self):
        self.socket = socket.socket(44, socket.SOCK_RAW)
        self.memory = mmap.mmap(-1, 64 * 4096)
        address = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        for option, value in ((4, struct.pack("=QQII", address, 64 * 4096, 4096, 0)), (5, struct.pack("=I", 64)), (6, struct.pack("=I", 64)), (2, struct.pack("=I", 64))):
            self.socket.setsockopt(283, option, value)  # memory, fill ring, completion ring, receive ring
        assert ctypes.CDLL(None, use_errno=True).bind(self.socket.fileno(), self.where, len(self.where)) == 0, os.strerror(ctypes.get_errno())

    def __exit__(self, *_):
        self.socket.close()


def refused(folder, says):
    """What a dataplane says that does not start."""
    with open(os.path.join(folder, "box.yaml"), "w", encoding="ascii") as f:
        f.write(f"ports: [{PORTS[MODE]}]\nhuge_pages: true\n")
    p = subprocess.run([PROGRAMS[0], "--profile", f.name, "--bundle", BUNDLE, "--channel", os.path.join(folder, "channel")], capture_output=True, text=True,
                       check=False)
    assert p.returncode == 1 and says in p.stderr, (p.returncode, p.stderr)


def main():
    livebox.enter()
    queues = ("numrxqueues", "2", "numtxqueues", "2")
    run("ip", "link", "add", "in0", *queues, "type", "veth", "peer", "name", "out0", *queues)
    for interface in ("in0", "out0"):
        run("ip", "link", "set", interface, "up", "mtu", "1500")
    send = wire()
    if MODE == "xdp":
        with tempfile.TemporaryDirectory() as folder:
            refused(folder, "the interface has 2 receive queues, which its driver counts apart from those to send, and DPDK's AF_XDP would read the first alone: "
                            "ethtool -L in0 rx 1 tx 1")
        os.environ["LD_PRELOAD"] = CHANNELS
        with tempfile.TemporaryDirectory() as folder, Holder("in0", 0):
            refused(folder, "port in0: queue 0 cannot be opened for AF_XDP: is another program on it")
    with tempfile.TemporaryDirectory() as folder:
        box = livebox.Box(folder, PROGRAMS, BUNDLE, workers=WORKERS, port=PORTS[MODE])
        sent = reading(box, send)
        counters = box.counters()
        if MODE == "pcap":
            assert counters["frames_hw_time"] > 0 and counters["frames_hw_time"] + counters["frames_hw_time_bad"] == counters["frames"], counters
        assert port(box)["timestamps"] == (MODE == "pcap"), port(box)
        missed = stalled(box, send, sent) if MODE != "pcap" else 0
        ends(box)
        links(box)
        box.stop()
    dropped = f"of {FLOOD} sent to a box that stood still {missed} counted as missed; " if MODE != "pcap" else ""
    print(f"{MODE}: {sent} frames read, timestamps of {counters['frames_hw_time']}; {dropped}"
          "residuals 0; link down, up and gone noticed")


main()
