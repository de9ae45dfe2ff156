/* SPDX-License-Identifier: BSD-3-Clause */
/* The same bytes, sent otherwise: a capture's TCP segments are cut anew, made to overlap, duplicated, put out of order and moved to other
 * sequence numbers (wrapping around included), over and over; the worker must find the same transactions each time, and its accounts must add
 * up.
 *
 * With --damage some of it is missing besides: frames lost at random (1 to 20 %), the beginning, one direction. Then nothing may be found that is
 * not in the whole, and the accounts still add up. --distinct: how often a transaction is judged does not matter: a node's word of it may
 * come before or after its submission. --rlpx-keys: a key log.
 *
 * usage: remix [--damage] [--distinct] [--rlpx-keys FILE] CAPTURE BUNDLE [ROUNDS [SEED]]    prints one line; exit 1 if a round differs, with its seed */
#include "abi/counters.h"
#include "abi/identity.h"
#include "eth/tx.h"
#include "io/box.h"
#include "io/keylog.h"
#include "io/source.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES_MAX 65536u
#define STREAMS_MAX 512u
#define STREAM_BYTES_MAX (16u << 20)
#define HASHES_MAX 8192u
#define REORDER_PLACES 12u
#define HEADERS_MAX 128u
/* Nothing that is put out of order is late by the seconds in which a recording's clients slept. */
#define PAUSE_MAX_NS 10000000u
#define FLAG_FIN 0x01u
#define FLAG_SYN 0x02u
#define FLAG_RST 0x04u

static void
check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "remix: %s\n", what);
	exit(1);
}

static uint32_t
be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void
put32(uint8_t *p, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* ---- the capture ---- */

struct stream { /* one direction of a connection */
	uint8_t key[36];
	uint32_t isn;
	uint8_t *bytes; /* from isn + 1 */
	uint32_t n;
	uint32_t peer; /* index of the other direction, or UINT32_MAX */
};

struct frame {
	struct span whole;
	uint64_t t_ns;
	uint32_t stream;
	uint32_t ip_at, tcp_at, payload_at, payload;
	uint32_t seq, ack;
	uint8_t flags;
};

static struct frame frames[FRAMES_MAX];
static uint32_t n_frames;
static struct stream streams[STREAMS_MAX];
static uint32_t n_streams;

static uint32_t
stream_of(const uint8_t key[36], uint32_t seq)
{
	for (uint32_t i = 0; i < n_streams; i++)
		if (memcmp(streams[i].key, key, 36) == 0)
			return i;
	check(n_streams < STREAMS_MAX, "too many connections in the capture");
	struct stream *s = &streams[n_streams];
	memcpy(s->key, key, 36);
	s->isn = seq;
	s->bytes = calloc(1, STREAM_BYTES_MAX);
	s->peer = UINT32_MAX;
	check(s->bytes != NULL, "no memory");
	return n_streams++;
}

/* Addresses and ports in one direction's order. False: not TCP, the frame is passed on as it is. */
static bool
read_frame(struct frame *f, uint8_t key[36])
{
	const uint8_t *p = f->whole.p;
	uint32_t at = 14, type = (uint32_t)p[12] << 8 | p[13];
	while (type == 0x8100 || type == 0x88a8) {
		type = (uint32_t)p[at + 2] << 8 | p[at + 3];
		at += 4;
	}
	f->ip_at = at;
	memset(key, 0, 36);
	if (type == 0x0800 && p[at + 9] == 6) {
		memcpy(key, p + at + 12, 4);
		memcpy(key + 16, p + at + 16, 4);
		f->tcp_at = at + (p[at] & 15u) * 4;
		f->payload = ((uint32_t)p[at + 2] << 8 | p[at + 3]) - (f->tcp_at - at);
	} else if (type == 0x86dd && p[at + 6] == 6) {
		memcpy(key, p + at + 8, 32);
		f->tcp_at = at + 40;
		f->payload = (uint32_t)p[at + 4] << 8 | p[at + 5];
	} else {
		return false;
	}
	const uint8_t *t = p + f->tcp_at;
	memcpy(key + 32, t, 4);
	f->seq = be32(t + 4);
	f->ack = be32(t + 8);
	f->flags = t[13];
	f->payload_at = f->tcp_at + (t[12] >> 4) * 4u;
	f->payload -= f->payload_at - f->tcp_at;
	return true;
}

static void
mirror_key(const uint8_t in[36], uint8_t out[36])
{
	memcpy(out, in + 16, 16);
	memcpy(out + 16, in, 16);
	memcpy(out + 32, in + 34, 2);
	memcpy(out + 34, in + 32, 2);
}

static void
load_capture(const char *path)
{
	static struct source s;
	char err[256];
	struct source_frame sf;
	uint8_t key[36], other[36];
	uint64_t slept = 0, before = 0;
	check(source_open(&s, path, err, sizeof err) == 0, err);
	while (source_next(&s, &sf)) {
		struct frame *f = &frames[n_frames];
		check(n_frames < FRAMES_MAX, "too many frames in the capture");
		if (before != 0 && sf.t_ns > before + PAUSE_MAX_NS)
			slept += sf.t_ns - before - PAUSE_MAX_NS;
		before = sf.t_ns;
		*f = (struct frame){.whole = sf.bytes, .t_ns = sf.t_ns - slept};
		if (!read_frame(f, key))
			continue;
		/* before a SYN the first byte's number stands for it, less one as a SYN would take it */
		f->stream = stream_of(key, f->flags & FLAG_SYN ? f->seq : f->seq - 1);
		struct stream *st = &streams[f->stream];
		mirror_key(key, other);
		for (uint32_t i = 0; i < n_streams; i++)
			if (memcmp(streams[i].key, other, 36) == 0)
				st->peer = i, streams[i].peer = f->stream;
		uint32_t at = f->seq - st->isn - 1;
		if (f->payload > 0 && at < STREAM_BYTES_MAX && f->payload <= STREAM_BYTES_MAX - at) {
			memcpy(st->bytes + at, f->whole.p + f->payload_at, f->payload);
			st->n = st->n > at + f->payload ? st->n : at + f->payload;
		}
		n_frames++;
	}
	check(n_frames > 0 && !s.broken, "nothing in the capture");
}

/* ---- one round ---- */

static uint64_t rng;

static uint32_t
below(uint32_t n)
{
	rng = rng * 6364136223846793005ull + 1442695040888963407ull;
	return n ? (uint32_t)((rng >> 33) % n) : 0;
}

struct piece {
	const struct frame *of;
	uint32_t at, n; /* stream offset and bytes of payload */
	uint64_t place;
	bool first, last; /* of its frame */
};

static struct piece *pieces;
static uint32_t n_pieces;
static bool damage, distinct;

static void
add_piece(const struct frame *f, uint32_t at, uint32_t n, uint64_t place, bool first, bool last)
{
	check(n_pieces < FRAMES_MAX * 8, "too many pieces");
	if (below(5) == 0)
		place += 16 * below(REORDER_PLACES + 1) + below(16);
	pieces[n_pieces++] = (struct piece){f, at, n, place, first, last};
}

static void
cut(const struct frame *f, uint64_t place)
{
	const struct stream *s = &streams[f->stream];
	uint32_t at = f->seq - s->isn - 1 + !!(f->flags & FLAG_SYN), n = f->payload;
	uint32_t parts = n > 1 ? 1 + (below(2) ? below(4) : 0) : 1;
	if (f->flags & (FLAG_SYN | FLAG_RST)) { /* their place is what they say; a reset comes behind all that it might cut off */
		pieces[n_pieces++] = (struct piece){f, at, n, place + (f->flags & FLAG_RST ? 16 * (REORDER_PLACES + 2) : 0), true, true};
		return;
	}
	uint32_t from = at, end = at + n;
	for (uint32_t i = 0; i < parts; i++) {
		uint32_t to = i + 1 == parts ? end : from + below(end - from + 1), lo = from, hi = to;
		if (n > 0 && below(4) == 0)
			lo -= below(lo < 200 ? lo + 1 : 200);
		if (n > 0 && below(4) == 0)
			hi += below(s->n - hi < 200 ? s->n - hi + 1 : 200);
		if (hi - lo > 1400 && n <= 1460)
			hi = lo + (hi - lo < n ? hi - lo : n > 1400 ? n : 1400);
		if (hi < to)
			hi = to;
		add_piece(f, lo, hi - lo, place + i, i == 0, i + 1 == parts);
		if (below(12) == 0)
			add_piece(f, lo, hi - lo, place + 16 + i, false, false);
		from = to;
	}
}

static int
by_place(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;
	return x->place != y->place ? (x->place < y->place ? -1 : 1) : x < y ? -1 : x > y;
}

static uint8_t out_mem[WORKER_BURST][66000];

static struct span
build(const struct piece *p, const uint32_t *shift, unsigned slot)
{
	const struct frame *f = p->of;
	const struct stream *s = &streams[f->stream];
	uint8_t *o = out_mem[slot], *ip = o + f->ip_at, *tcp = o + f->tcp_at;
	check(f->payload_at <= HEADERS_MAX && p->n <= 65000, "headers longer than expected");
	memcpy(o, f->whole.p, f->payload_at);
	memcpy(o + f->payload_at, s->bytes + p->at, p->n);
	uint32_t ip_bytes = f->payload_at - f->ip_at + p->n;
	if ((ip[0] >> 4) == 4)
		ip[2] = (uint8_t)(ip_bytes >> 8), ip[3] = (uint8_t)ip_bytes;
	else
		ip[4] = (uint8_t)((ip_bytes - 40) >> 8), ip[5] = (uint8_t)(ip_bytes - 40);
	bool syn = f->flags & FLAG_SYN;
	put32(tcp + 4, s->isn + 1 + p->at - syn + shift[f->stream]);
	if (s->peer != UINT32_MAX)
		put32(tcp + 8, f->ack + shift[s->peer]);
	if (!p->last)
		tcp[13] &= (uint8_t)~FLAG_FIN;
	return (struct span){o, f->payload_at + p->n};
}

/* ---- the worker ---- */

static uint8_t *arena;
static size_t arena_used;
#define ARENA_BYTES (96u << 20)

static void *
arena_alloc(size_t bytes)
{
	size_t n = (bytes + 63) & ~(size_t)63;
	if (ARENA_BYTES - arena_used < n)
		return NULL;
	uint8_t *p = arena + arena_used;
	memset(p, 0, n);
	arena_used += n;
	return p;
}

struct hashes {
	uint8_t h[HASHES_MAX][32];
	uint32_t n;
};

static void
on_crossing(void *ctx, const struct crossing_report *r)
{
	struct hashes *s = ctx;
	uint8_t h[32];
	if (r->tx == NULL || r->outcome == CROSSING_DUPLICATE)
		return;
	check(s->n < HASHES_MAX, "too many transactions");
	tx_hash(r->tx, h);
	memcpy(s->h[s->n++], h, 32);
}

static int
by_hash(const void *a, const void *b)
{
	return memcmp(a, b, 32);
}

static const struct rlpx_keys *keys;

static void
load_keys(const char *path)
{
	static struct keylog log;
	check(keylog_open(&log, path, 0, NULL, NULL) == 0 && log.n > 0, "no keys");
	void *mem = malloc(rlpx_keys_bytes(log.n));
	keys = mem != NULL ? rlpx_keys_build(mem, log.list, log.n, log.first_number, 1) : NULL;
	check(keys != NULL, "no table of keys");
}

static struct worker *
new_worker(const struct ruleset *rules, struct stats_page *stats, struct hashes *found)
{
	struct worker_config c;
	worker_config_default(&c);
	c.stream.flows_max = 4096;
	c.conns_max = 1024;
	c.slabs[0] = 256;
	c.slabs[1] = 32;
	c.slabs[2] = 2;
	c.seen_entries = 1u << 14;
	c.pipe_bytes = 4u << 20;
	arena_used = 0;
	memset(stats, 0, sizeof *stats);
	stats->lcores = 1;
	struct worker *w = worker_new(&c, rules, stats->lcore[0].c, arena_alloc);
	check(w != NULL, "no worker");
	found->n = 0;
	worker_listen(w, on_crossing, found);
	worker_keys(w, keys);
	return w;
}

static void
empty_pipe(struct worker *w)
{
	uint32_t n;
	while (pipe_peek(worker_pipe(w), &n) != NULL)
		pipe_release(worker_pipe(w));
}

static bool
adds_up(const struct stats_page *stats)
{
	struct identity id[IDENTITIES];
	identities_evaluate(stats, NULL, id);
	for (unsigned i = ID_FRAMES; i <= ID_TRANSACTIONS; i++)
		if (id[i].residual != 0)
			return false;
	if (id[ID_NODE].residual != 0)
		return false;
	return stats->lcore[0].c[CTR_ST_OOO_HELD] == 0 && stats->lcore[0].c[CTR_ST_BUFFERED] == 0;
}

static void
send_pieces(struct worker *w, const uint32_t *shift)
{
	struct span burst[WORKER_BURST];
	uint32_t len[WORKER_BURST];
	uint64_t t[WORKER_BURST], last = 0;
	for (uint32_t i = 0; i < n_pieces;) {
		unsigned k = 0;
		for (; k < WORKER_BURST && i < n_pieces; k++, i++) {
			burst[k] = build(&pieces[i], shift, k);
			len[k] = burst[k].len;
			/* the time of the frame that stood here */
			t[k] = frames[pieces[i].place / 16 < n_frames ? pieces[i].place / 16 : n_frames - 1].t_ns;
			last = t[k];
		}
		worker_frames(w, k, burst, len, t);
		worker_housekeep(w, last);
		empty_pipe(w);
	}
	worker_flush(w, last);
	empty_pipe(w);
}

static void
make_pieces(bool mix)
{
	n_pieces = 0;
	for (uint32_t i = 0; i < n_frames; i++) {
		if (mix) {
			cut(&frames[i], (uint64_t)i * 16);
			continue;
		}
		const struct frame *f = &frames[i];
		uint32_t at = f->seq - streams[f->stream].isn - 1 + !!(f->flags & FLAG_SYN);
		pieces[n_pieces++] = (struct piece){f, at, f->payload, (uint64_t)i * 16, true, true};
	}
	qsort(pieces, n_pieces, sizeof *pieces, by_place);
}

/* What the box does not get to see. */
static void
take_away(void)
{
	uint32_t how = below(8), percent = how & 1 || how == 0 ? 1 + below(20) : 0, n = 0;
	uint32_t from = how & 2 ? below(n_pieces) : 0;
	uint32_t only = how & 4 ? below(2) : 2; /* the lower of a pair of streams, or the higher */
	for (uint32_t i = from; i < n_pieces; i++) {
		const struct frame *f = pieces[i].of;
		bool lower = f->stream < streams[f->stream].peer;
		if (below(100) >= percent && (only == 2 || lower == (only == 0)))
			pieces[n++] = pieces[i];
	}
	n_pieces = n;
}

static void
sort_hashes(struct hashes *h)
{
	uint32_t n = 0;
	qsort(h->h, h->n, 32, by_hash);
	for (uint32_t i = 0; distinct && i < h->n; i++)
		if (n == 0 || memcmp(h->h[n - 1], h->h[i], 32) != 0)
			memmove(h->h[n++], h->h[i], 32);
	h->n = distinct ? n : h->n;
}

/* Both sorted: all that was got is wanted; without damage the other way round as well. */
static bool
same_hashes(const struct hashes *got, const struct hashes *want)
{
	if (!damage)
		return got->n == want->n && memcmp(got->h, want->h, (size_t)want->n * 32) == 0;
	for (uint32_t i = 0; i < got->n; i++)
		if (bsearch(got->h[i], want->h, want->n, 32, by_hash) == NULL)
			return false;
	return true;
}

static int
options(int argc, char **argv)
{
	int i = 1;
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--damage") == 0) {
			damage = true;
		} else if (strcmp(argv[i], "--distinct") == 0) {
			distinct = true;
		} else {
			check(strcmp(argv[i], "--rlpx-keys") == 0 && i + 1 < argc, "an option that is none");
			load_keys(argv[++i]);
		}
	}
	check(argc - i >= 2, "usage: remix [--damage] [--distinct] [--rlpx-keys FILE] CAPTURE BUNDLE [ROUNDS [SEED]]");
	return i;
}

int
main(int argc, char **argv)
{
	static struct stats_page stats;
	static struct hashes want, got;
	static uint32_t shift[STREAMS_MAX];
	struct bundle_file bundle;
	int a = options(argc, argv);
	uint32_t rounds = argc > a + 2 ? (uint32_t)atoi(argv[a + 2]) : 1000, wrong = 0;
	uint64_t seed = argc > a + 3 ? strtoull(argv[a + 3], NULL, 0) : 1, found = 0;
	load_capture(argv[a]);
	check(bundle_load(&bundle, argv[a + 1], false) == 0, "no bundle");
	arena = malloc(ARENA_BYTES);
	pieces = calloc(FRAMES_MAX * 8, sizeof *pieces);
	check(arena != NULL && pieces != NULL, "no memory");

	struct worker *w = new_worker(bundle.rules, &stats, &want);
	make_pieces(false);
	send_pieces(w, shift);
	worker_delete(w);
	check(want.n > 0 && adds_up(&stats), "the capture as it is gives nothing, or does not add up");
	sort_hashes(&want);

	uint64_t sent = 0;
	for (uint32_t r = 0; r < rounds; r++) {
		rng = seed + r;
		for (uint32_t i = 0; i < n_streams; i++) /* every other round wraps around within the stream */
			shift[i] = below(2) ? below(UINT32_MAX) : UINT32_MAX - streams[i].isn - below(streams[i].n + 1);
		w = new_worker(bundle.rules, &stats, &got);
		make_pieces(true);
		if (damage)
			take_away();
		send_pieces(w, shift);
		worker_delete(w);
		sent += n_pieces;
		sort_hashes(&got);
		found += got.n;
		if (same_hashes(&got, &want) && adds_up(&stats) && stats.lcore[0].c[CTR_OVERLAP_CONFLICTS] == 0)
			continue;
		wrong++;
		fprintf(stderr, "remix: round with seed %" PRIu64 ": %u transactions of %u, %s, %llu conflicts, gaps: %llu by ACK, %llu by cap, %llu by age\n", seed + r, got.n,
			want.n, adds_up(&stats) ? "adds up" : "does not add up",
			(unsigned long long)stats.lcore[0].c[CTR_OVERLAP_CONFLICTS],
			(unsigned long long)stats.lcore[0].c[CTR_GAPS_ACK], (unsigned long long)stats.lcore[0].c[CTR_GAPS_CAP],
			(unsigned long long)stats.lcore[0].c[CTR_GAPS_AGE]);
	}
	check(!damage || rounds < 20 || found > 0, "nothing at all was found in what is left");
	printf("%u rounds over %u transactions in %u frames, %" PRIu64 " segments sent, %" PRIu64 " found: %u rounds differ\n", rounds, want.n, n_frames,
		sent, found, wrong);
	bundle_unload(&bundle);
	return wrong == 0 ? 0 : 1;
}
