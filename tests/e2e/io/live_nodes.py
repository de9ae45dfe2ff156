#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Two nodes beside one box, which sees them through a mirror: the figures of each are what its clients have sent; when one stops, its silence alone is told,
and its end; when the mirror shows one direction only, that is told of both.

usage: live_nodes.py DATAPLANE CONTROL SENTINELCTL BUNDLE. Needs root.
"""
import subprocess
import sys
import tempfile
import threading
import time

import livebox
from livebox import THERE
from submit import server, transaction

PROGRAMS, BUNDLE = sys.argv[1:4], sys.argv[4]
PORTS = {"node-a": 8545, "node-b": 8645}
HASH = "0x" + "11" * 32
SERVER = server(f'"result":"{HASH}"')


class Client:
    """Submits to one node over one connection, and counts what it sends and gets."""

    def __init__(self, port, first):
        self.s = livebox.socket.create_connection((THERE, port))
        self.r, self.nonce, self.first, self.sent, self.got = self.s.makefile("rb"), first, first, 0, 0

    def submit(self):
        body = b'{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["0x%s"]}' % transaction(self.nonce).hex().encode()
        post = b"POST / HTTP/1.1\r\nHost: node\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        self.s.sendall(post)
        n = 0
        while (line := self.r.readline()) != b"\r\n":
            self.got += len(line)
            if line.lower().startswith(b"content-length:"):
                n = int(line.split(b":")[1])
        self.got += 2 + len(self.r.read(n))
        self.sent += len(post)
        self.nonce += 1

    def number(self):
        return self.nonce - self.first


class Talk(threading.Thread):
    """Submits ten a second until it is over."""

    def __init__(self, client):
        super().__init__(daemon=True)
        self.client, self.over = client, False
        self.start()

    def run(self):
        while not self.over:
            self.client.submit()
            time.sleep(0.1)

    def stop(self):
        self.over = True
        self.join()


def node_of(status, name):
    return next(n for n in status["nodes"] if n["name"] == name)


def feed_of(status, name, feed="http"):
    return next((f for f in node_of(status, name)["feeds"] if f["feed"] == feed), None)


def figures_are_equal(box, clients):
    def same():
        status = box.status()
        for name, c in clients.items():
            f = feed_of(status, name)
            if f is None or [int(f[k]) for k in ("crossed", "scanned", "hashes", "hashes_scanned", "bytes_to", "bytes_from", "connections")] != \
                    [c.number()] * 4 + [c.sent, c.got, 1]:
                return False
        return True

    box.wait_for("figures of both nodes", same, 20, lambda: f"{[(n, c.number(), c.sent, c.got) for n, c in clients.items()]} {(box.status() or {}).get('nodes')}")
    status = box.status()
    counters = box.counters()
    feeds = [f for n in status["nodes"] for f in n["feeds"]]
    for key, counter in (("crossed", "tx_crossed"), ("scanned", "tx_scanned"), ("duplicate", "tx_duplicate"), ("hashes", "node_hashes")):
        assert sum(int(f[key]) for f in feeds) == counters[counter], (key, feeds)
    assert sum(int(f["bytes_to"]) + int(f["bytes_from"]) for f in feeds) == counters["st_advanced"] - counters["st_gap"], feeds
    assert all(int(f["gap_to"]) + int(f["gap_from"]) == 0 for f in feeds), feeds


def notices(box):
    return [e["data"] for e in box.ask("alerts", "--since", "start") if e["type"] == "sentinel.silence.v1"]


def main():
    livebox.enter()
    with tempfile.TemporaryDirectory() as folder:
        other = livebox.Mirrored()
        other.popen(sys.executable, "-c", SERVER, *map(str, PORTS.values()))
        livebox.wait_for("the nodes", lambda: all(livebox.listens(THERE, p) for p in PORTS.values()))
        nodes = ", ".join(f"{name}: {{addresses: ['{THERE}:{port}'], silence_s: 6}}" for name, port in PORTS.items())
        box = livebox.Box(folder, PROGRAMS, BUNDLE, profile=f"nodes: {{{nodes}}}\n", port=f"'net_af_packet0,iface={other.MIRROR},framecnt=8192'")
        clients = {name: Client(port, 1000000 * (i + 1)) for i, (name, port) in enumerate(PORTS.items())}
        talks = {name: Talk(c) for name, c in clients.items()}
        time.sleep(1)
        talks["node-b"].stop()
        box.wait_for("the silence of node-b", lambda: notices(box), 30)
        status = box.status()
        assert node_of(status, "node-b")["state"] == "silent" and node_of(status, "node-a")["state"] == "ok", status["nodes"]
        screen = subprocess.run([PROGRAMS[2], "status", "--socket", box.path("socket")], capture_output=True, text=True, check=True).stdout
        assert "node node-b" in screen and "SILENT for" in screen, screen
        talks["node-b"] = Talk(clients["node-b"])
        box.wait_for("the end of it", lambda: len(notices(box)) == 2, 20)
        began, ended = notices(box)
        assert {k: began[k] for k in ("node", "feed", "state", "missing", "usual_ms")} == \
            {"node": "node-b", "feed": None, "state": "began", "missing": "both", "usual_ms": "6000"}, began
        assert ended["state"] == "ended" and ended["node"] == "node-b" and ended["since_ns"] == began["since_ns"] and int(ended["lasted_ms"]) >= 6000, ended
        for t in talks.values():
            t.stop()
        figures_are_equal(box, clients)
        # what the nodes send does not come to the mirror any more
        talks = {name: Talk(c) for name, c in clients.items()}
        for port in ("port0", "port2"):
            livebox.run("ip", "link", "set", "dev", port, "type", "bridge_slave", "isolated", "on")
        box.wait_for("one direction of both nodes", lambda: len(notices(box)) == 4, 40, lambda: notices(box))
        status = box.status()
        assert all(node_of(status, name)["missing"] == "from_node" for name in PORTS), status["nodes"]
        for port in ("port0", "port2"):
            livebox.run("ip", "link", "set", "dev", port, "type", "bridge_slave", "isolated", "off")
        box.wait_for("both directions again", lambda: len(notices(box)) == 6, 20, lambda: notices(box))
        for t in talks.values():
            t.stop()
        one_way = notices(box)[2:]
        assert [n["missing"] for n in one_way] == ["from_node"] * 4 and [n["state"] for n in one_way] == ["began"] * 2 + ["ended"] * 2, one_way
        assert {n["node"] for n in one_way[:2]} == {n["node"] for n in one_way[2:]} == set(PORTS), one_way
        shown = subprocess.run([PROGRAMS[2], "alerts", "--since", "start", "--socket", box.path("socket")], capture_output=True, text=True, check=True).stdout
        assert "SILENT  node node-b: nothing comes" in shown and "HEARD   node node-b: there again" in shown and "one direction only" in shown, shown[-2000:]
        box.wait_for("residuals of 0", lambda: not box.residuals())
        box.stop()
        print(f"{sum(c.number() for c in clients.values())} transactions of two nodes; silence told after {int(began['usual_ms']) / 1000} s, "
              f"over after {int(ended['lasted_ms']) / 1000} s; one direction of {len(one_way) // 2} nodes")


main()
