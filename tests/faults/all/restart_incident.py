#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A process of the box is killed in the middle of an attack and started again, while traffic goes on: what is armed stays armed, nothing that was told is
told again, and nothing that came meanwhile is missing.

usage: restart_incident.py DATAPLANE CONTROL SENTINELCTL BUNDLE, under with_npm.sh. Needs root.
"""
import http.client
import json
import os
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../e2e/all"))
import livenet  # noqa: E402
from livenet import PROFILE, THERE, VAULT, livebox  # noqa: E402

PROGRAMS, BUNDLE = sys.argv[1:4], sys.argv[4]


class Echo(threading.Thread):
    """Submits what was submitted again and again, on a connection of its own each time, and has it announced."""

    def __init__(self):
        super().__init__(daemon=True)
        self.raws, self.stopped, self.times = [], False, 0
        self.start()

    def say(self, method, params):
        c = http.client.HTTPConnection(THERE, 8545, timeout=10)
        c.request("POST", "/", json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}), {"Content-Type": "application/json"})
        c.getresponse().read()
        c.close()

    def run(self):
        while not self.stopped:
            for h, raw in list(self.raws):
                self.say("eth_sendRawTransaction", [raw])
                self.say("eth_getTransactionByHash", [h])
                self.times += 1
            time.sleep(0.01)

    def end(self):
        self.stopped = True
        self.join()


class Story:
    def __init__(self, scene, box, key):
        self.scene, self.box, self.key = scene, box, key
        self.consumer, self.echo = livenet.Consumer(box), Echo()
        scene.reconnect()

    def send(self, **words):
        done = self.scene.attacker.send(self.key, **words)
        assert "error" not in done, done
        self.echo.raws.append((done["hash"], done["raw"]))
        return done

    def call(self, n):
        return self.send(to=self.deploy["created"], data=f"0xc0ffee{n:02x}" + "00" * 12 + VAULT[2:])

    def begin(self):
        """Deployed, called once, paused."""
        self.deploy = self.send(data=self.scene.code, gas=8000000)
        self.consumer.wait("the deployment's alert", None, hash=self.deploy["hash"], class_="flash_deploy")
        self.first = self.call(1)
        self.consumer.wait("the first call's pause", lambda d: d["grade"] == "pause", hash=self.first["hash"], class_="armed_call")
        self.box.wait_for("all that is told of it", lambda: {e["id"] for e in self.box.ask("alerts", "--since", "start")} <= {e["id"] for e in self.consumer.events})

    def known_again(self):
        """A second call is told as one of the contract that was armed before."""
        second = self.call(2)
        told = self.consumer.wait("the second call's alert", lambda d: True, hash=second["hash"], class_="armed_call")["data"]
        assert told["armed"] == self.deploy["created"] and {"role": "deploy", "hash": self.deploy["hash"]} in told["related"], told
        assert int(told["times"]["warning_ns"]) > 0 and told["rule"]["name"] == "armed-call-at-protected", told
        assert "armed_code" in [how for t in told["touches"] for how in t["how"]], told
        self.consumer.wait("the second call's pause", lambda d: d["grade"] == "pause", hash=second["hash"], class_="armed_call")

    def told(self, *sent):
        return [e["id"] for s in sent for e in self.consumer.of(hash=s["hash"])]

    def end(self):
        times = self.echo.times
        livebox.wait_for("more of the same", lambda: self.echo.times > times + 10)
        self.echo.end()
        time.sleep(0.5)
        ids = [e["id"] for e in self.consumer.events]
        fresh = {(e["dedupekey"], e["data"]["transaction"]["hash"]) for e in self.consumer.of() if e["supersedes"] is None}
        alone = [e for e in self.consumer.of() if e["supersedes"] is None]
        assert len(fresh) == len(alone), [(e["id"], e["dedupekey"], e["data"]["transaction"]["hash"]) for e in alone]
        self.box.wait_for("residuals of 0", lambda: not self.box.residuals())
        self.consumer.stopped = True
        self.box.stop()
        return ids


def dataplane_killed(scene, folder):
    box = livebox.Box(folder, PROGRAMS, BUNDLE, profile=PROFILE)
    s = Story(scene, box, 0)
    s.begin()
    before = s.told(s.deploy, s.first)
    box.kill(box.dataplane)
    box.dataplane = box.start_dataplane()
    box.wait_for("the new dataplane", lambda: (box.status() or {}).get("dataplane", {}).get("pid") == str(box.dataplane.pid))
    scene.reconnect()
    s.known_again()
    s.end()
    assert s.told(s.deploy, s.first) == before, (before, s.told(s.deploy, s.first))
    print(f"dataplane killed: {s.echo.times} submissions again, none told again; the contract stayed armed")


def control_killed(scene, folder):
    box = livebox.Box(folder, PROGRAMS, BUNDLE, profile=PROFILE)
    s = Story(scene, box, 1)
    s.begin()
    before = s.told(s.deploy, s.first)
    box.kill(box.control)
    meanwhile = s.call(7)
    time.sleep(0.5)
    box.start_control()
    box.wait_for("control", box.status)
    s.consumer.wait("what came meanwhile", lambda d: d["grade"] == "pause", hash=meanwhile["hash"], class_="armed_call")
    s.known_again()
    s.end()
    assert s.told(s.deploy, s.first) == before, (before, s.told(s.deploy, s.first))
    print(f"control killed: {s.echo.times} submissions again, none told again; what came meanwhile is there")


def both_killed(scene, folder):
    box = livebox.Box(folder, PROGRAMS, BUNDLE, profile=PROFILE)
    s = Story(scene, box, 2)
    s.begin()
    before = s.told(s.deploy, s.first)
    box.kill(box.control)
    box.kill(box.dataplane)
    scene.mine()
    box.start_dataplane()
    box.start_control()
    box.wait_for("the box", lambda: (box.status() or {}).get("dataplane", {}).get("attached"))
    scene.reconnect()
    s.known_again()
    s.end()
    assert s.told(s.deploy, s.first) == before, (before, s.told(s.deploy, s.first))
    print(f"both killed: {s.echo.times} submissions again, none told again; the contract stayed armed")


def main():
    livebox.enter()
    with tempfile.TemporaryDirectory() as nodes:
        scene = livenet.Scene(nodes)
        scene.code = livenet.attack(PROGRAMS, BUNDLE, scene.past)
        for story in (dataplane_killed, control_killed, both_killed):
            with tempfile.TemporaryDirectory() as folder:
                story(scene, folder)
        scene.end()


main()
