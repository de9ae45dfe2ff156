/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/share.h"

#include "net/stream.h"

#include <string.h>

int
share_open(struct share *s, const char *path, uint32_t index, uint32_t n, const uint32_t seed[4], char *err, size_t err_cap)
{
	memset(s, 0, sizeof *s);
	s->index = index;
	s->n = n;
	memcpy(s->seed, seed, sizeof s->seed);
	return source_open(&s->source, path, err, err_cap);
}

int
share_next(void *ctx, unsigned n, struct span *frames, uint32_t *wire_len, uint64_t *now_ns)
{
	struct share *s = ctx;
	struct source_frame f;
	unsigned got = 0, looked = 0;
	bool end = false;
	while (got < n && looked < 16 * n) {
		end = !source_next(&s->source, &f);
		if (end)
			break;
		looked++;
		if (s->n > 1 && stream_spread(f.bytes, s->seed) % s->n != s->index)
			continue;
		frames[got] = f.bytes;
		wire_len[got] = f.wire_len;
		now_ns[got++] = f.t_ns;
	}
	atomic_store_explicit(&s->passed, s->source.frames, memory_order_relaxed);
	return end && got == 0 ? -1 : (int)got;
}
