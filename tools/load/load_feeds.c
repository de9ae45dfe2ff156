/* SPDX-License-Identifier: BSD-3-Clause */
#include "eth/keccak.h"
#include "eth/rlp.h"
#include "eth/tx.h"
#include "load/load_private.h"
#include "wire/hex.h"
#include "wire/rlpx_mac.h"

#include <errno.h>
#include <nettle/base64.h>
#include <nettle/ctr.h>
#include <snappy-c.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* ---- text ---- */

static bool
room(struct load_text *t, uint32_t n)
{
	if (t->cap - t->n >= n)
		return !t->full;
	uint32_t cap = t->n + n + t->cap / 2;
	char *p = realloc(t->p, cap);
	t->full = t->full || p == NULL;
	if (p == NULL)
		return false;
	t->p = p;
	t->cap = cap;
	return !t->full;
}

static void __attribute__((format(printf, 2, 3)))
add(struct load_text *t, const char *format, ...)
{
	char small[1024];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(small, sizeof small, format, args);
	va_end(args);
	if (n < 0 || n >= (int)sizeof small || !room(t, (uint32_t)n)) {
		t->full = true;
		return;
	}
	memcpy(t->p + t->n, small, (size_t)n);
	t->n += (uint32_t)n;
}

static void
add_bytes(struct load_text *t, const void *p, uint32_t n)
{
	if (n == 0 || !room(t, n))
		return;
	memcpy(t->p + t->n, p, n);
	t->n += n;
}

static void
add_hex(struct load_text *t, const uint8_t *p, uint32_t n)
{
	if (!room(t, 2 * n))
		return;
	hex_encode(p, n, t->p + t->n);
	t->n += 2 * n;
}

/* "key":"0x..", and a comma. */
static void
add_data(struct load_text *t, const char *key, struct span s)
{
	add(t, "\"%s\":\"0x", key);
	add_hex(t, s.p, s.len);
	add(t, "\",");
}

/* The same for a number, without leading zeros. */
static void
add_quantity(struct load_text *t, const char *key, struct span s)
{
	add(t, "\"%s\":\"0x", key);
	if (s.len == 0)
		add(t, "0");
	else if (s.p[0] < 0x10)
		add(t, "%x", s.p[0]);
	else
		add_hex(t, s.p, 1);
	if (s.len > 1)
		add_hex(t, s.p + 1, s.len - 1);
	add(t, "\",");
}

static void
add_random(struct load_maker *m, const char *key, unsigned n)
{
	uint8_t bytes[256];
	load_random_bytes(m, bytes, n);
	add_data(&m->text, key, (struct span){bytes, n});
}

/* Moves what stands behind `from` by n bytes and returns the place in between. */
static char *
insert(struct load_text *t, uint32_t from, uint32_t n)
{
	if (!room(t, n))
		return NULL;
	memmove(t->p + from + n, t->p + from, t->n - from);
	t->n += n;
	return t->p + from;
}

/* ---- what is said ---- */

static void
submission(struct load_maker *m, struct load_connection *c, struct span raw)
{
	struct load_text *t = &m->text;
	t->n = 0;
	add(t, "{\"method\":\"eth_sendRawTransaction\",\"params\":[\"0x");
	add_hex(t, raw.p, raw.len);
	add(t, "\"],\"id\":%u,\"jsonrpc\":\"2.0\"}", ++c->requests);
}

static void
hash_answer(struct load_maker *m, struct load_connection *c, struct span raw)
{
	struct load_text *t = &m->text;
	uint8_t hash[32];
	keccak256(&raw, 1, hash);
	t->n = 0;
	add(t, "{\"jsonrpc\":\"2.0\",\"id\":%u,\"result\":\"0x", c->requests);
	add_hex(t, hash, 32);
	add(t, "\"}");
}

/* As geth's RPCTransaction, pending. The sender is anybody: recovering it would take longer than all the rest. */
static void
object(struct load_maker *m, struct span raw)
{
	struct load_text *t = &m->text;
	uint8_t hash[32], number[32];
	struct tx x;
	if (tx_decode(raw, &x) != 0)
		return;
	tx_hash(&x, hash);
	add(t, "{\"blockHash\":null,\"blockNumber\":null,");
	add_random(m, "from", 20);
	add(t, "\"gas\":\"0x%llx\",", (unsigned long long)x.gas);
	add_quantity(t, "gasPrice", x.fee_cap);
	if (x.type == TX_1559) {
		add_quantity(t, "maxFeePerGas", x.fee_cap);
		add_quantity(t, "maxPriorityFeePerGas", x.tip_cap);
	}
	add_data(t, "hash", (struct span){hash, 32});
	add_data(t, "input", x.data);
	add(t, "\"nonce\":\"0x%llx\",", (unsigned long long)x.nonce);
	add_data(t, "to", x.to);
	add(t, "\"transactionIndex\":null,");
	add_quantity(t, "value", x.value);
	add(t, "\"type\":\"0x%x\",", x.type);
	if (x.type == TX_1559)
		add(t, "\"accessList\":[],");
	uint32_t n = tx_chain_id(&x, number);
	add_quantity(t, "chainId", (struct span){number, n});
	add_quantity(t, "v", x.v);
	add_quantity(t, "r", x.r);
	add_quantity(t, "s", x.s);
	if (x.type == TX_1559)
		add_quantity(t, "yParity", x.v);
	t->p[t->n - 1] = '}';
}

static void
notification(struct load_maker *m, struct load_connection *c, struct span raw)
{
	struct load_text *t = &m->text;
	t->n = 0;
	add(t, "{\"jsonrpc\":\"2.0\",\"method\":\"eth_subscription\",\"params\":{\"subscription\":\"0x%08x\",\"result\":", c->number + 1);
	object(m, raw);
	add(t, "}}");
}

/* ---- HTTP ---- */

static int
http_request(struct load_maker *m, struct load_connection *c)
{
	char head[512];
	int n = snprintf(head, sizeof head,
		"POST / HTTP/1.1\r\ncontent-type: application/json\r\naccept-encoding: gzip\r\ncontent-length: %u\r\n"
		"Host: 192.0.2.1:%u\r\nConnection: keep-alive\r\n\r\n",
		m->text.n, m->node_port);
	char *p = insert(&m->text, 0, (uint32_t)n);
	if (p == NULL)
		return -ENOMEM;
	memcpy(p, head, (size_t)n);
	return load_send(m, c, 0, m->text.p, m->text.n);
}

static int
http_answer(struct load_maker *m, struct load_connection *c)
{
	char head[512];
	int n = snprintf(head, sizeof head,
		"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nvary: origin, access-control-request-method, "
		"access-control-request-headers\r\naccess-control-allow-origin: *\r\ncontent-length: %u\r\ndate: Sun, 22 Nov 2026 14:30:47 "
		"GMT\r\n\r\n",
		m->text.n);
	char *p = insert(&m->text, 0, (uint32_t)n);
	if (p == NULL)
		return -ENOMEM;
	memcpy(p, head, (size_t)n);
	return load_send(m, c, 1, m->text.p, m->text.n);
}

static int
http_send(struct load_maker *m, struct load_connection *c, const struct span *raw, uint32_t n)
{
	submission(m, c, raw[0]);
	int rc = http_request(m, c);
	hash_answer(m, c, raw[0]);
	return rc ? rc : http_answer(m, c);
}

static int
objects_send(struct load_maker *m, struct load_connection *c, const struct span *raw, uint32_t n)
{
	struct load_text *t = &m->text;
	uint8_t hash[32];
	keccak256(&raw[0], 1, hash);
	t->n = 0;
	add(t, "{\"method\":\"eth_getTransactionByHash\",\"params\":[\"0x");
	add_hex(t, hash, 32);
	add(t, "\"],\"id\":%u,\"jsonrpc\":\"2.0\"}", ++c->requests);
	int rc = http_request(m, c);
	t->n = 0;
	add(t, "{\"jsonrpc\":\"2.0\",\"id\":%u,\"result\":", c->requests);
	object(m, raw[0]);
	add(t, "}");
	return rc ? rc : http_answer(m, c);
}

static int
engine_send(struct load_maker *m, struct load_connection *c, const struct span *raw, uint32_t n)
{
	struct load_text *t = &m->text;
	t->n = 0;
	add(t, "{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"engine_newPayloadV3\",\"params\":[{", ++c->requests);
	add_random(m, "parentHash", 32);
	add_random(m, "feeRecipient", 20);
	add_random(m, "stateRoot", 32);
	add_random(m, "receiptsRoot", 32);
	add_random(m, "logsBloom", 256);
	add_random(m, "prevRandao", 32);
	add(t, "\"blockNumber\":\"0x%x\",\"gasLimit\":\"0x2255100\",\"gasUsed\":\"0x10a5b3f\",\"timestamp\":\"0x6745a%03x\",", 0x1400000 + c->requests,
		c->requests & 0xfff);
	add(t, "\"extraData\":\"0x546974616e\",\"baseFeePerGas\":\"0x2540be400\",");
	add_random(m, "blockHash", 32);
	for (uint32_t i = 0; i < n; i++) {
		add(t, i ? ",\"0x" : "\"transactions\":[\"0x");
		add_hex(t, raw[i].p, raw[i].len);
		add(t, "\"");
	}
	add(t, "],\"withdrawals\":[],\"blobGasUsed\":\"0x0\",\"excessBlobGas\":\"0x0\"},[],\"0x%064x\"]}", c->requests);
	int rc = http_request(m, c);
	t->n = 0;
	add(t, "{\"jsonrpc\":\"2.0\",\"id\":%u,\"result\":{\"status\":\"VALID\",", c->requests);
	add_random(m, "latestValidHash", 32);
	add(t, "\"validationError\":null}}");
	return rc ? rc : http_answer(m, c);
}

/* ---- WebSocket ---- */

#define WS_TEXT 0x81u
#define WS_PACKED 0xc1u /* RSV1 */

/* One frame around the text; side 0 masks. */
static int
ws_message(struct load_maker *m, struct load_connection *c, unsigned side, uint8_t first)
{
	uint32_t len = m->text.n;
	uint8_t head[14] = {first}, mask[4];
	unsigned n = 2;
	if (len < 126) {
		head[1] = (uint8_t)len;
	} else if (len < 65536) {
		head[1] = 126;
		head[n++] = (uint8_t)(len >> 8);
		head[n++] = (uint8_t)len;
	} else {
		head[1] = 127;
		for (unsigned i = 0; i < 8; i++)
			head[n++] = (uint8_t)((uint64_t)len >> (56 - 8 * i));
	}
	if (side == 0) {
		load_random_bytes(m, mask, 4);
		head[1] |= 0x80;
		memcpy(head + n, mask, 4);
		n += 4;
	}
	uint8_t *p = (uint8_t *)insert(&m->text, 0, n);
	if (p == NULL)
		return -ENOMEM;
	memcpy(p, head, n);
	for (uint32_t i = 0; i < len && side == 0; i++)
		p[n + i] ^= mask[i & 3];
	return load_send(m, c, side, p, n + len);
}

static int
ws_handshake(struct load_maker *m, struct load_connection *c, const char *offered, const char *agreed)
{
	struct load_text *t = &m->text;
	t->n = 0;
	add(t,
		"GET / HTTP/1.1\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nConnection: Upgrade\r\n"
		"Upgrade: websocket\r\n%sHost: 192.0.2.1:%u\r\n\r\n",
		offered, m->node_port);
	int rc = load_send(m, c, 0, t->p, t->n);
	t->n = 0;
	add(t,
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n%s\r\n",
		agreed);
	return rc ? rc : load_send(m, c, 1, t->p, t->n);
}

static int
ws_open(struct load_maker *m, struct load_connection *c)
{
	return ws_handshake(m, c, "", "");
}

static int
ws_subscribe(struct load_maker *m, struct load_connection *c, int rc)
{
	struct load_text *t = &m->text;
	t->n = 0;
	add(t, "{\"method\":\"eth_subscribe\",\"params\":[\"newPendingTransactions\",true],\"id\":%u,\"jsonrpc\":\"2.0\"}", ++c->requests);
	rc = rc ? rc : ws_message(m, c, 0, WS_TEXT);
	t->n = 0;
	add(t, "{\"jsonrpc\":\"2.0\",\"id\":%u,\"result\":\"0x%08x\"}", c->requests, c->number + 1);
	return rc ? rc : ws_message(m, c, 1, WS_TEXT);
}

static int
pushed_open(struct load_maker *m, struct load_connection *c)
{
	return ws_subscribe(m, c, ws_open(m, c));
}

static int
ws_send(struct load_maker *m, struct load_connection *c, const struct span *raw, uint32_t n)
{
	submission(m, c, raw[0]);
	int rc = ws_message(m, c, 0, WS_TEXT);
	hash_answer(m, c, raw[0]);
	return rc ? rc : ws_message(m, c, 1, WS_TEXT);
}

static int
pushed_send(struct load_maker *m, struct load_connection *c, const struct span *raw, uint32_t n)
{
	notification(m, c, raw[0]);
	return ws_message(m, c, 1, WS_TEXT);
}

/* Keeps a compressed message; the place of its bytes. */
static uint8_t *
keep_packed(struct load_maker *m, struct load_connection *c, const void *p, uint32_t n, uint32_t plain)
{
	struct load *l = m->l;
	if (l->packed_cap - l->packed_used < n)
		return NULL;
	uint8_t *to = l->packed_memory + l->packed_used;
	memcpy(to, p, n);
	l->packed_used += n;
	l->packed[l->n_packed++] = (struct load_packed){{to, n}, plain, c->number};
	return to;
}

static int
deflated_open(struct load_maker *m, struct load_connection *c)
{
	z_stream *z = calloc(1, sizeof *z);
	c->state = z;
	if (z == NULL || deflateInit2(z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	static const char offered[] = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
	return ws_subscribe(m, c, ws_handshake(m, c, offered, "Sec-WebSocket-Extensions: permessage-deflate\r\n"));
}

static int
deflated_send(struct load_maker *m, struct load_connection *c, const struct span *raw, uint32_t n)
{
	z_stream *z = c->state;
	notification(m, c, raw[0]);
	uint32_t plain = m->text.n, cap = (uint32_t)deflateBound(z, plain) + 16;
	uint8_t *out = malloc(cap);
	if (out == NULL || m->text.full) {
		free(out);
		return -ENOMEM;
	}
	z->next_in = (Bytef *)m->text.p;
	z->avail_in = plain;
	z->next_out = out;
	z->avail_out = cap;
	int rc = deflate(z, Z_SYNC_FLUSH) == Z_OK && z->avail_in == 0 && z->avail_out > 0 ? 0 : -EIO;
	uint32_t len = cap - z->avail_out - 4;
	m->text.n = 0;
	add_bytes(&m->text, out, len);
	if (rc == 0 && keep_packed(m, c, out, len, plain) == NULL)
		rc = -ENOSPC;
	free(out);
	return rc ? rc : ws_message(m, c, 1, WS_PACKED);
}

static void
deflated_close(struct load_maker *m, struct load_connection *c)
{
	if (c->state != NULL)
		deflateEnd(c->state);
	free(c->state);
}

/* ---- RLPx ---- */

#define PACKET_BYTES 450u /* of an EIP-8 handshake, without its size */
#define HELLO 0u
#define TRANSACTIONS 0x12u

/* What one side of a session sends with. */
struct rlpx_side {
	struct aes256_ctx aes;
	uint8_t ctr[16];
	struct rlpx_mac mac;
};

static int
rlpx_frame(struct load_maker *m, struct load_connection *c, unsigned side, const uint8_t *body, uint32_t len)
{
	struct rlpx_side *s = (struct rlpx_side *)c->state + side;
	struct load_text *t = &m->text;
	uint32_t pad = (len + 15) & ~15u;
	uint8_t header[16] = {(uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len, 0xc2, 0x80, 0x80};
	t->n = 0;
	if (!room(t, 48 + pad))
		return -ENOMEM;
	uint8_t *p = (uint8_t *)t->p;
	memset(p + 32, 0, pad);
	memcpy(p + 32, body, len);
	ctr_crypt(&s->aes, (nettle_cipher_func *)aes256_encrypt, 16, s->ctr, 16, p, header);
	ctr_crypt(&s->aes, (nettle_cipher_func *)aes256_encrypt, 16, s->ctr, pad, p + 32, p + 32);
	rlpx_mac_header(&s->mac, p, p + 16);
	rlpx_mac_update(&s->mac, p + 32, pad);
	rlpx_mac_frame(&s->mac, p + 32 + pad);
	return load_send(m, c, side, p, 48 + pad);
}

static int
rlpx_hello(struct load_maker *m, struct load_connection *c, unsigned side)
{
	uint8_t body[256] = {0x80}, id[64];
	struct rlp_out o = {body, 1, sizeof body, false};
	load_random_bytes(m, id, sizeof id);
	size_t all = rlp_list_begin(&o);
	rlp_put_u64(&o, 5);
	rlp_put_string(&o, (struct span){(const uint8_t *)"Geth/v1.14.12-stable/linux-amd64/go1.23.3", 41});
	size_t caps = rlp_list_begin(&o), eth = rlp_list_begin(&o);
	rlp_put_string(&o, (struct span){(const uint8_t *)"eth", 3});
	rlp_put_u64(&o, 68);
	rlp_list_end(&o, eth);
	rlp_list_end(&o, caps);
	rlp_put_u64(&o, 0);
	rlp_put_string(&o, (struct span){id, 64});
	rlp_list_end(&o, all);
	return rlpx_frame(m, c, side, body, (uint32_t)o.n);
}

static int
rlpx_open(struct load_maker *m, struct load_connection *c)
{
	struct rlpx_key *k = &m->l->session[m->l->sessions++];
	struct rlpx_side *s = calloc(2, sizeof *s);
	uint8_t packet[2 + PACKET_BYTES] = {PACKET_BYTES >> 8, PACKET_BYTES & 0xff};
	int rc = 0;
	c->state = s;
	if (s == NULL)
		return -ENOMEM;
	load_random_bytes(m, k->aes, 32);
	load_random_bytes(m, k->mac, 32);
	load_random_bytes(m, k->nonce[0], 64);
	k->has_mac = k->has_nonces = true;
	for (unsigned side = 0; side < 2 && rc == 0; side++) {
		load_random_bytes(m, packet + 2, PACKET_BYTES);
		packet[2] = 4; /* an uncompressed point */
		aes256_set_encrypt_key(&s[side].aes, k->aes);
		rlpx_mac_init(&s[side].mac, k->mac, k->nonce[!side], (struct span){packet, sizeof packet});
		rc = load_send(m, c, side, packet, sizeof packet);
	}
	rc = rc ? rc : rlpx_hello(m, c, 0);
	return rc ? rc : rlpx_hello(m, c, 1);
}

static int
rlpx_send(struct load_maker *m, struct load_connection *c, const struct span *raw, uint32_t n)
{
	size_t cap = 16 + n * (LOAD_RAW_MAX + 8), len = snappy_max_compressed_length(cap);
	struct rlp_out o = {malloc(cap), 0, cap, false};
	uint8_t *packed = malloc(len + 1);
	int rc = o.p && packed ? 0 : -ENOMEM;
	if (rc == 0) {
		size_t list = rlp_list_begin(&o);
		for (uint32_t i = 0; i < n; i++) {
			if (raw[i].p[0] >= 0xc0)
				rlp_put_raw(&o, raw[i]);
			else
				rlp_put_string(&o, raw[i]);
		}
		rlp_list_end(&o, list);
		packed[0] = TRANSACTIONS;
		snappy_compress((const char *)o.p, o.n, (char *)packed + 1, &len);
		if (o.full || keep_packed(m, c, packed + 1, (uint32_t)len, (uint32_t)o.n) == NULL)
			rc = -ENOSPC;
		rc = rc ? rc : rlpx_frame(m, c, m->l->n_packed & 1, packed, (uint32_t)len + 1);
	}
	free(o.p);
	free(packed);
	return rc;
}

static void
rlpx_close(struct load_maker *m, struct load_connection *c)
{
	free(c->state);
}

/* ---- gRPC ---- */

enum { H2_DATA = 0, H2_HEADERS = 1, H2_SETTINGS = 4, H2_END_HEADERS = 4 };

static void
h2_frame(struct load_text *t, uint8_t type, uint8_t flags, uint8_t stream, const void *p, uint32_t n)
{
	const uint8_t head[9] = {(uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n, type, flags, 0, 0, 0, stream};
	add_bytes(t, head, sizeof head);
	add_bytes(t, p, n);
}

static int
grpc_open(struct load_maker *m, struct load_connection *c)
{
	/* POST, http, a path that is not indexed; 200 */
	static const char request[] = "\x83\x86\x04\x14/txpool.Txpool/OnAdd", answer[] = "\x88";
	struct load_text *t = &m->text;
	t->n = 0;
	add(t, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
	h2_frame(t, H2_SETTINGS, 0, 0, NULL, 0);
	h2_frame(t, H2_HEADERS, H2_END_HEADERS, 1, request, sizeof request - 1);
	int rc = load_send(m, c, 0, t->p, t->n);
	t->n = 0;
	h2_frame(t, H2_SETTINGS, 0, 0, NULL, 0);
	h2_frame(t, H2_HEADERS, H2_END_HEADERS, 1, answer, sizeof answer - 1);
	return rc ? rc : load_send(m, c, 1, t->p, t->n);
}

static int
grpc_send(struct load_maker *m, struct load_connection *c, const struct span *raw, uint32_t n)
{
	uint8_t body[LOAD_RAW_MAX + 16] = {0}, *p = body + 5;
	uint32_t len = raw[0].len;
	*p++ = 1 << 3 | 2; /* bytes rpl_txs = 1 */
	for (; len > 127; len >>= 7)
		*p++ = (uint8_t)(len | 0x80);
	*p++ = (uint8_t)len;
	memcpy(p, raw[0].p, raw[0].len);
	len = (uint32_t)(p - body) + raw[0].len;
	for (unsigned i = 0; i < 4; i++)
		body[1 + i] = (uint8_t)((len - 5) >> (24 - 8 * i));
	m->text.n = 0;
	h2_frame(&m->text, H2_DATA, 0, 1, body, len);
	return load_send(m, c, 1, m->text.p, m->text.n);
}

/* ---- sequencers ---- */

static int
arbitrum_send(struct load_maker *m, struct load_connection *c, const struct span *raw, uint32_t n)
{
	struct load_text *t = &m->text;
	uint8_t l2[1 + LOAD_RAW_MAX] = {4};
	t->n = 0;
	add(t,
		"{\"version\":1,\"messages\":[{\"sequenceNumber\":%u,\"message\":{\"message\":{\"header\":{\"kind\":3,"
		"\"sender\":\"0xa4b000000000000000000073657175656e636572\",\"blockNumber\":21269000,\"timestamp\":1732200000,"
		"\"requestId\":null,\"baseFeeL1\":null},\"l2Msg\":\"",
		267000000 + ++c->requests);
	memcpy(l2 + 1, raw[0].p, raw[0].len);
	uint32_t len = (uint32_t)BASE64_ENCODE_RAW_LENGTH(raw[0].len + 1u);
	if (!room(t, len))
		return -ENOMEM;
	base64_encode_raw(t->p + t->n, raw[0].len + 1u, l2);
	t->n += len;
	add(t, "\"},\"delayedMessagesRead\":1834000},");
	add_random(m, "blockHash", 32);
	add(t, "\"signature\":null}]}\n");
	return ws_message(m, c, 1, WS_TEXT);
}

/* ---- all of them ---- */

const struct load_feed_ops load_feed_ops[LOAD_FEEDS] = {
	[LOAD_HTTP] = {.port = 8545, .group = 1, .send = http_send},
	[LOAD_WS] = {.port = 8546, .group = 1, .open = ws_open, .send = ws_send},
	[LOAD_WS_PUSHED] = {.port = 8546, .group = 1, .open = pushed_open, .send = pushed_send},
	[LOAD_WS_DEFLATED] = {.port = 8546, .group = 1, .open = deflated_open, .send = deflated_send, .close = deflated_close},
	[LOAD_HTTP_OBJECTS] = {.port = 8545, .group = 1, .send = objects_send},
	[LOAD_ENGINE] = {.port = 8551, .group = LOAD_BLOCK_TXS, .send = engine_send},
	[LOAD_RLPX] = {.port = 30303, .group = LOAD_MESSAGE_TXS, .open = rlpx_open, .send = rlpx_send, .close = rlpx_close},
	[LOAD_GRPC] = {.port = 9090, .group = 1, .open = grpc_open, .send = grpc_send},
	[LOAD_ARBITRUM] = {.port = 9642, .group = 1, .open = ws_open, .send = arbitrum_send},
};

const char *
load_feed_name(enum load_feed f)
{
	static const char *const names[] = {
#define _(id, name) [LOAD_##id] = name,
		LOAD_FEED_LIST(_)
#undef _
	};
	return names[f];
}
