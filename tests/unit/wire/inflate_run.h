/* SPDX-License-Identifier: BSD-3-Clause */
/* Drives an inflate as a consumer does, on memory of exact size, and checks its contract at every call. */
#ifndef INFLATE_RUN_H
#define INFLATE_RUN_H

#include "wire/inflate.h"

#undef NDEBUG
#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct inf_pool {
	struct inflate_pool pool;
	void *mem;
};

static inline void
inf_pool_new(struct inf_pool *p, uint32_t n)
{
	p->mem = aligned_alloc(64, inflate_pool_bytes(n));
	assert(p->mem != NULL && inflate_pool_init(&p->pool, p->mem, n) == 0);
}

static inline void
inf_pool_free(struct inf_pool *p)
{
	free(p->mem);
}

static inline uint32_t
inf_pool_used(const struct inf_pool *p)
{
	uint32_t n = p->pool.n;
	for (const struct inflate_ctx *const *c = (const struct inflate_ctx *const *)&p->pool.free.first;
		*c != NULL; c = (const struct inflate_ctx *const *)((const char *)*c + sizeof(void *)))
		n--; /* prev, next come first */
	return n;
}

/* One piece. Appends to out, which has room for cap bytes; *len is how many there are. */
static inline enum inflate_status
inf_piece(struct inflate *i, struct inf_pool *p, const void *in, size_t n, bool last, uint32_t room_len,
	uint8_t *out, size_t cap, size_t *len)
{
	uint8_t *copy = malloc(n ? n : 1), *room = malloc(room_len);
	assert(copy != NULL && room != NULL);
	if (n > 0)
		memcpy(copy, in, n);
	struct span rest = {n > 0 ? copy : NULL, (uint32_t)n}, got;
	enum inflate_status s, before = i->status;
	do {
		uint32_t had = rest.len;
		s = inflate_feed(i, &p->pool, &rest, last, room, room_len, &got);
		assert(rest.len <= had && (n == 0 || (rest.p >= copy && rest.p + rest.len <= copy + n)));
		assert(got.len <= room_len && (got.len == 0 || got.p == room));
		assert(s != INFLATE_ROOM || got.len == room_len || i->draining);
		assert(s == INFLATE_ROOM || s > INFLATE_END || rest.len == 0);
		assert(!(last && s == INFLATE_MORE));
		assert(before < INFLATE_END || (s == before && got.len == 0));
		assert(*len + got.len <= cap);
		if (got.len > 0)
			memcpy(out + *len, got.p, got.len);
		*len += got.len;
	} while (s == INFLATE_ROOM);
	free(copy);
	free(room);
	return s;
}

/* A whole message in pieces of `step` bytes, cut `off` bytes earlier. */
static inline enum inflate_status
inf_message(struct inflate *i, struct inf_pool *p, const void *in, size_t n, uint32_t limit, size_t step,
	uint32_t room_len, uint8_t *out, size_t cap, size_t *len)
{
	enum inflate_status s = INFLATE_MORE;
	*len = 0;
	inflate_message(i, &p->pool, limit);
	size_t at = 0;
	do {
		size_t k = n - at < step ? n - at : step;
		s = inf_piece(i, p, (const uint8_t *)in + at, k, at + k == n, room_len, out, cap, len);
		at += k;
	} while (at < n);
	return s;
}

#endif
