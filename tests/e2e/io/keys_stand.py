# SPDX-License-Identifier: BSD-3-Clause
"""For tests of sentinel-keys: the node's stand-in of keys_target, built and stripped, and a dataplane's stand-in at the channel (abi/channel.h)."""
import array
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time

MAGIC, HELLO, WELCOME, KEYS, SAID = 0x4c4e4843, 1, 2, 7, 9
ALL_SEALS = 0xf
F_GET_SEALS = 1034


def build(folder, source, *flags, name="node"):
    """A stripped node. Skips where there is no go."""
    if shutil.which("go") is None or shutil.which("strip") is None:
        print("no go or no strip: skipped")
        sys.exit(77)
    cache = os.path.join(folder, "cache")
    env = {**os.environ, "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local", "GOPROXY": "off", "CGO_ENABLED": "0", "GOCACHE": cache, "GOPATH": cache + ".path"}
    out = os.path.join(folder, name)
    subprocess.run(["go", "build", *flags, "-o", out, "."], cwd=source, env=env, check=True)
    subprocess.run(["strip", "--strip-all", out], check=True)
    return out


class Node:
    """A running stand-in."""

    def __init__(self, path, popen=subprocess.Popen):
        self.process = popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def session(self, aes, mac, *more):
        """Makes a session; its endpoints, as it sees them."""
        self.process.stdin.write(" ".join([aes, mac, *more]) + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().split()

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(20) == 0


class Dataplane:
    """Takes sessions, as the real one does; `lines` of the present one."""

    def __init__(self, path, version=3, user=0):
        self.version = version
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.bind(path)
        os.seteuid(user)  # whose it is for the other side
        self.socket.listen(4)
        os.seteuid(0)
        self.path, self.lines, self.texts, self.peer, self.refuse, self.hellos = path, [], 0, None, False, 0
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def say(self, kind, body):
        self.peer.send(struct.pack("<IHH", MAGIC, kind, 0) + body.ljust(48, b"\0"))

    def serve(self):
        while True:
            try:
                self.peer, _ = self.socket.accept()
                self.talk()
            except OSError:
                return

    def talk(self):
        while True:
            data, ancillary, _, _ = self.peer.recvmsg(64, socket.CMSG_SPACE(4))
            if not data:
                return
            magic, kind, n_fds = struct.unpack_from("<IHH", data)
            assert magic == MAGIC and len(data) == 56
            if kind == HELLO:
                self.hellos += 1
                assert struct.unpack_from("<III", data, 8)[2] == 1, "the role"
                self.say(WELCOME, struct.pack("<IIII", self.version, 0, os.getpid(), 0))
            elif kind == KEYS:
                self.take(data, n_fds, ancillary)

    def take(self, data, n_fds, ancillary):
        number, size = struct.unpack_from("<QQ", data, 8)
        fds = array.array("i")
        fds.frombytes(ancillary[0][2][:4])
        assert n_fds == 1
        import fcntl
        seals = fcntl.fcntl(fds[0], F_GET_SEALS)
        text = os.pread(fds[0], 1 << 23, 0)
        os.close(fds[0])
        assert seals & ALL_SEALS == ALL_SEALS and len(text) == size and text.endswith(b"\n")
        self.lines += text.decode().splitlines()
        self.texts += 1
        self.say(SAID, struct.pack("<QI", number, 2 if self.refuse else 0))

    def hang_up(self):
        # woken before anything is closed: its numbers would be the next one's
        for end in (self.socket, self.peer):
            try:
                if end is not None:
                    end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # has gone already
        self.thread.join(20)
        self.socket.close()
        if self.peer is not None:
            self.peer.close()
        os.unlink(self.path)


def wait_for(what, condition, log=None, patience_s=20):
    end = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"waited in vain for {what}\n{open(log, encoding='utf-8').read() if log else ''}")
        time.sleep(0.02)
