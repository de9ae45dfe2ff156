/* SPDX-License-Identifier: BSD-3-Clause */
/* The memory page: what is taken, and every field that must be refused when it is out of range. */
#include "abi/memory.h"

#include "abi/alert.h"
#include "abi/shm.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#define ARMED 3u
#define INCIDENTS 2u

struct page {
	struct memory_page h;
	struct memory_armed armed[ARMED];
	struct memory_incident live[INCIDENTS];
};
_Static_assert(sizeof(struct page) == MEMORY_BYTES(ARMED, INCIDENTS), "no padding");

static struct page
good(void)
{
	struct page p = {.h = {.magic = MEMORY_MAGIC,
				 .version = MEMORY_VERSION,
				 .header_bytes = sizeof p.h,
				 .armed_bytes = sizeof p.armed[0],
				 .incident_bytes = sizeof p.live[0],
				 .n_armed = ARMED,
				 .n_incidents = INCIDENTS,
				 .number = 1,
				 .made_ns = 9}};
	for (unsigned i = 0; i < ARMED; i++) {
		p.armed[i].address[i] = 1;
		p.armed[i].since_ns = i;
		p.armed[i].last_ns = 2 * i;
		p.armed[i].flags = MEMORY_ARMED_FLAGS >> i;
		p.armed[i].score = i * 500;
		p.armed[i].n_protected = i;
	}
	for (unsigned i = 0; i < INCIDENTS; i++)
		p.live[i] = (struct memory_incident){
			.seq = i + 1, .grade = (uint8_t)(i + 1), .n_hashes = MEMORY_HASHES_MAX};
	return p;
}

static void
a_whole_page(void **state)
{
	struct page p = good();
	assert_int_equal(memory_check(&p, sizeof p), 0);
	assert_ptr_equal(memory_armed(&p.h), p.armed);
	assert_ptr_equal(memory_incidents(&p.h), p.live);
	p.h.n_armed = p.h.n_incidents = 0;
	assert_int_equal(memory_check(&p, sizeof p.h), 0);
}

static void
every_other_length(void **state)
{
	struct page p = good();
	uint64_t room[(sizeof p + 64) / 8] = {0};
	memcpy(room, &p, sizeof p);
	for (size_t n = 0; n <= sizeof room; n++)
		assert_int_equal(memory_check(room, n), n == sizeof p ? 0 : -EINVAL);
	uint8_t odd[sizeof p + 8];
	for (unsigned off = 1; off < 8; off++) {
		uint8_t *at = odd + (8 - (uintptr_t)odd % 8) % 8;
		if (at + off + sizeof p > odd + sizeof odd)
			break;
		memcpy(at + off, &p, sizeof p);
		assert_int_equal(memory_check(at + off, sizeof p), -EINVAL);
	}
}

#define BAD(change)                                                    \
	do {                                                           \
		struct page p = good();                                \
		change;                                                \
		assert_int_equal(memory_check(&p, sizeof p), -EINVAL); \
	} while (0)
#define FINE(change)                                             \
	do {                                                     \
		struct page p = good();                          \
		change;                                          \
		assert_int_equal(memory_check(&p, sizeof p), 0); \
	} while (0)

static void
fields_of_the_header(void **state)
{
	BAD(p.h.magic ^= 1);
	BAD(p.h.version = 0);
	BAD(p.h.version = MEMORY_VERSION + 1);
	BAD(p.h.header_bytes++);
	BAD(p.h.armed_bytes--);
	BAD(p.h.incident_bytes += 8);
	BAD(p.h.n_armed++);
	BAD(p.h.n_armed--);
	BAD(p.h.n_incidents++);
	BAD(p.h.n_armed = UINT32_MAX);
	BAD(p.h.n_incidents = UINT32_MAX);
	BAD(p.h.number = 0);
	BAD(p.h.made_ns = UINT64_MAX);
	BAD(p.h.reserved[15] = 1);
}

static void
fields_of_entries(void **state)
{
	BAD(memset(p.armed[2].address, 0, 20));
	BAD(p.armed[0].flags = MEMORY_ARMED_FLAGS + 1);
	BAD(p.armed[1].since_ns = p.armed[1].last_ns + 1);
	BAD(p.armed[1].last_ns = UINT64_MAX);
	BAD(p.armed[2].score = ALERT_SCORE_MAX + 1);
	FINE(p.armed[2].score = ALERT_SCORE_MAX);
	BAD(p.armed[2].n_protected = MEMORY_PROTECTED_MAX + 1);
	FINE(p.armed[2].n_protected = MEMORY_PROTECTED_MAX);
	BAD(p.armed[2].reasons = 1ull << REASON_BIT_COUNT);
	FINE(p.armed[2].reasons = (1ull << REASON_BIT_COUNT) - 1);
	BAD(p.armed[2].providers = 1ull << PROVIDER_COUNT);
	BAD(p.live[0].seq = 0);
	BAD(p.live[0].seq = UINT64_MAX);
	BAD(p.live[0].last_ns = UINT64_MAX);
	BAD(p.live[1].grade = 0);
	BAD(p.live[1].grade = GRADE_MAX + 1);
	BAD(p.live[1].ending = ENDING_MAX + 1);
	FINE(p.live[1].ending = ENDING_MAX);
	BAD(p.live[1].n_hashes = MEMORY_HASHES_MAX + 1);
	BAD(p.live[1].pad[4] = 1);
}

static void
files(void **state)
{
	struct page p = good();
	size_t n = 0;
	int fd = shm_create_fixed("memory", &p, sizeof p);
	assert_true(fd >= 0);
	const struct memory_page *m = memory_map(fd, &n);
	assert_non_null(m);
	assert_int_equal(n, sizeof p);
	assert_memory_equal(m, &p, sizeof p);
	memory_unmap(m, n);
	memory_unmap(NULL, 7);
	close(fd);
	p.h.number = 0;
	fd = shm_create_fixed("memory", &p, sizeof p);
	assert_null(memory_map(fd, &n));
	assert_int_equal(errno, EINVAL);
	close(fd);
	/* Whose content could still change. */
	p.h.number = 1;
	fd = memfd_create("memory", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(write(fd, &p, sizeof p), sizeof p);
	static const int seals[] = {0, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE};
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(fcntl(fd, F_ADD_SEALS, seals[i]), 0);
		assert_null(memory_map(fd, &n));
		assert_int_equal(errno, EPROTO);
	}
	close(fd);
	/* One larger than any page. */
	static uint8_t zero[1 << 20];
	fd = memfd_create("memory", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	for (size_t done = 0; done <= MEMORY_BYTES_MAX; done += sizeof zero)
		assert_int_equal(write(fd, zero, sizeof zero), sizeof zero);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL), 0);
	assert_null(memory_map(fd, &n));
	assert_int_equal(errno, EFBIG);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_whole_page),
		cmocka_unit_test(every_other_length), cmocka_unit_test(fields_of_the_header),
		cmocka_unit_test(fields_of_entries), cmocka_unit_test(files)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
