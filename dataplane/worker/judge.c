/* SPDX-License-Identifier: BSD-3-Clause */
#include "detect/model.h"
#include "detect/ruleset_event.h"
#include "worker/facts.h"
#include "worker/worker_private.h"

#include <string.h>

static void
report(struct worker *w, const struct crossing *where, enum crossing_outcome outcome, const struct tx *t, uint32_t bytes)
{
	if (w->listener == NULL)
		return;
	struct crossing_report r = {.where = *where, .outcome = outcome, .tx = t, .raw_bytes = bytes};
	w->listener(w->listener_ctx, &r);
}

_Static_assert(2 * (TX_MSG_BYTES_MAX(TX_BYTES_MAX) + 64) <= PIPE_BYTES_MIN, "the longest message fits the smallest pipe");

/* What a transaction was found to be. */
struct judged {
	uint32_t n_findings, n_codes, n_swaps, n_targets;
	bool unread; /* there was no time for a code */
	bool over;   /* a cap of calls inside was hit */
	bool swaps_over;
	struct finding findings[DETECT_FINDINGS_MAX];
	struct tx_code codes[TX_CODES_MAX + 1]; /* one more, until it is known which is the least */
	struct swap swaps[SWAPS_MAX];
	uint8_t targets[TX_TARGETS_MAX][20];
};

/* ---- what the rules do not ask for ---- */

static bool
tells_something(const struct tx_code *c)
{
	return c->facts.flash || c->facts.score > 0 || c->facts.has_target || c->learned > 0;
}

/* Codes get this share of packet time: reading one costs about 16 ns a byte, one made for the purpose 70. What is left over is matched
 * against the patterns of rules alone, as everything is, and has another chance when it crosses again; blocks have a share of their own, so that what came to
 * be is read whatever was sent meanwhile. */
#define CODE_SHARE 4u
#define CODE_BURST_NS 100000000ull
#define CODE_NS_PER_BYTE 24u
#define CODE_NS_LEAST 5000u

static bool
time_for_code(struct worker *w, uint32_t bytes, bool in_block)
{
	uint64_t now = w->now_ns, cost = CODE_NS_LEAST + (uint64_t)bytes * CODE_NS_PER_BYTE;
	struct code_time *t = &w->code_time[in_block];
	if (w->code_all)
		return true;
	if (now > t->at_ns) {
		uint64_t earned = t->at_ns != 0 ? (now - t->at_ns) / CODE_SHARE : CODE_BURST_NS;
		t->tokens_ns = earned < CODE_BURST_NS - t->tokens_ns ? t->tokens_ns + earned : CODE_BURST_NS;
		t->at_ns = now;
	}
	if (t->tokens_ns < cost)
		return false;
	t->tokens_ns -= cost;
	return true;
}

static uint32_t
weight(const struct tx_code *c)
{
	return (c->facts.flash ? 1u << 20 : 0) + c->facts.score + c->learned + c->facts.has_target;
}

/* Decoys do not crowd out the one that matters. */
static void
leave_out_least(struct worker *w, struct judged *j)
{
	uint32_t least = 0;
	for (uint32_t i = 1; i < j->n_codes; i++)
		if (weight(&j->codes[i]) < weight(&j->codes[least]))
			least = i;
	j->n_codes--;
	memmove(&j->codes[least], &j->codes[least + 1], (j->n_codes - least) * sizeof j->codes[0]);
	w->ctr[CTR_CODES_LEFT_OUT]++;
}

static void
read_code(struct worker *w, const struct call *call, bool in_block, struct judged *j)
{
	struct tx_code *c = &j->codes[j->n_codes];
	memset(c, 0, sizeof *c);
	if (!time_for_code(w, call->data.len, in_block)) {
		w->ctr[CTR_CODES_SKIPPED]++;
		j->unread = true;
		return;
	}
	w->ctr[CTR_CODES_READ]++;
	code_read(w->code, call->data, &c->facts);
	c->nested = call->depth > 0;
	c->has_address = call->kind == CALL_CREATE2 && call_created2(call, c->address);
	c->facts.template_ = ruleset_template(w->rules, c->facts.hash);
	if (w->model != NULL)
		c->learned = model_score(w->model, code_grams(w->code));
	j->n_codes += tells_something(c);
	if (j->n_codes > TX_CODES_MAX)
		leave_out_least(w, j);
}

static bool
is_creation(const struct call *c)
{
	return c->kind == CALL_CREATE || c->kind == CALL_CREATE2;
}

/* Recipients of calls inside the transaction, each once. */
static void
add_target(struct judged *j, struct span to)
{
	for (uint32_t i = 0; to.len == 20 && i < j->n_targets; i++)
		if (memcmp(j->targets[i], to.p, 20) == 0)
			return;
	if (to.len == 20 && j->n_targets < TX_TARGETS_MAX)
		memcpy(j->targets[j->n_targets++], to.p, 20);
}

/* What conditions of rules on transactions ask for beyond the transaction. */
static void
find_facts(struct worker *w, const struct tx *t, const struct crossing *where, struct judged *j)
{
	struct touched touched[PROTECT_TOUCHED_MAX];
	struct calls calls;
	bool over;
	memset(&w->facts, 0, sizeof w->facts);
	w->facts.number[SCALAR_BUNDLE_POS] = where->bundle_pos;
	if (w->asks_code && t->to.len == 0) {
		const struct call own = {.data = t->data, .kind = CALL_CREATE};
		struct tx_code *c = &j->codes[0];
		read_code(w, &own, where->trust & TRUST_INCLUDED, j);
		rule_facts_of_code(&w->facts, &c->facts, c->learned);
		j->n_codes = 0; /* look_inside reads it in its turn */
	}
	if (w->asks_protected && w->protect != NULL) {
		calls_of(t, &calls);
		w->facts.number[SCALAR_PROTECTED] = protect_touch(w->protect, t, &calls, touched, &over);
	}
	detect_facts(w->detect, &w->facts);
}

static void
judged_begin(struct worker *w, const struct tx *t, const struct crossing *where, struct judged *j)
{
	j->n_codes = j->n_swaps = j->n_targets = 0;
	j->unread = j->over = j->swaps_over = false;
	if (w->asks_code || w->asks_protected)
		find_facts(w, t, where, j);
}

static void
look_inside(struct worker *w, const struct tx *t, bool in_block, struct judged *j)
{
	const struct calls *calls = detect_calls(w->detect);
	j->over = calls->over;
	for (uint32_t i = 0; i < calls->n; i++) {
		const struct call *c = &calls->call[i];
		if (is_creation(c) || (i == 0 && t->to.len == 0))
			read_code(w, c, in_block, j);
		else if (i > 0)
			add_target(j, c->to);
	}
	if (t->to.len == 20)
		j->n_swaps = swaps_of_cached(t, calls, w->swaps, j->swaps, &j->swaps_over);
	w->ctr[CTR_SWAPS_OVER] += j->swaps_over;
}

/* ---- telling ---- */

static __attribute__((noinline)) void
put_judged(struct tx_msg *m, const struct judged *j)
{
	memcpy((void *)tx_msg_codes(m), j->codes, j->n_codes * sizeof *j->codes);
	memcpy((void *)tx_msg_swaps(m), j->swaps, j->n_swaps * sizeof *j->swaps);
	memcpy((void *)tx_msg_findings(m), j->findings, j->n_findings * sizeof *j->findings);
	memcpy((void *)tx_msg_targets(m), j->targets, j->n_targets * sizeof *j->targets);
}

enum telling { LOST, WAITS, TOLD };

/* Where the message goes: into the pipe or, if it is to wait, aside. NULL: nowhere. */
static struct tx_msg *
reserve_tx(struct worker *w, uint32_t all, uint32_t n_findings, uint64_t fingerprint, enum telling *how)
{
	struct tx_msg *m;
	*how = TOLD;
	if (w->aside.cap == 0)
		return n_findings > 0 ? pipe_reserve(&w->pipe, all) : fact_reserve(w, all);
	if ((m = pipe_reserve_within(&w->pipe, all, ASIDE_ROOM_BYTES)) != NULL)
		return m;
	*how = WAITS;
	return aside_reserve(w, all, fingerprint);
}

/* In place: no copy is made but this one. */
static enum telling
send_tx(struct worker *w, const struct tx *t, uint64_t fingerprint, const struct crossing *where, const struct judged *j, bool pending)
{
	uint32_t bytes = tx_consensus_len(t), travels = bytes <= TX_BYTES_MAX ? bytes : 0;
	uint32_t all = tx_msg_bytes(j->n_codes, j->n_swaps, j->n_findings, j->n_targets, travels);
	enum telling how;
	struct tx_msg *m = reserve_tx(w, all, j->n_findings, fingerprint, &how);
	if (m == NULL)
		return LOST;
	*m = (struct tx_msg){.kind = FACT_TX, .raw_len = travels, .tx_bytes = bytes, .n_codes = (uint8_t)j->n_codes, .n_swaps = (uint8_t)j->n_swaps,
		.n_findings = (uint8_t)j->n_findings, .n_targets = (uint8_t)j->n_targets, .over = j->over, .swaps_over = j->swaps_over, .pending = pending, .fingerprint = fingerprint, .where = *where};
	m->where.claim = NULL;
	if (where->claim != NULL)
		m->claim = *where->claim;
	if ((j->n_codes | j->n_swaps | j->n_findings | j->n_targets) != 0)
		put_judged(m, j);
	if (travels > 0)
		tx_consensus_copy(t, (uint8_t *)tx_msg_raw(m).p);
	if (how == TOLD)
		pipe_commit(&w->pipe);
	return how;
}

/* LOST: there were findings, and no room for them. What has none may be left out. */
static enum telling
tell(struct worker *w, const struct tx *t, uint64_t fingerprint, const struct crossing *where, const struct judged *j, bool pending)
{
	uint32_t over = detect_over(w->detect);
	w->ctr[CTR_FINDINGS] += j->n_findings + over;
	w->ctr[CTR_SUPPRESSED_OVER] += over;
	if (j->n_findings == 0 && !w->lives)
		return TOLD;
	enum telling how = send_tx(w, t, fingerprint, where, j, pending);
	if (how != LOST || j->n_findings == 0)
		return how != LOST ? how : TOLD;
	w->ctr[CTR_SUPPRESSED_RING_FULL] += j->n_findings;
	return LOST;
}

static enum crossing_outcome
unscanned(struct worker *w, enum sentinel_counter why, const struct crossing *where, const struct tx *t, uint32_t bytes)
{
	w->ctr[why]++;
	report(w, where, CROSSING_UNSCANNED, t, bytes);
	return CROSSING_UNSCANNED;
}

/* What may have been done to a crossing by whoever wants a later, clean one to count for nothing. Not NOT_ACKED: every crossing is judged on
 * arrival, before it can be acknowledged. */
#define TRUST_DIRTY \
	(TRUST_GAP_BEFORE | TRUST_MIDSTREAM | TRUST_ONE_DIRECTION | TRUST_OVERLAP_CONFLICT | TRUST_TRUNCATED | TRUST_INCLUDED | \
		TRUST_MAC_UNVERIFIED | TRUST_NODE_SAID)

/* A transaction is judged once for each way of crossing that can change the verdict: in a bundle of some length (rules may ask for it), clean
 * or dirty (alerts are graded by it). A clean crossing makes dirty ones duplicates, never the other way round; so dirty copies
 * hide nothing and cost one scan in all. The bits keep away from the end of the fingerprint, which chooses the set. */
static uint64_t
variant(uint64_t fingerprint, uint32_t bundle_len, bool dirty)
{
	uint64_t len = bundle_len < 1023 ? bundle_len : 1023;
	return fingerprint ^ (len << 53 | (uint64_t)dirty << 63);
}

static bool
was_seen(struct worker *w, uint64_t fingerprint, const struct crossing *where, uint64_t *as)
{
	bool dirty = (where->trust & TRUST_DIRTY) != 0;
	*as = variant(fingerprint, where->bundle_len, dirty);
	if (dirty && seen_check(w->seen, variant(fingerprint, where->bundle_len, false), where->t_wire_ns))
		return true;
	return seen_check_add(w->seen, *as, where->t_wire_ns);
}

void
judge_init(struct worker *w, const struct protect *protect)
{
	static const uint8_t of_code[] = {SCALAR_CODE_SCORE, SCALAR_CODE_FLASH, SCALAR_CODE_PROVIDERS, SCALAR_CODE_LEARNED, SCALAR_CODE_TEMPLATE};
	w->protect = protect;
	w->asks_protected = ruleset_asks(w->rules, EVENT_TRANSACTION, SCALAR_PROTECTED) || ruleset_asks(w->rules, EVENT_TRANSACTION, SCALAR_BUNDLE_POS);
	for (size_t i = 0; i < sizeof of_code; i++)
		w->asks_code |= ruleset_asks(w->rules, EVENT_TRANSACTION, of_code[i]);
}

enum crossing_outcome
judge_one(struct worker *w, struct span raw, uint64_t fingerprint, const struct crossing *where)
{
	struct tx t;
	uint64_t as;
	w->told = false;
	w->ctr[CTR_TX_INCLUDED] += (where->trust & TRUST_INCLUDED) != 0;
	if (was_seen(w, fingerprint, where, &as)) {
		w->ctr[CTR_TX_DUPLICATE]++;
		if (w->listener != NULL)
			report(w, where, CROSSING_DUPLICATE, tx_decode(raw, &t) == 0 ? &t : NULL, raw.len);
		return CROSSING_DUPLICATE;
	}
	int err = tx_decode(raw, &t);
	if (err != 0)
		return unscanned(w, err == -TX_ERR_OVERSIZE ? CTR_TX_UNSCANNED_OVERSIZE : CTR_TX_UNSCANNED_RLP, where, NULL, raw.len);
	if (!feeds_chain(w->feeds, t.has_chain_id, t.chain_id))
		return unscanned(w, CTR_TX_UNSCANNED_CHAIN, where, &t, raw.len);
	struct judged j;
	judged_begin(w, &t, where, &j);
	int n = detect_tx(w->detect, &t, where->bundle_len, j.findings);
	if (n < 0) {
		seen_forget(w->seen, as);
		return unscanned(w, CTR_TX_UNSCANNED_SCAN_ERROR, where, &t, raw.len);
	}
	j.n_findings = (uint32_t)n;
	w->ctr[CTR_TX_SCANNED]++;
	report(w, where, CROSSING_SCANNED, &t, raw.len);
	if (w->lives)
		look_inside(w, &t, where->trust & TRUST_INCLUDED, &j);
	/* what nobody was told of is told when it comes again, and what was not read has another chance */
	enum telling how = tell(w, &t, fingerprint, where, &j, !(where->trust & TRUST_INCLUDED));
	w->told = n > 0 && how == TOLD;
	if (how == LOST || j.unread)
		seen_forget(w->seen, as);
	return CROSSING_SCANNED;
}

void
judge_later(struct worker *w, struct span raw, const struct crossing *where, struct join_ref asked)
{
	struct pending *p = &w->pending[w->n_pending];
	p->raw = raw;
	p->where = *where;
	p->asked = asked;
	p->accepted = w->early;
	p->answer_trust = w->early_trust;
	if (w->early)
		memcpy(p->hash, w->early_hash, 32);
	w->early = false;
	p->fingerprint = seen_fingerprint(w->seen, raw);
	seen_prefetch(w->seen, p->fingerprint);
	p->answer_proof.of = 0;
	evidence_note(w, p->fingerprint, where->trust, false, &p->proof);
	if (asked.slot != 0) {
		join_set(&w->joins, asked, (uint8_t)(FATE_QUEUED + w->n_pending), NULL);
		join_mark(&w->joins, asked, p->fingerprint);
	}
	if (++w->n_pending == PENDING_MAX)
		judge_now(w);
}

void
judge_told(struct worker *w, const struct tx_msg *m, const struct fact_evidence_item *proof)
{
	if (m->n_findings > 0 || proof != NULL)
		evidence_late(w, m->fingerprint, m->where.trust, proof);
}

/* It is told when it comes again. */
void
judge_untold(struct worker *w, const struct tx_msg *m)
{
	w->ctr[CTR_SUPPRESSED_RING_FULL] += m->n_findings;
	w->ctr[CTR_FACTS_LEFT_OUT] += m->n_findings == 0;
	if (m->n_findings > 0)
		seen_forget(w->seen, variant(m->fingerprint, m->where.bundle_len, (m->where.trust & TRUST_DIRTY) != 0));
}

/* The node's answer may have come in the same burst, in which case the entry is gone. */
static void
tell_fate(struct worker *w, const struct pending *p, enum crossing_outcome outcome)
{
	static const uint8_t fate[] = {
		[CROSSING_SCANNED] = FATE_SCANNED, [CROSSING_DUPLICATE] = FATE_DUPLICATE, [CROSSING_UNSCANNED] = FATE_UNREAD};
	if (p->accepted) {
		node_judged(w, fate[outcome]);
		fact_accepted(w, p->hash, p->fingerprint, p->answer_trust);
	} else if (p->asked.slot != 0) {
		join_set(&w->joins, p->asked, fate[outcome], NULL);
	}
}

static void
tell_evidence(struct worker *w, const struct pending *p, enum crossing_outcome outcome)
{
	enum evidence_verdict v = outcome == CROSSING_UNSCANNED ? EVIDENCE_NO_TRANSACTION : w->told ? EVIDENCE_TOLD : EVIDENCE_NO_FINDINGS;
	evidence_judged(w, &p->proof, p->fingerprint, p->where.trust, false, v);
	if (p->answer_proof.of != 0)
		evidence_judged(w, &p->answer_proof, p->fingerprint, p->answer_trust, true, v);
}

/* One reading of the clock for all. */
static void
note_scanned(struct worker *w, const uint8_t *scanned, uint32_t n)
{
	uint64_t now_ns = n > 0 && w->stopwatch.now_ns != NULL ? w->stopwatch.now_ns(w->stopwatch.ctx) : 0;
	for (uint32_t i = 0; i < n && now_ns != 0; i++) {
		const struct crossing *x = &w->pending[scanned[i]].where;
		hist_add(&w->stopwatch.to->feed[latency_feed_of(x->carrier)], x->t_wire_ns, now_ns);
	}
}

void
judge_now(struct worker *w)
{
	uint8_t scanned[PENDING_MAX];
	uint32_t n = 0;
	uint32_t side = w->sides.now;
	for (uint32_t i = 0; i < w->n_pending; i++) {
		struct pending *p = &w->pending[i];
		side_enter(w, p->where.side);
		enum crossing_outcome outcome = judge_one(w, p->raw, p->fingerprint, &p->where);
		scanned[n] = (uint8_t)i;
		n += outcome == CROSSING_SCANNED;
		if ((p->proof.of | p->answer_proof.of) != 0 || w->told)
			tell_evidence(w, p, outcome);
		tell_fate(w, p, outcome);
	}
	side_enter(w, side);
	note_scanned(w, scanned, n);
	w->n_pending = w->sides_pending = 0;
	w->built_used = 0;
}

enum crossing_outcome
worker_raw(struct worker *w, struct span raw, const struct crossing *where)
{
	w->ctr[CTR_TX_CROSSED]++;
	return judge_one(w, raw, seen_fingerprint(w->seen, raw), where);
}

/* Once for each way of crossing, too: what comes again behind holes in other flows costs no scan and tells nothing new. */
#define AHEAD_BIT ((uint64_t)1 << 52)

void
judge_ahead(struct worker *w, struct span raw, const struct crossing *where)
{
	uint64_t fingerprint = seen_fingerprint(w->seen, raw), clean = variant(fingerprint, where->bundle_len, false), as = clean ^ AHEAD_BIT;
	struct judged j;
	struct tx t;
	if (seen_check(w->seen, clean, where->t_wire_ns) || seen_check_add(w->seen, as, where->t_wire_ns) || tx_decode(raw, &t) != 0)
		return;
	judged_begin(w, &t, where, &j);
	int n = detect_tx(w->detect, &t, where->bundle_len, j.findings);
	w->ctr[CTR_TX_AHEAD]++;
	j.n_findings = n > 0 ? (uint32_t)n : 0;
	if (n < 0 || (n > 0 && tell(w, &t, fingerprint, where, &j, false) == LOST))
		seen_forget(w->seen, as);
}
