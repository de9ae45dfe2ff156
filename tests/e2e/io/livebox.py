# SPDX-License-Identifier: BSD-3-Clause
"""A live box between two hosts: the hosts are two network namespaces joined by a veth pair, the dataplane reads the end of the first. All of it ends with the
program that calls enter()."""
import array
import atexit
import collections
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

HERE, THERE = "192.0.2.1", "192.0.2.2"  # addresses of documentation
PORT = "here0"
PATIENCE_S = 60
SIOCETHTOOL = 0x8946
# rx and tx checksums, scatter-gather, TSO, GSO, GRO
ETHTOOL_OFFLOADS = (0x15, 0x17, 0x19, 0x1f, 0x24, 0x2c)


STARTED = []


@atexit.register
def kill_all():
    """Nothing outlives this program, however it ends."""
    for p in reversed(STARTED):
        if p.poll() is None:
            p.kill()
        p.wait()


def run(*argv):
    subprocess.run(argv, check=True)


def wait_for(what, condition, patience_s=PATIENCE_S, why=lambda: ""):
    end = time.monotonic() + patience_s
    while not condition():
        for p in STARTED:
            if p.poll() not in (None, 0):
                sys.exit(f"waiting for {what}: {p.args} has ended with {p.returncode}\n{why()}")
        if time.monotonic() > end:
            sys.exit(f"waited in vain for {what}\n{why()}")
        time.sleep(0.05)


def listens(address, port):
    with socket.socket() as s:
        return s.connect_ex((address, port)) == 0


def here(*argv, **more):
    STARTED.append(subprocess.Popen(argv, **more))
    return STARTED[-1]


def bounded(unit):
    """What runs a program as root of a unit's capabilities alone."""
    with open(unit, encoding="ascii") as f:
        names = next(line for line in f if line.startswith("CapabilityBoundingSet=")).partition("=")[2].split()
    return ["setpriv", "--no-new-privs", "--inh-caps=-all", "--bounding-set=" + ",".join(["-all"] + ["+" + n.removeprefix("CAP_").lower() for n in names])]


def plain_frames(interface):
    """No offload, so that the frames are as on a wire."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for command in ETHTOOL_OFFLOADS:
            value = array.array("I", [command, 0])
            request = struct.pack("16sP", interface.encode(), value.buffer_info()[0]) + bytes(16)
            try:
                fcntl.ioctl(s, SIOCETHTOOL, request)
            except OSError:
                pass  # one that this kernel's veth does not have


def enter():
    """Puts this program into a network namespace of its own (not `ip netns`, which wants a mount namespace too) that has PORT, up."""
    if os.geteuid() != 0:
        print("not root: network namespaces are out of reach")
        sys.exit(77)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # by way of kill_all
    if "SENTINEL_NETNS" not in os.environ:
        os.environ["SENTINEL_NETNS"] = "1"
        os.execvp("unshare", ["unshare", "--net", sys.executable] + sys.argv)
    run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
    run("ip", "link", "set", "lo", "up")


def bridge(name, address, *ports, **options):
    """A bridge with those ports, which are there."""
    run("ip", "link", "add", name, "type", "bridge", "mcast_snooping", "0", *(word for o in options.items() for word in o))
    plain_frames(name)
    if address:
        run("ip", "addr", "add", address + "/24", "dev", name)
    for interface in ports:
        run("ip", "link", "set", interface, "master", name)
    for interface in (*ports, name):
        run("ip", "link", "set", interface, "up", "mtu", "1500")


class Other:
    """The other host's namespace. It is there as long as a process is in it. end, address: the interface here that leads to it."""

    def __init__(self, end=PORT, address=HERE):
        ready, told = os.pipe()
        self.holder = here("unshare", "--net", "sh", "-c", f"echo >&{told}; exec {told}>&-; exec cat", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                           pass_fds=[told])
        os.close(told)
        os.read(ready, 1)
        os.close(ready)
        self.into = ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net"]
        run("ip", "link", "add", end, "type", "veth", "peer", "name", "there0")
        plain_frames("there0")
        run("ip", "link", "set", "there0", "netns", str(self.holder.pid))
        plain_frames(end)
        for into, interface, own in (([], end, address), (self.into, "there0", THERE)):
            run(*into, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
            run(*into, "ip", "link", "set", "lo", "up")
            if own:
                run(*into, "ip", "addr", "add", own + "/24", "dev", interface)
            run(*into, "ip", "link", "set", interface, "up", "mtu", "1500")

    def popen(self, *argv, **more):
        return here(*self.into, *argv, **more)


class Bridged(Other):
    """The other host behind a bridge of this one's: br0 has this host's address, port0 leads to the other."""

    def __init__(self):
        super().__init__("port0", None)
        bridge("br0", HERE, "port0")


class Mirrored(Other):
    """The hosts on a switch that sends every frame everywhere, and so to MIRROR too: what a mirror port shows."""

    MIRROR = "mirror0"

    def __init__(self):
        super().__init__("port0", None)
        for end, port in ((PORT, "port1"), (self.MIRROR, "port2")):
            run("ip", "link", "add", end, "type", "veth", "peer", "name", port)
            plain_frames(end)
            plain_frames(port)
            run("ip", "link", "set", end, "up", "mtu", "1500")
        run("ip", "addr", "add", HERE + "/24", "dev", PORT)
        bridge("hub0", None, "port0", "port1", "port2", ageing_time="0")


class Peer:
    """A script that prints JSON lines and obeys those on its standard input; it is to end with it. popen: here, or Other.popen."""

    def __init__(self, popen, folder, *argv):
        self.lines = []
        self.process = popen("node", *argv, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=lambda: self.lines.extend(json.loads(line) for line in iter(self.process.stdout.readline, "")), daemon=True)
        self.reader.start()

    def said(self, key):
        """What it said of that, or None."""
        return next((line[key] for line in list(self.lines) if key in line), None)

    def tell(self, word):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()

    def sent(self):
        return [line for line in list(self.lines) if "sent" in line]

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(PATIENCE_S) == 0, self.process.args
        self.reader.join()


class Box:
    """Dataplane and control. programs: dataplane, control, sentinelctl. profile: more lines of it; control: more of control's arguments. port: as the profile
    has it, a ring that holds more than a slow machine may leave unread if not given; into: what runs a program where that port is; keys: sentinel-keys with its
    arguments, if it shall run."""

    def __init__(self, folder, programs, bundle, more=(), workers=1, profile="", control=(), port=f"'net_af_packet0,iface={PORT},framecnt=32768'", into=(), keys=()):
        self.path = lambda name: os.path.join(folder, name)
        self.keys_argv = keys
        self.more_control, self.into = control, into
        self.dataplane_exe, self.control_exe, self.ctl = programs
        self.bundle, self.more = bundle, more
        cpus = os.cpu_count()
        with open(self.path("box.yaml"), "w", encoding="ascii") as f:
            f.write(f"ports: [{port}]\nidle: sleep\nhuge_pages: {'true' if 'xdp' in port or 'interface' in port else 'false'}\n{'' if 'memory_mb' in profile else 'memory_mb: 128'}\n"
                    f"cores: {{main: 0, correlator: 0, workers: [{', '.join(str(i % cpus) for i in range(1, workers + 1))}]}}\n{profile}")
        self.log = self.path("log")
        self.started = []
        self.control = self.start_control()
        self.dataplane = self.start_dataplane()
        self.keys = self.start_keys() if keys else None
        self.wait_for("the box", lambda: (self.status() or {}).get("dataplane", {}).get("attached"))

    def start_control(self):
        return self.start(self.control_exe, "--channel", self.path("channel"), "--socket", self.path("socket"), "--journal", self.path("journal"),
                          *self.more_control)

    def start_dataplane(self):
        return self.start(self.dataplane_exe, "--profile", self.path("box.yaml"), "--bundle", self.bundle, "--channel", self.path("channel"), *self.more)

    def start_keys(self):
        return self.start(*self.keys_argv, "--channel", self.path("channel"))

    def start(self, *argv):
        with open(self.log, "ab") as log:
            self.started.append(here(*self.into, *argv, stdout=log, stderr=log))
        return self.started[-1]

    def kill(self, process):
        """As if by a fault: without a word."""
        self.end(process, signal.SIGKILL)

    def end(self, process, by=signal.SIGTERM):
        process.send_signal(by)
        process.wait()
        self.started.remove(process)
        STARTED.remove(process)

    def said(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def wait_for(self, what, condition, patience_s=PATIENCE_S, why=lambda: ""):
        wait_for(what, condition, patience_s, lambda: f"{why()}\n{self.said()}")

    def ask(self, *argv):
        done = subprocess.run([self.ctl, *argv, "--json", "--socket", self.path("socket")], capture_output=True, text=True, check=False)
        return [json.loads(line) for line in done.stdout.splitlines()] if done.returncode == 0 else []

    def status(self):
        return next(iter(self.ask("status")), None)

    def counters(self):
        return {name: int(value) for name, value in ((self.status() or {}).get("counters") or {}).items()}

    def alerts(self):
        return [e for e in self.ask("alerts", "--since", "start") if e["type"] == "sentinel.alert.v1"]

    def hashes(self):
        """Of the transactions that were alerted, and how often each was."""
        return collections.Counter(e["data"]["transaction"]["hash"] for e in self.alerts())

    def residuals(self):
        return {name: i["residual"] for name, i in self.status()["identities"].items() if i["residual"] != "0"}

    def stop(self):
        for p in self.started:
            p.send_signal(signal.SIGTERM)
            code = p.wait(PATIENCE_S)
            if code != 0:
                sys.exit(f"exit status {code}: {p.args}\n{self.said()}")
