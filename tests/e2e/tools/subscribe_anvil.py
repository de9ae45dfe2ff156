#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""`sentinelctl subscribe` on a real node: every transaction submitted to anvil is received, also after the node was restarted.

usage: subscribe_anvil.py SENTINELCTL ANVIL
"""
import json
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

CTL, ANVIL = sys.argv[1:3]
PATIENCE_S = 60
COUNT = 50


def wait_for(what, condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"waited in vain for {what}")
        time.sleep(0.02)


def start_node(port):
    node = subprocess.Popen([ANVIL, "--host", "127.0.0.1", "--port", str(port), "--no-mining", "--silent"])
    def listening():
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", port)) == 0
    wait_for("anvil", listening)
    return node


def call(port, method, *params):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as f:
        answer = json.load(f)
    if "error" in answer:
        sys.exit(f"{method}: {answer['error']}")
    return answer["result"]


def submit(port):
    accounts = call(port, "eth_accounts")
    hashes = {call(port, "eth_sendTransaction", {"from": accounts[i % 10], "to": accounts[(i + 1) % 10], "value": hex(i + 1), "gas": "0x5208"})
              for i in range(COUNT)}
    assert len(hashes) == COUNT


def main():
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
    lines = []
    started = [start_node(port)]
    ctl = subprocess.Popen([CTL, "subscribe", f"ws://127.0.0.1:{port}", "--json", "--every", "1"], stdout=subprocess.PIPE, text=True)
    started.append(ctl)
    reader = threading.Thread(target=lambda: lines.extend(json.loads(l) for l in iter(ctl.stdout.readline, "")), daemon=True)
    reader.start()
    received = lambda: int(lines[-1]["received"])
    try:
        wait_for("the subscription", lambda: lines)
        submit(port)
        wait_for(f"{COUNT} transactions", lambda: received() >= COUNT)
        started[0].kill()
        started[0].wait()
        started[0] = start_node(port)
        wait_for("the second subscription", lambda: lines[-1]["reconnects"] == "1")
        submit(port)
        wait_for(f"{2 * COUNT} transactions", lambda: received() >= 2 * COUNT)
        ctl.send_signal(signal.SIGTERM)
        assert ctl.wait(PATIENCE_S) == 0
        reader.join()
    finally:
        for p in started:
            p.kill()
            p.wait()
    last = lines[-1]
    assert last["event"] == "end", last
    assert (last["received"], last["reconnects"], last["other"]) == (str(2 * COUNT), "1", "0"), last
    print(f"{last['received']} of {2 * COUNT} transactions received, {last['hashes']} of them as hashes, over a restart of the node")


main()
