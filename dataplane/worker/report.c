/* SPDX-License-Identifier: BSD-3-Clause */
#include "worker/report.h"

#include "abi/counters.h"
#include "worker/sighting.h"

#include <string.h>

static size_t
round64(size_t n)
{
	return (n + 63) & ~(size_t)63;
}

size_t
report_bytes(uint32_t n, uint64_t kept_bytes)
{
	return round64(incidents_bytes(n)) + round64(suspects_bytes(n)) + round64(sizeof(struct storms)) + kept_bytes;
}

void
report_init(struct reporter *p, const struct ruleset *rules, uint64_t *counters, void *mem, uint32_t n, uint64_t kept_bytes, report_outlet outlet, void *ctx)
{
	uint8_t *at = mem;
	memset(p, 0, sizeof *p);
	p->rules = rules;
	p->ctr = counters;
	p->outlet = outlet;
	p->outlet_ctx = ctx;
	incidents_init(&p->incidents, at, n);
	at += round64(incidents_bytes(n));
	suspects_init(&p->suspects, at, n);
	at += round64(suspects_bytes(n));
	p->storms = (struct storms *)at;
	memset(p->storms, 0, sizeof *p->storms);
	kept_init(&p->kept, at + round64(sizeof(struct storms)), kept_bytes);
}

/* ---- grade ---- */

#define DIRTY ((uint32_t)TRUST_BELOW_PAUSE & ~(uint32_t)TRUST_NOT_ACKED)

static bool
touched(const struct alert_record *r)
{
	for (uint32_t i = 0; i < r->n_protocols; i++)
		if (r->touches[i] != 0)
			return true;
	return false;
}

static uint32_t
lacks_of(const struct alert_record *r, const struct suspect *t)
{
	uint32_t lacks = LACKS_UNCHECKED;
	if (r->grade_wanted < GRADE_PAUSE)
		lacks |= LACK(RULE);
	if (!touched(r))
		lacks |= LACK(PROTECTED);
	if ((r->trust & DIRTY) || !(r->has & HAS_FROM))
		lacks |= LACK(EVIDENCE);
	if (r->trust & TRUST_NOT_ACKED)
		lacks |= LACK(ACKED);
	if (t == NULL || !t->accepted || t->answer != PROOF_CLEAN)
		lacks |= LACK(ACCEPTED);
	return lacks;
}

/* What is known of the transaction by now, into its record. */
static void
judge(struct alert_record *r, const struct suspect *t)
{
	if (t != NULL && t->accepted)
		r->node = NODE_ACCEPTED;
	if (t != NULL && t->bytes == PROOF_CLEAN)
		r->trust = (r->trust & ~(uint32_t)TRUST_BELOW_PAUSE) | (r->trust & (TRUST_INVALID | TRUST_SENDER_SKIPPED));
	r->lacks = lacks_of(r, t);
	r->grade = r->grade_wanted;
	if (r->grade == GRADE_PAUSE && (r->lacks & ~(uint32_t)LACKS_UNCHECKED))
		r->grade = GRADE_PAGE;
}

/* ---- telling ---- */

static enum ring_lane
lane_of(const struct alert_record *r)
{
	bool real = r->node == NODE_ACCEPTED || r->ending == ENDING_INCLUDED;
	return r->grade >= GRADE_PAGE && real ? LANE_CRITICAL : LANE_NORMAL;
}

static bool
tell(struct reporter *p, struct alert_record *r, struct incident *slot, struct span raw, uint64_t now_ns)
{
	enum ring_lane lane = lane_of(r);
	r->t_emitted_ns = p->emitted_ns;
	r->trust &= ~(uint32_t)TRUST_NO_EVIDENCE;
	p->ctr[r->has & HAS_SUPERSEDES ? CTR_UPDATES : CTR_ALERTS]++;
	if (p->outlet(p->outlet_ctx, r, lane, raw) != 0)
		return false;
	incident_reported(slot, r, p->messages, (uint32_t)lane, now_ns);
	return true;
}

static void
supersede(struct alert_record *r, uint64_t seq, uint32_t ring)
{
	r->supersedes_seq = seq;
	r->supersedes_ring = ring;
	r->has &= ~(uint32_t)HAS_SUPERSEDES;
	if (seq != 0)
		r->has |= HAS_SUPERSEDES;
}

static void
join(struct reporter *p, struct suspect *t, struct incident *slot)
{
	if (t == NULL)
		return;
	if (suspect_joins(t, (uint32_t)(slot - p->incidents.slots), slot->key))
		slot->open += !t->ended;
	slot->accepted |= t->accepted || t->included;
}

/* ---- storms ---- */

static const uint8_t storm_mark[20] = "storm";

static void
tell_storm(struct reporter *p, struct storm_group *g, uint64_t now_ns)
{
	struct alert_record r;
	bool live, of_incident = memcmp(g->like.dedupekey, g->key, sizeof g->key) == 0;
	struct incident *slot = of_incident ? incident_find(&p->incidents, g->like.dedupekey, now_ns, &live) : NULL;
	storm_record(g, &r);
	supersede(&r, g->seq, g->ring);
	if (!of_incident)
		incident_key_of(r.class_, r.chain_id, g->key, storm_mark, r.dedupekey);
	else if (live)
		supersede(&r, slot->seq, slot->ring);
	r.t_emitted_ns = p->emitted_ns;
	p->ctr[CTR_FINDINGS_CORRELATED]++;
	p->ctr[CTR_STORMS_TOLD]++;
	p->ctr[r.has & HAS_SUPERSEDES ? CTR_UPDATES : CTR_ALERTS]++;
	enum ring_lane lane = lane_of(&r);
	bool told = p->outlet(p->outlet_ctx, &r, lane, (struct span){0}) == 0;
	storm_told(p->storms, g, told ? r.seq : 0, (uint32_t)lane);
	if (told && of_incident && live) {
		slot->seq = r.seq;
		slot->ring = (uint32_t)lane;
	}
}

/* Held back? What a node has accepted never is. */
static bool
held(struct reporter *p, const struct alert_record *r, const uint8_t key[20], const struct suspect *t, uint64_t now_ns)
{
	struct storm_group *g;
	if (p->each || t == NULL || t->accepted || t->included)
		return false;
	enum storm_verdict v = storm_take(p->storms, key, r, now_ns, &g);
	if (v == STORM_TELL)
		return false;
	p->ctr[CTR_SUPPRESSED_STORM]++;
	if (v == STORM_FULL)
		tell_storm(p, g, now_ns);
	return true;
}

void
report_storms(struct reporter *p, uint64_t now_ns, bool all)
{
	struct storm_group *g;
	while ((g = storm_due(p->storms, now_ns, all)) != NULL)
		tell_storm(p, g, now_ns);
}

/* ---- findings ---- */

static void
fill_rule(const struct reporter *p, struct alert_record *r, uint32_t rule_index)
{
	struct ruleset_rule rule;
	ruleset_rule(p->rules, rule_index, &rule);
	r->rule_index = rule_index;
	r->rule_id = rule.id;
	r->rule_rev = rule.rev;
	r->class_ = r->class_ != 0 ? r->class_ : rule.class_;
	r->severity = rule.severity;
	r->grade_wanted = rule.grade;
	if (rule.grade == GRADE_PAUSE && (r->class_ == CLASS_SANDWICH || r->class_ == CLASS_DISPLACEMENT || r->class_ == CLASS_SWAP))
		r->grade_wanted = GRADE_PAGE;
}

static struct suspect *
suspect_of(struct reporter *p, const struct alert_record *r, uint64_t fingerprint, uint64_t ref)
{
	if (!(r->has & HAS_HASH))
		return NULL;
	struct suspect *t = suspects_add(&p->suspects, r->hash, fingerprint, r->t_wire_ns);
	p->ctr[CTR_SUSPECTS_EVICTED] = p->suspects.evicted;
	t->chain_id = r->chain_id;
	t->accepted |= r->node == NODE_ACCEPTED;
	t->ended |= (r->trust & TRUST_INCLUDED) != 0;
	t->included |= (r->trust & TRUST_INCLUDED) != 0;
	if (!(r->trust & (TRUST_BELOW_PAUSE & ~(uint32_t)(TRUST_INVALID | TRUST_SENDER_SKIPPED))))
		t->bytes = PROOF_CLEAN;
	if (ref != 0)
		t->ref = ref;
	return t;
}

/* Made-up bytes are no evidence. */
static struct span
evidence_of(const struct tx_msg *m)
{
	return m == NULL || (m->claim.has & CLAIM_UNSIGNED) ? (struct span){0} : tx_msg_raw(m);
}

static struct span
raw_of(const struct reporter *p, const struct suspect *t)
{
	return evidence_of(kept_get(&p->kept, t->ref));
}

static void
storm_key(const struct alert_record *r, const uint8_t target[20], uint8_t key[20])
{
	memcpy(key, target, 20);
	for (unsigned i = 0; i < 4; i++)
		key[16 + i] ^= (uint8_t)(r->rule_id >> (8 * i));
	key[15] ^= r->class_;
}

void
report_finding(
	struct reporter *p, const struct alert_record *from, uint32_t rule_index, const struct tx_msg *m, uint64_t ref, const uint8_t target[20])
{
	struct span raw = evidence_of(m);
	struct alert_record r = *from;
	struct incident *slot;
	uint8_t key[20];
	fill_rule(p, &r, rule_index);
	supersede(&r, 0, 0);
	struct suspect *t = suspect_of(p, &r, m->fingerprint, ref);
	judge(&r, t);
	if (r.trust & TRUST_INCLUDED) {
		r.ending = ENDING_INCLUDED;
		r.t_ended_ns = r.t_wire_ns;
	}
	incident_key(&r);
	enum incident_verdict v = incident_judge(&p->incidents, &r, p->messages, r.t_wire_ns, &slot);
	if (v == INCIDENT_REPEAT) {
		p->ctr[CTR_SUPPRESSED_REPEAT]++;
		join(p, t, slot);
		return;
	}
	if (v == INCIDENT_NEW) {
		storm_key(&r, target, key);
		if (held(p, &r, key, t, r.t_wire_ns)) {
			incident_hold(slot, &r, p->messages, r.t_wire_ns);
			join(p, t, slot);
			return;
		}
	} else if (slot->message != p->messages && r.grade <= slot->grade && held(p, &r, r.dedupekey, t, r.t_wire_ns)) {
		join(p, t, slot);
		return;
	}
	if (tell(p, &r, slot, raw, r.t_wire_ns))
		join(p, t, slot);
}

/* ---- what becomes of it ---- */

/* The incident's record, about this transaction. */
static void
record_of(struct reporter *p, const struct incident *i, const struct suspect *t, struct alert_record *r)
{
	struct tx tx;
	struct span raw = raw_of(p, t);
	*r = i->last;
	if (memcmp(r->hash, t->hash, 32) != 0 && raw.len > 0 && tx_decode(raw, &tx) == 0)
		record_tx(r, &tx, t->hash);
	if (memcmp(r->hash, t->hash, 32) != 0)
		memcpy(r->hash, t->hash, 32);
	r->t_wire_ns = t->t_ns > r->t_wire_ns ? t->t_ns : r->t_wire_ns;
	r->kind = ALERT_KIND_ALERT;
	supersede(r, i->held || i->remembered ? 0 : i->seq, i->ring);
}

/* A sender that was left out for want of time is looked for once a node has accepted the transaction. Makes another incident of it. */
static bool
name_sender(struct reporter *p, struct alert_record *r, const struct suspect *t)
{
	struct tx tx;
	uint8_t from[20];
	struct span raw = raw_of(p, t);
	if ((r->has & HAS_FROM) || !(r->trust & TRUST_SENDER_SKIPPED) || raw.len == 0 || tx_decode(raw, &tx) != 0)
		return false;
	if (tx_sender(&tx, from) != 0) {
		p->ctr[CTR_SENDERS_BAD]++;
		return false;
	}
	p->ctr[CTR_SENDERS_RECOVERED]++;
	record_sender(r, &tx, from);
	return true;
}

/* What is left of it can be asked of the operator's node: that is told at once, the proof of the node's answer may take long. Refused ones are not worth asking about. */
static bool
askable_now(const struct alert_record *r, const struct incident *i, const struct suspect *t)
{
	const uint32_t askable = (uint32_t)LACKS_UNCHECKED | LACK(ACCEPTED);
	return t->accepted && r->grade_wanted == GRADE_PAUSE && !(r->lacks & ~askable) && (i->last.lacks & ~askable);
}

/* One of its incidents, told anew if that says more than before. */
static void
changed(struct reporter *p, struct suspect *t, struct incident *i, bool accepted_now, uint64_t now_ns)
{
	struct alert_record r;
	struct incident *slot = i;
	record_of(p, i, t, &r);
	uint8_t before = i->grade;
	bool was_held = i->held, renamed = accepted_now && name_sender(p, &r, t);
	judge(&r, t);
	if (r.grade <= before && !(accepted_now && r.grade >= GRADE_PAGE) && !askable_now(&r, i, t))
		return;
	if (renamed) {
		i->used = i->used && !was_held;
		incident_key(&r);
		if (incident_judge(&p->incidents, &r, p->messages, r.t_wire_ns, &slot) == INCIDENT_REPEAT)
			return;
	}
	p->ctr[CTR_FINDINGS_CORRELATED]++;
	p->ctr[CTR_GRADES_RAISED] += r.grade > before;
	if (tell(p, &r, slot, was_held || renamed ? raw_of(p, t) : (struct span){0}, now_ns))
		join(p, t, slot);
}

static void
each_changed(struct reporter *p, struct suspect *t, bool accepted_now, uint64_t now_ns)
{
	p->messages++;
	for (uint32_t k = 0; k < t->n_incidents; k++) {
		struct incident *i = incident_at(&p->incidents, t->incident[k].slot, t->incident[k].key);
		if (i == NULL || i->remembered)
			continue;
		i->accepted |= accepted_now;
		changed(p, t, i, accepted_now, now_ns);
	}
}

void
report_accepted(struct reporter *p, const uint8_t hash[32], uint64_t now_ns)
{
	struct suspect *t = suspects_find(&p->suspects, hash);
	if (t == NULL || t->accepted)
		return;
	t->accepted = true;
	each_changed(p, t, true, now_ns);
}

void
report_refused(struct reporter *p, const uint8_t hash[32])
{
	struct suspect *t = suspects_find(&p->suspects, hash);
	if (t != NULL)
		t->accepted = false;
}

void
report_evidence(struct reporter *p, uint64_t fingerprint, bool of_answer, bool clean, uint64_t now_ns)
{
	struct suspect *t = suspects_of_fingerprint(&p->suspects, fingerprint);
	if (t == NULL)
		return;
	uint8_t *which = of_answer ? &t->answer : &t->bytes;
	if (*which == PROOF_CLEAN)
		return;
	*which = clean ? PROOF_CLEAN : PROOF_DIRTY;
	if (*which == PROOF_CLEAN)
		each_changed(p, t, false, now_ns);
}

/* ---- endings ---- */

static void
add_related(struct alert_record *r, uint32_t role, const uint8_t hash[32])
{
	if (r->n_related == ALERT_RELATED_MAX)
		r->n_related--;
	r->related[r->n_related].role = role;
	memcpy(r->related[r->n_related++].hash, hash, 32);
}

static void
end_one(struct reporter *p, struct suspect *t, struct incident *i, enum alert_ending how, const uint8_t *by, uint64_t now_ns)
{
	struct alert_record r;
	bool over = how == ENDING_DROPPED || how == ENDING_REPLACED;
	i->open -= (over || how == ENDING_INCLUDED) && i->open > 0;
	i->open += how == ENDING_REORGED;
	i->accepted |= how == ENDING_INCLUDED;
	bool followed = i->last.class_ != CLASS_SWAP && i->last.class_ != CLASS_SANDWICH && i->last.class_ != CLASS_DISPLACEMENT;
	if (!followed || (over && i->open > 0))
		return;
	p->ctr[CTR_FINDINGS_CORRELATED]++;
	if (i->held && (over || i->grade < GRADE_PAGE)) {
		p->ctr[CTR_SUPPRESSED_ENDED]++;
		i->used = 0;
		return;
	}
	record_of(p, i, t, &r);
	judge(&r, t);
	r.ending = (uint8_t)how;
	r.t_ended_ns = how == ENDING_REORGED ? 0 : now_ns;
	r.kind = over ? ALERT_KIND_RETRACT : ALERT_KIND_ALERT;
	if (by != NULL)
		add_related(&r, ROLE_REPLACED, by);
	p->ctr[CTR_INCIDENTS_ENDED] += how != ENDING_REORGED;
	tell(p, &r, i, (struct span){0}, now_ns);
}

void
report_ended(struct reporter *p, const uint8_t hash[32], enum alert_ending how, const uint8_t *by, uint64_t now_ns)
{
	struct suspect *t = suspects_find(&p->suspects, hash);
	if (t == NULL || (t->ended && how != ENDING_REORGED) || (!t->ended && how == ENDING_REORGED))
		return;
	t->ended = how != ENDING_REORGED;
	t->included = how == ENDING_INCLUDED;
	p->messages++;
	for (uint32_t k = 0; k < t->n_incidents; k++) {
		struct incident *i = incident_at(&p->incidents, t->incident[k].slot, t->incident[k].key);
		if (i != NULL && !i->remembered)
			end_one(p, t, i, how, by, now_ns);
	}
}

void
report_closed(struct reporter *p, struct alert_record *r, enum alert_ending how, bool retract, uint64_t now_ns)
{
	bool live;
	incident_key(r);
	struct incident *i = incident_find(&p->incidents, r->dedupekey, now_ns, &live);
	if (!live || i->held || i->remembered || i->last.ending != ENDING_OPEN)
		return;
	struct alert_record last = i->last;
	last.ending = (uint8_t)how;
	last.t_ended_ns = now_ns;
	last.kind = retract ? ALERT_KIND_RETRACT : ALERT_KIND_ALERT;
	supersede(&last, i->seq, i->ring);
	p->ctr[CTR_FINDINGS_CORRELATED]++;
	p->ctr[CTR_INCIDENTS_ENDED]++;
	tell(p, &last, i, (struct span){0}, now_ns);
}
