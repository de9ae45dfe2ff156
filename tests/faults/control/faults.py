#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Control and a producer in two processes, killed, stopped and starved: nothing is lost that was written, nothing comes
twice after dedupe by id, and what was lost is told.

usage: faults.py CONTROL PRODUCER CTL [CASE...]
"""
import contextlib
import grp
import json
import os
import random
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

CONTROL, PRODUCER, CTL = sys.argv[1:4]
PATIENCE = 60
random.seed(int(os.environ.get("SEED", "1")))


class Box:
    """A folder with a channel, a control socket and a journal."""

    def __init__(self, folder):
        self.folder = folder
        self.channel = os.path.join(folder, "d.sock")
        self.socket = os.path.join(folder, "c.sock")
        self.journal = os.path.join(folder, "journal")
        self.log = open(os.path.join(folder, "log"), "ab")
        self.control_process = None
        self.producer_process = None

    def control(self, *args):
        self.control_process = subprocess.Popen(
            [CONTROL, "--channel", self.channel, "--socket", self.socket, "--journal", self.journal, *args], stderr=self.log)
        return self.control_process

    def producer(self, *args):
        self.producer_process = subprocess.Popen([PRODUCER, "--channel", self.channel, *map(str, args)], stdout=subprocess.PIPE, text=True)
        return self.producer_process

    def connect(self):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        s.settimeout(PATIENCE)
        s.connect(self.socket)
        return s

    def request(self, **what):
        with self.connect() as s:
            s.sendall(json.dumps(what).encode() + b"\n")
            return json.loads(s.makefile("rb").readline())

    def status(self):
        return self.request(op="status")

    def up(self):
        wait(lambda: tries(self.status) is not None, "control answers")

    def close(self):
        for p in (self.control_process, self.producer_process):
            if p is not None and p.poll() is None:
                p.kill()
                p.wait()
        self.log.close()

    def rows(self, sql):
        """All rows of all journal files, each as far as its successor's beginning."""
        names = sorted(n for n in os.listdir(self.journal) if n.endswith(".db"))
        out = []
        for n in names:
            db = sqlite3.connect(os.path.join(self.journal, n))
            out += db.execute(sql).fetchall()
            db.close()
        return out


def tries(f):
    try:
        return f()
    except (OSError, ValueError):
        return None


def wait(condition, what, patience=PATIENCE):
    until = time.monotonic() + patience
    while not condition():
        if time.monotonic() > until:
            raise AssertionError("waited in vain: " + what)
        time.sleep(0.02)


class Consumer(threading.Thread):
    """Reads for ever, acks now and then, connects again whenever it is cut off."""

    def __init__(self, box, name, **subscription):
        super().__init__(daemon=True)
        self.box = box
        self.subscription = {"op": "subscribe", "consumer": name, **subscription}
        self.ids, self.events, self.losses = [], {}, []
        self.stopping = False
        self.fault = None
        self.connections = 0
        self.undurable = 0

    def run(self):
        while not self.stopping:
            s = tries(self.box.connect)
            if s is None:
                time.sleep(0.01)
                continue
            s.settimeout(0.5)
            self.connections += 1
            try:
                self.read(s)
            except OSError:
                pass
            except (ValueError, AssertionError) as e:
                self.fault = repr(e)
                return
            finally:
                s.close()

    def read(self, s):
        if self.ids:
            self.subscription["since"] = None  # its name is enough once it has been served
        s.sendall(json.dumps(self.subscription).encode() + b"\n")
        rest, here, last = b"", set(), None
        while not self.stopping:
            try:
                data = s.recv(1 << 16)
            except TimeoutError:
                continue
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                event = json.loads(line)
                assert "error" not in event, event
                # what went out before it was durable comes again when it is
                key = event["id"], event["cursor"] is None
                assert key not in here, "twice on one connection: " + event["id"]
                here.add(key)
                place = int(event["cursor"].split(".")[1]) if event["cursor"] else last
                follows = last is None or place == last + 1 or (place > last and "min_grade" in self.subscription)
                assert follows or event["cursor"] is None, f"{place} after {last}"
                last = place
                self.take(event)
            cursor = json.loads(lines[-1])["cursor"] if lines else None
            if cursor is not None and random.random() < 0.5:
                s.sendall(json.dumps({"op": "ack", "cursor": cursor}).encode() + b"\n")

    def take(self, event):
        if event["type"] == "sentinel.loss.v1":
            self.losses.append(event)
        self.ids.append(event["id"])
        self.undurable += event["cursor"] is None
        self.events[event["id"]] = event

    def alerts(self):
        return {i for i, e in list(self.events.items()) if e["type"] == "sentinel.alert.v1"}


def journaled(box):
    return [f"{e.hex()}-{r}-{s}" for e, r, s in box.rows("SELECT epoch, ring, seq FROM alerts WHERE NOT vetted")]


def covered(box, epoch=None):
    """For each ring: the seqs that are journaled and those that are lost must make 1..n without overlap."""
    seqs = {}
    for e, r, s in box.rows("SELECT epoch, ring, seq FROM alerts WHERE NOT vetted"):
        seqs.setdefault((e.hex(), r), []).append(s)
    for e, r, a, b in box.rows("SELECT epoch, ring, seq_from, seq_to FROM losses"):
        seqs.setdefault((e.hex(), r), []).extend(range(a, b + 1))
    for key, s in seqs.items():
        assert sorted(s) == list(range(1, len(s) + 1)), f"ring {key}: holes or overlaps"
    return {k: len(v) for k, v in seqs.items() if epoch in (None, k[0])}


def verify(box):
    p = subprocess.run([CONTROL, "--verify", "--journal", box.journal], capture_output=True, text=True)
    assert p.returncode == 0, p.stderr


def residuals_zero(status):
    assert status["residual"] == "0", status["identities"]
    assert status["consumers_residual"] == "0", status["consumers"]


def finish_control(box):
    box.control_process.send_signal(signal.SIGTERM)
    assert box.control_process.wait(PATIENCE) == 0


def through_a_storm(box, end, count=12000, rate=3000):
    """Control goes and comes ten times in a storm: each id exactly once in the journal and, after dedupe, at the consumer."""
    box.control()
    box.up()
    consumer = Consumer(box, "pauser", since="start")
    consumer.start()
    wait(lambda: box.status()["consumers"] != [], "the consumer is known")
    box.producer("--count", count, "--rate", rate, "--slots", 16384, "--evidence", 500)
    for _ in range(10):
        time.sleep(random.uniform(0.05, 0.35))
        end()
        box.control("--journal-mb", "2")
    box.up()
    wait(lambda: box.status()["dataplane"].get("source_done"), "the producer is done")
    wait(lambda: len(consumer.alerts()) >= count, f"all {count} alerts")
    status = box.status()
    residuals_zero(status)
    consumer.stopping = True
    consumer.join()
    assert consumer.fault is None, consumer.fault
    box.producer_process.send_signal(signal.SIGTERM)
    told = json.loads(box.producer_process.communicate()[0])
    finish_control(box)
    ids = journaled(box)
    assert told["lost"] == [0, 0] and consumer.losses == [], (told, consumer.losses)
    assert told["cursor_bad"] == 0
    assert len(ids) == len(set(ids)) == count, (len(ids), len(set(ids)))
    assert consumer.alerts() == set(ids)
    assert consumer.connections > 1
    assert len(consumer.ids) - count < count, "acks are not kept"
    covered(box)
    verify(box)
    at = {f"{e.hex()}-{r}-{s}": c for e, r, s, c in box.rows("SELECT epoch, ring, seq, cursor FROM alerts WHERE NOT vetted")}
    assert all(int(e["cursor"].split(".")[1]) == at[i] for i, e in consumer.events.items()), "a cursor means another event now"
    return f"{count} alerts, {consumer.connections} connections, {len(consumer.ids) - len(set(consumer.ids))} redelivered"


def case_control_killed(box):
    """kill -9."""
    def kill():
        box.control_process.kill()
        box.control_process.wait()
    return through_a_storm(box, kill)


def case_control_killed_between(box):
    """kill -9 while alerts come in twos and threes, most often when they are told and the database has them not yet: it has them afterwards, under the cursors
    that were told."""
    def kill():
        box.control_process.kill()
        box.control_process.wait()
    said = through_a_storm(box, kill, count=4000, rate=1000)
    recovered = box.rows("SELECT n FROM audit WHERE kind = 'recovered'")
    return f"{said}, {len(recovered)} of ten kills in between"


def case_control_ended(box):
    """SIGTERM: it drains, commits, and ends well within the patience of its unit."""
    def term():
        box.up()
        finish_control(box)
    return through_a_storm(box, term)


def case_producer_killed(box):
    """kill -9 of the producer: control drains, serves on, attaches to the next."""
    box.control()
    box.up()
    consumer = Consumer(box, "pauser", since="start")
    consumer.start()
    for n in range(3):
        box.producer("--rate", 0, "--slots", 512)
        wait(lambda: int(box.status()["control"]["attachments"]) == n + 1, "attached")
        time.sleep(0.4)
        box.producer_process.kill()
        box.producer_process.wait()
        wait(lambda: not box.status()["dataplane"]["attached"], "control notices")
        status = box.status()
        for ring in status["rings"]:
            assert ring["head"] == ring["consumed"], ring
    head = box.status()["journal"]["events"]
    wait(lambda: len(set(consumer.ids)) >= int(head), "the consumer has all")
    consumer.stopping = True
    consumer.join()
    assert consumer.fault is None, consumer.fault
    finish_control(box)
    ids = journaled(box)
    assert len(ids) == len(set(ids)) and set(ids) == consumer.alerts()
    assert len({i.split("-")[0] for i in ids}) == 3
    rings = covered(box)
    verify(box)
    return f"{len(ids)} alerts of 3 epochs, {sum(rings.values()) - len(ids)} lost and told"


def case_control_stopped(box):
    """SIGSTOP for longer than the ring lasts: what did not fit is told, seq by seq."""
    count = 6000
    box.control()
    box.up()
    box.producer("--count", count, "--rate", 6000, "--slots", 256)
    wait(lambda: box.status()["dataplane"]["attached"], "control is attached")
    time.sleep(0.1)
    box.control_process.send_signal(signal.SIGSTOP)
    time.sleep(0.5)
    box.control_process.send_signal(signal.SIGCONT)
    wait(lambda: box.status()["dataplane"].get("source_done"), "the producer is done")
    wait(lambda: box.status()["identities"]["6_delivery"]["residual"] == "0" and
         sum(int(r["journaled"]) + int(r["lost"]) for r in box.status()["rings"]) == count, "all journaled or lost")
    status = box.status()
    residuals_zero(status)
    box.producer_process.send_signal(signal.SIGTERM)
    told = json.loads(box.producer_process.communicate()[0])
    finish_control(box)
    lost = [0, 0]
    for _, r, a, b, why in box.rows("SELECT epoch, ring, seq_from, seq_to, reason FROM losses"):
        assert why == "ring_full", why
        lost[r] += b - a + 1
    assert lost == told["lost"] and sum(lost) > 0, (lost, told)
    assert sum(covered(box).values()) == count
    return f"{sum(lost)} of {count} lost, all told"


def case_stopped_at_the_end(box):
    """Losses behind the last record of a producer that then dies are told too."""
    box.control()
    box.up()
    box.producer("--count", 4000, "--rate", 0, "--slots", 64)
    wait(lambda: box.status()["dataplane"].get("source_done"), "the producer is done")
    box.producer_process.send_signal(signal.SIGTERM)
    told = json.loads(box.producer_process.communicate()[0])
    wait(lambda: not box.status()["dataplane"]["attached"], "control notices")
    residuals_zero(box.status())
    finish_control(box)
    assert sum(covered(box).values()) == 4000
    assert len(journaled(box)) == sum(told["published"])
    return f"{sum(told['lost'])} of 4000 lost, all told"


def case_once(box):
    """--once ends by itself with everything journaled, and a second control is refused the journal and the socket."""
    box.producer("--count", 500, "--rate", 100, "--exit")  # long enough for two more to be refused meanwhile
    control = box.control("--once")
    box.up()
    second = subprocess.run([CONTROL, "--channel", box.channel, "--socket", box.socket + "2", "--journal", box.journal],
                            capture_output=True, text=True, timeout=PATIENCE)
    assert second.returncode == 1 and "in use by another sentinel-control" in second.stderr, second.stderr
    third = subprocess.run([CONTROL, "--channel", box.channel, "--socket", box.socket, "--journal", box.journal + "2"],
                           capture_output=True, text=True, timeout=PATIENCE)
    assert third.returncode == 1 and "is taken" in third.stderr, third.stderr
    assert control.wait(PATIENCE) == 0
    assert box.producer_process.wait(PATIENCE) == 0
    assert len(journaled(box)) == 500
    assert not os.path.exists(box.socket)
    verify(box)
    return "500 alerts"


def limit_files(box, bytes_):
    resource.prlimit(box.control_process.pid, resource.RLIMIT_FSIZE, (bytes_, resource.RLIM_INFINITY))


def case_file_limit(box):
    """Writes that fail on one file: the journal goes on in a fresh one, nothing is lost."""
    box.control()
    limit_files(box, 2 << 20)
    box.up()
    box.producer("--count", 6000, "--rate", 3000, "--slots", 4096, "--evidence", 100)
    wait(lambda: box.status()["dataplane"].get("source_done"), "the producer is done")
    wait(lambda: box.status()["journal"]["events"] == "6000", "all journaled")
    status = box.status()
    residuals_zero(status)
    assert int(status["journal"]["failures"]) > 0 and not status["journal"]["failed"], status["journal"]
    assert box.request(op="alerts", limit=1)["id"].endswith("-1")
    limit_files(box, resource.RLIM_INFINITY)
    finish_control(box)
    verify(box)
    # what the given-up files hold beyond their successors' beginning does not count after a restart either
    box.control()
    box.up()
    assert box.status()["journal"]["events"] == "6000", box.status()["journal"]
    consumer = Consumer(box, "late", since="start")
    consumer.start()
    wait(lambda: len(consumer.alerts()) == 6000, "all delivered")
    consumer.stopping = True
    consumer.join()
    assert consumer.fault is None, consumer.fault
    assert len(consumer.ids) == 6000
    return f"{status['journal']['failures']} files given up"


def ctl(box, *args):
    return subprocess.run([CTL, args[0], "--socket", box.socket, *args[1:]], capture_output=True, text=True, timeout=PATIENCE)


def case_much_to_remember(box):
    """A control that comes back reads a memory that is larger than what SQLite sorts without a file, which it may not make."""
    box.control()
    box.up()
    box.producer("--count", 24000, "--rate", 8000, "--slots", 16384, "--evidence", 100)
    wait(lambda: box.status()["journal"]["events"] == "24000" and box.status()["memory"]["behind"] == "0", "all remembered")
    before = box.status()["memory"]
    assert int(before["incidents"]) > 8000, before
    finish_control(box)
    box.control()
    box.up()
    after = box.status()["memory"]
    assert after is not None and after["incidents"] == before["incidents"] and after["failure"] is None, (before, after)
    finish_control(box)
    return f"{after['incidents']} incidents"


def forgets_a_consumer(box, events):
    """sentinelctl forget: of a name that stands nowhere, and of one that is connected; and who did it is in the audit trail."""
    p = ctl(box, "forget", "pagger")
    assert p.returncode == 1 and "no consumer of this name" in p.stderr and not p.stdout, p
    p = ctl(box, "forget", "no name")
    assert p.returncode == 1 and "refuses" in p.stderr and not p.stdout, p
    for wrong in (["forget"], ["forget", "pager", "more"], ["forget", b"\xff"]):
        p = ctl(box, *wrong)
        assert p.returncode == 2 and "--help" in p.stderr and not p.stdout, (wrong, p)
    with box.connect() as pager:
        answers = pager.makefile("rb")
        pager.sendall(b'{"op":"subscribe","consumer":"pager","since":null}\n')
        assert json.loads(answers.readline())["id"] == events[5]["id"]
        p = ctl(box, "forget", "pager")
        assert p.returncode == 0 and p.stdout == "pager is forgotten: nothing is kept for it any longer\n" and not p.stderr, p
        pager.sendall(json.dumps({"op": "ack", "cursor": events[5]["cursor"]}).encode() + b"\n")
        said = [json.loads(line) for line in answers]
        assert said[-1].get("error") == "this consumer was forgotten meanwhile", said[-1]
    assert box.status()["consumers"] == []
    trail = "SELECT json_extract(detail, '$.consumer', '$.uid') FROM audit WHERE kind = 'forgotten'"
    wait(lambda: box.rows(trail) == [(json.dumps(["pager", str(os.getuid())], separators=(",", ":")),)], "it is in the audit trail")


def hears_nothing(box):
    """Every command that asks ends, and says so, if a control that is there does not answer."""
    box.control_process.send_signal(signal.SIGSTOP)
    try:
        asking = [subprocess.Popen([CTL, *words, "--socket", box.socket], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                  for words in (["status"], ["latency"], ["watch", "list"], ["forget", "nobody"], ["profile", "show"])]
        for p in asking:
            out, err = p.communicate(timeout=PATIENCE)
            assert p.returncode == 1 and "has not answered for 10 s" in err and "T is stopped" in err and not out, (p.args, err)
    finally:
        box.control_process.send_signal(signal.SIGCONT)


def needs_the_group(box):
    """Who may not use the socket is told whose group it is."""
    if os.geteuid() != 0:
        return
    os.chmod(box.folder, 0o755)
    try:
        p = subprocess.run([CTL, "status", "--socket", box.socket], capture_output=True, text=True, timeout=PATIENCE, user=65534, group=65534, extra_groups=[])
    except PermissionError:  # a build in a folder of root's
        return
    group = grp.getgrgid(os.stat(box.socket).st_gid).gr_name
    assert p.returncode == 1 and f"join that group (usermod -aG {group} USER" in p.stderr and not p.stdout, p


def case_commands(box):
    """sentinelctl alerts and status: what they print, what they say when nobody answers."""
    p = ctl(box, "status")
    assert p.returncode == 1 and "Is sentinel-control running? Start it with" in p.stderr and not p.stdout, p
    p = ctl(box, "alerts")
    assert p.returncode == 1 and "Is sentinel-control running?" in p.stderr, p
    box.control()
    box.up()
    p = ctl(box, "status")
    assert p.returncode == 0 and "none yet; waiting at " + box.channel in p.stdout, p.stdout
    follow = subprocess.Popen([CTL, "alerts", "--socket", box.socket, "--follow", "--since", "start", "--json"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    box.producer("--count", 40, "--rate", 0, "--slots", 8, "--evidence", 5)
    wait(lambda: box.status()["dataplane"].get("source_done"), "the producer is done")
    wait(lambda: all(r["head"] == r["consumed"] for r in box.status()["rings"]), "all is journaled")
    p = ctl(box, "alerts", "--json")
    assert p.returncode == 0, p.stderr
    events = [json.loads(line) for line in p.stdout.splitlines()]
    assert len(events) == int(box.status()["journal"]["events"])
    p = ctl(box, "alerts")
    lines = p.stdout.splitlines()
    assert len(lines) == len(events)
    for line, event in zip(lines, events):
        if event["type"] == "sentinel.loss.v1":
            assert "LOST" in line and "ring_full" in line, line
        else:
            for part in (event["data"]["grade"], event["data"]["rule"]["class"], event["data"]["transaction"]["hash"],
                         event["data"]["transaction"]["to"], "rule 100"):
                assert part in line, (part, line)
    p = ctl(box, "alerts", "--json", "--grade", "pause", "--limit", "3")
    assert [json.loads(x)["data"]["grade"] for x in p.stdout.splitlines()] == ["pause"] * 3
    p = ctl(box, "alerts", "--json", "--since", events[4]["id"], "--limit", "1")
    assert json.loads(p.stdout)["id"] == events[5]["id"]
    p = ctl(box, "alerts", "--json", "--since", events[4]["cursor"], "--limit", "1")
    assert json.loads(p.stdout)["id"] == events[5]["id"]
    p = ctl(box, "alerts", "--since", "0badcafe.1")
    assert p.returncode == 1 and "another journal" in p.stderr, p
    for wrong in (["alerts", "--grade", "red"], ["alerts", "--limit", "0"], ["alerts", "--ack"], ["alerts", "x"], ["status", "--x"],
                  ["alerts", "--since"]):
        p = ctl(box, *wrong)
        assert p.returncode == 2 and "--help" in p.stderr and not p.stdout, (wrong, p)
    p = ctl(box, "alerts", "--follow", "--consumer", "pager", "--since", "start", "--ack", "--limit", "5", "--json")
    assert [json.loads(x)["id"] for x in p.stdout.splitlines()] == [e["id"] for e in events[:5]]
    wait(lambda: [c["acked"] for c in box.status()["consumers"]] == ["5"], "the acks are kept")
    p = ctl(box, "alerts", "--follow", "--consumer", "pager", "--limit", "1", "--json")
    assert json.loads(p.stdout)["id"] == events[5]["id"]
    p = ctl(box, "status", "--json")
    status = json.loads(p.stdout)
    assert p.returncode == 0 and len(p.stdout.splitlines()) == 1
    residuals_zero(status)
    lost = int(status["counters"]["ring_lost_full"])
    assert lost > 0
    p = ctl(box, "status")
    for part in ("attached, pid", "every residual is 0", "records lost because an alert ring was full", "critical", "consumer   pager"):
        assert part in p.stdout, (part, p.stdout)
    needs_the_group(box)
    hears_nothing(box)
    forgets_a_consumer(box, events)
    # follow lives through a crash of control and ends, with status 0, at its orderly end
    box.control_process.kill()
    box.control_process.wait()
    time.sleep(0.2)
    box.control()
    box.up()
    wait(lambda: int(box.status()["control"]["clients"]) >= 2, "the follower, beside who asks")
    time.sleep(0.2)
    finish_control(box)
    out, err = follow.communicate(timeout=PATIENCE)
    assert follow.returncode == 0, err
    assert [json.loads(x)["id"] for x in out.splitlines()] == [e["id"] for e in events], err
    return f"{len(events)} events, {lost} lost"


def case_disk_full(box):
    """No room for any file: pause-grade alerts go out marked not durable, the rest is counted and told; then it heals."""
    box.control()
    box.up()
    consumer = Consumer(box, "pauser", since="start")
    consumer.start()
    wait(lambda: box.status()["consumers"] != [], "the consumer is known")
    count = 960  # half of them of pause grade, which are all kept: fewer than half a batch
    box.producer("--count", count, "--rate", 1200, "--slots", 4096, "--evidence", 100)
    time.sleep(0.3)
    limit_files(box, 4096)
    wait(lambda: box.status()["dataplane"].get("source_done"), "the producer is done")

    def pause():
        return {i for i, e in list(consumer.events.items()) if e["type"] == "sentinel.alert.v1" and e["data"]["grade"] == "pause"}
    wait(lambda: len(pause()) == count // 2, "every pause-grade alert")
    status = box.status()
    undurable = sum(1 for e in list(consumer.events.values()) if e["type"] == "sentinel.alert.v1" and not e["data"]["durable"])
    late = Consumer(box, "late", since="now", min_grade="pause")
    late.start()
    wait(lambda: late.undurable == undurable, "who connects while the journal is down hears it too")
    late.stopping = True
    late.join()
    assert status["journal"]["failed"] and undurable > 0 and int(status["control"]["not_durable"]) == undurable, (undurable, status["control"])
    assert int(status["control"]["lost_untold"]) > 0, status["control"]
    assert status["residual"] == "0", status["identities"]
    limit_files(box, resource.RLIM_INFINITY)
    wait(lambda: not box.status()["journal"]["failed"], "the journal heals")
    wait(lambda: len(consumer.losses) > 0, "the losses are told")
    status = box.status()
    residuals_zero(status)
    wait(lambda: len(set(consumer.ids)) >= int(status["journal"]["events"]), "the consumer has all")
    consumer.stopping = True
    consumer.join()
    assert consumer.fault is None, consumer.fault
    box.producer_process.kill()
    box.producer_process.wait()
    finish_control(box)
    assert {e["data"]["reason"] for e in consumer.losses} == {"journal_failed"}
    assert sum(covered(box).values()) == count
    assert pause() <= set(journaled(box)), "pause-grade alerts are journaled once there is room"
    verify(box)
    return f"{undurable} not durable, {count - len(journaled(box))} lost and told"


def case_disk_full_long(box):
    """More pause-grade alerts than are kept for consumers while the journal is down: who reads has them all, and each is counted as what it was."""
    box.control()
    box.up()
    consumer = Consumer(box, "pauser", since="start")
    consumer.start()
    wait(lambda: box.status()["consumers"] != [], "the consumer is known")
    limit_files(box, 4096)
    count = 7000  # half of them of pause grade
    box.producer("--count", count, "--rate", 2500, "--slots", 16384)
    wait(lambda: box.status()["dataplane"].get("source_done"), "the producer is done")
    wait(lambda: consumer.undurable + int(box.status()["control"]["not_told"]) >= count // 2, "every pause-grade alert is told, or counted as not told")
    own = box.status()["control"]
    assert consumer.undurable == int(own["not_durable"]) == count // 2 and own["not_told"] == "0", (consumer.undurable, own)
    consumer.stopping = True
    consumer.join()
    assert consumer.fault is None, consumer.fault
    limit_files(box, resource.RLIM_INFINITY)
    wait(lambda: not box.status()["journal"]["failed"], "the journal heals")
    box.producer_process.kill()
    box.producer_process.wait()
    finish_control(box)
    assert sum(covered(box).values()) == count
    verify(box)
    return f"{consumer.undurable} not durable"


def apart(case):
    """Runs the case once more, where it may mount. None: it is there already."""
    if os.environ.get("APART"):
        return None
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode != 0:
        return "left out: may make no namespaces"
    p = subprocess.run(["unshare", "--mount", sys.executable, *sys.argv[:4], case], env={**os.environ, "APART": "1"}, stdout=subprocess.PIPE, text=True)
    assert p.returncode == 0, p.stdout
    return "apart, " + p.stdout.split(": ")[1].strip()


def case_broken_at_start(box):
    """A start on a disk that takes no write names the disk, and tells nobody to move alerts away; with the disk whole again, nothing is missing."""
    said = apart("broken_at_start")
    if said is not None:
        return said
    disk = os.path.join(box.folder, "disk")
    box.journal = os.path.join(disk, "journal")

    def mount(*how):
        subprocess.run(["mount", *how, disk], check=True)

    def fails(*says):
        p = subprocess.run([CONTROL, "--channel", box.channel, "--socket", box.socket, "--journal", box.journal], capture_output=True, text=True, timeout=PATIENCE)
        assert p.returncode == 1 and all(s in p.stderr for s in says) and "move" not in p.stderr, p.stderr
    os.mkdir(disk)
    mount("-t", "tmpfs", "-o", "size=24m", "none")
    try:
        box.control()
        box.up()
        box.producer("--count", 200, "--rate", 1000, "--slots", 4096, "--evidence", 100)
        wait(lambda: box.status()["journal"]["events"] == "200", "all journaled")
        finish_control(box)
        mount("-o", "remount,ro")
        fails("Read-only file system", "mount it for writing")
        mount("-o", "remount,rw")
        os.unlink(os.path.join(box.journal, "journal-000001.db-shm"))
        with open(os.path.join(disk, "fill"), "wb", buffering=0) as f, contextlib.suppress(OSError):
            while True:
                f.write(b"x" * 4096)
        fails("its disk is full")
        os.unlink(f.name)
        box.control()
        box.up()
        assert box.status()["journal"]["events"] == "200", box.status()["journal"]
        finish_control(box)
        verify(box)
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)
    return "read-only, full"


CASES = {k[5:]: v for k, v in globals().items() if k.startswith("case_")}


def main(cases=CASES):
    failed = 0
    for name in sys.argv[4:] or cases:
        with tempfile.TemporaryDirectory(prefix="sentinel-") as folder:
            box = Box(folder)
            started = time.monotonic()
            try:
                what = cases[name](box)
                print(f"ok   {name}: {what} ({time.monotonic() - started:.1f} s)", flush=True)
            except AssertionError as e:
                failed += 1
                print(f"FAIL {name}: {str(e)[:2000]}", flush=True)
                box.log.flush()
                print(open(os.path.join(folder, "log"), errors="replace").read()[-3000:], flush=True)
            finally:
                box.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
