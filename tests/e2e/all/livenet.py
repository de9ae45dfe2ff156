# SPDX-License-Identifier: BSD-3-Clause
"""What the live tests of detection share: an attacker with ethers on this host, anvil and a liar on the other one, a consumer on control's socket."""
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../io"))
import livebox  # noqa: E402
from livebox import THERE  # noqa: E402

NODE_FOLDER = os.environ["NODE_FOLDER"]
ANVIL = os.path.join(NODE_FOLDER, "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil")
NODE, LIAR = f"http://{THERE}:8545", f"http://{THERE}:8547"
VAULT = "0x1234567890123456789012345678901234567890"
PROFILE = f"protocols: {{vault: [\"{VAULT}\"]}}\n"
CODES = os.path.join(HERE, "../../unit/detect/codes/codes.hex")
SAMPLE = os.path.join(HERE, "../../corpus/sample.ndjson")


def code(name):
    """Init code of the unit tests by its name."""
    with open(CODES, encoding="ascii") as f:
        lines = f.read().split("\n")
    return "0x" + lines[lines.index("# " + name) + 1]


def attack(programs, bundle, past):
    """Init code of the corpus, VAULT's address as its arguments, that the rules would pause for when it is called, and that anvil deploys."""
    with open(SAMPLE, encoding="utf-8") as f:
        codes = [line["init_code"] + ("00" * 12 + VAULT[2:]) * 16 for line in map(json.loads, f)]
    with tempfile.NamedTemporaryFile("w", suffix=".ndjson") as txs:
        for i, c in enumerate(codes, 1):
            txs.write(json.dumps({"hash": f"0x{i:064x}", "from": f"0x{i:040x}", "to": None, "nonce": "0x0", "gas": "0x1", "value": "0x0", "input": c, "type": "0x0"}) + "\n")
        txs.flush()
        out = subprocess.run([programs[0], "--offline", "run", "--txs", txs.name, "--bundle", bundle, "--protect", VAULT], check=True, capture_output=True, text=True).stdout
    for line in map(json.loads, out.splitlines()):
        d = line["alert"]["data"] if line["event"] == "alert" else None
        if d is None or d["rule"]["class"] != "flash_deploy" or int(d["score"] or 0) < 850 or int(d["learned"] or 0) < 900:
            continue
        c = codes[int(d["transaction"]["hash"], 16) - 1]
        if past("eth_call", {"data": c, "gas": hex(8000000)}, quiet=True) not in (None, "0x"):
            return c
    sys.exit("no code of the sample is worth a pause")


class Past:
    """anvil by its IPC socket: past the wire."""

    def __init__(self, path):
        self.path = path

    def __call__(self, method, *params, quiet=False):
        """The result; of an error, if quiet, None."""
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.path)
            s.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode() + b"\n")
            text = b""
            while True:
                text += s.recv(1 << 20)
                try:
                    answer = json.loads(text)
                    break
                except ValueError:
                    continue
        if "error" in answer and quiet:
            return None
        if "error" in answer:
            sys.exit(f"{method}: {answer['error']}")
        return answer["result"]


class Attacker(livebox.Peer):
    """attacker.mjs; order() waits for its answer."""

    def __init__(self):
        for name in ("attacker.mjs", "liar.mjs"):
            shutil.copy(os.path.join(HERE, name), NODE_FOLDER)
        super().__init__(livebox.here, NODE_FOLDER, "attacker.mjs", NODE)
        self.nonces, self.n = {}, 0

    def order(self, do, **words):
        self.n += 1
        n = self.n
        self.tell(json.dumps({"id": n, "do": do, **words}))
        find = lambda: next((line for line in list(self.lines) if line["id"] == n), None)
        livebox.wait_for("the attacker", find)
        return find()

    def send(self, key, to=None, data="0x", gap=0, **more):
        """A transaction of the key's next nonce; gap: of one so much later. Its hash, sender, the contract that it creates, or the node's error."""
        nonce = self.nonces.get(key, 0)
        done = self.order("send", key=key, to=to, data=data, nonce=nonce + gap, **more)
        if not gap and "error" not in done:
            self.nonces[key] = nonce + 1
        return done


class Consumer(threading.Thread):
    """Reads every event from control's socket, and comes back when control does."""

    def __init__(self, box):
        super().__init__(daemon=True)
        self.box, self.events, self.stopped = box, [], False
        self.start()

    def run(self):
        while not self.stopped:
            try:
                self.session()
            except (OSError, ValueError):
                pass
            threading.Event().wait(0.02)

    def session(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
            s.connect(self.box.path("socket"))
            s.sendall(b'{"op":"subscribe","consumer":"pauser","since":%s}\n' % (b"null" if self.events else b'"start"'))
            for line in s.makefile("rb"):
                event = json.loads(line)
                if "type" in event and "cursor" in event:
                    self.events.append(event)
                    s.sendall(json.dumps({"op": "ack", "cursor": event["cursor"]}).encode() + b"\n")

    def of(self, **wanted):
        """Events, once each, in the order they came, of a transaction (hash), class, dedupekey, type or grade."""
        out = {}
        for e in list(self.events):
            d = e["data"]
            if e["type"] == "sentinel.loss.v1" or not d.get("transaction"):
                continue
            have = {"hash": d["transaction"]["hash"], "class_": d["rule"]["class"], "dedupekey": e["dedupekey"], "type": e["type"], "grade": d["grade"]}
            if all(have[k] == v for k, v in wanted.items()):
                out.setdefault(e["id"], e)
        return list(out.values())

    def first(self, **wanted):
        return next((e for e in self.of(**wanted) if e["supersedes"] is None), None)

    def wait(self, what, test, **wanted):
        """The first such event that passes the test; None: the first that was made, which the critical lane may have overtaken."""
        find = lambda: next((e for e in self.of(**wanted) if test(e["data"])), None) if test else self.first(**wanted)
        self.box.wait_for(what, find, 30, lambda: "\n".join(json.dumps(e) for e in self.of(**wanted)))
        return find()


class Scene:
    """Two hosts, anvil and the liar on the other one, the attacker on this one."""

    def __init__(self, folder):
        self.other = livebox.Other()
        ipc = os.path.join(folder, "past")
        self.anvil = self.other.popen(ANVIL, "--host", "0.0.0.0", "--port", "8545", "--no-mining", "--silent", "--ipc", ipc)
        self.past = Past(ipc)
        self.attacker = Attacker()
        self.liar = livebox.Peer(self.other.popen, NODE_FOLDER, "liar.mjs", THERE, "8547")
        livebox.wait_for("the nodes", lambda: self.liar.said("listening") and livebox.listens(THERE, 8545) and os.path.exists(ipc))
        # whoever calls the vault, or asks it for a loan, is told yes
        self.past("anvil_setCode", VAULT, "0x600160005260206000f3")

    def reconnect(self):
        """Connections that the box sees from their beginning: on those from before its start no evidence is clean."""
        nonces = self.attacker.nonces
        self.attacker.end()
        self.attacker = Attacker()
        self.attacker.nonces = nonces

    def mine(self):
        """A block; then somebody looks at it, over the wire."""
        self.past("evm_mine")
        return self.attacker.order("ask", method="eth_getBlockByNumber", params=["latest", True])["result"]

    def end(self):
        self.attacker.end()
        self.liar.end()
        self.anvil.terminate()
        self.anvil.wait()
