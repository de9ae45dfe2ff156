#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs the vectors in vectors/ through `tx decode` and the RLP reader and writer.

usage: vectors.py TXDECODE RLP_DUMP [ETHEREUM_TESTS]. With a checkout of ethereum/tests, its files are run instead of the
compact copy, by the newest fork that each case lists.
"""
import glob
import gzip
import json
import os
import subprocess
import sys

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "vectors")
FORKS = ["Frontier", "Homestead", "EIP150", "EIP158", "Byzantium", "Constantinople", "ConstantinopleFix", "Istanbul",
         "Berlin", "London", "Paris", "Shanghai", "Cancun", "Prague", "Osaka"]
# What ethers makes of the blob transactions.
BLOBS = {
    "v0_0.rlp.gz": {
        "type": "3", "sidecar_version": "0", "sidecar_blobs": "1", "valid": True, "chain_id": "7",
        "hash": "0xd886baa4d7824402a508487d94b8efed257832170ecb5f5a85b8d2e15317728c",
        "from": "0xcf49fda3be353c69b41ed96333cd24302da4556f"},
    "v1_1.rlp.gz": {
        "type": "3", "sidecar_version": "1", "sidecar_blobs": "1", "valid": True, "chain_id": "11155111",
        "hash": "0xb7490b74a4642b4c9d5c6cdb8a7a24dd639affa2d8eef4d5cd32a931a92a9752",
        "from": "0xd51a7e12997f6f1d04accc2b4053307a62b373cb"},
}


def ndjson(name):
    with gzip.open(os.path.join(HERE, name), "rt") as f:
        return [json.loads(line) for line in f]


def run(exe, lines, *args):
    done = subprocess.run([exe, *args], input="".join(line + "\n" for line in lines), capture_output=True, text=True,
                          timeout=120)
    assert done.returncode == 0, (exe, done.returncode, done.stderr)
    answers = done.stdout.splitlines()
    assert len(answers) == len(lines), (exe, len(answers), len(lines))
    return [json.loads(a) for a in answers]


def cases_of(root):
    for path in sorted(glob.glob(os.path.join(root, "TransactionTests", "**", "*.json"), recursive=True)):
        with open(path) as f:
            for name, case in json.load(f).items():
                fork = max(case["result"], key=FORKS.index)
                yield {"name": name, "txbytes": case["txbytes"], "fork": fork, **case["result"][fork]}


def transactions(txdecode, cases):
    bad = []
    for case, got in zip(cases, run(txdecode, [c["txbytes"] for c in cases], "--chain", "1")):
        want = {"valid": "exception" not in case}
        if want["valid"]:
            want.update(ok=True, hash=case["hash"], **{"from": case["sender"]})
        wrong = {k: (got.get(k), v) for k, v in want.items() if got.get(k) != v}
        if wrong:
            bad.append((case["name"], case["fork"], wrong, got.get("error") or got.get("invalid_reason")))
        if not got["ok"]:
            assert got["valid"] is False and got["error"], got
    return bad


def nested(value):
    """A value as the vectors write it: text, numbers, #bignum, lists."""
    if isinstance(value, list):
        return [nested(v) for v in value]
    if isinstance(value, str) and not value.startswith("#"):
        return value.encode("latin-1").hex()
    n = int(value[1:]) if isinstance(value, str) else value
    return n.to_bytes((n.bit_length() + 7) // 8, "big").hex()


def rlp(rlp_dump, cases):
    bad = []
    for case, got in zip(cases, run(rlp_dump, [c["out"].removeprefix("0x") for c in cases])):
        if case["in"] == "VALID":
            ok = got != "invalid"
        else:
            ok = got == ("invalid" if case["in"] == "INVALID" else nested(case["in"]))
        if not ok:
            bad.append((case["name"], case["out"][:80], got))
    return bad


def blobs(txdecode):
    bad = []
    for name, want in BLOBS.items():
        with gzip.open(os.path.join(HERE, name), "rt") as f:
            raw = f.read().strip()
        (got,) = run(txdecode, [raw])
        bad += [(name, k, got.get(k), v) for k, v in want.items() if got.get(k) != v]
        # cut short: no transaction
        (short,) = run(txdecode, [raw[:-2]])
        if short["ok"]:
            bad.append((name, "cut short, yet ok"))
    return bad


def main():
    txdecode, rlp_dump = sys.argv[1:3]
    cases = list(cases_of(sys.argv[3])) if len(sys.argv) > 3 else ndjson("transactions.ndjson.gz")
    items = ndjson("rlp.ndjson.gz")
    assert len(cases) >= 210 and len(items) == 55, (len(cases), len(items))
    bad = transactions(txdecode, cases) + rlp(rlp_dump, items) + blobs(txdecode)
    for b in bad:
        print(*b)
    print(f"{len(cases)} transactions, {len(items)} RLP items, {len(BLOBS)} sidecars: {len(bad)} disagreements")
    return 1 if bad else 0


sys.exit(main())
