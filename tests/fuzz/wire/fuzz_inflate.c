/* SPDX-License-Identifier: BSD-3-Clause */
/* A sequence of messages, whole, cut short or lost, decompressed twice, in pieces of different sizes into
 * rooms of different sizes, from a pool whose contexts others take away in the same places: both must say the
 * same. A single whole message must come out as zlib gives it in one go. A higher limit must not change
 * what comes of the messages below the lower one.
 *
 * Input: mode, pieces, limit / 64; then messages: one byte (what happens before it), two of length, its
 * bytes. */
#include "tests/unit/wire/inflate_run.h"

#include <stdbool.h>
#define ZLIB_CONST
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CAP (1u << 15)
#define MESSAGES_MAX 64u

struct result {
	uint8_t *bytes;
	size_t len;
	uint8_t status[MESSAGES_MAX];
	size_t at[MESSAGES_MAX];
	unsigned n;
};

static void
play(struct result *r, struct span in, uint8_t mode, uint32_t limit, size_t step, uint32_t room)
{
	static struct inf_pool p; /* made once: contexts come back clean */
	static uint8_t out[CAP];
	struct inflate i, thief[2];
	if (p.mem == NULL)
		inf_pool_new(&p, 2);
	for (unsigned k = 0; k < 2; k++)
		inflate_init(&thief[k], INFLATE_GZIP, false, false);
	inflate_init(&i, (enum inflate_kind)(mode % 3), mode & 4, mode & 8);
	r->len = r->n = 0;
	while (in.len >= 3 && r->n < MESSAGES_MAX) {
		uint8_t before = in.p[0];
		uint32_t n = (uint32_t)in.p[1] | (uint32_t)in.p[2] << 8;
		in.p += 3;
		in.len -= 3;
		n = n < in.len ? n : in.len;
		if (before & 1)
			inflate_cut(&i, &p.pool);
		for (unsigned k = 0; k < 2 && before & 2; k++)
			inflate_message(&thief[k], &p.pool, 10);
		size_t len;
		enum inflate_status s =
			inf_message(&i, &p, in.p, n, limit, step, room, out, sizeof out, &len);
		assert(len <= limit && s >= INFLATE_END);
		assert(s != INFLATE_OPAQUE || (i.hole && mode % 3 == INFLATE_MESSAGES));
		r->bytes = realloc(r->bytes, r->len + len + 1);
		assert(r->bytes != NULL);
		memcpy(r->bytes + r->len, out, len);
		r->len += len;
		r->at[r->n] = r->len;
		r->status[r->n++] = (uint8_t)s;
		in.p += n;
		in.len -= n;
	}
	inflate_release(&i, &p.pool);
	for (unsigned k = 0; k < 2; k++)
		inflate_release(&thief[k], &p.pool);
	assert(inf_pool_used(&p) == 0);
}

/* The first message as zlib reads it in one go. */
static void
against_zlib(const struct result *r, struct span in, uint8_t mode, uint32_t limit)
{
	uint32_t n = (uint32_t)in.p[1] | (uint32_t)in.p[2] << 8;
	n = n < in.len - 3 ? n : in.len - 3;
	if (mode % 3 != INFLATE_MESSAGES || limit < CAP / 2) /* the last limit */
		return;
	static uint8_t out[CAP];
	uint8_t *all = malloc(n + 4);
	assert(all != NULL);
	memcpy(all, in.p + 3, n);
	memcpy(all + n, "\0\0\xff\xff", 4);
	z_stream z = {.next_in = all, .avail_in = n + 4, .next_out = out, .avail_out = CAP};
	assert(inflateInit2(&z, -15) == Z_OK);
	int rc = inflate(&z, Z_SYNC_FLUSH);
	size_t len = CAP - z.avail_out;
	bool good = rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR;
	if (len <= limit) {
		assert(r->at[0] == len && memcmp(r->bytes, out, len) == 0);
		assert((r->status[0] == INFLATE_END) == good);
	} else {
		assert(r->status[0] == INFLATE_LIMIT && r->at[0] == limit &&
			memcmp(r->bytes, out, limit) == 0);
	}
	inflateEnd(&z);
	free(all);
}

/* A lower limit costs the messages that are longer, and no other: r has it, w a higher one. */
static void
limit_costs_nothing_else(const struct result *r, const struct result *w)
{
	assert(r->n == w->n);
	for (unsigned k = 0; k < r->n; k++) {
		size_t from = k ? r->at[k - 1] : 0, other = k ? w->at[k - 1] : 0, n = r->at[k] - from;
		if (r->status[k] == INFLATE_LIMIT) {
			assert(w->at[k] - other >= n);
		} else {
			assert(r->status[k] == w->status[k] && w->at[k] - other == n);
		}
		assert(n == 0 || memcmp(r->bytes + from, w->bytes + other, n) == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 6)
		return 0;
	struct result a = {0}, b = {0}, wide = {0};
	struct span in = {data + 3, (uint32_t)(size - 3)};
	uint32_t limit = data[2] == 0xff ? CAP / 2 : data[2] * 64u;
	play(&a, in, data[0], limit, SIZE_MAX / 2, 4096);
	play(&b, in, data[0], limit, 1 + data[1] % 16, 1 + data[1] / 16u * 5);
	assert(a.n == b.n && a.len == b.len);
	assert(memcmp(a.status, b.status, a.n) == 0 && memcmp(a.at, b.at, a.n * sizeof a.at[0]) == 0);
	assert(a.len == 0 || memcmp(a.bytes, b.bytes, a.len) == 0);
	against_zlib(&a, in, data[0], limit);
	play(&wide, in, data[0], CAP - 1, SIZE_MAX / 2, 4096);
	limit_costs_nothing_else(&a, &wide);
	free(a.bytes);
	free(b.bytes);
	free(wide.bytes);
	return 0;
}
