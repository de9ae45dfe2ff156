/* SPDX-License-Identifier: BSD-3-Clause */
/* apply: another profile while the dataplane runs. On the main lcore, after the sandbox: the text comes from control as a sealed memory file, is
 * parsed and checked as at start, compared with what runs (io/profile_diff.h), and what can be taken up is, at once and without a frame's being lost;
 * the rest is named. Refused whole if anything is wrong with it. Nothing is written: after a restart the file on disk decides, and the stats
 * page says whether that is what runs.
 *
 * An answer is lines of "key=value", each at most once:
 *   applied=FIELD,FIELD...     changed, and in use now
 *   restart=FIELD,FIELD...     changed, and to be taken up by a restart of the dataplane
 *   error=SENTENCE             refused, with profile:line:column where that is known
 * An answer of none of them: nothing differs. */
#ifndef IO_APPLY_H
#define IO_APPLY_H

#include "abi/stats.h"
#include "io/profile_diff.h"
#include "worker/worker.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Takes up a part of the profile other than the feeds; what takes a restart is in *want as it was. Called twice: with commit false it says whether it can (0, or -errno with a sentence in
 * err), with commit true it does, and cannot fail. */
typedef int (*apply_part)(void *ctx, const struct topology *want, bool commit, char *err, size_t cap);

struct apply {
	struct topology base; /* what a profile is read on top of */
	struct topology is;   /* what runs */
	uint32_t cpus;
	bool from_file; /* a capture is read: a profile has no ports */
	struct worker *worker[TOPOLOGY_WORKERS_MAX];
	uint32_t workers;
	struct feeds table[2]; /* of feeds: one is read by workers, the other is free once all have taken that one */
	const struct feeds *used; /* NULL: neither, workers read what they were made with */
	struct {
		apply_part fn;
		void *ctx;
	} part[PROFILE_PARTS];
	struct stats_profile *page; /* what is told; NULL: nobody is */
};

/* apply_init: base: topology_default as changed for this machine; is: with what the profile said. Both are copied. path: the profile's file, whose
 * digest goes to the page, or NULL. */
void apply_init(struct apply *a, const struct topology *base, const struct topology *is, uint32_t cpus, const char *path, struct stats_profile *page);
/* apply_worker: before the worker runs. */
void apply_worker(struct apply *a, struct worker *w);
/* apply_with: from now on `part` can be taken up; without, its fields take a restart. */
void apply_with(struct apply *a, enum profile_part part, apply_part fn, void *ctx);

/* apply_profile returns an enum channel_status (abi/channel.h), with the answer in said[cap], with a NUL; what does not fit in is left out, lists at a comma. Waits up to 100 ms for the workers to take it. */
int apply_profile(void *apply, const char *text, size_t n, char *said, size_t cap);

#endif
