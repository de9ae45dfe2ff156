#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""schema.py SCHEMA EVENT_LINES: events of random records against the JSON Schema, and their numbers against Python's."""
import copy
import datetime
import json
import subprocess
import sys

try:
    import jsonschema
except ImportError:
    print("python3-jsonschema is not installed")
    sys.exit(77)

EVENTS = 600


def unique(pairs):
    keys = [k for k, _ in pairs]
    assert len(keys) == len(set(keys)), f"a key twice: {keys}"
    return dict(pairs)


def check_numbers(event, meant):
    t = event["data"]["transaction"]
    if t["hash"] is not None:
        assert int(t["value"]) == int(meant["value"], 16), (t, meant)
        assert int(t["fee_cap"]) == int(meant["fee_cap"], 16), (t, meant)
    if t["nonce"] is not None:
        assert int(t["nonce"]) == int(meant["nonce"], 16), (t, meant)
    verdict = event["data"]["vet"] is not None and event["data"]["vet"]["node"] != "asked"
    own = event["id"].removesuffix("-vetted")
    assert own.endswith("-" + str(int(meant["seq"], 16)))
    assert verdict == (own != event["id"]) and (not verdict or event["supersedes"] == own), event["id"]
    wire = int(meant["wire"], 16)
    assert int(event["data"]["times"]["wire_ns"]) == wire
    when = datetime.datetime.fromtimestamp(0, datetime.timezone.utc) + datetime.timedelta(seconds=wire // 10**9)
    assert event["time"] == when.strftime("%Y-%m-%dT%H:%M:%S") + f".{wire % 10**9:09d}Z", (event["time"], wire)


def must_not_pass(validator, event):
    """The schema is worth something only if it refuses."""
    def broken(change):
        e = copy.deepcopy(event)
        change(e)
        assert not validator.is_valid(e), f"passes: {e}"

    broken(lambda e: e.pop("dedupekey"))
    broken(lambda e: e.update(more=1))
    broken(lambda e: e.update(id="x"))
    broken(lambda e: e.update(type="sentinel.other.v1"))
    broken(lambda e: e.update(dedupekey=e["dedupekey"].upper()))
    broken(lambda e: e["data"].update(more=1))
    broken(lambda e: e["data"].update(grade="unknown"))
    broken(lambda e: e["data"].update(generation=7))
    broken(lambda e: e["data"].update(generation="07"))
    broken(lambda e: e["data"].update(flags=["what"]))
    broken(lambda e: e["data"].update(evidence="0x"))
    broken(lambda e: e["data"].update(vet={"node": "yes"}))
    broken(lambda e: e["data"].pop("vet"))
    broken(lambda e: e["data"]["transaction"].update(gas=21000))
    broken(lambda e: e["data"]["transaction"].pop("created"))
    broken(lambda e: e["data"]["rule"].update({"class": "unknown"}))


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        schema = json.load(f)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    out = subprocess.run([sys.argv[2], str(EVENTS), "7"], check=True, capture_output=True).stdout.decode("utf-8")
    lines = out.rstrip("\n").split("\n")
    assert len(lines) == 3 * EVENTS, len(lines)
    seen = set()
    for line in lines:
        text, *meant = line.split("\t")
        event = json.loads(text, object_pairs_hook=unique)
        assert all(c >= " " for c in text), text  # one line, nothing a terminal would obey
        error = jsonschema.exceptions.best_match(validator.iter_errors(event))
        assert error is None, f"{error.message} in {text[:300]}"
        if meant:
            check_numbers(event, dict(m.split("=") for m in meant))
            if len(seen) < 5:
                must_not_pass(validator, event)
        seen.add(event["type"])
        seen.update(event["data"].get("flags", []))
    assert {"sentinel.alert.v1", "sentinel.retract.v1", "sentinel.drill.v1", "sentinel.loss.v1", "sentinel.silence.v1"} <= seen
    print(f"{len(lines)} events match the schema")


main()
