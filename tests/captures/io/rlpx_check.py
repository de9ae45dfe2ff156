#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs rlpx_replay over a recording and compares each crossing with what its clients say crossed.

usage: rlpx_check.py RLPX_REPLAY NAME.pcap. Beside it: NAME.keys.json, NAME.expected.json. Also with a key log that is read late, with one that lacks
endpoints and with one that lacks nonces, and with a capture that begins inside the sessions. Exit 0 only if nothing differs.
"""
import collections
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
KEYS_TO_LOG = os.path.join(HERE, "../recording/keys_to_log.py")


def run(replay, pcap, log, *more):
    done = subprocess.run([replay, pcap, log, *more], capture_output=True, timeout=300, check=True)
    lines = done.stdout.decode().splitlines()
    counts = {k: int(v) for k, v in (w.split("=") for w in lines.pop().split()[1:])}
    return collections.Counter(lines), counts


def expected(path):
    with open(path, encoding="utf-8") as f:
        e = json.load(f)
    want = collections.Counter()
    for t in e["transactions"] + e.get("mentions", []):
        port = t["conn"].split(":")[-1]
        want[f"{t['carrier'].replace('rlpx-', '')} {t['hash'][2:].lower()} {port} {t['direction']}"] += 1
    return want


class Check:
    def __init__(self):
        self.failed = 0

    def equal(self, name, want, got):
        missing, extra = want - got, got - want
        print(f"{name}: {'ok' if not missing and not extra else 'DIFFERS'}: {sum(got.values())} of {sum(want.values())} crossings")
        self.true(name, not missing and not extra, [f"missing {k}" for k in list(missing)[:5]] + [f"extra {k}" for k in list(extra)[:5]])

    def true(self, name, ok, details=()):
        if not ok:
            self.failed += 1
            print(f"{name}: FAILED")
            for d in details:
                print("  " + str(d))


def main():
    replay, pcap = sys.argv[1:3]
    base = pcap[:-len(".pcap")]
    want = expected(base + ".expected.json")
    check = Check()
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "keys")
        subprocess.run([sys.executable, KEYS_TO_LOG, base + ".keys.json", log], check=True)
        got, counts = run(replay, pcap, log)
        check.equal("whole", want, got)
        sessions = counts["SESSIONS"]
        clean = all(counts[c] == 0 for c in ("BAD_HEADER", "BAD_MESSAGE", "NO_BUFFER", "OVERSIZE", "MAC_BAD", "LOST", "malformed", "over",
                                             "opaque", "unsynced", "lost"))
        check.true("nothing lost", clean, [counts])
        check.true("every MAC checked", counts["MAC_GOOD"] == counts["MESSAGES"] > 0, [counts])
        check.true("Hellos", counts["HELLOS"] == 2 * sessions > 0, [counts])

        with open(log, encoding="ascii") as f:
            lines = [line.split() for line in f if line.startswith("rlpx")]
        bare = os.path.join(folder, "bare")
        with open(os.open(bare, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as f:
            f.write("".join(f"rlpx {'ab' * 31}{i:02x} - - -\n" for i in range(100)))
            f.write("".join(f"rlpx {w[1]} - - -\n" for w in lines))
        got, counts = run(replay, pcap, bare)
        check.equal("by first header", want, got)
        check.true("no MAC checked", counts["MAC_GOOD"] == 0)

        late = run(replay, pcap, bare, "--late", "40")
        check.equal("key late, window holds all", want, late[0])

        for keys, name in ((log, "endpoints"), (bare, "trial")):
            got, counts = run(replay, pcap, keys, "--from", "60")
            check.true(f"mid-stream by {name}: only what crossed", not got - want, list(got - want)[:3])
            check.true(f"mid-stream by {name}: joined", counts["RESYNCS"] >= 2 and sum(got.values()) > sum(want.values()) // 2,
                       [counts, sum(got.values()), sum(want.values())])
            print(f"mid-stream by {name}: {sum(got.values())} of {sum(want.values())}")

        os.truncate(bare, 0)
        with open(bare, "w", encoding="ascii") as f:
            f.write("rlpx " + "cd" * 32 + " - - -\n")
        got, counts = run(replay, pcap, bare)
        check.true("wrong key", not got and counts["SESSIONS"] == 0 and counts["opaque"] > 0, [counts])
    return 1 if check.failed else 0


sys.exit(main())
