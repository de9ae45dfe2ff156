/* SPDX-License-Identifier: BSD-3-Clause */
/* whole: what the two bench programs share: a fresh worker run over a load in memory, memory that a round gives back whole, medians. Whatever
 * is not as it should be ends the program. */
#ifndef BENCH_WHOLE_H
#define BENCH_WHOLE_H

#include "io/box.h"
#include "load/load.h"
#include "worker/worker.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct whole_run {
	double ns; /* of all frames */
	uint64_t findings, macs_checked;
	uint64_t residual; /* of identities 2 to 4 and 7 */
};

/* whole_run: every transaction of the load must be scanned, none of them twice. keys: of its RLPx sessions, or NULL. */
void whole_run(const struct load *l, const struct ruleset *rules, const struct rlpx_keys *keys, struct whole_run *r);

/* whole_alloc: zeroed, 64-byte aligned, or NULL; all of it is given back by whole_alloc_reset. */
void *whole_alloc(size_t bytes);
void whole_alloc_reset(void);

void whole_check(bool ok, const char *what);
/* whole_now_ns: this thread's own time, which other load on the machine does not add to. */
uint64_t whole_now_ns(void);
/* whole_median sorts. */
double whole_median(double *v, uint32_t n);

#endif
