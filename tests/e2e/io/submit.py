# SPDX-License-Identifier: BSD-3-Clause
"""A stand-in for a node, and clients that submit transactions of their own making to it: for tests that ask which of them were found, and not what a real
node or client does. A transaction is known by its nonce."""
import socket
import threading
import time

# a program's text: listens on the ports it is given, and gives this answer to whatever it is asked
ANSWERING = """
import socketserver, sys, threading
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while True:
            n = 0
            while (line := self.rfile.readline()) not in (b"\\r\\n", b""):
                if line.lower().startswith(b"content-length:"):
                    n = int(line.split(b":")[1])
            if not line:
                return
            self.rfile.read(n)
            body = b'{"jsonrpc":"2.0","id":1,ANSWER}'
            self.wfile.write(b"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: %d\\r\\n\\r\\n%s" % (len(body), body))
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
for port in sys.argv[1:]:
    threading.Thread(target=Server(("0.0.0.0", int(port)), Handler).serve_forever).start()
"""


def server(answer):
    return ANSWERING.replace("ANSWER", answer)


SERVER = server('"error":{"code":-32000,"message":"no"}')


def rlp(item):
    if isinstance(item, int):
        item = item.to_bytes((item.bit_length() + 7) // 8, "big")
    if isinstance(item, bytes):
        if len(item) == 1 and item[0] < 0x80:
            return item
        body, base = item, 0x80
    else:
        body, base = b"".join(map(rlp, item)), 0xc0
    if len(body) < 56:
        return bytes([base + len(body)]) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([base + 55 + len(size)]) + size + body


def transaction(nonce):
    """Of type 2; its signature recovers nobody that signed."""
    return b"\x02" + rlp([1, nonce, 1, 100, 50000, (nonce + 1).to_bytes(20, "big"), 0, bytes([nonce % 251]) * 300, [], 1, int.from_bytes(bytes([7]) * 32, "big"), int.from_bytes(bytes([5]) * 32, "big")])


class Client:
    """A connection that stays open and submits transactions, one after the other."""

    def __init__(self, address, port):
        self.s = socket.create_connection((address, port))
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.r = self.s.makefile("rb")

    def submit(self, nonce):
        body = b'{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["0x%s"]}' % transaction(nonce).hex().encode()
        post = b"POST / HTTP/1.1\r\nHost: node\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        half = len(post) // 2  # a profile may come between the two
        self.s.sendall(post[:half])
        time.sleep(0.0005)
        self.s.sendall(post[half:])
        while (line := self.r.readline()) != b"\r\n":
            if line.lower().startswith(b"content-length:"):
                n = int(line.split(b":")[1])
        self.r.read(n)


class Flow(threading.Thread):
    """Submits until it is stopped, and keeps of each when it began and ended, by the wall clock. pause_s: between two."""

    def __init__(self, address, port, first, pause_s=0):
        super().__init__(daemon=True)
        self.client, self.nonce, self.first, self.over, self.pause_s, self.times = Client(address, port), first, first, False, pause_s, {}
        self.start()

    def run(self):
        while not self.over:
            began = time.time()
            self.client.submit(self.nonce)
            self.times[self.nonce] = (began, time.time())
            self.nonce += 1
            time.sleep(self.pause_s)

    def stop(self):
        self.over = True
        self.join()
        return set(range(self.first, self.nonce))
