/* SPDX-License-Identifier: BSD-3-Clause */
/* A broadcast in one piece, in pieces cut as the input says, in pieces while slabs are taken back or refused,
 * and cut off: the same elements (lost buffers apart), no byte written outside an allocation, no slab kept.
 * Every l2Msg found, and the input itself, is read as L2 messages: items lie in it, in order, without
 * overlap. Input: 4 bytes of choices, then the broadcast. */
#include "eth/l2msg.h"
#include "eth/tx.h"
#include "tests/unit/wire/arbfeed_rig.h"
#include "tests/unit/wire/base64_plain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(int ok)
{
	if (!ok)
		abort();
}

static uint32_t
next(uint32_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return *x;
}

/* ---- l2msg ---- */

struct seen {
	struct span in;
	const uint8_t *end; /* of the last item */
	uint32_t n;
	bool refuse;
};

static void
see_item(void *ctx, const struct l2msg_item *it)
{
	struct seen *s = ctx;
	struct tx t;
	require(it->index == s->n++ && it->depth <= L2MSG_DEPTH_MAX);
	require(it->raw.p >= s->end && it->raw.len <= (size_t)(s->in.p + s->in.len - it->raw.p));
	s->end = it->raw.p + it->raw.len;
	s->refuse |= it->kind >= L2MSG_COMPRESSED;
	if (it->kind == L2MSG_TX) {
		require(it->raw.len > 0);
		tx_decode(it->raw, &t);
	}
}

static void
read_l2(unsigned header, struct span in)
{
	uint8_t *exact = malloc(in.len ? in.len : 1);
	memcpy(exact, in.p, in.len);
	struct seen s = {.in = {exact, in.len}, .end = exact};
	uint64_t over = 0;
	enum l2msg_status status = l2msg_read(header, s.in, see_item, &s, &over);
	require(s.n <= L2MSG_ITEMS_MAX && (over == 0 || s.n == L2MSG_ITEMS_MAX));
	require(status != L2MSG_TAKEN || !s.refuse);
	require(status != L2MSG_REFUSED || s.refuse || over > 0);
	require((status != L2MSG_NOTHING && status != L2MSG_OVERSIZE) || s.n == 0);
	free(exact);
}

static void
read_element(void *ctx, const struct arbfeed_event *e)
{
	if (e->state == ARBFEED_OK && e->l2msg.len > 0)
		read_l2(e->has_kind ? e->kind : L2MSG_HEADER_L2, e->l2msg);
}

/* ---- base64 ---- */

static void
read_base64(const uint8_t *p, size_t n)
{
	uint8_t *plain = malloc(n + 3), *out = malloc(n + 3);
	long want = base64_plain((const char *)p, n, plain), len = 0;
	struct base64 b = {0};
	size_t groups = base64_groups(p, n, out);
	require(groups % 4 == 0 && groups <= n);
	len = (long)(groups / 4 * 3);
	for (size_t i = groups; i < n && len >= 0; i++) {
		uint8_t three[3];
		int got = base64_char(&b, p[i], three);
		require(got >= -1 && got <= 3);
		if (got > 0)
			memcpy(out + len, three, (size_t)got);
		len = got < 0 ? -1 : len + got;
	}
	if (!base64_whole(&b))
		len = -1;
	require(len == want && (len <= 0 || memcmp(out, plain, (size_t)len) == 0));
	free(plain);
	free(out);
}

/* ---- the scanner ---- */

static void
run_pieces(struct arbfeed_rig *r, const uint8_t *body, size_t n, uint32_t seed, unsigned longest, bool steal)
{
	arbfeed_rig_begin(r);
	size_t i = 0;
	do {
		size_t piece = next(&seed) % longest;
		if (piece > n - i)
			piece = n - i;
		if (steal && next(&seed) % 4 == 0)
			arbfeed_rig_steal(r);
		if (steal)
			r->slab_cap_max = next(&seed) % 8 ? JSONRPC_RAW_MAX : next(&seed) % 64;
		r->steal_in_get = steal && next(&seed) % 2;
		enum jsonrpc_status s = arbfeed_rig_feed(r, body + i, piece, i + piece == n);
		require(s == JSONRPC_MORE ? i + piece < n : r->slabs_out == 0);
		i += piece;
	} while (i < n);
	r->steal_in_get = false;
	r->slab_cap_max = JSONRPC_RAW_MAX;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 4 || size > 65536)
		return 0;
	static struct arbfeed_rig whole, parts;
	if (whole.log == NULL) {
		arbfeed_rig_init(&whole, 1u << 17);
		arbfeed_rig_init(&parts, 1u << 17);
		whole.also = read_element;
	}
	uint32_t seed = (uint32_t)data[1] << 8 | data[2] | 0x10000;
	free(parts.a.scratch);
	parts.a.scratch_cap = data[3] % 16 ? 1u << 17 : data[3] / 16u;
	parts.a.scratch = malloc(parts.a.scratch_cap + (parts.a.scratch_cap == 0));
	const uint8_t *body = data + 4;
	size_t n = size - 4;
	read_l2(data[0] % 16, (struct span){body, (uint32_t)n});
	read_base64(body, n);
	arbfeed_looks_like((struct span){body, (uint32_t)n});
	arbfeed_rig_run(&whole, body, n);
	require(whole.slabs_out == 0 && whole.status != JSONRPC_MORE && whole.messages == whole.n_events);
	run_pieces(&parts, body, n, seed, 2 + data[0] % 64u, false);
	require(parts.status == whole.status && parts.messages == whole.messages);
	require(parts.log_len == whole.log_len && memcmp(parts.log, whole.log, whole.log_len) == 0);
	run_pieces(&parts, body, n, seed, 2 + data[0] % 64u, true);
	require(parts.status == whole.status && parts.messages == whole.messages);
	require(parts.n_state[ARBFEED_NONE] == whole.n_state[ARBFEED_NONE]);
	require(parts.n_state[ARBFEED_OK] <= whole.n_state[ARBFEED_OK]);
	arbfeed_rig_begin(&parts);
	arbfeed_rig_feed(&parts, body, n - n * (data[0] >> 6) / 4, false);
	require(parts.log_len <= whole.log_len && memcmp(parts.log, whole.log, parts.log_len) == 0);
	unsigned events = parts.n_events;
	arbfeed_rig_cut(&parts);
	require(parts.n_events <= events + 1 && parts.slabs_out == 0);
	return 0;
}
