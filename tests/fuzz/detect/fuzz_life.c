/* SPDX-License-Identifier: BSD-3-Clause */
/* A byte string as a program of facts on tables that are far too small: whatever is told in whatever order,
 * life_check finds nothing, and what events said last is the state. Input: 3 bytes that size the tables, then
 * 4 bytes a fact. */
#include "detect/life.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TXS 48u
#define BLOCKS 24u
#define RIVALS 5u /* transactions of one sender and nonce, but for the crowd: see tx_of */
#define FACTS_MAX 2000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct life *life;
static int said[TXS]; /* 1 + enum life_event_kind; 0: nothing */
static uint64_t n_events[6];

static void
require(int ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "%s\n", what);
		abort();
	}
}

static void
heard(void *ctx, enum life_event_kind kind, const struct life_tx *t, const struct life_block *b)
{
	require(t->hash[0] < TXS && life_find(life, t->hash) == t, "an event about a stranger");
	require(kind == LIFE_EVENT_INCLUDED || kind == LIFE_EVENT_REORGED || kind == LIFE_EVENT_REPLACED ||
			b == NULL,
		"an event with a block");
	n_events[kind]++;
	if (kind == LIFE_EVENT_JUDGED)
		return; /* changes no state */
	said[t->hash[0]] = 1 + (int)kind;
}

static const uint8_t *
hash_of(uint8_t salt, uint8_t n)
{
	static uint8_t h[8][32];
	static unsigned at;
	uint8_t *p = h[at++ % 8];
	memset(p, salt, 32);
	p[0] = n;
	return p;
}

/* how: bits say what is known of it. */
static struct life_seen
tx_of(uint8_t n, uint8_t how)
{
	static uint8_t sender[20], to[20];
	n %= TXS;
	memset(sender, how & 64 ? 77 : n / RIVALS, 20);
	memset(to, n % 3, 20);
	return (struct life_seen){.hash = hash_of(1, n),
		.sender = how & 1 ? NULL : sender,
		.has_nonce = !(how & 2),
		.nonce = how & 64 ? 7 : n / RIVALS % 2,
		.to = how & 4 ? NULL : to,
		.fingerprint = how & 8	  ? 0
			       : how & 32 ? 5
					  : 100u + n};
}

/* Mostly n's parent is n - 1, or n - 2 for every fourth. */
static struct life_block_id
block_of(uint8_t n, uint8_t how)
{
	struct life_block_id id = {.has = LIFE_HAS_HASH | LIFE_HAS_PARENT | LIFE_HAS_NUMBER};
	n %= BLOCKS;
	uint8_t parent = (uint8_t)(n - 1 - (n % 4 == 3));
	memcpy(id.hash, hash_of(2, n), 32);
	memcpy(id.parent, hash_of(2, how & 1 ? how >> 3 : parent), 32);
	id.number = how & 2 ? (uint64_t)how << 56 : 100u * (how & 128 ? 2 : 1) + n;
	if (how & 4)
		id.has = how >> 3 & 7;
	return id;
}

static void
block_fact(const uint8_t *d, uint64_t now)
{
	struct life_block_id id = block_of(d[2], d[3]);
	struct life_seen s = tx_of(d[2], d[3]);
	uint64_t handle = d[1] % 40;
	switch (d[0] % 8) {
	case 0:
		life_block_open(life, handle, now);
		break;
	case 1:
	case 2:
		life_block_tx(life, handle, &s, now);
		break;
	case 3: /* many at once */
		for (uint8_t i = 0; i < d[3] % 16; i++) {
			s = tx_of((uint8_t)(d[2] + i), 0);
			life_block_tx(life, handle, &s, now);
		}
		break;
	case 4:
	case 5:
		life_block_close(life, handle, d[0] / 8 % 3, d[3] == 255 ? NULL : &id, now);
		break;
	case 6:
		life_head(life, id.hash, now);
		break;
	default:
		if (d[3] & 1)
			life_block_judged(life, id.hash, d[3] & 2, now);
		else
			life_block_unread(life, handle);
		break;
	}
}

static void
fact(const uint8_t *d, uint64_t now)
{
	struct life_seen s = tx_of(d[2], d[3]);
	if (d[0] & 128) {
		block_fact(d, now);
		return;
	}
	switch (d[0] % 6) {
	case 0:
		life_announced(life, s.hash, d[1] - 1, d[3], now);
		break;
	case 1:
	case 2:
		life_pending(life, &s, now);
		break;
	case 3:
		life_judged(life, d[1] & 1 ? s.hash : NULL, s.fingerprint, d[1] & 2, d[3], now);
		break;
	case 4:
		life_mined(life, &s, d[1] & 1 ? hash_of(2, d[1] / 2 % BLOCKS) : NULL, now);
		break;
	default:
		require(life_age(life, now, d[1]) <= d[1], "over the budget");
		break;
	}
}

static void
check(const uint64_t *counts)
{
	static const int last[LIFE_DROPPED + 1] = {[LIFE_INCLUDED] = 1 + LIFE_EVENT_INCLUDED,
		[LIFE_REPLACED] = 1 + LIFE_EVENT_REPLACED,
		[LIFE_DROPPED] = 1 + LIFE_EVENT_DROPPED};
	const char *wrong = life_check(life);
	require(wrong == NULL, wrong);
	for (uint8_t n = 0; n < TXS; n++) {
		const struct life_tx *t = life_find(life, hash_of(1, n));
		if (t == NULL)
			continue;
		if (t->state == LIFE_PENDING)
			require(said[n] == 1 + LIFE_EVENT_PENDING || said[n] == 1 + LIFE_EVENT_REORGED,
				"pending without an event");
		else if (last[t->state] != 0)
			require(said[n] == last[t->state], "a state without an event");
	}
	require(n_events[LIFE_EVENT_REPLACED] == counts[LIFE_N_REPLACED], "events of REPLACED");
	require(n_events[LIFE_EVENT_DROPPED] == counts[LIFE_N_DROPPED], "events of DROPPED");
	require(n_events[LIFE_EVENT_REORGED] >= counts[LIFE_N_REORGED] + counts[LIFE_N_RESTORED],
		"events of REORGED");
	require(n_events[LIFE_EVENT_INCLUDED] >= counts[LIFE_N_INCLUDED_UNCOUNTED], "events of INCLUDED");
	require(n_events[LIFE_EVENT_PENDING] >= counts[LIFE_N_PENDING], "events of PENDING");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 3)
		return 0;
	static const uint8_t addresses[2][20] = {
		{0}, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}};
	const struct life_protocol protocols[2] = {{"zero", addresses, 1}, {"both", addresses, 2}};
	uint64_t counts[LIFE_N_COUNT] = {0}, before[LIFE_N_COUNT] = {0}, now = 1000;
	struct life_config c = {.n_txs = 8u + data[0] % 64,
		.n_blocks = 4u + data[1] % 24,
		.n_links = 16u + data[2],
		.key = {1},
		.pending_ttl_ns = 60,
		.announced_ttl_ns = 30,
		.protocols = protocols,
		.n_protocols = 2,
		.counts = counts,
		.event = heard};
	void *mem = aligned_alloc(64, life_bytes(&c));
	life = life_init(mem, &c);
	memset(said, 0, sizeof said);
	memset(n_events, 0, sizeof n_events);
	for (size_t i = 3; i + 4 <= size && i < 4 * FACTS_MAX; i += 4) {
		now += data[i] % 7;
		fact(data + i, data[i + 1] == 99 ? now - 50 : now);
		if (size > 64 && i / 4 % 32 != 0 && i + 8 <= size)
			continue; /* walking everything costs more than the facts */
		check(counts);
		for (unsigned k = 0; k < LIFE_N_COUNT; k++)
			require(counts[k] >= before[k], "a count went back");
		memcpy(before, counts, sizeof before);
	}
	free(mem);
	return 0;
}
