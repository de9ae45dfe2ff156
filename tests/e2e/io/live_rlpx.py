#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""devp2p sessions that a live box reads with the secrets of a growing key log. Every transaction is an alert (every.yaml), so what was read is known by hash.

usage: live_rlpx.py WHAT DATAPLANE CONTROL SENTINELCTL BUNDLE, under with_npm.sh
  peers  four sessions of two @ethereumjs/devp2p peers, whose secrets are appended as they come up: each of their 1000 transactions is alerted exactly
         once, and none of a fifth session whose secrets are told to nobody
  late   the secrets come after 3 MB
  far    the secrets come after 80 MiB: searched on the main lcore, found within 2 s
Needs root.
"""
import os
import sys
import tempfile

import livebox
import rlpx_talk
from livebox import THERE
from rlpx_talk import EACH_SIDE, SCANNED, SESSIONS

WHAT = sys.argv[1]
PROGRAMS, BUNDLE = sys.argv[2:5], sys.argv[5]
NODE_FOLDER = os.environ["NODE_FOLDER"]
WINDOW = 65536  # of a direction that cannot be read yet
HEARTBEAT_MS = 1000  # a worker that is no longer polling
SYNC_MS = 2000


def start(folder, script, *more):
    """The other host's peer, the box with an empty key log, and then ours."""
    keys = os.path.join(folder, "keys")
    os.close(os.open(keys, os.O_CREAT | os.O_WRONLY, 0o600))
    other = livebox.Other()
    server = livebox.Peer(other.popen, NODE_FOLDER, script, "server", THERE, *more)
    livebox.wait_for("the other peer", lambda: server.said("listening"))
    box = livebox.Box(folder, PROGRAMS, BUNDLE, ["--rlpx-keys", keys])
    return box, server, livebox.Peer(livebox.here, NODE_FOLDER, script, "client", THERE, keys, *more)


def at_rest(box):
    box.wait_for("residuals of 0", lambda: not box.residuals())
    return box.counters()


def expect(counters, want):
    wrong = {name: (counters[name], value) for name, value in want.items() if counters[name] != value}
    assert not wrong, f"counters, as they are and as they should be: {wrong}"


def peers(box, server, client):
    all_sent, opaque = rlpx_talk.end(box, server, client)
    # the server's half of the session that is not read: what it sent and nobody can know
    box.wait_for("the flows' end", lambda: box.counters()["flows_closed"] == SESSIONS + 1)
    box.wait_for("the alerts", lambda: len(box.hashes()) >= SCANNED)
    found = box.hashes()
    missed = all_sent - set(found)
    assert not set(found) - all_sent, "alerts for what nobody sent"
    assert set(found.values()) == {1}, "a transaction that was alerted twice"
    assert len(found) == SCANNED and len(missed) == 2 * EACH_SIDE and opaque <= missed, (len(found), len(missed))
    c = at_rest(box)
    expect(c, {"tx_crossed": SCANNED, "tx_scanned": SCANNED, "rlpx_connections": SESSIONS + 1, "rlpx_sessions": SESSIONS, "rlpx_hellos": 2 * SESSIONS,
               "st_skip_rlpx": client.said("opaqueBytes"), "rlpx_mac_good": c["rlpx_messages"], "rlpx_bytes": c["st_parsed"],
               "st_skip_unsynced": 0, "st_skip_lost": 0, "st_skip_ended": 0, "st_gap": 0, "rlpx_mac_bad": 0, "rlpx_lost": 0, "rlpx_bad_header": 0,
               "rlpx_bad_message": 0, "rlpx_oversize": 0, "rlpx_no_buffer": 0, "eth_malformed": 0, "eth_over": 0})
    print(f"{len(found)} of {SCANNED} transactions in {SESSIONS} sessions, {c['rlpx_messages']} messages with good MACs, {c['st_skip_rlpx']} bytes unread of one session more")


def still(box, sent_bytes):
    """Waits until the box has read all that was sent: so much at least."""
    before = [None]
    def same():
        before.append(box.counters()["st_received"])
        return before[-1] == before[-2] and before[-1] >= sent_bytes
    box.wait_for("silence", same)


def suffix(box, client):
    """Of the transactions in the order in which they were sent, the first that was read; it and all behind it were."""
    sent = client.sent()
    found = box.hashes()
    read = [line["sent"] in found for line in sent]
    assert set(found.values()) == {1} and set(found) <= {line["sent"] for line in sent}
    assert True in read, "nothing was read"
    first = read.index(True)
    assert all(read[first:]), "a transaction behind the first that was read is missing"
    return first


def late(box, server, client):
    box.wait_for("3 MB", lambda: client.said("bytes"))
    still(box, client.said("bytes"))
    before = box.counters()
    assert before["tx_crossed"] == before["rlpx_sessions"] == before["st_gap"] == 0, before
    client.tell("key")
    box.wait_for("the key", lambda: client.said("keyAt"))
    box.wait_for("the session", lambda: box.counters()["rlpx_sessions"] == 1)
    box.wait_for("what the window holds, though nothing more comes", lambda: box.hashes())
    client.tell("more")
    box.wait_for("the end", lambda: client.said("done"))
    sent = client.sent()
    box.wait_for("the last transaction", lambda: sent[-1]["sent"] in box.hashes())
    first = suffix(box, client)
    held = next(i for i, line in enumerate(sent) if line["at"] >= client.said("keyAt") - WINDOW)
    assert first == held, f"read from transaction {first} on, the window has them from {held} on"
    client.tell("end")
    client.end()
    server.end()
    c = at_rest(box)
    expect(c, {"rlpx_sessions": 1, "tx_crossed": len(sent) - first, "tx_scanned": len(sent) - first, "rlpx_bad_header": 0, "rlpx_bad_message": 0,
               "rlpx_lost": 0, "eth_malformed": 0, "st_gap": 0})
    print(f"key after {client.said('keyAt')} bytes: all {len(sent) - first} transactions read from {client.said('keyAt') - sent[first]['at']} bytes before it on")


def far(box, server, client):
    box.wait_for("80 MiB", lambda: client.said("bytes"))
    still(box, client.said("bytes"))
    before = box.counters()
    assert before["tx_crossed"] == before["rlpx_sessions"] == before["rlpx_searches"] == before["st_gap"] == 0, before
    client.tell("key")
    oldest_ms = 0
    while not client.said("done"):
        oldest_ms = max([oldest_ms] + [int(lcore["heartbeat_age_ms"]) for lcore in box.status()["lcores"]])
        assert client.process.poll() is None
    assert oldest_ms < HEARTBEAT_MS, f"a heartbeat {oldest_ms} ms old"
    sent = client.sent()
    box.wait_for("the last transaction", lambda: sent[-1]["sent"] in box.hashes())
    first = suffix(box, client)
    found_ns = min(int(e["data"]["times"]["emitted_ns"]) for e in box.alerts())
    took_ms = found_ns / 1e6 - client.said("keyAtMs")
    assert first == 0 and took_ms < SYNC_MS, f"read from transaction {first} on, {took_ms} ms after the key"
    client.tell("end")
    client.end()
    server.end()
    c = at_rest(box)
    expect(c, {"rlpx_sessions": 1, "tx_scanned": len(sent), "rlpx_resyncs": 1, "rlpx_searched": 0, "rlpx_bad_header": 0, "rlpx_bad_message": 0, "rlpx_lost": 0,
               "eth_malformed": 0, "st_gap": 0})
    assert c["rlpx_searches"] > 0
    print(f"key after {client.said('bytes')} bytes: all {len(sent)} transactions behind it read, the first after {took_ms:.0f} ms; no heartbeat older than {oldest_ms} ms")


def main():
    livebox.enter()
    with tempfile.TemporaryDirectory() as folder:
        script, more, check = {"peers": ("rlpx_peers.mjs", (), peers), "late": ("rlpx_peers.mjs", ("late",), late),
                                "far": ("rlpx_far.mjs", (), far)}[WHAT]
        box, server, client = start(folder, script, *more)
        check(box, server, client)
        box.stop()


main()
