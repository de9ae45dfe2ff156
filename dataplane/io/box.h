/* SPDX-License-Identifier: BSD-3-Clause */
/* box: what offline and live have in common: loading a bundle from a file, memory for workers, the offline pipeline
 * (one worker, one correlator, a stats page in ordinary memory), and printing. */
#ifndef IO_BOX_H
#define IO_BOX_H

#include "abi/identity.h"
#include "abi/stats.h"
#include "detect/detect.h"
#include "worker/correlator.h"
#include "worker/topology.h"
#include "worker/worker.h"

#include <stdbool.h>
#include <stdio.h>

#define BUNDLE_BYTES_MAX (1u << 30)

struct bundle_file {
	uint8_t *bytes;
	size_t n;
	struct ruleset *rules;
};

/* bundle_load reads and loads a bundle; runs its vectors unless `unchecked`. Prints what is wrong to stderr; 0 or -errno. */
int bundle_load(struct bundle_file *b, const char *path, bool unchecked);
void bundle_unload(struct bundle_file *b);

/* bundle_check runs every vector; prints each that fails. Returns the number of failures. */
unsigned bundle_check(const struct ruleset *r, FILE *out);

#define BOX_MEMORY_MAX 32

struct box {
	struct stats_page *stats;
	struct worker *worker;
	struct correlator correlator;
	struct lives lives;
	void *lives_memory, *correlator_memory;
	const struct protect *protect;
	bool print_lives;
	const struct ruleset *rules;
	uint64_t seq[LANE_COUNT];
	char *line; /* EVENT_BYTES_MAX */
	uint64_t printed, lost; /* alerts; lost: stdout did not take them */
	uint64_t lines, bad_lines; /* of a file of transactions */
	int error; /* errno of the first failed write */
	struct rlpx_keys *keys;
	void *memory[BOX_MEMORY_MAX]; /* the worker's */
	unsigned n_memory;
};

/* box_new makes the offline pipeline on `rules`; alerts are printed to stdout as {"event":"alert",...}. profile: its feeds, chains and protected protocols; NULL: every feed and chain,
 * no protocol. NULL + errno. */
struct box *box_new(const struct ruleset *rules, const struct topology *profile);
void box_free(struct box *b);
/* box_print_lives: what becomes of transactions goes to stdout too, as {"event":"life",...}. Costs a sender's recovery for each. */
void box_print_lives(struct box *b);
/* box_keys hands the worker the sessions of a key log. 0, or -errno; complaints go to stderr. */
int box_keys(struct box *b, const char *path);
/* box_drain lets the correlator take all there is. box_finish: at the end of the input. */
void box_drain(struct box *b);
void box_finish(struct box *b);

/* box_summary prints the {"event":"summary",...} line: every counter, the identities. Returns the sum of |residual|. */
uint64_t box_summary(const struct box *b, FILE *out);

void *box_alloc(size_t bytes);

/* box_protect makes the set of protected contracts of these protocols with `alloc`; NULL: there are none, or (errno) no memory. */
const struct protect *box_protect(const struct protocols *p, void *(*alloc)(size_t));

#endif
