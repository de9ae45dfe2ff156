/* SPDX-License-Identifier: BSD-3-Clause */
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

/* The message goes into the pipe in place; found[] is the only copy made of the findings. False: no room now. */
static bool
send_findings(struct worker *w, const struct tx *t, const struct crossing *where, const struct finding *found, uint32_t n)
{
	uint32_t bytes = tx_consensus_len(t);
	uint32_t travels = bytes <= TX_BYTES_MAX ? bytes : 0;
	struct finding_msg *m = pipe_reserve(&w->pipe, (uint32_t)sizeof *m + travels);
	if (m == NULL)
		return false;
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
report_findings(struct worker *w, const struct tx *t, const struct crossing *where, const struct finding *found, uint32_t n)
{
	uint32_t over = detect_over(w->detect);
	w->ctr[CTR_FINDINGS] += n + over;
	w->ctr[CTR_SUPPRESSED_OVER] += over;
	if (send_findings(w, t, where, found, n))
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

enum crossing_outcome
judge_one(struct worker *w, struct span raw, uint64_t fingerprint, const struct crossing *where)
{
	struct tx t;
	if (seen_check_add(w->seen, fingerprint, where->t_wire_ns)) {
		w->ctr[CTR_TX_DUPLICATE]++;
		if (w->listener != NULL)
			report(w, where, CROSSING_DUPLICATE, tx_decode(raw, &t) == 0 ? &t : NULL, raw.len);
		return CROSSING_DUPLICATE;
	}
	int err = tx_decode(raw, &t);
	if (err != 0)
		return unscanned(w, err == -TX_ERR_OVERSIZE ? CTR_TX_UNSCANNED_OVERSIZE : CTR_TX_UNSCANNED_RLP, where, NULL, raw.len);
	struct finding found[DETECT_FINDINGS_MAX];
	int n = detect_tx(w->detect, &t, where->bundle_len, found);
	if (n < 0) {
		seen_forget(w->seen, fingerprint);
		return unscanned(w, CTR_TX_UNSCANNED_SCAN_ERROR, where, &t, raw.len);
	}
	w->ctr[CTR_TX_SCANNED]++;
	report(w, where, CROSSING_SCANNED, &t, raw.len);
	/* what nobody was told of is told when it comes again */
	if (n > 0 && !report_findings(w, &t, where, found, (uint32_t)n))
		seen_forget(w->seen, fingerprint);
	return CROSSING_SCANNED;
}

void
judge_later(struct worker *w, struct span raw, const struct crossing *where)
{
	struct pending *p = &w->pending[w->n_pending++];
	p->raw = raw;
	p->where = *where;
	p->fingerprint = seen_fingerprint(w->seen, raw);
	seen_prefetch(w->seen, p->fingerprint);
	if (w->n_pending == PENDING_MAX)
		judge_now(w);
}

void
judge_now(struct worker *w)
{
	for (uint32_t i = 0; i < w->n_pending; i++)
		judge_one(w, w->pending[i].raw, w->pending[i].fingerprint, &w->pending[i].where);
	w->n_pending = 0;
}

enum crossing_outcome
worker_raw(struct worker *w, struct span raw, const struct crossing *where)
{
	w->ctr[CTR_TX_CROSSED]++;
	return judge_one(w, raw, seen_fingerprint(w->seen, raw), where);
}
