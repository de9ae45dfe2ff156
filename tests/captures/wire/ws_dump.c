/* SPDX-License-Identifier: BSD-3-Clause */
/* Prints every WebSocket message of a capture, a line each: 0 or 1 for client or server, a space, its text,
 * line ends in it as spaces.
 * Reads HTTP/1 until the upgrade (a flow without a SYN is past it), then frames, and decompresses, as a
 * worker does; of TCP it knows only what the recordings need: segments in order, Ethernet and IPv4. usage:
 * ws_dump CAPTURE. Exit 1 if anything was lost. */
#include "wire/http1.h"
#include "wire/inflate.h"
#include "wire/websocket.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLOWS_MAX 16u
#define TEXT_MAX (1u << 20)

struct flow {
	uint16_t client_port;
	bool ws, midstream;
	struct http1 http;
	struct websocket framer;
	struct inflate inflate[2];
	uint32_t next[2];
	bool begun[2];
	char text[2][TEXT_MAX];
	uint32_t len[2];
};

static struct flow flows[FLOWS_MAX];
static unsigned n_flows, lost;
static struct inflate_pool pool;
static uint8_t unmasked[4096], plain[4096];

static void
append(struct flow *f, unsigned dir, struct span s)
{
	if (f->len[dir] + s.len > TEXT_MAX)
		exit(1);
	if (s.len > 0)
		memcpy(f->text[dir] + f->len[dir], s.p, s.len);
	f->len[dir] += s.len;
}

static void
message_end(struct flow *f, unsigned dir)
{
	for (uint32_t i = 0; i < f->len[dir]; i++)
		if (f->text[dir][i] == '\n')
			f->text[dir][i] = ' ';
	printf("%u %.*s\n", dir, (int)f->len[dir], f->text[dir]);
	f->len[dir] = 0;
}

static void
body(struct flow *f, unsigned dir, const struct framer_out *o)
{
	struct span in = o->body, out = o->body;
	enum inflate_status s = o->last ? INFLATE_END : INFLATE_MORE;
	if (!websocket_last(&f->framer, dir)->compressed) {
		append(f, dir, out);
	} else {
		do {
			s = inflate_feed(&f->inflate[dir], &pool, &in, o->last, plain, sizeof plain, &out);
			append(f, dir, out);
		} while (s == INFLATE_ROOM);
	}
	if (s == INFLATE_END)
		message_end(f, dir);
	lost += s > INFLATE_END;
}

static void
feed_ws(struct flow *f, unsigned dir, struct span in)
{
	while (in.len > 0) {
		struct framer_out o;
		struct websocket_room room = {unmasked, sizeof unmasked};
		uint32_t n = websocket_feed(&f->framer, dir, in, room, &o);
		if (o.verdict == FRAMER_MESSAGE && websocket_last(&f->framer, dir)->compressed)
			inflate_message(&f->inflate[dir], &pool, INFLATE_MAX_MESSAGE);
		if (o.verdict == FRAMER_MESSAGE && o.last)
			message_end(f, dir);
		if (o.verdict == FRAMER_BODY)
			body(f, dir, &o);
		lost += o.verdict == FRAMER_LOST || (o.skipped > 0 && !f->midstream);
		in.p += n;
		in.len -= n;
	}
}

static void
upgrade(struct flow *f, unsigned server)
{
	const struct http1_head *h = http1_last(&f->http, server);
	const struct http1_extensions *e = &h->extensions;
	f->ws = h->websocket;
	websocket_init(
		&f->framer, (enum websocket_client) !server, e->deflate || e->arbitrum || e->other, false);
	inflate_init(&f->inflate[server], INFLATE_MESSAGES, !e->server_no_takeover, false);
	inflate_init(&f->inflate[!server], INFLATE_MESSAGES, !e->client_no_takeover, false);
	if (!http1_between(&f->http, !server))
		websocket_desync(&f->framer, !server);
}

static void
feed(struct flow *f, unsigned dir, struct span in)
{
	while (in.len > 0 && !f->ws) {
		struct framer_out o;
		uint32_t n = http1_feed(&f->http, dir, in, &o);
		if (o.verdict == FRAMER_UPGRADE)
			upgrade(f, dir);
		lost += o.verdict == FRAMER_LOST || o.skipped > 0;
		in.p += n;
		in.len -= n;
	}
	feed_ws(f, dir, in);
}

static void
flow_begin(struct flow *f, uint16_t client_port, bool midstream)
{
	f->client_port = client_port;
	f->midstream = f->ws = midstream;
	http1_init(&f->http, false);
	websocket_init(&f->framer, WEBSOCKET_CLIENT_UNKNOWN, true, true);
	for (unsigned dir = 0; dir < 2; dir++)
		inflate_init(&f->inflate[dir], INFLATE_MESSAGES, true, true);
}

static void
segment(const uint8_t *tcp, uint32_t n)
{
	uint16_t port[2] = {(uint16_t)(tcp[0] << 8 | tcp[1]), (uint16_t)(tcp[2] << 8 | tcp[3])};
	uint32_t seq = (uint32_t)tcp[4] << 24 | (uint32_t)tcp[5] << 16 | (uint32_t)tcp[6] << 8 | tcp[7];
	uint32_t header = (tcp[12] >> 4) * 4u;
	unsigned dir = port[1] != 8545 && port[1] != 9642;
	struct flow *f = flows;
	while (f < flows + n_flows && f->client_port != port[dir])
		f++;
	if (f == flows + FLOWS_MAX || header > n)
		exit(1);
	if (f == flows + n_flows) {
		flow_begin(f, port[dir], !(tcp[13] & 2));
		n_flows++;
	}
	if (tcp[13] & 2 || (f->midstream && !f->begun[dir]))
		f->next[dir] = seq + (tcp[13] >> 1 & 1);
	f->begun[dir] = true;
	if (n == header || seq != f->next[dir])
		return;
	f->next[dir] += n - header;
	feed(f, dir, (struct span){tcp + header, n - header});
}

int
main(int argc, char **argv)
{
	static uint8_t frame[65536];
	uint32_t head[4];
	FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
	size_t bytes = (inflate_pool_bytes(8) + 63) & ~(size_t)63;
	if (file == NULL || fread(frame, 24, 1, file) != 1 ||
		inflate_pool_init(&pool, aligned_alloc(64, bytes), 8) != 0)
		return 1;
	while (fread(head, sizeof head, 1, file) == 1) {
		if (head[2] < 54 || head[2] > sizeof frame || fread(frame, head[2], 1, file) != 1)
			return 1;
		uint32_t ip = 14, tcp = ip + (frame[ip] & 15) * 4u,
			 end = ip + (frame[ip + 2] << 8 | frame[ip + 3]);
		if (end <= head[2] && tcp + 20 <= end)
			segment(frame + tcp, end - tcp);
	}
	fclose(file);
	free(pool.ctxs);
	return lost > 0;
}
