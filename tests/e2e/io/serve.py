#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Dataplane and control as services, with a stand-in for systemd that listens at NOTIFY_SOCKET. A dataplane that reads a capture and stays needs no port.

usage: serve.py DATAPLANE CONTROL SENTINELCTL BUNDLE CAPTURE
  - both say that they are ready when they serve, and that they live, within the watchdog's time
  - one lcore that stands still (stopped by ptrace, alone) ends that word and is named in the log; when it goes on, so does the word
  - SIGTERM: STOPPING=1, an end with status 0 within a second, every alert journaled; a second signal ends at once; SIGHUP does nothing
  - as root, --user: every thread of the dataplane is that user, without capabilities; control that may attach still does
  - lines begin with a priority when stderr is journald's
"""
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

DATAPLANE, CONTROL, CTL, BUNDLE, CAPTURE = (os.path.abspath(a) for a in sys.argv[1:6])
SANITIZED = b"__asan_init" in open(DATAPLANE, "rb").read()
PATIENCE_S = 60
WATCHDOG_US = 1500000
PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH, WALL = 0x4206, 0x4207, 17, 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def wait_for(what, condition, why=lambda: ""):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain for {what}\n{why()}")
        time.sleep(0.02)


class Manager(threading.Thread):
    """What systemd would hear, with the time of each message."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path, self.heard = path, []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        os.chmod(path, 0o777)
        self.start()

    def run(self):
        while True:
            self.heard += [(time.monotonic(), line) for line in self.socket.recv(4096).decode().split("\n")]

    def count(self, line):
        return sum(1 for _, said in list(self.heard) if said == line)


class Served:
    """A process with a manager of its own, and its log."""

    def __init__(self, folder, name, *argv, **environment):
        self.manager = Manager(os.path.join(folder, name + ".notify"))
        self.log_path = os.path.join(folder, name + ".log")
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={
                **os.environ, "NOTIFY_SOCKET": self.manager.path, "WATCHDOG_USEC": str(WATCHDOG_US), **environment})

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def wait_for(self, what, condition):
        def still_there():
            if self.process.poll() is not None:
                raise AssertionError(f"waiting for {what}: ended with {self.process.returncode}\n{self.log()}")
            return condition()
        wait_for(what, still_there, self.log)

    def ready(self):
        self.wait_for("READY=1", lambda: self.manager.count("READY=1") == 1)
        return self

    def threads(self):
        """Id and name of each."""
        names, base = {}, f"/proc/{self.process.pid}/task"
        for tid in os.listdir(base):
            with open(f"{base}/{tid}/comm", encoding="ascii") as f:
                names[int(tid)] = f.read().strip()
        return names

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Serve(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        os.chmod(self.folder, 0o755)

    def path(self, name):
        return os.path.join(self.folder, name)

    def serve(self, name, *argv, **environment):
        served = Served(self.folder, name, *argv, **environment)
        self.addCleanup(served.end)
        return served

    def dataplane(self, *more, **environment):
        return self.serve("dataplane", DATAPLANE, "--source", CAPTURE, "--stay", "--bundle", BUNDLE, "--channel", self.path("channel"), *more, **environment)

    def control(self, *more, **environment):
        return self.serve("control", CONTROL, "--channel", self.path("channel"), "--socket", self.path("socket"), "--journal", self.path("journal"), *more,
                          **environment)

    def attached(self):
        out = subprocess.run([CTL, "status", "--json", "--socket", self.path("socket")], capture_output=True, text=True, check=False).stdout
        return bool(out) and (json.loads(out).get("dataplane") or {}).get("attached")

    def alive_within_patience(self, served, seconds):
        began = time.monotonic()
        time.sleep(seconds)
        times = [began] + [t for t, line in list(served.manager.heard) if line == "WATCHDOG=1" and t >= began]
        self.assertTrue(len(times) > 2 and all(b - a < WATCHDOG_US / 1e6 for a, b in zip(times, times[1:])), (times, served.log()))

    def test_ready_and_alive(self):
        d, c = self.dataplane().ready(), self.control().ready()
        wait_for("control to attach", self.attached)
        self.alive_within_patience(d, 2.5)
        self.alive_within_patience(c, 2.5)
        self.assertTrue(any(line.startswith("STATUS=reading, control attached, ") for _, line in d.manager.heard), d.manager.heard)
        self.assertTrue(any(line == "STATUS=attached to a dataplane, journal well" for _, line in c.manager.heard), c.manager.heard)

    def test_end(self):
        for served in (self.dataplane().ready(), self.control().ready()):
            served.process.send_signal(signal.SIGHUP)
            served.wait_for("a word about SIGHUP", lambda: "SIGHUP does nothing" in served.log())
            began = time.monotonic()
            served.process.send_signal(signal.SIGTERM)
            self.assertEqual(served.process.wait(PATIENCE_S), 0, served.log())
            self.assertLess(time.monotonic() - began, 10)
            wait_for("STOPPING=1", lambda: served.manager.count("STOPPING=1") == 1)

    def test_second_signal(self):
        """A process that cannot end, since one of its threads does not run: it ends all the same."""
        d = self.dataplane().ready()
        with Stopped(d) as stopped:
            d.process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            self.assertIsNone(d.process.poll())
            d.process.send_signal(signal.SIGTERM)
            stopped.reap()
            self.assertEqual(d.process.wait(PATIENCE_S), 1)

    def test_still_lcore(self):
        """The correlator (lcore 1) stands still for longer than systemd waits; the first worker has read its capture and ended."""
        d = self.dataplane("--no-sandbox").ready()
        d.wait_for("the end of the capture", lambda: any("STATUS=reading" in line for _, line in d.manager.heard))
        with Stopped(d):
            before = d.manager.count("WATCHDOG=1")
            time.sleep(WATCHDOG_US * 1.7 / 1e6)
            self.assertLessEqual(d.manager.count("WATCHDOG=1"), before + 1, d.log())
            self.assertIn("has not turned for", d.log())
        before = d.manager.count("WATCHDOG=1")
        d.wait_for("life", lambda: d.manager.count("WATCHDOG=1") > before)

    def test_realtime(self):
        """Every lcore and the main thread before whoever has an ordinary priority, and behind control's; with all lcores on one core it ends as always."""
        with open(self.path("box.yaml"), "w", encoding="ascii") as f:
            f.write("idle: sleep\ncores: {main: 0, correlator: 0, workers: [0]}\n")
        d = self.dataplane("--realtime", "--profile", self.path("box.yaml")).ready()
        lcores = [tid for tid, name in d.threads().items() if name.startswith(("rte-worker", "sentinel"))]
        self.assertEqual(len(lcores), 3, d.threads())
        may = subprocess.run([sys.executable, "-c", "import os; os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(5))"], stderr=subprocess.DEVNULL, check=False)
        if may.returncode != 0:  # a container without the right
            self.assertIn("no real-time priority", d.log())
            lcores = []
        for tid in lcores:
            self.assertEqual((os.sched_getscheduler(tid) & ~os.SCHED_RESET_ON_FORK, os.sched_getparam(tid).sched_priority), (os.SCHED_FIFO, 5))
        d.process.send_signal(signal.SIGTERM)
        self.assertEqual(d.process.wait(20), 0, d.log())
        with open(self.path("box.yaml"), "w", encoding="ascii") as f:
            f.write("idle: pause\n")
        done = subprocess.run([DATAPLANE, "--source", CAPTURE, "--bundle", BUNDLE, "--channel", self.path("other"), "--realtime", "--profile", self.path("box.yaml")],
                              capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("--realtime goes with `idle: sleep`", done.stderr)

    def test_user(self):
        if os.geteuid() != 0:
            self.skipTest("not root")
        self.assertNotEqual(subprocess.run([DATAPLANE, "--source", CAPTURE, "--bundle", BUNDLE, "--channel", self.path("channel"), "--user", "root"],
                                           capture_output=True, check=False).returncode, 0)
        d, c = self.dataplane("--user", "nobody").ready(), self.control().ready()
        for tid in d.threads():
            with open(f"/proc/{d.process.pid}/task/{tid}/status", encoding="ascii") as f:
                status = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
            self.assertEqual(set(status["Uid"].split()), {"65534"}, tid)
            self.assertEqual({int(status[cap], 16) for cap in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}, {0}, tid)
            self.assertEqual((status["NoNewPrivs"], status["Seccomp"], status.get("Groups", "").strip()), ("1", "0" if SANITIZED else "2", ""), tid)
        wait_for("control to attach", self.attached)
        for name in ("dataplane", "control"):
            with open(f"/proc/{(d if name == 'dataplane' else c).process.pid}/limits", encoding="ascii") as f:
                if not SANITIZED:
                    self.assertIn("Max core file size        0                    0 ", f.read(), name)

    def test_journald(self):
        log = self.path("dataplane.log")
        with open(log, "ab"):
            st = os.stat(log)
        d = self.dataplane(JOURNAL_STREAM=f"{st.st_dev}:{st.st_ino}").ready()
        d.wait_for("what it says first", lambda: "control attaches at" in d.log())
        for line in d.log().splitlines():
            self.assertRegex(line, r"^<[3-6]>[^\x00-\x1f\x7f-\xff]*$")

    def test_restart(self):
        """The socket of a dataplane that has ended stays, and the next one takes its place; control goes from one to the other."""
        c = self.control().ready()
        for _ in range(3):
            d = self.dataplane_again().ready()
            wait_for("control to attach", self.attached)
            d.process.send_signal(signal.SIGTERM)
            self.assertEqual(d.process.wait(PATIENCE_S), 0, d.log())
            wait_for("control to see it go", lambda: not self.attached())
        self.assertIsNone(c.process.poll())

    def dataplane_again(self):
        self.rounds = getattr(self, "rounds", 0) + 1
        return self.serve(f"dataplane{self.rounds}", DATAPLANE, "--source", CAPTURE, "--stay", "--bundle", BUNDLE, "--channel", self.path("channel"))


class Stopped:
    """The correlator's thread does not run meanwhile."""

    def __init__(self, served):
        self.tid = min(t for t, name in served.threads().items() if name == "rte-worker-1")

    def __enter__(self):
        self.ptrace(PTRACE_SEIZE)
        self.ptrace(PTRACE_INTERRUPT)
        os.waitpid(self.tid, WALL)
        return self

    def ptrace(self, request):
        if libc.ptrace(request, self.tid, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), f"ptrace {request}")

    def reap(self):
        """Its end is told to who traces it first."""
        os.waitpid(self.tid, WALL)

    def __exit__(self, *_):
        libc.ptrace(PTRACE_DETACH, self.tid, 0, 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[6:], verbosity=2)
