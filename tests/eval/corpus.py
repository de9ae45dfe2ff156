#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Holds a detector's verdicts against the corpora of tests/corpus.

usage: corpus.py judge OUT VERDICTS [--list]
       corpus.py folds OUT [--by family|provider|solc] [--count 5]

OUT is the folder that tests/corpus/build.sh filled. VERDICTS has one JSON object a line, for every line of every corpus
there: {"set": "attacks"|"executors"|"benign"|"hard", "id": ..., "flash": bool, "grade": ""|"watch"|"page"|"pause"}; several
lines for one id (a deployment and its calls) count as the strongest of them. judge prints recall and false alarms by part,
every miss and false alarm with --list, and exits 1 if a bound does not hold, 2 if a verdict is missing. Attacks labelled
"executor" show nothing of a provider: they are counted apart and bound nothing.

folds prints a fold for each attack, {"id", "fold"}, such that no value of --by is in two folds: never a random split. solc gives
a split in time: the newest compilers in the last fold.
"""
import argparse
import json
import sys
from collections import defaultdict
from pathlib import Path

GRADES = ["", "watch", "page", "pause"]
SETS = ["attacks", "executors", "benign", "hard"]
RECALL_ATTACKS, RECALL_EXECUTORS, PAGES_BENIGN = 0.99, 0.90, 0.005
PARTS = {
    "attacks": ["kind", "provider", "family", "form", "style", "solc", "optimizer", "via_ir", "encoding", "dispatch", "shows"],
    "executors": ["form", "provider", "family"],
    "benign": ["list", "package"],
    "hard": ["template", "package"],
}


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def strongest(verdicts):
    """The verdicts by (set, id): flash if any line says so, and the highest grade."""
    out = {}
    for v in verdicts:
        key = v["set"], v["id"]
        flash, grade = out.get(key, (False, 0))
        out[key] = flash or bool(v["flash"]), max(grade, GRADES.index(v.get("grade") or ""))
    return out


def table(name, records, hit, word):
    for part in PARTS[name]:
        groups = defaultdict(lambda: [0, 0])
        for r in records:
            value = r.get(part)
            group = groups[json.dumps(value) if isinstance(value, (dict, bool)) else str(value)]
            group[0] += hit(r)
            group[1] += 1
        for value, (hits, count) in sorted(groups.items()):
            print(f"  {name} {part} {value}: {hits} of {count} {word}")


class Judge:
    def __init__(self, folder, verdicts, listing):
        self.corpora = {s: lines(folder / f"{s}.ndjson") for s in SETS if (folder / f"{s}.ndjson").exists()}
        self.verdicts = strongest(verdicts)
        self.listing = listing
        self.failed = []

    def missing(self):
        return [(s, r["id"]) for s, records in self.corpora.items() for r in records if (s, r["id"]) not in self.verdicts]

    def bound(self, holds, text):
        print(("holds: " if holds else "FAILS: ") + text)
        if not holds:
            self.failed.append(text)

    def show(self, what, name, records):
        if self.listing:
            for r in records:
                print(f"  {what} {name} {r['id']}")

    def recall(self, name, records, least):
        found = [r for r in records if self.verdicts[name, r["id"]][0]]
        missed = [r for r in records if not self.verdicts[name, r["id"]][0]]
        table(name, records, lambda r: self.verdicts[name, r["id"]][0], "found")
        self.show("miss", name, missed)
        share = len(found) / len(records) if records else 0
        self.bound(bool(records) and share >= least, f"{name}: recall {len(found)} of {len(records)} ({share:.2%}), at least {least:.0%}")

    def alarms(self, name, records, pages_most):
        grade = lambda r: self.verdicts[name, r["id"]][1]
        paged, paused = [r for r in records if grade(r) >= 2], [r for r in records if grade(r) == 3]
        table(name, records, lambda r: grade(r) >= 2, "paged")
        self.show("page", name, paged)
        self.show("pause", name, paused)
        self.bound(bool(records) and not paused, f"{name}: {len(paused)} of {len(records)} paused, none allowed")
        if pages_most is not None:
            most = int(len(records) * pages_most)
            self.bound(len(paged) <= most, f"{name}: {len(paged)} of {len(records)} paged, at most {most} ({pages_most:.1%})")

    def run(self):
        if "attacks" in self.corpora:
            attacks = self.corpora["attacks"]
            shown = [r for r in attacks if r["label"] != "executor"]
            self.recall("attacks", shown, RECALL_ATTACKS)
            bare = [r for r in attacks if r["label"] == "executor"]
            print(f"stated: {sum(self.verdicts['attacks', r['id']][0] for r in bare)} of {len(bare)} executors that show nothing found")
        if "executors" in self.corpora:
            self.recall("executors", self.corpora["executors"], RECALL_EXECUTORS)
        if "benign" in self.corpora:
            rest = [r for r in self.corpora["benign"] if r["list"] == "rest"]
            self.alarms("benign", rest, PAGES_BENIGN)
            templates = [r for r in self.corpora["benign"] if r["list"] == "templates"]
            print(f"stated: {sum(self.verdicts['benign', r['id']][1] >= 2 for r in templates)} of {len(templates)} of the templates' packages paged")
        if "hard" in self.corpora:
            self.alarms("hard", self.corpora["hard"], None)
        self.precision()
        return 1 if self.failed else 0

    def precision(self):
        """Of what pages when it is deployed, or called: how much is an attack. The hard negatives are counted as false."""
        paged = {s: sum(self.verdicts[s, r["id"]][1] >= 2 for r in records) for s, records in self.corpora.items() if s != "executors"}
        right, wrong = paged.get("attacks", 0), paged.get("benign", 0) + paged.get("hard", 0)
        if right + wrong:
            print(f"stated: precision of pages {right} of {right + wrong} ({right / (right + wrong):.2%}): benign {paged.get('benign', 0)}, hard negatives {paged.get('hard', 0)}")


def judge(args):
    judged = Judge(args.out, lines(args.verdicts), args.list)
    missing = judged.missing()
    if missing or not judged.corpora:
        for name, ident in missing[:20]:
            print(f"no verdict: {name} {ident}", file=sys.stderr)
        print(f"{len(missing)} verdicts missing, {len(judged.corpora)} corpora", file=sys.stderr)
        return 2
    return judged.run()


def fold_of(values, count, by_order):
    """A fold for each value: in their order (versions), or the fullest last so that folds come out even."""
    out = {}
    if by_order:
        order = sorted(values, key=lambda v: [int(n) for n in v.split(".")])
        return {v: i * count // len(order) for i, v in enumerate(order)}
    sizes = [0] * count
    for value, size in sorted(values.items(), key=lambda item: (-item[1], item[0])):
        fold = sizes.index(min(sizes))
        out[value] = fold
        sizes[fold] += size
    return out


def folds(args):
    records = lines(args.out / "attacks.ndjson")
    values = defaultdict(int)
    for r in records:
        values[r[args.by]] += 1
    fold = fold_of(values, min(args.count, len(values)), args.by == "solc")
    for r in records:
        print(json.dumps({"id": r["id"], "fold": fold[r[args.by]]}))
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("judge")
    one.add_argument("out", type=Path)
    one.add_argument("verdicts", type=Path)
    one.add_argument("--list", action="store_true")
    one.set_defaults(run=judge)
    one = commands.add_parser("folds")
    one.add_argument("out", type=Path)
    one.add_argument("--by", choices=["family", "provider", "solc"], default="family")
    one.add_argument("--count", type=int, default=5)
    one.set_defaults(run=folds)
    args = parser.parse_args()
    return args.run(args)


if __name__ == "__main__":
    sys.exit(main())
