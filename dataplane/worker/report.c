/* SPDX-License-Identifier: BSD-3-Clause */
#include "worker/report.h"

#include "abi/counters.h"
#include "detect/round64.h"
#include "worker/sighting.h"

#include <string.h>

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
	bool accepted = t != NULL && t->accepted && t->answer == PROOF_CLEAN, mined = t != NULL && t->included && t->block == PROOF_CLEAN;
	if (!accepted && !mined)
		lacks |= LACK(ACCEPTED);
	return lacks;
}

/* Nobody's acknowledgement mends these. */
#define OF_ITSELF ((uint32_t)(TRUST_INVALID | TRUST_SENDER_SKIPPED | TRUST_TRUNCATED))

/* What is known of the transaction by now, into its record. */
static void
judge(struct alert_record *r, const struct suspect *t)
{
	if (t != NULL && t->accepted)
		r->node = NODE_ACCEPTED;
	if (t != NULL && t->bytes == PROOF_CLEAN)
		r->trust = (r->trust & ~(uint32_t)TRUST_BELOW_PAUSE) | (r->trust & OF_ITSELF);
	r->lacks = lacks_of(r, t);
	r->grade = r->grade_wanted;
	if (r->grade == GRADE_PAUSE && (r->lacks & ~(uint32_t)LACKS_UNCHECKED))
		r->grade = GRADE_PAGE;
}

/* All is there but a node's acceptance that nobody could have forged: control may ask the operator's. */
static bool
askable(const struct alert_record *r)
{
	return r->grade_wanted == GRADE_PAUSE && !(r->lacks & ~(uint32_t)(LACKS_UNCHECKED | LACK(ACCEPTED)));
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
	r->t_cause_ns = p->cause_ns;
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

/* What is gone leaves its place to others. */
static void
part_from_gone(struct reporter *p, struct suspect *t)
{
	uint8_t n = 0;
	for (uint32_t k = 0; k < t->n_incidents; k++)
		if (incident_at(&p->incidents, t->incident[k].slot, t->incident[k].key) != NULL)
			t->incident[n++] = t->incident[k];
	t->n_incidents = n;
}

static uint8_t
grade_of(const struct reporter *p, uint32_t rule_index)
{
	struct ruleset_rule rule;
	ruleset_rule(p->rules, rule_index, &rule);
	return rule.grade;
}

static void
join(struct reporter *p, struct suspect *t, struct incident *slot, uint32_t rule_index)
{
	if (t == NULL)
		return;
	uint32_t at = (uint32_t)(slot - p->incidents.slots);
	part_from_gone(p, t);
	slot->accepted |= t->accepted || t->included;
	if (suspect_joins(t, at, slot->key, rule_index)) {
		slot->open += !t->ended;
		slot->included += t->included;
		return;
	}
	for (uint32_t k = 0; k < t->n_incidents; k++)
		if (t->incident[k].slot == at && grade_of(p, rule_index) > grade_of(p, t->incident[k].rule_index))
			t->incident[k].rule_index = rule_index;
}

/* What was told of a transaction by itself: another one of the same incident says nothing about it. */
static void
note_told(struct reporter *p, struct suspect *t, const struct incident *slot, const struct alert_record *r)
{
	struct suspect_part *part = t == NULL ? NULL : suspect_part_of(t, (uint32_t)(slot - p->incidents.slots), slot->key);
	if (part == NULL)
		return;
	part->told = r->grade > part->told ? r->grade : part->told;
	part->ready |= askable(r);
}

/* ---- storms ---- */

static const uint8_t storm_mark[20] = "storm";

/* Updates of one incident wait under its dedupe key's beginning, those that a node has accepted under its end. */
static const uint8_t *
key_of_accepted(const struct alert_record *r)
{
	return r->dedupekey + sizeof r->dedupekey - 20;
}

static bool
told_by_itself(struct reporter *p, const uint8_t hash[32])
{
	const struct suspect *t = suspects_find(&p->suspects, hash);
	return t != NULL && (t->accepted || t->included);
}

/* What was accepted or included while it waited has been told by itself. The record is then another's that waits. */
static void
leave_out_told(struct reporter *p, struct storm_group *g)
{
	uint32_t n = 0;
	bool first_left = told_by_itself(p, g->hash[0]);
	for (uint32_t i = 0; i < g->waiting; i++)
		if (!told_by_itself(p, g->hash[i]))
			memmove(g->hash[n++], g->hash[i], 32);
	storm_keep(p->storms, g, n);
	const struct suspect *t = first_left && n > 0 ? suspects_find(&p->suspects, g->hash[0]) : NULL;
	for (uint32_t k = 0; t != NULL && k < t->n_incidents; k++) {
		const struct incident *i = incident_at(&p->incidents, t->incident[k].slot, t->incident[k].key);
		if (i != NULL && i->held && i->last.class_ == g->like.class_ && memcmp(i->last.hash, t->hash, 32) == 0)
			g->like = i->last;
	}
	memcpy(g->like.hash, g->hash[0], 32);
}

static void
tell_storm(struct reporter *p, struct storm_group *g, uint64_t now_ns)
{
	struct alert_record r;
	bool accepted = memcmp(key_of_accepted(&g->like), g->key, sizeof g->key) == 0;
	bool live, of_incident = accepted || memcmp(g->like.dedupekey, g->key, sizeof g->key) == 0;
	if (!accepted)
		leave_out_told(p, g);
	if (g->waiting == 0)
		return;
	struct incident *slot = of_incident ? incident_find(&p->incidents, g->like.dedupekey, now_ns, &live) : NULL;
	storm_record(g, &r);
	supersede(&r, g->seq, g->ring);
	if (!of_incident)
		incident_key_of(r.class_, r.chain_id, g->key, storm_mark, r.dedupekey);
	else if (live)
		supersede(&r, slot->seq, slot->ring);
	r.t_emitted_ns = p->emitted_ns;
	r.t_cause_ns = 0; /* what waited was meant to wait */
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

static bool
storms_hold(struct reporter *p, const struct alert_record *r, const uint8_t key[20], uint64_t now_ns)
{
	struct storm_group *g;
	enum storm_verdict v = p->each ? STORM_TELL : storm_take(p->storms, key, r, now_ns, &g);
	if (v == STORM_TELL)
		return false;
	p->ctr[CTR_SUPPRESSED_STORM]++;
	if (v == STORM_FULL)
		tell_storm(p, g, now_ns);
	return true;
}

/* Held back? The first word on what a node has accepted never is. */
static bool
held(struct reporter *p, const struct alert_record *r, const uint8_t key[20], const struct suspect *t, uint64_t now_ns)
{
	return t != NULL && !t->accepted && !t->included && storms_hold(p, r, key, now_ns);
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
	t->ended |= r->ending == ENDING_INCLUDED;
	t->included |= r->ending == ENDING_INCLUDED;
	if (!(r->trust & TRUST_BELOW_PAUSE & ~OF_ITSELF))
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
	uint64_t now_ns = r.t_wire_ns;
	struct incident *slot;
	uint8_t key[20];
	fill_rule(p, &r, rule_index);
	supersede(&r, 0, 0);
	struct suspect *t = suspect_of(p, &r, m->fingerprint, ref);
	judge(&r, t);
	incident_key(&r);
	enum incident_verdict v = incident_judge(&p->incidents, &r, p->messages, now_ns, &slot);
	bool dull = p->again && r.grade < GRADE_PAGE;
	bool gone = t != NULL && t->ended && !t->included; /* replaced or dropped: said late, by another worker */
	bool told = false;
	storm_key(&r, target, key);
	if (dull || v == INCIDENT_REPEAT || (v == INCIDENT_UPDATE && gone))
		p->ctr[CTR_SUPPRESSED_REPEAT]++;
	else if (v == INCIDENT_NEW && held(p, &r, key, t, now_ns))
		incident_hold(slot, &r, p->messages, now_ns);
	else if (v == INCIDENT_UPDATE && slot->message != p->messages && r.grade <= slot->grade && held(p, &r, r.dedupekey, t, now_ns))
		; /* the incident's record stays as it was told */
	else if (!(told = tell(p, &r, slot, raw, now_ns)) && v == INCIDENT_NEW)
		incident_lose(slot, &r, p->messages, now_ns);
	if (!dull)
		join(p, t, slot, rule_index);
	if (told)
		note_told(p, t, slot, &r);
}

/* ---- what becomes of it ---- */

/* What is of the incident, not of one of its transactions. */
static void
add_incident(struct alert_record *r, const struct alert_record *last)
{
	r->has |= last->has & (HAS_ARMED | HAS_POOL | HAS_SCORE);
	memcpy(r->armed, last->armed, 20);
	memcpy(r->pool, last->pool, 20);
	memcpy(r->dedupekey, last->dedupekey, 32);
	r->t_armed_ns = last->t_armed_ns;
	r->generation = last->generation;
	r->reasons |= last->reasons;
	r->providers |= last->providers;
	r->score = last->score;
	r->learned = last->learned;
	r->n_same = last->n_same;
	r->n_victims = last->n_victims;
	for (uint32_t i = 0; i < last->n_protocols; i++) {
		uint32_t k = 0;
		while (k < r->n_protocols && memcmp(r->protocols[k], last->protocols[i], 20) != 0)
			k++;
		if (!(last->touches[i] & TOUCH(ARMED)) || k == ALERT_PROTOCOLS_MAX)
			continue;
		if (k == r->n_protocols) {
			memcpy(r->protocols[r->n_protocols++], last->protocols[i], 20);
			r->touches[k] = 0;
		}
		r->touches[k] |= TOUCH(ARMED); /* the code that is called says so */
	}
}

/* The incident's record, about this transaction: what grades it is its own. What is no longer kept cannot pause. */
static void
record_of(struct reporter *p, const struct incident *i, const struct suspect *t, uint32_t rule_index, struct alert_record *r)
{
	if (memcmp(i->last.hash, t->hash, 32) == 0) {
		*r = i->last;
	} else if (p->source.record != NULL && p->source.record(p->source.ctx, t->ref, r) && memcmp(r->hash, t->hash, 32) == 0) {
		r->class_ = i->last.class_;
		fill_rule(p, r, rule_index);
		add_incident(r, &i->last);
	} else {
		*r = i->last;
		memcpy(r->hash, t->hash, 32);
		memset(r->touches, 0, sizeof r->touches);
	}
	r->t_wire_ns = t->t_ns > r->t_wire_ns ? t->t_ns : r->t_wire_ns;
	r->kind = ALERT_KIND_ALERT;
	if (!t->ended && r->ending != ENDING_REORGED)
		r->ending = ENDING_OPEN;
	else if (t->included)
		r->ending = ENDING_INCLUDED;
	if (r->ending == ENDING_OPEN)
		r->t_ended_ns = 0;
	else if (r->ending == ENDING_INCLUDED && r->t_ended_ns == 0)
		r->t_ended_ns = r->t_wire_ns;
	supersede(r, i->held || i->remembered ? 0 : i->seq, i->ring);
}

/* A sender that was left out for want of time is looked for once a node has accepted the transaction, or a block has it. */
static bool
name_sender(struct reporter *p, struct alert_record *r, const struct suspect *t)
{
	struct tx tx;
	uint8_t from[20];
	struct span raw = raw_of(p, t);
	if ((!t->accepted && !t->included) || (r->has & HAS_FROM) || !(r->trust & TRUST_SENDER_SKIPPED) || raw.len == 0 || tx_decode(raw, &tx) != 0)
		return false;
	bool good = tx_sender(&tx, from) == 0;
	p->ctr[good ? CTR_SENDERS_RECOVERED : CTR_SENDERS_BAD]++;
	record_sender(r, &tx, good ? from : NULL);
	if (!good)
		r->trust &= ~(uint32_t)TRUST_SENDER_SKIPPED;
	return good;
}

/* One of its incidents, told anew if that says more of this transaction than before: a bait of the same incident that was paused for, or asked about, takes nothing from it. What somebody was told of keeps its key; what nobody was, is that of its sender. */
static void
changed(struct reporter *p, struct suspect *t, struct incident *i, const struct suspect_part *part, bool accepted_now, uint64_t now_ns)
{
	struct alert_record r;
	struct incident *slot = i;
	enum incident_verdict v = INCIDENT_UPDATE;
	bool was_held = i->held, real = t->accepted || t->included;
	uint8_t before = part->told != 0 ? part->told : i->grade < GRADE_PAGE ? i->grade : GRADE_PAGE;
	record_of(p, i, t, part->rule_index, &r);
	bool named = name_sender(p, &r, t);
	judge(&r, t);
	bool known = !was_held && r.grade <= before && i->last.node == NODE_ACCEPTED && memcmp(i->last.hash, t->hash, 32) != 0;
	bool ready = !was_held && askable(&r) && !part->ready && (t->accepted || part->told != 0); /* what waits in a storm is not asked for one by one */
	if (r.grade <= before && !ready && !(r.grade >= GRADE_PAGE && (accepted_now || (was_held && real))))
		return;
	if (named && was_held) {
		i->used = 0;
		i->open = 0;
		incident_key(&r);
		v = incident_judge(&p->incidents, &r, p->messages, now_ns, &slot);
		if (v == INCIDENT_REPEAT)
			return;
	}
	p->ctr[CTR_FINDINGS_CORRELATED]++;
	if (known && storms_hold(p, &r, key_of_accepted(&r), now_ns))
		return;
	p->ctr[CTR_GRADES_RAISED] += r.grade > before;
	bool told = tell(p, &r, slot, was_held ? raw_of(p, t) : (struct span){0}, now_ns);
	if (!told && v == INCIDENT_NEW)
		incident_lose(slot, &r, p->messages, now_ns);
	join(p, t, slot, part->rule_index);
	if (told)
		note_told(p, t, slot, &r);
}

/* Joining changes what it is part of. */
struct parts {
	uint32_t n;
	struct suspect_part part[SUSPECT_INCIDENTS];
};

static struct parts
parts_of(const struct suspect *t)
{
	struct parts s = {.n = t->n_incidents};
	memcpy(s.part, t->incident, sizeof s.part);
	return s;
}

/* Of what was told before this start there is no record to go on from; nor of what had to make room. Told on the critical lane, it need not be again. Nothing raises what is gone. */
static void
each_changed(struct reporter *p, struct suspect *t, bool accepted_now, uint64_t now_ns)
{
	const struct parts s = parts_of(t);
	bool missing = s.n == 0;
	if (t->ended && !t->included)
		return;
	p->messages++;
	for (uint32_t k = 0; k < s.n; k++) {
		struct incident *i = incident_at(&p->incidents, s.part[k].slot, s.part[k].key);
		missing |= i == NULL || i->remembered;
		if (i == NULL)
			continue;
		i->accepted |= accepted_now;
		if (!i->remembered)
			changed(p, t, i, &s.part[k], accepted_now, now_ns);
		else if (accepted_now && i->ring != LANE_CRITICAL)
			i->grade = 0;
	}
	if (missing && (t->accepted || t->included) && p->source.again != NULL)
		p->source.again(p->source.ctx, t->ref, t->hash);
}

void
report_accepted(struct reporter *p, const uint8_t hash[32], uint64_t now_ns)
{
	struct suspect *t = suspects_find(&p->suspects, hash);
	if (t == NULL) {
		if (p->source.again != NULL)
			p->source.again(p->source.ctx, 0, hash);
		return;
	}
	if (t->accepted)
		return;
	t->accepted = true;
	each_changed(p, t, true, now_ns);
}

void
report_evidence(struct reporter *p, uint64_t fingerprint, bool of_answer, bool of_block, bool clean, uint64_t now_ns)
{
	struct suspect *t = suspects_of_fingerprint(&p->suspects, fingerprint);
	if (t == NULL)
		return;
	uint8_t *which = of_answer ? &t->answer : &t->bytes;
	bool more = clean && (*which != PROOF_CLEAN || (of_block && t->block != PROOF_CLEAN));
	if (*which != PROOF_CLEAN)
		*which = clean ? PROOF_CLEAN : PROOF_DIRTY;
	if (clean && of_block)
		t->block = PROOF_CLEAN;
	if (more)
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

/* One transaction of it has ended, or has not after all. False: there is nothing to say of it, since others of it go on, or came into a block. */
static bool
count_ending(struct incident *i, enum alert_ending how, bool was_ended, bool was_included)
{
	bool over = how == ENDING_DROPPED || how == ENDING_REPLACED;
	i->open -= how != ENDING_REORGED && !was_ended && i->open > 0;
	i->open += how == ENDING_REORGED;
	i->included -= how == ENDING_REORGED && was_included && i->included > 0;
	i->included += how == ENDING_INCLUDED;
	i->accepted |= how == ENDING_INCLUDED;
	if (i->last.class_ == CLASS_SWAP || i->last.class_ == CLASS_SANDWICH || i->last.class_ == CLASS_DISPLACEMENT)
		return false;
	return !over || (i->open == 0 && i->included == 0 && (i->held || i->last.kind != ALERT_KIND_RETRACT));
}

static void
end_one(struct reporter *p, struct suspect *t, struct incident *i, uint32_t rule_index, enum alert_ending how, const uint8_t *by, uint64_t now_ns)
{
	struct alert_record r;
	bool over = how == ENDING_DROPPED || how == ENDING_REPLACED, was_held = i->held;
	p->ctr[CTR_FINDINGS_CORRELATED]++;
	if (was_held && (how != ENDING_INCLUDED || i->grade < GRADE_PAGE)) {
		p->ctr[CTR_SUPPRESSED_ENDED]++;
		i->used = i->open > 0; /* nobody was told, and nobody need be */
		return;
	}
	record_of(p, i, t, rule_index, &r);
	name_sender(p, &r, t);
	judge(&r, t);
	r.ending = (uint8_t)how;
	r.t_ended_ns = how == ENDING_REORGED ? 0 : now_ns;
	r.kind = over ? ALERT_KIND_RETRACT : ALERT_KIND_ALERT;
	if (by != NULL)
		add_related(&r, ROLE_REPLACED, by);
	p->ctr[CTR_INCIDENTS_ENDED] += how != ENDING_REORGED;
	tell(p, &r, i, was_held ? raw_of(p, t) : (struct span){0}, now_ns);
}

void
report_ended(struct reporter *p, const uint8_t hash[32], enum alert_ending how, const uint8_t *by, uint64_t now_ns)
{
	struct suspect *t = suspects_find(&p->suspects, hash);
	if (t == NULL || (how == ENDING_REORGED ? !t->ended : how == ENDING_INCLUDED ? t->included : t->ended))
		return; /* what was dropped here may come into a block all the same */
	const struct parts s = parts_of(t);
	bool was_ended = t->ended, was_included = t->included;
	t->ended = how != ENDING_REORGED;
	t->included = how == ENDING_INCLUDED;
	p->messages++;
	for (uint32_t k = 0; k < s.n; k++) {
		struct incident *i = incident_at(&p->incidents, s.part[k].slot, s.part[k].key);
		if (i != NULL && !i->remembered && count_ending(i, how, was_ended, was_included))
			end_one(p, t, i, s.part[k].rule_index, how, by, now_ns);
	}
}

void
report_pending(struct reporter *p, const uint8_t hash[32])
{
	struct suspect *t = suspects_find(&p->suspects, hash);
	if (t == NULL || !t->ended || t->included)
		return;
	t->ended = false;
	for (uint32_t k = 0; k < t->n_incidents; k++) {
		struct incident *i = incident_at(&p->incidents, t->incident[k].slot, t->incident[k].key);
		if (i != NULL)
			i->open++;
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
