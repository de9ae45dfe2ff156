#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tools/test says by its status and its last line what its parts came to: run whole, with stand-ins for what it calls."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(sys.argv[1])

STAND_INS = {
    "tools/setup": "exit 0",
    "tools/package/test": "exit ${PACKAGE:-0}",
    "bin/pkg-config": "exit 0",
    "bin/ninja": 'case "$*" in *targets*) echo "tests/fuzz/fuzz_one: c_LINKER" ;; esac',
    "bin/meson": """
case $1 in
setup) mkdir -p "$2/tests/unit" "$2/tests/fuzz" "$2/meson-logs"; touch "$2/build.ninja"; cp "$FUZZ" "$2/tests/fuzz/fuzz_one" ;;
test) cp "$LOG" "$3/meson-logs/testlog.json"; exit ${TESTS:-0} ;;
esac""",
    "bin/fuzz": 'case ${CRASH:-} in wait) echo $$ >"$PID"; exec sleep 60 ;; esac; exit ${CRASH:-0}',
}


def stand(root):
    for name in ("tools/test", "tools/lib.sh", "tools/count_tests.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(TOP / name, root / name)
    for name, text in STAND_INS.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/bash\n{text}\n")
        path.chmod(0o755)
    (root / "tmp").mkdir()


def environment(root, result="OK", **more):
    log = root / "testlog.json"
    log.write_text(json.dumps({"name": "one", "result": result, "stdout": ""}) + "\n")
    return {**os.environ, "PATH": f"{root}/bin:{os.environ['PATH']}", "TMPDIR": str(root / "tmp"), "LOG": str(log), "FUZZ": str(root / "bin/fuzz"),
            "PID": str(root / "pid"), **more}


def expect(root, status, last, *arguments, **more):
    done = subprocess.run([root / "tools/test", *arguments], env=environment(root, **more), capture_output=True, text=True, timeout=60)
    said = done.stdout.splitlines()[-1] if done.stdout else ""
    what = f"tools/test {arguments} {more}: status {done.returncode}, said {said!r}\n{done.stderr}"
    assert (done.returncode, said) == (status, last), f"{what}\nnot {status} and {last!r}"
    assert not list((root / "tmp").iterdir()), f"{what}\nleft {list((root / 'tmp').iterdir())}"


def ended_in_the_middle(root):
    """SIGTERM while a fuzz target runs: it is ended too, and no file stays."""
    run = subprocess.Popen([root / "tools/test"], env=environment(root, CRASH="wait"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    pid = root / "pid"
    until(lambda: pid.exists() and pid.read_text().strip(), "a fuzz target that runs")
    fuzz = int(pid.read_text())
    run.send_signal(signal.SIGTERM)
    assert run.wait(timeout=30) != 0
    until(lambda: not pathlib.Path(f"/proc/{fuzz}/stat").exists() or pathlib.Path(f"/proc/{fuzz}/stat").read_text().split()[2] == "Z", "the end of the fuzz target")
    assert not list((root / "tmp").iterdir()), "its files stayed"


def until(true, what):
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.02)


def main():
    root_user = os.geteuid() == 0
    whole = "4 passed, 0 failed, 0 skipped" if root_user else "3 passed, 0 failed, 1 skipped"
    one_failed = "3 passed, 1 failed, 0 skipped" if root_user else "2 passed, 1 failed, 1 skipped"
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        stand(root)
        expect(root, 0, whole)
        expect(root, 0, "1 passed, 0 failed, 0 skipped", "--quick")
        expect(root, 1, "0 passed, 1 failed, 0 skipped", "--quick", result="FAIL", TESTS="1")
        expect(root, 1, "1 passed, 1 failed, 0 skipped", "--quick", TESTS="1")
        expect(root, 1, "0 passed, 0 failed, 1 skipped", "--quick", result="SKIP")
        expect(root, 1, one_failed, CRASH="77")
        if root_user:
            expect(root, 1, one_failed, PACKAGE="1")
        expect(root, 2, "", "--quik")
        ended_in_the_middle(root)


main()
