/* SPDX-License-Identifier: BSD-3-Clause */
/* Random facts against a slow and simple reference: a list that is the chain, and for each transaction what
 * is known of it. After each fact, whoever has lost to an included rival is looked for among all. Nothing is
 * ever evicted. */
#include "detect/life.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define TXS 40
#define BLOCKS 24
#define GROUPS 12 /* t and u have the same sender and nonce if t % GROUPS == u % GROUPS */
#define NOBODY (-1)
#define PENDING_TTL 200u
#define ANNOUNCED_TTL 60u

struct model_tx {
	int state; /* NOBODY: no entry */
	bool announced, pending, reorged, knows_group;
	int block, counted_by, before, verdict;
	uint64_t since;
};

struct model_block {
	bool known, canonical, counted, has_number;
	int kind, n, unread;
	int txs[4 * TXS];
	uint64_t number;
};

static struct model {
	struct model_tx tx[TXS];
	struct model_block block[BLOCKS];
	int chain[BLOCKS], n_chain;
	int wanted; /* NOBODY: none */
	bool engine;
	uint64_t counts[LIFE_N_COUNT];
	uint64_t now;
} m;

/* What a run's blocks say of themselves. parent: NOBODY: not told; BLOCKS: one that never comes. */
static struct {
	int parent;
	bool has_number;
	uint64_t number;
} world[BLOCKS];

static struct life *life;
static uint64_t counts[LIFE_N_COUNT];
static uint64_t random_state;

static unsigned
pick(unsigned n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)(random_state >> 33) % n;
}

/* ---- the reference ---- */

static int
model_parent(int b)
{
	int p = world[b].parent;
	return p >= 0 && p < BLOCKS && m.block[p].known ? p : NOBODY;
}

static bool
listed_anywhere(int t)
{
	for (int b = 0; b < BLOCKS; b++)
		for (int i = 0; m.block[b].known && i < m.block[b].n; i++)
			if (m.block[b].txs[i] == t)
				return true;
	return false;
}

static void
model_count(int t, int b)
{
	if (m.tx[t].counted_by != NOBODY)
		return;
	m.tx[t].counted_by = b;
	m.counts[LIFE_N_INCLUDED]++;
	m.counts[m.tx[t].before == LIFE_SEEN_PENDING	 ? LIFE_N_INCLUDED_PENDING
		 : m.tx[t].before == LIFE_ANNOUNCED_ONLY ? LIFE_N_ANNOUNCED_ONLY
							 : LIFE_N_NEVER_SEEN]++;
}

static int
model_before(int t)
{
	return m.tx[t].pending	   ? LIFE_SEEN_PENDING
	       : m.tx[t].announced ? LIFE_ANNOUNCED_ONLY
				   : LIFE_NEVER_SEEN;
}

static void
model_include(int t, int b, bool counts_too)
{
	struct model_tx *x = &m.tx[t];
	if (x->state == LIFE_INCLUDED && (b == NOBODY || x->block != NOBODY))
		return;
	if (x->counted_by == NOBODY)
		x->before = model_before(t);
	x->state = LIFE_INCLUDED;
	x->block = b;
	if (counts_too)
		model_count(t, b);
}

static void
model_leave(int b, bool invalid)
{
	m.block[b].canonical = false;
	m.counts[LIFE_N_BLOCKS_REORGED] += !invalid;
	for (int t = 0; t < TXS; t++) {
		struct model_tx *x = &m.tx[t];
		if (x->state != LIFE_INCLUDED || x->block != b)
			continue;
		x->block = NOBODY;
		x->since = m.now;
		m.counts[LIFE_N_REORGED] += !invalid;
		x->reorged |= !invalid;
		x->state = x->reorged || x->pending ? LIFE_PENDING
			   : x->announced	    ? LIFE_ANNOUNCED
						    : LIFE_CANDIDATE;
	}
}

static void
model_come_in(int b, bool counts_too)
{
	struct model_block *k = &m.block[b];
	k->canonical = true;
	if (counts_too && !k->counted) {
		k->counted = true;
		m.counts[LIFE_N_BLOCKS]++;
		m.counts[LIFE_N_UNREAD] += (uint64_t)k->unread;
	}
	for (int i = 0; i < k->n; i++)
		model_include(k->txs[i], b, k->counted);
}

static void
model_cut(int n, bool invalid)
{
	while (m.n_chain > n)
		model_leave(m.chain[--m.n_chain], invalid);
}

static void
model_advance(int b, bool told_counts)
{
	int path[BLOCKS], n = 0, keep = 0, p;
	bool in_path[BLOCKS] = {false};
	for (p = b; p != NOBODY && !m.block[p].canonical && !in_path[p]; p = model_parent(p)) {
		in_path[p] = true;
		path[n++] = p;
	}
	struct model_block *from = &m.block[path[n - 1]];
	if (p != NOBODY && m.block[p].canonical) {
		while (m.chain[keep] != p)
			keep++;
		keep++;
		from->number = m.block[p].number + 1;
	} else if (from->has_number) {
		while (keep < m.n_chain && m.block[m.chain[keep]].number < from->number)
			keep++;
		if (keep > 0 && world[path[n - 1]].parent != NOBODY &&
			m.block[m.chain[keep - 1]].number + 1 == from->number)
			keep--;
	} else {
		keep = m.n_chain;
		from->number = keep > 0 ? m.block[m.chain[keep - 1]].number + 1 : 0;
	}
	model_cut(keep, false);
	for (uint64_t number = from->number; n-- > 0; number++) {
		m.block[path[n]].number = number;
		m.chain[m.n_chain++] = path[n];
		model_come_in(path[n], told_counts || m.block[path[n]].kind != LIFE_BLOCK_TOLD);
	}
}

static void
model_fill(int b)
{
	while (b != NOBODY && !m.block[b].canonical) {
		int at = m.n_chain - 1;
		while (at >= 0 && world[m.chain[at]].parent != b)
			at--;
		if (at < 0 || m.block[m.chain[at]].number == 0)
			return;
		uint64_t number = m.block[m.chain[at]].number - 1;
		int below = at > 0 ? m.chain[at - 1] : NOBODY, p = model_parent(b);
		if (below != NOBODY && m.block[below].number >= number)
			return;
		m.block[b].number = number;
		memmove(&m.chain[at + 1], &m.chain[at], (size_t)(m.n_chain++ - at) * sizeof *m.chain);
		m.chain[at] = b;
		model_come_in(b, m.block[b].kind != LIFE_BLOCK_TOLD);
		if (below != NOBODY && p != below && world[b].parent != NOBODY &&
			m.block[below].number + 1 == number) {
			model_leave(below, false);
			memmove(&m.chain[at - 1], &m.chain[at], (size_t)(m.n_chain-- - at) * sizeof *m.chain);
		}
		b = p;
	}
}

static void
model_head(int b, bool told_counts)
{
	m.wanted = m.block[b].known ? NOBODY : b;
	if (!m.block[b].known)
		return;
	if (!m.block[b].canonical)
		model_advance(b, told_counts);
	int keep = 0;
	while (m.chain[keep] != b)
		keep++;
	model_cut(keep + 1, false);
}

static void
model_told(int b, bool known)
{
	struct model_block *k = &m.block[b];
	if (k->canonical || (known && m.engine))
		return;
	if (m.n_chain == 0 || (k->has_number && k->number > m.block[m.chain[m.n_chain - 1]].number)) {
		model_advance(b, !m.engine);
		return;
	}
	model_fill(b);
	if (k->canonical || !k->has_number)
		return;
	for (int i = 0; i < m.n_chain; i++)
		if (m.block[m.chain[i]].number == k->number)
			return;
	for (int i = 0; i < k->n; i++)
		model_include(k->txs[i], NOBODY, false);
	k->known = false;
}

static void
model_payload(int b)
{
	struct model_block *k = &m.block[b];
	m.engine = true;
	if (k->canonical) {
		if (k->counted)
			return;
		k->counted = true;
		m.counts[LIFE_N_BLOCKS]++;
		m.counts[LIFE_N_UNREAD] += (uint64_t)k->unread;
		for (int t = 0; t < TXS; t++)
			if (m.tx[t].state == LIFE_INCLUDED && m.tx[t].block == b)
				model_count(t, b);
	} else if (m.n_chain == 0 || world[b].parent == m.chain[m.n_chain - 1]) {
		model_advance(b, true);
	} else {
		model_fill(b);
	}
}

/* A block whose list is txs has been read. */
static void
model_close(int b, int kind, const int *txs, int n, int unread)
{
	struct model_block *k = &m.block[b];
	bool known = k->known, wanted = m.wanted == b,
	     told_counts = kind == LIFE_BLOCK_TOLD && !m.engine && !known;
	if (!known) {
		*k = (struct model_block){.known = true,
			.kind = kind,
			.has_number = world[b].has_number,
			.number = world[b].number};
	} else if (kind > k->kind) {
		k->kind = kind;
	}
	if (!known || (n > k->n && !k->canonical && !k->counted)) {
		memcpy(k->txs, txs, (size_t)n * sizeof *txs);
		k->n = n;
		k->unread = unread;
	} else if (n > k->n && k->canonical) {
		for (int i = 0; i < n; i++) {
			if (m.tx[txs[i]].state == LIFE_INCLUDED && m.tx[txs[i]].block == b)
				continue;
			k->txs[k->n++] = txs[i];
			model_include(txs[i], b, k->counted);
		}
	}
	if (kind == LIFE_BLOCK_NEW)
		model_payload(b);
	else if (kind == LIFE_BLOCK_TOLD && !wanted)
		model_told(b, known);
	else if (kind == LIFE_BLOCK_OFFERED && !k->canonical)
		model_fill(b);
	if (wanted)
		model_head(b, told_counts);
}

static void
model_take_back(int b)
{
	m.block[b].known = m.block[b].canonical = false;
	m.counts[LIFE_N_BLOCKS_INVALID]++;
	for (int t = 0; t < TXS; t++) {
		struct model_tx *x = &m.tx[t];
		if (x->state == NOBODY || x->counted_by != b)
			continue;
		x->counted_by = NOBODY;
		m.counts[LIFE_N_TAKEN_BACK]++;
		m.counts[x->before == LIFE_SEEN_PENDING	    ? LIFE_N_TAKEN_BACK_PENDING
			 : x->before == LIFE_ANNOUNCED_ONLY ? LIFE_N_TAKEN_BACK_ANNOUNCED_ONLY
							    : LIFE_N_TAKEN_BACK_NEVER_SEEN]++;
		x->before = model_before(t);
		if (x->state == LIFE_INCLUDED && x->block != NOBODY && m.block[x->block].counted)
			model_count(t, x->block);
	}
}

static void
model_invalid(int b)
{
	if (!m.block[b].known)
		return;
	if (m.block[b].canonical) {
		int at = 0;
		while (m.chain[at] != b)
			at++;
		int bad_to = at + 1;
		while (bad_to < m.n_chain && model_parent(m.chain[bad_to]) == m.chain[bad_to - 1])
			bad_to++;
		model_cut(bad_to, false);
		while (m.n_chain > at) {
			int top = m.chain[m.n_chain - 1];
			model_cut(m.n_chain - 1, true);
			model_take_back(top);
		}
		return;
	}
	model_take_back(b);
}

static void
model_settle_down(void)
{
	for (int t = 0; t < TXS; t++) {
		struct model_tx *x = &m.tx[t];
		bool lost = false;
		for (int u = t % GROUPS; u < TXS; u += GROUPS)
			lost |= u != t && m.tx[u].state == LIFE_INCLUDED && m.tx[u].knows_group &&
				x->knows_group;
		if (x->state == LIFE_PENDING && lost) {
			x->state = LIFE_REPLACED;
		} else if (x->state == LIFE_REPLACED && !lost) {
			x->state = LIFE_PENDING;
			x->since = m.now;
		}
		if (x->state == LIFE_CANDIDATE && !listed_anywhere(t))
			x->state = NOBODY;
		if (x->state == NOBODY)
			*x = (struct model_tx){.state = NOBODY, .block = NOBODY, .counted_by = NOBODY};
	}
}

static void
model_touch(int t, bool knows)
{
	if (m.tx[t].state == NOBODY)
		m.tx[t].state = LIFE_CANDIDATE;
	m.tx[t].knows_group |= knows;
}

static void
model_pending(int t, bool knows)
{
	model_touch(t, knows);
	struct model_tx *x = &m.tx[t];
	for (int u = t % GROUPS; u < TXS && x->state == LIFE_PENDING; u += GROUPS)
		if (u != t && m.tx[u].state == LIFE_INCLUDED && m.tx[u].knows_group && x->knows_group)
			x->state = LIFE_REPLACED; /* what it told of itself decided before its bytes count */
	if (x->state == LIFE_INCLUDED || x->state == LIFE_REPLACED)
		return;
	x->pending = true;
	if (x->state != LIFE_PENDING)
		x->since = m.now;
	x->state = LIFE_PENDING;
}

static void
model_age(void)
{
	for (int t = 0; t < TXS; t++) {
		struct model_tx *x = &m.tx[t];
		if (x->state == LIFE_PENDING && m.now - x->since >= PENDING_TTL) {
			x->state = LIFE_DROPPED;
		} else if (x->state == LIFE_ANNOUNCED && m.now - x->since >= ANNOUNCED_TTL) {
			x->announced = false;
			x->state = LIFE_CANDIDATE;
		}
	}
}

/* ---- both ---- */

static const uint8_t *
hash_of(char what, int i)
{
	static uint8_t h[8][32];
	static unsigned at;
	uint8_t *p = h[at++ % 8];
	memset(p, what, 32);
	p[5] = (uint8_t)i;
	return p;
}

static struct life_seen
seen(int t, bool knows)
{
	static uint8_t sender[20];
	sender[3] = (uint8_t)(t % GROUPS);
	return (struct life_seen){
		.hash = hash_of('t', t), .sender = knows ? sender : NULL, .has_nonce = true, .nonce = 9};
}

static void
do_block(void)
{
	int b = (int)pick(BLOCKS), kind = (int)pick(3), txs[TXS], n = 0, unread = (int)pick(3);
	bool whole = pick(4) != 0, knows = pick(4) != 0;
	struct life_block_id id = {.has = LIFE_HAS_HASH, .number = world[b].number};
	memcpy(id.hash, hash_of('b', b), 32);
	if (world[b].parent != NOBODY) {
		id.has |= LIFE_HAS_PARENT;
		memcpy(id.parent, hash_of('b', world[b].parent), 32);
	}
	id.has |= world[b].has_number ? LIFE_HAS_NUMBER : 0;
	life_block_open(life, 3, m.now);
	for (int t = 0; t < TXS; t++) {
		if (t * 7 % BLOCKS != b && t * 5 % BLOCKS != b && t * 3 % BLOCKS != b)
			continue; /* a transaction is in up to three blocks */
		if (!whole && pick(2))
			continue;
		struct life_seen s = seen(t, knows);
		life_block_tx(life, 3, &s, m.now);
		txs[n++] = t;
		model_touch(t, knows);
	}
	for (int i = 0; i < unread; i++)
		life_block_unread(life, 3);
	if (pick(20) == 0) {
		life_block_close(life, 3, (enum life_block_kind)kind, NULL, m.now);
		return;
	}
	life_block_close(life, 3, (enum life_block_kind)kind, &id, m.now);
	model_close(b, kind, txs, n, unread);
}

static void
do_mined(int t, bool knows)
{
	int b = (int)pick(BLOCKS + 1);
	struct life_seen s = seen(t, knows);
	life_mined(life, &s, pick(2) ? hash_of('b', b) : (b = BLOCKS, NULL), m.now);
	struct model_block *k = b < BLOCKS && m.block[b].known ? &m.block[b] : NULL;
	if (k != NULL && !k->canonical && m.engine) {
		if (m.tx[t].state != NOBODY)
			model_touch(t, knows);
		return;
	}
	model_touch(t, knows);
	if (m.tx[t].state == LIFE_INCLUDED)
		return;
	if (k != NULL && k->canonical) {
		k->txs[k->n++] = t;
		model_include(t, b, false);
	} else {
		model_include(t, NOBODY, false);
	}
}

static void
do_judged(int t)
{
	bool yes = pick(2);
	life_judged(life, hash_of('t', t), 0, yes, 1, m.now);
	if (m.tx[t].state != NOBODY && m.tx[t].verdict != LIFE_ACCEPTED)
		m.tx[t].verdict = yes ? LIFE_ACCEPTED : LIFE_REFUSED;
}

static void
do_fact(void)
{
	int t = (int)pick(TXS), b = (int)pick(BLOCKS);
	bool knows = pick(3) != 0;
	struct life_seen s = seen(t, knows);
	switch (pick(12)) {
	case 0:
		life_announced(life, s.hash, 2, 100, m.now);
		model_touch(t, false);
		if (m.tx[t].state == LIFE_CANDIDATE)
			m.tx[t].state = LIFE_ANNOUNCED, m.tx[t].announced = true, m.tx[t].since = m.now;
		break;
	case 1:
	case 2:
	case 3:
		life_pending(life, &s, m.now);
		model_pending(t, knows);
		break;
	case 4:
		do_mined(t, knows);
		break;
	case 5:
		do_judged(t);
		break;
	case 6:
	case 7:
		life_head(life, hash_of('b', b), m.now);
		model_head(b, false);
		break;
	case 8:
		if (pick(3) == 0) {
			life_block_judged(life, hash_of('b', b), false, m.now);
			model_invalid(b);
		}
		break;
	case 9:
		life_age(life, m.now, 1000);
		model_age();
		break;
	default:
		do_block();
		break;
	}
	model_settle_down();
}

static void
compare_tx(int t)
{
	const struct model_tx *x = &m.tx[t];
	const struct life_tx *y = life_find(life, hash_of('t', t));
	assert_int_equal(y == NULL ? NOBODY : y->state, x->state);
	if (y == NULL)
		return;
	assert_int_equal(!!(y->has & LIFE_HAS_PENDING), x->pending);
	assert_int_equal(!!(y->has & LIFE_HAS_ANNOUNCED), x->announced);
	assert_int_equal(y->verdict, x->verdict);
	assert_int_equal(y->reorged, x->reorged);
	if (x->state != LIFE_INCLUDED)
		return;
	assert_int_equal(y->before, x->before);
	const struct life_block *b = life_block_of(life, y);
	assert_int_equal(b == NULL ? NOBODY : b->id.hash[5], x->block);
}

static void
compare(void)
{
	static const enum life_count exact[] = {LIFE_N_INCLUDED, LIFE_N_INCLUDED_PENDING,
		LIFE_N_ANNOUNCED_ONLY, LIFE_N_NEVER_SEEN, LIFE_N_TAKEN_BACK, LIFE_N_TAKEN_BACK_PENDING,
		LIFE_N_TAKEN_BACK_ANNOUNCED_ONLY, LIFE_N_TAKEN_BACK_NEVER_SEEN, LIFE_N_BLOCKS,
		LIFE_N_BLOCKS_REORGED, LIFE_N_BLOCKS_INVALID, LIFE_N_REORGED, LIFE_N_UNREAD};
	const char *wrong = life_check(life);
	if (wrong != NULL)
		print_error("%s\n", wrong);
	assert_null(wrong);
	for (int b = 0; b < BLOCKS; b++) {
		const struct life_block *y = life_block_find(life, hash_of('b', b));
		assert_int_equal(y != NULL, m.block[b].known);
		if (y == NULL)
			continue;
		assert_int_equal(y->canonical, m.block[b].canonical);
		assert_int_equal(y->counted, m.block[b].counted);
		assert_int_equal(y->n_txs, m.block[b].n);
		if (y->canonical)
			assert_int_equal(y->id.number, m.block[b].number);
	}
	const struct life_block *top = life_top(life);
	assert_int_equal(
		top == NULL ? NOBODY : top->id.hash[5], m.n_chain > 0 ? m.chain[m.n_chain - 1] : NOBODY);
	for (int t = 0; t < TXS; t++)
		compare_tx(t);
	for (unsigned i = 0; i < sizeof exact / sizeof *exact; i++)
		if (counts[exact[i]] != m.counts[exact[i]])
			fail_msg("%s is %lu, not %lu", life_count_name(exact[i]), counts[exact[i]],
				m.counts[exact[i]]);
	assert_int_equal(counts[LIFE_N_EVICTED] + counts[LIFE_N_LINKS_FULL] + counts[LIFE_N_RIVALS_FULL], 0);
}

/* A tree with a few branches, and a few blocks that lie or say too little. */
static void
make_world(void)
{
	for (int b = 0; b < BLOCKS; b++) {
		int parent = b == 0 ? BLOCKS : b - 1 - (int)(pick(4) == 0 ? pick((unsigned)b) : 0);
		world[b].parent = parent;
		world[b].number = parent == BLOCKS ? 10 : world[parent].number + 1;
		world[b].has_number = pick(12) != 0;
		if (pick(12) == 0)
			world[b].parent = pick(2) ? NOBODY : (int)pick(BLOCKS + 1);
		if (pick(16) == 0)
			world[b].number = pick(40);
		if (!world[b].has_number)
			world[b].number = 0;
	}
}

static void
run(unsigned seed, unsigned facts)
{
	struct life_config c = {.n_txs = 64,
		.n_blocks = 64,
		.n_links = 2048,
		.key = {(uint8_t)seed},
		.pending_ttl_ns = PENDING_TTL,
		.announced_ttl_ns = ANNOUNCED_TTL,
		.counts = counts};
	random_state = 0x9e3779b97f4a7c15u * (seed + 1);
	memset(counts, 0, sizeof counts);
	memset(&m, 0, sizeof m);
	m.wanted = NOBODY;
	m.now = 1;
	for (int t = 0; t < TXS; t++)
		m.tx[t] = (struct model_tx){.state = NOBODY, .block = NOBODY, .counted_by = NOBODY};
	make_world();
	void *mem = aligned_alloc(64, life_bytes(&c));
	life = life_init(mem, &c);
	for (unsigned i = 0; i < facts; i++) {
		m.now += pick(5);
		do_fact();
		compare();
	}
	free(mem);
}

static void
agrees_with_the_reference(void **state)
{
	for (unsigned seed = 0; seed < 200; seed++)
		run(seed, 300);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_the_reference)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
