/* SPDX-License-Identifier: BSD-3-Clause */
/* event: the one formatter of what consumers see, CloudEvents 1.0 JSON on one line. Used by control for
 * delivery and by the offline dataplane for replay, so that both print the same bytes. */
#ifndef ABI_EVENT_H
#define ABI_EVENT_H

#include "abi/alert.h"
#include "abi/span.h"

#include <stdbool.h>
#include <stddef.h>

/* Of the bundle that the record names. The record's own id and revision are printed; the name only if it is
 * theirs. */
struct event_rule {
	uint32_t id, rev;
	const char *name; /* NULL: unknown */
};

/* What the operator's node says of an alert that would pause: control asks it, and tells the answer in an event of its own
 * behind the alert's. */
enum event_vet_node {
	VET_NONE,    /* nobody is asked */
	VET_ASKED,   /* the alert itself, told as page meanwhile: the answer follows */
	VET_YES,     /* everything that could be checked holds */
	VET_NO,	     /* something does not: `fact` */
	VET_UNKNOWN, /* no answer in time, or none that can be used: `fact` */
	VET_NODE_MAX = VET_UNKNOWN
};
enum event_vet_answer { VET_UNCHECKED, VET_HOLDS, VET_FAILS, VET_ANSWER_MAX = VET_FAILS };

/* The one thing that decided, or what is worth knowing beside a yes. _(ID, "name", "help") */
#define EVENT_VET_FACTS(_) \
	_(NOTHING, "", "") \
	_(UNKNOWN_TX, "unknown_to_node", "the node does not know the transaction") \
	_(NONCE_USED, "nonce_used", "another transaction has had its nonce") \
	_(NONCE_GAP, "nonce_gap", "transactions before it are missing") \
	_(UNFUNDED, "unfunded", "its sender cannot pay value and gas") \
	_(FEE_LOW, "fee_below_base", "its fee is below the base fee") \
	_(REVERTS, "reverts", "simulated on the newest block it reverts") \
	_(UNTOUCHED, "touches_nothing_protected", "simulated on the newest block it calls no protected contract") \
	_(NO_ANSWER, "no_answer", "no node answered in time") \
	_(BAD_ANSWER, "bad_answer", "what the node answers cannot be used") \
	_(OTHER_CHAIN, "other_chain", "the node is of another chain") \
	_(TOO_LATE, "too_late", "control was away when it should have been asked") \
	_(NOTHING_THERE, "nothing_there", "the watched contract that it calls is not there, and its deployment is not about to be mined")
enum event_vet_fact {
#define _(id, name, help) VET_FACT_##id,
	EVENT_VET_FACTS(_)
#undef _
	VET_FACT_COUNT
};

struct event_vet {
	uint8_t node;					    /* enum event_vet_node */
	uint8_t accepted, nonce, funds, fee, simulation;    /* enum event_vet_answer */
	uint8_t fact;					    /* enum event_vet_fact */
	uint8_t pad;
	uint64_t took_us; /* from the question to the verdict */
};
_Static_assert(sizeof(struct event_vet) == 16, "kept in the journal");

/* event_vet_check: 0 if every field is in range, else -EINVAL. */
int event_vet_check(const struct event_vet *v);
/* event_vet_fact_name: "" for none, and for values out of range. */
const char *event_vet_fact_name(unsigned fact);

struct event_context {
	const char *source;   /* CloudEvents source, e.g. "urn:sentinel:fleet:box" */
	const uint8_t *epoch; /* 8 bytes */
	uint32_t ring_id;
	uint64_t t_journaled_ns; /* 0: absent */
	const char *cursor;	 /* NULL: null */
	bool durable;
	bool deterministic; /* offline: leave out what differs between runs (emitted, journaled) */
	struct event_rule rule;
	/* NULL or VET_NONE: nothing of a node. From VET_YES on the event is control's own, which supersedes the record's: its id is the
	 * record's with "-vetted" behind it. */
	const struct event_vet *vet;
};

/* Longest event: evidence in hex, the fixed part, and source, cursor and rule name (or reason) of up to
 * EVENT_STRINGS_MAX bytes together, each byte escaped at worst. Strings need not be UTF-8: what is not prints
 * as U+FFFD. */
#define EVENT_STRINGS_MAX 2048u
#define EVENT_BYTES_MAX (2u * 128u * 1024u + 20480u)

/* event_id writes "<epoch hex>-<ring>-<seq>"; out >= 64 bytes. */
void event_id(const uint8_t epoch[8], uint32_t ring_id, uint64_t seq, char *out);

/* event_alert formats a checked record (type sentinel.alert.v1, or retract/drill by its kind) without a
 * newline. The JSON Schema of what it prints is alert.schema.json. Returns the length, or -ENOSPC if cap
 * (EVENT_BYTES_MAX always suffices, within EVENT_STRINGS_MAX) is too small. */
int event_alert(char *out, size_t cap, const struct event_context *x, const struct alert_record *r,
	struct span evidence);

/* event_loss formats sentinel.loss.v1 for seqs [from, to] of a ring; reason: "ring_full",
 * "corrupt_slot", "journal_failed", "not_in_journal" or "unknown". */
int event_loss(
	char *out, size_t cap, const struct event_context *x, uint64_t from, uint64_t to, const char *reason);


/* Events of control's own, on no ring of the dataplane's, have this ring in their ids, and "-notice" behind them. */
#define EVENT_NOTICE_RING UINT32_MAX

struct event_silence {
	const char *node;  /* NULL: nothing comes from anybody */
	const char *feed;  /* NULL: the node as a whole */
	bool ended;	   /* what an earlier event told of is over */
	uint8_t direction; /* 0: silent; 1: what the node sends is missing, 2: what it is sent */
	uint64_t since_ns; /* wall time of the last sign before it */
	uint64_t usual_ms; /* told when it lasted longer than that */
	uint64_t lasted_ms; /* if ended */
};

/* event_silence formats sentinel.silence.v1; seq names it among the epoch's notices. Returns as event_loss. */
int event_silence(char *out, size_t cap, const struct event_context *x, uint64_t seq, const struct event_silence *e);

#endif
