#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The life of transactions, on a live box: anvil mines 200 blocks, a third of whose transactions nobody saw pending; a consensus client hands them to an
execution client over the engine API. Replacements, reorgs, an INVALID block. The box's counts must be the script's, and a replay of the same frames must
give each transaction the life that it had.

usage: live_blocks.py WORKERS DATAPLANE CONTROL SENTINELCTL BUNDLE, under with_npm.sh. Needs root.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

import livebox
from livebox import THERE
from sniff import Sniffer

WORKERS = int(sys.argv[1])
PROGRAMS, BUNDLE = sys.argv[2:5], sys.argv[5]
RULES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "every.yaml")
NODE_FOLDER = os.environ["NODE_FOLDER"]
ANVIL = os.path.join(NODE_FOLDER, "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil")


def counts(box, truth):
    """What differs between the box's counters and the script's word."""
    c = box.counters()
    net = lambda name: c["life_" + name] - c["life_taken_back" + name.removeprefix("included").replace("never_seen", "_never_seen")]
    have = {name: c["life_" + name] for name in ("pending", "replaced", "restored", "reorged", "blocks_reorged", "blocks_invalid", "accepted", "refused")}
    have |= {name: net(name) for name in ("included", "included_pending", "never_seen")}
    have["blocks"] = c["life_blocks"] - c["life_blocks_invalid"]
    want = {name: truth[name] for name in have}
    nothing = ("announced_only", "dropped", "evicted", "rivals_full", "blocks_void", "blocks_open_lost", "unread", "links_full", "judged_unknown", "included_uncounted")
    have |= {name: c["life_" + name] for name in nothing} | {name: c[name] for name in ("facts_left_out", "facts_odd", "senders_not_for_lives", "st_gap")}
    want |= dict.fromkeys(have.keys() - want.keys(), 0)
    return {name: (have[name], want[name]) for name in have if have[name] != want[name]}


def replayed(capture, truth):
    """What differs between the lives that a replay tells and the script's word."""
    done = subprocess.run([PROGRAMS[2], "replay", "--lives", "--rules", RULES, capture], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lives = {}
    for line in map(json.loads, done.stdout.splitlines()):
        if line["event"] == "life":
            lives[line["hash"]] = {name: line[name] for name in ("state", "block", "by", "never_seen")}
        if line["event"] == "summary":
            assert {i["residual"] for i in line["identities"].values()} == {"0"}, line["identities"]
    lives = {h: t for h, t in lives.items() if t["state"] != "unknown"}
    for t in lives.values():  # a reorg's line says which block left
        t["block"] = t["block"] if t["state"] == "included" else None
    return {h: (lives.get(h), truth["lives"].get(h)) for h in lives.keys() | truth["lives"].keys() if lives.get(h) != truth["lives"].get(h)}


def main():
    livebox.enter()
    with tempfile.TemporaryDirectory() as folder:
        path = lambda name: os.path.join(folder, name)
        other = livebox.Other()
        anvil = other.popen(ANVIL, "--host", "0.0.0.0", "--port", "8545", "--accounts", "60", "--no-mining", "--silent")
        node = livebox.Peer(other.popen, NODE_FOLDER, "blocks.mjs", "node", THERE, path("socket-past"))
        livebox.wait_for("the node", lambda: node.said("listening") and livebox.listens(THERE, 8545))
        box = livebox.Box(folder, PROGRAMS, BUNDLE, workers=WORKERS)
        with Sniffer(livebox.PORT, path("frames.pcap")) as sniffer:
            script = livebox.Peer(livebox.here, NODE_FOLDER, "blocks.mjs", "script", THERE, path("socket-past"), path("truth"))
            box.wait_for("the script", lambda: script.said("done"), 200)
            script.end()
            with open(path("truth"), encoding="utf-8") as f:
                truth = json.load(f)
            assert truth["blocks"] >= 200 and truth["included"] >= 1500 and 3 * truth["never_seen"] >= truth["included"]
            box.wait_for("the counts", lambda: not counts(box, truth), 20, lambda: f"counters, as they are and as they should be: {counts(box, truth)}")
            box.wait_for("residuals of 0", lambda: not box.residuals())
        node.end()
        anvil.terminate()
        anvil.wait()
        box.stop()
        wrong = replayed(path("frames.pcap"), truth)
        if wrong and "KEEP" in os.environ:  # a folder for who wants to see them
            shutil.copy(path("frames.pcap"), os.environ["KEEP"])
            shutil.copy(path("truth"), os.environ["KEEP"])
        assert not wrong, f"{len(wrong)} lives, as told and as lived: {list(wrong.items())[:5]}"
        print(f"{WORKERS} workers, {truth['blocks']} blocks: {truth['included']} transactions included, {truth['never_seen']} of them never seen, {truth['replaced']} replaced, "
              f"{truth['reorged']} reorged; {sniffer.frames} frames replayed give {len(truth['lives'])} lives")


main()
