/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of abi share: a seeded generator, and records made with it. */
#ifndef TESTS_ABI_RECORDS_H
#define TESTS_ABI_RECORDS_H

#include "abi/alert.h"
#include "abi/ring.h"

#include <stdbool.h>
#include <string.h>

struct rng {
	uint64_t state;
};

static inline uint64_t
rng_next(struct rng *g) /* splitmix64 */
{
	uint64_t z = g->state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static inline uint32_t
rng_below(struct rng *g, uint32_t n)
{
	return (uint32_t)(rng_next(g) % n);
}

static inline void
rng_fill(struct rng *g, void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((uint8_t *)p)[i] = (uint8_t)rng_next(g);
}

/* The plainest record that passes alert_record_check. */
static inline struct alert_record
record_plain(void)
{
	struct alert_record r;
	memset(&r, 0, sizeof r);
	r.kind = ALERT_KIND_ALERT;
	r.grade = GRADE_WATCH;
	r.severity = SEVERITY_INFO;
	r.class_ = CLASS_SWAP;
	r.carrier = CARRIER_HTTP_JSONRPC;
	return r;
}

/* Random everywhere, made to pass alert_record_check. */
static inline struct alert_record
record_random(struct rng *g)
{
	struct alert_record r;
	rng_fill(g, &r, sizeof r);
	r.kind = (uint8_t)(1 + rng_below(g, ALERT_KIND_MAX));
	r.grade = (uint8_t)(1 + rng_below(g, GRADE_MAX));
	r.grade_wanted = (uint8_t)rng_below(g, GRADE_MAX + 1);
	r.severity = (uint8_t)(1 + rng_below(g, SEVERITY_MAX));
	r.class_ = (uint8_t)(1 + rng_below(g, CLASS_MAX));
	r.carrier = (uint8_t)(1 + rng_below(g, CARRIER_MAX));
	r.direction = (uint8_t)rng_below(g, DIR_MAX + 1);
	r.node = (uint8_t)rng_below(g, NODE_VERDICT_MAX + 1);
	r.tx_type = (uint8_t)rng_below(g, ALERT_TX_TYPE_MAX + 1);
	r.has &= HAS_ALL;
	r.trust &= (1u << TRUST_BIT_COUNT) - 1;
	r.reasons &= (1ull << REASON_BIT_COUNT) - 1;
	r.providers &= (1ull << PROVIDER_COUNT) - 1;
	r.lacks &= (1u << LACK_BIT_COUNT) - 1;
	r.score %= ALERT_SCORE_MAX + 1;
	r.learned %= ALERT_SCORE_MAX + 1;
	r.ending = (uint8_t)rng_below(g, ENDING_MAX + 1);
	for (unsigned i = 0; i < ALERT_PROTOCOLS_MAX; i++)
		r.touches[i] &= (1u << TOUCH_BIT_COUNT) - 1;
	r.lost_before &= 0xff;
	r.lost_reason = r.lost_before ? LOSS_RING_FULL : LOSS_NONE;
	r.raw_len %= ALERT_TX_BYTES_MAX + 1;
	r.data_len %= ALERT_TX_BYTES_MAX + 1;
	r.evidence_len %= RING_EVIDENCE_ONE_MAX + 1;
	r.n_related %= ALERT_RELATED_MAX + 1;
	r.n_protocols %= ALERT_PROTOCOLS_MAX + 1;
	for (unsigned i = 0; i < ALERT_RELATED_MAX; i++)
		r.related[i].role = 1 + rng_below(g, ROLE_MAX);
	r.supersedes_seq |= 1;
	r.bundle_len = rng_below(g, 4);
	r.bundle_pos = r.bundle_len ? rng_below(g, r.bundle_len) : 0;
	if (rng_below(g, 4) == 0)
		r.src_port = r.dst_port = 0;
	if (rng_below(g, 2) == 0)
		memcpy(r.src_ip, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
	if (rng_below(g, 4) == 0)
		memset(r.value, 0, 31);
	return r;
}

#endif
