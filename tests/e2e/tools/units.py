#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The units of systemd, its users and its folders: that systemd takes them, how exposed each service is, and that they fit the programs they start.

usage: units.py FOLDER DATAPLANE CONTROL
The figures are systemd's own (0 to 10, less is better); a unit that becomes worse fails.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

FOLDER, DATAPLANE, CONTROL = (os.path.abspath(a) for a in sys.argv[1:4])
EXPOSURE = {"sentinel-dataplane": 3.4, "sentinel-control": 1.8, "sentinel-keys": 2.7, "sentinel-tap": 2.7}


def run(*argv):
    return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def read(name):
    with open(os.path.join(FOLDER, name), encoding="ascii") as f:
        return f.read()


def settings(name):
    """Of a unit: key to list of values."""
    found = {}
    for line in read(name + ".service").splitlines():
        if "=" in line and not line.startswith(("#", "[")):
            key, value = line.split("=", 1)
            found.setdefault(key, []).append(value)
    return found


class Units(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """A root with the units, the programs they start, and the targets they name."""
        cls.temp = tempfile.TemporaryDirectory()
        cls.root = cls.temp.name
        units = os.path.join(cls.root, "usr/lib/systemd/system")
        shutil.copytree("/usr/lib/systemd/system", units, symlinks=True, ignore=lambda _, names: [n for n in names if not n.endswith(".target")])
        os.makedirs(os.path.join(cls.root, "usr/sbin"))
        for name in os.listdir(FOLDER):
            if name.endswith((".service", ".target")):
                shutil.copy(os.path.join(FOLDER, name), units)
        for name in EXPOSURE:
            path = os.path.join(cls.root, "usr/sbin", name)
            with open(path, "w", encoding="ascii") as f:
                f.write("#!/bin/sh\n")
            os.chmod(path, 0o755)

    @classmethod
    def tearDownClass(cls):
        cls.temp.cleanup()

    def test_systemd_takes_them(self):
        for unit in [name + ".service" for name in EXPOSURE] + ["sentinel.target"]:
            done = run("systemd-analyze", "verify", "--man=no", "--root=" + self.root, unit)
            self.assertEqual((done.returncode, done.stdout), (0, ""), unit)

    def test_exposure(self):
        for name, most in EXPOSURE.items():
            done = run("systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={round(most * 10)}", "--root=" + self.root,
                       name + ".service")
            figure = re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)
            self.assertTrue(figure, done.stdout)
            print(f"{name}.service: exposure {figure.group(1)} of 10", file=sys.stderr)
            self.assertEqual((done.returncode, float(figure.group(1))), (0, most), done.stdout)

    def test_services_stand_alone(self):
        """Nothing ties the fate of one service to another's, and none gives up."""
        for name in EXPOSURE:
            s = settings(name)
            self.assertFalse({"Requires", "BindsTo", "Requisite", "Upholds", "Conflicts"} & set(s), name)
            self.assertEqual(s["PartOf"], ["sentinel.target"])
            self.assertEqual(s["WantedBy"], ["sentinel.target"])
            if s["Type"] == ["notify"]:
                self.assertEqual((s["Restart"], s["StartLimitIntervalSec"]), (["always"], ["0"]), name)
            else:
                self.assertEqual((s["Restart"], s["RestartSec"], s["StartLimitIntervalSec"]), (["on-failure"], ["2"], ["0"]), name)
            self.assertEqual((s["LimitCORE"], s["NoNewPrivileges"], s["MemoryDenyWriteExecute"]), (["0"], ["yes"], ["yes"]), name)

    def test_tap_comes_after_who_makes_its_interfaces(self):
        self.assertLessEqual({"docker.service", "libvirtd.service"}, set(settings("sentinel-tap")["After"][0].split()))

    def test_options_are_known(self):
        for name, program in (("sentinel-dataplane", DATAPLANE), ("sentinel-control", CONTROL)):
            text = run(program, "--help").stdout
            for option in re.findall(r"--[a-z-]+", settings(name)["ExecStart"][0]):
                self.assertIn(option, text, name)

    def test_users_and_folders(self):
        """Made in an empty root: the groups that the contracts between the processes name, and folders that only their owners change."""
        if os.geteuid() != 0:
            self.skipTest("not root")
        for kind in ("sysusers", "tmpfiles"):
            os.makedirs(os.path.join(self.root, f"usr/lib/{kind}.d"), exist_ok=True)
            shutil.copy(os.path.join(FOLDER, "sentinel." + kind), os.path.join(self.root, f"usr/lib/{kind}.d/sentinel.conf"))
        os.makedirs(os.path.join(self.root, "etc"), exist_ok=True)
        with open(os.path.join(self.root, "etc/group"), "w", encoding="ascii") as f:
            f.write("root:x:0:\n")
        with open(os.path.join(self.root, "etc/passwd"), "w", encoding="ascii") as f:
            f.write("root:x:0:0:root:/root:/bin/sh\n")
        done = run("systemd-sysusers", "--root=" + self.root, "sentinel.conf")
        self.assertEqual(done.returncode, 0, done.stdout)
        with open(os.path.join(self.root, "etc/group"), encoding="ascii") as f:
            groups = {line.split(":")[0]: line.strip().split(":") for line in f}
        self.assertEqual(groups["sentinel"][3], "sentinel-control")
        self.assertEqual(groups["sentinel-pauser"][3], "sentinel-control")
        with open(os.path.join(self.root, "etc/passwd"), encoding="ascii") as f:
            users = {line.split(":")[0]: line.strip().split(":") for line in f}
        for name in ("sentinel-dataplane", "sentinel-control"):
            self.assertIn("nologin", users[name][6])
        done = run("systemd-tmpfiles", "--create", "--root=" + self.root, "sentinel.conf")
        self.assertEqual(done.returncode, 0, done.stdout)
        for path, mode, user, group in (("run/sentinel", 0o1775, 0, int(groups["sentinel"][2])), ("var/lib/sentinel", 0o755, 0, 0),
                                        ("var/lib/sentinel/journal", 0o700, int(users["sentinel-control"][2]), int(users["sentinel-control"][3]))):
            st = os.stat(os.path.join(self.root, path))
            self.assertEqual((st.st_mode & 0o7777, st.st_uid, st.st_gid), (mode, user, group), path)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=2)
