/* SPDX-License-Identifier: BSD-3-Clause */
#include "worker/correlator_private.h"

#include "detect/round64.h"

#define AGE_BUDGET 8u
#define BEHIND_BYTES (32u << 10) /* in a pipe: some forty transactions, whose senders take two milliseconds */

/* ---- what it is made of ---- */

static struct watch_config
watch_config_of(const struct correlator_config *c)
{
	struct watch_config w = {.n_pending = c->armed_pending, .n_kept = c->armed_kept};
	memcpy(w.key, c->key, sizeof w.key);
	w.counts = c->counters != NULL ? &c->counters[CTR_WATCH_ARMED] : NULL;
	return w;
}

size_t
correlator_bytes(const struct correlator_config *c)
{
	struct watch_config w = watch_config_of(c);
	size_t watch = watch_bytes(&w), swaps = swaps_bytes(c);
	if (watch == 0 || swaps == 0 || c->incidents < 64 || (c->incidents & (c->incidents - 1)) != 0)
		return 0;
	return round64(report_bytes(c->incidents, c->kept_bytes)) + round64(watch) + round64(swaps) + round64(c->in_flight * sizeof(struct mention));
}

#define _(id, help) _Static_assert((int)CTR_WATCH_##id == (int)CTR_WATCH_ARMED + (int)WATCH_N_##id, "counters.h has watch.h's counts, in order");
WATCH_COUNTS(_)
#undef _

void
correlator_init(struct correlator *c, void *mem, const struct correlator_config *cfg)
{
	struct watch_config w = watch_config_of(cfg);
	uint8_t *at = mem;
	memset(c, 0, sizeof *c);
	c->rules = cfg->rules;
	c->ctr = cfg->counters;
	c->lives = cfg->lives;
	c->patient = cfg->patient;
	c->shift_ns = cfg->shift_ns;
	c->protect = cfg->protect;
	report_init(&c->reporter, cfg->rules, cfg->counters, at, cfg->incidents, cfg->kept_bytes, cfg->outlet, cfg->outlet_ctx);
	at += round64(report_bytes(cfg->incidents, cfg->kept_bytes));
	c->reporter.each = cfg->each;
	c->watch = watch_init(at, &w);
	at += round64(watch_bytes(&w));
	swaps_init(c, at, cfg);
	at += round64(swaps_bytes(cfg));
	memset(at, 0, cfg->in_flight * sizeof(struct mention));
	mentions_init(&c->mentions, at, cfg->in_flight, cfg->key + 8);
	c->reporter.source = source_of(c);
}

void
correlator_add(struct correlator *c, struct pipe *p)
{
	c->pipes[c->n_pipes++] = p;
}

/* ---- messages ---- */

static void
take_tx(struct correlator *c, const struct tx_msg *m, bool hurry, bool late)
{
	struct sighting s;
	sighting_begin(&s, m, hurry);
	s.late = late;
	c->reporter.messages++;
	s.ref = kept_add(&c->reporter.kept, m);
	note_mentions(c, &s);
	if (c->lives != NULL && m->pending && s.has_hash)
		lives_pending(c->lives, &s, hurry || late);
	if (m->n_findings > 0)
		take_findings(c, &s);
	if (m->n_codes > 0)
		take_codes(c, &s);
	take_calls(c, &s);
	if (s.decoded && s.tx.n_auth > 0)
		take_delegations(c, &s);
	if (s.decoded)
		take_swaps(c, &s);
}

/* Findings come gravest first. */
static bool
hurries(const struct correlator *c, const struct pipe *p, const struct tx_msg *m)
{
	struct ruleset_rule rule;
	uint64_t fill = pipe_fill(p);
	if (c->patient || fill <= BEHIND_BYTES)
		return false;
	if ((m->n_findings == 0 && m->n_codes == 0) || fill > p->cap - p->cap / 8)
		return true;
	if (m->n_findings == 0) /* without its sender it is not known what is armed */
		return false;
	ruleset_rule(c->rules, tx_msg_findings(m)[0].rule_index, &rule);
	return fill > p->cap / 2 && rule.grade < GRADE_PAGE;
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

static void
tick(struct correlator *c, uint64_t t_ns)
{
	if (t_ns <= c->now_ns)
		return;
	uint64_t passed = c->now_ns == 0 ? SENDER_BURST_NS * SENDER_SHARE : t_ns - c->now_ns;
	c->now_ns = t_ns;
	c->sender_tokens_ns += passed / SENDER_SHARE;
	if (c->sender_tokens_ns > SENDER_BURST_NS)
		c->sender_tokens_ns = SENDER_BURST_NS;
}

/* Acknowledged, not authenticated alone: peers may say anything. */
static bool
in_block(const struct fact_evidence_item *e)
{
	return (e->trust & TRUST_INCLUDED) && e->acked && !e->of_answer;
}

static void
take_evidence(struct correlator *c, const struct fact_evidence *e)
{
	for (uint32_t i = 0; i < e->n; i++)
		report_evidence(&c->reporter, e->item[i].fingerprint, e->item[i].of_answer, in_block(&e->item[i]), fact_evidence_clean(&e->item[i]), e->t_ns);
}

/* Elements of a bundle are known by their hashes to whoever looks for sandwiches in it. */
static void
take_fact(struct correlator *c, const void *m, bool hurry)
{
	const struct fact_tx *f = m;
	uint8_t hash[32];
	if (f->kind == FACT_BUNDLE && fact_tx_hash(f, hash))
		correlator_bundle_hash(c, hash, f->handle, f->pos, f->len, f->t_ns);
	lives_take(c->lives, m, hurry);
}

static unsigned
poll_pipe(struct correlator *c, struct pipe *p)
{
	uint32_t bytes;
	const void *m = pipe_peek(p, &bytes);
	if (m == NULL || (c->n_pipes > 1 && fact_waits(m) && others_first(c, p, m)))
		return 0;
	uint32_t kind = *(const uint32_t *)m;
	c->looks = LOOKS_MAX;
	c->reporter.cause_ns = fact_time(m);
	tick(c, fact_time(m));
	if (kind == FACT_TX)
		take_tx(c, m, hurries(c, p, m), !c->patient && pipe_fill(p) > BEHIND_BYTES);
	else if (kind == FACT_EVIDENCE)
		take_evidence(c, m);
	else if (c->lives != NULL)
		take_fact(c, m, !c->patient && pipe_fill(p) > BEHIND_BYTES);
	c->reporter.cause_ns = 0;
	pipe_release(p);
	return 1;
}

unsigned
correlator_poll(struct correlator *c, unsigned budget, uint64_t emitted_ns)
{
	unsigned taken = 0, before;
	c->reporter.emitted_ns = emitted_ns;
	take_memory(c);
	do {
		before = taken;
		for (unsigned i = 0; i < c->n_pipes; i++)
			taken += poll_pipe(c, c->pipes[i]);
	} while (taken > before && --budget > 0);
	if (c->lives != NULL && taken > 0)
		lives_age(c->lives);
	if (taken > 0)
		watch_age(c->watch, c->now_ns, AGE_BUDGET);
	report_storms(&c->reporter, taken > 0 || c->patient ? c->now_ns : emitted_ns, false);
	return taken;
}

void
correlator_finish(struct correlator *c, uint64_t emitted_ns)
{
	c->reporter.emitted_ns = emitted_ns;
	report_storms(&c->reporter, c->now_ns, true);
}

static void
move_times(struct alert_record *r, int64_t by_ns)
{
	uint64_t *const times[] = {&r->t_wire_ns, &r->t_emitted_ns, &r->t_cause_ns, &r->t_announced_ns, &r->t_armed_ns, &r->t_ended_ns};
	for (size_t i = 0; i < sizeof times / sizeof times[0] && by_ns != 0; i++)
		*times[i] += *times[i] != 0 ? (uint64_t)by_ns : 0;
}

int
correlator_ring_outlet(void *ctx, struct alert_record *r, enum ring_lane lane, struct span evidence)
{
	struct correlator_rings *rings = ctx;
	struct ring_producer *p = &rings->lane[lane];
	uint64_t cause_ns = r->t_cause_ns;
	int64_t shift = rings->shift_ns != NULL ? atomic_load_explicit(rings->shift_ns, memory_order_relaxed) : 0;
	move_times(r, shift);
	int rc = ring_publish(p, r, evidence);
	move_times(r, -shift); /* the incident keeps it */
	if (rc == 0)
		stopwatch_note(&rings->stopwatch, r->carrier, cause_ns);
	if (rc == 0)
		rings->ctr[CTR_RING_PUBLISHED]++;
	else
		rings->ctr[CTR_RING_LOST_FULL]++;
	if (rc == 0 && (r->trust & TRUST_NO_EVIDENCE))
		rings->ctr[CTR_EVIDENCE_OVER_BUDGET]++;
	rings->ctr[CTR_CURSOR_BAD] = rings->lane[0].cursor_bad + rings->lane[1].cursor_bad;
	return rc;
}
