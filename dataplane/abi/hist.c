/* SPDX-License-Identifier: BSD-3-Clause */
#include "abi/hist.h"

#include <stdbool.h>

static uint64_t
load(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static uint64_t
add_capped(uint64_t a, uint64_t b)
{
	uint64_t sum;
	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

void
hist_add_shared(struct hist *h, uint64_t from_ns, uint64_t to_ns)
{
	uint64_t ns = to_ns - from_ns, max = load(&h->max_ns);
	if (from_ns == 0)
		return;
	if (to_ns < from_ns || ns >> HIST_TOP_BITS != 0) {
		__atomic_fetch_add(&h->odd, 1, __ATOMIC_RELAXED);
		return;
	}
	__atomic_fetch_add(&h->bucket[hist_bucket(ns)], 1, __ATOMIC_RELAXED);
	while (ns > max && !__atomic_compare_exchange_n(&h->max_ns, &max, ns, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

void
hist_merge(struct hist *sum, const struct hist *h)
{
	uint64_t max = load(&h->max_ns);
	if (max > sum->max_ns)
		sum->max_ns = max;
	sum->odd = add_capped(sum->odd, load(&h->odd));
	for (unsigned i = 0; i < HIST_BUCKETS; i++)
		sum->bucket[i] = add_capped(sum->bucket[i], load(&h->bucket[i]));
}

static uint64_t
less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

void
hist_since(struct hist *now, const struct hist *before)
{
	uint64_t longest = 0;
	now->odd = less(now->odd, before->odd);
	for (unsigned i = 0; i < HIST_BUCKETS; i++) {
		now->bucket[i] = less(now->bucket[i], before->bucket[i]);
		if (now->bucket[i] > 0)
			longest = hist_top_ns(i);
	}
	if (longest < now->max_ns)
		now->max_ns = longest;
}

uint64_t
hist_count(const struct hist *h)
{
	uint64_t n = 0;
	for (unsigned i = 0; i < HIST_BUCKETS; i++)
		n = add_capped(n, h->bucket[i]);
	return n;
}

uint64_t
hist_quantile(const struct hist *h, unsigned permille)
{
	uint64_t n = hist_count(h), below = 0;
	uint64_t rank = n / 1000 * permille + (n % 1000 * permille + 999) / 1000;
	for (unsigned i = 0; i < HIST_BUCKETS && n > 0; i++) {
		below = add_capped(below, h->bucket[i]);
		if (below >= rank)
			return hist_top_ns(i) < h->max_ns ? hist_top_ns(i) : h->max_ns;
	}
	return 0;
}

uint64_t
hist_below(const struct hist *h, uint64_t ns)
{
	uint64_t n = 0;
	for (unsigned i = 0; i < HIST_BUCKETS && hist_top_ns(i) <= ns; i++)
		n = add_capped(n, h->bucket[i]);
	return n;
}

uint64_t
hist_sum_ns(const struct hist *h)
{
	uint64_t sum = 0, part;
	for (unsigned i = 0; i < HIST_BUCKETS; i++)
		sum = add_capped(sum, __builtin_mul_overflow(h->bucket[i], hist_top_ns(i), &part) ? UINT64_MAX : part);
	return sum;
}
