#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the rule set of the worker's tests to standard output. What each rule is for is told in rig.h."""


def address(byte):
    return "0x" + byte * 20


def rule(number, name, class_, grade, condition, match, vectors):
    return (f"  - id: {number}\n    rev: {number % 7 + 1}\n    name: {name}\n    description: a rule of the tests\n"
            f"    class: {class_}\n    severity: {'critical' if grade == 'pause' else 'medium'}\n    grade: {grade}\n    status: stable\n"
            f"    match:\n{match}    condition: {condition}\n{vectors}")


def vectors(byte):
    return (f"    vectors:\n      - {{match: true, tx: {{to: \"{address(byte)}\", input: \"0x01020304\"}}}}\n"
            f"      - {{match: false, tx: {{to: \"{address('99')}\", input: \"0x01020304\"}}}}\n")


def to(number, name, class_, grade, byte):
    return rule(number, name, class_, grade, "target", f"      target: {{to: \"{address(byte)}\"}}\n",
                "    protocols: [target]\n" + vectors(byte))


def on(number, name, class_, grade, event, condition, yes, no):
    # one that must hold always has no witness of the contrary
    never = f"      - {{match: false, facts: {{{no}}}}}\n" if no is not None else ""
    return (f"  - id: {number}\n    rev: 1\n    name: {name}\n    description: a rule of the tests\n    class: {class_}\n"
            f"    severity: high\n    grade: {grade}\n    status: stable\n    on: {event}\n"
            + (f"    condition: {condition}\n" if condition else "")
            + f"    vectors:\n      - {{match: true, facts: {{{yes}}}}}\n{never}")


def main():
    out = ["pack: tests\nversion: 1\nrules:\n",
           to(1, "paged", "flash_loan", "page", "35"),
           to(2, "paused", "admin", "pause", "22"),
           to(3, "watched", "flash_loan", "watch", "11"),
           # a vector is never in a bundle, hence the witness
           rule(4, "bundled", "other", "watch", "(target and bundle_len >= 2) or witness",
                f"      target: {{to: \"{address('44')}\"}}\n      witness: {{to: \"{address('45')}\"}}\n", vectors("45")),
           rule(14, "on-numbers-of-code", "other", "watch", "(target and code_flash == 1) or witness",
                f"      target: {{to: \"{address('46')}\"}}\n      witness: {{to: \"{address('47')}\"}}\n", vectors("47")),
           rule(5, "deployed", "flash_deploy", "page", "code", "      code: {init_code: \"0xdeadbeefdeadbeef\"}\n",
                "    vectors:\n      - {match: true, tx: {input: \"0x6001deadbeefdeadbeef00\"}}\n"
                f"      - {{match: false, tx: {{to: \"{address('99')}\", input: \"0xdeadbeefdeadbeef\"}}}}\n")]
    out += [on(6, "flash", "flash_deploy", "page", "deployment", "code_flash == 1", "code_flash: 1", ""),
            on(7, "armed", "armed_call", "page", "armed_call", "", "", None),
            on(8, "armed-protected", "armed_call", "pause", "armed_call", "protected >= 1", "protected: 1", ""),
            on(9, "delegated", "flash_deploy", "page", "delegation", "armed == 1", "armed: 1", ""),
            on(10, "sandwich", "sandwich", "page", "sandwich", "", "victims: 1", None),
            on(11, "front", "sandwich", "watch", "sandwich_front", "", "victims: 1", None),
            on(12, "displacement", "displacement", "watch", "displacement", "", "", None),
            on(13, "armed-gas", "armed_call", "pause", "armed_call", "gas == 77777", "gas: 77777", "")]
    out += [to(100 + i, f"many-{i}", "other", "page" if i == 39 else "watch", "33") for i in range(40)]
    print("".join(out), end="")


main()
