/* SPDX-License-Identifier: BSD-3-Clause */
/* What becomes of transactions, as far as alerts and armed contracts are concerned; and what control remembers of before this start. */
#include "worker/correlator_private.h"

static void
deployed(struct correlator *c, const struct suspect *t, enum life_event_kind kind, uint64_t now_ns)
{
	for (uint32_t i = 0; i < t->n_created; i++) {
		const uint8_t *address = t->created[i];
		bool there = watch_find(c->watch, address, t->chain_id) != NULL;
		if (kind == LIFE_EVENT_DROPPED || kind == LIFE_EVENT_REPLACED)
			watch_forget(c->watch, address, t->chain_id, t->hash);
		else if (kind == LIFE_EVENT_REORGED && there)
			watch_excluded(c->watch, address, t->chain_id, now_ns);
		else if (kind == LIFE_EVENT_INCLUDED && there)
			watch_included(c->watch, address, t->chain_id, now_ns);
		else if (kind == LIFE_EVENT_INCLUDED)
			arm_included(c, t, address);
	}
}

static void
judged(struct correlator *c, const struct life_tx *t, const struct suspect *known)
{
	if (t->verdict == LIFE_ACCEPTED) {
		for (uint32_t i = 0; known != NULL && i < known->n_created; i++)
			watch_accepted(c->watch, known->created[i], known->chain_id);
		report_accepted(&c->reporter, t->hash, c->now_ns);
	}
}

/* Its entry may have made room before its block came, or was forgotten when it lost to another whose block has left the chain: what is still kept of it says more than the suspect. */
static void
rearm(struct correlator *c, const struct suspect *known, enum life_event_kind kind, const struct life_tx *t)
{
	bool missing = known == NULL && kind == LIFE_EVENT_INCLUDED;
	if (kind != LIFE_EVENT_INCLUDED && !(kind == LIFE_EVENT_REORGED && t->state == LIFE_PENDING))
		return;
	for (uint32_t i = 0; known != NULL && i < known->n_created; i++)
		missing |= watch_find(c->watch, known->created[i], known->chain_id) == NULL;
	if (missing)
		look_again(c, known != NULL ? known->ref : 0, t->hash);
}

/* Of two deployments with one nonce only one comes to be, at the same address: what replaces the other has armed it anew, if it has to. */
void
correlator_life(void *ctx, enum life_event_kind kind, const struct life_tx *t, const struct life_block *block)
{
	struct correlator *c = ctx;
	const struct suspect *known = suspects_find(&c->reporter.suspects, t->hash);
	const struct life_tx *by = kind == LIFE_EVENT_REPLACED && c->lives != NULL ? life_replacement(c->lives->life, t) : NULL;
	if (c->listener != NULL)
		c->listener(c->listener_ctx, kind, t, block);
	if (kind == LIFE_EVENT_JUDGED) {
		judged(c, t, known);
		return;
	}
	rearm(c, known, kind, t);
	known = suspects_find(&c->reporter.suspects, t->hash); /* what was looked at again may have taken places */
	if (known != NULL)
		deployed(c, known, kind, c->now_ns);
	swaps_life(c, kind, t, block);
	switch (kind) {
	case LIFE_EVENT_PENDING:
		report_pending(&c->reporter, t->hash);
		break;
	case LIFE_EVENT_INCLUDED:
		report_ended(&c->reporter, t->hash, ENDING_INCLUDED, NULL, c->now_ns);
		break;
	case LIFE_EVENT_REPLACED:
		report_ended(&c->reporter, t->hash, ENDING_REPLACED, by != NULL ? by->hash : NULL, c->now_ns);
		break;
	case LIFE_EVENT_DROPPED:
		report_ended(&c->reporter, t->hash, ENDING_DROPPED, NULL, c->now_ns);
		break;
	case LIFE_EVENT_REORGED:
		report_ended(&c->reporter, t->hash, ENDING_REORGED, NULL, c->now_ns);
		break;
	default:
		break;
	}
}

/* ---- memory ---- */

/* Control keeps wall times. */
static uint64_t
packet_time(const struct correlator *c, uint64_t wall_ns)
{
	int64_t shift = c->shift_ns != NULL ? atomic_load_explicit(c->shift_ns, memory_order_relaxed) : 0;
	return wall_ns != 0 ? wall_ns - (uint64_t)shift : 0;
}

static void
remember_armed(struct correlator *c, const struct memory_armed *m)
{
	const uint64_t since_ns = packet_time(c, m->since_ns), last_ns = packet_time(c, m->last_ns);
	static const uint8_t none[32];
	struct watch_entry e = {.chain_id = m->chain_id, .since_ns = m->flags & MEMORY_OPERATOR && m->rule_id == 0 ? 0 : since_ns, .last_ns = last_ns,
		.providers = m->providers, .reasons = m->reasons, .score = m->score, .flags = WATCH_REMEMBERED};
	e.flags |= (m->flags & MEMORY_INCLUDED ? WATCH_INCLUDED : 0) | (m->flags & MEMORY_OPERATOR ? WATCH_OPERATOR : 0) |
		   (m->flags & MEMORY_DELEGATION ? WATCH_DELEGATED : 0);
	e.flags |= m->reasons & REASON(ENTRY) ? WATCH_FLASH : 0;
	e.flags |= m->reasons & REASON(TEMPLATE) ? WATCH_TEMPLATE : 0;
	memcpy(e.address, m->address, 20);
	memcpy(e.deployer, m->deployer, 20);
	memcpy(e.deploy_hash, m->deploy_hash, 32);
	e.n_protected = m->n_protected;
	memcpy(e.protected_, m->protected_, sizeof e.protected_);
	bool news = watch_find(c->watch, m->address, m->chain_id) == NULL;
	watch_arm(c->watch, &e, last_ns);
	if (!news || memcmp(m->deploy_hash, none, 32) == 0 || (m->flags & MEMORY_INCLUDED))
		return;
	/* its block may come after this start */
	struct suspect *t = suspects_add(&c->reporter.suspects, m->deploy_hash, 0, last_ns);
	t->chain_id = m->chain_id;
	suspect_creates(t, m->address);
}

_Static_assert(MEMORY_PROTECTED_MAX == WATCH_PROTECTED_MAX, "what is armed is remembered whole");

void
take_memory(struct correlator *c)
{
	const struct memory_page *p = atomic_load_explicit(&c->memory, memory_order_acquire);
	if (p == atomic_load_explicit(&c->memory_taken, memory_order_relaxed))
		return;
	watch_unwatch_all(c->watch);
	for (uint32_t i = 0; p != NULL && i < p->n_armed; i++)
		remember_armed(c, &memory_armed(p)[i]);
	for (uint32_t i = 0; p != NULL && i < p->n_incidents; i++) {
		const struct memory_incident *m = &memory_incidents(p)[i];
		incident_remember(&c->reporter.incidents, m->dedupekey, m->grade, m->ring, m->hashes, m->n_hashes, packet_time(c, m->last_ns));
	}
	c->ctr[CTR_MEMORY_PAGES] += p != NULL;
	atomic_store_explicit(&c->memory_taken, p, memory_order_release);
}

void
correlator_memory(struct correlator *c, const struct memory_page *page)
{
	atomic_store_explicit(&c->memory, page, memory_order_release);
}

bool
correlator_memory_taken(const struct correlator *c, const struct memory_page *page)
{
	return atomic_load_explicit(&c->memory_taken, memory_order_acquire) == page;
}

bool
correlator_may_wait(const struct correlator *c)
{
	if (atomic_load_explicit(&c->memory, memory_order_relaxed) != NULL)
		return false;
	for (unsigned i = 0; i < c->n_pipes; i++)
		if (pipe_fill(c->pipes[i]) > c->pipes[i]->cap / 4)
			return false;
	return true;
}
