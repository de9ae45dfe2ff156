#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""sentinel-control asks a real node: transactions in anvil's pool, records of them from a scripted dataplane, the verdicts.

usage: vet_anvil.py CONTROL SCRIPTED ANVIL
"""
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

CONTROL, SCRIPTED, ANVIL = sys.argv[1:4]
PATIENCE_S = 60
GUARDED = "77" * 20  # the protected contract
CALLER, REVERTER = "c0" * 20, "c1" * 20  # calls it; always reverts
# PUSH1 0 x5, PUSH20 GUARDED, GAS, CALL, STOP
CALLER_CODE = "0x" + "6000" * 5 + "73" + GUARDED + "5af100"
REVERTER_CODE = "0x60006000fd"
# lacks: what the dataplane leaves to a node
WAITS, UNCHECKED = 0x1f << 4, 0xf << 5


def wait_for(what, condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"waited in vain for {what}")
        time.sleep(0.02)


class Node:
    def __init__(self):
        with socket.create_server(("127.0.0.1", 0)) as s:
            self.port = s.getsockname()[1]
        self.process = subprocess.Popen([ANVIL, "--host", "127.0.0.1", "--port", str(self.port), "--no-mining", "--silent"])
        wait_for("anvil", self.listening)
        self.chain = int(self.call("eth_chainId"), 16)
        self.accounts = self.call("eth_accounts")

    def listening(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def call(self, method, *params):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as f:
            answer = json.load(f)
        if "error" in answer:
            sys.exit(f"{method}: {answer['error']}")
        return answer["result"]

    def submit(self, account, to=CALLER, **more):
        """Into the pool; the transaction as the node has it."""
        tx = {"from": self.accounts[account], "to": "0x" + to, "value": "0x10", "gas": "0x186a0", "maxFeePerGas": hex(10**10),
              "maxPriorityFeePerGas": "0x1", **more}
        return self.call("eth_getTransactionByHash", self.call("eth_sendTransaction", tx))


class Box:
    """A dataplane that says what it is told to, control, and whoever reads its alerts."""

    def __init__(self, folder, node):
        self.node = node
        self.events = []
        self.socket = os.path.join(folder, "c.sock")
        self.log = open(os.path.join(folder, "log"), "wb")
        channel = os.path.join(folder, "d.sock")
        self.dataplane = subprocess.Popen([SCRIPTED, "--channel", channel], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        self.control = subprocess.Popen([CONTROL, "--channel", channel, "--socket", self.socket, "--journal", os.path.join(folder, "journal"),
                                         "--node", f"http://127.0.0.1:{node.port}", "--vet-ms", "2000"], stderr=self.log)
        s = socket.socket(socket.AF_UNIX)
        wait_for("control", lambda: s.connect_ex(self.socket) == 0)
        s.sendall(b'{"op":"subscribe","consumer":null,"since":"start"}\n')
        threading.Thread(target=self.read, args=(s,), daemon=True).start()

    def read(self, connection):
        for line in connection.makefile("rb"):
            self.events.append(json.loads(line))

    def close(self):
        for p in (self.dataplane, self.control):
            p.kill()
            p.wait()
        self.log.close()

    def publish(self, tx, **words):
        word = lambda v: f"{int(v, 16):064x}"
        w = {"hash": tx["hash"][2:], "from": tx["from"][2:], "to": tx["to"][2:], "nonce": tx["nonce"], "gas": tx["gas"], "value": word(tx["value"]),
             "fee": word(tx["maxFeePerGas"]), "chain": self.node.chain, "has": 0x9b, "grade": 2, "wanted": 3, "lacks": WAITS,
             "dedupekey": tx["hash"][2:], "protocols": 1, "protocol": GUARDED, "touches": "01000000", **words}
        self.dataplane.stdin.write(" ".join(f"{k}={v}" for k, v in w.items()) + "\n")
        self.dataplane.stdin.flush()

    def verdict(self, tx, nth=1):
        found = []

        def there():
            found[:] = [e for e in list(self.events) if e["id"].endswith("-vetted") and e["data"]["transaction"]["hash"] == tx["hash"]]
            return len(found) >= nth
        wait_for(f"the verdict on {tx['hash']}", there)
        assert len(found) == nth, found
        return found[-1]["data"]

    def expect(self, what, tx, grade, node, fact, nth=1, **vet):
        data = self.verdict(tx, nth)
        got = (data["grade"], data["vet"]["node"], data["vet"]["fact"])
        assert got == (grade, node, fact), (what, got, data["vet"])
        for k, v in vet.items():
            assert data["vet"][k] == v, (what, data["vet"])
        print(f"{what}: {grade}, {data['vet']['took_us']} us", flush=True)


def check(box, node):
    node.call("anvil_setCode", "0x" + CALLER, CALLER_CODE)
    node.call("anvil_setCode", "0x" + REVERTER, REVERTER_CODE)
    every = {"accepted": "yes", "nonce": "yes", "funds": "yes", "fee": "yes"}

    good = node.submit(0)
    box.publish(good)
    box.expect("viable, and it calls the protected contract", good, "pause", "yes", None, simulation="yes", **every)
    assert box.verdict(good)["lacks"] == []

    behind = node.submit(0)
    assert int(behind["nonce"], 16) == int(good["nonce"], 16) + 1
    box.publish(behind, lacks=UNCHECKED, grade=3, lane=0)
    box.expect("behind another in the pool", behind, "pause", "yes", None, nonce="yes")

    reverts = node.submit(1, REVERTER)
    box.publish(reverts)
    box.expect("reverts when simulated: told, not denied", reverts, "pause", "yes", "reverts", simulation="no", **every)

    elsewhere = node.submit(2, "ee" * 20)
    box.publish(elsewhere)
    box.expect("calls nothing protected: told, not denied", elsewhere, "pause", "yes", "touches_nothing_protected", simulation="no", **every)

    poor = node.submit(3)
    node.call("anvil_setBalance", node.accounts[3], "0x1")
    box.publish(poor)
    box.expect("unfunded", poor, "page", "no", "unfunded", accepted="yes", funds="no")

    gap = node.submit(4, nonce="0x7")
    box.publish(gap, lacks=UNCHECKED, grade=3, lane=0)
    box.expect("nonce gap", gap, "page", "no", "nonce_gap", nonce="no")

    unknown = dict(node.submit(5), hash="0x" + "5a" * 32)
    box.publish(unknown)
    box.expect("a hash that the node does not know", unknown, "page", "no", "unknown_to_node", accepted="no")

    other = dict(good, hash="0x" + "5c" * 32)
    box.publish(other, chain=node.chain + 1)
    box.expect("another chain", other, "page", "unknown", "other_chain")

    # a block: what it held is mined; then the next block's base fee counts, which is lower behind an empty one
    node.call("anvil_setNextBlockBaseFeePerGas", hex(5 * 10**9))
    node.call("evm_mine")
    mined = node.call("eth_getTransactionByHash", elsewhere["hash"])
    assert mined["blockNumber"] is not None
    box.publish(mined, trust=1 << 11, ending=1)
    box.expect("mined", mined, "pause", "yes", None, 2, **every)
    node.call("evm_mine")
    latest = int(node.call("eth_getBlockByNumber", "latest", False)["baseFeePerGas"], 16)
    then = int(node.call("eth_feeHistory", "0x1", "latest", [])["baseFeePerGas"][-1], 16)
    assert then < latest, (then, latest)
    lower = node.submit(6, maxFeePerGas=hex((then + latest) // 2))
    box.publish(lower)
    box.expect("a fee between the next block's base fee and the last one's", lower, "pause", "yes", None, fee="yes")
    cheap = dict(lower, maxFeePerGas=hex(then - 1), hash=lower["hash"])  # as if it had said less
    box.publish(cheap)
    box.expect("fee below the base fee", cheap, "page", "no", "fee_below_base", 2, fee="no")
    used = dict(lower, nonce="0x0", hash="0x" + "5b" * 32, **{"from": node.accounts[0]})
    box.publish(used)
    box.expect("its nonce is used", used, "page", "no", "nonce_used", nonce="no")


def main():
    node = Node()
    with tempfile.TemporaryDirectory(prefix="sentinel-") as folder:
        box = Box(folder, node)
        try:
            check(box, node)
            box.dataplane.stdin.close()
            assert box.dataplane.wait(PATIENCE_S) == 0
        finally:
            box.close()
            node.process.kill()
            node.process.wait()


main()
