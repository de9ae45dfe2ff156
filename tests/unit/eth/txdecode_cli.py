#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""`tx decode` as a stranger uses it. usage: txdecode_cli.py TXDECODE"""
import json
import os
import signal
import subprocess
import sys
import unittest

EXE = ""
# the example of EIP-155
RAW = ("f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe5375678"
       "66003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83")
HASH = "0x33469b22e9f636356c4160a87eb19df52b7412e8eac32a4a55ffe88ea8350788"
LINE_MAX = 2 * 2621440 + 64


def rlp(item):
    """Of bytes or lists of them."""
    body = b"".join(map(rlp, item)) if isinstance(item, list) else item
    if body is item and len(body) == 1 and body[0] < 0x80:
        return body
    base, size = (0x80 if body is item else 0xc0), len(body)
    if size < 56:
        return bytes([base + size]) + body
    count = (size.bit_length() + 7) // 8
    return bytes([base + 55 + count]) + size.to_bytes(count, "big") + body


def word(n):
    return n.to_bytes(32, "big")


def legacy(to, data, value=0):
    """A transaction on chain 1 whose signature is nobody's."""
    number = lambda n: n.to_bytes((n.bit_length() + 7) // 8, "big")
    return rlp([b"", number(10**9), number(300000), bytes.fromhex(to), number(value), data, number(37), b"\1", b"\1"])


def run(data, *args, **kw):
    return subprocess.run([EXE, *args], input=data, capture_output=True, timeout=60, **kw)


def answers(data, *args):
    done = run(data, *args)
    assert done.returncode == 0 and done.stderr == b"", done
    assert done.stdout == b"" or done.stdout.endswith(b"\n")
    return [json.loads(line) for line in done.stdout.splitlines()]


class CommandLine(unittest.TestCase):
    def test_help(self):
        for flag in ("--help", "-h"):
            done = run(b"", flag)
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            self.assertIn(b"usage: sentinelctl tx decode", done.stdout)

    def test_wrong(self):
        for args in (["--chain"], ["--chain", ""], ["--chain", "0"], ["--chain", "-1"], ["--chain", "+1"], ["--chain", " 1"],
                     ["--chain", "1x"], ["--chain", "0x1"], ["--chain", "18446744073709551616"], ["--chains", "1"], ["x"], ["-"],
                     ["--chain", "1", "x"], [""]):
            done = run((RAW + "\n").encode(), *args)
            self.assertEqual((done.returncode, done.stdout), (2, b""), args)
            self.assertIn(b"--help", done.stderr)

    def test_chain(self):
        for chain, valid in (("1", True), ("01", True), ("2", False), ("18446744073709551615", False)):
            (got,) = answers(RAW.encode(), "--chain", chain)
            self.assertEqual((got["ok"], got["valid"]), (True, valid))
            self.assertEqual(got["invalid_reason"], None if valid else "wrong chain id")


class Input(unittest.TestCase):
    def test_fields(self):
        (got,) = answers(RAW.encode())
        self.assertEqual(got, {
            "ok": True, "hash": HASH, "from": "0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f",
            "sender": "0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f", "created": None, "valid": True,
            "invalid_reason": None, "type": "0", "chain_id": "1", "nonce": "9", "gas_price": "20000000000",
            "max_priority_fee_per_gas": None, "max_fee_per_gas": None, "gas": "21000",
            "to": "0x3535353535353535353535353535353535353535", "value": "1000000000000000000", "input": "0x", "selector": None,
            "access_list": None, "max_fee_per_blob_gas": None, "blob_hashes": None, "sidecar_version": None, "sidecar_blobs": None,
            "authorizations": None, "v": "37",
            "r": "18515461264373351373200002665853028612451056578545711640558177340181847433846",
            "s": "46948507304638947509940763649030358759909902576025900602547168820602576006531", "raw_len": "110", "swaps": [],
            "swaps_over": False, "error": None})

    def test_nothing(self):
        self.assertEqual(answers(b""), [])

    def test_forms_of_a_line(self):
        for line in (RAW, "0x" + RAW, "0X" + RAW.upper(), "  0x" + RAW + "\t ", "0x" + RAW + "\r"):
            for end in ("\n", "\r\n", ""):
                (got,) = answers((line + end).encode())
                self.assertEqual(got.get("hash"), HASH, (line, end))

    def test_one_answer_a_line(self):
        lines = ["0x" + RAW, "", "0x", "0x1", "0xzz", "zz", RAW[:-2], RAW + "00", "05", " ", RAW]
        got = answers("\n".join(lines).encode())
        self.assertEqual([g["ok"] for g in got], [True] + [False] * 9 + [True])
        self.assertEqual([g["error"] for g in got[1:-1]], [
            "no bytes", "no bytes", "an odd number of hex digits", "a character that is no hex digit",
            "a character that is no hex digit", "not canonical RLP", "bytes after the transaction", "unknown transaction type",
            "no bytes"])
        for g in got[1:-1]:
            self.assertEqual(set(g), {"ok", "valid", "error"})
            self.assertIs(g["valid"], False)

    def test_inner_blank(self):
        self.assertFalse(answers((RAW[:20] + " " + RAW[20:]).encode())[0]["ok"])

    def test_binary(self):
        garbage = bytes(range(256)) * 40 + b"\0" + os.urandom(5000)
        got = answers(garbage + b"\n" + RAW.encode())
        self.assertEqual(len(got), garbage.count(b"\n") + 2)
        self.assertEqual(got[-1]["hash"], HASH)
        self.assertFalse(any(g["ok"] for g in got[:-1]))

    def test_utf8_mark(self):
        got = answers(b"\xef\xbb\xbf0x" + RAW.encode() + b"\n" + RAW.encode())
        self.assertEqual([g["ok"] for g in got], [False, True])

    def test_huge_lines(self):
        for n in (65535, 65536, 65537, LINE_MAX - 1, LINE_MAX, LINE_MAX + 1, 3 * LINE_MAX):
            got = answers(b"f" * n + b"\n" + RAW.encode() + b"\n" + b"0" * n)
            self.assertEqual([g["ok"] for g in got], [False, True, False], n)
            if n > LINE_MAX:
                self.assertEqual(got[0]["error"], "larger than any node accepts")

    def test_blanks_up_to_the_limit(self):
        for n, ok in ((LINE_MAX, True), (LINE_MAX + 1, False)):
            (got,) = answers(RAW.encode() + b" " * (n - len(RAW)))
            self.assertEqual(got["ok"], ok, n)

    def test_many_lines(self):
        got = answers((RAW + "\n").encode() * 3000)
        self.assertEqual(len(got), 3000)
        self.assertEqual({g["hash"] for g in got}, {HASH})


class Swaps(unittest.TestCase):
    ROUTER = "7a250d5630b4cf539739df2c5dacb4c659f2488d"
    WETH = "c02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"
    USDC = "a0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
    DAI = "6b175474e89094c44da98b954eedeac495271d0f"

    def swap_ether(self, *path):
        """swapExactETHForTokens for at least 5"""
        words = [word(5), word(128), word(int("11" * 20, 16)), word(1700000000), word(len(path))]
        return bytes.fromhex("7ff36ab5") + b"".join(words) + b"".join(word(int(p, 16)) for p in path)

    def test_two_hops(self):
        (got,) = answers(legacy(self.ROUTER, self.swap_ether(self.WETH, self.USDC, self.DAI), 10**18).hex().encode())
        self.assertIs(got["swaps_over"], False)
        common = {"router": "uniswap-v2-router02", "venue": "uniswap-v2", "deadline": "1700000000", "exact": "in", "hops": "2", "call": "0",
                  "amount_out": None}
        self.assertEqual(got["swaps"], [
            {**common, "pool": "0xb4e16d0168e52d35cacd2c6185b44281ec28c9dc", "direction": "1-0", "token_in": "0x" + self.WETH,
             "token_out": "0x" + self.USDC, "amount_in": "1000000000000000000", "limit": None, "recipient": None, "hop": "0"},
            {**common, "pool": "0xae461ca67b15dc8dc81ce7615e0320da1a9ab8d5", "direction": "1-0", "token_in": "0x" + self.USDC,
             "token_out": "0x" + self.DAI, "amount_in": None, "limit": "5", "recipient": "0x" + "11" * 20, "hop": "1"}])

    def test_unknown_router(self):
        (got,) = answers(legacy("22" * 20, self.swap_ether(self.WETH, self.USDC), 10**18).hex().encode())
        (swap,) = got["swaps"]
        self.assertEqual((swap["router"], swap["venue"], swap["pool"], swap["token_in"]), ("v2-fork", "unknown", None, "0x" + self.WETH))

    def test_more_than_there_is_room_for(self):
        path = [f"{i:040x}" for i in range(1, 30)]
        (got,) = answers(legacy(self.ROUTER, self.swap_ether(*path)).hex().encode())
        self.assertEqual((len(got["swaps"]), got["swaps_over"], got["swaps"][0]["hops"]), (16, True, "28"))

    def test_none(self):
        for to, data in ((self.ROUTER, b""), (self.ROUTER, self.swap_ether(self.WETH, self.USDC)[:-1]), ("", self.swap_ether(self.WETH, self.USDC))):
            (got,) = answers(legacy(to, data).hex().encode())
            self.assertEqual((got["ok"], got["swaps"], got["swaps_over"]), (True, [], False))


class Pipes(unittest.TestCase):
    def test_line_by_line(self):
        """Each answer comes before the next line is asked for."""
        with subprocess.Popen([EXE], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as p:
            for _ in range(3):
                p.stdin.write((RAW + "\n").encode())
                p.stdin.flush()
                self.assertEqual(json.loads(p.stdout.readline())["hash"], HASH)
            p.stdin.close()
            self.assertEqual(p.stdout.read(), b"")
            self.assertEqual(p.wait(10), 0)

    def broken(self, preexec):
        r, w = os.pipe()
        os.close(r)
        try:
            return subprocess.run([EXE], input=(RAW + "\n").encode() * 5000, stdout=w, stderr=subprocess.PIPE, timeout=60,
                                  restore_signals=False, preexec_fn=preexec)
        finally:
            os.close(w)

    def test_reader_gone(self):
        done = self.broken(lambda: signal.signal(signal.SIGPIPE, signal.SIG_IGN))
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"cannot write standard output: Broken pipe", done.stderr)
        done = self.broken(lambda: signal.signal(signal.SIGPIPE, signal.SIG_DFL))
        self.assertEqual(done.returncode, -signal.SIGPIPE)

    def test_full_disk(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([EXE], input=RAW.encode(), stdout=full, stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"No space left", done.stderr)
        with open("/dev/full", "wb") as full:
            done = subprocess.run([EXE, "--help"], stdout=full, stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(done.returncode, 1)

    def test_no_input(self):
        done = subprocess.run(["/bin/sh", "-c", 'exec "$0" <&-', EXE], capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"cannot read standard input", done.stderr)
        done = subprocess.run(["/bin/sh", "-c", 'exec "$0" </', EXE], capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 1)

    def test_no_output(self):
        done = subprocess.run(["/bin/sh", "-c", 'exec "$0" >&-', EXE], input=RAW.encode(), stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(done.returncode, 1)


if __name__ == "__main__":
    EXE = os.path.abspath(sys.argv.pop(1))
    unittest.main()
