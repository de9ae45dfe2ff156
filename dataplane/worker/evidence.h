/* SPDX-License-Identifier: BSD-3-Clause */
/* evidence: whether the bytes of a transaction, or of the node's answer to it, were really received. A worker's own table of crossings that
 * wait for it; what comes of them goes to the correlator (facts.h, struct fact_evidence).
 *
 * A crossing is proven when
 *  - its receiver has acknowledged it, in a segment whose own number is exactly where the receiver's bytes go on, and
 *  - a grace of packet time has passed since in which nothing belied it: mirrors reorder, and one who forges either side cannot keep the
 *    true ones from speaking. Of a submission it is short. Of an answer it is longer than any node puts off an acknowledgement: who asked may
 *    have forged the answer himself, and acknowledges it for sure; the node shows sooner or later that it has not said it.
 * An RLPx frame with a good MAC is proven by it, and not acknowledged; one without is never proven.
 *
 * It is belied by whatever net tells (enum stream_belied), if the bytes in dispute begin before its end and are not all behind what was proven
 * before: the ones that its receiver has long taken do no harm. From then on nothing of the flow can be proven, in either direction: who has
 * put a byte of his own into a stream may have changed what all that follows is read as. A crossing that ends before the first byte in
 * dispute stays good. What only contradicts that so much was sent or received (PROBE, SENDER, LATE, an acknowledgement of less) is held
 * against those that wait, not against the flow.
 *
 * So one spoofed segment keeps the rest of a connection from being proven; it costs nobody an alert, only its pause-grade by that crossing.
 * And a connection, or an exchange on an idle one, that is forged from beginning to end in both directions looks as a true one does: no
 * passive box can tell them apart; for that the operator's node is asked. */
#ifndef WORKER_EVIDENCE_H
#define WORKER_EVIDENCE_H

#include "net/stream.h"
#include "worker/facts.h"

#include <stddef.h>
#include <stdint.h>

struct worker;

#define EVIDENCE_GRACE_NS 1000000ull
#define EVIDENCE_ANSWER_GRACE_NS 250000000ull
#define EVIDENCE_ENTRIES 16384u /* crossings with findings that wait */
#define EVIDENCE_PER_FLOW 256u	/* of these, of one direction, not acknowledged */
#define EVIDENCE_PLAIN 4u	/* without findings, of one kind and flow */
#define EVIDENCE_KNOWN 1024u	/* fingerprints with findings that are remembered; and of those proven */
#define EVIDENCE_BATCH 64u
#define EVIDENCE_TRIES 8u /* graces of one crossing that are disturbed, each by a word that it was not received or sent */

/* One crossing with findings. It waits in its flow's queue for the acknowledgement, then in one by time for the end of its grace. */
struct evidence {
	_Alignas(64) uint64_t fingerprint;
	uint64_t end; /* stream offset behind it */
	uint64_t noted_ns, due_ns; /* due: the end of its grace */
	uint32_t trust;
	uint32_t of;   /* its flow's evidence_flow */
	uint32_t next; /* in its queue */
	uint8_t dir;
	uint8_t of_answer;
	uint8_t tries;
};

struct evidence_queue {
	uint32_t first, last;
};

/* Crossings without findings, which only those ask for who follow lives: few of a flow at a time, and those that find no room are not proven.
 * All that was acknowledged by a mark in time is proven a grace later. */
struct evidence_plain {
	uint64_t fingerprint, end;
	uint32_t trust, noted; /* noted: units of 1.024 us */
};
enum evidence_kind { EVIDENCE_OF_0, EVIDENCE_OF_1, EVIDENCE_OF_ANSWERS, EVIDENCE_KINDS }; /* of direction 0, of 1, answers of 1 */
struct evidence_ring {
	uint64_t mark, mark_ns; /* acknowledged by then; mark_ns 0: nothing was */
	uint32_t first, n;
	struct evidence_plain of[EVIDENCE_PLAIN];
};

/* What is known of a flow that has, or had, such crossings. Who waits looks at it when his grace ends. */
struct evidence_flow {
	_Alignas(64) struct flow *flow; /* NULL: free */
	uint64_t acked[2]; /* what the receiver says to have, by his last word */
	struct evidence_queue waits[2];
	uint16_t n_waits[2];
	uint16_t n_refs; /* crossings that have not been judged yet */
	bool closed;
	bool spoke;  /* since its turn to be taken came last */
	bool listed; /* among those with plain ones */
	uint32_t busy; /* the next listed */
	uint32_t n_grace[2];
	uint32_t turn; /* how often the place was used */
	uint32_t older, younger;
	uint64_t lowered_ns[2]; /* when it was last less than before, or the sender said that he had not sent so much */
	uint64_t disputed[2];	/* crossings that end behind this are belied ... */
	uint64_t denied[2], denied_ns[2]; /* ... and behind this, of those noted up to then */
	uint64_t settled[2];	/* below all was proven */
	struct evidence_ring ring[EVIDENCE_KINDS];
};

struct evidence_table {
	struct evidence *entries;
	struct evidence_flow *flows;
	struct evidence_queue grace[2]; /* entries: submissions, answers */
	uint32_t free;
	uint32_t flows_free;
	struct evidence_queue used; /* flows, in the order in which they are looked at when one is taken from another */
	struct evidence_queue busy; /* flows with plain ones, in the order in which they are looked at */
	uint32_t n_busy;
	uint64_t grace_ns[2];
	uint64_t *found, *proven; /* EVIDENCE_KNOWN fingerprints each */
	uint32_t n_out;
	bool urgent; /* of those out: one with findings */
	struct fact_evidence_item out[EVIDENCE_BATCH];
};

/* evidence_bytes: memory for n_flows flows; evidence_init lays it out in mem (zeroed, 64-byte aligned). */
size_t evidence_bytes(uint32_t n_flows);
void evidence_init(struct evidence_table *t, void *mem, uint32_t n_flows, uint64_t grace_ns, uint64_t answer_grace_ns);

/* A crossing until it is judged. of 0: it cannot be proven. */
struct evidence_ref {
	uint32_t of, turn;
	uint64_t end;
	uint8_t dir;
};

/* evidence_note begins to wait for what is being read now. trust: the crossing's. keep: it will be judged yet, and *ref, filled in, be handed back
 * to evidence_judged. */
void evidence_note(struct worker *w, uint64_t fingerprint, uint32_t trust, bool of_answer, struct evidence_ref *keep);
/* evidence_judged: what came of it. ref->of 0 and no findings: need not be called. */
enum evidence_verdict { EVIDENCE_TOLD, EVIDENCE_NO_FINDINGS, EVIDENCE_NO_TRANSACTION };
void evidence_judged(struct worker *w, const struct evidence_ref *ref, uint64_t fingerprint, uint32_t trust, bool of_answer, enum evidence_verdict v);

/* What net tells of flows. evidence_closed: the flow is forgotten. */
void evidence_acked(struct worker *w, struct flow *f, unsigned dir, uint64_t off, bool in_place, uint64_t now_ns);
void evidence_belied(struct worker *w, struct flow *f, unsigned dir, uint64_t from, uint64_t to, enum stream_belied why);
void evidence_closed(struct worker *w, struct flow *f);

/* evidence_late: a crossing that was judged before is told only now. proof: what was told of it by then; NULL: nothing. */
void evidence_late(struct worker *w, uint64_t fingerprint, uint32_t trust, const struct fact_evidence_item *proof);
/* evidence_tell: those whose grace is over by now_ns; sends what is to be told. Nothing may be pending. */
void evidence_tell(struct worker *w, uint64_t now_ns);

#endif
