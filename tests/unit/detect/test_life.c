/* SPDX-License-Identifier: BSD-3-Clause */
/* What becomes of transactions, case by case. life_check holds after each. */
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

static void
heard(void *ctx, enum life_event_kind kind, const struct life_tx *t, const struct life_block *b)
{
	assert_ptr_equal(ctx, &config);
	assert_true(n_events < EVENTS);
	events[n_events].kind = kind;
	events[n_events].tx = t->hash[0];
	events[n_events].state = t->state;
	events[n_events++].block = b != NULL ? (uint8_t)b->id.number : 0;
}

static void
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

static int
setup(void **state)
{
	start(1000, 256, 4000);
	return 0;
}

static int
teardown(void **state)
{
	const char *wrong = life_check(life);
	if (wrong != NULL)
		print_error("%s\n", wrong);
	free(life);
	return wrong != NULL;
}

static void
restart(uint32_t n_txs, uint32_t n_blocks, uint32_t n_links)
{
	assert_null(life_check(life));
	free(life);
	start(n_txs, n_blocks, n_links);
}

/* ---- shorthand: transactions are letters, blocks are numbers (upper bits: the branch) ---- */

static uint8_t *
tx_hash_of(unsigned t)
{
	static uint8_t h[4][32];
	static unsigned at;
	uint8_t *p = h[at++ % 4];
	memset(p, 't', 32);
	memcpy(p, &t, sizeof t);
	return p;
}

static uint8_t *
block_hash_of(unsigned b)
{
	uint8_t *p = tx_hash_of(b);
	p[31] = 'b';
	return p;
}

static struct life_seen
seen(unsigned t)
{
	return (struct life_seen){.hash = tx_hash_of(t), .fingerprint = 1000 + t};
}

/* Of sender s, with nonce 5. */
static struct life_seen
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

static void
pend(unsigned t, uint64_t now)
{
	struct life_seen s = seen(t);
	life_pending(life, &s, now);
}

static void
pend_from(unsigned t, uint8_t sender, uint64_t now)
{
	struct life_seen s = seen_from(t, sender);
	life_pending(life, &s, now);
}

static struct life_block_id
id_of(unsigned b, unsigned parent, uint64_t number)
{
	struct life_block_id id = {
		.number = number, .has = LIFE_HAS_HASH | LIFE_HAS_PARENT | LIFE_HAS_NUMBER};
	memcpy(id.hash, block_hash_of(b), 32);
	memcpy(id.parent, block_hash_of(parent), 32);
	return id;
}

/* Block b on parent, its number is b's last two digits; its transactions are letters, a capital one names
 * only its hash. */
static void
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

static void
head(unsigned b, uint64_t now)
{
	life_head(life, block_hash_of(b), now);
}

static const struct life_tx *
tx(unsigned t)
{
	const struct life_tx *x = life_find(life, tx_hash_of(t));
	assert_non_null(x);
	return x;
}

static int
state_of(unsigned t)
{
	const struct life_tx *x = life_find(life, tx_hash_of(t));
	return x == NULL ? -1 : x->state;
}

static void
assert_event(unsigned i, enum life_event_kind kind, unsigned t, unsigned block_)
{
	assert_true(i < n_events);
	assert_int_equal(events[i].kind, kind);
	assert_int_equal(events[i].tx, t);
	assert_int_equal(events[i].block, block_);
}

static void
assert_share(uint64_t pending, uint64_t announced, uint64_t never)
{
	struct life_share s = life_share(life, -1, NULL);
	assert_int_equal(s.seen_pending, pending);
	assert_int_equal(s.announced_only, announced);
	assert_int_equal(s.never_seen, never);
	assert_int_equal(s.included, pending + announced + never);
}

/* ---- announced, pending, judged ---- */

static void
announcement_meets_its_body(void **state)
{
	life_announced(life, tx_hash_of('a'), 2, 180, 100);
	life_announced(life, tx_hash_of('a'), 3, 999, 150); /* the first word stands */
	assert_int_equal(state_of('a'), LIFE_ANNOUNCED);
	assert_int_equal(n_events, 0);
	pend('a', 350);
	life_announced(life, tx_hash_of('a'), 2, 180, 400);
	pend('a', 500);
	const struct life_tx *t = tx('a');
	assert_int_equal(t->state, LIFE_PENDING);
	assert_int_equal(t->announced_ns, 100);
	assert_int_equal(t->pending_ns, 350);
	assert_int_equal(t->announced_type, 2);
	assert_int_equal(t->announced_size, 180);
	assert_int_equal(n[LIFE_N_ANNOUNCED], 1);
	assert_int_equal(n[LIFE_N_ANNOUNCED_JOINED], 1);
	assert_int_equal(n[LIFE_N_PENDING], 1);
	assert_int_equal(n_events, 1);
	assert_event(0, LIFE_EVENT_PENDING, 'a', 0);
	life_announced(life, tx_hash_of('b'), -1, 0, 100);
	assert_false(tx('b')->has & LIFE_HAS_TYPE);
	life_announced(life, tx_hash_of('b'), 0, 7, 101); /* told later: type 0 is a type */
	assert_true(tx('b')->has & LIFE_HAS_TYPE);
	assert_int_equal(tx('b')->announced_size, 7);
}

static void
time_ends_lives(void **state)
{
	life_announced(life, tx_hash_of('a'), -1, 0, MINUTE);
	pend('b', MINUTE);
	pend('c', 2 * MINUTE);
	assert_int_equal(life_age(life, 0, 10), 0); /* time may go back */
	assert_int_equal(life_age(life, 11 * MINUTE - 1, 10), 0);
	assert_int_equal(life_age(life, 11 * MINUTE, 10), 1);
	assert_int_equal(state_of('a'), -1);
	assert_int_equal(n[LIFE_N_ANNOUNCED_EXPIRED], 1);
	assert_int_equal(life_age(life, 181 * MINUTE, 10), 1);
	assert_int_equal(state_of('b'), LIFE_DROPPED);
	assert_int_equal(state_of('c'), LIFE_PENDING);
	assert_event(2, LIFE_EVENT_DROPPED, 'b', 0);
	pend('b', 182 * MINUTE); /* back again, for its whole time */
	assert_int_equal(state_of('b'), LIFE_PENDING);
	assert_event(3, LIFE_EVENT_PENDING, 'b', 0);
	assert_int_equal(n[LIFE_N_PENDING], 2);
	assert_int_equal(life_age(life, 360 * MINUTE, 10), 1);
	assert_int_equal(state_of('c'), LIFE_DROPPED);
	for (unsigned i = 0; i < 20; i++)
		pend(1000 + i, 400 * MINUTE);
	assert_int_equal(life_age(life, 600 * MINUTE, 8), 8); /* the budget */
	assert_int_equal(life_population(life, LIFE_PENDING), 13);
}

static void
a_nodes_word_is_kept(void **state)
{
	pend('a', 1);
	pend('b', 1);
	life_judged(life, tx_hash_of('a'), 0, true, 0, 5);
	life_judged(life, NULL, 1000 + 'b', false, 3, 6); /* by its bytes */
	life_judged(life, tx_hash_of('x'), 0, true, 0, 7);
	life_judged(life, NULL, 77, true, 0, 7);
	assert_int_equal(tx('a')->verdict, LIFE_ACCEPTED);
	assert_int_equal(tx('a')->judged_ns, 5);
	assert_int_equal(tx('b')->verdict, LIFE_REFUSED);
	assert_int_equal(tx('b')->reason, 3);
	assert_int_equal(state_of('x'), -1);
	life_judged(life, tx_hash_of('a'), 0, false, 9, 8); /* another node's */
	assert_int_equal(tx('a')->verdict, LIFE_ACCEPTED);
	assert_int_equal(tx('a')->reason, 0);
	life_judged(life, tx_hash_of('b'), 0, true, 0, 9);
	assert_int_equal(tx('b')->verdict, LIFE_ACCEPTED);
	assert_int_equal(n[LIFE_N_ACCEPTED], 2);
	assert_int_equal(n[LIFE_N_REFUSED], 1);
	assert_int_equal(n[LIFE_N_JUDGED_UNKNOWN], 2);
	assert_int_equal(state_of('b'), LIFE_PENDING);
}

/* ---- blocks ---- */

static void
inclusion_tells_what_was_seen(void **state)
{
	life_announced(life, tx_hash_of('a'), -1, 0, 1);
	pend('b', 2);
	block(LIFE_BLOCK_NEW, 1, 0, "abc", 10);
	assert_share(1, 1, 1);
	assert_int_equal(tx('a')->before, LIFE_ANNOUNCED_ONLY);
	assert_int_equal(tx('b')->before, LIFE_SEEN_PENDING);
	assert_int_equal(tx('c')->before, LIFE_NEVER_SEEN);
	assert_int_equal(tx('c')->included_ns, 10);
	assert_int_equal(life_block_of(life, tx('c'))->id.number, 1);
	assert_event(3, LIFE_EVENT_INCLUDED, 'c', 1);
	pend('c', 11); /* seen afterwards changes nothing */
	life_announced(life, tx_hash_of('c'), 2, 5, 11);
	assert_share(1, 1, 1);
	assert_int_equal(n_events, 4);
	assert_int_equal(tx('c')->has & (LIFE_HAS_PENDING | LIFE_HAS_ANNOUNCED), 0);
	assert_int_equal(n[LIFE_N_INCLUDED], 3);
	assert_int_equal(n[LIFE_N_BLOCKS], 1);
	block(LIFE_BLOCK_NEW, 2, 1, "", 20);
	assert_int_equal(life_top(life)->id.number, 2);
}

static void
a_block_told_twice_counts_once(void **state)
{
	for (unsigned i = 0; i < 3; i++)
		block(LIFE_BLOCK_NEW, 1, 0, "ab", 10 + i);
	block(LIFE_BLOCK_TOLD, 1, 0, "ab", 20);
	block(LIFE_BLOCK_OFFERED, 1, 0, "ab", 20);
	assert_share(0, 0, 2);
	assert_int_equal(n[LIFE_N_BLOCKS], 1);
	assert_int_equal(n[LIFE_N_BLOCKS_REPEATED], 4);
	assert_int_equal(n_events, 2);
	block(LIFE_BLOCK_NEW, 1, 0, "abc", 30); /* a copy that has more of it */
	assert_share(0, 0, 3);
	assert_int_equal(n_events, 3);
	assert_int_equal(life_top(life)->n_txs, 3);
}

static void
candidates_wait_for_a_forkchoice(void **state)
{
	block(LIFE_BLOCK_NEW, 10, 9, "a", 1);
	pend('b', 2);
	block(LIFE_BLOCK_OFFERED, 11, 10, "bx", 3);
	assert_int_equal(state_of('b'), LIFE_PENDING);
	assert_int_equal(state_of('x'), LIFE_CANDIDATE);
	block(LIFE_BLOCK_NEW, 12, 11, "c", 4); /* its parent is not the head */
	assert_int_equal(state_of('c'), LIFE_CANDIDATE);
	pend('x', 5); /* seen before its inclusion, though behind its block */
	head(12, 6);
	assert_int_equal(state_of('b'), LIFE_INCLUDED);
	assert_int_equal(state_of('c'), LIFE_INCLUDED);
	assert_int_equal(life_top(life)->id.number, 12);
	assert_share(2, 0, 2);
	head(12, 7);
	assert_int_equal(n[LIFE_N_BLOCKS], 3);
	assert_int_equal(n[LIFE_N_BLOCKS_REORGED], 0);
}

static void
a_head_may_come_before_its_block(void **state)
{
	block(LIFE_BLOCK_NEW, 10, 9, "a", 1);
	head(12, 2);
	block(LIFE_BLOCK_NEW, 12, 11, "c", 3); /* parent unknown: accepted as it is */
	assert_int_equal(state_of('c'), LIFE_INCLUDED);
	assert_int_equal(state_of('a'), LIFE_INCLUDED);
	block(LIFE_BLOCK_NEW, 11, 10, "b", 4); /* late: goes in between */
	assert_int_equal(state_of('b'), LIFE_INCLUDED);
	assert_int_equal(life_block_find(life, block_hash_of(11))->id.number, 11);
	assert_int_equal(life_top(life)->id.number, 12);
	assert_share(0, 0, 3);
}

static void
a_late_parent_shows_what_was_wrong(void **state)
{
	block(LIFE_BLOCK_NEW, 10, 9, "a", 1);
	head(212, 2);
	block(LIFE_BLOCK_NEW, 212, 211, "c", 3);
	block(LIFE_BLOCK_NEW, 211, 210, "b", 4); /* not upon 10 */
	assert_int_equal(state_of('b'), LIFE_INCLUDED);
	assert_int_equal(state_of('a'), LIFE_PENDING);
	assert_true(tx('a')->reorged);
}

static void
reorg_undoes_and_does(void **state)
{
	pend('a', 1);
	block(LIFE_BLOCK_NEW, 1, 0, "z", 2);
	block(LIFE_BLOCK_NEW, 2, 1, "ab", 3);
	block(LIFE_BLOCK_NEW, 3, 2, "c", 3);
	n_events = 0;
	block(LIFE_BLOCK_NEW, 102, 1, "bd", 4); /* beside 2 */
	assert_int_equal(n_events, 0);
	head(102, 5);
	assert_int_equal(state_of('a'), LIFE_PENDING);
	assert_int_equal(state_of('b'), LIFE_INCLUDED);
	assert_int_equal(state_of('c'), LIFE_PENDING);
	assert_int_equal(state_of('d'), LIFE_INCLUDED);
	assert_event(0, LIFE_EVENT_REORGED, 'c', 3);
	assert_event(1, LIFE_EVENT_REORGED, 'a', 2);
	assert_event(2, LIFE_EVENT_REORGED, 'b', 2);
	assert_event(3, LIFE_EVENT_INCLUDED, 'b', 2);
	assert_event(4, LIFE_EVENT_INCLUDED, 'd', 2);
	assert_int_equal(n[LIFE_N_REORGED], 3);
	assert_int_equal(n[LIFE_N_BLOCKS_REORGED], 2);
	assert_share(1, 0, 4); /* first inclusions alone: a | z b c d */
	head(3, 6);	       /* and back */
	assert_int_equal(state_of('a'), LIFE_INCLUDED);
	assert_int_equal(state_of('c'), LIFE_INCLUDED);
	assert_int_equal(state_of('d'), LIFE_PENDING);
	assert_share(1, 0, 4);
	assert_int_equal(n[LIFE_N_BLOCKS], 4);
	head(1, 7); /* an ancestor: what stands above leaves */
	assert_int_equal(state_of('c'), LIFE_PENDING);
	assert_int_equal(life_top(life)->id.number, 1);
}

static void
invalid_is_as_if_never(void **state)
{
	pend('a', 1);
	life_announced(life, tx_hash_of('b'), -1, 0, 1);
	block(LIFE_BLOCK_NEW, 1, 0, "z", 2);
	block(LIFE_BLOCK_NEW, 2, 1, "abc", 3);
	block(LIFE_BLOCK_NEW, 3, 2, "d", 3);
	assert_share(1, 1, 3);
	life_block_judged(life, block_hash_of(2), true, 4);
	assert_share(1, 1, 3);
	life_block_judged(life, block_hash_of(2), false, 4);
	assert_share(0, 0, 1);
	assert_int_equal(state_of('a'), LIFE_PENDING);
	assert_false(tx('a')->reorged);
	assert_int_equal(state_of('b'), LIFE_ANNOUNCED);
	assert_int_equal(state_of('c'), -1);
	assert_int_equal(state_of('d'), -1); /* of its child */
	assert_int_equal(n[LIFE_N_TAKEN_BACK], 4);
	assert_int_equal(n[LIFE_N_BLOCKS_INVALID], 2);
	assert_int_equal(n[LIFE_N_REORGED], 0);
	assert_int_equal(life_top(life)->id.number, 1);
	life_block_judged(life, block_hash_of(2), false, 5);
	pend('c', 6); /* it can now be seen before its first inclusion */
	block(LIFE_BLOCK_NEW, 102, 1, "abc", 7);
	assert_share(2, 1, 1);
}

static void
invalid_counts_where_it_is_now(void **state)
{
	block(LIFE_BLOCK_NEW, 1, 0, "", 1);
	block(LIFE_BLOCK_NEW, 2, 1, "a", 2);
	block(LIFE_BLOCK_NEW, 102, 1, "a", 3);
	head(102, 4);
	life_block_judged(life, block_hash_of(2), false, 5); /* it had counted a; 102 has it now */
	assert_share(0, 0, 1);
	assert_int_equal(n[LIFE_N_INCLUDED], 2);
	assert_int_equal(n[LIFE_N_TAKEN_BACK], 1);
	life_block_judged(life, block_hash_of(102), false, 6);
	assert_share(0, 0, 0);
}

static void
void_and_lost_blocks_leave_nothing(void **state)
{
	pend('a', 1);
	life_block_open(life, 1, 2);
	struct life_seen s = seen('b');
	life_block_tx(life, 1, &s, 2);
	s = seen('a');
	life_block_tx(life, 1, &s, 2);
	assert_int_equal(state_of('b'), LIFE_CANDIDATE);
	life_block_close(life, 1, LIFE_BLOCK_NEW, NULL, 3);
	assert_int_equal(state_of('b'), -1);
	assert_int_equal(state_of('a'), LIFE_PENDING);
	assert_int_equal(n[LIFE_N_BLOCKS_VOID], 1);
	life_block_close(life, 1, LIFE_BLOCK_NEW, NULL, 3); /* not open */
	life_block_tx(life, 1, &s, 3);
	life_block_unread(life, 1);
	assert_int_equal(n[LIFE_N_BLOCKS_VOID], 1);
	for (unsigned i = 0; i < LIFE_OPEN_MAX + 3; i++) {
		s = seen('A' + i);
		life_block_open(life, i, 4);
		life_block_tx(life, i, &s, 4);
	}
	assert_int_equal(n[LIFE_N_BLOCKS_OPEN_LOST], 3);
	assert_int_equal(state_of('C'), -1);
	assert_int_equal(state_of('D'), LIFE_CANDIDATE);
	life_block_open(life, 5, 4); /* begun again */
	assert_int_equal(n[LIFE_N_BLOCKS_OPEN_LOST], 4);
	assert_int_equal(state_of('A' + 5), -1);
	struct life_block_id id = id_of(1, 0, 1);
	life_block_unread(life, 6);
	life_block_close(life, 6, LIFE_BLOCK_NEW, &id, 5);
	assert_int_equal(n[LIFE_N_UNREAD], 1);
	assert_share(0, 0, 1);
}

/* ---- what answers tell ---- */

static void
old_blocks_do_not_change_the_share(void **state)
{
	block(LIFE_BLOCK_NEW, 50, 49, "a", 1);
	pend('b', 2);
	block(LIFE_BLOCK_TOLD, 20, 19, "bc", 3);
	assert_int_equal(state_of('b'), LIFE_INCLUDED);
	assert_int_equal(state_of('c'), LIFE_INCLUDED);
	assert_share(0, 0, 1);
	assert_int_equal(n[LIFE_N_INCLUDED_UNCOUNTED], 2);
	assert_int_equal(life_top(life)->id.number, 50);
	block(LIFE_BLOCK_TOLD, 51, 50, "d", 4); /* new, but the engine counts */
	assert_int_equal(state_of('d'), LIFE_INCLUDED);
	assert_share(0, 0, 1);
	block(LIFE_BLOCK_NEW, 51, 50, "d", 5); /* which it does when its turn comes */
	assert_share(0, 0, 2);
	block(LIFE_BLOCK_NEW, 150, 49, "e", 6);
	block(LIFE_BLOCK_TOLD, 150, 49, "e", 7); /* a sibling that the engine has not chosen */
	block(LIFE_BLOCK_TOLD, 250, 49, "f", 7);
	assert_int_equal(state_of('e'), LIFE_CANDIDATE);
	assert_int_equal(state_of('f'), LIFE_CANDIDATE);
}

static void
without_an_engine_answers_count(void **state)
{
	block(LIFE_BLOCK_TOLD, 50, 49, "a", 1);
	block(LIFE_BLOCK_TOLD, 51, 50, "b", 2);
	block(LIFE_BLOCK_TOLD, 20, 19, "c", 3); /* an old one */
	assert_share(0, 0, 2);
	block(LIFE_BLOCK_TOLD, 151, 50, "d", 4); /* another of that height: who knows */
	assert_int_equal(state_of('d'), LIFE_CANDIDATE);
	block(LIFE_BLOCK_TOLD, 152, 151, "e", 5); /* now everybody */
	assert_int_equal(state_of('b'), LIFE_PENDING);
	assert_int_equal(state_of('d'), LIFE_INCLUDED);
	assert_share(0, 0, 4);
	block(LIFE_BLOCK_TOLD, 253, 252, "f", 6); /* its parent is not 152 */
	assert_int_equal(state_of('e'), LIFE_PENDING);
	assert_int_equal(state_of('d'), LIFE_INCLUDED);
}

static void
mined_by_a_nodes_word(void **state)
{
	struct life_seen a = seen('a'), b = seen('b'), c = seen('c');
	pend('a', 1);
	life_mined(life, &a, NULL, 2);
	life_mined(life, &b, block_hash_of(99), 2);
	assert_int_equal(state_of('a'), LIFE_INCLUDED);
	assert_int_equal(state_of('b'), LIFE_INCLUDED);
	assert_share(0, 0, 0);
	assert_int_equal(n[LIFE_N_INCLUDED_UNCOUNTED], 2);
	block(LIFE_BLOCK_NEW, 1, 0, "ab", 3); /* counted when the block comes */
	assert_share(1, 0, 1);
	assert_int_equal(life_block_of(life, tx('a'))->id.number, 1);
	c = seen('c');
	life_mined(life, &c, block_hash_of(1), 4); /* in a block that is known: it leaves with it */
	assert_int_equal(state_of('c'), LIFE_INCLUDED);
	assert_share(1, 0, 1);
	block(LIFE_BLOCK_NEW, 101, 0, "", 5);
	head(101, 5);
	assert_int_equal(state_of('c'), LIFE_PENDING);
	assert_int_equal(state_of('a'), LIFE_PENDING);
	struct life_seen d = seen('d');
	pend('d', 6);
	life_mined(life, &d, block_hash_of(1), 6); /* a block that is out */
	assert_int_equal(state_of('d'), LIFE_PENDING);
}

/* ---- one sender and nonce ---- */

static void
the_included_one_decides(void **state)
{
	pend_from('a', 1, 1);
	pend_from('b', 1, 2);
	pend_from('c', 2, 2); /* another sender */
	assert_int_equal(state_of('a'), LIFE_PENDING);
	assert_int_equal(state_of('b'), LIFE_PENDING);
	block(LIFE_BLOCK_NEW, 1, 0, "b", 3);
	assert_int_equal(state_of('a'), LIFE_REPLACED);
	assert_ptr_equal(life_replacement(life, tx('a')), tx('b'));
	assert_int_equal(state_of('c'), LIFE_PENDING);
	assert_event(3, LIFE_EVENT_INCLUDED, 'b', 1);
	assert_event(4, LIFE_EVENT_REPLACED, 'a', 1);
	pend_from('d', 1, 4); /* too late */
	assert_int_equal(state_of('d'), LIFE_REPLACED);
	pend('a', 5);
	assert_int_equal(state_of('a'), LIFE_REPLACED);
	assert_int_equal(n[LIFE_N_REPLACED], 2);
	block(LIFE_BLOCK_NEW, 101, 0, "a", 6); /* the reorg has the other one */
	n_events = 0;
	head(101, 7);
	assert_int_equal(state_of('a'), LIFE_INCLUDED);
	assert_int_equal(state_of('b'), LIFE_REPLACED);
	assert_int_equal(state_of('d'), LIFE_REPLACED);
	assert_ptr_equal(life_replacement(life, tx('d')), tx('a'));
	assert_int_equal(n[LIFE_N_RESTORED], 2);
	head(1, 8);
	block(LIFE_BLOCK_NEW, 201, 0, "", 9);
	head(201, 9); /* and with neither */
	assert_int_equal(state_of('a'), LIFE_PENDING);
	assert_int_equal(state_of('b'), LIFE_PENDING);
	assert_int_equal(state_of('d'), LIFE_PENDING);
}

static void
sender_and_nonce_may_be_learned_late(void **state)
{
	pend('a', 1);
	pend('b', 1);
	struct life_seen s = seen_from('b', 1);
	life_block_open(life, 1, 2);
	life_block_tx(life, 1, &s, 2);
	struct life_block_id id = id_of(1, 0, 1);
	life_block_close(life, 1, LIFE_BLOCK_NEW, &id, 2);
	assert_int_equal(state_of('a'), LIFE_PENDING);
	pend_from('a', 1, 3);
	assert_int_equal(state_of('a'), LIFE_REPLACED);
	pend_from('a', 9, 4); /* what is known stands */
	assert_int_equal(tx('a')->sender[0], 1);
}

static void
rivals_are_capped(void **state)
{
	for (unsigned i = 0; i < LIFE_RIVALS_MAX + 10; i++)
		pend_from(1000 + i, 1, i);
	assert_int_equal(n[LIFE_N_RIVALS_FULL], 10);
	struct life_seen s = seen_from(1000, 1); /* lost its place, decides all the same */
	n_events = 0;
	life_mined(life, &s, NULL, 100);
	assert_int_equal(n[LIFE_N_REPLACED], LIFE_RIVALS_MAX);
	assert_int_equal(state_of(1001), LIFE_PENDING);
	assert_int_equal(state_of(1000 + LIFE_RIVALS_MAX + 9), LIFE_REPLACED);
}

/* ---- shares by protocol ---- */

static void
protocols_have_their_own_share(void **state)
{
	life_block_open(life, 1, 1);
	for (unsigned i = 0; i < 12; i++) {
		struct life_seen s = seen(1000 + i);
		uint8_t other[20] = {'x'};
		s.to = i < 3	? addresses[0]
		       : i < 5	? addresses[1]
		       : i < 9	? addresses[2]
		       : i < 11 ? other
				: NULL;
		if (i == 0 || i == 8)
			life_pending(life, &s, 1);
		if (i == 3)
			life_announced(life, s.hash, -1, 0, 1);
		s.hash = tx_hash_of(1000 + i);
		life_block_tx(life, 1, &s, 1);
	}
	struct life_block_id id = id_of(1, 0, 1);
	life_block_close(life, 1, LIFE_BLOCK_NEW, &id, 1);
	const char *name;
	struct life_share s = life_share(life, 0, &name);
	assert_string_equal(name, "aave");
	assert_int_equal(s.included, 5); /* the address of both is the first one's */
	assert_int_equal(s.never_seen, 3);
	assert_int_equal(s.announced_only, 1);
	s = life_share(life, 1, &name);
	assert_string_equal(name, "curve");
	assert_int_equal(s.included, 4);
	assert_int_equal(s.never_seen, 3);
	assert_share(2, 1, 9);
	assert_int_equal(life_share(life, 2, &name).included, 0);
	life_block_judged(life, block_hash_of(1), false, 2);
	assert_int_equal(life_share(life, 0, NULL).included, 0);
	assert_int_equal(life_share(life, 1, NULL).never_seen, 0);
}

/* ---- limits ---- */

static void
room_is_made_of_the_settled_first(void **state)
{
	restart(16, 256, 400);
	pend_from(1, 1, 1); /* replaced */
	pend(2, 1);
	life_announced(life, tx_hash_of(3), -1, 0, 1);
	struct life_seen s = seen_from(4, 1);
	life_mined(life, &s, NULL, 1); /* settled at once */
	block(LIFE_BLOCK_NEW, 1, 0, "ab", 2);
	for (unsigned i = 0; i < 10; i++)
		pend(1000 + i, 3);
	assert_int_equal(life_population(life, LIFE_PENDING), 11);
	pend(2000, 4);
	assert_int_equal(state_of(4), -1);
	pend(2001, 4);
	assert_int_equal(state_of(1), -1);
	assert_int_equal(n[LIFE_N_EVICTED], 0);
	pend(2002, 4); /* then what is announced */
	assert_int_equal(state_of(3), -1);
	assert_int_equal(n[LIFE_N_EVICTED], 1);
	pend(2003, 4); /* then what has been pending longest */
	assert_int_equal(state_of(2), -1);
	assert_int_equal(state_of(1000), LIFE_PENDING);
	for (unsigned i = 0; i < 100; i++)
		pend(3000 + i, 5);
	assert_int_equal(state_of('a'), LIFE_INCLUDED); /* the last blocks stay */
	assert_int_equal(state_of('b'), LIFE_INCLUDED);
	for (unsigned i = 0; i < LIFE_SETTLED_BLOCKS; i++) {
		assert_int_equal(state_of('a'), LIFE_INCLUDED);
		block(LIFE_BLOCK_NEW, 2 + i, 1 + i, "", 6);
	}
	pend(4000, 7); /* until they are far enough behind */
	assert_int_equal(state_of('a'), -1);
	assert_share(0, 0, 2);
}

static void
blocks_and_links_are_bounded(void **state)
{
	restart(1000, 8, 40);
	struct life_seen s;
	life_block_open(life, 1, 1);
	for (unsigned i = 0; i < 12; i++) {
		s = seen(1000 + i);
		life_block_tx(life, 1, &s, 1);
	}
	struct life_block_id id = id_of(1, 0, 1);
	life_block_close(life, 1, LIFE_BLOCK_NEW, &id, 1);
	assert_int_equal(n[LIFE_N_LINKS_FULL], 2); /* a quarter is a block's */
	assert_share(0, 0, 10);
	assert_int_equal(state_of(1011), -1);
	for (unsigned i = 2; i < 60; i++)
		block(LIFE_BLOCK_NEW, i, i - 1, "a", i);
	assert_null(life_block_find(life, block_hash_of(51)));
	assert_non_null(life_block_find(life, block_hash_of(52)));
	assert_int_equal(state_of(1000), LIFE_INCLUDED); /* its block is no longer known */
	assert_null(life_block_of(life, tx(1000)));
	for (unsigned i = 0; i < 50; i++)
		block(LIFE_BLOCK_OFFERED, 160 + i * 100, 99, "xyz", 100); /* candidates have a quarter */
	assert_non_null(life_block_find(life, block_hash_of(59)));
	assert_non_null(life_block_find(life, block_hash_of(55)));
	assert_int_equal(life_top(life)->id.number, 59);
}

static void
cycles_end(void **state)
{
	block(LIFE_BLOCK_NEW, 1, 0, "z", 1);
	block(LIFE_BLOCK_NEW, 10, 12, "a", 1);
	block(LIFE_BLOCK_NEW, 11, 10, "b", 1);
	block(LIFE_BLOCK_NEW, 12, 11, "c", 1);
	block(LIFE_BLOCK_NEW, 20, 20, "d", 1); /* its own parent */
	head(12, 2);
	assert_int_equal(state_of('c'), LIFE_INCLUDED);
	assert_int_equal(life_top(life)->id.number, 12);
	head(20, 3);
	assert_int_equal(state_of('d'), LIFE_INCLUDED);
	assert_null(life_check(life));
	head(11, 4);
	assert_null(life_check(life));
	struct life_block_id id = id_of(30, 29, UINT64_MAX); /* nor does any number break the order */
	life_block_open(life, 1, 5);
	life_block_close(life, 1, LIFE_BLOCK_NEW, &id, 5);
	head(30, 5);
	assert_true(life_top(life)->id.number < 1000);
}

static void
configs_out_of_range_are_refused(void **state)
{
	struct life_config c = config;
	assert_true(life_bytes(&c) > 0);
	c.n_txs = 7;
	assert_int_equal(life_bytes(&c), 0);
	c.n_txs = (1u << 26) + 1;
	assert_int_equal(life_bytes(&c), 0);
	c = config;
	c.n_blocks = 3;
	assert_int_equal(life_bytes(&c), 0);
	c = config;
	c.n_links = 15;
	assert_int_equal(life_bytes(&c), 0);
	c = config;
	c.n_protocols = LIFE_PROTOCOLS_MAX + 1;
	assert_int_equal(life_bytes(&c), 0);
	struct life_protocol many[2] = {{"a", addresses, LIFE_ADDRESSES_MAX}, {"b", addresses, 1}};
	c = config;
	c.protocols = many;
	assert_int_equal(life_bytes(&c), 0);
	many[0].n_addresses = UINT32_MAX;
	assert_int_equal(life_bytes(&c), 0);
	assert_string_equal(life_count_name(LIFE_N_NEVER_SEEN), "NEVER_SEEN");
	assert_non_null(strstr(life_count_help(LIFE_N_NEVER_SEEN), "never seen"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(announcement_meets_its_body),
		T(time_ends_lives),
		T(a_nodes_word_is_kept),
		T(inclusion_tells_what_was_seen),
		T(a_block_told_twice_counts_once),
		T(candidates_wait_for_a_forkchoice),
		T(a_head_may_come_before_its_block),
		T(a_late_parent_shows_what_was_wrong),
		T(reorg_undoes_and_does),
		T(invalid_is_as_if_never),
		T(invalid_counts_where_it_is_now),
		T(void_and_lost_blocks_leave_nothing),
		T(old_blocks_do_not_change_the_share),
		T(without_an_engine_answers_count),
		T(mined_by_a_nodes_word),
		T(the_included_one_decides),
		T(sender_and_nonce_may_be_learned_late),
		T(rivals_are_capped),
		T(protocols_have_their_own_share),
		T(room_is_made_of_the_settled_first),
		T(blocks_and_links_are_bounded),
		T(cycles_end),
		T(configs_out_of_range_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
