#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Load, with a restart of each process of the box again and again. Real clients submit to anvil, devp2p peers gossip, whatever happens to the box, every
transaction is an alert (every.yaml), a consumer acknowledges and comes back. At the end each transaction is accounted for by its hash: alerted, or it crossed
while there was no dataplane, or it is part of a loss that was told. Restarts of control cost nothing, for the rings hold what comes meanwhile; nor do those
of sentinel-keys, for sessions that cannot be read yet are held.

usage: long.py MINUTES EVERY_S WAY DATAPLANE CONTROL SENTINELCTL BUNDLE KEYS, under with_npm.sh (xdp: under with_huge_pages.sh too)
  EVERY_S  seconds from one restart to the next, of dataplane, control and sentinel-keys in turn; each third of them all is a kill
  WAY      packet (AF_PACKET on the clients' interface) or xdp (AF_XDP on a mirror port)
Prints a line per restart. Needs root. RATE in the environment: transactions a second (default 60; anvil keeps all of them, some 200 kB each). By hand, half an hour
with a restart of each process a minute:
  cd .build && RATE=20 ../tests/e2e/io/with_npm.sh $PWD/tests/e2e/io ../tests/e2e/io/with_huge_pages.sh 400 python3 ../tests/faults/all/long.py 30 20 xdp \\
    $PWD/dataplane/io/sentinel-dataplane $PWD/control/sentinel-control $PWD/tools/sentinelctl/sentinelctl $PWD/tests/e2e/io/every.bundle \\
    $PWD/dataplane/io/keys/sentinel-keys
"""
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
E2E = os.path.join(HERE, "../../e2e")
sys.path.insert(0, os.path.join(E2E, "io"))
import livebox  # noqa: E402
from livebox import THERE  # noqa: E402

MINUTES, EVERY_S, WAY = float(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
PROGRAMS, BUNDLE, KEYS = sys.argv[4:7], sys.argv[7], sys.argv[8]
NODE_FOLDER = os.environ["NODE_FOLDER"]
RATE = os.environ.get("RATE", "60")
ANVIL = os.path.join(NODE_FOLDER, "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil")
RPC = 8545
JOURNAL_MB, KEEP_MB = 1, 4
# what a busy machine may take from a frame's arrival to its alert, or from a program's word to what it stands for
MARGIN_MS = 1000
KILL_EACH = 3
GROWTH_KB, GROWTH = 8192, 1.05
CALLERS = 40  # connections to control at one time, more or less, and three a file of a journal that is not yet as large as it may be
NAMES = "dataplane", "control", "keys"
POLLING, BROUGHT = "polling ports", "sentinel-keys: attached to the dataplane"
WAYS = {"packet": (livebox.Other, f"'net_af_packet0,iface={livebox.PORT},framecnt=32768'"),
        "xdp": (livebox.Mirrored, f"'net_af_xdp0,iface={livebox.Mirrored.MIRROR},busy_budget=0'")}


def now_ms():
    return time.time_ns() / 1e6


class Consumer(threading.Thread):
    """Keeps of an alert its id, its hash and when it was made, and the losses that it is told of; acknowledges; comes back when control does."""

    def __init__(self, box):
        super().__init__(daemon=True)
        self.path, self.alerts, self.losses, self.connections, self.repeats = box.path("socket"), {}, {}, 0, 0
        self.start()

    def run(self):
        while True:
            try:
                self.session()
            except (OSError, ValueError):
                pass
            time.sleep(0.05)

    def session(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
            s.connect(self.path)
            s.sendall(b'{"op":"subscribe","consumer":"pauser","since":%s}\n' % (b"null" if self.alerts else b'"start"'))
            self.connections += 1
            for line in s.makefile("rb"):
                self.take(json.loads(line), s)

    def take(self, event, s):
        if event.get("type") == "sentinel.loss.v1":
            self.losses[event["id"]] = event["data"]
        elif event.get("type") == "sentinel.alert.v1":
            self.repeats += event["id"] in self.alerts
            self.alerts[event["id"]] = event["data"]["transaction"]["hash"], int(event["data"]["times"]["emitted_ns"]) / 1e6
        if "cursor" in event:
            s.sendall(json.dumps({"op": "ack", "cursor": event["cursor"]}).encode() + b"\n")


class Sizes(threading.Thread):
    """Resident memory and open files of the box's processes, once a second: by name, (seconds, kB, files)."""

    def __init__(self, box):
        super().__init__(daemon=True)
        self.box, self.samples = box, {name: [] for name in NAMES}
        with open(f"/proc/{box.control.pid}/maps", encoding="utf-8") as f:
            self.sanitized = "libasan" in f.read()
        self.start()

    def run(self):
        start = time.monotonic()
        while True:
            for name, samples in self.samples.items():
                pid = getattr(self.box, name).pid
                try:
                    with open(f"/proc/{pid}/status", encoding="ascii") as f:
                        kb = int(next(line for line in f if line.startswith("VmRSS")).split()[1])
                    samples.append((time.monotonic() - start, kb, len(os.listdir(f"/proc/{pid}/fd"))))
                except (OSError, StopIteration):
                    pass  # between two of its lives
            time.sleep(1)

    def flat(self):
        """Of each process, what it needed at most in the first third and in the last; an assertion."""
        out = []
        for name, samples in self.samples.items():
            end = samples[-1][0]
            first = [s for s in samples if s[0] < end / 3]
            last = [s for s in samples if s[0] > end * 2 / 3]
            kb, files = [max(s[1] for s in part) for part in (first, last)], [max(s[2] for s in part) for part in (first, last)]
            # AddressSanitizer keeps what was freed
            assert self.sanitized or kb[1] <= kb[0] * GROWTH + GROWTH_KB, f"{name} has grown: {kb} kB"
            assert files[1] <= files[0] + CALLERS, f"{name} has more files open: {files}"
            out.append(f"{name} {kb[0] // 1024} -> {kb[1] // 1024} MiB, {files[0]} -> {files[1]} files")
        return "; ".join(out)


class Restarts:
    """Of one process after the other. blind: when there was no dataplane, in ms since 1970."""

    def __init__(self, box, consumer):
        self.box, self.consumer, self.blind, self.rows, self.n = box, consumer, [], [], 0

    def one(self):
        name = NAMES[self.n % len(NAMES)]
        kill = self.n // len(NAMES) % KILL_EACH == KILL_EACH - 1
        self.n += 1
        old = getattr(self.box, name)
        losses = len(self.consumer.losses)
        began = now_ms()
        old.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        code = old.wait(livebox.PATIENCE_S)
        assert code == (-signal.SIGKILL if kill else 0), f"{name} has ended with {code}\n{self.box.said()}"
        self.box.started.remove(old)
        livebox.STARTED.remove(old)
        ended = now_ms()
        getattr(self, "start_" + name)()
        back = now_ms()
        if name == "dataplane":
            self.blind.append((began, back))
        self.box.wait_for("the two to meet", lambda: self.met())
        self.rows.append({"what": name, "by": "SIGKILL" if kill else "SIGTERM", "began": began, "end_ms": ended - began, "back_ms": back - ended,
                          "met_ms": now_ms() - back, "losses": len(self.consumer.losses) - losses})
        self.tell(self.rows[-1])

    def met(self):
        attached = (self.box.status() or {}).get("dataplane", {})
        return attached.get("attached") and attached.get("pid") == str(self.box.dataplane.pid)

    def start_dataplane(self):
        seen = self.box.said().count(POLLING)
        self.box.dataplane = self.box.start_dataplane()
        self.box.wait_for("the dataplane", lambda: self.box.said().count(POLLING) > seen)

    def start_control(self):
        self.box.control = self.box.start_control()
        self.box.wait_for("control", self.box.status)

    def start_keys(self):
        told = self.box.said().count(BROUGHT)
        self.box.keys = self.box.start_keys()
        self.box.wait_for("sentinel-keys", lambda: self.box.said().count(BROUGHT) > told)

    def tell(self, row):
        made = sum(1 for _, at in list(self.consumer.alerts.values()) if row["began"] <= at <= row["began"] + row["end_ms"] + row["back_ms"])
        meanwhile = f"{made:4} alerts kept in the rings" if row["what"] == "control" else f"{made:4} alerts meanwhile        "
        print(f"{time.strftime('%H:%M:%S')} {row['what']:9} {row['by']}: ended in {row['end_ms']:5.0f} ms, back in {row['back_ms']:5.0f} ms, attached in {row['met_ms']:5.0f} ms; "
              f"{meanwhile}; {row['losses']} losses", flush=True)

    def was_blind(self, line):
        return any(line["from"] < back + MARGIN_MS and line["at"] > began - MARGIN_MS for began, back in self.blind)


def account(lines, restarts, consumer):
    """Every transaction has an alert or a reason. How many of which."""
    ids = {}
    for event_id, (tx, _) in list(consumer.alerts.items()):
        ids.setdefault(tx, set()).add(event_id)
    known = {line["sent"]: line for line in lines}
    invented = ids.keys() - known.keys()
    assert not invented, f"{len(invented)} alerts for what nobody sent"
    twice = {tx: found for tx, found in ids.items() if len(found) > 1}
    # one dataplane told it, and the next met it again before control had told it what was told
    odd = [tx for tx in twice if not restarts.was_blind(known[tx])]
    assert not odd, f"{len(odd)} transactions were alerted twice, the first of them: {known[odd[0]]} {twice[odd[0]]}"
    missing = [line for tx, line in known.items() if tx not in ids]
    blind = [line for line in missing if not line.get("unsent") and restarts.was_blind(line)]
    lost = sum(int(loss["to"]) - int(loss["from"]) + 1 for loss in consumer.losses.values())
    unexplained = [line for line in missing if not line.get("unsent") and not restarts.was_blind(line)]
    assert len(unexplained) <= lost, f"{len(unexplained)} transactions are gone without a word, the first of them: {unexplained[:3]}; blind: {restarts.blind}"
    return {"sent": len(known), "unsent": sum(bool(line.get("unsent")) for line in lines), "alerted": len(ids), "blind": len(blind), "lost": len(unexplained), "twice": len(twice)}


def clean(folder):
    """Nothing is left of the box: no process, no shared memory."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                assert folder.encode() not in f.read(), f"process {pid} is left"
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
                state, parent = f.read().rsplit(")", 1)[1].split()[:2]
            assert state != "Z" or parent != str(os.getpid()), f"zombie {pid}"
        except (FileNotFoundError, ProcessLookupError):
            pass


def journal_size(box):
    files = [os.path.join(box.path("journal"), name) for name in os.listdir(box.path("journal"))]
    return len(files), sum(os.path.getsize(f) for f in files if os.path.exists(f)) / (1 << 20)


def main():
    livebox.enter()
    shm = set(os.listdir("/dev/shm"))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        host, port = WAYS[WAY]
        other = host()
        shutil.copy(os.path.join(E2E, "all/mixed.mjs"), NODE_FOLDER)
        anvil = other.popen(ANVIL, "--host", THERE, "--port", str(RPC), "--accounts", "60", "--block-time", "1", "--gas-limit", "3000000000", "--silent",
                            "--prune-history", "100", "--transaction-block-keeper", "100")
        server = livebox.Peer(other.popen, NODE_FOLDER, "rlpx_peers.mjs", "server", THERE, "steady")
        livebox.wait_for("the node", lambda: livebox.listens(THERE, RPC) and server.said("listening"))
        log = os.path.join(folder, "rlpx")
        os.close(os.open(log, os.O_CREAT | os.O_WRONLY, 0o600))
        box = livebox.Box(folder, PROGRAMS, BUNDLE, port=port, keys=[KEYS, "--keylog", log], control=["--journal-mb", str(JOURNAL_MB), "--keep-mb", str(KEEP_MB)])
        consumer = Consumer(box)
        clients = livebox.Peer(livebox.here, NODE_FOLDER, "mixed.mjs", f"http://{THERE}:{RPC}", "0", RATE)
        gossip = livebox.Peer(livebox.here, NODE_FOLDER, "rlpx_peers.mjs", "client", THERE, box.path("rlpx"), "steady")
        box.wait_for("the clients", lambda: clients.said("ready"))
        sizes, restarts = Sizes(box), Restarts(box, consumer)
        clients.tell("go")
        end = time.monotonic() + MINUTES * 60
        while time.monotonic() + EVERY_S < end:
            next_one = time.monotonic() + EVERY_S
            restarts.one()
            while time.monotonic() < next_one:
                time.sleep(0.1)
        clients.tell("stop")
        gossip.tell("stop")
        box.wait_for("the clients' end", lambda: clients.said("done") and gossip.said("done"))
        lines = [{**line, "sent": line.get("sent", line.get("refused"))} for who in (clients, gossip, server) for line in list(who.lines) if "sent" in line or "refused" in line]
        seeing = {line["sent"] for line in lines if not line.get("unsent") and not restarts.was_blind(line)}
        try:
            box.wait_for("the alerts", lambda: seeing <= {tx for tx, _ in list(consumer.alerts.values())}, 20)
        except SystemExit:
            pass  # account() says what is missing
        counted = account(lines, restarts, consumer)
        box.wait_for("residuals of 0", lambda: not box.residuals(), why=lambda: str(box.residuals()))
        memory = sizes.flat()
        files, mb = journal_size(box)
        assert mb <= 3 * KEEP_MB, f"the journal has {files} files of {mb:.1f} MiB"
        gossip.tell("end")
        gossip.end()
        server.end()
        clients.end()
        box.stop()
        anvil.terminate()
        anvil.wait()
        clean(folder)
        refused = sum("refused" in line for line in lines)
    left = [name for name in set(os.listdir("/dev/shm")) - shm if "sentinel" in name or "rte" in name]
    assert not left, left
    print(f"{json.dumps(counted)}, {refused} of them refused, {consumer.repeats} events told again, {consumer.connections} connections of the consumer; journal {files} files, {mb:.1f} MiB; {memory}")


main()
