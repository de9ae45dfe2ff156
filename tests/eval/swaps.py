#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Compares the swaps read from calldata with the swaps that traces show. usage: swaps.py SWAPS_DUMP BLOCKS.jsonl[.gz] [--list] [--other] [--at-least N]

A line of BLOCKS has to, value, input and swaps (pool, token_in, token_out, amount_in, amount_out, protocol, from traces). What is read is held against it:
every pool that is named must have been swapped in, that way round, and a stated amount must be what went into, or came out of, the pool; what differs is
explained or wrong. Exit 1 if anything is wrong."""
import argparse
import collections
import gzip
import json
import subprocess
import sys

# Selectors of swaps of tokens that may take a fee of each transfer: less arrives than calldata says.
FEE_ON_TRANSFER = {"5c11d795", "791ac947", "b6f9de95"}


def load(path):
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8") as f:
        txs = [json.loads(line) for line in f]
    return [t for t in txs if t["to"]]


def ask(exe, txs):
    lines = "".join(f"{t['to']} {t['value']} {t['input'] or '0x'}\n" for t in txs)
    done = subprocess.run([exe], input=lines.encode(), capture_output=True, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(txs)
    return answers


def amounts(label, read, tx):
    """None if the stated amount is right, else why not."""
    for side in ("amount_in", "amount_out"):
        if read[side] is None or read[side] == label[side]:
            continue
        said, was = int(read[side]), int(label[side])
        if tx["input"][2:10] in FEE_ON_TRANSFER and was < said:
            return "explained: the token takes a fee of its transfer"
        if side == "amount_out" and read["router"] == "pool" and was >= said:
            return None
        return f"wrong: {side} {said}, was {was}"
    return None


def matches(label, read):
    if read["pool"] is not None:
        return read["pool"] == label["pool"]
    return (read["token_in"], read["token_out"]) == (label["token_in"], label["token_out"])


def compare(tx, answer):
    """(labels found with their reads, labels not found, reads not in the labels)"""
    left, found, stray = list(tx["swaps"]), [], []
    for read in answer["swaps"]:
        hit = next((s for s in left if matches(s, read)), None)
        if hit is None:
            stray.append(read)
        else:
            left.remove(hit)
            found.append((hit, read))
    return found, left, stray


def direction_wrong(label, read):
    zero_for_one = label["token_in"] < label["token_out"]
    if read["direction"] is not None and (read["direction"] == "0-1") != zero_for_one:
        return True
    return any(read[k] is not None and read[k] != label[k] for k in ("token_in", "token_out"))


class Tally:
    def __init__(self):
        self.routers = collections.defaultdict(collections.Counter)
        self.notes, self.others = [], collections.Counter()

    def take(self, tx, answer):
        found, left, stray = compare(tx, answer)
        for label, read in found:
            row = self.routers[read["router"]]
            if read["pool"] is None and amounts(label, read, tx):
                row["whole"] += 1  # the router gave this pool a part
                self.left(tx, answer, label)
                continue
            row["labels"] += 1
            row["pool"] += read["pool"] is not None
            row["exact"] += read["amount_in"] is not None or read["amount_out"] is not None
            row["direction"] += read["direction"] is not None
            if direction_wrong(label, read):
                self.note(tx, read, "wrong: direction", row)
            why = amounts(label, read, tx)
            if why:
                self.note(tx, read, why, row)
        for label in left:
            self.left(tx, answer, label)
        for read in stray:
            self.stray(tx, read, self.routers[read["router"]])

    def left(self, tx, answer, label):
        router = answer["swaps"][0]["router"] if answer["swaps"] else None
        if router:
            self.routers[router]["not read"] += 1
            self.notes.append((tx["hash"], router, f"not read: {label['protocol']} {label['pool']}"))
        else:
            self.others[tx["to"]] += 1

    def note(self, tx, read, why, row):
        row["explained" if why.startswith("explained") else "wrong"] += 1
        self.notes.append((tx["hash"], read["router"], why))

    def stray(self, tx, read, row):
        if tx["error"] or not tx["swaps"]:
            row["no swap happened"] += 1  # reverted, or not a protocol that is labelled
        elif read["pool"] is None:
            row["whole"] += 1  # token for token, by ways that the router chose
        else:
            self.note(tx, read, f"wrong: pool {read['pool']}", row)


def report(tally, txs, args):
    columns = ("labels", "pool", "direction", "exact", "explained", "wrong", "not read", "whole", "no swap happened")
    print(f"{'router':26}" + "".join(f"{c:>18}" for c in columns))
    total = collections.Counter()
    for name, row in sorted(tally.routers.items(), key=lambda kv: -kv[1]["labels"]):
        total.update(row)
        print(f"{name:26}" + "".join(f"{row[c]:18}" for c in columns))
    print(f"{'all':26}" + "".join(f"{total[c]:18}" for c in columns))
    everything = sum(len(t["swaps"]) for t in txs)
    ours = total["labels"] + total["not read"]
    print(f"labelled swaps: {everything}; of transactions that were read: {ours}, of which read {total['labels']}; "
          f"elsewhere (contracts of bots): {sum(tally.others.values())} at {len(tally.others)} addresses")
    for note in tally.notes:
        if args.list or note[2].startswith(("wrong", "explained")):
            print(*note)
    for to, n in tally.others.most_common() if args.other else ():
        print(f"not read: {n} at {to}")
    return total["wrong"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dump")
    parser.add_argument("blocks")
    parser.add_argument("--list", action="store_true", help="every labelled swap that was not read")
    parser.add_argument("--other", action="store_true", help="contracts of which nothing was read")
    parser.add_argument("--at-least", type=int, default=0, metavar="N", help="fail if fewer labelled swaps are read")
    args = parser.parse_args()
    txs = load(args.blocks)
    tally = Tally()
    for tx, answer in zip(txs, ask(args.dump, txs)):
        tally.take(tx, answer)
    wrong = report(tally, txs, args)
    read = sum(row["labels"] for row in tally.routers.values())
    sys.exit(1 if wrong or read < args.at_least else 0)


if __name__ == "__main__":
    main()
