/* SPDX-License-Identifier: BSD-3-Clause */
/* A gRPC connection of two directions, cut up and with holes as the input says, read twice: as it is cut, and
 * byte by byte. As long as both directions are in step they must agree in everything. Elements go on to
 * txpool_proto.
 *
 * Input: mode, number of operations, the operations (one byte each), the bytes of the streams. An operation
 * takes the next bytes for its direction, feeds them, leaves them out (a gap) or ends the direction. With
 * MODE_HEADERS the bytes are a header block, fed whole and byte by byte. */
#include "eth/txpool_proto.h"
#include "tests/unit/wire/h2_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MODE_MIDSTREAM = 1, MODE_STEAL = 2, MODE_NO_SLABS = 4, MODE_HEADERS = 8, MODE_TXPOOL = 16 };

struct input {
	uint8_t mode;
	const uint8_t *ops, *bytes;
	size_t n_ops, n_bytes;
};

static struct inflate_pool pool;
static uint8_t unpacked[1 << 16];

static void
judge(void *ctx, const struct grpc_element *e)
{
	enum txpool_kind kind;
	struct span raw, field;
	struct grpc_element guess = *e;
	if (txpool_element(e, &kind, &raw) == TXPOOL_TX)
		assert(raw.len > 0 && raw.p >= e->bytes.p && raw.p + raw.len <= e->bytes.p + e->bytes.len);
	guess.method = -1;
	if (txpool_element(&guess, &kind, &raw) == TXPOOL_TX)
		assert(raw.len > 0 && raw.p >= e->bytes.p && raw.p + raw.len <= e->bytes.p + e->bytes.len);
	if (txpool_field_scan(e->bytes, 3, &field))
		assert(field.len == 0 ||
			(field.p >= e->bytes.p && field.p + field.len <= e->bytes.p + e->bytes.len));
}

static void
begin(struct h2_run *r, const struct input *in)
{
	h2_run_init(r, in->mode & MODE_MIDSTREAM);
	r->a.out = unpacked;
	r->a.out_cap = sizeof unpacked;
	r->a.inflate = &pool;
	r->no_slabs = in->mode & MODE_NO_SLABS;
	r->on_element = judge;
	if (in->mode & MODE_TXPOOL) {
		r->a.h2.paths = txpool_paths;
		r->a.methods = txpool_methods;
	}
}

static size_t
one(struct h2_run *r, uint8_t b, const uint8_t *p, size_t rest, bool bytewise)
{
	unsigned dir = b >> 7, what = b >> 5 & 3;
	size_t n = b & 0x1f;
	if (what == 3 && n == 0) {
		h2_run_end(r, dir);
		return 0;
	}
	if (what == 3) {
		h2_run_gap(r, dir, n < 31 ? n : UINT64_MAX);
		return n < 16 && n < rest ? n : 0;
	}
	n = what == 0 ? n + 1 : what == 1 ? (n + 1) * 32 : rest;
	n = n < rest ? n : rest;
	if (!bytewise)
		h2_run_feed(r, dir, p, n);
	for (size_t i = 0, k; bytewise && i < n; i += k) {
		k = i < 200 ? 1 : 1 + i % 13; /* long inputs are read at speed */
		k = k < n - i ? k : n - i;
		h2_run_feed_in_place(r, dir, p + i, k);
	}
	return n;
}

static void
play(struct h2_run *r, const struct input *in, bool bytewise)
{
	size_t at = 0;
	begin(r, in);
	r->steal = in->mode & MODE_STEAL && !bytewise ? 1 + in->mode % 5u : 0;
	for (size_t i = 0; i < in->n_ops; i++)
		at += one(r, in->ops[i], in->bytes + at, in->n_bytes - at, bytewise);
	one(r, 0x40, in->bytes + at, in->n_bytes - at, bytewise);
	h2_run_end(r, 0);
	h2_run_end(r, 1);
	assert(r->max_slabs <= 2 * H2_STREAMS + 1);
	assert(r->n_slabs == 0);
}

static bool
is_comparable(const struct input *in, const struct h2_run *r)
{
	/* where a slab is needed depends on the cut, and a message that is not trusted may give way to
	 * another */
	return r->a.counts[GRPC_N_RESYNCS] == 0 &&
	       !(in->mode & (MODE_MIDSTREAM | MODE_STEAL | MODE_NO_SLABS)) && !r->dir[0].out_of_step &&
	       !r->dir[1].out_of_step;
}

static void
read_headers(const struct input *in)
{
	struct hpack whole, bytes;
	uint8_t path[2] = {0, 0};
	hpack_init(&whole, in->mode & MODE_MIDSTREAM);
	bytes = whole;
	for (unsigned round = 0; round < 2; round++) {
		hpack_begin(&whole);
		hpack_begin(&bytes);
		bool good = hpack_feed(&whole, &txpool_paths, in->bytes, (uint32_t)in->n_bytes), same = true;
		for (size_t i = 0; i < in->n_bytes && same; i++)
			same = hpack_feed(&bytes, &txpool_paths, in->bytes + i, 1);
		assert(good == same);
		if (!good)
			return;
		good = hpack_end(&whole, &path[0]);
		assert(hpack_end(&bytes, &path[1]) == good && path[0] == path[1]);
		assert(whole.used == bytes.used && whole.n == bytes.n && whole.whole == bytes.whole);
		assert(!whole.whole || (whole.used <= whole.max && whole.used >= 32u * whole.n));
		assert(path[0] < HPACK_PATH_FIRST + txpool_paths.n);
		if (!good)
			return;
	}
}

static void
read_connection(const struct input *in)
{
	struct h2_run r[2];
	play(&r[0], in, false);
	play(&r[1], in, true);
	if (is_comparable(in, &r[0]) && is_comparable(in, &r[1]))
		assert(h2_run_equal(&r[0], &r[1]));
	h2_run_free(&r[0]);
	h2_run_free(&r[1]);
	int like = h2_looks_like((struct span){in->bytes, (uint32_t)in->n_bytes});
	assert(like >= -1 && like <= 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	if (pool.ctxs == NULL) {
		void *mem = aligned_alloc(64, (inflate_pool_bytes(2) + 63) & ~(size_t)63);
		assert(mem != NULL && inflate_pool_init(&pool, mem, 2) == 0);
	}
	struct input in = {.mode = data[0]};
	in.n_ops = data[1] < size - 2 ? data[1] : size - 2;
	in.ops = data + 2;
	in.bytes = in.ops + in.n_ops;
	in.n_bytes = size - 2 - in.n_ops;
	if (in.mode & MODE_HEADERS)
		read_headers(&in);
	else
		read_connection(&in);
	return 0;
}
