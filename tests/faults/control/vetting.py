#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Control asks a node: a stand-in for it that answers, or does everything but; control is killed while it asks.

usage: vetting.py CONTROL SCRIPTED CTL [CASE...]
"""
import json
import os
import signal
import subprocess
import sys
import threading
import time

import faults
import standin_node as standin
from faults import PATIENCE, Consumer, covered, finish_control, journaled, residuals_zero, verify, wait

ACCEPTED, UNCHECKED = 1 << 4, 0xf << 5  # bits of lacks
WAITS = ACCEPTED | UNCHECKED
PROTECTED = "77" * 20


class Dataplane:
    """tests/faults/control/scripted: says what comes back on its output."""

    def __init__(self, box):
        self.process = subprocess.Popen([sys.argv[2], "--channel", box.channel], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.lines = []
        self.n = 0
        threading.Thread(target=self.read, daemon=True).start()
        box.producer_process = self.process

    def read(self):
        for line in self.process.stdout:
            self.lines.append(json.loads(line))

    def memories(self):
        return [x for x in list(self.lines) if "memory" in x]

    def published(self):
        return [x["published"] for x in list(self.lines) if "published" in x]

    def record(self, **words):
        """A record that lacks only what a node can tell; the words it was made of."""
        n = self.n = self.n + 1
        w = {"lane": 1, "grade": 2, "wanted": 3, "has": 1 | 2 | 8 | 16 | 1 << 7, "chain": standin.CHAIN, "nonce": 5, "gas": 21000, "lacks": WAITS,
             "hash": f"{n:016x}" * 4, "from": f"{n:040x}", "to": "11" * 20, "fee": f"{100:064x}", "value": f"{1000:064x}",
             "dedupekey": f"{n:064x}", "protocols": 1, "protocol": PROTECTED, "touches": "01000000"}
        w.update(words)
        return w

    def publish(self, w):
        self.process.stdin.write(" ".join(f"{k}={v}" for k, v in w.items()) + "\n")
        self.process.stdin.flush()

    def done(self):
        self.process.stdin.write("done\n")
        self.process.stdin.flush()

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(PATIENCE) == 0


def listen(box, name="pauser", **subscription):
    consumer = Consumer(box, name, since="start", **subscription)
    consumer.start()
    wait(lambda: box.status()["consumers"] != [], "the consumer is known")
    return consumer


def verdicts(consumer):
    return {i.removesuffix("-vetted"): e for i, e in list(consumer.events.items()) if i.endswith("-vetted")}


def stop(consumer):
    consumer.stopping = True
    consumer.join()
    assert consumer.fault is None, consumer.fault


def check_order(consumer):
    """Each verdict once, behind its record, and with what ties the two."""
    assert len(consumer.ids) == len(set(consumer.ids)), "an event came twice"
    for own, e in verdicts(consumer).items():
        assert consumer.ids.index(own) < consumer.ids.index(e["id"])
        base = consumer.events[own]
        assert e["supersedes"] == own and e["dedupekey"] == base["dedupekey"] and e["source"] == base["source"]
        assert base["data"]["vet"]["node"] == "asked" and base["data"]["grade"] != "pause"
        assert e["data"]["transaction"] == base["data"]["transaction"] and e["data"]["evidence"] == base["data"]["evidence"]


def start(box, node, *more):
    box.control("--node", node.url, *more)
    box.up()
    return Dataplane(box)


def end(box, d, node):
    residuals_zero(box.status())
    node.close()
    d.end()
    finish_control(box)
    covered(box, None)
    verify(box)


def case_answers(box):
    """What a node says decides: pause, or page with the fact; lacks has what was not checked."""
    node = standin.Node()
    node.calls = ["0x" + PROTECTED]
    d = start(box, node, "--vet-ms", "3000")
    consumer, pauses = listen(box), listen(box, "pauses", min_grade="pause")
    cases = [("viable", {}, {}, "pause", "yes", None, []),
             ("came as pause", {"grade": 3, "lane": 0, "lacks": UNCHECKED}, {}, "pause", "yes", None, []),
             ("behind others in the pool", {"nonce": 7}, {"nonce": 5, "pending": 7}, "pause", "yes", None, []),
             ("exactly funded", {}, {"balance": 21000 * 100 + 1000}, "pause", "yes", None, []),
             ("one wei short", {}, {"balance": 21000 * 100 + 999}, "page", "no", "unfunded", ["funds", "simulation"]),
             ("used nonce", {}, {"nonce": 6}, "page", "no", "nonce_used", ["nonce", "simulation"]),
             ("fee of the block", {"fee": f"{10:064x}"}, {}, "pause", "yes", None, []),
             ("fee below", {"fee": f"{9:064x}"}, {}, "page", "no", "fee_below_base", ["fee", "simulation"]),
             ("came as pause, unfunded", {"grade": 3, "lane": 0, "lacks": UNCHECKED}, {"balance": 0}, "page", "no", "unfunded", ["funds", "simulation"])]
    told = {}
    for name, words, account, *rest in cases:
        w = d.record(**words)
        node.know(w, **account)
        d.publish(w)
        told["0x" + w["hash"]] = (name, *rest)
    wait(lambda: len(verdicts(consumer)) == len(cases), "every verdict")
    for e in verdicts(consumer).values():
        name, grade, said, fact, lacks = told[e["data"]["transaction"]["hash"]]
        vet = e["data"]["vet"]
        assert (e["data"]["grade"], vet["node"], vet["fact"]) == (grade, said, fact), (name, e["data"])
        assert e["data"]["lacks"] == lacks, (name, e["data"]["lacks"])
        assert (fact or "rule") in e["data"]["reasons"], (name, e["data"]["reasons"])
    want = sum(grade == "pause" for _, grade, *_ in told.values())
    wait(lambda: len(pauses.ids) == want, "the pauses")
    assert all(i.endswith("-vetted") for i in pauses.ids), pauses.ids
    # what only says it is no record to ask about goes as it is
    other = d.record(lacks=1, grade=2)
    d.publish(other)
    wait(lambda: any(e["data"].get("transaction", {}).get("hash") == "0x" + other["hash"] for e in list(consumer.events.values())), "the other one")
    assert [e["data"]["vet"] for e in consumer.events.values() if e["data"]["transaction"]["hash"] == "0x" + other["hash"]] == [None]
    check_order(consumer)
    one = verdicts(consumer)
    some = next(iter(one.values()))
    got = box.request(op="alerts", since=some["supersedes"], limit=1)
    assert got["id"] in consumer.ids
    assert "error" not in box.request(op="alerts", since=some["id"], limit=1)
    vet = box.status()["vet"]
    assert (vet["asked"], vet["yes"], vet["no"], vet["unknown"]) == (str(len(cases)), str(want), str(len(cases) - want), "0"), vet
    stop(consumer)
    stop(pauses)
    end(box, d, node)
    return f"{len(cases)} verdicts"


def case_until_the_deadline(box):
    """What the node does not know yet is asked again; what it never knows stays at page."""
    node = standin.Node()
    node.calls = ["0x" + PROTECTED]
    d = start(box, node, "--vet-ms", "3000")
    consumer = listen(box)
    late, never, gap, filled = d.record(), d.record(), d.record(nonce=9), d.record(nonce=9)
    node.know(late, known=False)
    node.know(never, known=False)
    node.know(gap, nonce=5)
    node.know(filled, nonce=5)
    for w in (late, never, gap, filled):
        d.publish(w)
    time.sleep(0.2)
    node.know(late)
    node.know(filled, nonce=5, pending=9)
    wait(lambda: len(verdicts(consumer)) == 4, "every verdict")
    by = {e["data"]["transaction"]["hash"][2:]: e["data"] for e in verdicts(consumer).values()}
    assert by[late["hash"]]["grade"] == by[filled["hash"]]["grade"] == "pause"
    assert (by[never["hash"]]["grade"], by[never["hash"]]["vet"]["fact"]) == ("page", "unknown_to_node")
    assert "accepted" in by[never["hash"]]["lacks"]
    assert (by[gap["hash"]]["grade"], by[gap["hash"]]["vet"]["fact"]) == ("page", "nonce_gap")
    assert int(by[never["hash"]]["vet"]["took_us"]) >= 3000000
    check_order(consumer)
    stop(consumer)
    end(box, d, node)
    return "late ones found, missing ones told"


def case_simulation(box):
    """A simulation is told; it denies nothing. Without a tracer a call says half of it."""
    node = standin.Node()
    d = start(box, node, "--vet-ms", "3000")
    consumer = listen(box)
    told = []
    for trace, reverts, calls, words, want in [(True, False, [], {}, ("no", "touches_nothing_protected")), (True, True, [], {}, ("no", "reverts")),
                                               (False, True, [], {}, ("no", "reverts")), (False, False, [], {}, ("unchecked", None)),
                                               (False, False, [], {"protocol": "11" * 20}, ("yes", None)), (True, False, ["0x" + PROTECTED.upper()], {}, ("yes", None))]:
        node.trace, node.reverts, node.calls = trace, reverts, calls
        w = d.record(**words)
        node.know(w)
        d.publish(w)
        told.append((w, want))
        wait(lambda: len(verdicts(consumer)) == len(told), "the verdict")
    by = {e["data"]["transaction"]["hash"][2:]: e["data"] for e in verdicts(consumer).values()}
    for w, (simulation, fact) in told:
        data = by[w["hash"]]
        assert data["grade"] == "pause" and data["vet"]["node"] == "yes", data
        assert (data["vet"]["simulation"], data["vet"]["fact"]) == (simulation, fact), data["vet"]
        assert ("simulation" in data["lacks"]) == (simulation != "yes"), data["lacks"]
    stop(consumer)
    end(box, d, node)
    return f"{len(told)} simulations"


def case_hostile(box):
    """A node that does everything but answer: every alert has its verdict by the deadline, others do not wait, nothing leaks or falls over."""
    node = standin.Node()
    d = start(box, node, "--vet-ms", "250")
    consumer = listen(box)
    n = 0
    for mode in standin.BAD:
        node.mode = mode
        began = time.monotonic()
        waits, accepted, plain = d.record(), d.record(grade=3, lane=0, lacks=UNCHECKED), d.record(lacks=1)
        for w in (waits, accepted, plain):
            d.publish(w)
        n += 2
        wait(lambda: "0x" + plain["hash"] in {e["data"]["transaction"]["hash"] for e in list(consumer.events.values())}, "who is not asked about")
        wait(lambda: len(verdicts(consumer)) == n, f"verdicts with a node that {mode.__name__}")
        took = time.monotonic() - began
        by = {e["data"]["transaction"]["hash"][2:]: e["data"] for e in verdicts(consumer).values()}
        for w, grade in ((waits, "page"), (accepted, "pause")):
            data = by[w["hash"]]
            assert (data["grade"], data["vet"]["node"]) == (grade, "unknown"), (mode.__name__, data["vet"])
            assert data["vet"]["fact"] in ("no_answer", "bad_answer"), (mode.__name__, data["vet"])
            assert {"nonce", "funds", "fee", "simulation"} <= set(data["lacks"]), data["lacks"]
        assert took < 20, (mode.__name__, took)
    with open(f"/proc/{box.control_process.pid}/status", encoding="ascii") as f:
        rss_kb = int(next(x for x in f if x.startswith("VmRSS")).split()[1])
    node.mode = None
    node.calls = ["0x" + PROTECTED]

    def answered():
        nonlocal n
        well = d.record()
        node.know(well)
        d.publish(well)
        n += 1
        wait(lambda: len(verdicts(consumer)) == n, "a verdict of who is well again")
        return list(verdicts(consumer).values())[-1]["data"]["grade"] == "pause"

    assert any(answered() for _ in range(20)), "an answer in time, once it answers: 250 ms are little on a busy machine"
    check_order(consumer)
    stop(consumer)
    end(box, d, node)
    return f"{len(standin.BAD)} ways, {rss_kb} kB resident"


def case_two_nodes(box):
    """The first definite answer counts: a dead node, one that hangs and one of another chain keep nobody waiting."""
    dead, stuck, other, good = (standin.Node() for _ in range(4))
    dead.close()
    stuck.mode = standin.hangs
    other.chain = 5
    good.calls = ["0x" + PROTECTED]
    box.control("--node", dead.url, "--node", stuck.url, "--node", other.url, "--node", good.url, "--vet-ms", "9000")
    box.up()
    d = Dataplane(box)
    consumer = listen(box)
    w = d.record()
    good.know(w)
    other.know(w, balance=0)
    d.publish(w)
    wait(lambda: len(verdicts(consumer)) == 1, "the verdict")
    data = next(iter(verdicts(consumer).values()))["data"]
    assert data["grade"] == "pause" and int(data["vet"]["took_us"]) < 5000000, data["vet"]
    stop(consumer)
    other.close()
    end(box, d, good)
    return f"{data['vet']['took_us']} us"


def case_killed(box):
    """kill -9 while a node is asked: asked again after the restart, each verdict exactly once, and no alert a second time."""
    node = standin.Node()
    node.mode = standin.hangs
    node.calls = ["0x" + PROTECTED]
    d = start(box, node, "--vet-ms", "9000")
    consumer = listen(box)
    words = [d.record() for _ in range(40)] + [d.record(grade=3, lane=0, lacks=UNCHECKED) for _ in range(10)]
    for w in words:
        node.know(w)
        d.publish(w)
    wait(lambda: len(consumer.alerts()) == 50, "the alerts")
    assert verdicts(consumer) == {}
    for _ in range(3):
        box.control_process.kill()
        box.control_process.wait()
        node.mode = None
        box.control("--node", node.url, "--vet-ms", "9000", "--journal-mb", "1")
        box.up()
        time.sleep(0.05)
    wait(lambda: len(verdicts(consumer)) == 50, "every verdict")
    time.sleep(0.3)
    assert all(e["data"]["grade"] == "pause" for e in verdicts(consumer).values())
    check_order_after_restart(consumer)
    ids = box.rows("SELECT epoch, ring, seq, vetted FROM alerts")
    assert len(ids) == len(set(ids)) == 100, len(ids)
    stop(consumer)
    end(box, d, node)
    return "50 alerts, 50 verdicts"


def check_order_after_restart(consumer):
    for own, e in verdicts(consumer).items():
        assert consumer.ids.index(own) < consumer.ids.index(e["id"])


def case_without(box):
    """Without a node a pause goes out as pause with what was not checked; what was asked before gets its word all the same."""
    node = standin.Node()
    node.mode = standin.hangs
    d = start(box, node, "--vet-ms", "9000")
    consumer = listen(box)
    asked = d.record(grade=3, lane=0, lacks=UNCHECKED)
    d.publish(asked)
    wait(lambda: len(consumer.alerts()) == 1, "the alert")
    assert list(consumer.events.values())[0]["data"]["grade"] == "page"
    finish_control(box)
    box.control()
    box.up()
    wait(lambda: len(verdicts(consumer)) == 1, "the verdict")
    data = list(verdicts(consumer).values())[0]["data"]
    assert (data["grade"], data["vet"]["node"], data["vet"]["fact"]) == ("pause", "unknown", "no_answer"), data["vet"]
    plain, waits = d.record(grade=3, lane=0, lacks=UNCHECKED), d.record()
    d.publish(plain)
    d.publish(waits)
    wait(lambda: len(consumer.events) == 4, "the others")
    by = {e["data"]["transaction"]["hash"][2:]: e["data"] for e in consumer.events.values()}
    assert (by[plain["hash"]]["grade"], by[plain["hash"]]["vet"]) == ("pause", None)
    assert set(by[plain["hash"]]["lacks"]) == {"nonce", "funds", "fee", "simulation"}
    assert (by[waits["hash"]]["grade"], by[waits["hash"]]["vet"]) == ("page", None)
    assert box.status()["vet"] is None
    stop(consumer)
    end(box, d, node)
    return "pause as it came"


def case_flood(box):
    """Thousands that no node has accepted, and a node that hangs: those that one has accepted are asked all the same, and nothing is lost."""
    node = standin.Node()
    node.calls = ["0x" + PROTECTED]
    d = start(box, node, "--vet-ms", "3000")
    consumer = listen(box)
    known = [d.record(grade=3, lane=0, lacks=UNCHECKED) for _ in range(20)]
    for w in known:
        node.know(w)
    for _ in range(3000):
        d.publish(d.record())
    for w in known:
        d.publish(w)
    wait(lambda: len([i for i in consumer.ids if not i.endswith("-vetted")]) == 3020, "every alert")
    wait(lambda: box.status()["vet"]["asked"] == str(len(verdicts(consumer))) and not vetting(box), "every verdict that was promised")
    vet = box.status()["vet"]
    assert int(vet["asked"]) + int(vet["not_asked"]) == 3020, vet
    by = {e["data"]["transaction"]["hash"][2:]: e["data"] for e in list(consumer.events.values())}
    paused = [w for w in known if by[w["hash"]]["grade"] == "pause" and by[w["hash"]]["vet"]["node"] == "yes"]
    assert len(paused) == 20, (len(paused), vet)
    promised = {i for i, e in consumer.events.items() if e["data"]["vet"] and e["data"]["vet"]["node"] == "asked"}
    assert promised == set(verdicts(consumer)), "every promise is kept"
    check_order(consumer)
    stop(consumer)
    end(box, d, node)
    return f"{vet['asked']} asked, {vet['not_asked']} not, {vet['requests']} requests"


def case_decoys(box):
    """Hundreds that the node will never know, funded and all, do not keep it from being asked about those that it does."""
    node = standin.Node()
    node.calls = ["0x" + PROTECTED]
    d = start(box, node, "--vet-ms", "1500")
    consumer = listen(box)
    decoys, real = [d.record() for _ in range(500)], [d.record() for _ in range(20)]
    for w in decoys:
        node.know(w, known=False)
    for w in real:
        node.know(w)
    for w in decoys + real:
        d.publish(w)
    wait(lambda: len(verdicts(consumer)) == 520, "every verdict")
    by = {e["data"]["transaction"]["hash"][2:]: e["data"] for e in verdicts(consumer).values()}
    assert all(by[w["hash"]]["grade"] == "pause" and by[w["hash"]]["vet"]["node"] == "yes" for w in real), [by[w["hash"]]["vet"] for w in real]
    assert all(by[w["hash"]]["grade"] == "page" for w in decoys)
    slowest = max(int(by[w["hash"]]["vet"]["took_us"]) for w in real)
    check_order(consumer)
    stop(consumer)
    end(box, d, node)
    return f"the slowest of 20 behind 500 decoys: {slowest} us"


def vetting(box):
    vet = box.status()["vet"]
    return vet["waiting"] != "0" or vet["running"] != "0"


def case_disk_full(box):
    """The journal is down: what a node confirms goes out as pause, marked not durable."""
    node = standin.Node()
    node.calls = ["0x" + PROTECTED]
    d = start(box, node, "--vet-ms", "3000")
    consumer = listen(box)
    faults.limit_files(box, 4096)
    w = d.record(grade=3, lane=0, lacks=UNCHECKED)
    node.know(w)
    d.publish(w)
    wait(lambda: any(e["data"]["grade"] == "pause" for e in list(consumer.events.values())), "the pause")
    assert not verdicts(consumer)[d.published()[0]]["data"]["durable"]
    faults.limit_files(box, faults.resource.RLIM_INFINITY)
    wait(lambda: not box.status()["journal"]["failed"], "the journal heals")
    wait(lambda: box.status()["journal"]["events"] == "2" and len(journaled(box)) == 1, "both are journaled")
    stop(consumer)
    end(box, d, node)
    return "told, then journaled"


def case_command_line(box):
    """What is no node is refused before anything runs; an address with a password is not repeated."""
    for wrong in (["--node", "https://user:secret@h"], ["--node", "ftp://x"], ["--node", "unix:relative"], ["--node", "http://"], ["--node"],
                  ["--vet-ms", "0"], ["--vet-ms", "10001"], ["--vet-ms", "1s"], ["--node", "http://a"] * 5):
        p = subprocess.run([faults.CONTROL, "--channel", box.channel, "--socket", box.socket, "--journal", box.journal, *wrong],
                           capture_output=True, text=True, timeout=PATIENCE)
        assert p.returncode == 2 and not p.stdout and "secret" not in p.stderr, (wrong, p)
    return "refused"


SILENT = r"""
import os, socket, subprocess, sys
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
for name, text in (("resolv.conf", "nameserver 127.0.0.1\nsearch one.example two.example\n"), ("nsswitch.conf", "hosts: files dns\n")):
    with open(os.path.join(sys.argv[1], name), "w") as f:
        f.write(text)
    subprocess.run(["mount", "--bind", f.name, "/etc/" + name], check=True)
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
server.set_inheritable(True)
os.execv(sys.argv[2], sys.argv[2:])
"""


def case_dead_names(box):
    """Names are asked of a server that takes the question and is silent: control serves all the same, at once if no node has a name, and ends when told."""
    if subprocess.run(["unshare", "--net", "--mount", "true"], capture_output=True).returncode != 0:
        return "left out: may make no namespaces"
    took = []
    for node, patience in (("http://127.0.0.1:1", 3), ("http://[::1]:1", 3), ("http://node.example:1", 6)):
        started = time.monotonic()
        box.control_process = subprocess.Popen(["unshare", "--net", "--mount", sys.executable, "-c", SILENT, box.folder, faults.CONTROL, "--channel", box.channel,
                                                "--socket", box.socket, "--journal", box.journal, "--node", node], stderr=box.log)
        wait(lambda: faults.tries(box.status) is not None, "control answers", patience)
        took.append(time.monotonic() - started)
        finish_control(box)
        assert time.monotonic() - started < patience, "the end waits for names"
    return ", ".join(f"{t:.1f} s" for t in took)


CASES = {k[5:]: v for k, v in globals().items() if k.startswith("case_")}
if __name__ == "__main__":
    sys.exit(faults.main(CASES))
