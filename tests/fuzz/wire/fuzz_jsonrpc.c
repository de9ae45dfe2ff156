/* SPDX-License-Identifier: BSD-3-Clause */
/* A body in one piece, in pieces cut as the input says, and in pieces while slabs are taken back or refused:
 * the same items (lost buffers apart), no byte written outside an allocation, no slab kept. Params that come
 * behind override what is spelled as they are, and nothing else. Input: 4 bytes of choices, then the body. */
#include "tests/unit/wire/jsonrpc_rig.h"

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

static void
run_pieces(struct rig *r, const uint8_t *body, size_t n, uint32_t seed, unsigned longest, bool steal)
{
	rig_begin(r);
	size_t i = 0;
	do {
		size_t piece = next(&seed) % longest;
		if (piece > n - i)
			piece = n - i;
		if (steal && next(&seed) % 4 == 0)
			rig_steal(r);
		if (steal)
			r->slab_cap_max = next(&seed) % 8 ? JSONRPC_RAW_MAX : next(&seed) % 64;
		r->steal_in_get = steal && next(&seed) % 2;
		enum jsonrpc_status s = rig_feed(r, body + i, piece, i + piece == n);
		require(s == JSONRPC_MORE ? i + piece < n : r->slabs_out == 0);
		i += piece;
	} while (i < n);
}

/* The same items but that some may have lost their buffer. */
static void
same_but_lost(const char *a, const char *b)
{
	while (*a && *b) {
		const char *ea = strchr(a, '\n'), *eb = strchr(b, '\n');
		require(ea && eb);
		if (ea - a != eb - b || memcmp(a, b, (size_t)(ea - a)) != 0) {
			require(a[0] == b[0] && b[2] == '0' + JSONRPC_NO_BUFFER);
			const char *pa = strchr(a + 4, ':'), *pb = strchr(b + 4, ':');
			require(pa - a == pb - b && memcmp(a + 4, b + 4, (size_t)(pa - a) - 4) == 0);
		}
		a = ea + 1;
		b = eb + 1;
	}
	require(*a == *b);
}

/* The number of items of one kind that the request has with one more key at its end. */
static unsigned
items_with(struct rig *r, const uint8_t *body, size_t n, const char *key, char kind)
{
	char *more = malloc(n + 32);
	memcpy(more, body, n);
	n += (size_t)sprintf(more + n, ",%s:7}", key);
	rig_run(r, more, n);
	require(r->status == JSONRPC_DONE && r->messages == 1);
	free(more);
	unsigned items = 0;
	for (const char *l = r->log; *l; l = strchr(l, '\n') + 1)
		items += *l == kind;
	return items;
}

/* Each item of a lone request stands under params as they are spelled or under a key in another case: later
 * params of either spelling take away those of theirs alone. */
static void
overridden_once(struct rig *r, const uint8_t *body, size_t n)
{
	size_t first = 0;
	while (first < n && memchr(" \t\r\n", body[first], 4) != NULL)
		first++;
	if (r->status != JSONRPC_DONE || r->messages != 1 || r->n_items == 0 || body[first] != '{')
		return;
	unsigned items[5] = {0};
	for (const char *l = r->log; *l; l = strchr(l, '\n') + 1)
		items[*l - '0']++;
	size_t end = 0; /* its last brace */
	rig_begin(r);
	while (end < n && rig_feed(r, body + end, 1, false) == JSONRPC_MORE)
		end++;
	for (char kind = '1'; kind <= '4'; kind++)
		require(items_with(r, body, end, "\"params\"", kind) +
				items_with(r, body, end, "\"PARAMS\"", kind) ==
			items[kind - '0']);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 4 || size > 65536)
		return 0;
	static struct rig whole, parts;
	if (whole.log == NULL) {
		rig_init(&whole, 1u << 17);
		rig_init(&parts, 1u << 17);
	}
	static const struct jsonrpc_watch watch = {rig_request, rig_block};
	whole.a.watch = parts.a.watch = data[3] / 16u % 2 ? &watch : NULL;
	uint32_t seed = (uint32_t)data[1] << 8 | data[2] | 0x10000;
	/* scratch of any size: a body that does not fit goes to a slab */
	free(parts.a.scratch);
	parts.a.scratch_cap = data[3] % 16 ? 1u << 17 : data[3] / 16u;
	parts.a.scratch = malloc(parts.a.scratch_cap + (parts.a.scratch_cap == 0));
	parts.slab_cap_max = JSONRPC_RAW_MAX;
	const uint8_t *body = data + 4;
	size_t n = size - 4;
	rig_run(&whole, body, n);
	require(whole.slabs_out == 0 && whole.status != JSONRPC_MORE);
	run_pieces(&parts, body, n, seed, 2 + data[0] % 64u, false);
	require(parts.status == whole.status && parts.messages == whole.messages);
	require(strcmp(parts.log, whole.log) == 0);
	require(parts.told == whole.told && whole.begun <= whole.ended);
	run_pieces(&parts, body, n, seed, 2 + data[0] % 64u, true);
	require(parts.status == whole.status && parts.messages == whole.messages);
	same_but_lost(whole.log, parts.log);
	require(parts.requests == whole.requests && parts.block_txs == whole.block_txs);
	require(parts.begun == whole.begun && parts.ended == whole.ended);
	/* cut off: what was complete is the beginning of what the whole has, the rest is CUT */
	rig_begin(&parts);
	parts.steal_in_get = false;
	parts.slab_cap_max = JSONRPC_RAW_MAX;
	rig_feed(&parts, body, n - n * (data[0] >> 6) / 4, false);
	size_t complete = parts.log_len;
	require(memcmp(parts.log, whole.log, complete) == 0);
	jsonrpc_cut(&parts.j, &parts.a, rig_sink, &parts);
	for (const char *l = parts.log + complete; *l; l = strchr(l, '\n') + 1)
		require(l[2] == '0' + JSONRPC_CUT);
	require(parts.slabs_out == 0 && parts.begun <= parts.ended);
	overridden_once(&whole, body, n);
	return 0;
}
