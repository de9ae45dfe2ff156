#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Real blocks through the whole box as a mempool would have shown them: sandwiches and flash loans.

usage: blocks.py SENTINELCTL RULES DATA [--order block|victims|legs|random] [--seed N] [--list]

DATA: a folder with blocks.jsonl, sandwiches.json and flash-loans.json. A sandwich whose legs' prices are in order (front > victim >= back) is public: its
transactions cross one by one with their prices, as all others do. The legs of the others cross in a bundle [front, victims, back] behind the public ones.
Prints each labelled sandwich with its visibility, victims and pool and whether it was found; every sandwich alert that is none; and what was said of the
flash loans, which are all benign. Exit 1 if a visible one is missed, or an alert is neither a label nor a sandwich by the traces, or a benign flash loan pages.
"""
import argparse
import json
import random
import subprocess
import sys

import sandwich


def object_of(t):
    return {"hash": t["hash"], "from": t["from"], "to": t["to"], "value": t["value"], "input": t["input"], "gasPrice": hex(t["effective_gas_price"]), "gas": "0x100000"}


def lines_of(blocks, labels, order, rng):
    now = 1700000000.0
    for number in sorted(blocks):
        txs, mine = blocks[number], [s for s in labels if s["block"] == number]
        private = {h for s in mine if not sandwich.is_public(s) for h in (s["frontrun"]["hash"], s["backrun"]["hash"])}
        legs = {h for s in mine for h in (s["frontrun"]["hash"], s["backrun"]["hash"])}
        victims = {v["hash"] for s in mine for v in s["victims"]}
        for t in sandwich.order_of([t for t in txs if t["hash"] not in private], order, legs, victims, rng):
            now += 0.01
            yield {**object_of(t), "seen": f"{now:.6f}"}
        by_hash = {t["hash"]: t for t in txs}
        for s in mine:
            if not sandwich.is_public(s):
                now += 0.01
                elements = [s["frontrun"], *s["victims"], s["backrun"]]
                yield {"bundle": [object_of(by_hash[e["hash"]]) for e in elements], "seen": f"{now:.6f}"}
        now += 120


def with_roles(alert):
    data = alert["data"]
    hashes = {"front": data["transaction"]["hash"], "back": None, "victims": []}
    for r in data["related"]:
        if r["role"] == "victim":
            hashes["victims"].append(r["hash"])
        elif r["role"] in ("front", "back"):
            hashes[r["role"]] = r["hash"]
    return hashes


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("sentinelctl")
    p.add_argument("rules")
    p.add_argument("data")
    p.add_argument("--order", default="block", choices=["block", "victims", "legs", "random"])
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--list", action="store_true")
    args = p.parse_args()
    blocks, labels = sandwich.load(args.data)
    tx = {t["hash"]: t for txs in blocks.values() for t in txs}
    text = "".join(json.dumps(x) + "\n" for x in lines_of(blocks, labels, args.order, random.Random(args.seed)))
    done = subprocess.run([args.sentinelctl, "rules", "run", args.rules, "--txs", "-"], input=text, capture_output=True, text=True)
    out = [json.loads(x) for x in done.stdout.splitlines()]
    if done.returncode != 0 or not out or out[-1]["residual"] != "0":
        sys.exit(f"the box did not judge the blocks: {done.stderr[-500:]}")
    alerts = [x["alert"] for x in out[:-1]]
    found = [(a, with_roles(a)) for a in alerts if a["data"]["rule"]["class"] == "sandwich"]
    missed, labelled = 0, set()
    for s in labels:
        legs, want = (s["frontrun"]["hash"], s["backrun"]["hash"]), {v["hash"] for v in s["victims"]}
        hits = [(a, r) for a, r in found if (r["front"], r["back"]) == legs and want & set(r["victims"])]
        labelled.update(a["id"] for a, _ in hits)
        missed += not hits
        print(json.dumps({"sandwich": s["id"], "visibility": "public" if sandwich.is_public(s) else "bundle", "victims": len(want), "pool": s["pool"],
                          "found": bool(hits), "rule": hits[0][0]["data"]["rule"]["name"] if hits else None, "alert_pool": hits[0][0]["data"]["pool"] if hits else None,
                          "victims_found": len(want & set(hits[0][1]["victims"])) if hits else 0}))
    false = 0
    for a, r in found:
        if a["id"] in labelled:
            continue
        real = sandwich.by_traces(r, tx) or (r["back"] is None and any(r["front"] == s["frontrun"]["hash"] for s in labels))
        false += not real
        print(json.dumps({"unlabelled": a["data"]["rule"]["name"], "sandwich_by_traces": real, "pool": a["data"]["pool"], **r}))
    displaced = [a for a in alerts if a["data"]["rule"]["class"] == "displacement"]
    loans = {f["hash"] for f in json.load(open(args.data + "/flash-loans.json", encoding="utf-8"))}
    of_loans = [a for a in alerts if a["data"]["transaction"]["hash"] in loans]
    paged = [a for a in of_loans if a["data"]["grade"] != "watch" and a["data"]["rule"]["class"] != "sandwich"]
    for a in paged + (displaced if args.list else []):
        print(json.dumps({"alert": a["data"]["rule"]["name"], "grade": a["data"]["grade"], "hash": a["data"]["transaction"]["hash"]}))
    print(json.dumps({"summary": True, "blocks": len(blocks), "transactions": len(tx), "sandwiches": len(labels), "missed": missed, "false_alarms": false,
                      "displacements": len(displaced), "benign_flash_loans": len(loans), "of_these_watched": len({a["data"]["transaction"]["hash"] for a in of_loans}),
                      "of_these_paged": len(paged), "pages": sum(a["data"]["grade"] != "watch" for a in alerts)}))
    return 1 if missed or false or paged else 0


if __name__ == "__main__":
    sys.exit(main())
