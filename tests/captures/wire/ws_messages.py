#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Compares the messages that ws_dump finds in a recording with what its clients counted: ws_messages.py WS_DUMP CAPTURE."""
import json
import re
import subprocess
import sys


def carrier(side, message):
    result = message.get("result")
    if side == "0":
        return "ws-jsonrpc" if message.get("method") == "eth_sendRawTransaction" else None
    if message.get("method") == "eth_subscription":
        return "ws-subscription-full" if isinstance(message["params"]["result"], dict) else "ws-subscription-hash"
    return "ws-jsonrpc-result" if isinstance(result, str) and re.fullmatch("0x[0-9a-f]{64}", result) else None


def main():
    dump, capture = sys.argv[1:]
    with open(capture[:-len("pcap")] + "expected.json", encoding="utf-8") as f:
        want = json.load(f)
    done = subprocess.run([dump, capture], capture_output=True, timeout=60, check=False)
    found, hashes = {}, set()
    for line in done.stdout.decode().splitlines():
        whole = json.loads(line[2:])
        for message in whole if isinstance(whole, list) else [whole]:
            name = carrier(line[0], message)
            if name:
                found[name] = found.get(name, 0) + 1
            if name == "ws-subscription-full":
                hashes.add(message["params"]["result"]["hash"])
    print(found, "exit", done.returncode)
    # every transaction of these recordings is pushed as a full object
    return 0 if done.returncode == 0 and found == want["byCarrier"] and hashes == set(want["hashes"]) else 1


sys.exit(main())
