#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""How long a live box takes from a transaction's last byte on the wire to an alert at a consumer's socket, durable, beside what an ethers WebSocketProvider that
listens to 'pending' and fetches each transaction takes in the same run. An ethers client submits to anvil over HTTP and WebSocket, open loop; a capture of its
own on the same interface says when the frame crossed that ended each transaction; all on one host, so on one clock.

usage: latency.py PORT DATAPLANE CONTROL SENTINELCTL BUNDLE STAMP, under with_npm.sh. Needs root.
  PORT    af_packet: on the interface itself; af_xdp: on a mirror of it (huge pages: under with_huge_pages.sh)
in the environment, for figures:
  COUNT=500 RATE=100  transactions, and how many a second
  REALTIME=1          control, the dataplane (which sleeps when idle, on cores that it shares here) and the consumer with real-time priority: on a busy machine
                      that takes the CPUs from whoever watches them
  REALTIME=control    control and the consumer alone. With a core of its own the dataplane needs no priority: CORES="{main: 1, correlator: 1, workers: [1]}", and
                      all under `taskset -c 0`, which the dataplane's threads leave
  IDLE=sleep          idle policy of the dataplane: spin for a box with cores to spare
  CORES=...           as in a profile, instead of the first two
  JOURNAL=DIR         where the journal is, instead of the temporary folder
  JSON=FILE           the figures, and each transaction: when it crossed, what the box took, what the listener
Asserted is only that everybody saw everything, once, and in order: figures are for a machine that has nothing else to do.
"""
import json
import os
import re
import struct
import subprocess
import sys
import tempfile

import livebox
from livebox import THERE
from sniff import Sniffer

PORT, BUNDLE, STAMP = sys.argv[1], sys.argv[5], sys.argv[6]
PROGRAMS = sys.argv[2:5]
NODE_FOLDER = os.environ["NODE_FOLDER"]
ANVIL = os.path.join(NODE_FOLDER, "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil")
COUNT, RATE = int(os.environ.get("COUNT", "500")), int(os.environ.get("RATE", "100"))
REALTIME = ["--realtime"] if os.environ.get("REALTIME", "0") != "0" else []
REALTIME_DATAPLANE = ["--realtime"] if os.environ.get("REALTIME") == "1" and os.environ.get("IDLE", "sleep") == "sleep" else []
TAIL = 64  # hex digits that end a signed transaction


class Box(livebox.Box):
    """The wire's own end, or a mirror of it."""

    def start_dataplane(self):
        device = f"net_af_packet0,iface={livebox.PORT},framecnt=32768" if PORT == "af_packet" else "net_af_xdp0,iface=mirror1,busy_budget=0"
        cores = os.environ.get("CORES", "{main: 0, correlator: 0, workers: [1]}")
        with open(self.path("box.yaml"), "w", encoding="ascii") as f:
            f.write(f"ports: ['{device}']\nidle: {os.environ.get('IDLE', 'sleep')}\nhuge_pages: {'true' if PORT == 'af_xdp' else 'false'}\nmemory_mb: 128\ncores: {cores}\n"
                    "flows: 16384\nseen: 262144\n")
        return self.start(self.dataplane_exe, "--profile", self.path("box.yaml"), "--bundle", self.bundle, "--channel", self.path("channel"), *REALTIME_DATAPLANE, *self.more)

    def start_control(self):
        journal = os.environ.get("JOURNAL", self.path("journal"))
        return self.start(self.control_exe, "--channel", self.path("channel"), "--socket", self.path("socket"), "--journal", journal, *self.more_control)


def mirror():
    """Both directions of the wire onto another pair, as a switch's mirror port has them."""
    livebox.run("ip", "link", "add", "mirror0", "type", "veth", "peer", "name", "mirror1")
    for end in ("mirror0", "mirror1"):
        livebox.plain_frames(end)
        livebox.run("sysctl", "-qw", f"net.ipv6.conf.{end}.disable_ipv6=1")
        livebox.run("ip", "link", "set", end, "up", "mtu", "1500")
    livebox.run("tc", "qdisc", "add", "dev", livebox.PORT, "clsact")
    for way in ("ingress", "egress"):
        livebox.run("tc", "filter", "add", "dev", livebox.PORT, way, "u32", "match", "u32", "0", "0", "action", "mirred", "egress", "mirror", "dev", "mirror0")


def unmask(frame):
    """The text of a short WebSocket message of a client, or of whatever it is."""
    if len(frame) < 8 or frame[0] != 0x81 or not frame[1] & 0x80:
        return frame
    n = frame[1] & 0x7f
    at = 2 if n < 126 else 4 if n == 126 else 10
    key = frame[at:at + 4]
    return bytes(b ^ key[i % 4] for i, b in enumerate(frame[at + 4:]))


def last_bytes(path, ends):
    """When the frame crossed that ended each transaction, in ns: {the digits that end it: ns}. Requests are in one frame, or their beginning is."""
    seen = {}
    data = open(path, "rb").read()
    at = 24
    before = {}
    while at < len(data):
        s, ns, n, _ = struct.unpack_from("<IIII", data, at)
        frame = data[at + 16:at + 16 + n]
        at += 16 + n
        if frame[12:14] != b"\x08\x00" or frame[23] != 6:
            continue
        tcp = 14 + 4 * (frame[14] & 15)
        total = 14 + struct.unpack_from(">H", frame, 16)[0]
        payload = frame[tcp + 4 * (frame[tcp + 12] >> 4):total]
        if struct.unpack_from(">H", frame, tcp + 2)[0] != 8545 or not payload:
            continue
        port = struct.unpack_from(">H", frame, tcp)[0]
        text = unmask(payload)
        whole = before.get(port, b"") + text
        before[port] = whole[-1000:]
        for end in re.findall(rb"[0-9a-f]{%d}(?=\")" % TAIL, whole):
            if end in ends and end not in seen:
                seen[end] = s * 10**9 + ns
    return seen


def quantiles(values):
    v = sorted(values)
    pick = lambda q: v[min(len(v) - 1, int(q * len(v)))]
    return {"p50": pick(.5), "p90": pick(.9), "p99": pick(.99), "p999": pick(.999), "max": v[-1]}


def submit(path, box):
    """Everything is sent, and seen by everybody; or this ends here."""
    consumer = livebox.here(STAMP, path("socket"), "stamp", path("stamps"), *REALTIME, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert consumer.stdout.readline() == b"ready\n"
    listener = livebox.Peer(livebox.here, NODE_FOLDER, "latency.mjs", "listen", THERE)
    box.wait_for("the listener", lambda: listener.said("ready"))
    held = lambda: max((line["held_now"] for line in list(listener.lines) if "held_now" in line), default=0)
    consumers = lambda: next((c for c in (box.status() or {}).get("consumers", []) if c["name"] == "stamp"), {"acked": "0"})
    with Sniffer(livebox.PORT, path("frames.pcap")):
        sender = livebox.Peer(livebox.here, NODE_FOLDER, "latency.mjs", "send", THERE, str(RATE), path("signed"))
        box.wait_for("the sender", lambda: sender.said("done"), 60 + COUNT / RATE * 2)
        refused = lambda: [line["refused"] for line in list(sender.lines) if line.get("refused")]
        box.wait_for("the listener's transactions", lambda: held() >= COUNT, why=lambda: f"{held()} of {COUNT}; refused: {refused()[:3]}")
        box.wait_for("the alerts", lambda: int(consumers()["acked"]) >= COUNT, why=lambda: f"{consumers()} {box.counters()}")
    sender.end()
    listener.end()
    consumer.stdin.close()
    assert consumer.wait(livebox.PATIENCE_S) == 0
    assert listener.said("missing") in (0, None)
    assert abs(listener.said("off_ms")) < 5, "the listener's clock has run away"
    return listener.said("held")


def compare(path, held):
    """{hash: ns} of who held what when, by way of the digits that end each."""
    decoded = subprocess.run([PROGRAMS[2], "tx", "decode"], stdin=open(path("signed"), "rb"), capture_output=True, check=True, text=True).stdout.splitlines()
    raws = [line.strip() for line in open(path("signed"), encoding="ascii")]
    end_of = {json.loads(line)["hash"]: raw[-TAIL:].encode() for line, raw in zip(decoded, raws)}
    assert len(end_of) == COUNT
    wire = last_bytes(path("frames.pcap"), set(end_of.values()))
    assert len(wire) == COUNT, f"the capture has {len(wire)} of {COUNT}"
    box, listener = {}, {}
    for line in open(path("stamps"), encoding="ascii"):
        tx, ns = line.split()
        box.setdefault(tx, int(ns))  # updates come later
    for tx, us in held:
        listener.setdefault(tx, us * 1000)
    assert box.keys() == end_of.keys(), f"the box told {len(box)} of {COUNT}, {len(box.keys() - end_of.keys())} that there are not"
    assert listener.keys() == end_of.keys(), f"the listener held {len(listener)} of {COUNT}"
    each = sorted((wire[end], box[tx] - wire[end], listener[tx] - wire[end]) for tx, end in end_of.items())
    assert min(ours for _, ours, _ in each) > 0 and min(theirs for *_, theirs in each) > 0
    return each


def stages(box):
    """The box's own figures: every stage has them all, in the order of the way, and none that cannot be."""
    rows = {}
    for row in box.ask("latency")[0]["latency"]:
        rows.setdefault(row["stage"], []).append(row)
    count = lambda stage: sum(int(r["count"]) for r in rows.get(stage, []) if r["feed"] in ("http", "websocket"))
    assert count("scanned") == COUNT, rows
    for stage in ("ring", "journaled", "delivered"):
        assert count(stage) >= COUNT, (stage, rows)
    assert count("acked") > 0
    assert all(int(r["odd"]) == 0 for stage in rows.values() for r in stage), rows
    for feed in ("http", "websocket"):
        last = 0
        for stage in ("ring", "journaled", "delivered"):
            p50 = next(int(r["p50_ns"]) for r in rows[stage] if r["feed"] == feed)
            assert p50 * 17 >= last * 16, (feed, rows)
            last = p50
    return subprocess.run([PROGRAMS[2], "latency", "--socket", box.path("socket")], capture_output=True, check=True, text=True).stdout


def main():
    livebox.enter()
    with tempfile.TemporaryDirectory() as folder:
        path = lambda name: os.path.join(folder, name)
        subprocess.run(["node", "latency.mjs", "sign", str(COUNT), path("signed")], cwd=NODE_FOLDER, check=True, stdout=subprocess.DEVNULL)
        other = livebox.Other()
        if PORT == "af_xdp":
            mirror()
        anvil = other.popen(ANVIL, "--host", "0.0.0.0", "--port", "8545", "--accounts", "60", "--block-time", "1", "--silent")
        livebox.wait_for("the node", lambda: livebox.listens(THERE, 8545))
        box = Box(folder, PROGRAMS, BUNDLE, control=REALTIME)
        held = submit(path, box)
        box.wait_for("residuals of 0", lambda: not box.residuals(), why=box.residuals)
        each = compare(path, held)
        ours, theirs = (quantiles([took[i] for took in each]) for i in (1, 2))
        print(stages(box))
        anvil.terminate()
        anvil.wait()
        box.stop()
        show = lambda q: "  ".join(f"{name} {ns / 1e6:.3f} ms" for name, ns in q.items())
        print(f"{PORT}: {COUNT} transactions at {RATE}/s, from the last byte on the wire\n  box, durable, at its consumer   {show(ours)}\n"
              f"  ethers 'pending' and fetched    {show(theirs)}\n  the listener takes {theirs['p50'] / ours['p50']:.1f} times as long at p50, {theirs['p99'] / ours['p99']:.1f} at p99")
        if "JSON" in os.environ:
            with open(os.environ["JSON"], "w", encoding="ascii") as f:
                json.dump({"port": PORT, "count": COUNT, "rate": RATE, "box_ns": ours, "listener_ns": theirs, "each_ns": each}, f)


main()
