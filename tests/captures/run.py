#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs `sentinelctl replay --txs` over captures and compares what it found with what crossed.

usage: run.py [--sentinelctl PROGRAM] [FOLDER | CAPTURE.pcap]...

Each NAME.pcap (or .pcapng) has NAME.expected.json beside it: `hashes`, or `transactions` whose entries with `raw` crossed; `ref` names another file with
them; `recoverable` lists, for damaged captures, what can be found (requestComplete), what may be (rawBytesOnly) and what must not be (lost).
`frames`: what the frames must be counted as: the named counters so, every other reason to refuse one 0, no gap, no conflict.
`decoys` must not be reported; `alerts` says which flash-loan alerts the shipped rules owe. Every residual must be 0. Default folder: this one.
`pending` names those that some crossing showed as pending, or did not say; `may` those that may be reported and need not: they crossed only without
a signature, or in what not every node takes.
Captures of protocols that are not read (see READERS) are skipped. Exit 0 only if none differs, 77 if all were skipped.

`lives`, `included`, `never_seen`: what becomes of transactions by the blocks told; `verdicts`: what the node said of submissions;
`bundles`: elements in order.

`reader`: what it takes to read the capture, or a list; without it, http. `transactions`: one entry a crossing: hash, raw (null: an object), carrier, direction,
`pending` (false: in a block; null: the answer does not say). `mentions`: hashes alone. What is only in some of them is said in their descriptions.
"""
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
DEFAULT = os.path.join(HERE, "../../.build/tools/sentinelctl/sentinelctl")
KEYS_TO_LOG = os.path.join(HERE, "recording/keys_to_log.py")
READERS = {"http", "answers", "ws", "rlpx", "engine", "ipc", "arbitrum", "grpc"}
FLASH = ("flash_loan", "flash_deploy")


def load(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def hashes_of(expected):
    if "hashes" in expected:
        return set(expected["hashes"])
    return {t["hash"].lower() for t in expected["transactions"] if t.get("hash")} - set(expected.get("may", []))


def unread(expected):
    """What is missing to read the capture, or None."""
    reader = expected.get("reader") or ("rlpx" if "keys" in expected else "ws" if expected.get("url", "").startswith("ws:") else "http")
    missing = set([reader] if isinstance(reader, str) else reader) - READERS
    return " and ".join(sorted(missing)) or None


class Want:
    """What a capture must give: all of `must`, nothing outside `may`."""

    def __init__(self, capture):
        path = os.path.splitext(capture)[0] + ".expected.json"
        own = load(path)
        whole = load(os.path.join(os.path.dirname(path), own["ref"])) if "ref" in own else own
        self.skip = unread(own) or unread(whole)
        if self.skip:
            return
        keys = own.get("keys") or whole.get("keys")
        self.keys = os.path.join(os.path.dirname(path), keys) if keys else None
        self.must = hashes_of(whole)
        self.may = self.must | set(whole.get("may", []))
        self.alerts = whole.get("alerts")
        self.frames = own.get("frames")
        self.lives = own.get("lives", {})
        self.included, self.never_seen = own.get("included"), own.get("never_seen")
        self.verdicts = own.get("verdicts", [])
        self.bundles = own.get("bundles", [])
        said = [t for t in own.get("transactions", []) if "pending" in t and t.get("hash") in self.must]
        self.pending = {t["hash"] for t in said if t["pending"]}
        self.mined = {t["hash"] for t in said} - {t["hash"] for t in said if t["pending"] is not False}
        damage = own.get("recoverable")
        if damage:
            self.must = {h.lower() for h in damage["requestComplete"]}
            self.may = self.must | {h.lower() for h in damage["rawBytesOnly"]}
            self.alerts = None


def replay(sentinelctl, capture, keys):
    """Exit status, lines, diagnostics. keys: a file of session secrets, or None."""
    with tempfile.TemporaryDirectory() as folder:
        more = []
        if keys:
            log = os.path.join(folder, "keys")
            subprocess.run([sys.executable, KEYS_TO_LOG, keys, log], check=True)
            more = ["--rlpx-keys", log]
        done = subprocess.run([sentinelctl, "replay", "--txs", "--lives", *more, capture], capture_output=True, timeout=300, check=False)
    lines = [json.loads(line) for line in done.stdout.decode().splitlines()]
    return done.returncode, lines, done.stderr.decode()


def of_lives(want, lines, counters):
    """What is said of lives, against `lives`, `included`, `never_seen` and `verdicts`."""
    told = [line for line in lines if line["event"] == "life"]
    state = {t["hash"]: t["state"] for t in told}
    for h, s in sorted(want.lives.items()):
        if state.get(h) != s:
            yield f"{h} is {state.get(h)}, not {s}"
    for name, is_count in (("included", want.included), ("never_seen", want.never_seen)):
        count = int(counters["life_" + name]) - int(counters["life_taken_back" + ("" if name == "included" else "_" + name)])
        if is_count is not None and count != is_count:
            yield f"{name}: {count}, not {is_count}"
    node = {t["hash"]: t["node"] for t in told if t["what"] == "judged"}
    accepted = {v["hash"] for v in want.verdicts if v["accepted"]}  # of several verdicts
    for v in want.verdicts:
        if v.get("hash") and node.get(v["hash"], "unasked") != ("accepted" if v["hash"] in accepted else "refused"):
            yield f"{v['hash']}: {node.get(v['hash'])}, not {v}"


def of_bundles(want, lines):
    """The elements with bytes of each bundle, in their order."""
    got = {}
    for t in (line for line in lines if line["event"] == "tx" and "bundle" in line):
        got.setdefault(t["bundle"]["id"], {})[int(t["bundle"]["pos"])] = t["hash"]
    expected = [{i: e["hash"] for i, e in enumerate(b["elements"]) if e["raw"]} for b in want.bundles]
    expected = [b for b in expected if b]
    if want.bundles and list(got.values()) != expected:
        yield f"bundles: {list(got.values())}, not {expected}"


def differences(want, code, lines):
    found = {t["hash"] for t in lines if t["event"] == "tx"}
    if code != 0:
        yield f"exit status {code}"
    for h in sorted(want.must - found):
        yield f"missing {h}"
    for h in sorted(found - want.may):
        yield f"not one that crossed: {h}"
    summary = lines[-1] if lines and lines[-1]["event"] == "summary" else None
    if summary is None:
        yield "no summary"
        return
    for name, identity in summary["identities"].items():
        if identity["residual"] != "0":
            yield f"identity {name}: {identity['left']} against {identity['right']}"
    for name, value in summary["counters"].items() if want.frames is not None else ():
        judged = name in want.frames or name.startswith(("undec_", "notours_")) or name in ("overlap_conflicts", "st_gap")
        if judged and value != want.frames.get(name, "0"):
            yield f"{name}: {value}, not {want.frames.get(name, '0')}"
    yield from of_lives(want, lines, summary["counters"])
    yield from of_bundles(want, lines)
    shown = {t["hash"] for t in lines if t["event"] == "tx" and t["pending"]}
    for h in sorted(want.mined & shown):
        yield f"{h} is said to be pending"
    for h in sorted(want.pending - shown):
        yield f"{h} is never said to be pending"
    if want.alerts is not None:
        data = [a["alert"]["data"] for a in lines if a["event"] == "alert"]
        got = {(d["transaction"]["hash"], d["rule"]["class"]) for d in data if d["rule"]["class"] in FLASH}
        for h, c in sorted(set(want.alerts.items()) - got):
            yield f"no {c} alert for {h}"
        for h, c in sorted(got - set(want.alerts.items())):
            yield f"a {c} alert for {h}, which is none"


def check(sentinelctl, capture):
    """True if the capture gives what it must, None if it was skipped."""
    name = os.path.basename(capture)
    want = Want(capture)
    if want.skip:
        print(f"{name}: skipped, {want.skip} is not read")
        return None
    code, lines, errors = replay(sentinelctl, capture, want.keys)
    wrong = list(differences(want, code, lines))
    n = len({t["hash"] for t in lines if t["event"] == "tx"})
    alerts = sum(1 for t in lines if t["event"] == "alert")
    print(f"{name}: {'DIFFERS' if wrong else 'ok'}: {n} of {len(want.must)} transactions, {alerts} alerts")
    for w in wrong[:20]:
        print("  " + w)
    if wrong and errors:
        print("  stderr: " + errors.strip()[-500:])
    return not wrong


def main():
    args = sys.argv[1:]
    sentinelctl = DEFAULT
    if args[:1] in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    if args[:1] == ["--sentinelctl"]:
        if len(args) < 2:
            print(__doc__, file=sys.stderr)
            return 2
        sentinelctl, args = args[1], args[2:]
    captures = []
    for a in args or [HERE]:
        if os.path.isdir(a):
            captures += sorted(os.path.join(a, f) for f in os.listdir(a) if f.endswith((".pcap", ".pcapng")))
        else:
            captures.append(a)
    if not captures or not os.path.exists(sentinelctl):
        print("no capture there" if not captures else f"no {sentinelctl}: build first", file=sys.stderr)
        return 2
    good = [check(sentinelctl, c) for c in captures]
    read = [g for g in good if g is not None]
    print(f"{sum(read)} of {len(read)} captures agree, {len(good) - len(read)} skipped")
    return 1 if not all(read) else 0 if read else 77


if __name__ == "__main__":
    sys.exit(main())
