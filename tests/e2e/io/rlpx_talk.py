# SPDX-License-Identifier: BSD-3-Clause
"""The talk of two peers of rlpx_peers.mjs: so many sessions whose secrets are told, and one more whose secrets are not; each side of each sends so many
transactions."""
SESSIONS, EACH_SIDE = 4, 125
SCANNED = SESSIONS * 2 * EACH_SIDE
assert SCANNED == 1000


def end(box, server, client):
    """Waits until all is said and read, and ends both peers. The hashes of what was sent, and of what the client sent in the session that is opaque."""
    box.wait_for("the end of the talk", lambda: client.said("opaque"))
    opaque = set(client.said("opaque"))
    listed = lambda: [line["sent"] for line in client.sent() + server.sent()]
    box.wait_for("what the peers send", lambda: len(listed()) == (SESSIONS + 1) * 2 * EACH_SIDE)
    box.wait_for("the transactions", lambda: box.counters()["tx_crossed"] >= SCANNED)
    client.tell("end")
    box.wait_for("the end", lambda: client.said("opaqueBytes"))
    client.end()
    server.end()
    return set(listed()), opaque
