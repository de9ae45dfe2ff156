#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Real clients, a real node, a live box: ethers, viem and web3 submit to anvil over HTTP and WebSocket while devp2p peers gossip over RLPx. Every transaction
is an alert (every.yaml), so what was read is known by hash: all that were sent, and none that was not.

usage: mixed.py WAY COUNT DATAPLANE CONTROL SENTINELCTL BUNDLE KEYS [TAP], under with_npm.sh (xdp: under with_huge_pages.sh too)
  packet  the box on the clients' interface, by AF_PACKET
  xdp     the box on a mirror port, by AF_XDP with steer
  node    sentinel-tap (TAP) on the node's interface, in the node's own namespace, where the box is too
  lo      clients, node, tap and box on one loopback
  bridge  the node in a namespace behind a bridge, the tap on the bridge's port
KEYS is sentinel-keys, which brings the secrets of a growing key log. COUNT is the transactions in all, a fifth of them over RLPx. Needs root. By hand: 10000.
"""
import os
import shutil
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../io"))
import livebox  # noqa: E402
from livebox import THERE  # noqa: E402

WAY, COUNT = sys.argv[1], int(sys.argv[2])
PROGRAMS, BUNDLE = sys.argv[3:6], sys.argv[6]
KEYS, TAP = sys.argv[7], sys.argv[8] if len(sys.argv) > 8 else None
NODE_FOLDER = os.environ["NODE_FOLDER"]
ANVIL = os.path.join(NODE_FOLDER, "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil")
RPC, RLPX = 8545, 30303
SESSIONS = 4  # of rlpx_peers.mjs, besides the one that nobody can read
EACH_SIDE = COUNT // 5 // SESSIONS // 2
GOSSIP = SESSIONS * 2 * EACH_SIDE
SUBMISSIONS = COUNT - GOSSIP
ACCOUNTS = 60
LOOPBACK = "127.0.0.1"
CAPTURE = "sentinel0", "sentinel1"  # where the tap's clones go, where the box reads them
FRAMES = "framecnt=32768"
RUN_S = 600
# counters that are 0 where nothing is lost
LOSSES = "undec_", "st_drop_", "st_gap", "st_skip_lost", "node_missed", "tx_unscanned", "ring_lost", "rlpx_bad", "rlpx_mac_bad", "rlpx_lost"
assert EACH_SIDE >= 5


class Here:
    """No other host at all."""
    into = []
    popen = staticmethod(livebox.here)


def packet(interface, more=FRAMES):
    return f"'net_af_packet0,iface={interface},{more}'"


class Way:
    """Where the node is (other), its address, and the box's port."""

    def __init__(self):
        self.address, self.into, self.tapped, self.profile = THERE, [], None, ""
        if WAY == "packet":
            self.other, self.port = livebox.Other(), packet(livebox.PORT)
        elif WAY == "xdp":
            self.other, self.port = livebox.Mirrored(), f"{{interface: {livebox.Mirrored.MIRROR}, steer: true}}"
            self.profile = f"filter: {{addresses: [{THERE}], ports: [{RPC}, {RLPX}]}}\n"
        else:
            self.port = packet(CAPTURE[1])
            self.taps()

    def taps(self):
        if WAY == "node":
            self.other, self.tapped = livebox.Other(), "there0"
            self.into = self.other.into
        elif WAY == "lo":
            self.other, self.tapped, self.address = Here(), "lo", LOOPBACK
        elif WAY == "bridge":
            self.other, self.tapped = livebox.Bridged(), "port0"
        else:
            sys.exit(f"no such way: {WAY}")
        livebox.run(*self.into, TAP, "attach", "--on", self.tapped, "--to", CAPTURE[0], "--ports", f"{RPC},{RLPX}")

    def end(self):
        if self.tapped:
            livebox.run(*self.into, TAP, "detach")


class Scene:
    def __init__(self, way, folder):
        path = lambda name: os.path.join(folder, name)
        shutil.copy(os.path.join(HERE, "mixed.mjs"), NODE_FOLDER)
        os.close(os.open(path("keys"), os.O_CREAT | os.O_WRONLY, 0o600))
        popen = way.other.popen
        self.anvil = popen(ANVIL, "--host", way.address, "--port", str(RPC), "--accounts", str(ACCOUNTS), "--block-time", "1", "--gas-limit", "3000000000", "--silent")
        self.server = livebox.Peer(popen, NODE_FOLDER, "rlpx_peers.mjs", "server", way.address, str(EACH_SIDE))
        livebox.wait_for("the node", lambda: livebox.listens(way.address, RPC) and self.server.said("listening"))
        self.box = livebox.Box(folder, PROGRAMS, BUNDLE, keys=[KEYS, "--keylog", path("keys")], profile=way.profile, port=way.port, into=way.into)
        self.clients = livebox.Peer(livebox.here, NODE_FOLDER, "mixed.mjs", f"http://{way.address}:{RPC}", str(SUBMISSIONS))
        self.box.wait_for("the clients", lambda: self.clients.said("ready"), RUN_S)
        self.gossip = livebox.Peer(livebox.here, NODE_FOLDER, "rlpx_peers.mjs", "client", way.address, path("keys"), str(EACH_SIDE))

    def run(self):
        start = time.monotonic()
        self.clients.tell("go")
        self.box.wait_for("the clients' end", lambda: self.clients.said("done"), RUN_S, lambda: f"{len(self.clients.lines)} lines, the last of them {self.clients.lines[-1:]}")
        self.box.wait_for("the peers' end", lambda: self.gossip.said("opaque"), RUN_S)
        everything = lambda: [line["sent"] for line in self.gossip.sent() + self.server.sent()]
        self.box.wait_for("what the peers send", lambda: len(everything()) == GOSSIP + 2 * EACH_SIDE)
        self.took_s = time.monotonic() - start
        self.gossip.tell("end")
        self.gossip.end()
        self.server.end()
        self.unread = set(self.gossip.said("opaque")) | set(self.server.said("opaque"))
        self.refused = [line for line in self.clients.lines if "refused" in line]
        self.sent = set(everything()) - self.unread | {line["sent"] for line in self.clients.sent()} | {line["refused"] for line in self.refused}

    def end(self):
        self.clients.end()
        self.anvil.terminate()
        self.anvil.wait()
        self.box.stop()


def told(box):
    """What the box has counted."""
    return f"{ {name: n for name, n in box.counters().items() if n} } {box.status()['ports']}"


def check(scene):
    box, done = scene.box, scene.clients.said("done")
    assert len(scene.sent) == COUNT and len(scene.unread) == 2 * EACH_SIDE, (len(scene.sent), len(scene.unread))
    assert not scene.refused, scene.refused[:5]
    assert done["heard"] == SUBMISSIONS, f"the node told its subscriber of {done['heard']} transactions"
    box.wait_for(f"{COUNT} transactions", lambda: box.counters()["alerts"] >= COUNT, why=lambda: told(box))
    box.wait_for("residuals of 0", lambda: not box.residuals(), why=lambda: str(box.residuals()))
    box.wait_for("the alerts in the journal", lambda: scene.sent <= set(box.hashes()), why=lambda: told(box))
    found = box.hashes()
    missed, invented = scene.sent - set(found), set(found) - scene.sent
    assert not missed and not invented, f"{len(missed)} missed, {len(invented)} invented: {sorted(missed)[:5]} {sorted(invented)[:5]} {box.counters()}"
    assert set(found.values()) == {1}, "a transaction that was alerted twice"
    counted(box, done)


def counted(box, done):
    """The box's own figures say the same."""
    c = box.counters()
    lost = {name: n for name, n in c.items() if n and name.startswith(LOSSES)}
    assert lost == dict.fromkeys(("node_missed_unsigned", "tx_unscanned_unsigned"), done["unsigned"]), lost
    # what answers with a receipt returns no hash
    assert c["node_hashes"] == done["submitted"] - done["sync"] + done["unsigned"], (c["node_hashes"], done)
    assert c["rlpx_sessions"] == SESSIONS and c["rlpx_mac_good"] == c["rlpx_messages"], (c["rlpx_sessions"], c["rlpx_mac_good"], c["rlpx_messages"])
    def at_port():
        """What differs between the ports and the workers; a second may pass from the one figure to the other."""
        status = box.status()
        frames = status["counters"]["frames"]
        same = lambda p: p["missed"] == p["errors"] == p["no_mbuf"] == "0" and p["wire"] == frames and (not p["steer"] or p["steer"]["taken"] == frames)
        return [(port, frames) for port in status["ports"] if not same(port)]
    box.wait_for("as many frames at the port as at the workers", lambda: not at_port(), why=lambda: str(at_port()))


def main():
    livebox.enter()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        way = Way()
        scene = Scene(way, folder)
        scene.run()
        check(scene)
        scene.end()
        way.end()
        print(f"{WAY}: {COUNT} transactions of {len(scene.clients.said('done')['clients'])} clients and {2 * (SESSIONS + 1)} peers in {scene.took_s:.1f} s: 0 missed, 0 invented, residuals 0")


main()
