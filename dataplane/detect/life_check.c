/* SPDX-License-Identifier: BSD-3-Clause */
/* What must hold between any two calls. */
#include "detect/life_private.h"

#include <string.h>

#define MUST(what, cond)             \
	do {                         \
		if (!(cond))         \
			return what; \
	} while (0)

static const char *
check_lists(const struct life *l)
{
	uint32_t n = 0, states[LIFE_DROPPED + 1] = {0}, n_free = 0;
	for (unsigned c = 0; c < CLASS_COUNT; c++) {
		uint32_t prev = 0, here = 0;
		for (uint32_t s = l->lists[c].first; s != 0; prev = s, s = l->txs[s].next) {
			const struct life_tx *t = &l->txs[s];
			MUST("a list without end", here++ < l->n_txs);
			MUST("the list's back links", t->prev == prev);
			MUST("an entry in the list of another class",
				t->list == c && life_tx_class(l, t) == c);
			states[t->state]++;
		}
		MUST("the list's end", l->lists[c].last == prev);
		MUST("the list's length", l->lists[c].n == here);
		n += here;
	}
	for (uint32_t s = l->free_tx; s != 0; s = l->txs[s].next)
		MUST("the free list's length", n_free++ < l->n_txs);
	MUST("an entry neither free nor in a list", n == l->n_tx_used && n + n_free == l->n_txs);
	MUST("the populations", memcmp(states, l->states, sizeof states) == 0);
	return NULL;
}

static uint32_t
chained(const struct life *l, const uint32_t *table, size_t next_at)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i <= l->tx_mask; i++) {
		for (uint32_t s = table[i]; s != 0 && n <= l->n_txs; n++)
			memcpy(&s, (const uint8_t *)&l->txs[s] + next_at, sizeof s);
	}
	return n;
}

/* Among those of one sender and nonce. */
static const char *
check_rivals(const struct life *l, const struct life_tx *t, uint32_t bucket_first)
{
	uint32_t n = 0;
	bool found = false, included = false;
	for (uint32_t s = bucket_first; s != 0; s = l->txs[s].by_nonce) {
		const struct life_tx *r = &l->txs[s];
		found |= r == t;
		if (r->nonce != t->nonce || memcmp(r->sender, t->sender, 20) != 0)
			continue;
		n++;
		included |= r->state == LIFE_INCLUDED;
	}
	MUST("an entry that its sender and nonce do not find", found);
	MUST("too many of one sender and nonce", n <= LIFE_RIVALS_MAX);
	MUST("pending beside an included one", !(included && t->state == LIFE_PENDING));
	const struct life_tx *by = life_replacement(l, t);
	MUST("replaced by one that is not included", by == NULL || by->state == LIFE_INCLUDED);
	MUST("replaced by a stranger",
		by == NULL || (by->nonce == t->nonce && memcmp(by->sender, t->sender, 20) == 0));
	return NULL;
}

static const char *
check_tx(const struct life *l, const struct life_tx *t)
{
	MUST("an entry that its hash does not find", life_find(l, t->hash) == t);
	if (t->by_fp_in)
		MUST("an entry that its fingerprint does not find",
			&l->txs[life_tx_find_fp(l, t->fingerprint)] == t);
	if (t->by_nonce_in) {
		uint64_t w[4] = {0, 0, 0, t->nonce};
		memcpy(w, t->sender, 20);
		const char *wrong = check_rivals(l, t, l->by_nonce[life_hash(l, w, 4) & l->tx_mask]);
		if (wrong != NULL)
			return wrong;
	}
	MUST("a candidate without block", t->state != LIFE_CANDIDATE || t->refs > 0);
	MUST("announced without an announcement", t->state != LIFE_ANNOUNCED || t->has & LIFE_HAS_ANNOUNCED);
	MUST("pending out of nothing", t->state != LIFE_PENDING || t->reorged || t->has & LIFE_HAS_PENDING);
	MUST("included without an opinion", t->state != LIFE_INCLUDED || t->before != LIFE_BEFORE_UNKNOWN);
	MUST("a block or a replacement without cause",
		t->state == LIFE_INCLUDED || t->state == LIFE_REPLACED || t->by.slot == 0);
	const struct life_block *b = life_block_of(l, t);
	MUST("included in a block that is not canonical", b == NULL || b->canonical);
	return NULL;
}

static const char *
check_txs(const struct life *l)
{
	uint32_t by_nonce = 0, by_fp = 0;
	uint64_t refs = 0;
	for (unsigned c = 0; c < CLASS_COUNT; c++) {
		for (uint32_t s = l->lists[c].first; s != 0; s = l->txs[s].next) {
			const char *wrong = check_tx(l, &l->txs[s]);
			if (wrong != NULL)
				return wrong;
			by_nonce += l->txs[s].by_nonce_in;
			by_fp += l->txs[s].by_fp_in;
			refs += l->txs[s].refs;
		}
	}
	MUST("the index of hashes",
		chained(l, l->by_hash, offsetof(struct life_tx, by_hash)) == l->n_tx_used);
	MUST("the index of nonces", chained(l, l->by_nonce, offsetof(struct life_tx, by_nonce)) == by_nonce);
	MUST("the index of fingerprints", chained(l, l->by_fp, offsetof(struct life_tx, by_fp)) == by_fp);
	uint64_t alive = 0;
	for (uint32_t i = 1; i <= l->n_blocks + LIFE_OPEN_MAX; i++) {
		for (uint32_t k = l->blocks[i].first; l->blocks[i].place != PLACE_FREE && k != 0;
			k = l->links[k].next)
			alive += l->txs[l->links[k].tx].generation == l->links[k].generation;
	}
	MUST("references of blocks", refs == alive);
	return NULL;
}

static const char *
check_block_list(const struct life *l, const struct life_list *list, enum life_place place, uint64_t *links)
{
	uint32_t prev = 0, n = 0;
	bool unsettled = false;
	for (uint32_t s = list->first; s != 0; prev = s, s = l->blocks[s].next) {
		const struct life_block *b = &l->blocks[s];
		MUST("a list of blocks without end", n++ < l->n_blocks);
		MUST("back links of blocks", b->prev == prev);
		MUST("a block's place",
			b->place == place && b->canonical == (place == PLACE_CHAIN) && !b->invalid);
		MUST("a block that its hash does not find", life_block_find(l, b->id.hash) == b);
		*links += b->n_txs;
		if (place != PLACE_CHAIN)
			continue;
		MUST("numbers of the chain", prev == 0 || b->id.number > l->blocks[prev].id.number);
		MUST("settled above unsettled", !(unsettled && b->settled));
		MUST("the lowest unsettled", unsettled || b->settled || l->unsettled == s);
		unsettled |= !b->settled;
	}
	MUST("the end of a list of blocks", list->last == prev && list->n == n);
	MUST("no unsettled", place != PLACE_CHAIN || unsettled || l->unsettled == 0);
	return NULL;
}

static const char *
check_blocks(const struct life *l)
{
	uint64_t links = 0;
	uint32_t n_free = 0, free_links = 0;
	const char *wrong = check_block_list(l, &l->chain, PLACE_CHAIN, &links);
	if (wrong == NULL)
		wrong = check_block_list(l, &l->candidates, PLACE_CANDIDATE, &links);
	if (wrong != NULL)
		return wrong;
	MUST("open blocks", l->n_open <= LIFE_OPEN_MAX);
	for (uint32_t i = 0; i < l->n_open; i++) {
		MUST("an open block's place", l->blocks[l->open[i]].place == PLACE_OPEN);
		links += l->blocks[l->open[i]].n_txs;
	}
	for (uint32_t s = l->free_block; s != 0 && n_free <= l->n_blocks + LIFE_OPEN_MAX;
		s = l->blocks[s].next)
		n_free++;
	MUST("too many blocks", l->chain.n + l->candidates.n <= l->n_blocks);
	MUST("a block neither free nor in a list",
		l->chain.n + l->candidates.n + l->n_open + n_free == l->n_blocks + LIFE_OPEN_MAX);
	for (uint32_t s = l->free_link; s != 0 && free_links <= l->n_links; s = l->links[s].next)
		free_links++;
	MUST("links of blocks", links == l->n_links_used && links + free_links == l->n_links);
	return NULL;
}

static bool
adds_up(const struct life_share *s)
{
	return s->included == s->seen_pending + s->announced_only + s->never_seen;
}

static const char *
check_counts(const struct life *l)
{
	const uint64_t *n = l->counts;
	struct life_share sum = {0};
	MUST("included is not the sum of its parts",
		n[LIFE_N_INCLUDED] ==
			n[LIFE_N_INCLUDED_PENDING] + n[LIFE_N_ANNOUNCED_ONLY] + n[LIFE_N_NEVER_SEEN]);
	MUST("taken back is not the sum of its parts",
		n[LIFE_N_TAKEN_BACK] == n[LIFE_N_TAKEN_BACK_PENDING] + n[LIFE_N_TAKEN_BACK_ANNOUNCED_ONLY] +
						n[LIFE_N_TAKEN_BACK_NEVER_SEEN]);
	MUST("the share is not the counts' difference",
		adds_up(&l->total) && l->total.included == n[LIFE_N_INCLUDED] - n[LIFE_N_TAKEN_BACK] &&
			l->total.announced_only ==
				n[LIFE_N_ANNOUNCED_ONLY] - n[LIFE_N_TAKEN_BACK_ANNOUNCED_ONLY] &&
			l->total.never_seen == n[LIFE_N_NEVER_SEEN] - n[LIFE_N_TAKEN_BACK_NEVER_SEEN]);
	for (uint32_t i = 0; i < l->n_protocols; i++) {
		MUST("a protocol's share", adds_up(&l->shares[i]));
		sum.included += l->shares[i].included;
		sum.announced_only += l->shares[i].announced_only;
		sum.never_seen += l->shares[i].never_seen;
	}
	MUST("protocols have more than all", sum.included <= l->total.included &&
						     sum.announced_only <= l->total.announced_only &&
						     sum.never_seen <= l->total.never_seen);
	return NULL;
}

const char *
life_check(const struct life *l)
{
	const char *wrong = check_lists(l);
	if (wrong == NULL)
		wrong = check_blocks(l);
	if (wrong == NULL)
		wrong = check_txs(l);
	return wrong != NULL ? wrong : check_counts(l);
}
