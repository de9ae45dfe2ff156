#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What is armed, which incidents live and what operators watch: across restarts and deaths of either process.

usage: memory.py CONTROL SCRIPTED CTL [CASE...]
"""
import json
import os
import sqlite3
import sys

import faults
from faults import ctl, finish_control, residuals_zero, verify, wait
from vetting import Dataplane, listen, stop

FLASH_DEPLOY, ARMED_CALL = 2, 7
INCLUDED, DROPPED, REPLACED, REORGED = 1, 2, 3, 4
F_INCLUDED, F_OPERATOR, F_DELEGATION = 1, 2, 4
HAS_ARMED, HAS_SCORE, RETRACT = 1 << 8, 1 << 10, 2


def arming(d, armed, **words):
    w = d.record(wanted=2, lacks=1, armed=armed, score=700, protocol="77" * 20)
    w["class"] = FLASH_DEPLOY
    w["has"] |= HAS_ARMED | HAS_SCORE
    w.update(words)
    return w


def last(d, n=1):
    """The newest page, once there are n."""
    wait(lambda: len(d.memories()) >= n, f"page {n}")
    return d.memories()[-1]


def armed(page):
    return {a["address"]: a["flags"] for a in page["armed"]}


def journal_has(box, n):
    wait(lambda: box.status()["journal"]["events"] == str(n), f"{n} events")


def case_restarts(box):
    """Control killed, control ended, dataplane restarted: each time the whole of it comes back, and no alert a second time."""
    box.control()
    box.up()
    consumer = listen(box)
    d = Dataplane(box)
    assert last(d)["armed"] == [] and last(d)["incidents"] == []
    first = arming(d, "a1" * 20)
    d.publish(first)
    d.publish(dict(first, ending=INCLUDED))
    d.publish(arming(d, "a2" * 20))
    d.publish(dict(arming(d, "a3" * 20), reasons=1 << 15))
    gone = arming(d, "a4" * 20)
    d.publish(gone)
    d.publish(dict(gone, ending=DROPPED))
    replaced = arming(d, "a5" * 20)
    d.publish(replaced)
    d.publish(dict(arming(d, "a5" * 20), dedupekey=replaced["dedupekey"]))  # the same nonce arms the same address
    d.publish(dict(replaced, ending=REPLACED))
    call = d.record(wanted=2, lacks=1, armed="a1" * 20)
    call["class"] = ARMED_CALL
    call["has"] |= HAS_ARMED
    d.publish(call)
    journal_has(box, 10)
    want = {"a1" * 20: F_INCLUDED, "a2" * 20: 0, "a3" * 20: F_DELEGATION, "a5" * 20: 0}
    # the dataplane goes and another comes: at once, with what it has just told
    late = arming(d, "a6" * 20)
    d.publish(late)
    want["a6" * 20] = 0
    d.end()
    d = Dataplane(box)
    page = last(d)
    assert armed(page) == want, armed(page)
    assert len(page["incidents"]) == 7, page["incidents"]
    by = {i["dedupekey"]: i for i in page["incidents"]}
    assert by[first["dedupekey"]]["ending"] == INCLUDED and by[first["dedupekey"]]["hashes"] == 1, by[first["dedupekey"]]
    assert by[replaced["dedupekey"]]["hashes"] == 2
    one = next(a for a in page["armed"] if a["address"] == "a1" * 20)
    assert (one["score"], one["chain"], one["protected"], one["deployer"]) == (700, 1, 1, first["from"]), one
    # control is killed right behind an alert
    for n in range(3):
        address = f"b{n}" * 20
        d.publish(arming(d, address))
        want[address] = 0
        journal_has(box, 12 + n)
        box.control_process.kill()
        box.control_process.wait()
        box.control("--journal-mb", "1")
        box.up()
        page = last(d, n + 2)
        assert armed(page) == want, armed(page)
    finish_control(box)
    box.control()
    box.up()
    assert armed(last(d, 5)) == want
    wait(lambda: len(set(consumer.ids)) == 14, "every event")  # what it had not acked before a kill comes again, with its id
    assert len(faults.journaled(box)) == len(set(faults.journaled(box))) == 14, "an alert was made twice"
    memory = box.status()["memory"]
    assert (memory["armed_included"], memory["armed"], memory["dropped"]) == ("1", str(len(want) - 1), "0"), memory
    # without its file it is read from the journal again
    finish_control(box)
    os.unlink(os.path.join(box.journal, "state.sqlite"))
    box.control()
    box.up()
    assert armed(last(d, 6)) == want
    stop(consumer)
    residuals_zero(box.status())
    d.end()
    finish_control(box)
    verify(box)
    return f"{len(want)} contracts"


def case_watch_list(box):
    """sentinelctl watch: takes effect at once, outlives kill -9, stands in the audit trail with who did it."""
    a, b, c = ("0x" + x * 20 for x in ("c1", "c2", "c3"))
    p = ctl(box, "watch", "list")
    assert p.returncode == 1 and "Is sentinel-control running?" in p.stderr, p
    box.control()
    box.up()
    p = ctl(box, "watch", "list")
    assert p.returncode == 0 and p.stdout == "" and "no contract is watched" in p.stderr, p
    d = Dataplane(box)
    last(d)
    p = ctl(box, "watch", "add", a, "--note", 'drained "us" \\ in März')
    assert p.returncode == 0 and p.stdout == f"{a} is watched now\n", p
    box.control_process.kill()  # what was answered is kept
    box.control_process.wait()
    box.control()
    box.up()
    wait(lambda: armed(d.memories()[-1]) == {a[2:]: F_OPERATOR}, "it is in the page")
    assert ctl(box, "watch", "add", b.upper().replace("X", "x")).returncode == 0
    wait(lambda: armed(d.memories()[-1]) == {a[2:]: F_OPERATOR, b[2:]: F_OPERATOR}, "both are in the page")
    p = ctl(box, "watch", "add", a)
    assert p.returncode == 1 and "watched already" in p.stderr, p
    p = ctl(box, "watch", "remove", c)
    assert p.returncode == 1 and "not on the watch list" in p.stderr, p
    p = ctl(box, "watch", "list", "--json")
    rows = [json.loads(x) for x in p.stdout.splitlines()]
    assert [(r["address"], r["note"], r["uid"]) for r in rows] == [(a, 'drained "us" \\ in März', str(os.getuid())), (b, None, str(os.getuid()))], rows
    p = ctl(box, "watch", "list")
    assert p.returncode == 0 and a in p.stdout and "März" in p.stdout and f"uid {os.getuid()}" in p.stdout, p
    p = ctl(box, "watch", "remove", a)
    assert p.returncode == 0 and p.stdout == f"{a} is watched no longer\n", p
    wait(lambda: armed(d.memories()[-1]) == {b[2:]: F_OPERATOR}, "one is in the page")
    # one that is armed by itself stays armed when it is taken from the list; and the list is on every chain
    d.publish(arming(d, b[2:], chain=0))
    d.publish(arming(d, b[2:], chain=7))
    journal_has(box, 2)
    wait(lambda: box.status()["memory"]["behind"] == "0", "it is known")
    assert ctl(box, "watch", "remove", b).returncode == 0
    wait(lambda: sorted((x["address"], x["flags"], x["chain"]) for x in d.memories()[-1]["armed"]) == [(b[2:], 0, 0), (b[2:], 0, 7)], "armed by itself")
    for wrong in (["watch"], ["watch", "add"], ["watch", "add", "0x12"], ["watch", "add", a[2:]], ["watch", "drop", a], ["watch", "list", a],
                  ["watch", "remove", a, "--note", "x"], ["watch", "add", a, "--json"], ["watch", "add", a, b], ["watch", "list", "--note"]):
        p = ctl(box, *wrong)
        assert p.returncode == 2 and "--help" in p.stderr and not p.stdout, (wrong, p)
    for wrong, why in ((["add", "0x" + "00" * 20], "not all of them zero"), (["add", c, "--note", "x" * 121], "up to 120 bytes"), (["add", c, "--note", "a\nb"], "control")):
        p = ctl(box, "watch", *wrong)
        assert p.returncode == 1 and why in p.stderr, p
    trail = [(k, json.loads(x)) for k, x in box.rows("SELECT kind, detail FROM audit WHERE kind LIKE 'watch%' ORDER BY n")]
    trail = [t for i, t in enumerate(trail) if i == 0 or t != trail[i - 1]]  # after a kill the same may be told twice, with the same n
    assert [(k, x["address"], x["uid"]) for k, x in trail] == [("watch_added", a, str(os.getuid())), ("watch_added", b, str(os.getuid())),
                                                               ("watch_removed", a, str(os.getuid())), ("watch_removed", b, str(os.getuid()))], trail
    assert [x["n"] for _, x in trail] == ["1", "2", "3", "4"] and trail[0][1]["note"] == 'drained "us" \\ in März'
    d.end()
    finish_control(box)
    verify(box)
    return "4 changes"


def case_watch_full(box):
    """The list has an end, and says so; what is on it outlives a restart."""
    box.control()
    box.up()
    with box.connect() as s:
        f = s.makefile("rwb")
        for i in range(1024):
            f.write(json.dumps({"op": "watch_add", "address": f"0x{i + 1:040x}", "note": "n" * 120}).encode() + b"\n")
            f.flush()
            answer = json.loads(f.readline())
            assert answer.get("event") == "watched", (i, answer)
        f.write(b'{"op":"watch_add","address":"0x' + b"ff" * 20 + b'"}\n')
        f.flush()
        assert json.loads(f.readline())["error"] == "the watch list is full"
    finish_control(box)
    box.control()
    box.up()
    p = ctl(box, "watch", "list", "--json")
    assert [int(json.loads(x)["address"], 16) for x in p.stdout.splitlines()] == list(range(1, 1025))
    d = Dataplane(box)
    assert len(last(d)["armed"]) == 1024
    d.end()
    finish_control(box)
    verify(box)
    return "1024 contracts"


def case_no_room(box):
    """No room on the disk: a change is told as not kept, alerts go their way; once there is room it is kept."""
    box.control()
    box.up()
    a = "0x" + "d1" * 20
    d = Dataplane(box)
    last(d)
    faults.limit_files(box, 4096)
    p = ctl(box, "watch", "add", a)
    assert p.returncode == 1 and "cannot be written" in p.stderr, p
    wait(lambda: armed(d.memories()[-1]) == {a[2:]: F_OPERATOR}, "it holds all the same")
    faults.limit_files(box, faults.resource.RLIM_INFINITY)
    wait(lambda: not box.status()["journal"]["failed"] and kept(box) == [bytes.fromhex(a[2:])], "it is kept once there is room")
    wait(lambda: [k for k, in box.rows("SELECT kind FROM audit WHERE kind LIKE 'watch%'")] == ["watch_added"], "and in the trail")
    d.end()
    finish_control(box)
    return "told, then kept"


def kept(box):
    db = sqlite3.connect(os.path.join(box.journal, "state.sqlite"))
    try:
        return [x for x, in db.execute("SELECT address FROM watch")]
    finally:
        db.close()


def case_broken_file(box):
    """What is no state file is moved aside; the journal tells the rest again. Another journal's is not believed."""
    box.control()
    box.up()
    d = Dataplane(box)
    d.publish(arming(d, "e1" * 20))
    journal_has(box, 1)
    finish_control(box)
    path = os.path.join(box.journal, "state.sqlite")
    for rubbish in (b"no database at all" * 1000, None):
        if rubbish is None:  # the right file with wrong entries
            db = sqlite3.connect(path)
            db.execute("UPDATE armed SET entry = zeroblob(240)")
            db.execute("INSERT INTO armed VALUES(99999999, 1, zeroblob(240)), (5, 1, x'00'), (-1, 1, zeroblob(240))")
            db.execute("INSERT INTO watch VALUES(x'01', 'x', 1, 1)")
            db.execute("UPDATE meta SET value = 0 WHERE key = 'cursor'")
            db.commit()
            db.close()
        else:
            for side in ("", "-wal", "-shm"):
                if os.path.exists(path + side):
                    os.unlink(path + side)
            with open(path, "wb") as f:
                f.write(rubbish)
        n = len(d.memories())
        box.control()
        box.up()
        assert armed(last(d, n + 1)) == {"e1" * 20: 0}
        finish_control(box)
    assert os.path.exists(path + ".bad")
    d.end()
    return "made anew"


CASES = {k[5:]: v for k, v in globals().items() if k.startswith("case_")}
if __name__ == "__main__":
    sys.exit(faults.main(CASES))
