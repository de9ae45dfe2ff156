/* SPDX-License-Identifier: BSD-3-Clause */
/* The correlator's side of detect/correlate/sandwich.h: transactions in, findings out as alerts. */
#include "worker/correlator_private.h"

#define BUNDLES 1024u
#define INCIDENTS 4096u
#define AGE_BUDGET 8u

#define _(id, help) _Static_assert((int)CTR_SANDWICH_##id == (int)CTR_SANDWICH_TAKEN + (int)SANDWICH_N_##id, "counters.h has sandwich.h's counts, in order");
SANDWICH_COUNTS(_)
#undef _

static bool
sender_for(void *ctx, uint64_t ref, uint8_t out[20])
{
	struct correlator *c = ctx;
	struct sighting s;
	const struct tx_msg *m = kept_get(&c->reporter.kept, ref);
	if (m == NULL)
		return false;
	sighting_begin(&s, m, false);
	const uint8_t *from = sender_of(c, &s);
	if (from != NULL)
		memcpy(out, from, 20);
	return from != NULL;
}

static void
add_related(struct alert_record *r, uint32_t role, const struct sandwich_ref *x)
{
	if (!x->present || memcmp(x->hash, r->hash, 32) == 0 || r->n_related == ALERT_RELATED_MAX)
		return;
	r->related[r->n_related].role = role;
	memcpy(r->related[r->n_related++].hash, x->hash, 32);
}

/* Of its bundle lives tell the others; here they have roles. */
static void
fill_roles(struct alert_record *r, const struct sandwich_finding *f)
{
	r->n_related = 0;
	add_related(r, ROLE_FRONT, &f->front);
	for (uint32_t i = 0; i < f->n_listed; i++)
		add_related(r, ROLE_VICTIM, &f->victims[i]);
	add_related(r, ROLE_BACK, &f->back);
	r->n_victims = f->n_victims;
	r->reasons |= f->reasons & (REASON(FEE_ORDER) | REASON(BUNDLE_ORDER) | REASON(PACKED) | REASON(PARTIAL));
	memcpy(r->pool, f->has_pool ? f->pool : f->key, 20);
	r->has |= HAS_POOL;
	if (f->attacker_known && f->attacker_is_contract) {
		memcpy(r->armed, f->attacker, 20);
		r->has |= HAS_ARMED;
	} else if (f->attacker_known && !(r->has & HAS_FROM)) {
		memcpy(r->from, f->attacker, 20);
		r->has |= HAS_FROM;
	}
}

static enum rule_event
event_of(const struct sandwich_finding *f)
{
	return f->kind == SANDWICH_DISPLACEMENT ? EVENT_DISPLACEMENT : f->kind == SANDWICH_PARTIAL ? EVENT_SANDWICH_FRONT : EVENT_SANDWICH;
}

static void
close_incident(struct correlator *c, struct alert_record *r, const struct sandwich_finding *f)
{
	static const uint8_t how[] = {
		[SANDWICH_HELD] = ENDING_INCLUDED, [SANDWICH_BROKEN] = ENDING_INCLUDED, [SANDWICH_REPLACED] = ENDING_REPLACED, [SANDWICH_DROPPED] = ENDING_DROPPED};
	r->class_ = f->kind == SANDWICH_DISPLACEMENT ? CLASS_DISPLACEMENT : CLASS_SANDWICH;
	report_closed(&c->reporter, r, (enum alert_ending)how[f->ending], f->ending != SANDWICH_HELD, f->t_ns);
}

/* The alert is on the front leg, as long as it is known. */
static void
found(void *ctx, const struct sandwich_finding *f)
{
	struct correlator *c = ctx;
	struct sighting s;
	struct rule_facts facts;
	const struct sandwich_ref *leg = f->front.present ? &f->front : &f->back;
	const struct tx_msg *m = kept_get(&c->reporter.kept, leg->ref);
	if (m == NULL) {
		c->ctr[CTR_SANDWICHES_UNTOLD]++;
		return;
	}
	sighting_begin(&s, m, false);
	s.ref = leg->ref;
	struct alert_record r = *record_for(c, &s);
	fill_roles(&r, f);
	if (f->ending != SANDWICH_OPEN) {
		close_incident(c, &r, f);
		return;
	}
	facts_for(&r, &facts);
	facts.number[SCALAR_ARMED] = (f->attacker_known && watch_find(c->watch, f->attacker, s.chain_id) != NULL) ||
				     (s.decoded && s.tx.to.len == 20 && watch_find(c->watch, s.tx.to.p, s.chain_id) != NULL);
	report_event(c, &s, event_of(f), &r, &facts, f->key);
}

/* ---- in ---- */

static struct sandwich_config
config_of(struct correlator *c, const struct correlator_config *cfg)
{
	struct sandwich_config s = {.n_txs = cfg->in_flight, .n_bundles = BUNDLES, .n_incidents = INCIDENTS, .window_ns = SANDWICH_WINDOW_NS_DEFAULT,
		.pair_ns = SANDWICH_PAIR_NS_DEFAULT, .counts = cfg->counters != NULL ? &cfg->counters[CTR_SANDWICH_TAKEN] : NULL, .found = found,
		.sender = sender_for, .ctx = c};
	memcpy(s.key, cfg->key + 16, sizeof s.key);
	return s;
}

size_t
swaps_bytes(const struct correlator_config *cfg)
{
	struct sandwich_config s = config_of(NULL, cfg);
	return sandwich_bytes(&s);
}

void
swaps_init(struct correlator *c, void *mem, const struct correlator_config *cfg)
{
	struct sandwich_config s = config_of(c, cfg);
	c->sandwich = sandwich_init(mem, &s);
}

void
take_swaps(struct correlator *c, struct sighting *s)
{
	const struct tx_msg *m = s->m;
	if (m->where.trust & TRUST_INCLUDED)
		return;
	if (s->late && m->where.bundle == 0) {
		c->ctr[CTR_SANDWICH_LEFT_OUT]++;
		return;
	}
	struct sandwich_tx t = {.hash = s->hash, .from = s->has_from ? s->from : NULL, .to = s->tx.to.len == 20 ? s->tx.to.p : NULL, .ref = s->ref,
		.nonce = s->tx.nonce, .has_nonce = !(m->claim.has & CLAIM_NO_NONCE), .priced = true, .type = s->tx.type, .tip_cap = s->tx.tip_cap,
		.fee_cap = s->tx.fee_cap, .swaps = tx_msg_swaps(m), .n_swaps = m->n_swaps, .swaps_over = m->swaps_over, .data = s->tx.data, .bundle = m->where.bundle,
		.bundle_pos = (uint16_t)m->where.bundle_pos, .bundle_len = (uint16_t)(m->where.bundle_len < UINT16_MAX ? m->where.bundle_len : UINT16_MAX),
		.t_ns = m->where.t_wire_ns};
	sandwich_take(c->sandwich, &t);
	sandwich_age(c->sandwich, c->now_ns, AGE_BUDGET);
}

void
correlator_bundle_hash(struct correlator *c, const uint8_t hash[32], uint64_t bundle, uint32_t pos, uint32_t len, uint64_t t_ns)
{
	if (pos <= UINT16_MAX && len <= UINT16_MAX)
		sandwich_bundle_hash(c->sandwich, hash, bundle, (uint16_t)pos, (uint16_t)len, t_ns);
}

/* Blocks tell their transactions in order. */
void
swaps_life(struct correlator *c, enum life_event_kind kind, const struct life_tx *t, const struct life_block *block)
{
	if (kind == LIFE_EVENT_REPLACED)
		sandwich_replaced(c->sandwich, t->hash, c->now_ns);
	else if (kind == LIFE_EVENT_DROPPED)
		sandwich_dropped(c->sandwich, t->hash, c->now_ns);
	else if (kind == LIFE_EVENT_INCLUDED && block != NULL) {
		if (block->handle != c->block)
			c->block_index = 0;
		c->block = block->handle;
		sandwich_included(c->sandwich, t->hash, block->handle, c->block_index++, c->now_ns);
	}
}
