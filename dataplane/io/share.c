/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/share.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
share_open(struct share *s, const char *path, uint32_t index, uint32_t n, const uint32_t seed[4],
	const struct decode_rules *rules, char *err, size_t err_cap)
{
	memset(s, 0, sizeof *s);
	s->index = index;
	s->n = n;
	int rc = source_open(&s->source, path, err, err_cap);
	if (rc != 0 || n <= 1)
		return rc;
	s->spread = malloc(sizeof *s->spread);
	if (s->spread == NULL) {
		snprintf(err, err_cap, "%s: no memory to share it among %u workers", path, n);
		source_close(&s->source);
		return -ENOMEM;
	}
	spread_init(s->spread, seed, rules);
	return 0;
}

static struct source_frame *
free_slot(struct share *s)
{
	unsigned i = 0;
	while (s->used[i]) /* there is one: spread keeps at most SPREAD_PARKED */
		i++;
	s->used[i] = true;
	return &s->slot[i];
}

/* Reads the next frame and makes ready what falls to this share thereby. False at the end. */
static bool
step(struct share *s)
{
	struct spread_out out[SPREAD_OUT_MAX];
	struct source_frame f;
	unsigned n;
	s->n_ready = s->at_ready = 0;
	if (source_next(&s->source, &f)) {
		if (s->n <= 1) {
			s->ready[s->n_ready++] = f;
			return true;
		}
		struct source_frame *slot = free_slot(s);
		*slot = f;
		n = spread_frame(s->spread, f.bytes, f.wire_len, f.link, slot, f.t_ns, out);
	} else if (!s->end && s->n > 1) {
		s->end = true;
		n = spread_flush(s->spread, out);
	} else {
		return false;
	}
	for (unsigned i = 0; i < n; i++) {
		struct source_frame *slot = out[i].item;
		s->used[slot - s->slot] = false;
		if (out[i].hash % s->n == s->index)
			s->ready[s->n_ready++] = *slot;
	}
	return true;
}

int
share_next(
	void *ctx, unsigned n, struct span *frames, uint32_t *wire_len, uint64_t *now_ns, enum net_link *link)
{
	struct share *s = ctx;
	unsigned got = 0, looked = 0;
	bool more = true;
	while (got < n && (s->at_ready < s->n_ready || (more && looked < 16 * n))) {
		if (s->at_ready == s->n_ready) {
			more = step(s);
			looked++;
			continue;
		}
		const struct source_frame *f = &s->ready[s->at_ready];
		if (got > 0 && f->link != *link)
			break;
		*link = f->link;
		frames[got] = f->bytes;
		wire_len[got] = f->wire_len;
		now_ns[got++] = f->t_ns;
		s->at_ready++;
	}
	atomic_store_explicit(&s->passed, s->source.frames, memory_order_relaxed);
	return !more && got == 0 ? -1 : (int)got;
}
