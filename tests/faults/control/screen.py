#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""sentinelctl status against a control that says what it is told to: what stands on the screen, word for word.

usage: screen.py CTL COUNTERS_H [unittest arguments]
"""
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

CTL, COUNTERS_H = sys.argv[1:3]
BIG = 2**64 - 1

with open(COUNTERS_H, encoding="utf-8") as header:
    HELP = {name.lower(): text for name, text in re.findall(r'_\((\w+), [CG], "([^"]*)"\)', header.read())}

# Counters that an operator must be told of when they are not 0.
DROPS = """
undec_ether undec_vlan undec_ip4 undec_ip6 undec_tunnel undec_nesting undec_fragment_bad undec_fragment_overlap undec_fragment_age
undec_fragment_datagrams undec_fragment_bytes undec_tcp undec_truncated undec_checksum undec_spread_full
st_gap st_drop_ooo_cap st_drop_flow_table st_drop_window st_drop_closed st_skip_lost st_skip_no_state
http_lost json_depth json_truncated ws_lost answers_depth answers_truncated answers_passed_over bodies_opaque inflate_bombs inflate_stolen
l2_bad l2_unread rlpx_lost rlpx_bad_header rlpx_oversize rlpx_no_buffer rlpx_windows_stolen
h2_streams_over h2_lost_headers grpc_lost grpc_opaque grpc_oversize grpc_no_buffer eth_over
tx_unscanned_hex tx_unscanned_rlp tx_unscanned_oversize tx_unscanned_unsigned tx_unscanned_gap tx_unscanned_no_buffer
tx_unscanned_hash_only tx_unscanned_mismatch tx_unscanned_object tx_unscanned_chain tx_unscanned_conflict tx_unscanned_scan_error
slabs_stolen facts_left_out senders_not_for_lives life_evicted life_rivals_full life_blocks_void life_blocks_open_lost life_unread
life_links_full suppressed_ring_full suppressed_over senders_skipped ring_lost_full evidence_over_budget cursor_bad
""".split()


class Control(threading.Thread):
    """Answers every connection's first line with the same object."""

    def __init__(self, path, status):
        super().__init__(daemon=True)
        self.line = json.dumps(status).encode() + b"\n"
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(path)
        self.listener.listen(8)

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                connection.makefile("rb").readline()
                connection.sendall(self.line)


def screen(counters, protocols=None, **more):
    status = {"event": "status", "journal": {"events": "0"}, "time_ns": "1", "counters": {k: str(v) for k, v in counters.items()}, **more}
    if protocols is not None:
        status["protocols"] = [{k: v if k == "name" else str(v) for k, v in p.items()} for p in protocols]
    with tempfile.TemporaryDirectory(prefix="sentinel-") as folder:
        path = os.path.join(folder, "c.sock")
        control = Control(path, status)
        control.start()
        p = subprocess.run([CTL, "status", "--socket", path], capture_output=True, text=True, timeout=60)
        control.listener.shutdown(socket.SHUT_RDWR)
        control.listener.close()
    assert p.returncode == 0 and p.stderr == "", p
    return p.stdout


def coverage(*args, **kwargs):
    """The lines of the coverage, up to the blocks' end."""
    lines = screen(*args, **kwargs).splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("coverage"))
    last = next(i for i, line in enumerate(lines) if line.startswith("accounting") or line.startswith("journal"))
    return lines[first:last]


class Screen(unittest.TestCase):
    maxDiff = None

    def test_nothing_yet(self):
        self.assertEqual(coverage({"frames": 0}), [
            "coverage   0 bytes of streams: 0.0 % read",
            "  none of    HTTP, WebSocket, IPC, gRPC, Arbitrum, RLPx",
            "nodes      have returned no hash for a submission",
            "blocks     none seen: what is mined without having been seen pending is not known"])

    def test_no_dataplane(self):
        p = subprocess.run([CTL, "status", "--socket", "/nonexistent"], capture_output=True, text=True, timeout=60)
        self.assertEqual((p.returncode, p.stdout), (1, ""))

    def test_every_feed(self):
        self.assertEqual(coverage({
            "st_advanced": 2000000, "st_parsed": 1000000, "st_skip_rlpx": 400000, "st_skip_opaque": 300000, "st_gap": 200000,
            "st_skip_unsynced": 10000, "st_skip_lost": 20000, "st_skip_no_state": 30000, "st_skip_ended": 39200, "st_buffered": 800,
            "http_requests": 1204, "http_responses": 1, "ws_connections": 1, "ws_messages": 40211, "stream_connections": 2,
            "grpc_connections": 3, "grpc_messages": 1, "l2_messages": 131, "rlpx_connections": 7, "rlpx_sessions": 5, "rlpx_bytes": 600000,
            "rlpx_messages": 88, "rlpx_mac_bad": 2, "feed_off": 1, "life_announced": 1000, "life_announced_joined": 990,
            "life_announced_expired": 4}), [
            "coverage   2.0 MB of streams: 50.0 % read, 20.0 % RLPx without its secrets, 15.0 % TLS and what else cannot be read, "
            "10.0 % missing in the capture, 5.0 % passed over, <0.1 % held",
            "  HTTP       1204 requests, 1 answer",
            "  WebSocket  1 connection, 40211 messages",
            "  IPC        2 connections of bare JSON",
            "  gRPC       3 connections, 1 message",
            "  Arbitrum   131 sequencer messages",
            "  RLPx       7 connections, secrets known of 5; 60.0 % of 1.0 MB read, 400.0 kB opaque; 88 messages, WRONG MACs in 2 directions",
            "  left out   1 message of feeds that the profile does not read there",
            "  announced  1000 transactions by hash alone; the bytes of 990 came, of 4 they did not in time",
            "nodes      have returned no hash for a submission",
            "blocks     none seen: what is mined without having been seen pending is not known"])

    def test_some_feeds(self):
        lines = coverage({"http_responses": 2, "rlpx_connections": 1})
        self.assertEqual(lines[1:4], ["  HTTP       0 requests, 2 answers", "  RLPx       1 connection, secrets known of 0; 0 messages",
                                      "  none of    WebSocket, IPC, gRPC, Arbitrum"])

    def test_nodes_word(self):
        reasons = ["unread", "unsigned", "gap", "midstream", "opaque", "malformed", "evicted", "no_such_id"]
        missed = {f"node_missed_{r}": i + 1 for i, r in enumerate(reasons)}
        lines = coverage({"node_hashes": 136, "node_scanned": 90, "node_duplicate": 10, **missed})
        at = next(i for i, line in enumerate(lines) if line.startswith("nodes"))
        self.assertEqual(lines[at], "nodes      returned 136 hashes for submissions: 100 scanned (10 of these seen before), 36 missed (26.5 %)")
        self.assertEqual([int(line.split()[0]) for line in lines[at + 1:at + 9]], list(range(1, 9)))
        self.assertIn("signed by the node itself", lines[at + 2])
        self.assertEqual({k for k in HELP if k.startswith("node_missed_")}, set(missed), "a reason that the screen does not know")
        lines = coverage({"node_hashes": 1, "node_scanned": 1})
        self.assertIn("nodes      returned 1 hash for submissions: 1 scanned (0 of these seen before), 0 missed (0.0 %)", lines)

    def test_blocks(self):
        lines = coverage({
            "life_blocks": 200, "life_included": 3100, "life_taken_back": 100, "life_included_pending": 2050, "life_taken_back_pending": 50,
            "life_announced_only": 30, "life_taken_back_announced_only": 10, "life_never_seen": 1020, "life_taken_back_never_seen": 40,
            "life_replaced": 2, "life_dropped": 3, "life_reorged": 4, "life_blocks_reorged": 1, "life_blocks_invalid": 2},
            [{"name": "aave-v3", "included": 120, "announced_only": 3, "never_seen": 15},
             {"name": "idle", "included": 0, "announced_only": 0, "never_seen": 0},
             {"name": "n" * 32, "included": 1, "announced_only": 0, "never_seen": 1}])
        at = next(i for i, line in enumerate(lines) if line.startswith("blocks"))
        self.assertEqual(lines[at:], [
            "blocks     200 blocks, 3000 transactions included: 2000 seen pending (66.7 %), 20 only announced (0.7 %), 980 never seen (32.7 %)",
            "           2 replaced, 3 dropped, 4 reorged; 1 block left the chain; 2 blocks were invalid",
            "  aave-v3              120 included, 15 never seen (12.5 %), 3 only announced (2.5 %)",
            "  idle                 0 included",
            "  " + "n" * 32 + " 1 included, 1 never seen (100.0 %)"])

    def test_shares_do_not_lie(self):
        lines = "\n".join(coverage({"life_blocks": 1, "life_included": 1000000, "life_included_pending": 999999, "life_never_seen": 1}))
        self.assertIn("1 block, 1000000 transactions included: 999999 seen pending (>99.9 %), 0 only announced (0.0 %), 1 never seen (<0.1 %)",
                      lines)

    def test_torn_and_hostile_numbers(self):
        lines = "\n".join(coverage({"life_blocks": 1, "life_included": 5, "life_taken_back": 9, "life_never_seen": 7, "st_advanced": 1,
                                    "st_parsed": BIG, "rlpx_connections": BIG, "rlpx_bytes": BIG, "st_skip_rlpx": 2, "node_hashes": 1,
                                    "node_missed_gap": BIG, "node_missed_opaque": BIG}))
        self.assertIn("1 block, 0 transactions included\n", lines)
        self.assertNotRegex(lines, r"nan|inf|-\d|[2-9]\d\d\.\d %|1[1-9]\d\.\d %")
        screen({k: BIG for k in HELP}, [{"name": "x", "included": BIG, "announced_only": BIG, "never_seen": BIG}] * 64)
        screen({"life_blocks": 1}, [{}, {"name": "only a name"}])

    def test_drops(self):
        self.assertEqual(set(DROPS) - set(HELP), set())
        out = screen({k: 7 for k in HELP})
        listed = [line.strip().split("  ", 1) for line in out[out.index("not read, not judged"):].splitlines()[1:] if line.startswith("   ")]
        self.assertEqual(sorted(text for _, text in listed), sorted(HELP[k] for k in DROPS))
        self.assertEqual({n for n, _ in listed}, {"7"})
        self.assertRegex(screen({k: 0 for k in HELP}), r"(?m)^ +0  nothing$")

    def test_no_colour_into_a_pipe(self):
        self.assertNotIn("\033", screen({k: 7 for k in HELP}))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]] + sys.argv[3:], verbosity=2)
