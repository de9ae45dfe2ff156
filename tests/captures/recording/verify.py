#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Is what NAME.expected.json says really in NAME.pcap? Reads both without any of the project's parsers.

usage: verify.py CAPTURE.pcap...

Puts the TCP streams together, takes bodies out of HTTP (chunks, gzip, deflate) and messages out of WebSocket (masks, fragments, permessage-
deflate), and looks for each crossing in the text of its direction: its raw bytes, or as many objects with its hash as it says; for each
mention its hash. And the other way round: whatever else looks like a transaction, bytes or object, must be a decoy or one of `may`.
RLPx is decrypted with the secrets beside it, by openssl. Exit 0 only if all is there as often as it should be.
"""
import collections
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import zlib


def packets(path):
    with open(path, "rb") as f:
        data = f.read()
    if data[:4] != b"\xd4\xc3\xb2\xa1":
        sys.exit(f"{path}: not a pcap of this kind")
    at = 24
    while at + 16 <= len(data):
        captured, length = struct.unpack_from("<II", data, at + 8)
        if captured != length:
            sys.exit(f"{path}: a packet was cut")
        yield data[at + 16:at + 16 + captured]
        at += 16 + captured


def segments(path):
    """(source, destination, flags, sequence number, payload); an end is address:port."""
    for frame in packets(path):
        if frame[12:14] != b"\x08\x00" or frame[23] != 6:
            continue
        tcp = 14 + (frame[14] & 15) * 4
        end = 14 + struct.unpack_from(">H", frame, 16)[0]
        sport, dport, seq = struct.unpack_from(">HHI", frame, tcp)
        ends = [".".join(map(str, frame[a:a + 4])) + f":{p}" for a, p in ((26, sport), (30, dport))]
        yield ends[0], ends[1], frame[tcp + 13], seq, frame[tcp + (frame[tcp + 12] >> 4) * 4:end]


def streams(path):
    """{(client, server): [bytes from the client, bytes from the server]}; without gaps. Who sent a bare SYN is the client; without one, the
    higher port is."""
    pieces, first, clients = collections.defaultdict(dict), {}, {}
    for src, dst, flags, seq, payload in segments(path):
        key = (src, dst)
        if flags & 2:
            first[key] = (seq + 1) & 0xffffffff
            if not flags & 16:
                clients[frozenset(key)] = src
        elif payload:
            first.setdefault(key, seq)
            old = pieces[key].get(seq, b"")
            pieces[key][seq] = max(old, payload, key=len)
    out = {}
    for key in {frozenset(k) for k in pieces}:
        client = clients.get(key) or max(key, key=lambda e: int(e.split(":")[1]))
        server = next(e for e in key if e != client)
        both = []
        for way in ((client, server), (server, client)):
            text, at = bytearray(), 0
            for off, piece in sorted(((seq - first[way]) & 0xffffffff, p) for seq, p in pieces[way].items()) if way in pieces else ():
                if off > at:
                    sys.exit(f"{path}: {way[0]} has a gap")
                text += piece[max(0, at - off):] if off + len(piece) > at else b""
                at = max(at, off + len(piece))
            both.append(bytes(text))
        out[(client, server)] = both
    return out


def decoded(body, coding):
    for name in reversed([c.strip() for c in coding.lower().split(",") if c.strip()]):
        if name in ("gzip", "x-gzip"):
            body = zlib.decompress(body, 31)
        elif name == "deflate":
            try:
                body = zlib.decompress(body)
            except zlib.error:
                body = zlib.decompress(body, -15)
    return body


def dechunked(text, at):
    body = b""
    while True:
        end = text.index(b"\n", at)
        n = int(text[at:end].split(b";")[0], 16)
        at = end + 1
        if n == 0:
            break
        body += text[at:at + n]
        at += n + 2
    while True:
        end = text.index(b"\n", at) + 1
        if text[at:end].strip() == b"":
            return body, end
        at = end


START = re.compile(rb"(?:\r?\n)*(?:[A-Z]+ \S+ HTTP/1\.[01]|HTTP/1\.[01] \d\d\d[^\r\n]*)\r?\n")


def http(text, methods=None):
    """The bodies, decoded; then what follows an upgrade, with the extensions that were agreed to. methods: of the requests, which of them
    are answered without a body. Requests add to it."""
    at, bodies = 0, []
    methods = [] if methods is None else methods
    while (m := START.match(text, at)):
        blank = re.compile(rb"\r?\n\r?\n").search(text, m.end() - 2)
        if blank is None:
            break
        head = re.sub(rb"\r?\n[ \t]+", b" ", text[m.end():blank.start()])
        fields = {k.strip().lower(): v.strip() for k, v in (line.split(b":", 1) for line in re.split(rb"\r?\n", head) if b":" in line)}
        at = blank.end()
        line = m.group().strip()
        status = int(line[9:12]) if line.startswith(b"HTTP") else 0
        if not status:
            methods.append(line.split()[0])
        if fields.get(b"upgrade", b"").lower() == b"websocket" and status in (0, 101):
            return bodies, text[at:], fields.get(b"sec-websocket-extensions", b"").decode()
        if status and status >= 200 and methods and methods.pop(0) == b"HEAD" or status and (status < 200 or status == 204):
            continue
        if b"chunked" in fields.get(b"transfer-encoding", b"").lower():
            body, at = dechunked(text, at)
        elif b"content-length" in fields or not status:
            n = int(fields.get(b"content-length", b"0"))
            body, at = text[at:at + n], at + n
        else:
            body, at = text[at:], len(text)
        bodies.append(decoded(body, fields.get(b"content-encoding", b"").decode()))
    return bodies, None, text[at:]


def websocket(text, deflate, keep):
    """The data messages; deflate: permessage-deflate was agreed to; keep: the context is taken over."""
    inflater = zlib.decompressobj(-15)
    at, parts, packed = 0, [], False
    while at + 2 <= len(text):
        one, two = text[at], text[at + 1]
        n, at = two & 127, at + 2
        if n == 126:
            n, at = struct.unpack_from(">H", text, at)[0], at + 2
        elif n == 127:
            n, at = struct.unpack_from(">Q", text, at)[0], at + 8
        mask = b""
        if two & 128:
            mask, at = text[at:at + 4], at + 4
        payload, at = text[at:at + n], at + n
        if mask:
            whole = (mask * (n // 4 + 1))[:n]
            payload = (int.from_bytes(payload, "big") ^ int.from_bytes(whole, "big")).to_bytes(n, "big")
        if one & 15 >= 8:
            continue
        if one & 15:
            parts, packed = [], bool(one & 64)
        parts.append(payload)
        if one & 128:
            message = b"".join(parts)
            if packed:
                if not deflate:
                    raise ValueError("compressed without an agreement")
                if not keep:
                    inflater = zlib.decompressobj(-15)
                message = inflater.decompress(message + b"\0\0\xff\xff")
            yield message


def texts(path):
    """{"c2s": [texts], "s2c": [texts]} of all streams, in lower case."""
    out = {"c2s": [], "s2c": []}
    for (_, _), both in sorted(streams(path).items()):
        methods = []
        read = [http(text, methods) for text in both]
        agreed = read[1][2] if read[1][1] is not None else ""
        for side, direction, own in ((0, "c2s", "client"), (1, "s2c", "server")):
            bodies, rest, extra = read[side]
            out[direction] += bodies if bodies or rest is not None else [extra]
            if rest:
                out[direction] += websocket(rest, "permessage-deflate" in agreed, own + "_no_context_takeover" not in agreed)
    return {d: [t.decode("utf-8", "surrogateescape").lower() for t in ts] for d, ts in out.items()}


def snappy(block):
    at = shift = size = 0
    while True:
        size |= (block[at] & 127) << shift
        shift, at = shift + 7, at + 1
        if block[at - 1] < 128:
            break
    out = bytearray()
    while at < len(block):
        tag, at = block[at], at + 1
        n = (tag >> 2) + 1
        if tag & 3 == 0:
            if n > 60:
                more = n - 60
                n, at = int.from_bytes(block[at:at + more], "little") + 1, at + more
            out += block[at:at + n]
            at += n
            continue
        if tag & 3 == 1:
            n, off, at = (tag >> 2 & 7) + 4, tag >> 5 << 8 | block[at], at + 1
        else:
            width = 2 if tag & 3 == 2 else 4
            off, at = int.from_bytes(block[at:at + width], "little"), at + width
        for _ in range(n):
            out.append(out[-off])
    if len(out) != size:
        raise ValueError("not snappy")
    return bytes(out)


def keystream(secret, n):
    with tempfile.TemporaryFile() as zeros:
        zeros.truncate(n)
        done = subprocess.run(["openssl", "enc", "-aes-256-ctr", "-K", secret, "-iv", "0" * 32, "-nopad"], stdin=zeros, capture_output=True, check=True)
    return done.stdout


def frames(text, secret):
    """(offset in the stream, message) of one direction of a session that was captured from its beginning."""
    at = 2 + struct.unpack_from(">H", text)[0]
    stream, used = keystream(secret, len(text)), 0

    def plain(n):
        nonlocal at, used
        whole = int.from_bytes(text[at:at + n], "big") ^ int.from_bytes(stream[used:used + n], "big")
        at, used = at + n, used + n
        return whole.to_bytes(n, "big")
    first, chunks, left, begin = True, b"", 0, at
    while at + 32 <= len(text):
        begin = begin if left else at
        header = plain(16)
        at += 16
        n = int.from_bytes(header[:3], "big")
        if at + -(-n // 16) * 16 + 16 > len(text):
            break
        body = plain(-(-n // 16) * 16)[:n]
        at += 16
        if header[3] == 0xc2 and left == 0 and header[4:6] != b"\x80\x80" or header[3] not in (0xc2, 0xc3, 0xc4, 0xc5, 0xc6):
            raise ValueError("not a frame")
        if header[3] > 0xc2 and left == 0:  # the first of several: [0, context, size of all]
            size = header[6:4 + header[3] - 0xc0]
            left = int.from_bytes(size[1:] if size[0] > 0x80 else size, "big")
        if left:
            chunks, left = chunks + body, left - len(body)
            if left > 0:
                continue
            body, chunks = chunks, b""
        yield begin, body[:1] + (body[1:] if first or body[0] == 1 else snappy(body[1:]))
        first = False


def rlpx_texts(path, expected):
    with open(os.path.join(os.path.dirname(path), expected["keys"]), encoding="utf-8") as f:
        keys = {(s["client"], s["server"]): s["aesSecret"] for s in json.load(f)["sessions"]}
    out = {"c2s": [], "s2c": []}
    for ends, both in streams(path).items():
        if ends in keys:
            for direction, text in zip(("c2s", "s2c"), both):
                out[direction] += [m.hex() for _, m in frames(text, keys[ends])]
    return out


def wanted(expected):
    """{(direction, what to look for): (at least how often, the carrier)}"""
    want = {}
    for t in expected["transactions"]:
        key = (t["direction"], t["raw"][2:] if t["raw"] else '"' + t["hash"] + '"')
        want[key] = (want.get(key, (0,))[0] + 1, t["carrier"])
    for m in expected["mentions"]:
        key = (m["direction"], m["hash"][2:])
        want[key] = (want.get(key, (0,))[0] + 1, m["carrier"])
    return want


RAW = re.compile(r'"(?:0x)?((?:0[1-4])?f[789a-f][0-9a-f]{120,})"')


def is_transaction(text):
    """Does the hex hold one RLP list, with a type before it or not, of at least nine elements' size?"""
    b = bytes.fromhex(text if len(text) % 2 == 0 else "")
    b = b[1:] if b[:1] < b"\x05" else b
    if not b or b[0] < 0xf8:
        return len(b) > 0 and b[0] - 0xc0 + 1 == len(b)
    n = b[0] - 0xf7
    return 1 + n + int.from_bytes(b[1:1 + n], "big") == len(b)


def objects(value):
    """The hashes of all transaction objects anywhere in a JSON value."""
    if isinstance(value, dict):
        if "hash" in value and "nonce" in value and ("input" in value or "data" in value):
            yield value["hash"].lower()
        for v in value.values():
            yield from objects(v)
    elif isinstance(value, list):
        for v in value:
            yield from objects(v)


def values(text):
    at, decoder = 0, json.JSONDecoder()
    while (m := re.compile(r"\s*").match(text, at)) and m.end() < len(text):
        try:
            value, at = decoder.raw_decode(text, m.end())
        except ValueError:
            return
        yield value


def unsaid(found, expected):
    """What looks like a transaction and is in none of the lists."""
    raws = {t["raw"][2:] for t in expected["transactions"] if t["raw"]}
    raw = {m for ts in found.values() for t in ts for m in RAW.findall(t) if m not in raws and is_transaction(m)}
    if len(raw) > len(expected.get("may", [])) + len(expected.get("decoys", [])):
        yield from (("bytes", "either way", r) for r in raw)
    said = collections.Counter(t["hash"] for t in expected["transactions"] if not t["raw"])
    heard = collections.Counter(h for t in found["s2c"] for v in values(t) for h in objects(v))
    yield from (("object", "s2c", h) for h in heard if heard[h] != said[h])


def verify(path):
    with open(os.path.splitext(path)[0] + ".expected.json", encoding="utf-8") as f:
        expected = json.load(f)
    found = rlpx_texts(path, expected) if "keys" in expected else texts(path)
    whole = {d: "\n".join(ts) for d, ts in found.items()}
    want = wanted(expected)
    missing = [(c, d, text) for (d, text), (n, c) in want.items() if whole[d].count(text) < n]
    extra = [] if "keys" in expected else list(unsaid(found, expected))
    print(f"{os.path.basename(path)}: {'DIFFERS' if missing or extra else 'ok'}: {len(expected['transactions'])} crossings, {len(expected['mentions'])} mentions "
          f"in {len(found['c2s'])} and {len(found['s2c'])} texts")
    for m in missing[:5]:
        print("  missing", m[0], m[1], m[2][:80])
    for e in extra[:5]:
        print("  not said", *e)
    return not missing and not extra


def main():
    if not sys.argv[1:] or sys.argv[1] in ("-h", "--help"):
        print(__doc__)
        return 2
    return 0 if all([verify(path) for path in sys.argv[1:]]) else 1


if __name__ == "__main__":
    sys.exit(main())
