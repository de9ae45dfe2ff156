#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The lists of system calls against what the programs do. A live box runs with its key log, consumers and restarts under strace; from the moment the filter holds,
every line of the list that is said to be needed in each run (usual) must have been used, and no call that is not on the list was made: the programs would have
ended, and do not.

usage: sandbox.py DATAPLANE CONTROL SENTINELCTL BUNDLE TABLES, where TABLES prints the lines with their need
Needs root and strace.
"""
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

import livebox

DATAPLANE, CONTROL, CTL, BUNDLE, TABLES = (os.path.abspath(a) for a in sys.argv[1:6])
CALL = re.compile(r"^\d+ +([a-z_0-9]+)\(")
KEY = "rlpx " + "11" * 32 + " " + "22" * 32 + " - -\n"


def traced(folder, name, program):
    """A program of the same arguments under strace, which leaves the calls in NAME.trace."""
    path = os.path.join(folder, name)
    with open(path, "w", encoding="ascii") as f:
        # strace as the grandchild: the program is what was started, and is signalled and waited for as such
        f.write(f'#!/bin/sh\nexec strace -D -f -qq -s 0 -o {path}.trace {program} "$@"\n')
    os.chmod(path, 0o755)
    return path


def calls_under_filter(trace):
    """What was called after the filter was installed, by any thread."""
    with open(trace, encoding="utf-8", errors="replace") as f:
        lines = f.read().splitlines()
    # the last one: libseccomp first asks what the kernel can
    held = max((i for i, line in enumerate(lines) if "seccomp(SECCOMP_SET_MODE_FILTER" in line), default=None)
    assert held is not None, f"{trace}: no filter"
    calls = (CALL.match(line) for line in lines[held + 1:] if " resumed" not in line)
    return {m.group(1) for m in calls if m}


def was_read(trace, n):
    """So many bytes of a file came, in one call."""
    with open(trace, encoding="utf-8", errors="replace") as f:
        return re.search(rf"pread64\b.*\) += {n}$", f.read(), re.MULTILINE) is not None


def table(name):
    lines = subprocess.run([TABLES, name], check=True, capture_output=True, text=True).stdout.splitlines()
    return [line.split("\t") for line in lines]


def check(name, trace):
    seen = calls_under_filter(trace)
    lines = table(name)
    listed = {call for call, _ in lines}
    usual = {call for call, need in lines if need == "usual"}
    beyond = seen - listed
    assert not beyond, f"{name} made calls that its list does not have, and lived: {sorted(beyond)}"
    assert usual <= seen, f"{name} has lines for what it does not do: {sorted(usual - seen)}"
    some = {call for call, need in lines if need == "some"}
    print(f"{name}: {len(listed)} calls listed; {len(seen)} made in this run; of those needed at times, not now: {', '.join(sorted(some - seen)) or 'none'}")


def consumer(path):
    """Subscribes and acks, as a pauser does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
        s.settimeout(10)
        s.connect(path)
        s.sendall(b'{"op":"subscribe","consumer":"pauser","since":"start"}\n')
        time.sleep(0.3)
        s.sendall(b'{"op":"status"}\n')
        s.recv(1 << 16)


def main():
    livebox.enter()
    with tempfile.TemporaryDirectory() as folder:
        keys = os.path.join(folder, "keys")
        os.close(os.open(keys, os.O_CREAT | os.O_WRONLY, 0o600))
        other = livebox.Other()
        programs = [traced(folder, "dataplane", DATAPLANE), traced(folder, "control", CONTROL), CTL]
        box = livebox.Box(folder, programs, BUNDLE, ["--rlpx-keys", keys], control=["--node", "http://localhost:1", "--journal-mb", "1"])
        del other
        consumer(box.path("socket"))
        with open(keys, "a", encoding="ascii") as f:
            f.write(KEY)
        box.wait_for("the key", lambda: was_read(programs[0] + ".trace", len(KEY)))
        box.dataplane.send_signal(signal.SIGHUP)
        box.wait_for("a word about SIGHUP", lambda: "SIGHUP does nothing" in box.said())
        time.sleep(1)
        box.stop()
        said = box.said()
        assert "its sandbox has stopped" not in said, said
        check("dataplane", os.path.join(folder, "dataplane.trace"))
        check("control", os.path.join(folder, "control.trace"))


if __name__ == "__main__":
    main()
