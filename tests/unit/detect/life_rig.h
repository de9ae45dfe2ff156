/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of life share: one struct life, its events, and shorthand for facts. life_check holds after
 * each test. */
#ifndef TEST_LIFE_RIG_H
#define TEST_LIFE_RIG_H

#include "detect/life.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SECOND 1000000000ull
#define MINUTE (60 * SECOND)
#define EVENTS 256u

static const uint8_t addresses[3][20] = {{'a'}, {'b'}, {'c'}};
static const struct life_protocol protocols[2] = {{"aave", addresses, 2}, {"curve", addresses + 1, 2}};

static struct life *life;
static uint64_t n[LIFE_N_COUNT];
static struct life_config config;
static struct {
	enum life_event_kind kind;
	uint8_t tx, state, block; /* block: number's last byte; 0: none */
} events[EVENTS];
static unsigned n_events;

static inline void
heard(void *ctx, enum life_event_kind kind, const struct life_tx *t, const struct life_block *b)
{
	assert_ptr_equal(ctx, &config);
	if (kind == LIFE_EVENT_JUDGED) {
		assert_int_not_equal(t->verdict, LIFE_UNASKED);
		return;
	}
	assert_true(n_events < EVENTS);
	events[n_events].kind = kind;
	events[n_events].tx = t->hash[0];
	events[n_events].state = t->state;
	events[n_events++].block = b != NULL ? (uint8_t)b->id.number : 0;
}

static inline void
start(uint32_t n_txs, uint32_t n_blocks, uint32_t n_links)
{
	memset(n, 0, sizeof n);
	n_events = 0;
	config = (struct life_config){.n_txs = n_txs,
		.n_blocks = n_blocks,
		.n_links = n_links,
		.key = "secret",
		.pending_ttl_ns = 180 * MINUTE,
		.announced_ttl_ns = 10 * MINUTE,
		.protocols = protocols,
		.n_protocols = 2,
		.counts = n,
		.event = heard,
		.ctx = &config};
	assert_true(life_bytes(&config) > 0);
	life = life_init(aligned_alloc(64, life_bytes(&config)), &config);
}

static inline int
setup(void **state)
{
	start(1000, 256, 4000);
	return 0;
}

static inline int
teardown(void **state)
{
	const char *wrong = life_check(life);
	if (wrong != NULL)
		print_error("%s\n", wrong);
	free(life);
	return wrong != NULL;
}

static inline void
restart(uint32_t n_txs, uint32_t n_blocks, uint32_t n_links)
{
	assert_null(life_check(life));
	free(life);
	start(n_txs, n_blocks, n_links);
}

/* ---- shorthand: transactions are letters, blocks are numbers (upper bits: the branch) ---- */

static inline uint8_t *
tx_hash_of(unsigned t)
{
	static uint8_t h[4][32];
	static unsigned at;
	uint8_t *p = h[at++ % 4];
	memset(p, 't', 32);
	memcpy(p, &t, sizeof t);
	return p;
}

static inline uint8_t *
block_hash_of(unsigned b)
{
	uint8_t *p = tx_hash_of(b);
	p[31] = 'b';
	return p;
}

static inline struct life_seen
seen(unsigned t)
{
	return (struct life_seen){.hash = tx_hash_of(t), .fingerprint = 1000 + t};
}

/* Of sender s, with nonce 5. */
static inline struct life_seen
seen_from(unsigned t, uint8_t s)
{
	static uint8_t sender[20];
	struct life_seen x = seen(t);
	memset(sender, s, 20);
	x.sender = sender;
	x.nonce = 5;
	x.has_nonce = true;
	return x;
}

static inline void
pend(unsigned t, uint64_t now)
{
	struct life_seen s = seen(t);
	life_pending(life, &s, now);
}

static inline void
pend_from(unsigned t, uint8_t sender, uint64_t now)
{
	struct life_seen s = seen_from(t, sender);
	life_pending(life, &s, now);
}

static inline struct life_block_id
id_of(unsigned b, unsigned parent, uint64_t number)
{
	struct life_block_id id = {
		.number = number, .has = LIFE_HAS_HASH | LIFE_HAS_PARENT | LIFE_HAS_NUMBER};
	memcpy(id.hash, block_hash_of(b), 32);
	memcpy(id.parent, block_hash_of(parent), 32);
	return id;
}

/* Block b on parent; its number is b's last two digits, its transactions are letters. */
static inline void
block(enum life_block_kind kind, unsigned b, unsigned parent, const char *txs, uint64_t now)
{
	struct life_block_id id = id_of(b, parent, b % 100);
	life_block_open(life, 7, now);
	for (; *txs != '\0'; txs++) {
		struct life_seen s = seen((unsigned)*txs);
		life_block_tx(life, 7, &s, now);
	}
	life_block_close(life, 7, kind, &id, now);
}

static inline void
head(unsigned b, uint64_t now)
{
	life_head(life, block_hash_of(b), now);
}

static inline const struct life_tx *
tx(unsigned t)
{
	const struct life_tx *x = life_find(life, tx_hash_of(t));
	assert_non_null(x);
	return x;
}

static inline int
state_of(unsigned t)
{
	const struct life_tx *x = life_find(life, tx_hash_of(t));
	return x == NULL ? -1 : x->state;
}

static inline void
assert_event(unsigned i, enum life_event_kind kind, unsigned t, unsigned block_)
{
	assert_true(i < n_events);
	assert_int_equal(events[i].kind, kind);
	assert_int_equal(events[i].tx, t);
	assert_int_equal(events[i].block, block_);
}

static inline void
assert_share(uint64_t pending, uint64_t announced, uint64_t never)
{
	struct life_share s = life_share(life, -1, NULL);
	assert_int_equal(s.seen_pending, pending);
	assert_int_equal(s.announced_only, announced);
	assert_int_equal(s.never_seen, never);
	assert_int_equal(s.included, pending + announced + never);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
