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

struct event_context {
	const char *source;   /* CloudEvents source, e.g. "urn:sentinel:fleet:box" */
	const uint8_t *epoch; /* 8 bytes */
	uint32_t ring_id;
	uint64_t t_journaled_ns; /* 0: absent */
	const char *cursor;	 /* NULL: null */
	bool durable;
	bool deterministic; /* offline: leave out what differs between runs (emitted, journaled) */
	struct event_rule rule;
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

#endif
