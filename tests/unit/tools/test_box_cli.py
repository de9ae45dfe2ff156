#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The command line of `sentinelctl box`: exit statuses, JSON, what init writes and what it leaves alone.

usage: test_box_cli.py SENTINELCTL DATAPLANE
"""
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile

CTL, DATAPLANE = sys.argv[1], sys.argv[2]


def box(*argv, **more):
    return subprocess.run([CTL, "box", *argv], capture_output=True, text=True, timeout=60, check=False, **more)


def no_room():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16, 16))


def wrong_lines():
    for argv, says in ((["check", "--nope"], "unknown option"), ([], "check or init?"), (["look"], "there is no such thing"), (["check", "init"], "unexpected argument"),
                       (["check", "--force"], "belongs to the other"), (["init", "--json"], "belongs to the other"), (["init", "-o"], "needs a value"),
                       (["check", "--watch", "0", "--interface", "lo"], "--watch takes seconds"), (["check", "--watch", "5x", "--interface", "lo"], "--watch takes"),
                       (["check", "--watch", "99999999999999999999", "--interface", "lo"], "--watch takes"),
                       (["check", "--root", "/nowhere", "--watch", "1"], "--watch needs --interface")):
        p = box(*argv)
        assert p.returncode == 2 and says in p.stderr and p.stdout == "", (argv, p)
    p = box("--help")
    assert p.returncode == 0 and "examples:" in p.stdout, p


def check(folder):
    tree = os.path.join(folder, "tree")
    os.makedirs(os.path.join(tree, "proc"))
    with open(os.path.join(tree, "proc/cpuinfo"), "w", encoding="ascii") as f:
        f.write("flags : fpu ssse3 avx2 constant_tsc nonstop_tsc\n")
    p = box("check", "--root", tree, "--journal", folder, "--json")
    lines = [json.loads(line) for line in p.stdout.splitlines()]
    names = [line["name"] for line in lines[:-1]]
    assert p.returncode == 0 and lines[-1]["event"] == "summary" and lines[-1]["fail"] == "0", p
    assert len(names) == len(set(names)) == sum(int(lines[-1][v]) for v in ("pass", "warn", "fail", "unknown")), names
    assert all(set(line) == {"event", "name", "verdict", "text", "fix"} and line["text"] for line in lines[:-1]), lines
    with open(os.path.join(tree, "proc/cpuinfo"), "w", encoding="ascii") as f:
        f.write("flags : fpu\n")
    p = box("check", "--root", tree, "--journal", folder)
    assert p.returncode == 1 and "fail     cpu.hyperscan" in p.stdout and "-> " in p.stdout, p
    # a profile with a port: the checks of ports are there; one that cannot be read
    profile = os.path.join(folder, "box.yaml")
    with open(profile, "w", encoding="ascii") as f:
        f.write("ports: ['net_af_packet0,iface=nothere0']\n")
    p = box("check", "--root", tree, "--profile", profile)
    assert p.returncode == 1 and "port nothere0: there is no such network interface" in p.stdout, p
    with open(profile, "w", encoding="ascii") as f:
        f.write("ports: [eth0]\n")
    p = box("check", "--profile", profile)
    assert p.returncode == 1 and f"{profile}:1:9: " in p.stderr and p.stdout == "", p
    with open("/dev/full", "w", encoding="ascii") as full:
        p = subprocess.run([CTL, "box", "check", "--root", tree], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert p.returncode == 1 and "cannot write standard output" in p.stderr, p
    # this machine, whatever it is like
    p = box("check", "--json", "--journal", folder, "--socket", os.path.join(folder, "none"))
    assert p.returncode in (0, 1) and json.loads(p.stdout.splitlines()[-1])["event"] == "summary", p


def init(folder):
    out = os.path.join(folder, "new.yaml")
    p = box("init", "-o", out)
    with open(out, encoding="ascii") as f:
        text = f.read()
    none = "ports: []" in text
    assert p.returncode == none and out in p.stderr and p.stdout == "", p
    assert box("init").stdout == text
    p = subprocess.run([DATAPLANE, "--profile", out, "--print-topology"], capture_output=True, text=True, timeout=60, check=False)
    assert p.returncode == 0 and "worker" in p.stdout, p
    with open(out, "w", encoding="ascii") as f:
        f.write("mine\n")
    p = box("init", "-o", out)
    assert p.returncode == 1 and "is there already; --force" in p.stderr, p
    with open(out, encoding="ascii") as f:
        assert f.read() == "mine\n"
    full = os.path.join(folder, "full.yaml")
    p = box("init", "-o", full, preexec_fn=no_room)
    assert p.returncode == 1 and f"cannot write {full}: File too large" in p.stderr and not os.path.exists(full), p
    assert box("init", "-o", out, "--force").returncode == none
    with open(out, encoding="ascii") as f:
        assert f.read() == text
    p = box("init", "-o", os.path.join(folder, "no/where"))
    assert p.returncode == 1 and "cannot write" in p.stderr, p
    p = box("init", "--interface", "nothere0")
    assert p.returncode == 1 and "there is no network interface nothere0" in p.stderr, p
    p = box("init", "--interface", "lo")
    assert p.returncode == 0 and "lo" in p.stdout, p
    with open("/dev/full", "w", encoding="ascii") as full:
        p = subprocess.run([CTL, "box", "init"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert p.returncode == 1 and "cannot write standard output" in p.stderr, p


def no_port(folder):
    """A machine without an interface to spare: the file is a start, and nobody takes it for more."""
    out, root = os.path.join(folder, "start.yaml"), os.path.join(folder, "root")
    os.mkdir(root)
    p = box("init", "--root", root, "-o", out)
    assert p.returncode == 1 and "name a port in it" in p.stderr and "--interface" in p.stderr, p
    check_it = lambda: subprocess.run([CTL, "profile", "check", out], capture_output=True, text=True, timeout=60, check=False)
    p = check_it()
    assert p.returncode == 1 and out + " names no ports" in p.stderr, p
    with open(out, encoding="ascii") as f:
        text = f.read()
    with open(out, "w", encoding="ascii") as f:
        f.write(text.replace("ports: []", "ports: ['net_af_packet0,iface=eth1']"))
    p = check_it()
    assert p.returncode == 0 and "worker" in p.stdout, p


def main():
    wrong_lines()
    with tempfile.TemporaryDirectory() as folder:
        check(folder)
        init(folder)
        no_port(folder)


main()
