/* SPDX-License-Identifier: BSD-3-Clause */
/* The accounting identities of DESIGN.md as tables of signed terms over the stats page, evaluated in one
 * place for replay, status and tests. The residual is left side minus right side: 0 at rest. */
#ifndef ABI_IDENTITY_H
#define ABI_IDENTITY_H

#include "abi/stats.h"

/* Control's half of identity 6; all zero where there is no control (offline: journaled = printed). */
struct identity_delivery {
	uint64_t journaled; /* alert records made durable (or printed) in this epoch */
	uint64_t lost; /* records lost, any reason, as control saw them */
	uint64_t in_flight; /* published, not yet journaled */
};

#define IDENTITIES 7 /* 1, 2, 3a (advanced), 3b (received), 4, 5, 6 */

struct identity {
	const char *name; /* "1_wire", "2_frames", "3_stream_advanced", "3_stream_received", "4_transactions", "5_findings", "6_alerts" */
	uint64_t left, right;
	int64_t residual;
};

/* identities_evaluate fills out[IDENTITIES] from the page and control's half. */
void identities_evaluate(const struct stats_page *s, const struct identity_delivery *d,
	struct identity out[IDENTITIES]);

#endif
