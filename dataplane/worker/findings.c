/* SPDX-License-Identifier: BSD-3-Clause */
#include "worker/correlator_private.h"

/* ---- what is known of a transaction ---- */

bool
time_for(struct correlator *c, bool hurry, uint64_t cost_ns)
{
	if (c->patient)
		return true;
	if (hurry || c->sender_tokens_ns < cost_ns)
		return false;
	c->sender_tokens_ns -= cost_ns;
	return true;
}

bool
time_for_sender(struct correlator *c, bool hurry)
{
	return time_for(c, hurry, SENDER_COST_NS);
}

const uint8_t *
sender_of(struct correlator *c, struct sighting *s)
{
	if (s->named || !s->decoded || (s->m->claim.has & CLAIM_UNSIGNED))
		return s->has_from ? s->from : NULL;
	const struct life_tx *t = c->lives != NULL ? life_find(c->lives->life, s->hash) : NULL;
	if (t != NULL && (t->has & LIFE_HAS_SENDER)) {
		memcpy(s->from, t->sender, 20);
		s->named = s->has_from = true;
	} else if (time_for_sender(c, s->hurry)) {
		s->named = true;
		s->has_from = tx_sender(&s->tx, s->from) == 0;
		c->ctr[s->has_from ? CTR_SENDERS_RECOVERED : CTR_SENDERS_BAD]++;
	}
	return s->has_from ? s->from : NULL;
}

uint32_t
touches_of(struct correlator *c, struct sighting *s)
{
	struct calls calls;
	bool over;
	if (s->has_touches || !s->decoded || c->protect == NULL)
		return s->n_touched;
	s->has_touches = true;
	calls_of(&s->tx, &calls);
	s->n_touched = protect_touch(c->protect, &s->tx, &calls, s->touched, &over);
	return s->n_touched;
}

struct alert_record *
record_for(struct correlator *c, struct sighting *s)
{
	struct alert_record *r = &s->record;
	if (s->has_record)
		return r;
	sighting_record(s);
	if (s->decoded && !(s->m->claim.has & CLAIM_UNSIGNED)) {
		const uint8_t *from = sender_of(c, s);
		if (from != NULL || s->named) {
			record_sender(r, &s->tx, from);
		} else {
			c->ctr[CTR_SENDERS_SKIPPED]++;
			r->trust |= TRUST_SENDER_SKIPPED;
		}
	}
	sighting_claims(s);
	record_touches(r, s->touched, touches_of(c, s));
	if (c->lives != NULL)
		lives_tell(c->lives, r, s->m->where.bundle);
	return r;
}

/* ---- rules on events ---- */

static uint32_t
protected_of(const struct alert_record *r)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < r->n_protocols; i++)
		n += r->touches[i] != 0;
	return n;
}

void
facts_for(const struct alert_record *r, struct rule_facts *f)
{
	memset(f, 0, sizeof *f);
	f->number[SCALAR_CODE_SCORE] = r->score;
	f->number[SCALAR_CODE_LEARNED] = r->learned;
	f->number[SCALAR_CODE_FLASH] = (r->reasons & REASON(CALLBACK)) && (r->reasons & REASON(ENTRY));
	f->number[SCALAR_CODE_PROVIDERS] = (uint64_t)__builtin_popcountll(r->providers);
	f->number[SCALAR_CODE_TEMPLATE] = (r->reasons & REASON(TEMPLATE)) != 0;
	f->number[SCALAR_PROTECTED] = protected_of(r);
	f->number[SCALAR_BUNDLE_LEN] = r->bundle_len;
	f->number[SCALAR_BUNDLE_POS] = r->bundle_pos;
	f->number[SCALAR_VICTIMS] = r->n_victims;
}

bool
report_event(struct correlator *c, struct sighting *s, enum rule_event event, struct alert_record *r, const struct rule_facts *f, const uint8_t target[20])
{
	static const uint8_t classes[EVENT_COUNT] = {[EVENT_DEPLOYMENT] = CLASS_FLASH_DEPLOY, [EVENT_ARMED_CALL] = CLASS_ARMED_CALL,
		[EVENT_SANDWICH] = CLASS_SANDWICH, [EVENT_SANDWICH_FRONT] = CLASS_SANDWICH, [EVENT_DISPLACEMENT] = CLASS_DISPLACEMENT,
		[EVENT_DELEGATION] = CLASS_FLASH_DEPLOY};
	const uint32_t *rules;
	struct rule_facts facts = *f;
	uint32_t n = ruleset_on(c->rules, event, &rules);
	if (s->decoded && (1u << event & EVENTS_OF_ONE_TX))
		facts.tx = &s->tx;
	for (uint32_t i = 0; i < n; i++) {
		if (!ruleset_event_holds(c->rules, rules[i], &facts))
			continue;
		r->class_ = classes[event];
		r->generation = ruleset_generation(c->rules);
		c->ctr[CTR_FINDINGS_CORRELATED]++;
		report_finding(&c->reporter, r, rules[i], s->m, s->ref, target);
		return true;
	}
	return false;
}

/* ---- rules on transactions ---- */

/* Protected contracts come first; what the rule names fills the rest. */
static void
add_named(struct alert_record *r, const struct finding *f)
{
	for (uint32_t i = 0; i < f->n_protocols && r->n_protocols < ALERT_PROTOCOLS_MAX; i++) {
		bool there = false;
		for (uint32_t k = 0; k < r->n_protocols; k++)
			there |= memcmp(r->protocols[k], f->protocols[i], 20) == 0;
		if (there)
			continue;
		r->touches[r->n_protocols] = 0;
		memcpy(r->protocols[r->n_protocols++], f->protocols[i], 20);
	}
}

void
take_findings(struct correlator *c, struct sighting *s)
{
	const struct finding *f = tx_msg_findings(s->m);
	for (uint32_t i = 0; i < s->m->n_findings; i++) {
		struct alert_record r = *record_for(c, s);
		static const uint8_t nobody[20];
		r.generation = ruleset_generation(c->rules);
		add_named(&r, &f[i]);
		if (f[i].call > 0)
			r.reasons |= REASON(NESTED_CALL);
		const uint8_t *target = r.n_protocols > 0 ? r.protocols[0] : r.has & HAS_TO ? r.to : nobody;
		report_finding(&c->reporter, &r, f[i].rule_index, s->m, s->ref, target);
	}
}

/* ---- once more ---- */

static bool
record_again(void *ctx, uint64_t ref, struct alert_record *out)
{
	struct correlator *c = ctx;
	struct sighting s;
	const struct tx_msg *m = kept_get(&c->reporter.kept, ref);
	if (m == NULL)
		return false;
	sighting_begin(&s, m, false);
	s.ref = ref;
	*out = *record_for(c, &s);
	return true;
}

/* The newest that has it. */
static uint64_t
ref_of(const struct correlator *c, const uint8_t hash[32])
{
	uint64_t refs[MENTIONS_EACH];
	unsigned n = mentions_get(&c->mentions, hash, refs);
	return n > 0 ? refs[n - 1] : 0;
}

void
look_again(struct correlator *c, uint64_t ref, const uint8_t hash[32])
{
	struct sighting s;
	const struct tx_msg *m = kept_get(&c->reporter.kept, ref != 0 ? ref : ref_of(c, hash));
	if (m == NULL || c->looks == 0)
		return;
	c->looks--;
	sighting_begin(&s, m, false);
	if (!s.has_hash || memcmp(s.hash, hash, 32) != 0)
		return;
	s.ref = ref != 0 ? ref : ref_of(c, hash);
	c->reporter.messages++;
	bool within = c->reporter.again;
	c->reporter.again = true;
	c->ctr[CTR_FINDINGS_CORRELATED] += m->n_findings;
	if (m->n_findings > 0)
		take_findings(c, &s);
	if (m->n_codes > 0)
		take_codes(c, &s);
	take_calls(c, &s);
	if (s.decoded && s.tx.n_auth > 0)
		take_delegations(c, &s);
	c->reporter.again = within;
}

static void
again(void *ctx, uint64_t ref, const uint8_t hash[32])
{
	look_again(ctx, ref, hash);
}

struct report_source
source_of(struct correlator *c)
{
	return (struct report_source){.record = record_again, .again = again, .ctx = c};
}
