#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A live box on a veth pair in a network namespace of its own (which ends with this program): dataplane on an ethdev port, control, and a capture sent over the wire.

usage: live.py PORT DATAPLANE CONTROL SENTINELCTL BUNDLE CAPTURE [WORKERS]
  PORT  af_packet or af_xdp (huge pages: run under with_huge_pages.sh)
What a replay of the same file finds (which the captures' own tests check) must be found, every alert be journaled, every residual be 0. Needs root.
"""
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

PORT, DATAPLANE, CONTROL, CTL, BUNDLE, CAPTURE = (sys.argv[1:7] + [None] * 6)[:6]
WORKERS = int(sys.argv[7]) if len(sys.argv) > 7 else 1
PATIENCE_S = 60
DEVICES = {"af_packet": "net_af_packet0,iface=in0", "af_xdp": "net_af_xdp0,iface=in0,busy_budget=0"}


def run(*argv):
    subprocess.run(argv, check=True)


def frames(path):
    """The frames of a classic little-endian pcap file."""
    data = open(path, "rb").read()
    at = 24
    while at < len(data):
        n = struct.unpack_from("<I", data, at + 8)[0]
        yield data[at + 16:at + 16 + n]
        at += 16 + n


def send(path):
    """Every frame once, slower than anyone reads."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
        s.bind(("out0", 0))
        for i, frame in enumerate(frames(path)):
            s.send(frame)
            if i % 16 == 15:
                time.sleep(0.002)


def wait_for(what, condition, log):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"waited in vain for {what}\n{open(log, errors='replace').read()}")
        time.sleep(0.05)


def live(folder):
    path = lambda name: os.path.join(folder, name)
    cpus = os.cpu_count()
    with open(path("box.yaml"), "w") as f:
        f.write(f"ports: ['{DEVICES[PORT]}']\nidle: sleep\nhuge_pages: {'true' if PORT == 'af_xdp' else 'false'}\nmemory_mb: 128\n"
                f"cores: {{main: 0, correlator: 0, workers: [{', '.join(str(i % cpus) for i in range(1, WORKERS + 1))}]}}\n")
    log = open(path("log"), "wb")
    control = subprocess.Popen([CONTROL, "--channel", path("channel"), "--socket", path("socket"), "--journal", path("journal")], stderr=log)
    dataplane = subprocess.Popen([DATAPLANE, "--profile", path("box.yaml"), "--bundle", BUNDLE, "--channel", path("channel")],
                                 stdout=log, stderr=log)

    def status():
        out = subprocess.run([CTL, "status", "--json", "--socket", path("socket")], capture_output=True, text=True)
        return json.loads(out.stdout) if out.returncode == 0 else None

    def counter(name):
        return int((status() or {}).get("counters", {}).get(name, -1))

    try:
        wait_for("the box", lambda: (status() or {}).get("dataplane", {}).get("attached"), path("log"))
        send(CAPTURE)
        want = sum(1 for _ in frames(CAPTURE))
        wait_for(f"{want} frames", lambda: counter("frames") >= want, path("log"))
        alerts = lambda: [json.loads(line) for line in subprocess.run(
            [CTL, "alerts", "--json", "--since", "start", "--socket", path("socket")], capture_output=True, text=True).stdout.splitlines()]
        offline = [json.loads(line) for line in subprocess.run(
            [DATAPLANE, "--offline", "replay", CAPTURE, "--bundle", BUNDLE], check=True, capture_output=True, text=True).stdout.splitlines()]
        key = lambda e: (e["data"]["transaction"]["hash"], e["data"]["rule"]["id"])
        expected = {key(line["alert"]) for line in offline if line["event"] == "alert"}
        wait_for("the alerts", lambda: {key(e) for e in alerts() if e["type"] == "sentinel.alert.v1"} == expected, path("log"))
        wait_for("residuals of 0", lambda: {i["residual"] for i in status()["identities"].values()} == {"0"}, path("log"))
        final = status()
        assert int(final["counters"]["frames"]) == want, final["counters"]["frames"]
        replayed = offline[-1]["counters"]
        # a transaction that comes again on another worker is scanned there too
        for name in ("tx_crossed", "http_requests") + (("tx_scanned",) if WORKERS == 1 else ()):
            assert final["counters"][name] == replayed[name], (name, final["counters"][name], replayed[name])
        for p in (dataplane, control):
            p.send_signal(signal.SIGTERM)
            assert p.wait(PATIENCE_S) == 0, open(path("log"), errors="replace").read()
        print(f"{PORT}, {WORKERS} workers: {want} frames, {replayed['tx_scanned']} transactions, {len(expected)} alerts, residuals 0")
    finally:
        for p in (dataplane, control):
            if p.poll() is None:
                p.kill()
            p.wait()
        log.close()


def main():
    if os.geteuid() != 0:
        print("not root: network namespaces are out of reach")
        sys.exit(77)
    if "SENTINEL_NETNS" not in os.environ:  # not `ip netns`, which wants a mount namespace too
        os.environ["SENTINEL_NETNS"] = "1"
        os.execvp("unshare", ["unshare", "--net", sys.executable] + sys.argv)
    run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
    run("ip", "link", "add", "in0", "type", "veth", "peer", "name", "out0")
    run("ip", "link", "set", "in0", "up")
    run("ip", "link", "set", "out0", "up")
    with tempfile.TemporaryDirectory() as folder:
        live(folder)


main()
