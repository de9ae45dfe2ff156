/* SPDX-License-Identifier: BSD-3-Clause */
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

_Static_assert(2 * (sizeof(struct finding_msg) + TX_BYTES_MAX + 64) <= PIPE_BYTES_MIN, "the longest message fits the smallest pipe");

/* The message goes into the pipe in place; found[] is the only copy made of the findings. False: no room now. */
static bool
send_findings(struct worker *w, const struct tx *t, uint64_t fingerprint, const struct crossing *where, const struct finding *found, uint32_t n)
{
	uint32_t bytes = tx_consensus_len(t);
	uint32_t travels = bytes <= TX_BYTES_MAX ? bytes : 0;
	struct finding_msg *m = pipe_reserve(&w->pipe, (uint32_t)sizeof *m + travels);
	if (m == NULL)
		return false;
	m->kind = FACT_FINDINGS;
	m->fingerprint = fingerprint;
	m->where = *where;
	m->where.claim = NULL;
	m->claim = where->claim != NULL ? *where->claim : (struct claim){0};
	m->n_findings = n;
	m->raw_len = travels;
	m->tx_bytes = bytes;
	memcpy(m->findings, found, n * sizeof *found);
	if (travels)
		tx_consensus_copy(t, m->raw);
	pipe_commit(&w->pipe);
	return true;
}

static bool
report_findings(struct worker *w, const struct tx *t, uint64_t fingerprint, const struct crossing *where, const struct finding *found, uint32_t n)
{
	uint32_t over = detect_over(w->detect);
	w->ctr[CTR_FINDINGS] += n + over;
	w->ctr[CTR_SUPPRESSED_OVER] += over;
	if (send_findings(w, t, fingerprint, where, found, n))
		return true;
	w->ctr[CTR_SUPPRESSED_RING_FULL] += n;
	return false;
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
	if (!feeds_chain(&w->feeds, t.has_chain_id, t.chain_id))
		return unscanned(w, CTR_TX_UNSCANNED_CHAIN, where, &t, raw.len);
	struct finding found[DETECT_FINDINGS_MAX];
	int n = detect_tx(w->detect, &t, where->bundle_len, found);
	if (n < 0) {
		seen_forget(w->seen, as);
		return unscanned(w, CTR_TX_UNSCANNED_SCAN_ERROR, where, &t, raw.len);
	}
	w->ctr[CTR_TX_SCANNED]++;
	report(w, where, CROSSING_SCANNED, &t, raw.len);
	if (w->lives && !(where->trust & TRUST_INCLUDED))
		fact_pending(w, &t, fingerprint, where->t_wire_ns);
	/* what nobody was told of is told when it comes again */
	w->told = n > 0 && report_findings(w, &t, fingerprint, where, found, (uint32_t)n);
	if (n > 0 && !w->told)
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

void
judge_now(struct worker *w)
{
	for (uint32_t i = 0; i < w->n_pending; i++) {
		struct pending *p = &w->pending[i];
		enum crossing_outcome outcome = judge_one(w, p->raw, p->fingerprint, &p->where);
		if ((p->proof.of | p->answer_proof.of) != 0 || w->told)
			tell_evidence(w, p, outcome);
		tell_fate(w, p, outcome);
	}
	w->n_pending = 0;
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
	struct finding found[DETECT_FINDINGS_MAX];
	uint64_t fingerprint = seen_fingerprint(w->seen, raw), clean = variant(fingerprint, where->bundle_len, false), as = clean ^ AHEAD_BIT;
	struct tx t;
	if (seen_check(w->seen, clean, where->t_wire_ns) || seen_check_add(w->seen, as, where->t_wire_ns) || tx_decode(raw, &t) != 0)
		return;
	int n = detect_tx(w->detect, &t, where->bundle_len, found);
	w->ctr[CTR_TX_AHEAD]++;
	if (n < 0 || (n > 0 && !report_findings(w, &t, fingerprint, where, found, (uint32_t)n)))
		seen_forget(w->seen, as);
}
