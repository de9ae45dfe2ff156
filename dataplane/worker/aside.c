/* SPDX-License-Identifier: BSD-3-Clause */
#include "worker/aside.h"

#include "worker/worker_private.h"

#include <string.h>

#define AT_ONCE 512u

/* Before each message. */
struct head {
	uint32_t bytes; /* 0: the rest of the ring, unused */
	uint32_t step;	/* to the next */
	bool told, proven;
	struct fact_evidence_item proof;
	_Alignas(16) uint8_t message[];
};

size_t
aside_bytes(uint64_t cap)
{
	return ASIDE_SLOTS * sizeof(struct aside_slot) + cap;
}

void
aside_init(struct aside *a, void *mem, uint64_t cap)
{
	*a = (struct aside){.slots = mem, .cap = cap};
	a->bytes = (uint8_t *)(a->slots + ASIDE_SLOTS);
}

static struct head *
at(const struct aside *a, uint64_t position)
{
	return (struct head *)(void *)(a->bytes + (position & (a->cap - 1)));
}

static struct aside_slot *
set_of(const struct aside *a, uint64_t fingerprint)
{
	return &a->slots[(fingerprint >> 24) & (ASIDE_SLOTS - 1) & ~(uint64_t)(ASIDE_WAYS - 1)];
}

static struct head *
find(const struct aside *a, uint64_t fingerprint)
{
	struct aside_slot *s = set_of(a, fingerprint);
	for (unsigned i = 0; i < ASIDE_WAYS; i++)
		if (s[i].fingerprint == fingerprint && s[i].at > a->tail && !at(a, s[i].at - 1)->told)
			return at(a, s[i].at - 1);
	return NULL;
}

static void
note(struct aside *a, uint64_t fingerprint, uint64_t position)
{
	struct aside_slot *set = set_of(a, fingerprint), *s = set;
	for (unsigned i = 1; i < ASIDE_WAYS; i++)
		if (set[i].at < s->at)
			s = &set[i];
	*s = (struct aside_slot){fingerprint, position + 1};
}

static void
drop_oldest(struct worker *w)
{
	struct aside *a = &w->aside;
	const struct head *h = at(a, a->tail);
	if (h->bytes > 0 && !h->told)
		judge_untold(w, (const struct tx_msg *)(const void *)h->message);
	a->tail += h->step;
}

static struct head *
room(struct worker *w, uint32_t step)
{
	struct aside *a = &w->aside;
	uint64_t rest = a->cap - (a->head & (a->cap - 1));
	uint64_t skip = rest < step ? rest : 0;
	while (a->head + skip + step - a->tail > a->cap)
		drop_oldest(w);
	if (skip > 0) {
		struct head *h = at(a, a->head);
		h->bytes = 0;
		h->step = (uint32_t)skip;
		a->head += skip;
	}
	return at(a, a->head);
}

struct tx_msg *
aside_reserve(struct worker *w, uint32_t bytes, uint64_t fingerprint)
{
	struct aside *a = &w->aside;
	uint32_t step = (uint32_t)(sizeof(struct head) + bytes + 63) & ~63u;
	struct head *h = room(w, step);
	h->bytes = bytes;
	h->step = step;
	h->told = h->proven = false;
	note(a, fingerprint, a->head);
	a->head += step;
	w->ctr[CTR_TX_PUT_ASIDE]++;
	return (struct tx_msg *)(void *)h->message;
}

/* False: no room in the pipe. */
static bool
send(struct worker *w, struct head *h, bool at_once)
{
	const struct tx_msg *m = (const struct tx_msg *)(const void *)h->message;
	void *to = at_once ? pipe_reserve(&w->pipe, h->bytes) : pipe_reserve_within(&w->pipe, h->bytes, ASIDE_ROOM_BYTES);
	if (to == NULL)
		return false;
	memcpy(to, m, h->bytes);
	pipe_commit(&w->pipe);
	h->told = true;
	judge_told(w, m, h->proven ? &h->proof : NULL);
	return true;
}

void
aside_accepted(struct worker *w, uint64_t fingerprint)
{
	struct head *h = aside_waits(&w->aside) ? find(&w->aside, fingerprint) : NULL;
	if (h != NULL)
		w->ctr[CTR_TX_ASIDE_ACCEPTED] += send(w, h, true);
}

void
aside_proven(struct worker *w, const struct fact_evidence_item *item)
{
	struct head *h = aside_waits(&w->aside) && !item->of_answer ? find(&w->aside, item->fingerprint) : NULL;
	if (h == NULL)
		return;
	h->proven = true;
	h->proof = *item;
}

void
aside_tell(struct worker *w)
{
	struct aside *a = &w->aside;
	for (unsigned i = 0; i < AT_ONCE && aside_waits(a); i++) {
		struct head *h = at(a, a->tail);
		if (h->bytes > 0 && !h->told && !send(w, h, false))
			return;
		a->tail += h->step;
	}
}

void
aside_flush(struct worker *w)
{
	struct aside *a = &w->aside;
	while (aside_waits(a)) {
		struct head *h = at(a, a->tail);
		if (h->bytes > 0 && !h->told)
			send(w, h, true);
		drop_oldest(w);
	}
}
