/* SPDX-License-Identifier: BSD-3-Clause */
#include "eth/tx.h"
#include "talk_private.h"

static const char *const object =
	"{\"blockHash\":null,\"hash\":\"0x%s\",\"nonce\":\"0x9\",\"from\":\"0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f\",\"gasPrice\":\"0x4a817c800\","
	"\"gas\":\"0x5208\",\"to\":\"0x3535353535353535353535353535353535353535\",\"value\":\"0xde0b6b3a7640000\",\"input\":\"0x\",\"type\":\"0x0\","
	"\"v\":\"0x25\",\"r\":\"0x28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276\","
	"\"s\":\"0x67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83\"%s}";

/* ---- transactions ---- */

static void
remember(struct span raw)
{
	struct tx t;
	if (tx_decode(raw, &t) != 0)
		rig_fail("a transaction that is none");
	tx_hash(&t, now.last_hash);
	if (now.n_known == KNOWN_MAX)
		now.mixed = true;
	else
		memcpy(now.known[now.n_known++], now.last_hash, 32);
}

struct span
some_tx(void)
{
	static const uint8_t to[] = {TO_MANY, TO_WATCHED, TO_PAGED, TO_BUNDLED, TO_NOTHING};
	uint32_t what = number(now.in, 1);
	struct span raw = rig_tx(to[what % 5], what >> 5, what & 16 ? number(now.in, 2) & 0x3fff : what & 15);
	remember(raw);
	return raw;
}

void
give_back(struct span s)
{
	free((void *)(uintptr_t)s.p);
}

void
add_bytes(struct text *t, struct span s)
{
	uint32_t at = t->n;
	text_add(t, "%*s", (int)s.len, "");
	if (s.len > 0)
		memcpy(t->p + at, s.p, s.len);
}

/* ---- JSON ---- */

static void
hex_of(struct text *b, struct span raw)
{
	text_add(b, "\"0x");
	text_hex(b, raw);
	text_add(b, "\"");
}

static void
tx_text(struct text *b)
{
	struct span raw = some_tx();
	hex_of(b, raw);
	give_back(raw);
}

static void
hash_text(struct text *b)
{
	hex_of(b, (struct span){now.last_hash, 32});
}

static void
object_text(struct text *b, bool mined)
{
	struct text hash = {0};
	struct span raw = {rig_eip155, sizeof rig_eip155};
	remember(raw);
	text_hex(&hash, (struct span){now.last_hash, 32});
	text_add(&hash, "%c", 0);
	text_add(b, object, hash.p, mined ? ",\"blockNumber\":\"0x1\"" : "");
	text_free(&hash);
}

static void
block_text(struct text *b, unsigned form)
{
	uint8_t hash[32] = {(uint8_t)number(now.in, 1)}, parent[32] = {(uint8_t)(hash[0] - 1)};
	text_add(b, "{\"parentHash\":");
	hex_of(b, (struct span){parent, 32});
	text_add(b, ",\"%s\":\"0x%x\",\"transactions\":[", form == 0 ? "blockNumber" : "number", hash[0]);
	for (unsigned i = 0, n = number(now.in, 1) % 4; i < n; i++) {
		text_add(b, i ? "," : "");
		if (form == 0)
			tx_text(b);
		else if (form == 1)
			object_text(b, true);
		else
			hash_text(b);
	}
	text_add(b, "],\"%s\":", form == 0 ? "blockHash" : "hash");
	hex_of(b, (struct span){hash, 32});
	text_add(b, "}");
}

static void
request_text(struct talker *t, struct text *b, unsigned what)
{
	unsigned id = ++t->id;
	text_add(b, "{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"", id % 100);
	switch (what % 9) {
	case 0:
	case 1:
		text_add(b, "eth_send%sTransaction\",\"params\":[", what % 9 ? "Private" : "Raw");
		if (what % 9)
			text_add(b, "{\"tx\":");
		tx_text(b);
		text_add(b, what % 9 ? "}]}" : "]}");
		break;
	case 2:
		text_add(b, "eth_sendBundle\",\"params\":[{\"txs\":[");
		tx_text(b);
		text_add(b, ",");
		hash_text(b);
		text_add(b, ",");
		tx_text(b);
		text_add(b, "],\"blockNumber\":\"0x1\"}]}");
		break;
	case 3:
	case 4:
		text_add(b, "eth_get%sTransactionByHash\",\"params\":[", what % 9 == 3 ? "" : "Raw");
		hash_text(b);
		text_add(b, "]}");
		break;
	case 5:
		text_add(b, "engine_newPayloadV3\",\"params\":[");
		block_text(b, 0);
		text_add(b, ",[],\"0x00\"]}");
		break;
	case 6:
		text_add(b, "engine_forkchoiceUpdatedV3\",\"params\":[{\"headBlockHash\":");
		hash_text(b);
		text_add(b, "},null]}");
		break;
	case 7:
		text_add(b, "eth_subscribe\",\"params\":[\"newPendingTransactions\"%s]}", number(now.in, 1) & 1 ? ",true" : "");
		break;
	default:
		text_add(b, "net_version\"}");
		break;
	}
}

static void
answer_text(struct talker *t, struct text *b, unsigned what)
{
	unsigned id = (t->id - (what >> 4) % 3) % 100;
	what &= 15;
	if (what == 9 || what == 10)
		text_add(b, "{\"jsonrpc\":\"2.0\",\"method\":\"eth_subscription\",\"params\":{\"subscription\":\"0x1\",\"result\":");
	else
		text_add(b, "{\"jsonrpc\":\"2.0\",\"id\":%u,\"%s\":", id, what == 1 ? "error" : "result");
	switch (what) {
	case 0:
	case 9:
		hash_text(b);
		break;
	case 1:
		text_add(b, "{\"code\":-32000,\"message\":\"%s\"}", number(now.in, 1) & 1 ? "already known" : "nonce too low");
		break;
	case 2:
		tx_text(b);
		break;
	case 3:
	case 10:
		object_text(b, number(now.in, 1) & 1);
		break;
	case 4:
	case 5:
		block_text(b, what - 3);
		break;
	case 6:
		text_add(b, "{\"executionPayload\":");
		block_text(b, 0);
		text_add(b, ",\"blockValue\":\"0x0\"}");
		break;
	case 7:
		text_add(b, "{\"status\":\"%s\",\"latestValidHash\":null}", number(now.in, 1) & 1 ? "VALID" : "INVALID");
		break;
	case 8:
		text_add(b, "{\"pending\":{\"0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f\":{\"9\":");
		object_text(b, false);
		text_add(b, "}},\"queued\":{}}");
		break;
	default:
		text_add(b, "\"0x1\"");
		break;
	}
	text_add(b, what == 9 || what == 10 ? "}}" : "}");
}

void
json_text(struct talker *t, unsigned dir, struct text *b)
{
	unsigned how = number(now.in, 1), n = how & 0x80 ? 1 + number(now.in, 1) % 6 : 1;
	text_add(b, how & 0x80 ? "[" : "");
	for (unsigned i = 0; i < n; i++) {
		text_add(b, i ? "," : "");
		if (dir == 0)
			request_text(t, b, i ? number(now.in, 1) : how & 0x7f);
		else
			answer_text(t, b, i ? number(now.in, 1) : how & 0x7f);
	}
	text_add(b, how & 0x80 ? "]" : "");
}

/* ---- compression ---- */

void
compress_text(struct text *b, int bits)
{
	z_stream z = {0};
	uint32_t room = b->n + b->n / 8 + 128;
	uint8_t *out = malloc(room);
	if (out == NULL || deflateInit2(&z, 6, Z_DEFLATED, bits, 1, Z_DEFAULT_STRATEGY) != Z_OK)
		rig_fail("no compressor");
	z.next_in = (uint8_t *)b->p;
	z.avail_in = b->n;
	z.next_out = out;
	z.avail_out = room;
	if (deflate(&z, Z_FINISH) != Z_STREAM_END)
		rig_fail("it does not fit");
	b->n = 0;
	text_add(b, "%*s", (int)z.total_out, "");
	memcpy(b->p, out, z.total_out);
	deflateEnd(&z);
	free(out);
}

void
compress_message(struct speaker *s, struct text *b, bool afresh)
{
	uint32_t room = b->n + b->n / 8 + 128;
	uint8_t *out = malloc(room);
	if (out == NULL || (!s->z_on && deflateInit2(&s->z, 6, Z_DEFLATED, -12, 1, Z_DEFAULT_STRATEGY) != Z_OK))
		rig_fail("no compressor");
	if (s->z_on && afresh)
		deflateReset(&s->z);
	s->z_on = true;
	s->z.next_in = (uint8_t *)b->p;
	s->z.avail_in = b->n;
	s->z.next_out = out;
	s->z.avail_out = room;
	deflate(&s->z, Z_SYNC_FLUSH);
	uint32_t n = room - s->z.avail_out;
	if (n < 4 || s->z.avail_out == 0)
		rig_fail("it does not fit");
	b->n = 0;
	text_add(b, "%*s", (int)n - 4, "");
	memcpy(b->p, out, n - 4);
	free(out);
}

void
base64_text(struct text *b, unsigned first, struct span s)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t n = s.len + 1;
	for (uint32_t i = 0; i < n; i += 3) {
		uint32_t v = 0, have = n - i < 3 ? n - i : 3;
		for (uint32_t k = 0; k < 3; k++)
			v = v << 8 | (k >= have ? 0 : i + k == 0 ? first : s.p[i + k - 1]);
		for (uint32_t k = 0; k < 4; k++)
			text_add(b, "%c", k > have ? '=' : digit[v >> (18 - 6 * k) & 63]);
	}
}
