#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The box's verdicts on the corpora of tests/corpus, for corpus.py to judge.

usage: verdicts.py SENTINELCTL RULES OUT [--set NAME]... > VERDICTS

Every init code is deployed by a sender of its own through `sentinelctl rules run`, every executor called. Hard negatives are deployed, with the address of a
protected contract behind their code as a constructor argument has it, and then called, as their corpus says, with that contract protected: a call's grade is
the one that its rule asks for, since a list of transactions has neither acknowledgements nor a node that accepts anything.
Lead times go to standard error: what an armed contract's call alert says of its deployment.
"""
import argparse
import hashlib
import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

GRADES = ["", "watch", "page", "pause"]
DAY = 1700000000
CALL_AFTER = 420  # seconds: the median between deployment and attack (LookAhead)


def digest(*parts):
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def transaction(name, at, sender, to, data):
    return {"hash": "0x" + digest("tx", name), "from": "0x" + digest("from", sender)[:40], "nonce": "0x0", "gas": "0x1000000", "gasPrice": "0x3b9aca00",
            "chainId": "0x1", "value": "0x0", "to": to, "input": data, "seen": f"{DAY + at}"}


def run(args, lines, protect):
    command = [args.sentinelctl, "rules", "run", args.rules, "--txs", "-"]
    for address in protect:
        command += ["--protect", address]
    text = "".join(json.dumps(x) + "\n" for x in lines)
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    out = [json.loads(x) for x in done.stdout.splitlines()]
    if done.returncode != 0 or not out or out[-1]["residual"] != "0":
        sys.exit(f"the box did not judge {len(lines)} transactions: {done.stderr[-500:]}")
    alerts = defaultdict(list)
    for x in out[:-1]:
        alert = x["alert"]["data"]
        for h in [alert["transaction"]["hash"]] + [r["hash"] for r in alert["related"] if r["role"] == "same"]:
            alerts[h].append(alert)
    return alerts


def wanted(alert):
    """The grade that its rule asks for."""
    return "pause" if "lowered_from_pause" in alert["reasons"] else alert["grade"]


def verdict(name, ident, alerts):
    flash = any("entry" in a["why"] or a["rule"]["class"] == "flash_loan" for a in alerts)
    return {"set": name, "id": ident, "flash": flash, "grade": max((wanted(a) for a in alerts), key=GRADES.index, default="")}


def judge_one_by_one(args, name, records):
    lines = []
    for i, r in enumerate(records):
        lines.append(transaction(r["id"], i, r["id"], r.get("to"), r.get("input") or r.get("init_code")))
    alerts = run(args, lines, [])
    for r, x in zip(records, lines):
        yield verdict(name, r["id"], alerts[x["hash"]])


def judge_called(args, name, records):
    """Each in a box of its own: what is protected differs."""
    lead = []
    for r in records:
        protected = r["protected"].lower()
        code = r["init_code"] + "00" * 12 + protected[2:]
        deploy = transaction(r["id"], 0, r["id"], None, code)
        first = run(args, [deploy], [protected])[deploy["hash"]]
        yield verdict(name, r["id"], first)
        created = [a["transaction"]["created"] for a in first if a["transaction"]["created"]]
        if not created:
            continue
        calls = [transaction(f"{r['id']} call {k}", CALL_AFTER + k, f"{r['id']} caller", created[0], c["input"]) for k, c in enumerate(r["calls"])]
        alerts = run(args, [deploy, *calls], [protected])
        for x in calls:
            yield verdict(name, r["id"], alerts[x["hash"]])
            lead += [int(a["times"]["warning_ns"]) for a in alerts[x["hash"]] if a["times"]["warning_ns"]]
    if lead:
        print(f"lead: {name}: {len(lead)} calls of armed contracts, told {min(lead) / 1e9:.0f} to {max(lead) / 1e9:.0f} s behind their deployment", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sentinelctl")
    parser.add_argument("rules")
    parser.add_argument("out", type=Path)
    parser.add_argument("--set", action="append", choices=["attacks", "executors", "benign", "hard"])
    args = parser.parse_args()
    for name in args.set or ["attacks", "executors", "benign", "hard"]:
        path = args.out / f"{name}.ndjson"
        if not path.exists():
            continue
        records = [json.loads(x) for x in path.read_text(encoding="utf-8").splitlines() if x.strip()]
        for v in (judge_called if name == "hard" else judge_one_by_one)(args, name, records):
            print(json.dumps(v))
    return 0


if __name__ == "__main__":
    sys.exit(main())
