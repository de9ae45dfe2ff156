#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A whole box, the real dataplane and the real control, under an alert storm with either side killed: every alert arrives, none twice.

usage: box.py DATAPLANE CONTROL SENTINELCTL BUNDLE LOAD_PCAP [unittest arguments]

What must come is told by another program: sentinel-dataplane --offline replay over the same capture.
"""
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

DATAPLANE, CONTROL, CTL, BUNDLE, LOAD_PCAP = sys.argv[1:6]
TRANSACTIONS = int(os.environ.get("STORM", "30000"))
PATIENCE_S = 120


def wait_for(what, condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("waited in vain for " + what)
        time.sleep(0.01)


class Consumer(threading.Thread):
    """Subscribes, acks what it got, comes back when the connection breaks; keeps what it got in the order it came."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path, self.events, self.stopped, self.connections = path, [], False, 0

    def run(self):
        while not self.stopped:
            try:
                self.session()
            except (OSError, ValueError):
                time.sleep(0.02)

    def session(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
            s.settimeout(0.5)
            s.connect(self.path)
            # an empty journal has no acked place yet: from the start, then from wherever it has come
            s.sendall(b'{"op":"subscribe","consumer":"pauser","since":%s}\n' % (b'"start"' if not self.events else b"null"))
            self.connections += 1
            buffer = b""
            while not self.stopped:
                try:
                    more = s.recv(1 << 16)
                except TimeoutError:
                    continue
                if not more:
                    return
                *lines, buffer = (buffer + more).split(b"\n")
                for line in lines:
                    event = json.loads(line)
                    if "type" not in event:
                        continue
                    self.events.append(event)
                if lines and self.events:
                    s.sendall(json.dumps({"op": "ack", "cursor": self.events[-1]["cursor"]}).encode() + b"\n")


class Box(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.files = tempfile.TemporaryDirectory()
        cls.capture = os.path.join(cls.files.name, "storm.pcap")
        subprocess.run([LOAD_PCAP, cls.capture, "--transactions", str(TRANSACTIONS), "--hit-every", "2"], check=True)
        out = subprocess.run([DATAPLANE, "--offline", "replay", cls.capture, "--bundle", BUNDLE], check=True,
                             capture_output=True, text=True).stdout.splitlines()
        cls.summary = json.loads(out[-1])
        cls.expected = sorted(json.loads(line)["alert"]["data"]["transaction"]["hash"] for line in out[:-1])
        assert len(cls.expected) == TRANSACTIONS // 2, len(cls.expected)

    @classmethod
    def tearDownClass(cls):
        cls.files.cleanup()

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = lambda name: os.path.join(self.folder.name, name)
        self.log = open(self.path("log"), "wb")
        self.processes, self.consumers = [], []

    def tearDown(self):
        for c in self.consumers:
            c.stopped = True
        for p in self.processes:
            if p.poll() is None:
                p.kill()
            p.wait()
        for c in self.consumers:
            c.join(5)
        self.log.close()
        self.folder.cleanup()

    def said(self):
        with open(self.path("log"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def start(self, *argv, **how):
        p = subprocess.Popen(argv, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL, **how)
        self.processes.append(p)
        return p

    def control(self, *more, **how):
        return self.start(CONTROL, "--channel", self.path("channel"), "--socket", self.path("socket"), "--journal", self.path("journal"), *more, **how)

    def dataplane(self, *more):
        return self.start(DATAPLANE, "--source", self.capture, "--bundle", BUNDLE, "--channel", self.path("channel"), *more)

    def consumer(self):
        c = Consumer(self.path("socket"))
        self.consumers.append(c)
        c.start()
        return c

    def status(self):
        try:
            out = subprocess.run([CTL, "status", "--json", "--socket", self.path("socket")], capture_output=True, text=True, timeout=10)
            return json.loads(out.stdout) if out.returncode == 0 else None
        except (subprocess.TimeoutExpired, ValueError):
            return None

    def alerts(self, consumer):
        return [e for e in consumer.events if e["type"] == "sentinel.alert.v1"]

    def hashes(self, events):
        return sorted(e["data"]["transaction"]["hash"] for e in events)

    def journaled(self):
        """Everything in the journal, as a stranger asks for it."""
        out = subprocess.run([CTL, "alerts", "--json", "--since", "start", "--socket", self.path("socket")], check=True,
                             capture_output=True, text=True).stdout.splitlines()
        return [json.loads(line) for line in out]

    def check_journal(self, hashes):
        journaled = self.journaled()
        ids = [e["id"] for e in journaled]
        self.assertEqual(len(ids), len(set(ids)), "an event stands twice in the journal")
        self.assertEqual(self.hashes(e for e in journaled if e["type"] == "sentinel.alert.v1"), hashes)

    def check_exactly_once(self, consumer):
        wait_for("every alert", lambda: len({e["id"] for e in self.alerts(consumer)}) >= len(self.expected))
        events = self.alerts(consumer)
        by_id = {e["id"]: e for e in events}
        self.assertEqual(self.hashes(by_id.values()), self.expected)
        for e in events:  # what came again is the same
            self.assertEqual(e, by_id[e["id"]])

    def check_at_rest(self):
        status = self.status()
        self.assertIsNotNone(status, self.said())
        residuals = {k: v["residual"] for k, v in status["identities"].items()}
        self.assertEqual(set(residuals.values()), {"0"}, residuals)

    def test_calm(self):
        control, consumer = self.control(), self.consumer()
        dataplane = self.dataplane()
        self.assertEqual(dataplane.wait(PATIENCE_S), 0, self.said())
        self.check_exactly_once(consumer)
        self.check_journal(self.expected)
        control.send_signal(signal.SIGTERM)
        self.assertEqual(control.wait(PATIENCE_S), 0, self.said())

    def test_control_killed_in_the_storm(self):
        control, consumer = self.control(), self.consumer()
        dataplane = self.dataplane("--stay")
        kills = 0
        for part in (10, 30, 50, 70, 90):
            wait_for(f"{part} % of the alerts", lambda p=part: len(self.alerts(consumer)) >= len(self.expected) * p // 100)
            control.kill()
            control.wait()
            kills += 1
            control = self.control()
        self.check_exactly_once(consumer)
        self.assertEqual(kills, 5)
        self.assertGreater(consumer.connections, 1)
        self.assertIsNone(dataplane.poll(), "the dataplane did not outlive control's end")
        wait_for("rest", lambda: (self.status() or {}).get("dataplane", {}).get("source_done"))
        self.check_at_rest()
        self.check_journal(self.expected)

    def test_dataplane_killed_in_the_storm(self):
        self.control()
        consumer = self.consumer()
        dataplane = self.dataplane()
        wait_for("some alerts", lambda: len(self.alerts(consumer)) > 0)
        dataplane.kill()
        dataplane.wait()
        wait_for("control to notice", lambda: (self.status() or {}).get("dataplane", {}).get("attached") is False)
        # what the dead one had published was drained, and the journal serves on
        drained = self.hashes(e for e in self.journaled() if e["type"] == "sentinel.alert.v1")
        wait_for("the consumer to have it all", lambda: len({e["id"] for e in self.alerts(consumer)}) == len(drained))
        first = self.hashes({e["id"]: e for e in self.alerts(consumer)}.values())
        self.assertLess(len(first), len(self.expected), "it was killed too late to show anything")
        self.check_journal(first)
        epochs = {e["id"].split("-")[0] for e in self.alerts(consumer)}
        self.assertEqual(len(epochs), 1)
        for ring in {e["id"].split("-")[1] for e in self.alerts(consumer)}:  # without a hole in its numbers
            seqs = sorted({int(e["id"].split("-")[2]) for e in self.alerts(consumer) if e["id"].split("-")[1] == ring})
            self.assertEqual(seqs, list(range(1, len(seqs) + 1)))
        second = self.dataplane("--stay")
        # control has told it what was told before: that is not told again, as far as a table of incidents goes that is nearly full here; all the rest is
        wait_for("the new dataplane's alerts", lambda: set(self.hashes(self.alerts(consumer))) == set(self.expected))
        wait_for("it to come to rest", lambda: (self.status() or {}).get("dataplane", {}).get("source_done"))
        again = len({e["id"] for e in self.alerts(consumer)}) - len(self.expected)
        self.assertLess(again, len(first) // 2)
        self.check_at_rest()
        second.send_signal(signal.SIGTERM)
        self.assertEqual(second.wait(PATIENCE_S), 0, self.said())

    def test_one_of_each(self):
        self.control()
        dataplane = self.dataplane("--stay")
        wait_for("the dataplane to be attached", lambda: (self.status() or {}).get("dataplane", {}).get("attached"))
        again = self.dataplane()
        self.assertEqual(again.wait(PATIENCE_S), 1)
        rival = self.control()
        self.assertNotEqual(rival.wait(PATIENCE_S), 0)
        self.assertIsNone(dataplane.poll())
        said = self.said()
        self.assertIn("channel", said)
        self.assertRegex(said, r"journal|socket")

    def test_realtime_by_hand(self):
        """As root, without the unit's memlock limit: memory that is locked must not grow once the rights are given up."""
        if os.geteuid() != 0:
            self.skipTest("not root")
        limit = 8 << 20
        control = self.control("--realtime", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_MEMLOCK, (limit, limit)))
        wait_for("control", lambda: self.status() is not None or control.poll() is not None)
        self.dataplane("--stay")
        wait_for("the storm's end", lambda: control.poll() is not None or "control has taken every alert" in self.said())
        control.send_signal(signal.SIGTERM)
        self.assertEqual(control.wait(PATIENCE_S), 0, self.said())


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]] + sys.argv[6:], verbosity=2)
