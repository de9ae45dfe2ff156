#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""sentinel-rulec from the outside: exit status, messages, files. usage: test_rulec.py SENTINEL_RULEC"""
import json
import os
import stat
import subprocess
import sys
import tempfile
import unittest

RULEC = os.path.abspath(sys.argv.pop(1))
GOOD = """pack: {name}
version: 1
rules:
  - id: {id}
    rev: 1
    name: rule-{id}
    description: d
    class: other
    severity: low
    grade: watch
    status: stable
    match: {{p: {{selector: 0xab9c4b5d}}}}
    condition: p
    vectors: [{{match: true, tx: {{}}}}, {{match: false, tx: {{input: 0x00}}}}]
"""


def run(*args):
    return subprocess.run([RULEC, *args], capture_output=True, text=True, timeout=60, cwd=os.getcwd())


class Rulec(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.dir.name)
        os.mkdir("packs")
        self.write("packs/a.yaml", GOOD.format(name="a", id=1))
        self.write("packs/b.yaml", GOOD.format(name="b", id=2))
        self.write("packs/README", "not a pack")

    def write(self, path, text):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)

    def read(self, path):
        with open(path, "rb") as f:
            return f.read()

    def test_compile_is_deterministic(self):
        for out in ("x", "y"):
            r = run("compile", "packs", "-o", out)
            self.assertEqual((r.returncode, r.stdout), (0, ""), r.stderr)
        self.assertEqual(self.read("x"), self.read("y"))
        self.assertEqual(run("compile", "packs/", "-o", "z").returncode, 0)
        self.assertEqual(self.read("x"), self.read("z"))
        self.assertTrue(self.read("x").startswith(b"SNTLRULE"))
        self.assertEqual(run("compile", "packs", "-o", "g", "--generation", "7").returncode, 0)
        self.assertEqual(int.from_bytes(self.read("g")[24:32], "little"), 7)
        self.assertEqual(os.stat("x").st_mode & 0o777, 0o644)
        self.assertEqual(sorted(os.listdir(".")), ["g", "packs", "x", "y", "z"])

    def test_standard_output(self):
        r = subprocess.run([RULEC, "compile", "packs", "-o", "-"], capture_output=True, timeout=60)
        self.assertEqual(r.returncode, 0)
        run("compile", "packs", "-o", "x")
        self.assertEqual(r.stdout, self.read("x"))

    def test_output_that_is_no_plain_file(self):
        run("compile", "packs", "-o", "x")
        # a pipe (a device is the same) is written into, never replaced
        os.mkfifo("pipe")
        with subprocess.Popen(["cat", "pipe"], stdout=subprocess.PIPE) as cat:
            self.assertEqual(run("compile", "packs", "-o", "pipe").returncode, 0)
            self.assertEqual(cat.communicate(timeout=60)[0], self.read("x"))
        self.assertTrue(stat.S_ISFIFO(os.stat("pipe").st_mode))
        # a link stays a link
        os.symlink("x", "link")
        self.assertEqual(run("compile", "packs", "-o", "link", "--generation", "9").returncode, 0)
        self.assertTrue(os.path.islink("link"))
        self.assertNotEqual(self.read("x")[:200], b"")
        self.assertEqual(self.read("x"), self.read("link"))
        r = run("compile", "packs", "-o", "packs")
        self.assertEqual(r.returncode, 1)
        self.assertIn("cannot write packs: Is a directory", r.stderr)

    def test_full_disk(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no device that is always full")
        with open("/dev/full", "w") as full:
            for command in (("lint", "packs", "--json"), ("compile", "packs", "-o", "-")):
                r = subprocess.run([RULEC, *command], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
                self.assertEqual(r.returncode, 1)
                self.assertIn("No space left on device", r.stderr)

    def test_errors_name_the_place_and_leave_the_old_bundle(self):
        run("compile", "packs", "-o", "x")
        before = self.read("x")
        self.write("packs/b.yaml", GOOD.format(name="b", id=2).replace("0xab9c4b5d", "0xab9c4b5"))
        r = run("compile", "packs", "-o", "x")
        self.assertEqual(r.returncode, 1)
        self.assertIn("packs/b.yaml:12:27: error: an odd number of hex digits (7)", r.stderr)
        self.assertEqual(self.read("x"), before)
        self.assertEqual(sorted(os.listdir(".")), ["packs", "x"])

    def test_lint(self):
        r = run("lint", "packs")
        self.assertEqual((r.returncode, r.stdout), (0, ""))
        self.assertIn("2 rules, 2 patterns: 0 errors, 0 warnings", r.stderr)
        r = run("lint", "packs/a.yaml", "--json")
        self.assertEqual((r.returncode, r.stderr), (0, ""))
        self.assertEqual([json.loads(x) for x in r.stdout.splitlines()],
                         [{"event": "summary", "rules": "1", "patterns": "1", "errors": "0", "warnings": "0"}])

    def test_lint_json_of_odd_text(self):
        self.write("packs/b.yaml", GOOD.format(name="b", id=2).replace("class: other", 'class: "\\"\\\\\\e\\u00e9\\x9b"'))
        r = run("lint", "packs", "--json")
        self.assertEqual(r.returncode, 1)
        lines = [json.loads(x) for x in r.stdout.splitlines()]
        self.assertEqual(lines[0]["file"], "packs/b.yaml")
        self.assertEqual((lines[0]["line"], lines[0]["column"], lines[0]["severity"]), ("8", "12", "error"))
        self.assertEqual(lines[-1]["errors"], "1")

    def test_duplicates_across_files(self):
        self.write("packs/b.yaml", GOOD.format(name="b", id=1))
        r = run("lint", "packs")
        self.assertEqual(r.returncode, 1)
        self.assertIn("packs/b.yaml:4:9: error: id 1 is taken by packs/a.yaml:4", r.stderr)

    def test_weights_and_templates_beside_the_packs(self):
        run("compile", "packs", "-o", "plain")
        self.write("packs/m.weights", "# reviewed\nmodel 1\ngrams 65536\nbias -9\nscale 10\nthreshold 800\n3 4\n")
        self.write("packs/a.templates", f"0x{'11' * 32} a@1 A\n")
        self.write("packs/b.templates", f"0x{'00' * 32} b@1 B\n")
        for out in ("x", "y"):
            r = run("compile", "packs", "-o", out)
            self.assertEqual(r.returncode, 0, r.stderr)
        self.assertEqual(self.read("x"), self.read("y"))
        self.assertIn(b"\x00" * 32 + b"\x11" * 32, self.read("x"))
        self.assertEqual(len(self.read("x")) - len(self.read("plain")), 16 + 2 * 65536 + 2 * 32)
        self.assertEqual(run("lint", "packs/m.weights").returncode, 0)
        # the same hashes from one file: the same bundle
        os.remove("packs/b.templates")
        self.write("packs/a.templates", f"0x{'00' * 32} b@1 B\n0x{'11' * 32} a@1 A\n")
        self.assertEqual(run("compile", "packs", "-o", "z").returncode, 0)
        self.assertEqual(self.read("x"), self.read("z"))

    def test_errors_beside_the_packs(self):
        weights = "model 1\ngrams 65536\nbias -9\nscale 10\nthreshold 800\n3 4\n"
        for name, text, says in (
                ("m.weights", weights + "4 -4\n", "packs/m.weights:7:3: error: a negative weight"),
                ("m.weights", "", "packs/m.weights:1:1: error: weights without `model`"),
                ("a.templates", "0x11 a@1 A\n", "packs/a.templates:1:1: error: `0x11` is no hash")):
            self.write("packs/" + name, text)
            r = run("compile", "packs", "-o", "x")
            self.assertEqual(r.returncode, 1)
            self.assertIn(says, r.stderr)
            self.assertFalse(os.path.exists("x"))
            os.remove("packs/" + name)
        self.write("packs/m.weights", weights)
        self.write("packs/n.weights", weights)
        self.assertIn("packs/n.weights:1:1: error: a second file of weights: a set has one model, that of packs/m.weights",
                      run("lint", "packs").stderr)
        for name in ("a", "b"):
            self.write(f"packs/{name}.templates", f"0x{'11' * 32} p@1 A\n")
        self.assertIn("packs/b.templates:1:1: error: the same hash as in packs/a.templates:1", run("lint", "packs").stderr)
        for name in ("a", "b"):
            os.remove(f"packs/{name}.yaml")
        self.assertIn("no *.yaml in this folder", run("lint", "packs").stderr)

    def test_a_pack_by_another_name_is_told(self):
        self.write("packs/c.yml", GOOD.format(name="c", id=3))
        for command in (("lint", "packs"), ("compile", "packs", "-o", "x")):
            r = run(*command)
            self.assertEqual(r.returncode, 0, r.stderr)
            self.assertIn("packs: warning: c.yml is not read: the name of a pack ends in .yaml\n", r.stderr)

    def test_unreadable(self):
        for path in ("nowhere", "packs/nowhere.yaml", "/dev/null", ""):
            for command in (("lint", path), ("compile", path, "-o", "x")):
                r = run(*command)
                self.assertEqual(r.returncode, 1, command)
                self.assertIn("error:", r.stderr)
        os.mkdir("empty")
        r = run("lint", "empty")
        self.assertEqual(r.returncode, 1)
        self.assertIn("no *.yaml", r.stderr)
        r = run("compile", "packs", "-o", "nowhere/x")
        self.assertEqual(r.returncode, 1)
        self.assertIn("cannot write nowhere/x: No such file or directory", r.stderr)

    def test_pipe_is_not_waited_for(self):
        os.mkfifo("packs/c.yaml")
        self.assertEqual(run("lint", "packs").returncode, 1)

    def test_usage(self):
        for args in ((), ("help",), ("lint",), ("compile",), ("compile", "packs"), ("lint", "packs", "packs"),
                     ("lint", "packs", "-o", "x"), ("compile", "packs", "-o"), ("compile", "packs", "-o", "x", "--json"),
                     ("compile", "packs", "-o", "x", "--generation", "0"),
                     ("compile", "packs", "-o", "x", "--generation", "-1"),
                     ("compile", "packs", "-o", "x", "--generation", "1x"),
                     ("compile", "packs", "-o", "x", "--generation", "99999999999999999999")):
            r = run(*args)
            self.assertEqual(r.returncode, 2, args)
            self.assertIn("sentinel-rulec:", r.stderr)
            self.assertEqual(r.stdout, "")
        r = run("--help")
        self.assertEqual((r.returncode, r.stderr), (0, ""))
        self.assertIn("examples:", r.stdout)


unittest.main()
