#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Profiles change on a live box while transactions cross: what is read before and after is found to the last one, what is switched off is not read, what is
wrong is refused whole, what takes a restart is named, and whoever may only consume may not change anything. Then both processes are restarted, one of
them by force, and the times without them are counted.

usage: live_profile.py DATAPLANE CONTROL SENTINELCTL BUNDLE. Needs root.
"""
import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

import livebox
from livebox import THERE
from submit import SERVER, Client, Flow

PROGRAMS, BUNDLE = sys.argv[1:4], sys.argv[4]

LATE_MS = 5000  # that a busy machine may keep the threads waiting that say a process is alive


class Test:
    def __init__(self, folder):
        self.folder, self.path = folder, lambda name: os.path.join(folder, name)
        self.other = livebox.Other()
        self.server = self.other.popen(sys.executable, "-c", SERVER, "8545", "8546")
        livebox.wait_for("the node", lambda: livebox.listens(THERE, 8545) and livebox.listens(THERE, 8546))
        self.box = livebox.Box(folder, PROGRAMS, BUNDLE, profile="feeds: {http: [8545], engine: off}\n")
        with open(self.path("box.yaml"), encoding="ascii") as f:
            self.ports = "".join(f.readlines()[:-1])

    def apply(self, text, *more, code=0, into=()):
        """The answer of `sentinelctl profile apply`."""
        with open(self.path("next.yaml"), "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(self.path("next.yaml"), 0o644)
        done = subprocess.run([*into, PROGRAMS[2], "profile", "apply", self.path("next.yaml"), "--json", "--socket", self.path("socket"), *more],
                              capture_output=True, text=True, check=False)
        assert done.returncode == code and done.stdout, (done, self.box.said())
        return json.loads(done.stdout)

    def found(self):
        return [int(e["data"]["transaction"]["nonce"]) for e in self.box.alerts()]

    def wait_found(self, nonces):
        self.box.wait_for("every transaction", lambda: nonces <= set(self.found()), 20, lambda: sorted(nonces - set(self.found()))[:20])

    # ---- the parts ----

    def feeds_while_it_runs(self):
        """One port is always read. The other one is now, and now not: a connection that is open is read or not by the profile of the moment."""
        always, wanted, unwanted = Flow(THERE, 8545, 0), set(), set()
        sometimes = Client(THERE, 8546)
        nonce = 1 << 20
        for turn in range(12):
            on = turn % 2 == 0
            answer = self.apply(f"{self.ports}feeds: {{http: [8545{', 8546' if on else ''}], engine: off, grpc: {'off' if turn % 4 < 2 else 'true'}}}\n")
            assert answer["status"] == "applied" and "feeds.http" in answer["applied"] and answer["restart"] == [] and answer["audited"], answer
            for _ in range(10):
                sometimes.submit(nonce)
                (wanted if on else unwanted).add(nonce)
                nonce += 1
            # frames are read by the profile of the time at which they are read, which may be later than they came
            if on:
                self.wait_found(wanted)
            else:
                self.box.wait_for("what is not read", lambda: self.box.counters()["feed_off"] == 2 * len(unwanted), 20)
        sent = always.stop()
        assert len(sent) > 100, len(sent)
        self.wait_found(sent | wanted)
        found = self.found()
        assert len(found) == len(set(found)) and set(found) == sent | wanted, (len(found), sorted(set(found) - sent - wanted)[:5])
        assert not unwanted & set(found)
        self.box.wait_for("residuals of 0", lambda: not self.box.residuals())
        return len(sent), len(wanted)

    def refused(self):
        before = self.box.status()["dataplane"]["profile"]
        said = self.apply(self.ports + "feeds: {http: off}\nchains: [zero]\n", code=1)
        assert said["status"] == "refused" and ":" in said["why"] and "chains" in said["why"] and said["applied"] == [], said
        lines = self.ports.count("\n")
        assert said["why"].startswith(f"profile:{lines + 2}:10: "), said
        assert "no ports" in self.apply("chains: [1]\n", code=1)["why"]
        assert "UTF-8" in self.refused_text(b"\xff\xfe")
        assert "cannot read" in self.refused_text(b"")
        assert "cannot read" in self.refused_text(b"#" * 70000)
        # a text of the greatest length that is allowed
        big = self.ports.encode() + b"feeds: {http: [8545], engine: off}\n#"
        big += "é".encode() * ((65536 - len(big)) // 2)
        said = self.apply(big.decode())
        assert said["status"] == "applied", said
        self.apply(self.ports + "feeds: {http: [8545], engine: off}\n")
        after = self.box.status()["dataplane"]["profile"]
        assert before["started"] == after["started"]

    def refused_text(self, data):
        with open(self.path("odd.yaml"), "wb") as f:
            f.write(data)
        done = subprocess.run([PROGRAMS[2], "profile", "apply", self.path("odd.yaml"), "--socket", self.path("socket")], capture_output=True, text=True, check=False)
        assert done.returncode == 1, done
        return done.stderr

    def command_lines(self):
        """What it is asked for, its exit status, and a word of what it says."""
        socket = ["--socket", self.path("socket")]
        for argv, code, word in ((["check", self.path("box.yaml")], 0, "worker"), (["check", self.path("none.yaml")], 1, "cannot read"), (["show", *socket], 0, "profile"),
                                 ([], 2, "say what to do"), (["aply"], 2, "not: aply"), (["show", "x"], 2, "unexpected"), (["check", "x", "y"], 2, "unexpected"),
                                 (["check", "--json"], 2, "goes with"), (["apply", "--what"], 2, "unknown option"), (["apply", "--socket"], 2, "needs a value"),
                                 (["apply", self.path("none.yaml"), *socket], 1, "cannot read"), (["apply", self.folder, *socket], 1, "cannot read"),
                                 (["apply", self.path("box.yaml"), "--socket", self.path("none")], 1, "cannot reach"), (["--help"], 0, "usage")):
            done = subprocess.run([PROGRAMS[2], "profile", *argv], capture_output=True, text=True, check=False)
            assert done.returncode == code and word in done.stdout + done.stderr, (argv, done)

    def pauser_may_not(self):
        """A user who may connect, and consume."""
        os.chmod(self.folder, 0o755)
        os.chmod(self.path("socket"), 0o666)
        ctl = self.path("ctl")
        shutil.copy(PROGRAMS[2], ctl)
        os.chmod(ctl, 0o755)
        into = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        done = subprocess.run([*into, ctl, "profile", "apply", self.path("next.yaml"), "--socket", self.path("socket")], capture_output=True, text=True, check=False)
        assert done.returncode == 1 and "may not change" in done.stderr, done
        assert subprocess.run([*into, ctl, "status", "--json", "--socket", self.path("socket")], capture_output=True, check=False).returncode == 0

    def what_takes_a_restart(self):
        said = self.apply(self.ports.replace("memory_mb: 128", "memory_mb: 256") + "feeds: {http: [8545], engine: off}\nchains: [1]\n", code=1)
        assert said["status"] == "partly" and said["applied"] == ["chains"] and said["restart"] == ["memory_mb"] and said["disk"] == "differs", said
        profile = self.box.status()["dataplane"]["profile"]
        assert profile["waiting"] == "1" and profile["runs"] != profile["started"] and profile["path"] == self.path("box.yaml"), profile
        screen = subprocess.run([PROGRAMS[2], "status", "--socket", self.path("socket")], capture_output=True, text=True, check=True).stdout
        assert "THE FILE DIFFERS" in screen and "1 of its fields wait for a restart" in screen, screen
        # into the file, and it is what a restart brings
        shutil.copy(self.path("next.yaml"), self.path("box.yaml"))
        assert self.box.ask("profile", "show")[0]["disk"] == "same"

    def restarts(self):
        """An orderly end and a kill of each."""
        box = self.box
        blind = box.status()["blind"]
        assert blind["kept"] and blind["dataplane"]["count"] == "0" == blind["control"]["count"], blind
        for turn in range(2):
            epoch, began = box.status()["dataplane"]["epoch"], time.time()
            if turn == 0:
                box.end(box.dataplane)
            else:
                box.kill(box.dataplane)
            time.sleep(0.3)
            box.dataplane = box.start_dataplane()
            box.wait_for("the new dataplane", lambda: (box.status() or {}).get("dataplane", {}).get("attached") and box.status()["dataplane"]["epoch"] != epoch)
            self.wait_audited(turn + 1)
            times = box.status()["blind"]["dataplane"]
            assert times["count"] == str(turn + 1) and 300 <= int(times["last_ms"]) <= 1000 * (time.time() - began) + LATE_MS, times
        profile = box.status()["dataplane"]["profile"]
        assert profile["waiting"] == "0" == profile["applied_ns"] and profile["runs"] == profile["started"], profile
        total = box.status()["blind"]["dataplane"]["total_ms"]
        for turn in range(2):
            began = time.time()
            if turn == 0:
                box.end(box.control)
            else:
                box.kill(box.control)
            time.sleep(0.3)
            box.control = box.start_control()
            box.wait_for("the new control", lambda: (box.status() or {}).get("dataplane", {}).get("attached"))
            self.wait_audited(2 + turn + 1)
            blind = box.status()["blind"]
            assert blind["control"]["count"] == str(turn + 1) and 300 <= int(blind["control"]["last_ms"]) <= 1000 * (time.time() - began) + LATE_MS, blind
            assert blind["dataplane"]["count"] == "2" and blind["dataplane"]["total_ms"] == total, blind
        more = set(range(1 << 30, (1 << 30) + 20))
        client = Client(THERE, 8545)
        for nonce in more:
            client.submit(nonce)
        self.wait_found(more)
        return blind

    def audit(self):
        rows = []
        for name in sorted(os.listdir(self.path("journal"))):
            if name.endswith(".db"):
                with contextlib.closing(sqlite3.connect(f"file:{self.path('journal')}/{name}?mode=ro", uri=True)) as db:
                    rows += db.execute("select kind, detail from audit where kind in ('profile', 'profile_asked', 'blind') order by n").fetchall()
        return [(kind, json.loads(detail)) for kind, detail in rows]

    def wait_audited(self, n):
        """The status knows of a time in which nobody looked before it is on disk, and the next thing may be a kill."""
        self.box.wait_for(f"{n} times in the audit trail", lambda: len([1 for kind, _ in self.audit() if kind == "blind"]) >= n)

    def audited(self):
        details = self.audit()
        asked = [d for kind, d in details if kind == "profile_asked"]
        answers = [d for kind, d in details if kind == "profile"]
        assert len(asked) == len(answers) == 17, (len(asked), len(answers))
        assert [a["digest"] for a in asked] == [a["digest"] for a in answers]
        assert {a["uid"] for a in answers} == {"0"} and {a["status"] for a in answers} == {"applied", "partly", "refused"}
        blind = [d["who"] for kind, d in details if kind == "blind"]
        assert blind == ["dataplane"] * 2 + ["control"] * 2, blind
        done = subprocess.run([PROGRAMS[1], "--verify", "--journal", self.path("journal")], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done


def main():
    livebox.enter()
    with tempfile.TemporaryDirectory() as folder:
        t = Test(folder)
        always, sometimes = t.feeds_while_it_runs()
        t.refused()
        t.command_lines()
        t.pauser_may_not()
        t.what_takes_a_restart()
        blind = t.restarts()
        t.box.stop()
        t.audited()
        t.server.send_signal(signal.SIGKILL)
        print(f"{always} transactions on the port that stays, {sometimes} on the one that comes and goes, all found; away: dataplane "
              f"{blind['dataplane']['last_ms']} ms, control {blind['control']['last_ms']} ms of which 300 were asked for")


main()
