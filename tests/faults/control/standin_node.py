# SPDX-License-Identifier: BSD-3-Clause
"""A node to ask, for tests of control: answers JSON-RPC batches over HTTP out of a table, or behaves badly."""
import http.server
import json
import socket
import threading
import time

CHAIN = 1


class Node:
    """`txs`: hash -> transaction object as a node tells it; `accounts`: address -> (nonce, pending nonce, balance). `mode`: None (answers),
    or what it does instead: a function of the handler and the body."""

    def __init__(self):
        self.txs, self.accounts = {}, {}
        self.base_fee = 10
        self.chain = CHAIN
        self.reverts = False
        self.trace = True
        self.calls = []  # addresses that a simulation calls
        self.mode = None
        self.bodies = 0
        node = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 1 << 16  # an answer is one segment, or the client's delayed ACK holds its end up

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                node.bodies += 1
                try:
                    if node.mode is not None:
                        node.mode(self, body)
                    else:
                        reply(self, json.dumps([node.answer(q) for q in json.loads(body)]).encode())
                except OSError:
                    self.close_connection = True

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def know(self, tx, nonce=None, balance=10**18, pending=None, known=True):
        """Takes a record's words: the transaction into the pool, and its sender's account."""
        mine = int(tx["nonce"])
        nonce = mine if nonce is None else nonce
        self.accounts["0x" + tx["from"]] = (nonce, nonce if pending is None else pending, balance)
        if known:
            self.txs["0x" + tx["hash"]] = {"hash": "0x" + tx["hash"], "from": "0x" + tx["from"], "to": "0x" + "11" * 20, "nonce": hex(mine),
                                           "gas": "0x5208", "maxFeePerGas": "0x64", "maxPriorityFeePerGas": "0x1", "gasPrice": "0x64",
                                           "value": "0x0", "input": "0x", "blockNumber": None}

    def answer(self, q):
        result, error = None, None
        method, params = q["method"], q["params"]
        if method == "eth_chainId":
            result = hex(self.chain)
        elif method == "eth_getTransactionByHash":
            result = self.txs.get(params[0])
        elif method == "eth_getTransactionCount":
            result = hex(self.accounts.get(params[0], (0, 0, 0))[params[1] == "pending"])
        elif method == "eth_getBalance":
            result = hex(self.accounts.get(params[0], (0, 0, 0))[2])
        elif method == "eth_getBlockByNumber":
            result = {"number": "0x10", "baseFeePerGas": "0xffff"}
        elif method == "eth_feeHistory":
            result = {"oldestBlock": "0x10", "baseFeePerGas": ["0xffff", hex(self.base_fee)]}
        elif method == "eth_call":
            assert "gasPrice" not in params[0], "both kinds of price"
            if self.reverts:
                error = {"code": 3, "message": "execution reverted"}
            else:
                result = "0x"
        elif method == "debug_traceCall" and self.trace:
            result = {"type": "CALL", "from": params[0]["from"], "to": params[0]["to"],
                      "calls": [{"type": "DELEGATECALL", "to": "0x" + "99" * 20, "calls": [{"type": "CALL", "to": a} for a in self.calls]}]}
            if self.reverts:
                result["error"] = "execution reverted"
        else:
            error = {"code": -32601, "message": "no such method"}
        return {"jsonrpc": "2.0", "id": q["id"], **({"error": error} if error else {"result": result})}


def reply(handler, body, status=200):
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


# ---- how a node may behave badly ----

def hangs(handler, body):
    time.sleep(30)


def slow(handler, body):
    """A byte now and then, for ever."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    for _ in range(1000):
        handler.wfile.write(b"[")
        handler.wfile.flush()
        time.sleep(0.02)


def garbage(handler, body):
    reply(handler, b"\x00\xff{]not json" * 50)


def deep(handler, body):
    reply(handler, b"[" * 900000)


def huge(handler, body):
    """More than is taken, without an end in sight."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for _ in range(2000):
        handler.wfile.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")


def closes(handler, body):
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def fails(handler, body):
    reply(handler, b"[]", 500)


def redirects(handler, body):
    handler.send_response(302)
    handler.send_header("Location", "http://127.0.0.1:1/")
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def wrong_types(handler, body):
    reply(handler, json.dumps([{"id": q["id"], "result": {"number": [], "hash": 7, "baseFeePerGas": -1}} for q in json.loads(body)]).encode())


def other_ids(handler, body):
    reply(handler, json.dumps([{"id": i, "result": "0x0"} for i in ("1", 1.5, None, -1, 2**62, 99)] * 10).encode())


def one_object(handler, body):
    reply(handler, b'{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"batches are not supported"}}')


BAD = [hangs, slow, garbage, deep, huge, closes, fails, redirects, wrong_types, other_ids, one_object]
