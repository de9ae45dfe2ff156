#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Turns the session secrets of a recording (NAME.keys.json) into a key log.

usage: keys_to_log.py [--no-nonces] NAME.keys.json OUTPUT. The output's mode is 0600.
"""
import json
import os
import sys


def main():
    args = sys.argv[1:]
    nonces = "--no-nonces" not in args
    args = [a for a in args if a != "--no-nonces"]
    if len(args) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    with open(args[0], encoding="utf-8") as f:
        sessions = json.load(f)["sessions"]
    fd = os.open(args[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(fd, 0o600)
    with os.fdopen(fd, "w", encoding="ascii") as f:
        f.write("# from " + os.path.basename(args[0]) + "\n")
        for s in sessions:
            line = ["rlpx", s["aesSecret"], s.get("macSecret") or "-", s.get("client") or "-", s.get("server") or "-"]
            if nonces and s.get("initiator", {}).get("nonce") and s.get("recipient", {}).get("nonce"):
                line += [s["initiator"]["nonce"], s["recipient"]["nonce"]]
            f.write(" ".join(line) + "\n")
    return 0


sys.exit(main())
