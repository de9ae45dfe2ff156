/* SPDX-License-Identifier: BSD-3-Clause */
/* A connection of two directions, cut up and with holes as the input says, read three times: as it is cut,
 * with pieces of one direction joined, and byte by byte. As long as a direction is in step they must agree.
 *
 * Input: mode, number of operations, the operations (one byte each), the bytes of the stream. An operation
 * takes the next bytes for its direction, feeds them, leaves them out (a gap) or ends the direction. */
#include "tests/unit/wire/http1_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MODE_MIDSTREAM 1

enum op_kind { OP_FEED, OP_GAP, OP_END };

struct op {
	unsigned dir;
	enum op_kind kind;
	size_t n; /* of the stream's bytes, gap included */
	uint64_t gap;
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

enum cut { CUT_AS_IS, CUT_JOINED, CUT_BYTES };

struct input {
	bool midstream;
	const uint8_t *ops, *bytes;
	size_t n_ops, n_bytes;
};

static void
feed(struct run *r, unsigned dir, const uint8_t *p, size_t n, enum cut cut)
{
	if (cut != CUT_BYTES) {
		run_feed(r, dir, p, n);
		return;
	}
	for (size_t i = 0; i < n; i++)
		run_feed(r, dir, p + i, 1);
}

static void
play(struct run *r, const struct input *in, enum cut cut)
{
	bool ended[2] = {false, false}; /* net hands on nothing more of a direction that has ended */
	run_init(r, in->midstream);
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
		if (ended[o.dir])
			continue;
		if (o.kind == OP_FEED)
			feed(r, o.dir, in->bytes + at, o.n, cut);
		else if (o.kind == OP_GAP)
			run_gap(r, o.dir, o.gap);
		else
			run_end(r, o.dir);
		ended[o.dir] = o.kind == OP_END;
		at += o.n;
	}
	if (!ended[0])
		feed(r, 0, in->bytes + at, in->n_bytes - at, cut);
	run_end(r, 0);
	run_end(r, 1);
}

static bool
in_step(const struct run *r)
{
	bool in = true;
	for (unsigned dir = 0; dir < 2; dir++)
		in = in && r->dir[dir].skipped[FRAMER_SKIP_UNSYNCED] == 0 && r->dir[dir].pickups == 0;
	return in;
}

static void
compare(const struct run *a, const struct run *b)
{
	for (unsigned dir = 0; dir < 2; dir++) {
		const struct run_dir *x = &a->dir[dir], *y = &b->dir[dir];
		assert(x->given == y->given);
		assert(x->messages >= x->ends && y->messages >= y->ends);
		if (in_step(a) && in_step(b))
			assert(run_equal(x, y));
	}
	/* up to the first loss of either direction everything is the same, or nothing was lost in one and all
	 * in the other */
	if (!a->lost_first && !b->lost_first)
		return;
	assert(a->lost_first && b->lost_first);
	assert(a->log_at_loss[0] == b->log_at_loss[0] && a->log_at_loss[1] == b->log_at_loss[1]);
	for (unsigned dir = 0; dir < 2; dir++) {
		if (a->log_at_loss[dir] > 0)
			assert(memcmp(a->dir[dir].log, b->dir[dir].log, a->log_at_loss[dir]) == 0);
	}
}

/* No input can keep the caller busy: a feed takes bytes, or falls out of step. */
static void
calls_are_bounded(struct span in, bool midstream)
{
	struct http1 h;
	http1_init(&h, midstream);
	uint64_t calls = 0, most = 2 * (uint64_t)in.len + 2;
	while (in.len > 0) {
		struct framer_out o;
		uint32_t n = http1_feed(&h, 0, in, &o);
		assert(n <= in.len && ++calls <= most);
		in.p += n;
		in.len -= n;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	struct input in = {.midstream = data[0] & MODE_MIDSTREAM};
	in.n_ops = data[1] < size - 2 ? data[1] : size - 2;
	in.ops = data + 2;
	in.bytes = in.ops + in.n_ops;
	in.n_bytes = size - 2 - in.n_ops;
	struct run r[3];
	play(&r[0], &in, CUT_AS_IS);
	play(&r[1], &in, CUT_JOINED);
	play(&r[2], &in, CUT_BYTES);
	if (!in.midstream) {
		compare(&r[0], &r[1]);
		compare(&r[0], &r[2]);
	}
	for (unsigned i = 0; i < 3; i++)
		run_free(&r[i]);
	calls_are_bounded((struct span){in.bytes, (uint32_t)in.n_bytes}, in.midstream);
	int like = http1_looks_like((struct span){in.bytes, (uint32_t)in.n_bytes});
	assert(like >= -1 && like <= 1);
	return 0;
}
