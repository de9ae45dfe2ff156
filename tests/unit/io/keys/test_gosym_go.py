#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""gosym on real programs of Go, stripped in every way: the addresses of all their functions against `go tool nm` of the unstripped twin.

usage: test_gosym_go.py GOSYM_PRINT TARGET_FOLDER   (the folder: a module with the stand-in of a node)
Skips (77) where there is no go.
"""
import os
import shutil
import struct
import subprocess
import sys
import tempfile

PRINT, TARGET = sys.argv[1], sys.argv[2]
PROBED = "github.com/ethereum/go-ethereum/p2p/rlpx.(*Conn).InitWithSecrets"
MAGICS = (b"\xfb\xff\xff\xff", b"\xfa\xff\xff\xff", b"\xf0\xff\xff\xff", b"\xf1\xff\xff\xff")


def go(env, *argv, cwd=None):
    done = subprocess.run(["go", *argv], env=env, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"go {argv}: {done.stderr}"
    return done.stdout


def by_nm(env, path):
    """name -> address, of what can be executed."""
    found = {}
    for line in go(env, "tool", "nm", path).splitlines():
        address, kind, *name = line.split(None, 2)
        if kind in "Tt" and name:
            found[name[0]] = int(address, 16)
    return found


def segments(blob):
    """(vaddr, offset, bytes) of each loaded segment, as another reader of ELF has it."""
    phoff, = struct.unpack_from("<Q", blob, 32)
    n, = struct.unpack_from("<H", blob, 56)
    for i in range(n):
        kind, _, offset, vaddr, _, size = struct.unpack_from("<IIQQQQ", blob, phoff + 56 * i)
        if kind == 1:
            yield vaddr, offset, size


def check(path, want, source, at_least):
    names = sorted(want)
    done = subprocess.run([PRINT, path, source], input="".join(n + "\n" for n in names), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{path}: {done.stderr}"
    head, *lines = done.stdout.splitlines()
    assert len(lines) == len(names)
    with open(path, "rb") as f:
        blob = f.read()
    wrong, found = [], 0
    for name, line in zip(names, lines):
        if line == "-":
            continue
        vaddr, offset = (int(w, 16) for w in line.split())
        place = [vaddr - v + o for v, o, size in segments(blob) if v <= vaddr < v + size]
        found += 1
        # a function that assembly calls too has a twin of the same name in .gopclntab
        if vaddr not in (want[name], want.get(name + ".abi0")) or offset not in place:
            wrong.append((name, line, hex(want[name])))
    assert not wrong, f"{path}, {source}: {wrong[:5]} and {len(wrong)} in all"
    assert found >= at_least * len(names), f"{path}, {source}: {found} of {len(names)}"
    print(f"{os.path.basename(path)}: {head}: {found} of {len(names)} functions by {source}")
    return head.split()


def headless(path, out):
    """Without section headers."""
    with open(path, "rb") as f:
        blob = bytearray(f.read())
    struct.pack_into("<Q", blob, 40, 0)
    struct.pack_into("<HHH", blob, 58, 0, 0, 0)
    with open(out, "wb") as f:
        f.write(blob)
    return out


def textless(path, out):
    """Its .gopclntab does not say where the program begins, as of newer Go."""
    with open(path, "rb") as f:
        blob = bytearray(f.read())
    at = next(i for i in range(0, len(blob) - 72, 8) if blob[i:i + 4] in MAGICS and blob[i + 4:i + 6] == b"\0\0" and blob[i + 7] == 8)
    struct.pack_into("<Q", blob, at + 24, 0)
    vaddr, = (at + 24 - o + v for v, o, size in segments(blob) if o <= at < o + size)
    relocation = blob.find(struct.pack("<QQ", vaddr, 8))  # R_X86_64_RELATIVE
    if relocation >= 0:
        struct.pack_into("<Q", blob, relocation + 8, 0)
    with open(out, "wb") as f:
        f.write(blob)
    return out


def stripped(path, out):
    shutil.copy(path, out)
    subprocess.run(["strip", "--strip-all", out], check=True)
    return out


def every_way(env, folder, path, symtab=True):
    want = by_nm(env, path)
    name = lambda suffix: os.path.join(folder, os.path.basename(path) + suffix)
    if symtab:
        check(path, want, "symtab", 0.9)
    # compilers' own symbols (type..eq etc. are there, plain labels are not)
    share = 0.85
    version, _ = check(path, want, "pclntab", share)
    bare = stripped(path, name(".stripped"))
    for p in (bare, headless(bare, name(".headless"))):
        again, _ = check(p, want, "either", share)
        assert version == again and version in go(env, "version"), version
    check(textless(headless(bare, name(".headless2")), name(".textless")), want, "pclntab", share)
    return want


def main():
    if shutil.which("go") is None or shutil.which("strip") is None:
        print("no go or no strip: skipped")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local", "GOPROXY": "off", "CGO_ENABLED": "0", "GOCACHE": os.path.join(folder, "cache"),
               "GOPATH": os.path.join(folder, "path")}
        target = os.path.join(folder, "target")
        go(env, "build", "-o", target, ".", cwd=TARGET)
        want = every_way(env, folder, target)
        assert PROBED in want
        lean = os.path.join(folder, "lean")
        go(env, "build", "-ldflags", "-s -w", "-o", lean, ".", cwd=TARGET)
        check(lean, want, "either", 0.85)
        tiny = os.path.join(folder, "tiny")
        os.mkdir(tiny)
        with open(os.path.join(tiny, "go.mod"), "w", encoding="ascii") as f:
            f.write("module tiny\ngo 1.19\n")
        with open(os.path.join(tiny, "main.go"), "w", encoding="ascii") as f:
            f.write('package main\n\nfunc main() { println("tiny") }\n')
        pie = os.path.join(folder, "pie")
        go(env, "build", "-buildmode=pie", "-o", pie, ".", cwd=tiny)
        every_way(env, folder, pie)
        if shutil.which("gcc") is not None:
            # as a node that links C
            outside = os.path.join(folder, "outside")
            go({**env, "CGO_ENABLED": "1"}, "build", "-buildmode=pie", "-ldflags", "-linkmode=external", "-o", outside, ".", cwd=tiny)
            every_way(env, folder, outside)


main()
