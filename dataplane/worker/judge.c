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

/* The message goes into the pipe in place; found[] is the only copy made of the findings. */
static void
send_findings(struct worker *w, const struct tx *t, const struct crossing *where, const struct finding *found, uint32_t n)
{
	uint32_t bytes = tx_consensus_len(t);
	uint32_t travels = bytes <= TX_BYTES_MAX ? bytes : 0;
	w->ctr[CTR_FINDINGS] += n;
	struct finding_msg *m = pipe_reserve(&w->pipe, (uint32_t)sizeof *m + travels);
	if (m == NULL) {
		w->ctr[CTR_SUPPRESSED_RING_FULL] += n;
		return;
	}
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
	if (err != 0) {
		w->ctr[err == -TX_ERR_OVERSIZE ? CTR_TX_UNSCANNED_OVERSIZE : CTR_TX_UNSCANNED_RLP]++;
		report(w, where, CROSSING_UNSCANNED, NULL, raw.len);
		return CROSSING_UNSCANNED;
	}
	struct finding found[DETECT_FINDINGS_MAX];
	int n = detect_tx(w->detect, &t, where->bundle_len, found);
	if (n < 0) {
		w->ctr[CTR_TX_UNSCANNED_SCAN_ERROR]++;
		report(w, where, CROSSING_UNSCANNED, &t, raw.len);
		return CROSSING_UNSCANNED;
	}
	w->ctr[CTR_TX_SCANNED]++;
	report(w, where, CROSSING_SCANNED, &t, raw.len);
	if (n > 0)
		send_findings(w, &t, where, found, (uint32_t)n);
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
