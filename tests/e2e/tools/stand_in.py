# SPDX-License-Identifier: BSD-3-Clause
"""A stand-in for a node's WebSocket port, made by hand from RFC 6455 so that it can also break it: each connection is played by a function."""
import base64
import hashlib
import json
import os
import socket
import struct
import threading

TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10
PATIENCE_S = 30


def frame(opcode, payload=b"", fin=True, rsv=0, mask=None, length=None):
    """One frame as a server sends it; `length` and `mask` are for wrong ones."""
    n = len(payload) if length is None else length
    head = bytes([fin << 7 | rsv << 4 | opcode])
    flag = 0x80 if mask else 0
    head += bytes([flag | n]) if n < 126 else bytes([flag | 126]) + struct.pack(">H", n) if n < 65536 else bytes([flag | 127]) + struct.pack(">Q", n)
    return head + (mask or b"") + payload


def notification(i=0, full=True, pad=0):
    """What geth sends for one pending transaction."""
    hash_ = f"0x{i:064x}"
    tx = {"blockHash": None, "from": "0x" + "aa" * 20, "gas": "0x5208", "hash": hash_, "input": "0x" + "00" * pad, "nonce": hex(i)}
    return json.dumps({"jsonrpc": "2.0", "method": "eth_subscription",
                       "params": {"subscription": "0xcd0c3e8af590364c09d0fa6a1210faf5", "result": tx if full else hash_}}).encode()


class Gone(Exception):
    """The client has ended the connection."""


class Connection:
    def __init__(self, sock):
        self.sock = sock
        self.buf = b""
        self.masks = []
        self.closed = None  # the code in the client's close frame
        self.pongs = []
        self.pings = 0
        self.request = ""

    def send(self, data):
        try:
            self.sock.sendall(data)
        except OSError as e:
            raise Gone from e

    def need(self, n):
        while len(self.buf) < n:
            try:
                more = self.sock.recv(65536)
            except ConnectionError as e:
                raise Gone from e
            if not more:
                raise Gone
            self.buf += more
        out, self.buf = self.buf[:n], self.buf[n:]
        return out

    def read_request(self):
        while b"\r\n\r\n" not in self.buf:
            more = self.need(len(self.buf) + 1)
            self.buf = more + self.buf
        head, self.buf = self.buf.split(b"\r\n\r\n", 1)
        self.request = head.decode()
        return dict(line.lower().split(": ", 1) if i else ("", line) for i, line in enumerate(self.request.split("\r\n")))

    def accept_key(self):
        key = [line.split(": ")[1] for line in self.request.split("\r\n") if line.lower().startswith("sec-websocket-key: ")][0]
        assert len(base64.b64decode(key)) == 16
        return base64.b64encode(hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()).decode()

    def welcome(self, more=b"", extra=""):
        """Answers the handshake as it should be; `more` follows in the same packet."""
        self.read_request()
        self.send(f"HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n"
                  f"Sec-WebSocket-Accept: {self.accept_key()}\r\n{extra}\r\n".encode() + more)

    def read(self):
        """The next message of the client; its control frames are noted, and its pings answered."""
        while True:
            b0, b1 = self.need(2)
            assert b0 & 0xf0 == 0x80, "the client neither fragments nor uses extensions"
            assert b1 & 0x80, "a client's frames are masked"
            n = b1 & 0x7f
            if n > 125:
                n = struct.unpack(">H", self.need(2))[0]
            mask = self.need(4)
            self.masks.append(mask)
            data = bytes(c ^ mask[i % 4] for i, c in enumerate(self.need(n)))
            if b0 & 15 == TEXT:
                return json.loads(data)
            if b0 & 15 == CLOSE:
                self.closed = struct.unpack(">H", data[:2])[0] if data else 0
                raise Gone
            if b0 & 15 == PONG:
                self.pongs.append(data)
                return data
            assert b0 & 15 == PING
            self.pings += 1
            self.send(frame(PONG, data))

    def answer(self, result=None, error=None):
        """Reads a request and answers it; returns the request."""
        ask = self.read()
        assert ask["method"] == "eth_subscribe" and ask["params"][0] == "newPendingTransactions", ask
        answer = {"jsonrpc": "2.0", "id": ask["id"]}
        answer.update({"error": error} if error else {"result": result or "0xcd0c3e8af590364c09d0fa6a1210faf5"})
        self.send(frame(TEXT, json.dumps(answer).encode()))
        return ask

    def subscribed(self):
        self.welcome()
        return self.answer()

    def until_gone(self):
        while True:
            self.read()


class Node:
    """Listens; connection number i is played by plays[i], the last one again and again."""

    def __init__(self, *plays, family=socket.AF_INET, host="127.0.0.1"):
        self.plays = plays
        self.connections = []
        self.wrong = []
        self.sock = socket.create_server((host, 0), family=family)
        self.port = self.sock.getsockname()[1]
        self.url = f"ws://{'[' + host + ']' if ':' in host else host}:{self.port}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                sock, _ = self.sock.accept()
            except OSError:
                return
            c = Connection(sock)
            sock.settimeout(PATIENCE_S)
            self.connections.append(c)
            threading.Thread(target=self.play, args=(c, self.plays[min(len(self.connections), len(self.plays)) - 1]), daemon=True).start()

    def play(self, c, play):
        try:
            play(c)
        except Gone:
            pass
        except Exception as e:  # pylint: disable=broad-except
            self.wrong.append(f"{type(e).__name__}: {e}")
        c.sock.close()

    def close(self):
        self.sock.close()


def noise(n):
    return os.urandom(n)
