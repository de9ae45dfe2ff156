/* SPDX-License-Identifier: BSD-3-Clause */
/* rlpx against a software peer: every cut point, gaps, late keys, mid-stream, wrong keys, MACs, chunks,
 * bombs. */
#include "tests/unit/wire/rlpx_world.h"

#include <stdio.h>

/* Both Hellos, then messages of sizes around every boundary. */
static void
usual_stream(struct world *w)
{
	static const uint32_t sizes[] = {1, 13, 14, 15, 16, 29, 200, 1000, 31, 5000, 0, 47};
	static struct span made[2]; /* once: the peer's MACs are slow */
	for (unsigned d = 0; d < 2; d++) {
		struct peer *p = &w->peer[d];
		if (made[d].len > 0) {
			peer_put(p, made[d].p + p->n, made[d].len - p->n);
			continue;
		}
		peer_hello(p, 5, d ? "bsc/1 eth/67 eth/68 snap/1" : "bsc/1 eth/66 eth/68");
		for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++)
			peer_message(p, 0x10 + i, text(sizes[i], i + 100 * d), true);
		uint8_t *copy = malloc(p->n);
		memcpy(copy, p->out, p->n);
		made[d] = (struct span){copy, p->n};
	}
}

static void
feed_both(struct world *w, uint32_t from[2])
{
	for (unsigned d = 0; d < 2; d++)
		rig_feed(&w->rig, &w->r, d,
			(struct span){
				w->peer[d].out + (from ? from[d] : 0), w->peer[d].n - (from ? from[d] : 0)});
}

static void
check_usual(const struct world *w, uint8_t mac)
{
	static const uint32_t sizes[] = {1, 13, 14, 15, 16, 29, 200, 1000, 31, 5000, 0, 47};
	for (unsigned d = 0; d < 2; d++) {
		assert_int_equal(w->log.n[d], 13);
		assert_int_equal(w->log.at[d][0].id, 0);
		for (unsigned i = 0; i < 12; i++) {
			assert_int_equal(w->log.at[d][i + 1].id, 0x10 + i);
			assert_int_equal(w->log.at[d][i + 1].len, sizes[i]);
			assert_int_equal(w->log.at[d][i + 1].sum, sum_of(text(sizes[i], i + 100 * d)));
			assert_int_equal(w->log.at[d][i + 1].mac, mac);
			assert_false(w->log.at[d][i + 1].resync);
		}
	}
}

static void
whole(void **state)
{
	struct world *w = world_new(4, false);
	usual_stream(w);
	w->rig.arena.keys = w->keys;
	feed_both(w, NULL);
	check_usual(w, RLPX_MAC_GOOD);
	/* bsc/1 has two messages and stands before eth */
	assert_int_equal(rlpx_eth(&w->r)->first, 0x12);
	assert_int_equal(rlpx_eth(&w->r)->version, 68);
	assert_int_equal(w->log.at[1][3].eth, 0);
	assert_int_equal(w->log.at[1][1].eth, -1);
	assert_int_equal(w->log.at[1][12].eth, 9);
	assert_int_equal(w->rig.skipped[0] + w->rig.skipped[1], 0);
	assert_int_equal(w->rig.arena.counts[RLPX_N_MESSAGES], 26);
	assert_int_equal(w->rig.arena.counts[RLPX_N_MAC_GOOD], 26);
	world_end(w);
}

static void
every_cut(void **state)
{
	struct world *w = world_new(4, false);
	usual_stream(w);
	uint32_t n = w->peer[0].n;
	world_end(w);
	for (uint32_t cut = 1; cut < n; cut++) {
		w = world_new(4, false);
		usual_stream(w);
		w->rig.arena.keys = w->keys;
		for (unsigned d = 0; d < 2; d++) {
			rig_feed(&w->rig, &w->r, d, (struct span){w->peer[d].out, cut});
			rig_feed(&w->rig, &w->r, d, (struct span){w->peer[d].out + cut, w->peer[d].n - cut});
		}
		check_usual(w, RLPX_MAC_GOOD);
		world_end(w);
	}
}

static void
byte_by_byte(void **state)
{
	struct world *w = world_new(4, false);
	usual_stream(w);
	w->rig.arena.keys = w->keys;
	for (unsigned d = 0; d < 2; d++) {
		for (uint32_t i = 0; i < w->peer[d].n; i++)
			rig_feed(&w->rig, &w->r, d, (struct span){w->peer[d].out + i, 1});
	}
	check_usual(w, RLPX_MAC_GOOD);
	world_end(w);
}

/* The key comes behind every byte of the stream: the window holds it all. */
static void
late_key(void **state)
{
	for (uint32_t at = 0; at < 3600; at += 41) {
		struct world *w = world_new(4, false);
		usual_stream(w);
		rig_feed(&w->rig, &w->r, 0, (struct span){w->peer[0].out, at ? at : 1});
		rig_feed(&w->rig, &w->r, 1, (struct span){w->peer[1].out, w->peer[1].n});
		assert_int_equal(w->log.n[0] + w->log.n[1], 0);
		w->rig.arena.keys = w->keys;
		rig_poll(&w->rig, &w->r);
		uint32_t from = at ? at : 1;
		rig_feed(&w->rig, &w->r, 0, (struct span){w->peer[0].out + from, w->peer[0].n - from});
		check_usual(w, RLPX_MAC_GOOD);
		assert_int_equal(w->rig.skipped[0] + w->rig.skipped[1], 0);
		world_end(w);
	}
}

/* The window has slid: what it holds is read from the first header in it. */
static void
very_late_key(void **state)
{
	struct world *w = world_new(4, false);
	for (unsigned i = 0; i < 300; i++)
		peer_message(&w->peer[0], 0x12, text(100 + i, i), true);
	rig_feed(&w->rig, &w->r, 0, (struct span){w->peer[0].out, w->peer[0].n});
	w->rig.arena.keys = w->keys;
	rig_poll(&w->rig, &w->r);
	assert_in_range(w->log.n[0], 15, 25); /* about 450 bytes each */
	uint32_t n = w->log.n[0];
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(w->log.at[0][i].sum, sum_of(text(100 + 300 - n + i, 300 - n + i)));
	assert_true(w->log.at[0][0].resync);
	assert_false(w->log.at[0][1].resync);
	assert_int_equal(w->log.at[0][5].mac, RLPX_MAC_UNCHECKED);
	assert_int_equal(w->rig.arena.counts[RLPX_N_RESYNCS], 1);
	uint32_t before = w->peer[0].n;
	peer_message(&w->peer[0], 0x15, text(33, 9), true);
	rig_feed(&w->rig, &w->r, 0, (struct span){w->peer[0].out + before, w->peer[0].n - before});
	assert_int_equal(w->log.n[0], n + 1);
	world_end(w);
}

/* A window that is longer than what one search looks at is read from the first header in it all the same, also if frames are longer than that. */
static void
very_late_key_long_window(void **state)
{
	const uint32_t window = 4 * RLPX_SEARCH_BYTES, sizes[] = {300, 2500, RLPX_SEARCH_BYTES + 4000};
	for (unsigned k = 0; k < 3; k++) {
		struct world *w = world_with(4, window, false);
		uint32_t starts[LOG], n = 0, held = 0;
		while (w->peer[0].n < 5 * window) {
			starts[n] = w->peer[0].n;
			peer_message(&w->peer[0], 0x12, text(sizes[k] + n % 50, n), true);
			n++;
		}
		rig_feed(&w->rig, &w->r, 0, (struct span){w->peer[0].out, w->peer[0].n});
		while (starts[held] + window < w->peer[0].n)
			held++;
		w->rig.arena.keys = w->keys;
		w->rig.arena.eager = true;
		for (unsigned turn = 0; turn < 8; turn++)
			rig_poll(&w->rig, &w->r);
		assert_int_equal(w->log.n[0], n - held);
		for (uint32_t i = held; i < n; i++)
			assert_int_equal(w->log.at[0][i - held].sum, sum_of(text(sizes[k] + i % 50, i)));
		world_end(w);
	}
}

/* The key comes 63 MiB behind the handshake: found on the worker, in slices, within the cost that such a
 * search may have. */
static void
deep_late_key(void **state)
{
	struct world *w = world_new(2, false);
	for (unsigned d = 0; d < 2; d++) {
		peer_free(&w->peer[d]);
		w->key.has_nonces = false;
		peer_init(&w->peer[d], &w->key, d, 400);
	}
	uint8_t *body = calloc(1, 100000);
	body[0] = 0x12; /* what it says does not matter */
	while (w->peer[0].n < 63u << 20)
		peer_body(&w->peer[0], (struct span){body, 1 + (w->peer[0].n >> 4) % 100000});
	free(body);
	peer_message(&w->peer[0], 0x12, text(200, 1), true);
	peer_message(&w->peer[0], 0x12, text(300, 2), true);
	for (uint32_t at = 0; at < w->peer[0].n; at += 60000)
		rig_feed(&w->rig, &w->r, 0,
			(struct span){
				w->peer[0].out + at, w->peer[0].n - at < 60000 ? w->peer[0].n - at : 60000});
	w->rig.arena.keys = w->keys;
	w->rig.arena.search_slice = 1u << 14;
	unsigned turns = 0;
	for (; !rlpx_readable(&w->r, 0) && turns < 200; turns++)
		rig_poll(&w->rig, &w->r);
	assert_in_range(turns, 10, 140);
	assert_int_equal(w->log.n[0], 2);
	assert_int_equal(w->log.at[0][0].sum, sum_of(text(200, 1)));
	assert_true(w->rig.arena.counts[RLPX_N_SEARCHED] <= RLPX_NEAR_BLOCKS);
	world_end(w);
}

static void
many_keys(void **state)
{
	static struct rlpx_key list[3000];
	for (uint32_t i = 0; i < 3000; i++) {
		list[i] = some_key(1000 + i);
		list[i].end[0] = ends[0]; /* as if a proxy had made them all */
		list[i].end[1] = ends[1];
	}
	struct world *w = world_new(4, false);
	list[1500] = w->key;
	struct rlpx_keys *keys = table_of(list, 3000, 1);
	usual_stream(w);
	w->rig.arena.keys = keys;
	feed_both(w, NULL);
	check_usual(w, RLPX_MAC_GOOD);
	world_end(w);
	free(keys);
}

static void
wrong_key(void **state)
{
	struct world *w = world_new(4, false);
	struct rlpx_key other = some_key(5);
	other.end[0] = ends[0];
	other.end[1] = ends[1];
	struct rlpx_keys *keys = table_of(&other, 1, 1);
	usual_stream(w);
	w->rig.arena.keys = keys;
	feed_both(w, NULL);
	assert_int_equal(w->log.n[0] + w->log.n[1], 0);
	assert_int_equal(w->rig.parsed[0] + w->rig.parsed[1], 0);
	assert_int_equal(w->rig.arena.counts[RLPX_N_SESSIONS], 0);
	/* the right one comes */
	free(keys);
	struct rlpx_key both[2] = {other, w->key};
	w->rig.arena.keys = keys = table_of(both, 2, 1);
	rig_poll(&w->rig, &w->r);
	check_usual(w, RLPX_MAC_GOOD);
	world_end(w);
	free(keys);
}

/* One byte of a MAC is wrong: told once, read on. */
static void
bad_mac(void **state)
{
	for (unsigned which = 0; which < 2; which++) {
		struct world *w = world_new(4, false);
		peer_message(&w->peer[0], 0x12, text(20, 1), true);
		uint32_t frame = w->peer[0].n;
		peer_message(&w->peer[0], 0x13, text(40, 2), true);
		uint32_t next = w->peer[0].n;
		peer_message(&w->peer[0], 0x14, text(60, 3), true);
		w->peer[0].out[which ? frame + 20 : next - 1] ^= 1;
		w->rig.arena.keys = w->keys;
		feed_both(w, NULL);
		assert_int_equal(w->log.n[0], 3);
		assert_int_equal(w->log.at[0][0].mac, RLPX_MAC_GOOD);
		assert_int_equal(w->log.at[0][1].mac, RLPX_MAC_BAD);
		assert_int_equal(w->log.at[0][2].mac, RLPX_MAC_UNCHECKED);
		assert_int_equal(w->rig.arena.counts[RLPX_N_MAC_BAD], 1);
		world_end(w);
	}
}

/* A gap of every length at every place: the messages that it does not touch are read. */
static void
every_gap(void **state)
{
	struct world *w = world_new(4, false);
	uint32_t starts[8];
	for (unsigned i = 0; i < 7; i++) {
		starts[i] = w->peer[0].n;
		peer_message(&w->peer[0], 0x12 + i, text(40 + 30 * i, i), true);
	}
	starts[7] = w->peer[0].n;
	uint8_t *stream = malloc(w->peer[0].n);
	memcpy(stream, w->peer[0].out, w->peer[0].n);
	uint32_t n = w->peer[0].n, first = starts[1];
	world_end(w);
	for (uint32_t at = first; at < n; at += 7) {
		for (uint32_t len = 1; len <= n - at; len += 1 + len / 3) {
			w = world_new(4, false);
			w->rig.arena.keys = w->keys;
			w->rig.arena.eager = true;
			rig_feed(&w->rig, &w->r, 0, (struct span){stream, at});
			rig_gap(&w->rig, &w->r, 0, len);
			if (at + len < n)
				rig_feed(&w->rig, &w->r, 0, (struct span){stream + at + len, n - at - len});
			uint32_t got = 0;
			for (uint32_t i = 0; i < 7; i++) {
				uint32_t body = starts[i] + 32, end = starts[i + 1];
				/* header and MACs do not matter if the header was read; the body does */
				bool header_hit = at < starts[i] + 16 && at + len > starts[i];
				bool body_hit = at < end - 16 && at + len > body;
				if (header_hit || (body_hit && !header_hit)) {
					/* padding may be missing */
					if (got < w->log.n[0] && w->log.at[0][got].id == 0x12 + i)
						got++;
					continue;
				}
				assert_true(got < w->log.n[0]);
				assert_int_equal(w->log.at[0][got].id, 0x12 + i);
				assert_int_equal(w->log.at[0][got].sum, sum_of(text(40 + 30 * i, i)));
				got++;
			}
			assert_int_equal(got, w->log.n[0]);
			world_end(w);
		}
	}
	free(stream);
}

/* Joined in mid-stream at every alignment, the key known by endpoints or by trial: found by a search
 * elsewhere. */
static void
midstream(void **state)
{
	struct rlpx_search *s = calloc(1, sizeof *s);
	for (uint32_t at = 3000; at < 3100; at += 3) {
		for (unsigned named = 0; named < 2; named++) {
			struct world *w = world_new(4, true);
			struct rlpx_key list[3] = {some_key(1), w->key, some_key(2)};
			if (named) {
				list[1].end[0] = ends[1]; /* net may have taken either for the initiator */
				list[1].end[1] = ends[0];
			}
			struct rlpx_keys *keys = table_of(list, 3, 1);
			for (unsigned i = 0; i < 40; i++)
				peer_message(&w->peer[1], 0x12 + i, text(100 + i, i), true);
			w->rig.arena.keys = keys;
			rig_feed(&w->rig, &w->r, 1, (struct span){w->peer[1].out + at, 3000});
			assert_int_equal(w->log.n[1], 0);
			assert_true(rlpx_search_begin(&w->r, 1, &w->rig.arena, s));
			assert_false(rlpx_search_begin(&w->r, 1, &w->rig.arena, s));
			for (unsigned k = 0; k < s->n_keys; k++)
				s->end[k] = s->end[k] > 20000 ? 20000 : s->end[k];
			while (rlpx_search_run(s, 500) == RLPX_SEARCH_RUNNING)
				;
			assert_int_equal(s->state, RLPX_SEARCH_FOUND);
			rlpx_search_end(&w->r, &w->rig.arena, s);
			rig_poll(&w->rig, &w->r);
			assert_true(rlpx_readable(&w->r, 1));
			rig_feed(&w->rig, &w->r, 1,
				(struct span){w->peer[1].out + at + 3000, w->peer[1].n - at - 3000});
			assert_in_range(w->log.n[1], 20, 39);
			uint32_t n = w->log.n[1];
			for (uint32_t i = 0; i < n; i++)
				assert_int_equal(
					w->log.at[1][i].sum, sum_of(text(100 + 40 - n + i, 40 - n + i)));
			/* the other direction waits for a search of its own */
			rig_feed(&w->rig, &w->r, 0, (struct span){w->peer[1].out, 64});
			assert_false(rlpx_readable(&w->r, 0));
			world_end(w);
			free(keys);
		}
	}
	free(s);
}

/* A long search's result that comes when its place has gone by is still a place to reckon from. */
static void
search_outrun(void **state)
{
	struct rlpx_search *s = calloc(1, sizeof *s);
	struct world *w = world_new(4, true);
	for (unsigned i = 0; i < 200; i++)
		peer_message(&w->peer[0], 0x12, text(100 + i, i), true);
	w->rig.arena.keys = w->keys;
	rig_feed(&w->rig, &w->r, 0, (struct span){w->peer[0].out + 3001, 3000});
	assert_true(rlpx_search_begin(&w->r, 0, &w->rig.arena, s));
	for (uint32_t at = 6001; at + 700 < w->peer[0].n - 2000; at += 700)
		rig_feed(&w->rig, &w->r, 0, (struct span){w->peer[0].out + at, 700});
	assert_int_equal(w->log.n[0], 0);
	assert_int_equal(rlpx_search_run(s, 1u << 20), RLPX_SEARCH_FOUND);
	rlpx_search_end(&w->r, &w->rig.arena, s);
	rig_poll(&w->rig, &w->r); /* finds it near */
	assert_true(rlpx_readable(&w->r, 0));
	assert_in_range(w->log.n[0], 10, 60);
	world_end(w);
	free(s);
}

static void
chunks(void **state)
{
	struct world *w = world_new(4, false);
	peer_hello(&w->peer[0], 5, "eth/68");
	peer_chunks(&w->peer[0], 0x12, text(5000, 1), 1, 1024);
	peer_message(&w->peer[0], 0x13, text(10, 2), true);
	peer_chunks(&w->peer[0], 0x14, text(3000, 3), 200, 100);
	w->rig.arena.keys = w->keys;
	for (uint32_t at = 0; at < w->peer[0].n; at += 300)
		rig_feed(&w->rig, &w->r, 0,
			(struct span){
				w->peer[0].out + at, w->peer[0].n - at < 300 ? w->peer[0].n - at : 300});
	assert_int_equal(w->log.n[0], 4);
	assert_int_equal(w->log.at[0][1].sum, sum_of(text(5000, 1)));
	assert_int_equal(w->log.at[0][2].sum, sum_of(text(10, 2)));
	assert_int_equal(w->log.at[0][3].sum, sum_of(text(3000, 3)));
	assert_int_equal(w->log.at[0][3].mac, RLPX_MAC_GOOD);
	world_end(w);
}

/* A small message in between, and chunks whose beginning is lost. */
static void
chunks_odd(void **state)
{
	struct world *w = world_new(4, false);
	peer_hello(&w->peer[0], 5, "eth/68");
	uint32_t from = w->peer[0].n;
	peer_chunks(&w->peer[0], 0x12, text(500, 1), 1, 200);
	w->rig.arena.keys = w->keys;
	rig_feed(&w->rig, &w->r, 0, (struct span){w->peer[0].out, from + 16 + 16});
	rig_gap(&w->rig, &w->r, 0, 100);
	rig_feed(&w->rig, &w->r, 0, (struct span){w->peer[0].out + from + 132, w->peer[0].n - from - 132});
	assert_int_equal(w->log.n[0], 1);
	uint32_t at = w->peer[0].n;
	peer_message(&w->peer[0], 0x13, text(10, 2), true);
	/* more than it said it would be */
	static const uint8_t first[] = {0xc3, 0x80, 0x05, 0x40}, more[] = {0xc2, 0x80, 0x05};
	peer_frame(&w->peer[0], (struct span){first, 4}, text(48, 1));
	peer_frame(&w->peer[0], (struct span){more, 3}, text(48, 1));
	peer_message(&w->peer[0], 0x14, text(10, 3), true);
	rig_feed(&w->rig, &w->r, 0, (struct span){w->peer[0].out + at, w->peer[0].n - at});
	assert_int_equal(w->log.n[0], 3);
	assert_int_equal(w->rig.arena.counts[RLPX_N_BAD_MESSAGE], 1);
	assert_int_equal(w->rig.slabs_out, 0);
	world_end(w);
}

/* A bomb costs its message and no more. */
static void
bombs(void **state)
{
	struct world *w = world_new(4, false);
	static uint8_t zero[3u << 20];
	peer_message(&w->peer[0], 0x12, (struct span){zero, sizeof zero}, true); /* 140 kB on the wire */
	peer_message(&w->peer[0], 0x13, text(10, 2), true);
	static const uint8_t lie[] = {0x12, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x00},
			     bad[] = {0x12, 0x05, 0xfe, 0xff, 0xff}, empty[] = {0x12}, no_id[] = {0xc0, 0x00};
	peer_body(&w->peer[0], (struct span){lie, sizeof lie});
	peer_body(&w->peer[0], (struct span){bad, sizeof bad});
	peer_body(&w->peer[0], (struct span){empty, sizeof empty});
	peer_body(&w->peer[0], (struct span){no_id, sizeof no_id});
	peer_message(&w->peer[0], 0x14, text(10, 3), true);
	w->rig.arena.keys = w->keys;
	w->rig.arena.out_cap = 1u << 17;
	feed_both(w, NULL);
	assert_int_equal(w->log.n[0], 2);
	assert_int_equal(w->rig.arena.counts[RLPX_N_OVERSIZE], 2);
	assert_int_equal(w->rig.arena.counts[RLPX_N_BAD_MESSAGE], 3);
	assert_int_equal(w->rig.lost[0][FRAMER_LOST_BAD], 3);
	assert_int_equal(w->rig.skipped[0], 0);
	world_end(w);
}

/* No slab, or one taken back at any place: that message, and it is counted. */
static void
no_buffers(void **state)
{
	struct world *w = world_new(4, false);
	peer_message(&w->peer[0], 0x12, text(5000, 1), true);
	peer_message(&w->peer[0], 0x13, text(10, 2), true);
	uint32_t n = w->peer[0].n;
	w->rig.arena.keys = w->keys;
	w->rig.slab_max = 4000;
	for (uint32_t at = 0; at < n; at += 1000)
		rig_feed(
			&w->rig, &w->r, 0, (struct span){w->peer[0].out + at, n - at < 1000 ? n - at : 1000});
	assert_int_equal(w->log.n[0], 1);
	assert_int_equal(w->rig.arena.counts[RLPX_N_NO_BUFFER], 1);
	world_end(w);
	for (uint32_t steal = 460; steal < n - 80; steal += 97) {
		w = world_new(4, false);
		peer_message(&w->peer[0], 0x12, text(5000, 1), true);
		peer_message(&w->peer[0], 0x13, text(10, 2), true);
		w->rig.arena.keys = w->keys;
		rig_feed(&w->rig, &w->r, 0, (struct span){w->peer[0].out, steal});
		rig_steal_slabs(&w->rig);
		rig_feed(&w->rig, &w->r, 0, (struct span){w->peer[0].out + steal, n - steal});
		assert_int_equal(w->log.n[0], 1);
		assert_int_equal(w->rig.arena.counts[RLPX_N_NO_BUFFER], 1);
		world_end(w);
	}
}

/* The window is taken by another connection at every stage. */
static void
windows_stolen(void **state)
{
	for (uint32_t at = 1; at < 4000; at += 37) {
		struct world *w = world_new(2, false);
		struct rlpx other;
		for (unsigned i = 0; i < 13; i++)
			peer_message(&w->peer[0], 0x12, text(i * 40, i), true);
		rig_feed(&w->rig, &w->r, 0, (struct span){w->peer[0].out, at});
		rlpx_init(&other, &w->rig.arena, false, ends, NULL);
		assert_int_equal(w->rig.windows.stolen, 2);
		w->rig.arena.keys = w->keys;
		rig_feed(&w->rig, &w->r, 0, (struct span){w->peer[0].out + at, w->peer[0].n - at});
		uint32_t n = w->peer[0].n;
		peer_message(&w->peer[0], 0x12, text(10, 3), true);
		rig_feed(&w->rig, &w->r, 0, (struct span){w->peer[0].out + n, w->peer[0].n - n});
		w->rig.arena.eager = true;
		rig_poll(&w->rig, &w->r);
		/* whatever was lost, it is in step at the end */
		assert_true(rlpx_readable(&w->r, 0));
		assert_int_equal(w->log.at[0][w->log.n[0] - 1].sum, sum_of(text(10, 3)));
		struct framer_out o;
		for (unsigned d = 0; d < 2; d++)
			rlpx_end(&other, d, &w->rig.arena, &o);
		world_end(w);
	}
}

static void
looks_like(void **state)
{
	static const struct {
		uint8_t b[3];
		uint32_t n;
		int want;
	} c[] = {{{0x01, 0xb3, 0x04}, 3, 1}, {{0x01, 0xb3, 0x02}, 3, 0}, {{0x01, 0xb3}, 2, -1},
		{{0x01}, 1, -1}, {{0x16}, 1, 0}, {{0x16, 0x03, 0x01}, 3, 0}, {{'G', 'E', 'T'}, 3, 0},
		{{0x00, 0x10, 0x04}, 3, 0}, {{0x08, 0x01, 0x04}, 3, 0}, {{0}, 0, -1}};
	for (unsigned i = 0; i < sizeof c / sizeof *c; i++)
		assert_int_equal(rlpx_looks_like((struct span){c[i].b, c[i].n}), c[i].want);
}

static void
not_rlpx(void **state)
{
	struct world *w = world_new(4, false);
	w->rig.arena.keys = w->keys;
	rig_feed(&w->rig, &w->r, 0, (struct span){(const uint8_t *)"\x16\x03\x01 hello", 9});
	rig_feed(&w->rig, &w->r, 1, (struct span){(const uint8_t *)"\x01\xb3\x05 hello", 9});
	assert_int_equal(w->rig.skipped_for[FRAMER_SKIP_OPAQUE], 18);
	assert_int_equal(rlpx_held(&w->r, 0) + rlpx_held(&w->r, 1), 0);
	world_end(w);
}

/* Without snappy before p2p version 5. */
static void
no_snappy(void **state)
{
	struct world *w = world_new(4, false);
	w->rig.arena.keys = w->keys;
	peer_hello(&w->peer[0], 5, "eth/66");
	peer_hello(&w->peer[1], 4, "eth/66");
	peer_message(&w->peer[1], 0x12, text(100, 3), false);
	feed_both(w, NULL);
	assert_int_equal(w->log.n[1], 2);
	assert_int_equal(w->log.at[1][1].sum, sum_of(text(100, 3)));
	world_end(w);
}

/* geth looks at a header's size and at nothing else: who writes something else into it must not go unread. */
static void
odd_headers(void **state)
{
	static const uint8_t odd[3][13] = {{1, 2, 3}, {0xc2, 0x80, 0x80, 1}, {0xff, 0xff, 0xff, 0xff, 0xff}};
	static const uint8_t chunk[] = {0xc5, 0x80, 0x05, 0x82, 0xff, 0xff}, more[] = {0xc2, 0x80, 0x05},
			     other[] = {0xc2, 0x80, 0x09};
	struct world *w = world_new(4, false);
	peer_hello(&w->peer[0], 5, "eth/68");
	for (unsigned i = 0; i < 3; i++) {
		struct span body = peer_pack(0x12, text(50, i), true);
		peer_frame(&w->peer[0], (struct span){odd[i], 13}, body);
		free((void *)(uintptr_t)body.p);
	}
	const struct span data[3] = {{chunk, sizeof chunk}, {more, sizeof more}, {other, sizeof other}};
	for (unsigned i = 0; i < 3; i++) { /* whole messages that call themselves chunks */
		struct span body = peer_pack(0x12, text(60, i), true);
		peer_frame(&w->peer[0], data[i], body);
		free((void *)(uintptr_t)body.p);
	}
	peer_message(&w->peer[0], 0x12, text(9, 9), true);
	w->rig.arena.keys = w->keys;
	feed_both(w, NULL);
	assert_int_equal(w->log.n[0], 8);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(w->log.at[0][1 + i].sum, sum_of(text(i < 3 ? 50 : 60, i % 3)));
	assert_int_equal(w->log.at[0][7].mac, RLPX_MAC_GOOD);
	assert_int_equal(w->rig.arena.counts[RLPX_N_ODD_HEADER], 3);
	assert_int_equal(w->rig.slabs_out, 0);
	world_end(w);
}

/* His first header is odd too: ours names the session. */
static void
odd_first_header(void **state)
{
	static const uint8_t odd[13] = {7};
	struct world *w = world_new(4, false);
	struct span body = peer_pack(0x12, text(50, 1), true);
	peer_frame(&w->peer[0], (struct span){odd, 13}, body);
	free((void *)(uintptr_t)body.p);
	peer_message(&w->peer[1], 0x12, text(9, 9), true);
	w->rig.arena.keys = w->keys;
	feed_both(w, NULL);
	assert_int_equal(w->log.n[0], 1);
	assert_int_equal(w->log.n[1], 1);
	world_end(w);
}

/* Bytes that are not the sender's where a header should be: the next one is found, at once or behind what the
 * wrong one says. */
static void
forged_header(void **state)
{
	for (unsigned flip = 1; flip < 256; flip += 3) {
		struct world *w = world_new(4, false);
		for (unsigned i = 0; i < 40; i++)
			peer_message(&w->peer[0], 0x12, text(300, i), true);
		uint32_t frame = (w->peer[0].n - 402) / 40, at = 402 + 3 * frame;
		w->peer[0].out[at] ^= (uint8_t)(flip & 0xf0); /* size: to 1 MiB and beyond */
		w->peer[0].out[at + 1] ^= (uint8_t)(flip << 2);
		w->peer[0].out[at + 5] ^= 0x55;
		w->rig.arena.keys = w->keys;
		w->rig.arena.eager = true;
		for (uint32_t k = 0; k < w->peer[0].n; k += 500)
			rig_feed(&w->rig, &w->r, 0,
				(struct span){
					w->peer[0].out + k, w->peer[0].n - k < 500 ? w->peer[0].n - k : 500});
		assert_true(w->log.n[0] >= 3);
		if (flip & 0xf0)
			assert_int_equal(w->log.n[0], 39); /* too large to be followed */
		world_end(w);
	}
}

/* One direction only, and a Hello before whose eth nothing can lie. */
static void
one_direction(void **state)
{
	static const struct {
		const char *caps;
		unsigned first;
	} c[] = {{"eth/66 eth/68 snap/1", 0x10}, {"bsc/1 eth/68", 0}, {"snap/1", 0}};
	for (unsigned i = 0; i < 3; i++) {
		struct world *w = world_new(4, false);
		peer_hello(&w->peer[0], 5, c[i].caps);
		w->rig.arena.keys = w->keys;
		rig_feed(&w->rig, &w->r, 0, (struct span){w->peer[0].out, w->peer[0].n});
		assert_int_equal(rlpx_eth(&w->r)->first, c[i].first);
		rlpx_learn_eth(&w->r, 0x12);
		assert_int_equal(rlpx_eth(&w->r)->first, c[i].first ? c[i].first : 0x12);
		rlpx_learn_eth(&w->r, 0x14);
		assert_int_equal(rlpx_eth(&w->r)->first, c[i].first ? c[i].first : 0x12);
		world_end(w);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole),
		cmocka_unit_test(every_cut),
		cmocka_unit_test(byte_by_byte),
		cmocka_unit_test(late_key),
		cmocka_unit_test(very_late_key),
		cmocka_unit_test(very_late_key_long_window),
		cmocka_unit_test(deep_late_key),
		cmocka_unit_test(many_keys),
		cmocka_unit_test(wrong_key),
		cmocka_unit_test(bad_mac),
		cmocka_unit_test(every_gap),
		cmocka_unit_test(midstream),
		cmocka_unit_test(search_outrun),
		cmocka_unit_test(chunks),
		cmocka_unit_test(chunks_odd),
		cmocka_unit_test(bombs),
		cmocka_unit_test(no_buffers),
		cmocka_unit_test(windows_stolen),
		cmocka_unit_test(looks_like),
		cmocka_unit_test(not_rlpx),
		cmocka_unit_test(no_snappy),
		cmocka_unit_test(odd_headers),
		cmocka_unit_test(odd_first_header),
		cmocka_unit_test(forged_header),
		cmocka_unit_test(one_direction),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
