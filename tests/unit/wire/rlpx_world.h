/* SPDX-License-Identifier: BSD-3-Clause */
/* A connection of two software peers, what a framer reads of it, and the assertions that hold at its end. */
#ifndef TESTS_RLPX_WORLD_H
#define TESTS_RLPX_WORLD_H

#include "tests/unit/wire/rlpx_peer.h"
#include "tests/unit/wire/rlpx_rig.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define WINDOW 8192u

static const struct rlpx_endpoint ends[2] = {
	{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1}, 40000},
	{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 2}, 30303},
};

/* What was read: message ids and a digest of payloads, in order, per direction. */
#define LOG 4096
struct log {
	struct {
		uint32_t id, len, sum;
		int eth;
		uint8_t mac;
		bool resync;
	} at[2][LOG];
	uint32_t n[2];
};

struct world {
	struct rig rig;
	struct rlpx r;
	struct log log;
	struct rlpx_key key;
	struct rlpx_keys *keys;
	struct peer peer[2];
};

static uint32_t
sum_of(struct span s)
{
	uint32_t v = 2166136261u;
	for (uint32_t i = 0; i < s.len; i++)
		v = (v ^ s.p[i]) * 16777619u;
	return v;
}

static void
note(void *ctx, struct rlpx *r, unsigned dir, struct span payload)
{
	struct log *l = ctx;
	const struct rlpx_message *m = rlpx_last(r, dir);
	assert_true(l->n[dir] < LOG);
	l->at[dir][l->n[dir]].id = m->id;
	l->at[dir][l->n[dir]].eth = m->eth;
	l->at[dir][l->n[dir]].len = payload.len;
	l->at[dir][l->n[dir]].sum = sum_of(payload);
	l->at[dir][l->n[dir]].mac = m->mac;
	l->at[dir][l->n[dir]++].resync = m->resync;
}

static struct rlpx_keys *
table_of(const struct rlpx_key *list, uint32_t n, uint64_t first)
{
	size_t bytes = (rlpx_keys_bytes(n) + 63) & ~(size_t)63;
	return rlpx_keys_build(aligned_alloc(64, bytes), list, n, first, 0x5eed);
}

static struct rlpx_key
some_key(uint32_t seed)
{
	struct rlpx_key k;
	memset(&k, 0, sizeof k);
	for (unsigned i = 0; i < 32; i++) {
		k.aes[i] = (uint8_t)(seed * (7 + i * i) + i * 13 + (seed >> 8) * (i + 1));
		k.mac[i] = (uint8_t)(seed * 11 + i * 5 + 1);
		k.nonce[0][i] = (uint8_t)(seed * 3 + i);
		k.nonce[1][i] = (uint8_t)(seed * 5 + i * 3);
	}
	k.has_mac = k.has_nonces = true;
	return k;
}

static struct world *
world_with(uint32_t windows, uint32_t window_bytes, bool midstream)
{
	struct world *w = calloc(1, sizeof *w);
	rig_init(&w->rig, windows, window_bytes, note, &w->log);
	w->key = some_key(77);
	w->keys = table_of(&w->key, 1, 1);
	for (unsigned d = 0; d < 2; d++)
		peer_init(&w->peer[d], &w->key, d, 400 + 57 * d);
	rlpx_init(&w->r, &w->rig.arena, midstream, ends, NULL);
	return w;
}

static struct world *
world_new(uint32_t windows, bool midstream)
{
	return world_with(windows, WINDOW, midstream);
}

static void
world_end(struct world *w)
{
	rig_end(&w->rig, &w->r);
	assert_int_equal(w->rig.slabs_out, 0);
	for (unsigned i = 0; i < w->rig.windows.n; i++)
		assert_null(rlpx_windows_owner(&w->rig.windows, i));
	for (unsigned d = 0; d < 2; d++)
		peer_free(&w->peer[d]);
	free(w->keys);
	rig_free(&w->rig);
	free(w);
}

static struct span
text(uint32_t n, uint32_t seed)
{
	static uint8_t buf[200000];
	for (uint32_t i = 0; i < n; i++) {
		seed = seed * 1664525u + 1013904223u;
		buf[i] = (uint8_t)(seed >> 24);
	}
	return (struct span){buf, n};
}

#endif
