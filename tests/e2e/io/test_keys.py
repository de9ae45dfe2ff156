#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""sentinel-keys with a node's stand-in (stripped) and a dataplane's: every session of the node comes, once, as it was made; whatever becomes of the node, its
program and the dataplane.

usage: test_keys.py SENTINEL_KEYS TARGET_FOLDER UNIT, whose capabilities the program has if it stays the user that it is
Needs root (uprobes).
"""
import atexit
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import livebox
from keys_stand import Dataplane, Node, build, wait_for

EXE, TARGET, UNIT = sys.argv[1:4]
STARTED = []
secrets = []


@atexit.register
def kill_all():
    for p in STARTED:
        if p.poll() is None:
            p.kill()
        p.wait()


def popen(argv, **more):
    STARTED.append(subprocess.Popen(argv, **more))
    return STARTED[-1]


def fresh():
    secrets.append(os.urandom(32).hex())
    return secrets[-1]


class Keys:
    def __init__(self, folder, *argv, may_fail=False):
        self.log = os.path.join(folder, "log")
        self.file = open(self.log, "ab")
        self.process = popen([*([] if "--user" in argv else livebox.bounded(UNIT)), EXE, *argv], stdout=self.file, stderr=self.file)
        self.may_fail = may_fail

    def said(self):
        with open(self.log, encoding="utf-8") as f:
            return f.read()

    def wait_said(self, what, times=1):
        wait_for(what, lambda: self.said().count(what) >= times, self.log)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(20)
        assert code == 0, f"{code}\n{self.said()}"
        self.file.close()


def sessions(dataplane, log, n):
    wait_for(f"{n} sessions", lambda: len(dataplane.lines) >= n, log)
    assert len(dataplane.lines) == n, dataplane.lines
    return dataplane.lines


def probing(folder, node, other):
    channel = os.path.join(folder, "channel")
    path = os.path.join(folder, "geth")
    dataplane = Dataplane(channel)
    keys = Keys(folder, "--geth", path, "--channel", channel)
    keys.wait_said("waiting for it")
    shutil.copy(node, path)
    keys.wait_said("probed, row 1")
    want = []
    listener = socket.create_server(("127.0.0.1", 0))
    listener6 = socket.create_server(("::1", 0), family=socket.AF_INET6) if socket.has_dualstack_ipv6() else None
    there = "%s:%d" % listener.getsockname()

    def session(n, *more):
        aes, mac = fresh(), fresh()
        ends = n.session(aes, mac, *more)
        if "dialed" not in more:
            ends.reverse()
        want.append(f"rlpx {aes} {mac} {ends[0]} {ends[1]}")
        assert sessions(dataplane, keys.log, len(want)) == want

    first = Node(path, popen)
    session(first, "dialed", there)
    session(first, there)  # the other side dialed
    session(first, "metered", "dialed", there)
    session(first)  # no connection that is known
    session(first, "metered")
    if listener6 is not None:
        session(first, "dialed", "[::1]:%d" % listener6.getsockname()[1])
    for aes, mac in ((fresh()[2:], fresh()), (fresh(), fresh() + "00"), ("-", "-"), (fresh(), "-")):
        first.session(aes, mac)  # no secrets of a session
    session(first)
    second = Node(path, popen)  # a process more of the same program
    session(second)
    second.end()
    session(Node(path, popen))

    # a newer release takes the name; the old one runs on
    shutil.copy(other, path + ".new")
    os.rename(path + ".new", path)
    keys.wait_said("probed, row 1", 2)
    newer = Node(path, popen)
    session(newer)
    session(first)

    # another dataplane is told all, and then what is new
    dataplane.hang_up()
    dataplane = Dataplane(channel)
    assert sessions(dataplane, keys.log, len(want)) == want and dataplane.texts == 1
    session(newer)
    assert dataplane.texts == 2
    for held in ("CapEff:\t0000000000080004", "CapBnd:\t000000c000280004"):
        assert held in open(f"/proc/{keys.process.pid}/status", encoding="ascii").read(), "rights that were kept"

    with open(f"/proc/{keys.process.pid}/task/{keys.process.pid}/children", encoding="ascii") as f:
        reader, = f.read().split()  # who looks into programs has nothing
    with open(f"/proc/{reader}/status", encoding="ascii") as f:
        status = f.read()
    for held in ("CapEff", "CapPrm", "CapBnd", "CapInh"):
        assert f"{held}:\t0000000000000000" in status, status
    assert "Seccomp:\t2" in status or "sanitizers" in keys.said(), status

    # a file that is written in place is let go before, and probed again after it
    newer.end()
    first.end()
    with open(other, "rb") as f, open(path, "r+b") as out:
        out.write(f.read(4096))
        out.flush()
        keys.wait_said("is being written to; its probe is out")
        out.write(f.read())
    keys.wait_said("probed, row 1", 3)
    again = Node(path, popen)
    session(again)
    keys.stop()
    # nobody probes any more: the node goes on as before
    again.session(fresh(), fresh())
    again.end()
    assert "1 sessions so far" not in keys.said() and f"{len(want)} sessions so far, " in keys.said(), keys.said()
    odd = int(keys.said().rsplit("lost for want of room, ", 1)[1].split()[0])
    assert 4 <= odd <= 8 and "; 0 lost" in keys.said(), keys.said()  # twice where the stack had to grow
    assert not [s for s in secrets if s in keys.said()], "a secret in the log"
    dataplane.hang_up()
    print(f"{len(want)} sessions of a stripped node's stand-in")


def by_process(folder, node):
    channel = os.path.join(folder, "channel")
    dataplane = Dataplane(channel)
    n = Node(node, popen)
    keys = Keys(folder, "--geth", str(n.process.pid), "--channel", channel)
    keys.wait_said("attached")
    aes, mac = fresh(), fresh()
    n.session(aes, mac)
    assert sessions(dataplane, keys.log, 1) == [f"rlpx {aes} {mac} - -"]
    n.end()
    n = Node(node, popen)  # after a restart it has another number
    n.session(aes, mac)
    n.session(mac, aes)
    assert sessions(dataplane, keys.log, 2)[1] == f"rlpx {mac} {aes} - -"  # and what is known is not told again
    n.end()
    keys.stop()
    dataplane.hang_up()


def by_user(folder, node):
    """Somebody else runs the program too, and makes sessions as fast as he can."""
    channel = os.path.join(folder, "channel")
    dataplane = Dataplane(channel)
    keys = Keys(folder, "--geth", node, "--of", "root", "--of", "65533", "--channel", channel)
    keys.wait_said("attached to the dataplane")
    first = Node(node, popen)
    flood = popen(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", node], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)

    def write():
        try:
            while True:
                flood.stdin.write(b"".join(f"{os.urandom(32).hex()} {os.urandom(32).hex()}\n".encode() for _ in range(1000)))
        except OSError:
            pass

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    want = []
    for _ in range(100):
        want.append((fresh(), fresh()))
        first.session(*want[-1])
        time.sleep(0.01)
    flood.kill()
    flood.wait()
    wait_for("the node's sessions", lambda: len(dataplane.lines) >= len(want), keys.log)
    assert [tuple(line.split()[1:3]) for line in dataplane.lines] == want, dataplane.lines
    first.end()
    keys.stop()
    assert "100 sessions so far, 100 handed over; 0 lost for want of room, 0 not as they must be; " in keys.said() and "of other users left out" in keys.said(), keys.said()
    dataplane.hang_up()


def logs(folder):
    channel, path = os.path.join(folder, "channel"), os.path.join(folder, "keys")
    dataplane = Dataplane(channel)
    keys = Keys(folder, "--keylog", path, "--channel", channel)
    keys.wait_said("No such file")
    keys.wait_said("waiting for it")
    keys.wait_said("attached")
    line = lambda: f"rlpx {fresh()} {fresh()} 192.0.2.1:30303 [2001:db8::1]:30303 {fresh()} {fresh()}"
    want = [line() for _ in range(4098)]

    def write(text, mode="a", name=path):
        with open(name, mode, encoding="ascii", opener=lambda p, f: os.open(p, f, 0o600)) as f:
            f.write(text)
    write("# keys\n" + want[0] + "\n" + want[1])
    assert sessions(dataplane, keys.log, 1) == want[:1]
    write("\nrlpx " + fresh() + " of no use\n")
    assert sessions(dataplane, keys.log, 2) == want[:2]
    write(want[1] + "\n" + want[2] + "\n", name=path + ".new")
    os.rename(path + ".new", path)
    assert sessions(dataplane, keys.log, 3) == want[:3]
    dataplane.refuse = True
    write("".join(w + "\n" for w in want[3:]))
    wait_for("all of them", lambda: len(dataplane.lines) >= len(want), keys.log)
    keys.wait_said("refused sessions")
    dataplane.hang_up()
    dataplane = Dataplane(channel)
    # the newest, when there are more than a dataplane keeps
    assert sessions(dataplane, keys.log, 4096) == want[2:]
    os.chmod(path, 0o640)
    keys.wait_said("must be 0600 or less")
    keys.stop()
    assert not [s for s in secrets if s in keys.said()], "a secret in the log"
    dataplane.hang_up()
    # a log that is all mistakes is told of now and then, and takes nobody else's turn
    dataplane = Dataplane(channel)
    spoiled = path + ".spoiled"
    attached = keys.said().count("attached to")
    write("no session\n" * 50, name=spoiled)
    keys = Keys(folder, "--keylog", spoiled, "--channel", channel)
    keys.wait_said("attached to", attached + 1)
    assert 9 <= keys.said().count("a line begins with rlpx") < 15, keys.said()
    keys.stop()
    dataplane.hang_up()
    # whoever else listens there gets nothing
    impostor = Dataplane(channel, user=65534)
    keys = Keys(folder, "--keylog", path + ".mine", "--channel", channel)
    mine = line()
    write(mine + "\n", name=path + ".mine")
    keys.wait_said("neither root nor this user listens")
    assert impostor.hellos == 0 and not impostor.lines
    impostor.hang_up()
    dataplane = Dataplane(channel)
    assert sessions(dataplane, keys.log, 1) == [mine]
    keys.stop()
    dataplane.hang_up()
    older = Dataplane(channel, version=2)
    keys = Keys(folder, "--keylog", path + ".none", "--channel", channel)
    keys.wait_said("says what it should not")
    keys.stop()
    older.hang_up()


def refuses(what, *argv, code=1, **more):
    done = subprocess.run([*argv], capture_output=True, text=True, timeout=20, check=False, **more)
    assert done.returncode == code and what in done.stderr and done.stderr.startswith("sentinel-keys: "), (argv, done)


def refusals(folder, node):
    gone = subprocess.Popen(["true"])
    gone.wait()
    channel = ("--channel", os.path.join(folder, "none"))
    open_log = os.path.join(folder, "open")
    with open(open_log, "w", encoding="ascii"):
        os.chmod(open_log, 0o644)
    refuses("there is no process", EXE, "--geth", str(gone.pid), *channel)
    refuses("was not made by Go", EXE, "--geth", str(os.getpid()), *channel)
    refuses("was not made by Go", EXE, "--geth", "/bin/true", *channel)
    refuses("is no ELF program", EXE, "--check", sys.argv[0])
    refuses("is no file that can be a program", EXE, "--geth", "/dev/null", *channel)
    refuses("must be 0600 or less", EXE, "--keylog", open_log, *channel)
    refuses("Probes need root", EXE, "--geth", node, *channel, user=65534)
    refuses("no uprobes", "unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /sys && exec "$0" "$@"', EXE, "--geth", node, *channel)
    for argv in ([], ["--keylog"], ["--geth", ""], ["--frob"], ["--keylog", "x", "--user", "nobody"], ["x"], ["--keylog", "x"] * 17):
        refuses("--help", EXE, *argv, code=2)
    done = subprocess.run([EXE, "--check", node], capture_output=True, text=True, check=True)
    assert "by .gopclntab" in done.stdout and "row 1" in done.stdout and "made by   go1." in done.stdout, done.stdout
    assert "erigon" in subprocess.run([EXE, "--table"], capture_output=True, text=True, check=True).stdout
    assert "--geth" in subprocess.run([EXE, "--help"], capture_output=True, text=True, check=True).stdout


def main():
    if os.geteuid() != 0:
        print("not root: uprobes are out of reach")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        node = build(folder, TARGET)
        other = build(folder, TARGET, "-tags", "shifted", name="newer")
        places = [subprocess.run([EXE, "--check", p], capture_output=True, text=True, check=True).stdout.splitlines()[4] for p in (node, other)]
        assert places[0] != places[1], places
        for i, part in enumerate((lambda f: probing(f, node, other), lambda f: by_process(f, node), lambda f: by_user(f, node), logs, lambda f: refusals(f, node))):
            inner = os.path.join(folder, str(i))
            os.mkdir(inner)
            part(inner)


main()
