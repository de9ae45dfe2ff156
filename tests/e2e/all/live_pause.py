#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A flash-loan attack as it happens, and its baits, on a live box between an attacker and anvil: the deployment pages and arms the contract that the
receipt names; the call of it pages at once, with the link to the deployment and the time since, and pauses when its bytes are acknowledged, the node
has accepted it and the operator's node has been asked. What is unfunded, out of order, accepted by a liar alone, or touches nothing protected, never does.

usage: live_pause.py DATAPLANE CONTROL SENTINELCTL BUNDLE, under with_npm.sh. Needs root.
"""
import sys
import tempfile
import time

import livenet
from livenet import LIAR, NODE, PROFILE, VAULT, livebox

PROGRAMS, BUNDLE = sys.argv[1:4], sys.argv[4]
NOT_ASKED = {"nonce", "funds", "fee", "simulation"}


def go(amount):
    """Calldata that nobody knows, with the vault's address in it."""
    return f"0xc0ffee{amount:02x}" + "00" * 12 + VAULT[2:]


def paused(c, sent):
    return [e for e in c.of(hash=sent["hash"]) if e["data"]["grade"] == "pause"]


def attack(scene, c, key, code):
    """Deployment and call; what came of the call."""
    a = scene.attacker
    deploy = a.send(key, data=code, gas=8000000)
    assert "error" not in deploy, deploy
    first = c.wait("the deployment's alert", None, hash=deploy["hash"], class_="flash_deploy")
    assert first["data"]["grade"] == "page" and first["data"]["armed"] == deploy["created"], first
    assert first["data"]["rule"]["name"] in ("flash-loan-deployment-at-protected", "flash-loan-deployment"), first
    assert first["supersedes"] is None and first["data"]["incident"]["state"] == "open"
    scene.mine()
    receipt = a.order("ask", method="eth_getTransactionReceipt", params=[deploy["hash"]])["result"]
    assert receipt["status"] == "0x1" and receipt["contractAddress"] == first["data"]["armed"], receipt
    closed = c.wait("word that it is included", lambda d: d["incident"]["state"] == "included", dedupekey=first["dedupekey"])
    assert closed["supersedes"] is not None and closed["data"]["grade"] == "page" and not paused(c, deploy)

    call = a.send(key, to=deploy["created"], data=go(1))
    assert "error" not in call, call
    told = c.wait("the call's alert", None, hash=call["hash"], class_="armed_call")["data"]
    assert told["grade"] == "page" and told["rule"]["name"] == "armed-call-at-protected", told
    assert told["armed"] == deploy["created"] and {"role": "deploy", "hash": deploy["hash"]} in told["related"], told
    assert int(told["times"]["warning_ns"]) == int(told["times"]["wire_ns"]) - int(first["data"]["times"]["wire_ns"]) > 0, (told, first)
    assert {"armed_code", "calldata"} <= set(next(t["how"] for t in told["touches"] if t["address"] == VAULT)), told
    return deploy, call


def with_node(scene, folder, code):
    box = livebox.Box(folder, PROGRAMS, BUNDLE, profile=PROFILE, control=["--node", NODE, "--vet-ms", "1500"])
    c, a = livenet.Consumer(box), scene.attacker
    deploy, call = attack(scene, c, 0, code)
    pause = c.wait("the pause", lambda d: d["grade"] == "pause", hash=call["hash"])
    d = pause["data"]
    assert d["vet"]["node"] == "yes" and all(d["vet"][k] == "yes" for k in ("accepted", "nonce", "funds", "fee")), d["vet"]
    assert d["node"] == "accepted" and not set(d["lacks"]) & {"rule", "protected", "evidence", "acked", "accepted", "nonce", "funds", "fee"}, d
    events = c.of(hash=call["hash"], class_="armed_call")
    assert len({e["dedupekey"] for e in events}) == 1 and c.first(hash=call["hash"])["id"] in {e["supersedes"] for e in events}, events
    after_ms = (int(d["times"]["journaled_ns"]) - int(d["times"]["wire_ns"])) / 1e6
    scene.mine()
    c.wait("word that the attack is included", lambda d: d["incident"]["state"] == "included", hash=call["hash"], class_="armed_call")
    print(f"attack: paused {after_ms:.1f} ms after its bytes crossed; simulation {d['vet']['simulation']}, fact {d['vet']['fact']}", flush=True)

    armed, data = deploy["created"], go(2)
    # nobody that can pay: the node refuses it
    poor = a.send(100, to=armed, data=data)
    assert "error" in poor
    # accepted, as it seems, by a node that nobody knows
    lied, bluff = a.send(3, to=armed, data=data, url=LIAR), a.send(101, to=armed, data=data, url=LIAR)
    assert "error" not in lied and "error" not in bluff, (lied, bluff)
    # accepted by the node, to wait for what never comes
    gap = a.send(2, to=armed, data=data, gap=5)
    assert "error" not in gap, gap
    # and in between one that is none
    also = a.send(6, to=armed, data=data)
    assert "error" not in also, also
    for sent, fact in ((lied, "unknown_to_node"), (bluff, "unfunded"), (gap, "nonce_gap")):
        told = c.wait(f"the verdict {fact}", lambda d: d["vet"] and d["vet"]["node"] == "no", hash=sent["hash"])
        assert told["data"]["grade"] == "page" and told["data"]["vet"]["fact"] == fact, told

    c.wait("the pause for what came among baits", lambda d: d["grade"] == "pause" and d["vet"]["node"] == "yes", hash=also["hash"])

    # contracts that will never be, one shown by somebody who cannot pay, one in the pool for ever: whoever calls their addresses pays for a call of nothing
    shown, waits = a.send(102, data=code, gas=8000000), a.send(8, data=code, gas=8000000, gap=5)
    assert "error" in shown and "error" not in waits, (shown, waits)
    nothing = [a.send(7, to=d["created"], data=data) for d in (shown, waits)]
    for sent in nothing:
        told = c.wait("the verdict nothing_there", lambda d: d["vet"] and d["vet"]["node"] not in ("asked", "none"), hash=sent["hash"])
        assert told["data"]["grade"] == "page" and told["data"]["vet"]["fact"] == "nothing_there", told
    # and one that is called before it is mined
    born = a.send(9, data=code, gas=8000000)
    at_once = a.send(9, to=born["created"], data=data)
    c.wait("the pause for a contract that is about to be", lambda d: d["grade"] == "pause" and d["vet"]["node"] == "yes", hash=at_once["hash"])

    # an armed contract whose code holds nothing protected, called without the vault's address
    plain = a.send(4, data=livenet.code("Keccak-0.5 o1 ir0"))
    assert "error" not in plain, plain
    c.wait("the deployment's alert", None, hash=plain["hash"], class_="flash_deploy")
    scene.mine()
    touchless = a.send(4, to=plain["created"], data="0x3434e749")
    told = c.wait("the call's alert", lambda d: d["node"] == "accepted", hash=touchless["hash"], class_="armed_call")
    assert told["data"]["rule"]["name"] == "armed-call" and "protected" in told["data"]["lacks"], told
    time.sleep(1)  # longer than any grace
    for sent in (poor_hash(c, poor), lied, bluff, gap, *nothing, touchless, plain, deploy):
        assert not paused(c, sent), paused(c, sent)
    rest(box)


def poor_hash(c, poor):
    """The node's error names no hash; the box does."""
    found = [e["data"]["transaction"] for e in c.of(class_="armed_call") if e["data"]["transaction"]["from"] == poor["from"]]
    assert found, "the bait that its node refused was not told of"
    return found[0]


def without_node(scene, folder, code):
    scene.reconnect()
    box = livebox.Box(folder, PROGRAMS, BUNDLE, profile=PROFILE)
    c = livenet.Consumer(box)
    _, call = attack(scene, c, 5, code)
    d = c.wait("the pause", lambda d: d["grade"] == "pause", hash=call["hash"])["data"]
    assert set(d["lacks"]) == NOT_ASKED and d["vet"] is None, d
    rest(box)


def rest(box):
    box.wait_for("residuals of 0", lambda: not box.residuals())
    box.stop()


def main():
    livebox.enter()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other, tempfile.TemporaryDirectory() as nodes:
        scene = livenet.Scene(nodes)
        code = livenet.attack(PROGRAMS, BUNDLE, scene.past)
        with_node(scene, folder, code)
        without_node(scene, other, code)
        scene.end()
        print("paused with the node asked and without; no bait was")


main()
