/* SPDX-License-Identifier: BSD-3-Clause */
/* A message in one piece, in pieces cut as the input says, in pieces while slabs are taken back or refused,
 * and cut off: the same events (lost buffers apart), blocks that begin also end, no byte written outside an
 * allocation, no slab kept. Input: 4 bytes of choices, then the message. */
#include "tests/unit/wire/answer_rig.h"

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
run_pieces(struct answer_rig *r, const uint8_t *body, size_t n, uint32_t seed, unsigned longest, bool steal,
	bool stream)
{
	answer_rig_begin(r, stream);
	size_t i = 0;
	do {
		size_t piece = next(&seed) % longest;
		if (piece > n - i)
			piece = n - i;
		if (steal && next(&seed) % 4 == 0)
			answer_rig_steal(r);
		if (steal)
			r->slab_cap_max = next(&seed) % 8 ? JSONRPC_RAW_MAX : next(&seed) % 64;
		r->steal_in_get = steal && next(&seed) % 2;
		enum jsonrpc_status s = answer_rig_feed(r, body + i, piece, i + piece == n);
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
	static struct answer_rig whole, parts;
	if (whole.log == NULL) {
		answer_rig_init(&whole, 1u << 17);
		answer_rig_init(&parts, 1u << 17);
		whole.ids = parts.ids = true;
	}
	uint32_t seed = (uint32_t)data[1] << 8 | data[2] | 0x10000;
	bool stream = data[3] & 1;
	free(parts.a.scratch);
	parts.a.scratch_cap = data[3] % 16 ? 1u << 17 : data[3] / 16u;
	parts.a.scratch = malloc(parts.a.scratch_cap + (parts.a.scratch_cap == 0));
	const uint8_t *body = data + 4;
	size_t n = size - 4;
	answer_rig_begin(&whole, stream);
	answer_rig_feed(&whole, body, n, true);
	require(whole.slabs_out == 0 && whole.status != JSONRPC_MORE);
	run_pieces(&parts, body, n, seed, 2 + data[0] % 64u, false, stream);
	require(parts.status == whole.status && parts.messages == whole.messages);
	require(parts.log_len == whole.log_len && memcmp(parts.log, whole.log, whole.log_len) == 0);
	require(whole.begun <= whole.ended);
	run_pieces(&parts, body, n, seed, 2 + data[0] % 64u, true, stream);
	require(parts.status == whole.status && parts.messages == whole.messages);
	require(parts.begun == whole.begun && parts.ended == whole.ended);
	require(parts.txs == whole.txs);
	answer_rig_begin(&parts, stream);
	answer_rig_feed(&parts, body, n - n * (data[0] >> 6) / 4, false);
	size_t complete = parts.log_len;
	if (parts.status == JSONRPC_MORE) /* what is malformed ends its blocks in its own way */
		require(complete <= whole.log_len && memcmp(parts.log, whole.log, complete) == 0);
	answer_cut(&parts.j, &parts.a, answer_rig_sink, &parts);
	require(parts.begun <= parts.ended);
	require(parts.slabs_out == 0);
	return 0;
}
