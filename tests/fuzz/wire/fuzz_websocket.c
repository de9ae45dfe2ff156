/* SPDX-License-Identifier: BSD-3-Clause */
/* A connection of two directions, cut up and with holes as the input says, read three times: as it is cut,
 * with pieces of one direction joined, and byte by byte into the smallest room. As long as a direction is in
 * step they must agree.
 *
 * Input: mode, number of operations, the operations (one byte each), the bytes of the stream. An operation
 * takes the next bytes for its direction, feeds them, leaves them out (a gap) or ends the direction. */
#include "tests/unit/wire/websocket_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MODE_MIDSTREAM = 1, MODE_RSV1 = 2, MODE_CLIENT = 4 };
enum op_kind { OP_FEED, OP_GAP, OP_END };
enum cut { CUT_AS_IS, CUT_JOINED, CUT_BYTES };

struct op {
	unsigned dir;
	enum op_kind kind;
	size_t n; /* of the stream's bytes, gap included */
	uint64_t gap;
};

struct input {
	uint8_t mode;
	const uint8_t *ops, *bytes;
	size_t n_ops, n_bytes;
};

static struct op
decode(uint8_t b, size_t rest)
{
	struct op o = {.dir = b >> 7, .kind = OP_FEED};
	size_t n = b & 0x1f;
	switch (b >> 5 & 3) {
	case 0:
		o.n = n + 1;
		break;
	case 1:
		o.n = (n + 1) * 32;
		break;
	case 2:
		o.n = rest; /* all that is left */
		break;
	default:
		o.kind = n == 0 ? OP_END : OP_GAP;
		o.n = n < 16 ? n : 0; /* missing here, or more than there is */
		o.gap = n < 31 ? n : UINT64_MAX;
	}
	if (o.n > rest)
		o.n = rest;
	return o;
}

static void
feed(struct ws_run *r, unsigned dir, const uint8_t *p, size_t n, enum cut cut)
{
	if (cut != CUT_BYTES) {
		ws_run_feed(r, dir, p, n);
		return;
	}
	for (size_t i = 0; i < n; i++)
		ws_run_feed(r, dir, p + i, 1);
}

static enum websocket_client
client_of(const struct input *in)
{
	if (in->mode & MODE_MIDSTREAM && in->mode & 0x80)
		return WEBSOCKET_CLIENT_UNKNOWN;
	return in->mode & MODE_CLIENT ? WEBSOCKET_CLIENT_DIR1 : WEBSOCKET_CLIENT_DIR0;
}

static void
play(struct ws_run *r, const struct input *in, enum cut cut)
{
	ws_run_init(r, client_of(in), in->mode & MODE_RSV1, in->mode & MODE_MIDSTREAM);
	r->room_len = cut == CUT_BYTES ? 1 : cut == CUT_AS_IS ? 100 : 4096;
	size_t at = 0;
	for (size_t i = 0; i < in->n_ops; i++) {
		struct op o = decode(in->ops[i], in->n_bytes - at);
		while (cut == CUT_JOINED && o.kind == OP_FEED && i + 1 < in->n_ops) {
			struct op next = decode(in->ops[i + 1], in->n_bytes - at - o.n);
			if (next.kind != OP_FEED || next.dir != o.dir)
				break;
			o.n += next.n;
			i++;
		}
		if (o.kind == OP_FEED)
			feed(r, o.dir, in->bytes + at, o.n, cut);
		else if (o.kind == OP_GAP)
			ws_run_gap(r, o.dir, o.gap);
		else
			ws_run_end(r, o.dir);
		at += o.n;
	}
	feed(r, 0, in->bytes + at, in->n_bytes - at, cut);
	ws_run_end(r, 0);
	ws_run_end(r, 1);
}

static void
compare(const struct ws_run *a, const struct ws_run *b)
{
	for (unsigned dir = 0; dir < 2; dir++) {
		const struct ws_run_dir *x = &a->dir[dir], *y = &b->dir[dir];
		assert(x->given == y->given);
		assert(x->messages >= x->ends && y->messages >= y->ends);
		/* the directions have nothing to do with each other */
		assert(x->out_of_step == y->out_of_step);
		if (!x->out_of_step)
			assert(ws_run_equal(x, y));
	}
}

/* No input can keep the caller busy. */
static void
calls_are_bounded(const struct input *in)
{
	struct websocket w;
	uint8_t room[1];
	struct span rest = {in->bytes, (uint32_t)in->n_bytes};
	websocket_init(&w, client_of(in), true, in->mode & MODE_MIDSTREAM);
	uint64_t calls = 0, most = 2 * (uint64_t)rest.len + 2;
	while (rest.len > 0) {
		struct framer_out o;
		uint32_t n = websocket_feed(&w, 0, rest, (struct websocket_room){room, 1}, &o);
		assert(n <= rest.len && ++calls <= most);
		rest.p += n;
		rest.len -= n;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	struct input in = {.mode = data[0]};
	in.n_ops = data[1] < size - 2 ? data[1] : size - 2;
	in.ops = data + 2;
	in.bytes = in.ops + in.n_ops;
	in.n_bytes = size - 2 - in.n_ops;
	struct ws_run r[3];
	for (unsigned i = 0; i < 3; i++)
		play(&r[i], &in, (enum cut)i);
	if (!(in.mode & MODE_MIDSTREAM)) {
		compare(&r[0], &r[1]);
		compare(&r[0], &r[2]);
	}
	for (unsigned i = 0; i < 3; i++)
		ws_run_free(&r[i]);
	calls_are_bounded(&in);
	websocket_looks_like((struct span){in.bytes, (uint32_t)in.n_bytes});
	return 0;
}
