#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Real blocks replayed as a mempool would show them, through the correlator alone.

usage: sandwich.py REPLAY DATA [--order block|victims|legs|random] [--hide-senders] [--verbose]

REPLAY: the tool sandwich_replay. DATA: a folder with blocks.jsonl and sandwiches.json (or two such files' folder).
A sandwich whose legs' prices are in order (front > victim >= back) is public: its transactions cross one by one with their prices, as
all others do. The others' legs cross as a bundle [front, victims, back] after the public ones; victims cross before in public.
Prints each labelled sandwich (visibility, victims, pool, found or not), each finding that is no label, and last a summary line.
Exit 1 if a visible one is missed, or a finding is neither a label nor a sandwich by the swaps of the traces.
"""
import argparse
import json
import random
import subprocess
import sys
from collections import defaultdict

MS = 1000000


def load(folder):
    blocks = defaultdict(list)
    with open(folder + "/blocks.jsonl", encoding="utf-8") as f:
        for line in f:
            t = json.loads(line)
            blocks[t["block"]].append(t)
    with open(folder + "/sandwiches.json", encoding="utf-8") as f:
        labels = json.load(f)
    for txs in blocks.values():
        txs.sort(key=lambda t: t["index"])
    return blocks, labels


def is_public(s):
    front, back = s["frontrun"]["effective_gas_price"], s["backrun"]["effective_gas_price"]
    return any(front > v["effective_gas_price"] >= back for v in s["victims"])


def line_of(t, bundle, pos, length, t_ns, hide):
    sender = ("~" if hide else "") + t["from"]
    price = t["effective_gas_price"]
    return f"tx {t['hash']} {sender} {t['to'] or '-'} - 0 {price} {price} {t['value']} {t['input']} {bundle} {pos} {length} {t_ns}"


def order_of(txs, kind, legs, victims, rng):
    key = {"block": lambda t: t["index"],
           "victims": lambda t: (t["hash"] in legs, t["index"]),
           "legs": lambda t: (t["hash"] not in legs, t["index"])}.get(kind)
    if key:
        return sorted(txs, key=key)
    txs = list(txs)
    rng.shuffle(txs)
    return txs


def lines_of(blocks, labels, args, rng):
    now, handle = 1000 * MS, 0
    for number in sorted(blocks):
        txs, mine = blocks[number], [s for s in labels if s["block"] == number]
        private = {h for s in mine if not is_public(s) for h in (s["frontrun"]["hash"], s["backrun"]["hash"])}
        legs = {h for s in mine for h in (s["frontrun"]["hash"], s["backrun"]["hash"])}
        victims = {v["hash"] for s in mine for v in s["victims"]}
        for t in order_of([t for t in txs if t["hash"] not in private], args.order, legs, victims, rng):
            now += 10 * MS
            yield line_of(t, 0, 0, 0, now, args.hide_senders)
        by_hash = {t["hash"]: t for t in txs}
        for s in mine:
            if is_public(s):
                continue
            handle += 1
            elements = [s["frontrun"], *s["victims"], s["backrun"]]
            for pos, e in enumerate(elements):
                now += MS
                yield line_of(by_hash[e["hash"]], handle, pos, len(elements), now, args.hide_senders)
        for t in txs:
            yield f"in {t['hash']} {number} {t['index']} {now + MS}"
        now += 120000 * MS  # the next block's are another time's


def by_traces(f, tx):
    """Is a finding that no label has a sandwich all the same: opposite swaps of one pool around the victim's, in this block?"""
    front, back = tx.get(f["front"]), tx.get(f.get("back"))
    if not front or not back or not front["index"] < back["index"]:
        return False
    for v in (tx.get(h) for h in f["victims"]):
        if not v or not front["index"] < v["index"] < back["index"]:
            continue
        for a in front["swaps"]:
            for b in back["swaps"]:
                for c in v["swaps"]:
                    if (a["pool"] == b["pool"] == c["pool"] and a["token_in"] == c["token_in"] and b["token_in"] == a["token_out"]):
                        return True
    return False


def main():
    p = argparse.ArgumentParser()
    p.add_argument("replay")
    p.add_argument("data")
    p.add_argument("--order", default="victims", choices=["block", "victims", "legs", "random"])
    p.add_argument("--hide-senders", action="store_true")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--verbose", action="store_true")
    args = p.parse_args()
    blocks, labels = load(args.data)
    tx = {t["hash"]: t for txs in blocks.values() for t in txs}
    text = "\n".join(lines_of(blocks, labels, args, random.Random(args.seed))) + "\n"
    out = subprocess.run([args.replay], input=text, capture_output=True, text=True, check=True).stdout
    findings = [json.loads(line) for line in out.splitlines()]
    counts = findings.pop()["counts"]
    if args.verbose:
        for f in findings:
            print(json.dumps(f))
        print(json.dumps(counts))
    labelled, missed = set(), 0
    for s in labels:
        legs = (s["frontrun"]["hash"], s["backrun"]["hash"])
        want = {v["hash"] for v in s["victims"]}
        hits = [f for f in findings if (f["front"], f.get("back")) == legs and want & set(f["victims"])]
        labelled.update((f["front"], f.get("back")) for f in hits)
        ended = [f["ending"] for f in hits if f["ending"] != "open"]
        row = {"sandwich": s["id"], "visibility": "public" if is_public(s) else "bundle", "victims": len(want), "pool": s["pool"],
               "found": bool(hits), "as": hits[0]["kind"] if hits else None, "key": hits[0]["key"] if hits else None,
               "pool_found": hits[0].get("pool") == s["pool"] if hits else None,
               "score": hits[0]["score"] if hits else None, "evidence": hits[0]["evidence"] if hits else None,
               "victims_found": len(want & set(hits[0]["victims"])) if hits else 0, "ending": ended[-1] if ended else None}
        print(json.dumps(row))
        missed += not hits
    unlabelled = false = 0
    seen = set()
    for f in findings:
        legs = (f["front"], f.get("back"))
        if legs in labelled or f["ending"] != "open" or (f["incident"], legs) in seen:
            continue
        seen.add((f["incident"], legs))
        real = by_traces(f, tx)
        partial = f["kind"] == "partial" and any(f["front"] == a for a, _ in labelled)
        unlabelled += real
        false += not real and not partial
        print(json.dumps({"unlabelled": f["kind"], "sandwich_by_traces": real, "partial_of_a_label": partial, "score": f["score"], "evidence": f["evidence"],
                          "attacker": f["attacker"], "key": f["key"], "front": f["front"], "back": f.get("back"), "victims": f["victims"],
                          "indexes": [tx[h]["index"] for h in (f["front"], *f["victims"], f.get("back")) if h in tx]}))
    print(json.dumps({"summary": True, "blocks": len(blocks), "transactions": len(tx), "sandwiches": len(labels), "missed": missed,
                      "false_alarms": false, "real_but_unlabelled": unlabelled, "pairs": counts["PAIRS"], "pairs_weak": counts["PAIRS_WEAK"],
                      "senders_asked": counts["SENDERS_ASKED"]}))
    return 1 if missed or false else 0


if __name__ == "__main__":
    sys.exit(main())
