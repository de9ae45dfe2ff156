/* SPDX-License-Identifier: BSD-3-Clause */
/* alert_record_check: each field at its limits and beyond. */
#include "records.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void
plain_and_random_pass(void **state)
{
	struct rng g = {1};
	struct alert_record r = record_plain();
	assert_int_equal(alert_record_check(&r), 0);
	for (unsigned i = 0; i < 10000; i++) {
		r = record_random(&g);
		assert_int_equal(alert_record_check(&r), 0);
	}
}

#define IN(field, value)                                     \
	do {                                                 \
		struct alert_record r = record_plain();      \
		r.field = value;                             \
		assert_int_equal(alert_record_check(&r), 0); \
	} while (0)
#define OUT(field, value)                                          \
	do {                                                       \
		struct alert_record r = record_plain();            \
		r.field = value;                                   \
		assert_int_equal(alert_record_check(&r), -EINVAL); \
	} while (0)

static void
enums(void **state)
{
	for (int v = 0; v < 256; v++) {
#define RANGE(field, min, max)         \
	if (v >= (min) && v <= (max))  \
		IN(field, (uint8_t)v); \
	else                           \
		OUT(field, (uint8_t)v)
		RANGE(kind, 1, (int)ALERT_KIND_MAX);
		RANGE(grade, 1, (int)GRADE_MAX);
		RANGE(grade_wanted, 0, (int)GRADE_MAX);
		RANGE(severity, 1, (int)SEVERITY_MAX);
		RANGE(class_, 1, (int)CLASS_MAX);
		RANGE(carrier, 1, (int)CARRIER_MAX);
		RANGE(direction, 0, (int)DIR_MAX);
		RANGE(ending, 0, (int)ENDING_MAX);
		RANGE(tx_type, 0, (int)ALERT_TX_TYPE_MAX);
#undef RANGE
	}
}

static void
flags(void **state)
{
	for (unsigned bit = 0; bit < 32; bit++) {
		if (bit < TRUST_BIT_COUNT)
			IN(trust, 1u << bit);
		else
			OUT(trust, 1u << bit);
		if (bit == 6)
			continue; /* HAS_SUPERSEDES asks for more */
		if (bit < 11)
			IN(has, 1u << bit);
		else
			OUT(has, 1u << bit);
	}
	assert_int_equal(HAS_SUPERSEDES, 1 << 6);
	for (unsigned bit = 0; bit < 64; bit++) {
		if (bit < REASON_BIT_COUNT)
			IN(reasons, 1ull << bit);
		else
			OUT(reasons, 1ull << bit);
		if (bit < PROVIDER_COUNT)
			IN(providers, 1ull << bit);
		else
			OUT(providers, 1ull << bit);
	}
	IN(lacks, (1u << LACK_BIT_COUNT) - 1);
	OUT(lacks, 1u << LACK_BIT_COUNT);
}

static void
counts_and_lengths(void **state)
{
	IN(n_protocols, ALERT_PROTOCOLS_MAX);
	IN(score, ALERT_SCORE_MAX);
	OUT(score, ALERT_SCORE_MAX + 1);
	IN(learned, ALERT_SCORE_MAX);
	OUT(learned, ALERT_SCORE_MAX + 1);
	struct alert_record touched = record_plain();
	touched.n_protocols = 1;
	touched.touches[0] = (1u << TOUCH_BIT_COUNT) - 1;
	assert_int_equal(alert_record_check(&touched), 0);
	touched.touches[0] = 1u << TOUCH_BIT_COUNT;
	assert_int_equal(alert_record_check(&touched), -EINVAL);
	OUT(n_protocols, ALERT_PROTOCOLS_MAX + 1);
	OUT(n_protocols, UINT32_MAX);
	OUT(n_related, UINT32_MAX);
	struct alert_record over = record_plain();
	const uint32_t role = ROLE_FRONT;
	for (unsigned i = 0; i < ALERT_RELATED_MAX; i++)
		over.related[i].role = role;
	memcpy((uint8_t *)over.protocols + offsetof(struct alert_related, role), &role, sizeof role);
	over.n_related = ALERT_RELATED_MAX;
	assert_int_equal(alert_record_check(&over), 0);
	over.n_related++; /* what would be the fifth looks right: only the count is wrong */
	assert_int_equal(alert_record_check(&over), -EINVAL);
	IN(raw_len, ALERT_TX_BYTES_MAX);
	OUT(raw_len, ALERT_TX_BYTES_MAX + 1);
	IN(data_len, ALERT_TX_BYTES_MAX);
	OUT(data_len, ALERT_TX_BYTES_MAX + 1);
	IN(evidence_len, RING_EVIDENCE_ONE_MAX);
	OUT(evidence_len, RING_EVIDENCE_ONE_MAX + 1);
	OUT(evidence_len, UINT32_MAX);
}

static void
related_roles(void **state)
{
	for (uint32_t role = 0; role < 300; role++) {
		struct alert_record r = record_plain();
		for (unsigned i = 0; i < ALERT_RELATED_MAX; i++)
			r.related[i].role = ROLE_FRONT;
		r.n_related = ALERT_RELATED_MAX;
		r.related[ALERT_RELATED_MAX - 1].role = role;
		assert_int_equal(alert_record_check(&r), role >= 1 && role <= ROLE_MAX ? 0 : -EINVAL);
		r.n_related--; /* beyond the count nothing is looked at */
		assert_int_equal(alert_record_check(&r), 0);
	}
}

static void
losses_agree(void **state)
{
	for (unsigned reason = 0; reason < 256; reason++) {
		struct alert_record r = record_plain();
		r.lost_reason = (uint8_t)reason;
		assert_int_equal(alert_record_check(&r), reason == LOSS_NONE ? 0 : -EINVAL);
		r.lost_before = 1;
		bool ok = reason != LOSS_NONE && reason <= LOSS_MAX;
		assert_int_equal(alert_record_check(&r), ok ? 0 : -EINVAL);
	}
}

static void
supersedes_and_bundles(void **state)
{
	struct alert_record r = record_plain();
	r.seq = 5;
	r.has = HAS_SUPERSEDES;
	assert_int_equal(alert_record_check(&r), -EINVAL);
	r.supersedes_seq = 4;
	assert_int_equal(alert_record_check(&r), 0);
	/* The other lane's seqs run ahead of this one's. */
	r.supersedes_ring = 1;
	r.supersedes_seq = 1000;
	assert_int_equal(alert_record_check(&r), 0);
	r = record_plain();
	r.bundle_len = 3;
	r.bundle_pos = 2;
	assert_int_equal(alert_record_check(&r), 0);
	r.bundle_pos = 3;
	assert_int_equal(alert_record_check(&r), -EINVAL);
}

/* ring_read knows the ring. */
static void
seqs_are_the_rings(void **state)
{
	static const uint8_t epoch[8];
	uint8_t *buf = malloc(RING_EVIDENCE_ONE_MAX);
	struct ring_producer p;
	struct ring_consumer c;
	uint32_t len;
	assert_int_equal(ring_create(&p, epoch, 0, LANE_CRITICAL, 16, 0), 0);
	assert_int_equal(ring_attach(&c, p.ring_fd, p.evidence_fd, p.cursor_fd), 0);
	struct alert_record r = record_plain(), got;
	r.has = HAS_SUPERSEDES;
	r.supersedes_ring = 1;
	r.supersedes_seq = 1000;
	assert_int_equal(ring_publish(&p, &r, (struct span){NULL, 0}), 0);
	assert_int_equal(ring_read(&c, &got, buf, &len), 1);
	r.supersedes_ring = 0;
	r.supersedes_seq = 2; /* itself */
	assert_int_equal(ring_publish(&p, &r, (struct span){NULL, 0}), 0);
	assert_int_equal(ring_read(&c, &got, buf, &len), -EPROTO);
	r.supersedes_seq = 2;
	assert_int_equal(ring_publish(&p, &r, (struct span){NULL, 0}), 0);
	assert_int_equal(ring_read(&c, &got, buf, &len), 1);
	/* Seqs that cannot be, written behind the producer's back. */
	const uint64_t bad[] = {0, 1, 3, UINT64_MAX};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		r = record_plain();
		assert_int_equal(ring_publish(&p, &r, (struct span){NULL, 0}), 0);
		p.slots[(p.head - 1) % 16].record.seq = bad[i];
		assert_int_equal(ring_read(&c, &got, buf, &len), -EPROTO);
	}
	r = record_plain();
	assert_int_equal(ring_publish(&p, &r, (struct span){NULL, 0}), 0);
	p.slots[(p.head - 1) % 16].record.seq = p.next_seq + 1; /* has not been given out */
	assert_int_equal(ring_read(&c, &got, buf, &len), -EPROTO);
	r = record_plain();
	assert_int_equal(ring_publish(&p, &r, (struct span){NULL, 0}), 0);
	p.slots[(p.head - 1) % 16].record.lost_before = (uint32_t)r.seq;
	p.slots[(p.head - 1) % 16].record.lost_reason = LOSS_RING_FULL;
	assert_int_equal(ring_read(&c, &got, buf, &len), -EPROTO);
	assert_int_equal(ring_tail(&c), r.seq + 1);
	ring_detach(&c);
	ring_destroy(&p);
	free(buf);
}

static void
names(void **state)
{
	assert_string_equal(alert_grade_name(GRADE_PAUSE), "pause");
	assert_string_equal(alert_grade_name(GRADE_MAX + 1), "unknown");
	assert_string_equal(alert_class_name(CLASS_FLASH_LOAN), "flash_loan");
	assert_string_equal(alert_class_name(UINT32_MAX), "unknown");
	assert_string_equal(alert_severity_name(SEVERITY_CRITICAL), "critical");
	assert_string_equal(alert_carrier_name(CARRIER_OFFLINE), "offline");
	assert_string_equal(alert_direction_name(DIR_S2C), "s2c");
	assert_string_equal(alert_direction_name(DIR_MAX + 1), "unknown");
	assert_string_equal(alert_role_name(ROLE_VICTIM), "victim");
	assert_string_equal(alert_role_name(0), "unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_and_random_pass),
		cmocka_unit_test(enums),
		cmocka_unit_test(flags),
		cmocka_unit_test(counts_and_lengths),
		cmocka_unit_test(related_roles),
		cmocka_unit_test(losses_agree),
		cmocka_unit_test(supersedes_and_bundles),
		cmocka_unit_test(seqs_are_the_rings),
		cmocka_unit_test(names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
