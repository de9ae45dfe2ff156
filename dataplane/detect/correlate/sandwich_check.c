/* SPDX-License-Identifier: BSD-3-Clause */
/* What may never be. */
#include "detect/correlate/sandwich_private.h"

#define MUST(what, text)             \
	do {                         \
		if (!(what))         \
			return text; \
	} while (0)

static const char *
check_touches(const struct sandwich *s, const struct entry *e, uint32_t *n)
{
	uint32_t mine = 0, slot = sandwich_slot(s, e);
	for (uint32_t i = e->touches; i != NIL; i = s->touches[i].of_tx) {
		MUST(i < s->n_touches && s->touches[i].tx == slot, "a touch of another");
		MUST(++mine <= SANDWICH_TOUCHES_MAX, "a ring of touches, or too many");
		const struct touch *t = &s->touches[i];
		MUST(t->key == sandwich_key_of(s, t->address), "a touch under another key");
		if (!(e->flags & ENTRY_LINKED))
			continue;
		MUST((t->who[BY_SENDER] != 0) == ((e->flags & ENTRY_FROM) != 0),
			"a known sender in no chain");
		if (t->how & TOUCH_SWAP_OF)
			MUST(s->filter[sandwich_filter_at(s, t->address)] != 0,
				"a swap that the filter hides");
	}
	MUST(mine == e->n_touches, "touches miscounted");
	*n += mine;
	return NULL;
}

static const char *
check_entries(const struct sandwich *s, uint32_t *touches, uint32_t *linked, uint32_t *inputs)
{
	MUST(s->first <= s->next && s->next - s->first <= s->tx_mask + 1,
		"more in flight than there is room for");
	for (uint64_t seq = s->first; seq < s->next; seq++) {
		const struct entry *e = sandwich_at(s, seq);
		MUST(e != NULL, "an entry that is not where its number says");
		MUST(sandwich_find(s, e->hash) == e, "an entry that its hash does not find");
		MUST(!(e->flags & ENTRY_SETTLED) || (e->touches == NIL && !(e->flags & ENTRY_INPUT)) ||
				!(e->flags & ENTRY_LINKED),
			"a settled entry in the chains");
		uint32_t before = *touches;
		const char *wrong = check_touches(s, e, touches);
		if (wrong != NULL)
			return wrong;
		if (e->flags & ENTRY_LINKED)
			*linked += *touches - before;
		*inputs += (e->flags & ENTRY_INPUT) != 0;
	}
	return NULL;
}

static const char *
check_chain(const struct sandwich *s, uint32_t head, int which, uint32_t *n)
{
	uint32_t prev = NIL;
	for (uint32_t i = head; i != NIL;
		i = (which < 0 ? &s->touches[i].by_key : &s->touches[i].by_who[which])->next) {
		const struct touch *t = &s->touches[i];
		const struct touch_link *l = which < 0 ? &t->by_key : &t->by_who[which];
		MUST(l->prev == prev, "a chain that does not lead back");
		MUST(s->txs[t->tx].flags & ENTRY_LINKED, "an entry in a chain that says it is in none");
		MUST(++*n <= s->n_touches, "a chain that is a ring");
		prev = i;
	}
	return NULL;
}

static const char *
check_chains(const struct sandwich *s, uint32_t linked)
{
	uint32_t n = 0;
	const char *wrong;
	for (uint32_t i = 0; i <= s->key_mask; i++) {
		if ((wrong = check_chain(s, s->by_key[i], -1, &n)) != NULL)
			return wrong;
	}
	MUST(n == linked, "touches that no chain has, or two have");
	for (int by = 0; by < 2; by++) {
		n = 0;
		for (uint32_t i = 0; i <= s->key_mask; i++)
			if ((wrong = check_chain(s, s->by_who[by][i], by, &n)) != NULL)
				return wrong;
		MUST(n <= linked, "more in a chain than there are");
	}
	return NULL;
}

static const char *
check_inputs(const struct sandwich *s, uint32_t inputs)
{
	uint32_t n = 0;
	for (uint32_t b = 0; b <= s->fp_mask; b++)
		for (uint32_t i = s->by_fp[b]; i != NIL; i = s->txs[i].fp_next) {
			MUST(s->txs[i].flags & ENTRY_INPUT, "an input in the table that says it is not");
			MUST(++n <= inputs, "more inputs than there are");
		}
	MUST(n == inputs && n == s->n_inputs, "inputs miscounted");
	return NULL;
}

static const char *
check_incidents(const struct sandwich *s)
{
	uint32_t n = 0, live = 0;
	for (uint32_t k = 0; k <= s->incident_mask; k++) {
		live += s->incidents[k].id != 0;
		for (uint32_t i = s->by_incident[k]; i != NIL; i = s->incidents[i].next) {
			const struct incident *c = &s->incidents[i];
			MUST(c->id != 0 && (c->hash & s->incident_mask) == k,
				"an incident in another's bucket");
			MUST(c->n_listed >= 1 && c->n_listed <= SANDWICH_VICTIMS &&
					c->n_victims >= c->n_listed,
				"an incident without victims");
			MUST(c->front != 0 && (c->back != 0) == (c->kind == SANDWICH_PUBLIC ||
									c->kind == SANDWICH_BUNDLE),
				"an incident without its legs");
			MUST(++n <= s->incident_mask + 1, "a bucket of incidents that is a ring");
		}
	}
	MUST(n == live, "an incident in no bucket");
	return NULL;
}

const char *
sandwich_check(const struct sandwich *s)
{
	uint32_t touches = 0, linked = 0, inputs = 0, free = 0;
	const char *wrong = check_entries(s, &touches, &linked, &inputs);
	if (wrong == NULL)
		wrong = check_chains(s, linked);
	if (wrong == NULL)
		wrong = check_inputs(s, inputs);
	if (wrong == NULL)
		wrong = check_incidents(s);
	if (wrong != NULL)
		return wrong;
	for (uint32_t i = s->free_touch; i != NIL; i = s->touches[i].of_tx)
		MUST(++free <= s->n_touches, "a ring of free touches");
	MUST(touches == s->n_touches_used && touches + free == s->n_touches, "touches lost");
	return NULL;
}
