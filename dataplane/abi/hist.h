/* SPDX-License-Identifier: BSD-3-Clause */
/* hist: a histogram of durations in ns that one thread fills and anyone reads: no lock, no call, no memory but its own. Log-linear:
 * values below HIST_SUB have a bucket each, then every power of two has HIST_SUB buckets of one width, so that what is read from it is
 * at most 6.25 % above the truth; the longest is kept exactly. What is shorter than nothing (a clock was set, or the wire's is ahead of
 * ours) or longer than an hour (a capture of another day) is odd: counted apart, in no bucket. Counts only grow: readers that keep an
 * older picture have the time since by difference. */
#ifndef ABI_HIST_H
#define ABI_HIST_H

#include <stdint.h>

#define HIST_SUB_BITS 4u
#define HIST_SUB (1u << HIST_SUB_BITS)
#define HIST_TOP_BITS 42u /* what takes 2^42 ns (73 minutes) is odd */
#define HIST_BUCKETS ((HIST_TOP_BITS - HIST_SUB_BITS + 1) * HIST_SUB)

struct hist {
	uint64_t max_ns;
	uint64_t odd;
	uint64_t pad[6];
	uint64_t bucket[HIST_BUCKETS];
};
_Static_assert(sizeof(struct hist) == 5056, "in the stats page");

/* hist_bucket: of a duration below 2^HIST_TOP_BITS. hist_top_ns: the longest that falls into a bucket. */
static inline unsigned
hist_bucket(uint64_t ns)
{
	if (ns < HIST_SUB)
		return (unsigned)ns;
	unsigned power = 63u - (unsigned)__builtin_clzll(ns);
	return (power - HIST_SUB_BITS + 1) * HIST_SUB + (unsigned)(ns >> (power - HIST_SUB_BITS) & (HIST_SUB - 1));
}

static inline uint64_t
hist_top_ns(unsigned bucket)
{
	unsigned shift = bucket < 2 * HIST_SUB ? 0 : bucket / HIST_SUB - 1;
	return (((uint64_t)(bucket - shift * HIST_SUB) + 1) << shift) - 1;
}

/* hist_add counts what began at from_ns and was over at to_ns. By its one writer: plain 8-byte stores. from_ns 0: nobody knows when it
 * began, nothing is counted. */
static inline void
hist_add(struct hist *h, uint64_t from_ns, uint64_t to_ns)
{
	uint64_t ns = to_ns - from_ns;
	if (from_ns == 0)
		return;
	if (to_ns < from_ns || ns >> HIST_TOP_BITS != 0) {
		__atomic_store_n(&h->odd, h->odd + 1, __ATOMIC_RELAXED);
		return;
	}
	uint64_t *b = &h->bucket[hist_bucket(ns)];
	__atomic_store_n(b, *b + 1, __ATOMIC_RELAXED);
	if (ns > h->max_ns)
		__atomic_store_n(&h->max_ns, ns, __ATOMIC_RELAXED);
}

/* hist_add_shared: the same for one that several threads fill. */
void hist_add_shared(struct hist *h, uint64_t from_ns, uint64_t to_ns);

/* hist_merge adds a histogram that may be under way to *sum, a private one. What the writer says is not believed: sums stop at
 * UINT64_MAX. hist_since takes an older picture from a newer one: counts that would be negative are 0, and max_ns is the top of the
 * longest bucket left, or the newer picture's if that is shorter. */
void hist_merge(struct hist *sum, const struct hist *h);
void hist_since(struct hist *now, const struct hist *before);

/* The rest: of private ones. hist_count: all that is in buckets. hist_quantile: at least permille / 1000 of all are not longer than
 * this: the top of their bucket, max_ns at most; 0 if there are none. permille: 1..1000. */
uint64_t hist_count(const struct hist *h);
uint64_t hist_quantile(const struct hist *h, unsigned permille);
/* hist_below: how many are surely not longer than ns. */
uint64_t hist_below(const struct hist *h, uint64_t ns);
/* hist_sum_ns: of all durations, from their buckets' tops: at most 6.25 % too much. */
uint64_t hist_sum_ns(const struct hist *h);

#endif
