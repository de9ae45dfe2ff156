#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Checks the rules of the house that no compiler checks: who includes whom, where files lie, what they say.

usage: house.py SOURCE_ROOT. Prints one line for each breach; exit 1 if there is one.
"""
import os
import re
import subprocess
import sys

LAYERS = ["abi", "net", "wire", "eth", "detect", "worker", "io"]  # top to bottom: each may include what stands above
TOP = {"dataplane", "rules", "control", "tools", "tests", "meson.build", "README.md"}
SOURCE = (".c", ".h", ".py", ".sh", ".mjs", ".js")
MAX_LINES = 800
NO_DPDK = {"abi", "wire", "eth"}
FOREIGN = re.compile(r"^(rte_|hs|hs/)[\w/]*\.h$")
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
MACHINE_PATH = re.compile(r"(?<![\w.$}~*])/(?:home|work|tmp|root|Users)/\w")
# what a user of any machine sees, or the system fixes
PATH_ALLOWED = re.compile(r"/tmp/(?:XXXXXX|[\w.-]*XXXXXX)")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
BLOCK_COMMENT = re.compile(r"/\*.*?\*/", re.S)


def files(root):
    """The files of the repository: git's list where there is git, else everything but build folders."""
    try:
        out = subprocess.run(["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                             check=True, capture_output=True).stdout.decode()
        names = [n for n in out.split("\0") if n]
    except (OSError, subprocess.CalledProcessError):
        names = []
        for folder, folders, found in os.walk(root):
            folders[:] = [f for f in folders if not f.startswith((".build", ".git", "build", "node_modules"))]
            names += [os.path.relpath(os.path.join(folder, f), root) for f in found]
    return sorted(n for n in names if os.path.isfile(os.path.join(root, n)))


def may_include(path, target):
    """None if the file at `path` may include "target" (written from the top or from dataplane/), else why not."""
    parts = path.split("/")
    t = target.split("/")
    if t[0] == "dataplane":
        t = t[1:]
    folder = t[0] if len(t) > 1 else None
    if folder is None:
        return None  # a header of the same folder
    if parts[0] == "dataplane":
        mine = parts[1]
        if folder in LAYERS:
            if LAYERS.index(folder) > LAYERS.index(mine):
                return f"{mine} stands above {folder}"
            if mine in ("wire", "eth") and folder == "net":
                return f"{mine} does not know net"
            return None
        if folder == "rules" and t[1] == "bundle.h":
            return None  # shared by two processes, lives with its producer
        return f"the dataplane does not know {folder}"
    if parts[0] == "rules":
        return None if folder in ("abi", "rules") else f"rules do not know {folder}"
    if parts[0] == "control":
        return None if folder in ("abi", "rules") or folder not in LAYERS + ["tools"] else f"control does not know {folder}"
    return None  # tools and tests choose by their link dependencies


def check_source(path, text, breach):
    head = text[:300]
    if "SPDX-License-Identifier: " not in head:
        breach(path, 1, "no SPDX line")
    n = text.count("\n")
    if n > MAX_LINES:
        breach(path, n, f"more than {MAX_LINES} lines")
    if not path.endswith((".c", ".h")):
        return
    code = BLOCK_COMMENT.sub(lambda m: "\n" * m.group().count("\n"), text)
    parts = path.split("/")
    for m in INCLUDE.finditer(code):
        line = code.count("\n", 0, m.start()) + 1
        kind, target = m.groups()
        if FOREIGN.match(target):
            if parts[0] == "dataplane" and parts[1] in NO_DPDK:
                breach(path, line, f"{parts[1]} includes {target}")
            if parts[0] == "control" or (parts[:2] == ["tools", "sentinelctl"]):
                breach(path, line, f"{parts[0]} includes {target}")
        elif ".." in target.split("/"):
            breach(path, line, f"include of {target}: write it from the top")
        elif kind == '"' or target.split("/")[0] in LAYERS + ["dataplane", "rules", "control"]:
            why = may_include(path, target)
            if why:
                breach(path, line, f"include of {target}: {why}")


def unfuzzed(root, names, folder):
    """The parsers of `folder` that no fuzz target calls: headers, and their functions that take bytes from the wire."""
    text = ""
    for n in names:
        # a target may call its parser through a header that it shares with the unit tests
        if n.startswith("tests/fuzz/") and n.endswith(".c") or n.startswith("tests/") and n.endswith(".h"):
            text += read(root, n)
    called = set(re.findall(r"\b(\w+)\(", text))
    for n in names:
        if not re.match(rf"dataplane/{folder}/.*\.h$", n) or n[:-1] + "c" not in names:
            continue
        code = BLOCK_COMMENT.sub("", read(root, n))
        entries = set(re.findall(r"^[\w ]+\*?\b(\w+_(?:decode|feed|parse|scan|new|init)\w*)\(", code, re.M))
        takes_bytes = {e for e in entries if re.search(rf"\b{e}\((?:[^)]*)(?:uint8_t \*|struct span|char \*)", code)}
        if takes_bytes and not takes_bytes & called:
            yield n, sorted(takes_bytes)


def read(root, name):
    with open(os.path.join(root, name), encoding="utf-8", errors="replace") as f:
        return f.read()


def main():
    root = sys.argv[1]
    names = files(root)
    breaches = []

    def breach(path, line, what):
        breaches.append(f"{path}:{line}: {what}")

    for name in names:
        first = name.split("/")[0]
        if first not in TOP and not first.startswith("."):
            breach(name, 1, "the top level holds " + ", ".join(sorted(TOP)) + " and dot-files")
        base = os.path.basename(name)
        script = "." not in base and name.startswith(("tools/", ".ci/"))
        if base.endswith(SOURCE) or base == "meson.build" or script:
            text = read(root, name)
            check_source(name, text, breach)
            for i, line in enumerate(text.split("\n"), 1):
                if UNFINISHED.search(line.replace("mkstemp", "").replace("XXXXXX", "")):
                    breach(name, i, "unfinished: " + line.strip()[:80])
                if MACHINE_PATH.search(PATH_ALLOWED.sub("", line)):
                    breach(name, i, "path of a machine: " + line.strip()[:80])
        elif base.endswith((".md", ".yaml", ".yml", ".json")) and os.path.getsize(os.path.join(root, name)) < 1 << 20:
            for i, line in enumerate(read(root, name).split("\n"), 1):
                if MACHINE_PATH.search(line):
                    breach(name, i, "path of a machine: " + line.strip()[:80])
                if base == "package-lock.json" and '"resolved"' in line:
                    breach(name, i, "a lock file without addresses of registries: drop its \"resolved\" lines")
                if base.endswith(".md") and UNFINISHED.search(line):
                    breach(name, i, "unfinished: " + line.strip()[:80])
    for folder in ("wire", "eth"):
        for header, entries in unfuzzed(root, names, folder):
            breach(header, 1, "no fuzz target calls any of " + ", ".join(entries))

    print("\n".join(breaches) if breaches else f"{len(names)} files keep the rules of the house")
    return 1 if breaches else 0


sys.exit(main())
