#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A live box whose RLPx secrets are brought by sentinel-keys. Every transaction is an alert (every.yaml), so what was read is known by hash.

usage: live_keys.py WHAT DATAPLANE CONTROL SENTINELCTL BUNDLE SENTINEL_KEYS TARGET_FOLDER, under with_npm.sh
  probe     four sessions of two @ethereumjs/devp2p peers; their secrets pass through a stripped node's stand-in that is probed, and go nowhere else:
            each of their 1000 transactions is alerted exactly once, and none of a fifth session whose secrets pass nowhere
  restarts  a session whose secrets are in a key log goes on while the dataplane, sentinel-keys, and both are killed and started again
Needs root.
"""
import os
import sys
import tempfile
import threading

import livebox
import rlpx_talk
from keys_stand import Node, build
from livebox import THERE
from rlpx_talk import SCANNED, SESSIONS

WHAT = sys.argv[1]
PROGRAMS, BUNDLE, KEYS, TARGET = sys.argv[2:5], sys.argv[5], sys.argv[6], sys.argv[7]
NODE_FOLDER = os.environ["NODE_FOLDER"]
ROUND = 60


def start(folder, script, log, *more):
    other = livebox.Other()
    server = livebox.Peer(other.popen, NODE_FOLDER, script, "server", THERE)
    livebox.wait_for("the other peer", lambda: server.said("listening"))
    box = livebox.Box(folder, PROGRAMS, BUNDLE)
    return box, server, lambda: livebox.Peer(livebox.here, NODE_FOLDER, script, "client", THERE, log, *more)


def keys(box, *argv):
    """sentinel-keys, once it is attached."""
    before = box.said().count("attached to the dataplane")
    process = box.start(KEYS, "--channel", box.path("channel"), *argv)
    box.wait_for("sentinel-keys", lambda: box.said().count("attached to the dataplane") > before)
    return process


def through(fifo, node):
    """Hands the secrets of each line of a key log to the node, and nothing else of it."""
    with open(os.open(fifo, os.O_RDWR), "r", encoding="ascii") as lines:  # there is a writer always
        for line in lines:
            _, aes, mac, *_ = line.split()
            node.session(aes, mac)


def probe(folder):
    fifo = os.path.join(folder, "secrets")
    os.mkfifo(fifo, 0o600)
    exe = build(folder, TARGET)
    node = Node(exe, lambda argv, **more: livebox.here(*argv, **more))
    threading.Thread(target=through, args=(fifo, node), daemon=True).start()
    box, server, client = start(folder, "rlpx_peers.mjs", fifo, "patient")
    keys(box, "--geth", exe)
    box.wait_for("the probe", lambda: "probed, row 1" in box.said())
    client = client()
    all_sent, opaque = rlpx_talk.end(box, server, client)
    box.wait_for("the alerts", lambda: len(box.hashes()) >= SCANNED)
    box.wait_for("residuals of 0", lambda: not box.residuals())
    found, c = box.hashes(), box.counters()
    assert not set(found) - all_sent, "alerts for what nobody sent"
    assert len(found) == SCANNED and set(found.values()) == {1} and not opaque & set(found), len(found)
    want = {"tx_crossed": SCANNED, "tx_scanned": SCANNED, "rlpx_connections": SESSIONS + 1, "rlpx_sessions": SESSIONS, "rlpx_hellos": 2 * SESSIONS, "rlpx_lost": 0,
            "st_skip_lost": 0, "st_gap": 0, "rlpx_mac_good": 0, "rlpx_mac_bad": 0, "rlpx_bad_message": 0}
    assert {name: c[name] for name in want} == want, c
    box.stop()
    said = box.said()
    assert f"{SESSIONS} sessions so far, {SESSIONS} handed over; 0 lost" in said, said
    print(f"{len(found)} of {SCANNED} transactions in {SESSIONS} sessions whose secrets a probe read in a stripped program")


def restarts(folder):
    log = os.path.join(folder, "keylog")
    os.close(os.open(log, os.O_CREAT | os.O_WRONLY, 0o600))
    box, server, client = start(folder, "rlpx_far.mjs", log, "1000000")
    process = keys(box, "--keylog", log)
    client = client()
    box.wait_for("1 MB", lambda: client.said("bytes"))
    client.tell("key")
    box.wait_for("the first round", lambda: client.said("done"))

    def all_read(times):
        box.wait_for(f"what was sent, round {times}", lambda: len(client.sent()) == ROUND * times and len(box.hashes()) >= ROUND * times,
                     why=lambda: f"{len(client.sent())} sent, {len(box.hashes())} alerted")
        found = box.hashes()
        assert set(found) == {line["sent"] for line in client.sent()} and set(found.values()) == {1}

    all_read(1)
    attached = lambda n: box.wait_for("sentinel-keys again", lambda: box.said().count("attached to the dataplane") == n)
    # the dataplane: it is told again what was told to the one before
    box.kill(box.dataplane)
    box.dataplane = box.start_dataplane()
    attached(2)
    box.wait_for("control", lambda: (box.status() or {}).get("dataplane", {}).get("attached"))
    client.tell("more")
    all_read(2)
    # sentinel-keys: the dataplane knows what it knew
    box.kill(process)
    client.tell("more")
    all_read(3)
    # both, and the dataplane first
    box.kill(box.dataplane)
    box.dataplane = box.start_dataplane()
    box.wait_for("control", lambda: (box.status() or {}).get("dataplane", {}).get("attached"))
    process = keys(box, "--keylog", log)
    client.tell("more")
    all_read(4)
    client.tell("end")
    client.end()
    server.end()
    box.wait_for("residuals of 0", lambda: not box.residuals())
    box.stop()
    print(f"{4 * ROUND} transactions of a session through restarts of the dataplane and of sentinel-keys")


def main():
    livebox.enter()
    with tempfile.TemporaryDirectory() as folder:
        {"probe": probe, "restarts": restarts}[WHAT](folder)


main()
