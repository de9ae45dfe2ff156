#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The interface of a live box is treated roughly. It keeps its MTU, for it may be the host's own; a link that goes down and comes back is told, and read again;
an interface that is taken away is told, in the log and in the status, and nothing spins or dies of it; Ctrl-C ends both processes with 0.

usage: rough.py WAY DATAPLANE CONTROL SENTINELCTL BUNDLE (xdp: under with_huge_pages.sh)
  WAY  packet (AF_PACKET on the host's interface) or xdp (AF_XDP on a mirror port)
Needs root.
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../io"))
import livebox  # noqa: E402
from livebox import PORT, THERE, run  # noqa: E402

WAY, PROGRAMS, BUNDLE = sys.argv[1], sys.argv[2:5], sys.argv[5]
MTU = 3000  # not the profile's
ODD_PORT = 9  # nobody listens there
LOOK_S = 2.0
SHARE = 0.9  # of a CPU, for two processes that have nothing to do, on a busy machine


def cpu_s(process):
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as f:
        user, system = f.read().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def main():
    livebox.enter()
    with tempfile.TemporaryDirectory() as folder:
        host, name = (livebox.Other(), PORT) if WAY == "packet" else (livebox.Mirrored(), livebox.Mirrored.MIRROR)
        run("ip", "link", "set", name, "mtu", str(MTU))
        box = livebox.Box(folder, PROGRAMS, BUNDLE, port=f"'net_af_packet0,iface={name}'" if WAY == "packet" else f"{{interface: {name}}}")
        port = lambda: box.status()["ports"][0]
        link = json.loads(subprocess.run(["ip", "-j", "link", "show", name], check=True, capture_output=True, text=True).stdout)[0]
        assert link["mtu"] == MTU, "the dataplane has changed the MTU of an interface of the host's"
        for downs in (1, 2):
            run("ip", "link", "set", name, "down")
            box.wait_for("the link to be down", lambda: port()["link"] == "down" and port()["link_downs"] == str(downs))
            before = box.counters()["frames"]
            run("ip", "link", "set", name, "up")
            box.wait_for("the link to be up", lambda: port()["link"] == "up")
            # a refused connection is traffic too
            box.wait_for("frames", lambda: livebox.listens(THERE, ODD_PORT) or box.counters()["frames"] >= before + 2)
        run("ip", "link", "del", name)
        box.wait_for("the end of the interface to be told", lambda: port()["link"] == "gone" and port()["warnings"] == ["gone"])
        box.wait_for("the same in the log", lambda: f"{name}: the interface is GONE" in box.said())
        used = [cpu_s(p) for p in box.started]
        time.sleep(LOOK_S)
        shares = [(cpu_s(p) - u) / LOOK_S for p, u in zip(box.started, used)]
        assert max(shares) < SHARE, f"shares of a CPU: {shares}"
        assert not box.residuals(), box.residuals()
        for p in box.started:
            p.send_signal(signal.SIGINT)
            assert p.wait(livebox.PATIENCE_S) == 0, box.said()
        assert host.holder.poll() is None
        print(f"{WAY}: MTU kept, {downs} times down and up, then gone; idle at {', '.join(f'{s:.2f}' for s in shares)} of a CPU")


main()
