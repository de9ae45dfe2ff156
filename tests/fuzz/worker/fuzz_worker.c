/* SPDX-License-Identifier: BSD-3-Clause */
/* Bytes to traffic to a worker: a small capture file as it is, connections of every protocol (talk.h; first byte TALK), or a program of what is
 * said on a few flows, in order, out of order, twice, otherwise or not at all. Identities 2 to 4 hold after every burst, 5 and 7 at the end,
 * and then nothing is held or pending. */
#include "talk.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define FLOWS 6u
#define STEPS_MAX 400u
#define PCAP_HEADER 24u
#define RECORD_HEADER 16u
#define TALK 0xfe

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Phrases that take an engine long to find. */
static const char *const phrases[] = {"POST / HTTP/1.1\r\nContent-Length: ", "HTTP/1.1 200 OK\r\nContent-Length: ", "GET / HTTP/1.1\r\n",
	"Transfer-Encoding: chunked\r\n", "\r\n\r\n", "{\"method\":\"eth_sendRawTransaction\",\"params\":[\"0x", "\"]}",
	"{\"method\":\"eth_sendBundle\",\"params\":[{\"txs\":[\"0x", "\"]}]}", "Connection: Upgrade\r\nUpgrade: websocket\r\n", "HTTP/1.1 101 S\r\n", "\",\"0x"};
#define PHRASES (sizeof phrases / sizeof *phrases)

static struct span
saying(struct input *in, struct text *t)
{
	uint32_t what = number(in, 1);
	t->n = 0;
	if (what < PHRASES) {
		text_add(t, "%s", phrases[what]);
	} else if (what < 64) {
		text_hex(t, piece(in, what));
	} else if (what < 80) {
		struct span tx = rig_tx(what & 1 ? TO_MANY : TO_WATCHED, number(in, 1), number(in, 2) & 0x1fff);
		struct text body = {0};
		text_raw(&body, tx);
		text_post(t, what & 2 ? "Content-Encoding: gzip\r\n" : "", &body);
		text_free(&body);
		free((void *)(uintptr_t)tx.p);
	} else {
		return piece(in, what & 0x3f);
	}
	return text_span(t);
}

/* Another version of what was said, or something ahead of it. */
static void
beside(struct rig *g, const struct rig_flow *f, unsigned dir, bool back, struct input *in, struct text *t)
{
	uint32_t off = f->sent[dir] + (back ? 0 - number(in, 2) % 4096 : number(in, 1));
	struct span s = saying(in, t);
	if (s.len > 60000)
		s.len = 60000;
	rig_at(g, f, dir, off, s);
}

static void
program(struct rig *g, struct input *in)
{
	struct rig_flow flow[FLOWS];
	struct text t = {0};
	for (unsigned i = 0; i < FLOWS; i++)
		rig_join(&flow[i], i);
	for (unsigned step = 0; in->n > 0 && step < STEPS_MAX; step++) {
		uint32_t op = number(in, 1);
		struct rig_flow *f = &flow[(op >> 4) % FLOWS];
		unsigned dir = op >> 7;
		switch (op & 15) {
		case 0:
			rig_open(g, f, (op >> 4) % FLOWS);
			break;
		case 1:
			g->segment = 1 + number(in, 2) % 3000;
			break;
		case 2: /* not seen */
			f->sent[dir] += number(in, 2);
			break;
		case 3:
			rig_frame(g, f, dir, f->isn[dir] + 1 + f->sent[dir], RIG_FIN | RIG_ACK, (struct span){0});
			break;
		case 4:
			rig_frame(g, f, dir, f->isn[dir] + 1 + f->sent[dir], RIG_RST, (struct span){0});
			break;
		case 5:
			g->now_ns += (uint64_t)number(in, 2) << 20;
			worker_housekeep(g->w, g->now_ns);
			rig_check(g, ID_FRAMES, ID_TRANSACTIONS);
			break;
		case 6:
		case 7:
			beside(g, f, dir, op & 1, in, &t);
			break;
		case 8:
			for (unsigned k = 0; k < 40; k++)
				rig_frame(g, f, dir, f->isn[dir] + 1 + f->sent[dir], RIG_ACK, (struct span){0});
			break;
		case 9:
			rig_answer(g, f);
			break;
		case 10:
			rig_submit(g, f, (struct span){rig_eip155, sizeof rig_eip155});
			break;
		case 11:
			rig_drain(g);
			break;
		default:
			rig_say(g, f, dir, saying(in, &t));
			break;
		}
	}
	text_free(&t);
}

static uint32_t
little(const uint8_t *p)
{
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static void
capture(struct rig *g, struct input *in)
{
	struct span frame[WORKER_BURST];
	uint32_t len[WORKER_BURST];
	uint64_t t[WORKER_BURST];
	unsigned n = 0;
	in->p += PCAP_HEADER;
	in->n -= PCAP_HEADER;
	while (in->n >= RECORD_HEADER) {
		uint32_t captured = little(in->p + 8), wire = little(in->p + 12);
		in->p += RECORD_HEADER;
		in->n -= RECORD_HEADER;
		frame[n] = piece(in, captured);
		len[n] = wire < frame[n].len ? frame[n].len : wire;
		t[n++] = g->now_ns += 100000;
		if (n < WORKER_BURST && in->n >= RECORD_HEADER)
			continue;
		worker_frames(g->w, n, frame, len, t);
		rig_check(g, ID_FRAMES, ID_TRANSACTIONS);
		n = 0;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t magics[2][4] = {{0xd4, 0xc3, 0xb2, 0xa1}, {0x4d, 0x3c, 0xb2, 0xa1}};
	struct rig g;
	struct input in = {data, size};
	rig_init(&g);
	g.config.stream.flows_max = 64;
	g.config.stream.ooo_slabs = 16;
	g.config.stream.history_buffers = 4;
	g.config.stream.history_bytes = 1024;
	g.config.conns_max = 3;
	g.config.slabs[0] = 2;
	g.config.slabs[1] = 1;
	g.config.slabs[2] = 0;
	g.config.seen_entries = 64;
	g.config.pipe_bytes = PIPE_BYTES_MIN;
	bool talks = size > 0 && data[0] == TALK;
	if (talks) {
		number(&in, 1);
		talk_config(&g, &in);
	}
	rig_start(&g);
	g.cor.patient = false;
	if (talks)
		talk(&g, &in);
	else if (size >= PCAP_HEADER && (memcmp(data, magics[0], 4) == 0 || memcmp(data, magics[1], 4) == 0))
		capture(&g, &in);
	else
		program(&g, &in);
	rig_stop(&g);
	return 0;
}
