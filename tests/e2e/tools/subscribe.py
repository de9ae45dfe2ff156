#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""`sentinelctl subscribe` against a stand-in node that behaves, misbehaves and goes away.

usage: subscribe.py SENTINELCTL [unittest's arguments]
"""
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import unittest

sys.dont_write_bytecode = True  # nothing is written into the source tree
from stand_in import BINARY, CLOSE, CONTINUATION, PATIENCE_S, PING, PONG, TEXT, Connection, Gone, Node, frame, noise, notification

CTL = sys.argv[1]
MIB = 1 << 20


class Client:
    """A running subscriber; its stdout is read as it comes."""

    def __init__(self, *args):
        self.process = subprocess.Popen([CTL, "subscribe", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines = []
        self.err = ""
        self.readers = [threading.Thread(target=self.read_out), threading.Thread(target=self.read_err)]
        for r in self.readers:
            r.start()

    def read_out(self):
        for line in self.process.stdout:
            self.lines.append(json.loads(line))

    def read_err(self):
        for line in self.process.stderr:
            self.err += line

    def wait_for(self, what, condition):
        end = time.monotonic() + PATIENCE_S
        while not condition():
            if time.monotonic() > end or self.process.poll() is not None and not condition():
                self.process.kill()
                raise AssertionError(f"waited in vain for {what}\n{self.err}\n{self.lines[-3:]}")
            time.sleep(0.01)

    def wait_said(self, text):
        self.wait_for(text, lambda: text in self.err)

    def wait_received(self, n):
        self.wait_for(f"{n} received", lambda: self.lines and int(self.lines[-1]["received"]) >= n)

    def ended(self):
        code = self.process.wait(PATIENCE_S)
        for r in self.readers:
            r.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return code

    def end(self, sig=signal.SIGTERM):
        self.process.send_signal(sig)
        return self.ended()


class Case(unittest.TestCase):
    def node(self, *plays, **options):
        node = Node(*plays, **options)
        self.addCleanup(node.close)
        return node

    def client(self, *args):
        c = Client(*args)
        self.addCleanup(lambda: c.process.poll() is None and c.process.kill())
        return c

    def watched(self, node, *args):
        return self.client(node.url, "--json", "--every", "1", *args)

    def refused(self, play, *args):
        """What a first connection to this play ends with; must be status 1, and nothing on stdout."""
        node = self.node(play)
        c = self.client(node.url, *args)
        self.assertEqual(c.ended(), 1, c.err)
        self.assertEqual(c.lines, [])
        self.assertEqual(node.wrong, [])
        return c.err

    def survives(self, play, received=1, args=()):
        """A connection that goes wrong as `play` does is told of and followed by a good one; returns what was told and the first connection."""
        def good(c):
            c.subscribed()
            c.send(frame(TEXT, notification()) * received)
            c.until_gone()
        node = self.node(play, good)
        c = self.watched(node, *args)
        c.wait_for("the second connection", lambda: c.lines and c.lines[-1]["reconnects"] == "1")
        c.wait_received(received)
        self.assertEqual(c.end(), 0)
        self.assertEqual(node.wrong, [])
        return c, node.connections[0]


class Subscription(Case):
    def test_counts_what_comes(self):
        def play(c):
            c.subscribed()
            for i in range(50):
                c.send(frame(TEXT, notification(i)))
            c.until_gone()
        node = self.node(play)
        c = self.watched(node)
        c.wait_received(50)
        self.assertEqual(c.end(), 0)
        last, served = c.lines[-1], node.connections[0]
        self.assertEqual([l["event"] for l in (c.lines[0], last)], ["connected", "end"])
        self.assertEqual((last["received"], last["hashes"], last["other"], last["reconnects"]), ("50", "0", "0", "0"))
        self.assertGreater(int(last["bytes"]), 50 * len(notification()))
        self.assertGreaterEqual(int(last["last_message_age_ms"]), 0)
        self.assertEqual((c.lines[0]["subscription"], c.lines[0]["connected"], last["connected"]), ("full", True, False))
        self.assertEqual(c.err, "")
        self.assertEqual(served.closed, 1000)
        self.assertEqual(node.wrong, [])

    def test_the_request(self):
        seen = []
        def play(c):
            seen.append(c.subscribed())
            c.send(frame(PING, b"a"))
            c.read()
            c.until_gone()
        node = self.node(play)
        c = self.client(node.url + "/mainnet?token=x/y")
        c.wait_for("a pong", lambda: node.connections and node.connections[0].pongs)
        c.end(signal.SIGINT)
        served = node.connections[0]
        lines = served.request.split("\r\n")
        self.assertEqual(lines[0], "GET /mainnet?token=x/y HTTP/1.1")
        self.assertEqual({l.split(":")[0] for l in lines[1:]},
                         {"Host", "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "User-Agent"})
        self.assertIn(f"Host: 127.0.0.1:{node.port}", lines)
        self.assertEqual(seen, [{"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newPendingTransactions", True]}])
        self.assertEqual(len(set(served.masks)), len(served.masks))
        self.assertGreaterEqual(len(served.masks), 3)
        self.assertEqual(served.closed, 1000)

    def test_text_status(self):
        def play(c):
            c.subscribed()
            c.send(frame(TEXT, notification()))
            c.until_gone()
        node = self.node(play)
        c = self.client(node.url, "--every", "1")
        c.wait_said("status: 1 received")
        self.assertEqual(c.end(), 0)
        self.assertIn(f"connected to {node.url} (127.0.0.1), whole transactions: 0 received", c.err)
        self.assertIn("end: 1 received", c.err)
        self.assertEqual(c.lines, [])

    def test_quiet(self):
        node = self.node(lambda c: (c.subscribed(), c.until_gone()))
        c = self.client(node.url, "--quiet", "--every", "1", "--silence", "5")
        c.wait_for("pings", lambda: node.connections and node.connections[0].pings > 2)
        self.assertEqual((c.end(), c.err, c.lines), (0, "", []))

    def test_ipv6_and_name(self):
        try:
            node = self.node(lambda c: (c.subscribed(), c.until_gone()), family=socket.AF_INET6, host="::1")
        except OSError:
            self.skipTest("no IPv6 here")
        c = self.watched(node)
        c.wait_for("a connection", lambda: c.lines)
        c.end()
        self.assertIn(f"\r\nHost: [::1]:{node.port}\r\n", node.connections[0].request + "\r\n")
        try:
            socket.getaddrinfo("localhost", None)
        except OSError:
            return  # a bare root without a hosts file
        by_name = self.node(lambda c: (c.subscribed(), c.until_gone()))
        c = self.client(f"ws://localhost:{by_name.port}/")  # resolves to ::1 as well, where no one listens
        c.wait_said("(127.0.0.1)")
        self.assertEqual(c.end(), 0)

    def test_hashes(self):
        asked = []
        def play(c):
            asked.append(c.subscribed()["params"])
            c.send(frame(TEXT, notification(1, full=False)) * 3)
            c.until_gone()
        c = self.watched(self.node(play), "--hashes")
        c.wait_received(3)
        c.end()
        self.assertEqual(asked, [["newPendingTransactions"]])
        self.assertEqual((c.lines[0]["subscription"], c.lines[-1]["received"], c.lines[-1]["hashes"], c.err), ("hashes", "3", "3", ""))

    def test_falls_back_to_hashes(self):
        asked = []
        def play(c):
            c.welcome()
            asked.append(c.answer(error={"code": -32602, "message": "too many arguments, want at most 1"})["params"])
            asked.append(c.answer()["params"])
            c.send(frame(TEXT, notification(1, full=False)))
            if len(asked) < 5:
                return
            c.until_gone()
        c = self.watched(self.node(play))
        c.wait_received(3)
        c.end()
        self.assertEqual(asked[:2], [["newPendingTransactions", True], ["newPendingTransactions"]])
        self.assertEqual(c.err.count('refuses whole transactions ("too many arguments, want at most 1"); subscribing to hashes'), 1)
        self.assertEqual((c.lines[0]["subscription"], c.lines[-1]["hashes"]), ("hashes", "3"))

    def test_a_node_that_takes_the_wish_and_sends_hashes(self):
        def play(c):
            c.subscribed()
            c.send(frame(TEXT, notification(1, full=False)) * 5)
            c.until_gone()
        c = self.watched(self.node(play))
        c.wait_received(5)
        c.end()
        self.assertEqual(c.err.count("sends hashes"), 1)
        self.assertEqual(c.lines[-1]["hashes"], "5")

    def test_refuses_both(self):
        def play(c):
            c.welcome()
            for _ in range(2):
                c.answer(error={"code": -32601, "message": "the method eth_subscribe does not exist\x1b[2J"})
            c.until_gone()
        err = self.refused(play)
        self.assertIn("--ws.api eth", err)
        self.assertIn("does not exist?[2J", err)


class Connecting(Case):
    def test_http_errors(self):
        for status, body, expect in ((403, "origin not allowed", "--ws.origins"), (401, "missing token", "8551"), (404, "", "--ws.rpcprefix"),
                                     (200, "{}", "WebSocket port"), (400, "Bad Request\x1b]0;x\x07\n", "WebSocket port"), (301, "", "redirects"),
                                     (503, "", "cannot now"), (426, "", "WebSocket port")):
            def play(c, status=status, body=body):
                c.read_request()
                c.send(f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
            err = self.refused(play)
            self.assertIn(f"HTTP {status}", err)
            self.assertIn(expect, err)
            self.assertTrue(err.rstrip("\n").isprintable(), err)
            self.assertEqual(err.count("\n"), 1)
            if status == 403:
                self.assertIn('("origin not allowed")', err)

    def test_not_a_websocket_server(self):
        ok = "HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: KEY\r\n"
        def answer(text):
            def play(c):
                c.read_request()
                c.send(text.replace("KEY", c.accept_key()).encode())
                if not text.startswith(ok) or len(text) < 10000:
                    c.sock.shutdown(socket.SHUT_WR)
                    c.sock.recv(1)
            return play
        for text, expect in (
                ("SSH-2.0-OpenSSH_9.2\r\n", "does not speak HTTP"), ("HTTP/1.1 1x1 OK\r\n\r\n", "does not speak HTTP"), ("\r\n\r\n", "does not speak HTTP"),
                ("HTTP/2 101\r\n\r\n", "does not speak HTTP"), ("", "hung up"), ("HTTP/1.1 101 OK\r\nUpg", "in mid-answer"),
                (ok.replace("KEY", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") + "\r\n", "does not fit our key"),
                (ok.replace("Sec-WebSocket-Accept: KEY\r\n", "") + "\r\n", "does not fit our key"), (ok + "Sec-WebSocket-Accept: KEY\r\n\r\n", "our key"),
                (ok.replace("KEY", "KEYx") + "\r\n", "our key"), (ok.replace("websocket", "h2c") + "\r\n", "upgrades to something else"),
                (ok.replace("websocket", "websockets") + "\r\n", "upgrades to something else"),
                (ok.replace("Connection: Upgrade", "Connection: close") + "\r\n", "Connection: Upgrade"),
                (ok + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", "extension"), (ok + "Sec-WebSocket-Protocol: x\r\n\r\n", "subprotocol"),
                (ok + "X: " + "y" * 20000, "no end")):
            with self.subTest(expect=expect, text=text[:60]):
                self.assertIn(expect, self.refused(answer(text)))

    def test_slow_handshakes(self):
        self.assertIn("does not answer the WebSocket handshake", self.refused(lambda c: (c.read_request(), c.need(1)), "--silence", "1"))
        def drip(c):
            c.read_request()
            for b in b"HTTP/1.1 101 OK\r\n" + b"X: y\r\n" * 1000:
                c.send(bytes([b]))
                time.sleep(0.05)
        self.assertIn("does not answer the WebSocket handshake", self.refused(drip, "--silence", "1"))

    def test_no_answer_to_the_subscription(self):
        self.assertIn("no answer to eth_subscribe", self.refused(lambda c: (c.welcome(), c.until_gone()), "--silence", "3"))
        def chatter(c):
            c.welcome()
            while True:
                c.send(frame(TEXT, b'{"hello":"world"}'))
                time.sleep(0.1)
        self.assertIn("is this an Ethereum node", self.refused(chatter, "--silence", "1"))

    def test_nobody_there(self):
        with socket.create_server(("127.0.0.1", 0)) as s:
            port = s.getsockname()[1]
        c = self.client(f"ws://127.0.0.1:{port}")
        self.assertEqual(c.ended(), 1)
        self.assertIn("connection refused", c.err)
        self.assertIn("--ws.port", c.err)
        c = self.client("ws://nowhere.invalid:8546")
        self.assertEqual(c.ended(), 1)
        self.assertIn("cannot find this host", c.err)

    def test_waits_for_a_node(self):
        with socket.create_server(("127.0.0.1", 0)) as s:
            port = s.getsockname()[1]
        c = self.client(f"ws://127.0.0.1:{port}", "--wait")
        c.wait_said("waiting for it")
        time.sleep(0.5)
        s = socket.create_server(("127.0.0.1", port))
        self.addCleanup(s.close)
        served = Connection(s.accept()[0])
        served.subscribed()
        c.wait_said("connected to")
        self.assertEqual(c.err.count("waiting for it"), 1)
        self.assertEqual(c.end(), 0)
        with self.assertRaises(Gone):
            served.until_gone()
        served.sock.close()

    def test_ends_while_it_waits(self):
        with socket.create_server(("127.0.0.1", 0)) as s:
            port = s.getsockname()[1]
        c = self.client(f"ws://127.0.0.1:{port}", "--wait")
        c.wait_said("waiting for it")
        self.assertEqual(c.end(), 0)

    def test_command_line(self):
        for args, expect in (
                ([], "needs the address"), (["ws://a:1", "ws://b:1"], "one node at a time"), (["--nonsense"], "unknown option"),
                (["ws://a:1", "--every"], "needs a value"), (["ws://a:1", "--every", "0"], "--every"), (["ws://a:1", "--silence", "1x"], "--silence"),
                (["ws://a:1", "--silence", "-1"], "--silence"), (["ws://a:1", "--every", "99999999999999999999"], "--every"),
                (["wss://a:1"], "could not read"), (["WSS://a:1"], "could not read"), (["http://a:8545"], "WebSocket port"), (["a:8546"], "ws://HOST:PORT"),
                (["ws://a"], "port is missing"), (["ws://a/"], "port is missing"), (["ws://[::1]"], "port is missing"), (["ws://::1:8546"], "brackets"),
                (["ws://[::1:8546"], "closing bracket"), (["ws://[zz]:1"], "IPv6"), (["ws://[::1]8546"], ":PORT"), (["ws://:8546"], "host is missing"),
                (["ws://a:0"], "65535"), (["ws://a:65536"], "65535"), (["ws://a:8x"], "65535"), (["ws://a:"], "65535"), (["ws://a:999999"], "65535"),
                (["ws://u:p@a:1"], "user names"), (["ws://a:1/#x"], "fragment"), (["ws://a:1/ x"], "blanks"), (["ws://a:1/\r\nX: y"], "blanks"),
                (["ws://" + "a" * 300 + ":1"], "too long"), (["ws://[" + "a" * 300 + "]:1"], "too long"), (["ws://a:1/" + "a" * 3000], "too long"),
                (["ws://"], "port is missing"), (["ws://["], "closing bracket"), ([""], "ws://HOST:PORT")):
            with self.subTest(args=args):
                done = subprocess.run([CTL, "subscribe", *args], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(expect, done.stderr)
        done = subprocess.run([CTL, "subscribe", "--help"], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("examples:", done.stdout)


class Staying(Case):
    def test_comes_back(self):
        def play(c):
            c.subscribed()
            c.send(frame(TEXT, notification()) * 2)
            if len(node.connections) > 3:
                c.until_gone()
        node = self.node(play)
        c = self.watched(node)
        c.wait_received(8)
        self.assertEqual(c.end(), 0)
        self.assertEqual((c.lines[-1]["received"], c.lines[-1]["reconnects"], len(node.connections)), ("8", "3", 4))
        self.assertEqual(c.err.count("hung up; connecting again"), 3)

    def test_is_not_put_off_by_errors_later(self):
        def error(c):
            c.read_request()
            c.send(b"HTTP/1.1 403 Forbidden\r\n\r\n")
        def good(c):
            c.subscribed()
            c.send(frame(TEXT, notification()))
            if len(node.connections) == 4:
                c.until_gone()
        node = self.node(good, error, error, good)
        c = self.watched(node)
        c.wait_received(2)
        self.assertEqual(c.end(), 0)
        self.assertEqual(c.err.count("HTTP 403"), 1)  # the same failure twice is told once
        self.assertEqual(c.lines[-1]["reconnects"], "1")

    def test_close_frame(self):
        c, served = self.survives(lambda c: (c.subscribed(), c.send(frame(CLOSE, struct.pack(">H", 1001) + b"bye\x7f")), c.until_gone()))
        self.assertIn("the node closed the connection: with code 1001: bye?", c.err)
        self.assertEqual(served.closed, 1001)
        c, _ = self.survives(lambda c: (c.subscribed(), c.send(frame(CLOSE)), c.until_gone()))
        self.assertIn("the node closed the connection;", c.err)

    def test_silence(self):
        def deaf(c):
            c.subscribed()
            c.need(1)  # hears the ping, and says nothing
            time.sleep(8)
        node = self.node(deaf, lambda c: (c.subscribed(), c.until_gone()))
        c = self.watched(node, "--silence", "5")
        c.wait_said("said nothing for 5 s")
        c.wait_for("the second connection", lambda: c.lines[-1]["reconnects"] == "1")
        c.wait_for("pings", lambda: node.connections[1].pings > 3)  # each answered, so it stays
        self.assertEqual(c.end(), 0)
        self.assertEqual(len(node.connections), 2)

    def test_fragments_and_pings(self):
        text = notification(7)
        def play(c):
            c.subscribed()
            c.send(frame(TEXT, text[:10], fin=False) + frame(PING, b"between") + frame(CONTINUATION, b"", fin=False) +
                   frame(CONTINUATION, text[10:20], fin=False) + frame(PONG, b"unasked") + frame(CONTINUATION, text[20:]))
            assert c.read() == b"between"
            for b in frame(TEXT, text, length=None):  # a byte a packet
                c.send(bytes([b]))
            c.send(frame(BINARY, text) + frame(TEXT, b"") + frame(TEXT, b"[1,2]") + frame(TEXT, b"nonsense") + frame(TEXT, b'{"id":1,"result":"0x1"}'))
            c.send(frame(TEXT, text))
            c.until_gone()
        node = self.node(play)
        c = self.watched(node)
        c.wait_received(4)
        self.assertEqual(c.end(), 0)
        self.assertEqual((c.lines[-1]["received"], c.lines[-1]["reconnects"]), ("4", "0"))
        self.assertEqual(c.lines[-1]["other"], "4")
        self.assertEqual(node.wrong, [])

    def test_early_bytes(self):
        """What comes in one packet with the handshake's answer is not lost."""
        def play(c):
            c.welcome(more=frame(TEXT, notification()) + frame(PING, b"early") + b"\x81")
            c.send(frame(TEXT, b"{}")[1:])
            while c.read() != b"early":
                pass
            c.send(frame(TEXT, b'{"jsonrpc":"2.0","id":1,"result":"0x1"}'))
            c.until_gone()
        node = self.node(play)
        c = self.watched(node)
        c.wait_received(1)
        self.assertEqual(c.end(), 0)
        self.assertEqual((c.lines[-1]["received"], c.lines[-1]["other"], c.err), ("1", "1", ""))

    def test_broken_protocol(self):
        for what, data in {
                "reserved bit": frame(TEXT, b"a", rsv=4), "unknown opcode": frame(3, b"a"), "unknown control": frame(11, b""),
                "masked": frame(TEXT, b"aaaa", mask=b"abcd"), "continuation of nothing": frame(CONTINUATION, b"a"),
                "text inside a message": frame(TEXT, b"a", fin=False) + frame(TEXT, b"b"), "fragmented ping": frame(PING, b"", fin=False),
                "long ping": frame(PING, b"a" * 126), "length not minimal": bytes([0x81, 127]) + struct.pack(">Q", 5) + b"hello", "close code 1005": frame(CLOSE, struct.pack(">H", 1005)),
                "HTTP": b"HTTP/1.1 200 OK\r\n\r\n", "noise": b"\xff" + noise(4000)}.items():
            with self.subTest(what=what):
                c, _ = self.survives(lambda c, data=data: (c.subscribed(), c.send(data), c.until_gone()))
                self.assertIn("; connecting again", c.err)
                self.assertTrue("broke the WebSocket protocol" in c.err or "more than 32 MiB" in c.err, c.err)

    def test_not_utf8(self):
        for text in (b"\xff\xfe", b"\xc3", b"\xed\xa0\x80"):
            c, served = self.survives(lambda c, text=text: (c.subscribed(), c.send(frame(TEXT, text)), c.until_gone()))
            self.assertIn("not UTF-8", c.err)
            self.assertEqual(served.closed, 1007)

    def test_huge_messages(self):
        def play(c):
            c.subscribed()
            c.send(frame(TEXT, notification(1, pad=15 * MIB)))
            big = notification(2, pad=15 * MIB)
            for i in range(0, len(big), 4 * MIB):
                c.send(frame(CONTINUATION if i else TEXT, big[i:i + 4 * MIB], fin=i + 4 * MIB >= len(big)))
            c.send(frame(TEXT, b" " * (32 * MIB)))  # just within; without a method in its head it still counts
            c.send(frame(TEXT, notification(3)))
            c.until_gone()
        c = self.watched(self.node(play))
        c.wait_received(4)
        self.assertEqual(c.end(), 0)
        self.assertEqual((c.lines[-1]["received"], c.lines[-1]["hashes"], c.err), ("4", "0", ""))

    def test_messages_beyond_the_cap(self):
        piece = b" " * MIB
        for data in (frame(TEXT, b"abc", length=32 * MIB + 1), frame(TEXT, b"abc", length=(1 << 63) - 1), frame(TEXT, piece, fin=False) +
                     b"".join(frame(CONTINUATION, piece, fin=False) for _ in range(32)),
                     frame(TEXT, piece, fin=False) + frame(CONTINUATION, b"abc", length=32 * MIB)):
            c, served = self.survives(lambda c, data=data: (c.subscribed(), c.send(data), c.until_gone()))
            self.assertIn("more than 32 MiB", c.err)
            self.assertIn(served.closed, (1009, None))  # None: it was lost in a reset, since more was under way

    def test_ends_within_a_flood(self):
        """SIGTERM is heard although the socket is never empty, and nothing piles up."""
        def play(c):
            c.subscribed()
            burst = frame(TEXT, notification(1, pad=1000)) * 2000
            while True:
                c.send(burst)
        c = self.watched(self.node(play))
        c.wait_received(20000)
        with open(f"/proc/{c.process.pid}/status", encoding="ascii") as f:
            status = dict(line.split(":", 1) for line in f)
        if not os.environ.get("SANITIZED"):
            self.assertLess(int(status["VmHWM"].split()[0]), 64 * 1024)
        self.assertEqual(c.end(), 0)
        self.assertEqual(c.lines[-1]["event"], "end")

    def test_a_node_that_does_not_read(self):
        """Pings for ever, reads nothing: pongs must not pile up."""
        def play(c):
            c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            c.subscribed()
            burst = frame(PING, b"p" * 125) * 1000
            while True:
                c.send(burst)
        # Where its acknowledgements are lost to its own full buffer, the node falls silent before that many pongs wait.
        c, _ = self.survives(play, args=("--silence", "10"))
        self.assertRegex(c.err, "does not read what it is sent|has said nothing for 10 s")

    def test_stdout_goes_away(self):
        node = self.node(lambda c: (c.subscribed(), c.until_gone()))
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([CTL, "subscribe", node.url, "--json"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot write to stdout", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
