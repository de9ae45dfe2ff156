/* SPDX-License-Identifier: BSD-3-Clause */
/* event: the one formatter of what consumers see, CloudEvents 1.0 JSON on one line. Used by control for
 * delivery and by the offline dataplane for replay, so that both print the same bytes. */
#ifndef ABI_EVENT_H
#define ABI_EVENT_H

#include "abi/alert.h"
#include "abi/span.h"

#include <stdbool.h>
#include <stddef.h>

struct event_rule {
	uint32_t id, rev;
	const char *name;
};

struct event_context {
	const char *source; /* CloudEvents source, e.g. "urn:sentinel:fleet:box" */
	const uint8_t *epoch; /* 8 bytes */
	uint32_t ring_id;
	uint64_t t_journaled_ns; /* 0: absent */
	const char *cursor; /* NULL: null */
	bool durable;
	bool deterministic; /* offline: leave out what differs between runs (emitted, journaled) */
	struct event_rule rule;
};

/* Longest event: evidence in hex plus the fixed part. */
#define EVENT_BYTES_MAX (2u * 128u * 1024u + 16384u)

/* event_id writes "<epoch hex>-<ring>-<seq>"; out >= 64 bytes. */
void event_id(const uint8_t epoch[8], uint32_t ring_id, uint64_t seq, char *out);

/* event_alert formats a checked record (type sentinel.alert.v1, or retract/drill by its kind) without a newline.
 * Returns the length, or -ENOSPC if cap (EVENT_BYTES_MAX always suffices) is too small. */
int event_alert(char *out, size_t cap, const struct event_context *x, const struct alert_record *r, struct span evidence);

/* event_loss formats sentinel.loss.v1 for seqs [from, to] of a ring; reason: "ring_full", "dataplane_died", "corrupt_slot", ... */
int event_loss(char *out, size_t cap, const struct event_context *x, uint64_t from, uint64_t to, const char *reason);

#endif
