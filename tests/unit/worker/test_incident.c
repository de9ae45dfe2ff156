/* SPDX-License-Identifier: BSD-3-Clause */
/* Incidents: what makes the key, and when a finding is new, an update or a repeat. */
#include "worker/incident.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define N 16u
#define HOUR INCIDENT_TTL_NS

static struct incidents t;
static void *mem;

static int
setup(void **state)
{
	mem = malloc(incidents_bytes(N));
	incidents_init(&t, mem, N);
	return 0;
}

static int
teardown(void **state)
{
	free(mem);
	return 0;
}

/* Attacker a, target b, transaction c. */
static struct alert_record
finding(uint8_t class_, uint8_t a, uint8_t b, uint8_t c)
{
	struct alert_record r;
	memset(&r, 0, sizeof r);
	r.class_ = class_;
	r.grade = GRADE_PAGE;
	r.has = HAS_FROM | HAS_TO | HAS_HASH | HAS_CHAIN_ID;
	r.chain_id = 1;
	r.generation = 1;
	memset(r.from, a, 20);
	memset(r.to, b, 20);
	memset(r.hash, c, 32);
	incident_key(&r);
	return r;
}

static bool
same_key(const struct alert_record *a, const struct alert_record *b)
{
	return memcmp(a->dedupekey, b->dedupekey, 32) == 0;
}

static void
key_is_of_the_incident(void **state)
{
	struct alert_record a = finding(CLASS_FLASH_LOAN, 1, 2, 3);
	/* Everything that is of the box, the rule revision, the transaction or the way it came. */
	struct alert_record b = finding(CLASS_FLASH_LOAN, 1, 2, 99);
	memset(&b.seq, 0xff, 16);
	b.rule_id = 7;
	b.rule_rev = 8;
	b.rule_index = 9;
	b.generation = 10;
	b.grade = GRADE_WATCH;
	b.severity = 5;
	b.carrier = 2;
	b.direction = 1;
	b.trust = TRUST_MIDSTREAM;
	b.nonce = b.gas = b.raw_len = b.data_len = 11;
	b.t_wire_ns = b.t_emitted_ns = 12;
	b.src_port = 13;
	memset(b.src_ip, 14, 16);
	memset(b.value, 15, 32);
	b.n_related = b.n_protocols = b.bundle_len = 1;
	memset(b.dedupekey, 0xee, 32);
	incident_key(&b);
	assert_true(same_key(&a, &b));
	/* Everything that makes it another incident. */
	b = finding(CLASS_FLASH_LOAN, 9, 2, 3);
	assert_false(same_key(&a, &b));
	b = finding(CLASS_FLASH_LOAN, 1, 9, 3);
	assert_false(same_key(&a, &b));
	b = finding(CLASS_FLASH_LOAN, 2, 1, 3);
	assert_false(same_key(&a, &b));
	b = finding(CLASS_ADMIN, 1, 2, 3);
	assert_false(same_key(&a, &b));
	for (unsigned bit = 0; bit < 64; bit++) {
		b = a;
		b.chain_id ^= 1ull << bit;
		incident_key(&b);
		assert_false(same_key(&a, &b));
	}
}

/* The digest is fixed: every box and every version must come to the same one. */
static void
key_known_answer(void **state)
{
	struct alert_record a = finding(CLASS_FLASH_LOAN, 1, 2, 3), b = finding(CLASS_SWAP, 1, 2, 3);
	/* keccak256("sentinel.incident.v1" | class | chain id, 8 bytes | from | to), or | hash instead of the
	 * two */
	static const uint8_t by_target[32] = {0xd9, 0xbb, 0x17, 0x77, 0x98, 0xc0, 0xa7, 0xa4, 0xf2, 0x19,
		0x62, 0xde, 0x86, 0x85, 0xc7, 0x22, 0x36, 0xf8, 0x9e, 0xcb, 0x81, 0xba, 0xbb, 0x9b, 0x8a,
		0xad, 0xb9, 0x7e, 0x4b, 0xe6, 0x45, 0x85};
	static const uint8_t by_tx[32] = {0x83, 0xcd, 0xfe, 0x1b, 0x51, 0x1b, 0x4a, 0x61, 0x57, 0xcd, 0xcd,
		0xda, 0x43, 0x0d, 0x3e, 0x43, 0xd8, 0x55, 0x0a, 0x75, 0x06, 0xb4, 0x96, 0x1d, 0x66, 0xa7,
		0x8d, 0x43, 0x1d, 0xb7, 0x58, 0x3a};
	assert_memory_equal(a.dedupekey, by_target, 32);
	assert_memory_equal(b.dedupekey, by_tx, 32);
}

static void
key_of_a_creation(void **state)
{
	struct alert_record a = finding(CLASS_FLASH_DEPLOY, 1, 0, 3), b;
	a.has = (a.has & ~(uint32_t)HAS_TO) | HAS_CREATED;
	memset(a.created, 7, 20);
	incident_key(&a);
	b = a;
	memset(b.hash, 8, 32);
	incident_key(&b);
	assert_true(same_key(&a, &b));
	memset(b.created, 9, 20);
	incident_key(&b);
	assert_false(same_key(&a, &b));
}

static void
key_of_a_transaction(void **state)
{
	static const uint8_t per_tx[] = {CLASS_SWAP, CLASS_OTHER};
	for (unsigned i = 0; i < 2; i++) {
		struct alert_record a = finding(per_tx[i], 1, 2, 3), b = finding(per_tx[i], 8, 9, 3);
		assert_true(same_key(&a, &b));
		b = finding(per_tx[i], 1, 2, 4);
		assert_false(same_key(&a, &b));
	}
	/* The sender is not known: the transaction is what there is. */
	struct alert_record a = finding(CLASS_FLASH_LOAN, 1, 2, 3), b = finding(CLASS_FLASH_LOAN, 1, 2, 4);
	a.has &= ~(uint32_t)HAS_FROM;
	b.has &= ~(uint32_t)HAS_FROM;
	incident_key(&a);
	incident_key(&b);
	assert_false(same_key(&a, &b));
}

/* Too long to travel: neither sender nor hash. Two of them are not one incident, or the second attack would
 * be silent. */
static void
without_a_hash_nothing_is_a_repeat(void **state)
{
	struct alert_record a = finding(CLASS_FLASH_LOAN, 0, 0, 0);
	struct incident *slot;
	a.has = 0;
	a.chain_id = 0;
	a.t_wire_ns = 1000;
	a.raw_len = 200000;
	incident_key(&a);
	assert_int_equal(incident_judge(&t, &a, 1, 1000, &slot), INCIDENT_NEW);
	incident_reported(slot, &a, 1, 0, 1000);
	struct alert_record b = a;
	b.t_wire_ns = 2000;
	incident_key(&b);
	assert_int_equal(incident_judge(&t, &b, 2, 2000, &slot), INCIDENT_NEW);
	b = a;
	b.src_port = 1;
	incident_key(&b);
	assert_int_equal(incident_judge(&t, &b, 3, 2000, &slot), INCIDENT_NEW);
	/* another rule of the same message is the same incident */
	b = a;
	assert_int_equal(incident_judge(&t, &b, 1, 1000, &slot), INCIDENT_UPDATE);
}

static enum incident_verdict
judge(struct alert_record *r, uint64_t message, uint64_t now_ns, uint64_t seq)
{
	struct incident *slot;
	r->has &= ~(uint32_t)HAS_SUPERSEDES;
	enum incident_verdict v = incident_judge(&t, r, message, now_ns, &slot);
	if (v != INCIDENT_REPEAT) {
		r->seq = seq;
		incident_reported(slot, r, message, (uint32_t)seq % 2, now_ns);
	}
	return v;
}

static void
new_update_repeat(void **state)
{
	struct alert_record a = finding(CLASS_FLASH_LOAN, 1, 2, 3), b = finding(CLASS_FLASH_LOAN, 1, 2, 4);
	assert_int_equal(judge(&a, 1, 10, 5), INCIDENT_NEW);
	assert_int_equal(a.has & HAS_SUPERSEDES, 0);
	assert_int_equal(judge(&a, 2, 20, 0), INCIDENT_REPEAT); /* another worker saw it too */
	assert_int_equal(judge(&a, 1, 20, 6), INCIDENT_UPDATE); /* another rule of the same message */
	assert_int_equal(a.supersedes_seq, 5);
	assert_int_equal(a.supersedes_ring, 1);
	assert_int_equal(judge(&b, 3, 30, 8), INCIDENT_UPDATE); /* another transaction */
	assert_true(b.has & HAS_SUPERSEDES);
	assert_int_equal(b.supersedes_seq, 6);
	assert_int_equal(b.supersedes_ring, 0);
	assert_int_equal(judge(&b, 4, 40, 0), INCIDENT_REPEAT);
	b.generation++;
	assert_int_equal(judge(&b, 5, 50, 9), INCIDENT_UPDATE); /* other rules */
	assert_int_equal(judge(&b, 6, 60, 0), INCIDENT_REPEAT);
}

/* A crossing that was made to look dirty came first and was graded down; the clean one must be heard. */
static void
a_higher_grade_is_an_update(void **state)
{
	struct alert_record a = finding(CLASS_FLASH_LOAN, 1, 2, 3);
	assert_int_equal(judge(&a, 1, 10, 1), INCIDENT_NEW);
	a.grade = GRADE_PAUSE;
	assert_int_equal(judge(&a, 2, 20, 2), INCIDENT_UPDATE);
	assert_int_equal(a.supersedes_seq, 1);
	assert_int_equal(judge(&a, 3, 30, 0), INCIDENT_REPEAT);
	a.grade = GRADE_WATCH;
	assert_int_equal(judge(&a, 4, 40, 0), INCIDENT_REPEAT);
}

/* What was lost on its way out was not told: the next finding is the first again. */
static void
unreported_is_new_again(void **state)
{
	struct alert_record a = finding(CLASS_FLASH_LOAN, 1, 2, 3);
	struct incident *slot;
	assert_int_equal(incident_judge(&t, &a, 1, 10, &slot), INCIDENT_NEW);
	assert_int_equal(incident_judge(&t, &a, 2, 20, &slot), INCIDENT_NEW);
}

static void
forgotten_after_its_time(void **state)
{
	struct alert_record a = finding(CLASS_FLASH_LOAN, 1, 2, 3);
	assert_int_equal(judge(&a, 1, 1000, 1), INCIDENT_NEW);
	assert_int_equal(judge(&a, 2, 1000 + HOUR - 1, 0), INCIDENT_REPEAT);
	assert_int_equal(judge(&a, 3, 500, 0), INCIDENT_REPEAT); /* a little earlier is not another hour */
	assert_int_equal(judge(&a, 4, 1000 + HOUR, 2), INCIDENT_NEW);
	assert_int_equal(a.has & HAS_SUPERSEDES, 0);
	/* Capture times may be anything. */
	assert_int_equal(judge(&a, 5, UINT64_MAX - 5, 3), INCIDENT_NEW);
	assert_int_equal(judge(&a, 6, UINT64_MAX, 0), INCIDENT_REPEAT);
	assert_int_equal(judge(&a, 7, 0, 0), INCIDENT_REPEAT);
}

/* One bucket of four: the one reported longest ago makes room. */
static void
the_oldest_makes_room(void **state)
{
	struct alert_record in_bucket[5];
	unsigned n = 0;
	uint32_t want = 0, h;
	for (unsigned c = 1; c < 256 && n < 5; c++) {
		struct alert_record r = finding(CLASS_SWAP, 0, 0, (uint8_t)c);
		memcpy(&h, r.dedupekey + 16, sizeof h);
		if (n == 0)
			want = h % N / 4;
		if (h % N / 4 == want)
			in_bucket[n++] = r;
	}
	assert_int_equal(n, 5);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(judge(&in_bucket[i], i, 100 + i, i + 1), INCIDENT_NEW);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(judge(&in_bucket[i], 10, 200, 0), INCIDENT_REPEAT);
	in_bucket[0].generation++; /* an update makes it young again */
	assert_int_equal(judge(&in_bucket[0], 11, 300, 9), INCIDENT_UPDATE);
	assert_int_equal(judge(&in_bucket[4], 12, 400, 10), INCIDENT_NEW);
	assert_int_equal(judge(&in_bucket[0], 13, 401, 0), INCIDENT_REPEAT);
	assert_int_equal(judge(&in_bucket[2], 14, 402, 0), INCIDENT_REPEAT);
	assert_int_equal(judge(&in_bucket[3], 15, 403, 0), INCIDENT_REPEAT);
	assert_int_equal(judge(&in_bucket[1], 16, 404, 11), INCIDENT_NEW);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(key_is_of_the_incident),
		T(key_known_answer),
		T(key_of_a_creation),
		T(key_of_a_transaction),
		T(without_a_hash_nothing_is_a_repeat),
		T(new_update_repeat),
		T(a_higher_grade_is_an_update),
		T(unreported_is_new_again),
		T(forgotten_after_its_time),
		T(the_oldest_makes_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
