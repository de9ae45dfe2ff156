/* SPDX-License-Identifier: BSD-3-Clause */
#include "worker/correlator.h"

#include "abi/counters.h"
#include "eth/tx.h"
#include "worker/finding_msg.h"

#include <string.h>

void
correlator_init(struct correlator *c, const struct ruleset *rules, uint64_t *counters, void *mem, uint32_t n_incidents,
	correlator_outlet outlet, void *ctx)
{
	memset(c, 0, sizeof *c);
	c->rules = rules;
	c->ctr = counters;
	c->outlet = outlet;
	c->outlet_ctx = ctx;
	incidents_init(&c->incidents, mem, n_incidents);
}

void
correlator_add(struct correlator *c, struct pipe *p)
{
	c->pipes[c->n_pipes++] = p;
}

/* Big-endian minimal integer of <= 32 bytes into a 32-byte word. */
static void
put_word(uint8_t out[32], struct span s)
{
	memset(out, 0, 32);
	if (s.len <= 32 && s.len > 0)
		memcpy(out + 32 - s.len, s.p, s.len);
}

static void
fill_where(struct alert_record *r, const struct crossing *x)
{
	r->t_wire_ns = x->t_wire_ns;
	r->carrier = x->carrier;
	r->direction = x->direction;
	r->trust = x->trust;
	r->bundle_len = x->bundle_len;
	r->bundle_pos = x->bundle_pos;
	r->src_port = x->src_port;
	r->dst_port = x->dst_port;
	memcpy(r->src_ip, x->src_ip, 16);
	memcpy(r->dst_ip, x->dst_ip, 16);
}

static void
fill_tx(struct alert_record *r, const struct tx *t)
{
	r->tx_type = t->type;
	r->nonce = t->nonce;
	r->gas = t->gas;
	r->data_len = t->data.len;
	r->has |= HAS_NONCE | HAS_HASH;
	if (t->has_chain_id) {
		r->chain_id = t->chain_id;
		r->has |= HAS_CHAIN_ID;
	}
	if (t->to.len == 20) {
		memcpy(r->to, t->to.p, 20);
		r->has |= HAS_TO;
		if (t->data.len >= 4) {
			memcpy(r->selector, t->data.p, 4);
			r->has |= HAS_SELECTOR;
		}
	}
	put_word(r->value, t->value);
	put_word(r->fee_cap, t->fee_cap);
	put_word(r->tip_cap, t->tip_cap);
	tx_hash(t, r->hash);
}

static void
fill_sender(struct correlator *c, struct alert_record *r, const struct tx *t, bool hurry)
{
	if (hurry) {
		c->ctr[CTR_SENDERS_SKIPPED]++;
		r->trust |= TRUST_SENDER_SKIPPED;
		return;
	}
	if (tx_sender(t, r->from) != 0) {
		c->ctr[CTR_SENDERS_BAD]++;
		r->trust |= TRUST_INVALID;
		return;
	}
	c->ctr[CTR_SENDERS_RECOVERED]++;
	r->has |= HAS_FROM;
	if (t->to.len == 0) {
		tx_created(r->from, t->nonce, r->created);
		r->has |= HAS_CREATED;
	}
	if (tx_rules(t, 0) != NULL)
		r->trust |= TRUST_INVALID;
}

/* What the input says of a transaction that no wire carried counts more than bytes that were made up for it. */
static void
fill_claim(struct alert_record *r, const struct claim *c)
{
	if (c->has & CLAIM_HASH)
		memcpy(r->hash, c->hash, 32);
	if (c->has & CLAIM_FROM) {
		memcpy(r->from, c->from, 20);
		r->has |= HAS_FROM;
	}
	if (c->has & CLAIM_NO_NONCE) {
		r->has &= ~(uint32_t)(HAS_NONCE | HAS_CREATED);
		memset(r->created, 0, sizeof r->created);
	}
	if (c->has & CLAIM_NO_CHAIN) {
		r->has &= ~(uint32_t)HAS_CHAIN_ID;
		r->chain_id = 0;
	}
	if (!(r->has & HAS_TO) && (r->has & HAS_FROM) && (r->has & HAS_NONCE)) {
		tx_created(r->from, r->nonce, r->created);
		r->has |= HAS_CREATED;
	}
}

/* Anyone on the mirrored network can forge a segment and anyone can send what will never be mined: pause-grade takes
 * clean evidence and a viable transaction from a known sender. */
static uint8_t
grade_of(const struct alert_record *r, uint8_t wanted)
{
	if (wanted == GRADE_PAUSE && ((r->trust & TRUST_BELOW_PAUSE) || !(r->has & HAS_FROM)))
		return GRADE_PAGE;
	return wanted;
}

static void
emit(struct correlator *c, struct alert_record *r, const struct finding *f, struct span evidence, uint64_t emitted_ns)
{
	struct ruleset_rule rule;
	ruleset_rule(c->rules, f->rule_index, &rule);
	r->rule_index = f->rule_index;
	r->rule_id = rule.id;
	r->rule_rev = rule.rev;
	r->class_ = rule.class_;
	r->severity = rule.severity;
	r->grade_wanted = rule.grade;
	r->grade = grade_of(r, rule.grade);
	r->n_protocols = f->n_protocols;
	memset(r->protocols, 0, sizeof r->protocols);
	memcpy(r->protocols, f->protocols, f->n_protocols * sizeof f->protocols[0]);
	r->t_emitted_ns = emitted_ns;
	r->has &= ~(uint32_t)HAS_SUPERSEDES;
	r->supersedes_seq = 0;
	r->supersedes_ring = 0;
	r->trust &= ~(uint32_t)TRUST_NO_EVIDENCE;
	incident_key(r);

	enum ring_lane lane = r->grade >= GRADE_PAGE ? LANE_CRITICAL : LANE_NORMAL;
	struct incident *slot;
	enum incident_verdict v = incident_judge(&c->incidents, r, c->messages, r->t_wire_ns, &slot);
	if (v == INCIDENT_REPEAT) {
		c->ctr[CTR_SUPPRESSED_REPEAT]++;
		return;
	}
	c->ctr[v == INCIDENT_NEW ? CTR_ALERTS : CTR_UPDATES]++;
	if (c->outlet(c->outlet_ctx, r, lane, evidence) == 0)
		incident_reported(slot, r, c->messages, (uint32_t)lane, r->t_wire_ns);
}

/* A transaction that is too long to travel is told of by its findings alone. */
static void
take(struct correlator *c, const struct finding_msg *m, bool hurry, uint64_t emitted_ns)
{
	struct alert_record r;
	struct span evidence = {m->raw, m->raw_len};
	struct tx t;
	memset(&r, 0, sizeof r);
	c->messages++;
	r.kind = ALERT_KIND_ALERT;
	r.generation = ruleset_generation(c->rules);
	r.raw_len = m->tx_bytes;
	fill_where(&r, &m->where);
	if (evidence.len > 0 && tx_decode(evidence, &t) == 0) {
		fill_tx(&r, &t);
		if (!(m->claim.has & CLAIM_UNSIGNED))
			fill_sender(c, &r, &t, hurry);
		if (m->claim.has != 0)
			fill_claim(&r, &m->claim);
	} else {
		r.trust |= TRUST_TRUNCATED;
	}
	if (m->claim.has & CLAIM_UNSIGNED) { /* made-up bytes are no evidence */
		evidence = (struct span){0};
		r.raw_len = 0;
	}
	if (c->lives != NULL)
		lives_tell(c->lives, &r, m->where.bundle);
	for (uint32_t i = 0; i < m->n_findings; i++)
		emit(c, &r, &m->findings[i], evidence, emitted_ns);
}

/* Findings come gravest first. */
static bool
hurries(const struct correlator *c, const struct pipe *p, const struct finding_msg *m)
{
	struct ruleset_rule rule;
	uint64_t fill = pipe_fill(p);
	if (c->patient || fill <= p->cap / 2)
		return false;
	ruleset_rule(c->rules, m->findings[0].rule_index, &rule);
	return rule.grade < GRADE_PAGE || fill > p->cap - p->cap / 8;
}

/* What another worker saw before `message` is still in its pipe, or in its hands. */
static bool
others_first(const struct correlator *c, const struct pipe *own, const void *message)
{
	uint64_t t_ns = fact_time(message);
	for (unsigned i = 0; i < c->n_pipes; i++) {
		struct pipe *p = c->pipes[i];
		uint32_t bytes;
		if (p == own)
			continue;
		bool reached = atomic_load_explicit(&p->reached_ns, memory_order_acquire) >= t_ns;
		const void *other = pipe_peek(p, &bytes);
		if (other != NULL ? fact_time(other) < t_ns : !reached)
			return true;
	}
	return false;
}

static unsigned
poll_pipe(struct correlator *c, struct pipe *p, uint64_t emitted_ns)
{
	uint32_t bytes;
	struct finding_msg *m = pipe_peek(p, &bytes);
	if (m == NULL || (c->n_pipes > 1 && fact_waits(m) && others_first(c, p, m)))
		return 0;
	if (m->kind == FACT_FINDINGS)
		take(c, m, hurries(c, p, m), emitted_ns);
	else if (c->lives != NULL)
		lives_take(c->lives, m, !c->patient && pipe_fill(p) > p->cap / 16);
	pipe_release(p);
	return 1;
}

unsigned
correlator_poll(struct correlator *c, unsigned budget, uint64_t emitted_ns)
{
	unsigned taken = 0, before;
	do {
		before = taken;
		for (unsigned i = 0; i < c->n_pipes; i++)
			taken += poll_pipe(c, c->pipes[i], emitted_ns);
	} while (taken > before && --budget > 0);
	if (c->lives != NULL && taken > 0)
		lives_age(c->lives);
	return taken;
}

int
correlator_ring_outlet(void *ctx, struct alert_record *r, enum ring_lane lane, struct span evidence)
{
	struct correlator_rings *rings = ctx;
	struct ring_producer *p = &rings->lane[lane];
	int rc = ring_publish(p, r, evidence);
	if (rc == 0)
		rings->ctr[CTR_RING_PUBLISHED]++;
	else
		rings->ctr[CTR_RING_LOST_FULL]++;
	if (rc == 0 && (r->trust & TRUST_NO_EVIDENCE))
		rings->ctr[CTR_EVIDENCE_OVER_BUDGET]++;
	rings->ctr[CTR_CURSOR_BAD] = rings->lane[0].cursor_bad + rings->lane[1].cursor_bad;
	return rc;
}
