/* SPDX-License-Identifier: BSD-3-Clause */
#include "eth/tx.h"
#include "talk_private.h"
#include "worker/worker_private.h"

#define STEPS_MAX 300u
#define SEGMENTS_MAX 64u
#define SESSIONS FLOWS

struct talk_state now;

uint32_t
number(struct input *in, unsigned bytes)
{
	uint32_t v = 0;
	for (; bytes > 0 && in->n > 0; bytes--, in->p++, in->n--)
		v = v << 8 | *in->p;
	return v;
}

struct span
piece(struct input *in, uint32_t n)
{
	if (n > in->n)
		n = (uint32_t)in->n;
	struct span s = {in->p, n};
	in->p += n;
	in->n -= n;
	return s;
}

static void
on_crossing(void *ctx, const struct crossing_report *r)
{
	uint8_t hash[32];
	(void)ctx;
	if (r->tx == NULL || now.mixed)
		return;
	tx_hash(r->tx, hash);
	for (unsigned i = 0; i < now.n_known; i++)
		if (memcmp(hash, now.known[i], 32) == 0)
			return;
	rig_fail("a transaction that nobody sent");
}

/* ---- crossing ---- */

static void
other_version(const struct talker *t, unsigned dir, uint32_t off, struct span s)
{
	uint8_t copy[4096];
	uint32_t n = s.len < sizeof copy ? s.len : (uint32_t)sizeof copy;
	memcpy(copy, s.p, n);
	copy[number(now.in, 2) % n] ^= (uint8_t)(1 + number(now.in, 1) % 255);
	now.mixed = true;
	rig_at(now.g, &t->flow, dir, off, (struct span){copy, n});
}

static bool
turn(unsigned every)
{
	return every != 0 && now.segments % every == 0;
}

static void
say(struct talker *t, unsigned dir, struct span s)
{
	uint32_t most = now.g->segment > 0 ? now.g->segment : 1448, late_off = 0;
	struct span late = {0};
	if (s.len / SEGMENTS_MAX > most)
		most = s.len / SEGMENTS_MAX + 1;
	while (s.len > 0) {
		struct span now_said = {s.p, s.len < most ? s.len : most};
		uint32_t off = t->flow.sent[dir];
		t->flow.sent[dir] += now_said.len;
		now.segments++;
		if (turn(now.other))
			other_version(t, dir, off, now_said);
		if (turn(now.swap) && late.len == 0) {
			late = now_said;
			late_off = off;
		} else if (!turn(now.lose)) {
			rig_at(now.g, &t->flow, dir, off, now_said);
			if (turn(now.twice))
				rig_at(now.g, &t->flow, dir, off, now_said);
		}
		if (late.len > 0 && late.p != now_said.p) {
			rig_at(now.g, &t->flow, dir, late_off, late);
			late.len = 0;
		}
		s.p += now_said.len;
		s.len -= now_said.len;
	}
	if (late.len > 0)
		rig_at(now.g, &t->flow, dir, late_off, late);
}

static void
say_text(struct talker *t, unsigned dir, struct text *s)
{
	say(t, dir, text_span(s));
	text_free(s);
}

/* ---- HTTP ---- */

static void
http_body(struct text *out, struct text *b, bool chunked)
{
	if (!chunked) {
		text_add(out, "Content-Length: %u\r\n\r\n", b->n);
		add_bytes(out, text_span(b));
		return;
	}
	text_add(out, "Transfer-Encoding: chunked\r\n\r\n");
	uint32_t each = 1 + number(now.in, 2) % 4096;
	for (uint32_t at = 0; at < b->n; at += each) {
		uint32_t n = b->n - at < each ? b->n - at : each;
		text_add(out, "%x\r\n", n);
		add_bytes(out, (struct span){(uint8_t *)b->p + at, n});
		text_add(out, "\r\n");
	}
	text_add(out, "0\r\n\r\n");
}

static void
say_http(struct talker *t, unsigned dir)
{
	struct text b = {0}, out = {0};
	unsigned how = number(now.in, 1), coding = how & 3;
	json_text(t, dir, &b);
	if (coding == 1 || coding == 2)
		compress_text(&b, coding == 1 ? 31 : how & 4 ? 15 : -15);
	text_add(&out, "%s", dir == 0 ? "POST / HTTP/1.1\r\nHost: a\r\n" : "HTTP/1.1 200 OK\r\n");
	text_add(&out, "Content-Type: application/json\r\n%s", coding == 1 ? "Content-Encoding: gzip\r\n" : coding == 2 ? "Content-Encoding: deflate\r\n" : "");
	http_body(&out, &b, how & 8);
	text_free(&b);
	say_text(t, dir, &out);
}

static void
say_upgrade(struct talker *t)
{
	static const char *const extensions[] = {"", "Sec-WebSocket-Extensions: permessage-deflate\r\n",
		"Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n",
		"Sec-WebSocket-Extensions: Arbitrum-permessage-deflate\r\n"};
	struct text a = {0}, b = {0};
	unsigned how = number(now.in, 1);
	text_add(&a, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n");
	text_add(&b, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n%s\r\n", extensions[how & 3]);
	if (how & 4)
		text_free(&a);
	else
		say_text(t, 0, &a);
	say_text(t, 1, &b);
}

/* ---- WebSocket ---- */

static void
ws_frame(struct text *out, unsigned first, bool masked, struct span s)
{
	uint8_t head[14] = {(uint8_t)first}, *mask;
	unsigned n = 2;
	head[1] = (uint8_t)(s.len < 126 ? s.len : s.len < 65536 ? 126 : 127);
	for (unsigned k = s.len < 126 ? 0 : s.len < 65536 ? 2 : 8, i = 0; i < k; i++)
		head[n++] = (uint8_t)((uint64_t)s.len >> (8 * (k - 1 - i)));
	head[1] |= masked ? 0x80 : 0;
	mask = head + n;
	for (unsigned i = 0; masked && i < 4; i++)
		head[n++] = (uint8_t)(number(now.in, 1) + 0x61);
	add_bytes(out, (struct span){head, n});
	uint32_t at = out->n;
	add_bytes(out, s);
	for (uint32_t i = 0; masked && i < s.len; i++)
		out->p[at + i] ^= (char)mask[i & 3];
}

static void
say_ws_message(struct talker *t, unsigned dir, struct text *b)
{
	struct text out = {0};
	unsigned how = number(now.in, 1), n = 1 + (how & 3);
	bool masked = (how & 0x20 ? !dir : dir) == 0;
	if (how & 4)
		compress_message(&t->side[dir], b, how & 8);
	if (how & 0x40)
		ws_frame(&out, 0x89, masked, (struct span){(const uint8_t *)"ping", 4});
	for (unsigned i = 0; i < n; i++) {
		uint32_t from = (uint32_t)((uint64_t)b->n * i / n), to = (uint32_t)((uint64_t)b->n * (i + 1) / n);
		unsigned first = (i + 1 == n ? 0x80 : 0) | (i ? 0 : how & 0x10 ? 2 : 1) | (i == 0 && (how & 4) ? 0x40 : 0);
		ws_frame(&out, first, masked, (struct span){(uint8_t *)b->p + from, to - from});
		if (how & 0x80)
			ws_frame(&out, 0x8a, masked, (struct span){0});
	}
	text_free(b);
	say_text(t, dir, &out);
}

static void
say_ws(struct talker *t, unsigned dir)
{
	struct text b = {0};
	json_text(t, dir, &b);
	say_ws_message(t, dir, &b);
}

/* ---- a sequencer ---- */

static void
say_broadcast(struct talker *t)
{
	struct text b = {0};
	text_add(&b, "{\"version\":1,\"messages\":[");
	for (unsigned i = 0, n = 1 + number(now.in, 1) % 3; i < n; i++) {
		struct span raw = some_tx();
		text_add(&b, "%s{\"sequenceNumber\":%u,\"message\":{\"message\":{\"header\":{\"kind\":3},\"l2Msg\":\"", i ? "," : "", i);
		base64_text(&b, 4, raw);
		text_add(&b, "\"},\"delayedMessagesRead\":1},\"signature\":null}");
		give_back(raw);
	}
	text_add(&b, "]}");
	say_ws_message(t, 1, &b);
}

/* ---- RLPx ---- */

static struct rlpx_key
session(unsigned i)
{
	struct rlpx_key k = {.has_mac = true, .has_nonces = i & 1};
	memset(k.aes, (int)(0x10 + i), 32);
	memset(k.mac, (int)(0x20 + i), 32);
	memset(k.nonce, (int)(0x30 + i), sizeof k.nonce);
	for (unsigned e = 0; e < 2 && i < 3; e++) { /* the last one's ends are not told */
		k.end[e] = (struct rlpx_endpoint){.ip = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = (uint8_t)(2 - e)}};
		k.end[e].port = e ? 8545 : (uint16_t)(10000 + i);
	}
	return k;
}

static struct span
tx_list(unsigned request)
{
	static uint8_t buf[70000];
	struct rlp_out o = {buf, 0, sizeof buf, false};
	size_t outer = rlp_list_begin(&o), list;
	if (request)
		rlp_put_u64(&o, request);
	list = request ? rlp_list_begin(&o) : 0;
	for (unsigned i = 0, n = 1 + number(now.in, 1) % 3; i < n; i++) {
		struct span raw = some_tx();
		rlp_put_string(&o, raw);
		give_back(raw);
	}
	if (request)
		rlp_list_end(&o, list);
	rlp_list_end(&o, outer);
	return (struct span){buf, (uint32_t)o.n};
}

static struct span
hash_list(void)
{
	static uint8_t buf[128];
	static const uint8_t type[1] = {2};
	struct rlp_out o = {buf, 0, sizeof buf, false};
	size_t outer = rlp_list_begin(&o), list;
	rlp_put_string(&o, (struct span){type, 1});
	list = rlp_list_begin(&o);
	rlp_put_u64(&o, 1 + number(now.in, 2));
	rlp_list_end(&o, list);
	list = rlp_list_begin(&o);
	rlp_put_string(&o, (struct span){now.last_hash, 32});
	rlp_list_end(&o, list);
	rlp_list_end(&o, outer);
	return (struct span){buf, (uint32_t)o.n};
}

static void
peer_start(struct talker *t, unsigned dir, unsigned how)
{
	struct speaker *s = &t->side[dir];
	struct rlpx_key k = session((unsigned)(t - now.t));
	if (s->peered)
		peer_free(&s->peer);
	peer_init(&s->peer, &k, dir, 194 + how);
	s->peered = true;
	s->peer_sent = 0;
}

static void
say_rlpx(struct talker *t, unsigned dir)
{
	struct speaker *s = &t->side[dir];
	struct peer *p = &s->peer;
	unsigned what = number(now.in, 1);
	if (!s->peered || what % 16 == 15)
		peer_start(t, dir, what >> 4);
	switch (what % 9) {
	case 0:
		peer_hello(p, 5, what & 0x80 ? "bsc/1 eth/68 snap/1" : "eth/68");
		break;
	case 1:
	case 2:
		peer_message(p, 0x12, tx_list(0), true);
		break;
	case 3:
		peer_message(p, 0x1a, tx_list(7), true);
		break;
	case 4:
		peer_message(p, 0x18, hash_list(), true);
		break;
	case 5:
		peer_chunks(p, 0x12, tx_list(0), what >> 4, 16 + number(now.in, 1) * 4);
		break;
	case 6:
		now.mixed = true;
		peer_message(p, number(now.in, 1) & 0x1f, piece(now.in, number(now.in, 1)), what & 0x80);
		break;
	case 7: {
		now.mixed = true;
		struct span header = piece(now.in, 1 + (what >> 4) % 13);
		peer_frame(p, header, piece(now.in, number(now.in, 1)));
		break;
	}
	default:
		peer_message(p, 0x10 + (what >> 4), (struct span){(const uint8_t *)"\xc0", 1}, true);
		break;
	}
	say(t, dir, (struct span){p->out + s->peer_sent, p->n - s->peer_sent});
	s->peer_sent = p->n;
}

/* ---- gRPC ---- */

static void
h2_frame(struct text *out, unsigned type, unsigned flags, uint32_t stream, struct span s)
{
	uint8_t h[9] = {(uint8_t)(s.len >> 16), (uint8_t)(s.len >> 8), (uint8_t)s.len, (uint8_t)type, (uint8_t)flags, 0, 0,
		(uint8_t)(stream >> 8), (uint8_t)stream};
	add_bytes(out, (struct span){h, 9});
	add_bytes(out, s);
}

static void
h2_headers(struct text *out, uint32_t stream, const char *path)
{
	struct text block = {0};
	text_add(&block, "%c%c%c%s", 0x83, 0x04, (int)strlen(path), path); /* POST; :path, literal */
	h2_frame(out, 1, 4, stream, text_span(&block));
	text_free(&block);
}

static void
grpc_message(struct text *out, bool gzip)
{
	struct text m = {0};
	for (unsigned i = 0, n = 1 + number(now.in, 1) % 3; i < n; i++) {
		struct span raw = some_tx();
		text_add(&m, "%c%c%c%c", 0x0a, (int)(raw.len & 0x7f) | 0x80, (int)(raw.len >> 7 & 0x7f) | 0x80, (int)(raw.len >> 14));
		add_bytes(&m, raw);
		give_back(raw);
	}
	if (gzip)
		compress_text(&m, 31);
	text_add(out, "%c%c%c%c%c", (int)gzip, 0, (int)(m.n >> 16), (int)(m.n >> 8 & 255), (int)(m.n & 255));
	add_bytes(out, text_span(&m));
	text_free(&m);
}

static void
say_grpc(struct talker *t, unsigned dir)
{
	struct text out = {0}, data = {0};
	unsigned how = number(now.in, 1);
	switch (how & 3) {
	case 0:
		if (dir == 0)
			text_add(&out, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
		h2_frame(&out, 4, 0, 0, (struct span){0});
		break;
	case 1:
		t->h2_stream += 2 - (t->h2_stream == 0);
		h2_headers(&out, t->h2_stream, how & 4 ? "/txpool.Txpool/Add" : how & 8 ? "/txpool.Txpool/All" : "/txpool.Txpool/OnAdd");
		break;
	default: {
		grpc_message(&data, how & 4);
		uint32_t stream = t->h2_stream > 0 ? t->h2_stream : 1, each = how & 8 ? data.n : 1 + number(now.in, 2);
		for (uint32_t at = 0; at < data.n; at += each) {
			uint32_t n = data.n - at < each ? data.n - at : each;
			h2_frame(&out, 0, at + n == data.n && (how & 0x10), stream, (struct span){(uint8_t *)data.p + at, n});
		}
		text_free(&data);
	}
	}
	say_text(t, dir, &out);
}

/* ---- beside ---- */

static void
change_keys(void)
{
	worker_keys(now.g->w, number(now.in, 1) & 1 ? now.keys : NULL);
}

static void
transport(void)
{
	unsigned what = number(now.in, 1), n = number(now.in, 1);
	switch (what % 6) {
	case 0:
		now.g->segment = 1 + (n << (what >> 4 & 7)) % 3000;
		break;
	case 1:
		now.lose = n % 40;
		break;
	case 2:
		now.twice = n % 16;
		break;
	case 3:
		now.swap = n % 16;
		break;
	case 4:
		now.other = n % 16;
		break;
	default:
		now.lose = now.twice = now.swap = now.other = 0;
		break;
	}
}

static void
wait_some(void)
{
	struct rig *g = now.g;
	unsigned how = number(now.in, 1);
	g->now_ns += (uint64_t)(how & 0x7f) << 24;
	if (how & 0x80)
		worker_search_run(g->w, 1u << (how & 12));
	worker_housekeep(g->w, g->now_ns);
	rig_check(g, ID_FRAMES, ID_TRANSACTIONS);
}

static void
stop_speaking(struct talker *t)
{
	for (unsigned d = 0; d < 2; d++) {
		struct speaker *s = &t->side[d];
		if (s->z_on)
			deflateEnd(&s->z);
		if (s->peered)
			peer_free(&s->peer);
		*s = (struct speaker){0};
	}
	t->h2_stream = 0;
}

static void
begin(struct talker *t)
{
	unsigned how = number(now.in, 1);
	stop_speaking(t);
	if (how & 1)
		rig_join(&t->flow, (unsigned)(t - now.t));
	else
		rig_open(now.g, &t->flow, (unsigned)(t - now.t));
	t->flow.isn[0] += how << 20;
}

static void
end(struct talker *t, unsigned dir)
{
	unsigned flags = number(now.in, 1) & 1 ? RIG_RST : RIG_FIN | RIG_ACK;
	rig_frame(now.g, &t->flow, dir, t->flow.isn[dir] + 1 + t->flow.sent[dir], flags, (struct span){0});
}

static void
raw_bytes(struct talker *t, unsigned dir)
{
	static const char *const phrases[] = {"POST / HTTP/1.1\r\nContent-Length: 60000\r\n\r\n", "HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
		"\x82\x7f\0\0\0\0\0\xff\xff\xff", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\0\xff\xff\0\0\0\0\0\x01", "{", "[", "\x01\x8a\x04"};
	static const uint8_t bytes[] = {sizeof "POST / HTTP/1.1\r\nContent-Length: 60000\r\n\r\n" - 1,
		sizeof "HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n" - 1, 10, 24, 9, 1, 1, 3};
	unsigned what = number(now.in, 1);
	now.mixed = true;
	if (what < sizeof bytes)
		say(t, dir, (struct span){(const uint8_t *)phrases[what], bytes[what]});
	else
		say(t, dir, piece(now.in, what));
}

static void
many_acks(struct talker *t, unsigned dir)
{
	for (unsigned k = 0; k < 40; k++)
		rig_frame(now.g, &t->flow, dir, t->flow.isn[dir] + 1 + t->flow.sent[dir], RIG_ACK, (struct span){0});
}

static void
step(unsigned op)
{
	struct talker *t = &now.t[(op >> 5 & 3) % FLOWS];
	unsigned dir = op >> 7;
	switch (op & 15) {
	case 0:
		begin(t);
		break;
	case 1:
		transport();
		break;
	case 2:
		t->flow.sent[dir] += 1 + number(now.in, 2) % 3000;
		break;
	case 3:
		end(t, dir);
		break;
	case 4:
		wait_some();
		break;
	case 5:
	case 6:
		say_http(t, op & 1 ? 0 : 1);
		break;
	case 7:
		say_upgrade(t);
		break;
	case 8:
		say_ws(t, dir);
		break;
	case 9: {
		struct text b = {0};
		json_text(t, dir, &b);
		say_text(t, dir, &b);
		break;
	}
	case 10:
		say_rlpx(t, dir);
		break;
	case 11:
		say_grpc(t, dir);
		break;
	case 12:
		say_broadcast(t);
		break;
	case 13:
		raw_bytes(t, dir);
		break;
	case 14:
		many_acks(t, dir);
		break;
	default:
		if (op & 0x10)
			rig_drain(now.g);
		else
			change_keys();
		break;
	}
}

void
talk_config(struct rig *g, struct input *in)
{
	unsigned a = number(in, 1), b = number(in, 1);
	g->config.conns_max = 1 + (a & 3);
	g->config.slabs[0] = 1 + (a >> 2 & 3);
	g->config.slabs[1] = a >> 4 & 1;
	g->config.slabs[2] = a >> 5 & 1;
	g->config.inflates = 1 + (a >> 6);
	g->config.joins = 1 + (b & 7);
	g->config.rlpx_windows = 1 + (b >> 3 & 3);
	g->with_lives = b >> 6 & 1;
	unsigned off = number(in, 1); /* a feed that is not read, now and then */
	if (off < FEED_COUNT)
		g->config.feeds.off[off] = true;
}

void
talk(struct rig *g, struct input *in)
{
	struct rlpx_key key[SESSIONS];
	memset(&now, 0, sizeof now);
	now.g = g;
	now.in = in;
	for (unsigned i = 0; i < SESSIONS; i++)
		key[i] = session(i);
	now.keys_memory = aligned_alloc(64, (rlpx_keys_bytes(SESSIONS) + 63) & ~(size_t)63);
	now.keys = now.keys_memory != NULL ? rlpx_keys_build(now.keys_memory, key, SESSIONS, 0, 5) : NULL;
	if (now.keys == NULL)
		rig_fail("no keys");
	worker_keys(g->w, now.keys);
	worker_listen(g->w, on_crossing, NULL);
	for (unsigned i = 0; i < FLOWS; i++)
		rig_join(&now.t[i].flow, i);
	for (unsigned n = 0; in->n > 0 && n < STEPS_MAX; n++)
		step(number(in, 1));
	for (unsigned i = 0; i < FLOWS; i++)
		stop_speaking(&now.t[i]);
	rig_flush(g);
	worker_keys(g->w, NULL);
	free(now.keys_memory);
}
