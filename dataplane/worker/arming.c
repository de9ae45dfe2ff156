/* SPDX-License-Identifier: BSD-3-Clause */
/* Deployments of code that can attack arm its address; calls of what is armed; EIP-7702 delegations to it. */
#include "worker/correlator_private.h"

#include "detect/model.h"
#include "eth/rlp.h"

/* From here on a deployment is armed by its score alone; what can take a flash loan always is. Arming costs nobody anything: it takes a call to alert. */
#define ARM_SCORE 300u
#define WORD_COST_NS 60u /* of a word of calldata that is looked up */
#define DELEGATIONS_MAX 64u /* of one transaction, whose authorities are recovered, beyond the first ones only while there is time */
#define DELEGATIONS_SURE 4u

static uint64_t
bits(unsigned n)
{
	return n >= 64 ? ~0ull : (1ull << n) - 1;
}

static bool
in_code(const struct alert_record *r)
{
	for (uint32_t i = 0; i < r->n_protocols; i++)
		if (r->touches[i] & TOUCH(CODE))
			return true;
	return false;
}

/* What the code says of itself, into the record. */
static void
add_code(struct correlator *c, struct alert_record *r, const struct tx_code *code)
{
	const struct model *model = ruleset_model(c->rules);
	const struct code_facts *f = &code->facts;
	r->has |= HAS_SCORE;
	r->score = f->score < ALERT_SCORE_MAX ? f->score : ALERT_SCORE_MAX;
	r->learned = code->learned;
	r->reasons |= f->reasons & bits(REASON_BIT_COUNT);
	r->providers |= (f->entries | f->callbacks) & bits(PROVIDER_COUNT);
	if (f->flash)
		r->reasons |= REASON(ENTRY);
	if (f->template_)
		r->reasons |= REASON(TEMPLATE);
	if (code->nested)
		r->reasons |= REASON(FACTORY);
	if (model != NULL && code->learned >= model->threshold)
		r->reasons |= REASON(LEARNED);
	if (in_code(r)) {
		r->reasons |= REASON(TARGET);
		r->score = r->score + WEIGHT_TARGET < ALERT_SCORE_MAX ? r->score + WEIGHT_TARGET : ALERT_SCORE_MAX;
	}
}

static void
add_armed(struct alert_record *r, const struct watch_entry *e)
{
	r->has |= HAS_SCORE;
	r->reasons |= e->reasons;
	r->providers |= e->providers;
	r->score = e->score > r->score ? e->score : r->score;
	r->learned = e->learned > r->learned ? e->learned : r->learned;
	for (uint32_t i = 0; i < e->n_protected; i++) {
		uint32_t k = 0;
		while (k < r->n_protocols && memcmp(r->protocols[k], e->protected_[i], 20) != 0)
			k++;
		if (k == ALERT_PROTOCOLS_MAX)
			break;
		if (k == r->n_protocols)
			memcpy(r->protocols[r->n_protocols++], e->protected_[i], 20);
		r->touches[k] |= TOUCH(ARMED);
	}
}

static void
add_deploy(struct alert_record *r, const struct watch_entry *e)
{
	static const uint8_t none[32];
	if (memcmp(e->deploy_hash, none, 32) == 0 || memcmp(e->deploy_hash, r->hash, 32) == 0 || r->n_related == ALERT_RELATED_MAX)
		return;
	r->related[r->n_related].role = ROLE_DEPLOY;
	memcpy(r->related[r->n_related++].hash, e->deploy_hash, 32);
}

/* The address is armed from now on; blocks will say whether it comes to be. */
static void
arm(struct correlator *c, struct sighting *s, struct alert_record *r, const uint8_t address[20], uint32_t flags, bool flash)
{
	struct watch_entry e = {.chain_id = s->chain_id, .since_ns = r->t_wire_ns, .last_ns = r->t_wire_ns, .providers = r->providers, .reasons = r->reasons,
		.deploy_nonce = r->nonce, .score = r->score, .learned = r->learned, .flags = flags};
	const struct life_tx *life = c->lives != NULL ? life_find(c->lives->life, s->hash) : NULL;
	bool mined = sighting_included(s) || (life != NULL && life->state == LIFE_INCLUDED), accepted = r->node == NODE_ACCEPTED;
	memcpy(e.address, address, 20);
	memcpy(e.deploy_hash, s->hash, 32);
	if (r->has & HAS_FROM)
		memcpy(e.deployer, r->from, 20);
	for (uint32_t i = 0; i < r->n_protocols && e.n_protected < WATCH_PROTECTED_MAX; i++)
		if (r->touches[i] & (TOUCH(CODE) | TOUCH(ARMED)))
			memcpy(e.protected_[e.n_protected++], r->protocols[i], 20);
	e.flags |= (r->reasons & REASON(TEMPLATE) ? WATCH_TEMPLATE : 0) | (mined ? WATCH_INCLUDED : 0) | (flash ? WATCH_FLASH : 0) |
		   (accepted ? WATCH_ACCEPTED : 0);
	watch_arm(c->watch, &e, r->t_wire_ns);
	memcpy(r->armed, address, 20);
	r->has |= HAS_ARMED;
	struct suspect *t = suspects_add(&c->reporter.suspects, s->hash, s->m->fingerprint, r->t_wire_ns);
	t->chain_id = s->chain_id;
	t->accepted |= accepted;
	t->ref = s->ref;
	suspect_creates(t, address);
}

/* Those that spoke of it before it was armed, but this one. */
static void
take_missed(struct correlator *c, const struct sighting *s, const uint8_t address[20])
{
	uint64_t refs[MENTIONS_EACH];
	unsigned n = mentions_get(&c->mentions, address, refs);
	for (unsigned i = 0; i < n; i++) {
		struct sighting other;
		const struct tx_msg *m = refs[i] != s->ref ? kept_get(&c->reporter.kept, refs[i]) : NULL;
		if (m == NULL)
			continue;
		sighting_begin(&other, m, true);
		if (other.has_hash)
			look_again(c, refs[i], other.hash);
	}
}

void
note_mentions(struct correlator *c, const struct sighting *s)
{
	const uint8_t(*targets)[20] = tx_msg_targets(s->m);
	const struct tx_code *codes = tx_msg_codes(s->m);
	struct rlp_item entry, item;
	struct span list = s->tx.auth_list;
	if (s->has_hash && s->m->n_findings + s->m->n_codes > 0)
		mentions_add(&c->mentions, s->hash, s->ref);
	if (s->decoded && s->tx.to.len == 20)
		mentions_add(&c->mentions, s->tx.to.p, s->ref);
	for (uint32_t i = 0; i < s->m->n_targets; i++)
		mentions_add(&c->mentions, targets[i], s->ref);
	for (uint32_t i = 0; i < s->m->n_codes; i++)
		if (codes[i].facts.has_target)
			mentions_add(&c->mentions, codes[i].facts.target, s->ref);
	unsigned n = 0;
	for (; s->decoded && n < DELEGATIONS_MAX && rlp_next(&list, &entry); n++)
		if (rlp_next(&entry.payload, &item) && rlp_next(&entry.payload, &item) && item.payload.len == 20)
			mentions_add(&c->mentions, item.payload.p, s->ref);
	c->ctr[CTR_MENTIONS_OVER] += n == DELEGATIONS_MAX && list.len > 0;
}

void
arm_included(struct correlator *c, const struct suspect *t, const uint8_t address[20])
{
	struct watch_entry e = {.chain_id = t->chain_id, .since_ns = t->t_ns, .last_ns = c->now_ns, .flags = WATCH_INCLUDED};
	memcpy(e.address, address, 20);
	memcpy(e.deploy_hash, t->hash, 32);
	watch_arm(c->watch, &e, c->now_ns);
}

static const uint8_t *
first_touched(const struct alert_record *r)
{
	for (uint32_t i = 0; i < r->n_protocols; i++)
		if (r->touches[i] != 0)
			return r->protocols[i];
	return NULL;
}

static void
take_code(struct correlator *c, struct sighting *s, const struct tx_code *code)
{
	struct alert_record r = *record_for(c, s);
	struct rule_facts f;
	const uint8_t *address = code->has_address ? code->address : !code->nested && (r.has & HAS_CREATED) ? r.created : NULL;
	const struct watch_entry *behind = code->facts.has_target ? watch_find(c->watch, code->facts.target, s->chain_id) : NULL;
	bool flash = code->facts.flash || (behind != NULL && (behind->flags & WATCH_FLASH));
	add_code(c, &r, code);
	if (behind != NULL)
		add_armed(&r, behind);
	bool arms = address != NULL && (flash || behind != NULL || r.score >= ARM_SCORE || (r.reasons & REASON(LEARNED)));
	bool armed = arms && watch_find(c->watch, address, s->chain_id) != NULL;
	if (arms)
		arm(c, s, &r, address, 0, flash);
	facts_for(&r, &f);
	f.number[SCALAR_CODE_FLASH] = flash;
	const uint8_t *target = first_touched(&r);
	report_event(c, s, EVENT_DEPLOYMENT, &r, &f, target != NULL ? target : code->facts.hash);
	if (arms && !armed)
		take_missed(c, s, address);
}

void
take_codes(struct correlator *c, struct sighting *s)
{
	for (uint32_t i = 0; i < s->m->n_codes && s->has_hash; i++)
		take_code(c, s, &tx_msg_codes(s->m)[i]);
}

/* ---- calls ---- */

static void
take_call(struct correlator *c, struct sighting *s, const struct watch_entry *e, bool nested)
{
	struct alert_record r = *record_for(c, s);
	struct rule_facts f;
	memcpy(r.armed, e->address, 20);
	r.has |= HAS_ARMED;
	r.t_armed_ns = e->since_ns <= r.t_wire_ns ? e->since_ns : 0; /* what came before the deployment had no warning */
	r.reasons |= REASON(ARMED) | (nested ? REASON(NESTED_CALL) : 0);
	add_armed(&r, e);
	add_deploy(&r, e);
	watch_used(c->watch, e->address, e->chain_id, r.t_wire_ns);
	facts_for(&r, &f);
	f.number[SCALAR_ARMED] = 1;
	f.number[SCALAR_CODE_FLASH] = (e->flags & WATCH_FLASH) != 0;
	f.number[SCALAR_CODE_TEMPLATE] = (e->flags & WATCH_TEMPLATE) != 0;
	f.number[SCALAR_CALL_DEPTH] = nested;
	f.number[SCALAR_WATCHED] = (e->flags & WATCH_OPERATOR) != 0;
	report_event(c, s, EVENT_ARMED_CALL, &r, &f, r.armed);
}

/* Calls put first take the room of those that count: then every word of calldata that can be an address is looked up. The first that is armed speaks for all. */
static void
search_words(struct correlator *c, struct sighting *s)
{
	static const uint8_t zeros[12];
	struct span data = s->tx.data;
	const struct watch_entry *e;
	if (!time_for(c, s->hurry, (uint64_t)data.len / 32 * WORD_COST_NS)) {
		c->ctr[CTR_CALLS_UNSEARCHED]++;
		return;
	}
	c->ctr[CTR_CALLS_SEARCHED]++;
	for (uint32_t at = 4; data.len >= 32 && at <= data.len - 32; at += 32) {
		const uint8_t *word = data.p + at;
		if (memcmp(word, zeros, 12) == 0 && memcmp(word + 12, zeros, 12) != 0 && (e = watch_find(c->watch, word + 12, s->chain_id)) != NULL) {
			take_call(c, s, e, true);
			return;
		}
	}
}

void
take_calls(struct correlator *c, struct sighting *s)
{
	bool called = false;
	const uint8_t(*targets)[20] = tx_msg_targets(s->m);
	const struct watch_entry *e;
	if (s->decoded && s->tx.to.len == 20 && (e = watch_find(c->watch, s->tx.to.p, s->chain_id)) != NULL) {
		take_call(c, s, e, false);
		called = true;
	}
	for (uint32_t i = 0; i < s->m->n_targets; i++) {
		bool own = s->decoded && s->tx.to.len == 20 && memcmp(targets[i], s->tx.to.p, 20) == 0;
		if (own || (e = watch_find(c->watch, targets[i], s->chain_id)) == NULL)
			continue;
		take_call(c, s, e, true);
		called = true;
	}
	if (s->m->over && s->decoded && !called)
		search_words(c, s);
}

/* ---- delegations ---- */

static void
take_delegation(struct correlator *c, struct sighting *s, struct span tuple, const struct watch_entry *e)
{
	struct alert_record r = *record_for(c, s);
	struct rule_facts f;
	uint8_t authority[20];
	bool good = tx_authority(tuple, authority), armed;
	c->ctr[good ? CTR_SENDERS_RECOVERED : CTR_SENDERS_BAD]++;
	if (!good)
		return;
	armed = watch_find(c->watch, authority, s->chain_id) != NULL;
	r.reasons |= REASON(DELEGATION);
	add_armed(&r, e);
	add_deploy(&r, e);
	arm(c, s, &r, authority, WATCH_DELEGATED, e->flags & WATCH_FLASH);
	facts_for(&r, &f);
	f.number[SCALAR_ARMED] = 1;
	report_event(c, s, EVENT_DELEGATION, &r, &f, authority);
	if (!armed)
		take_missed(c, s, authority);
}

/* Tuples of other chains do nothing here. */
static bool
of_chain(struct span id, uint64_t chain_id)
{
	uint64_t n = 0;
	for (uint32_t i = 0; i < id.len && i < 9; i++)
		n = n << 8 | id.p[i];
	return id.len <= 8 && (n == 0 || n == chain_id);
}

void
take_delegations(struct correlator *c, struct sighting *s)
{
	struct span list = s->tx.auth_list;
	struct rlp_item entry, item;
	for (unsigned n = 0; n < DELEGATIONS_MAX && rlp_next(&list, &entry);) {
		struct span tuple = entry.payload, rest = tuple;
		if (!rlp_next(&rest, &item))
			return;
		bool here = of_chain(item.payload, s->chain_id);
		if (!rlp_next(&rest, &item) || item.payload.len != 20)
			return;
		const struct watch_entry *e = here ? watch_find(c->watch, item.payload.p, s->chain_id) : NULL;
		if (e == NULL)
			continue;
		if (n++ >= DELEGATIONS_SURE && !time_for_sender(c, s->hurry))
			return;
		take_delegation(c, s, tuple, e);
	}
}
