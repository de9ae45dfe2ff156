/* SPDX-License-Identifier: BSD-3-Clause */
/* What ring_attach, stats_attach and shm_map_fixed refuse, and the seals of what is made. */
#include "abi/shm.h"
#include "abi/stats.h"
#include "records.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#define ONEWAY (F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
#define SIZE (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
#define SLOTS 16u

static const uint8_t epoch[8] = {9, 8, 7, 6, 5, 4, 3, 2};

static unsigned
fds_open(void)
{
	unsigned n = 0;
	DIR *d = opendir("/proc/self/fd");
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

/* A memory file with these seals that holds a copy of `bytes` bytes of `from` (zeros beyond). */
static int
copy_of(const void *from, size_t from_bytes, size_t bytes, int seals)
{
	int fd = memfd_create("copy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	size_t n = from_bytes < bytes ? from_bytes : bytes;
	assert_int_equal(pwrite(fd, from, n, 0), n);
	if (seals)
		assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static void
assert_refused(int ring, int evidence, int cursor)
{
	struct ring_consumer c;
	unsigned open = fds_open();
	assert_int_equal(ring_attach(&c, ring, evidence, cursor), -EPROTO);
	assert_null(c.h);
	assert_null(c.evidence);
	assert_null(c.cursor);
	assert_int_equal(fds_open(), open);
}

static void
seals_of_a_ring(void **state)
{
	struct ring_producer p;
	assert_int_equal(ring_create(&p, epoch, 0, LANE_NORMAL, 1, 1), 0);
	assert_int_equal(fcntl(p.ring_fd, F_GET_SEALS) & ONEWAY, ONEWAY);
	assert_int_equal(fcntl(p.evidence_fd, F_GET_SEALS) & ONEWAY, ONEWAY);
	assert_int_equal(fcntl(p.cursor_fd, F_GET_SEALS) & SIZE, SIZE);
	assert_int_equal(p.slots_n, RING_SLOTS_MIN);
	assert_int_equal(p.evidence_bytes, RING_EVIDENCE_MIN);
	for (int fd = p.ring_fd; fd <= p.cursor_fd; fd++)
		assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	ring_destroy(&p);
	ring_destroy(&p); /* a second time does nothing */
}

static void
sizes_are_rounded(void **state)
{
	struct ring_producer p;
	unsigned open = fds_open();
	assert_int_equal(ring_create(&p, epoch, 0, LANE_NORMAL, 5, RING_EVIDENCE_MIN + 1), 0);
	assert_int_equal(p.slots_n, 8);
	assert_int_equal(p.evidence_bytes, 2 * RING_EVIDENCE_MIN);
	ring_destroy(&p);
	assert_int_equal(ring_create(&p, epoch, 0, (enum ring_lane)2, 5, 5), -EINVAL);
	assert_int_equal(fds_open(), open);
}

static void
attach_refuses_other_seals(void **state)
{
	struct ring_producer p;
	assert_int_equal(ring_create(&p, epoch, 0, LANE_NORMAL, SLOTS, RING_EVIDENCE_MIN), 0);
	size_t ring_bytes = p.ring_map_bytes;
	static const int weaker[] = {0, SIZE, F_SEAL_FUTURE_WRITE | F_SEAL_GROW | F_SEAL_SEAL,
		F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_SEAL,
		F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW};
	for (size_t i = 0; i < sizeof weaker / sizeof weaker[0]; i++) {
		int ring = copy_of(p.h, ring_bytes, ring_bytes, weaker[i]);
		int evidence = copy_of("", 1, RING_EVIDENCE_MIN, weaker[i]);
		assert_refused(ring, p.evidence_fd, p.cursor_fd);
		assert_refused(p.ring_fd, evidence, p.cursor_fd);
		close(ring);
		close(evidence);
	}
	static const int weak_cursor[] = {0, F_SEAL_SHRINK | F_SEAL_GROW, F_SEAL_GROW | F_SEAL_SEAL};
	for (size_t i = 0; i < sizeof weak_cursor / sizeof weak_cursor[0]; i++) {
		int cursor = copy_of(p.cursor, 4096, 4096, weak_cursor[i]);
		assert_refused(p.ring_fd, p.evidence_fd, cursor);
		close(cursor);
	}
	ring_destroy(&p);
}

static void
attach_refuses_other_files(void **state)
{
	struct ring_producer p;
	assert_int_equal(ring_create(&p, epoch, 0, LANE_NORMAL, SLOTS, RING_EVIDENCE_MIN), 0);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), ends[2];
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	const int bad[] = {-1, 12345, null, ends[0], p.evidence_fd, p.cursor_fd};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_refused(bad[i], p.evidence_fd, p.cursor_fd);
	const int bad_evidence[] = {-1, null, ends[0], p.ring_fd, p.cursor_fd};
	for (size_t i = 0; i < sizeof bad_evidence / sizeof bad_evidence[0]; i++)
		assert_refused(p.ring_fd, bad_evidence[i], p.cursor_fd);
	const int bad_cursor[] = {-1, null, ends[0], p.ring_fd, p.evidence_fd};
	for (size_t i = 0; i < sizeof bad_cursor / sizeof bad_cursor[0]; i++)
		assert_refused(p.ring_fd, p.evidence_fd, bad_cursor[i]);
	close(null);
	close(ends[0]);
	close(ends[1]);
	ring_destroy(&p);
}

/* A hand-made ring with one header field changed. */
static void
refuses_header(const struct ring_producer *p, size_t at, uint64_t value, size_t bytes)
{
	uint8_t *image = malloc(p->ring_map_bytes);
	memcpy(image, p->h, p->ring_map_bytes);
	memcpy(image + at, &value, bytes);
	int ring = copy_of(image, p->ring_map_bytes, p->ring_map_bytes, ONEWAY);
	assert_refused(ring, p->evidence_fd, p->cursor_fd);
	close(ring);
	free(image);
}

static void
attach_refuses_headers(void **state)
{
	struct ring_producer p;
	assert_int_equal(ring_create(&p, epoch, 0, LANE_NORMAL, SLOTS, RING_EVIDENCE_MIN), 0);
#define FIELD(name, value) \
	refuses_header(&p, offsetof(struct ring_header, name), value, sizeof((struct ring_header *)0)->name)
	FIELD(magic, 0);
	FIELD(magic, RING_MAGIC + 1);
	FIELD(version, 0);
	FIELD(version, RING_VERSION + 1);
	FIELD(header_bytes, 0);
	FIELD(header_bytes, 8192);
	FIELD(slot_bytes, 1216);
	FIELD(slots, 0);
	FIELD(slots, 1);
	FIELD(slots, 3);
	FIELD(slots, SLOTS * 2);
	FIELD(slots, SLOTS / 2);
	FIELD(slots, 1u << 31);
	FIELD(slots, UINT32_MAX);
	FIELD(evidence_bytes, 0);
	FIELD(evidence_bytes, RING_EVIDENCE_MIN - 1);
	FIELD(evidence_bytes, RING_EVIDENCE_MIN * 2);
	FIELD(evidence_bytes, 1ull << 63);
	FIELD(lane, LANE_COUNT);
	FIELD(lane, UINT32_MAX);
	/* and unchanged it is taken */
	int ring = copy_of(p.h, p.ring_map_bytes, p.ring_map_bytes, ONEWAY);
	struct ring_consumer c;
	assert_int_equal(ring_attach(&c, ring, p.evidence_fd, p.cursor_fd), 0);
	ring_detach(&c);
	close(ring);
	ring_destroy(&p);
}

static void
attach_refuses_sizes(void **state)
{
	struct ring_producer p;
	assert_int_equal(ring_create(&p, epoch, 0, LANE_NORMAL, SLOTS, RING_EVIDENCE_MIN), 0);
	const size_t ring_bytes[] = {
		0, 1, 4095, 4096, p.ring_map_bytes - 1, p.ring_map_bytes + 1, 2 * p.ring_map_bytes};
	for (size_t i = 0; i < sizeof ring_bytes / sizeof ring_bytes[0]; i++) {
		int ring = copy_of(p.h, p.ring_map_bytes, ring_bytes[i], ONEWAY);
		assert_refused(ring, p.evidence_fd, p.cursor_fd);
		close(ring);
	}
	const size_t evidence_bytes[] = {
		0, 4096, RING_EVIDENCE_MIN - 1, RING_EVIDENCE_MIN + 1, 2 * RING_EVIDENCE_MIN};
	for (size_t i = 0; i < sizeof evidence_bytes / sizeof evidence_bytes[0]; i++) {
		int evidence = copy_of("", 1, evidence_bytes[i], ONEWAY);
		assert_refused(p.ring_fd, evidence, p.cursor_fd);
		close(evidence);
	}
	const size_t cursor_bytes[] = {0, 128, 4095, 8192};
	for (size_t i = 0; i < sizeof cursor_bytes / sizeof cursor_bytes[0]; i++) {
		int cursor = copy_of(p.cursor, 128, cursor_bytes[i], SIZE);
		assert_refused(p.ring_fd, p.evidence_fd, cursor);
		close(cursor);
	}
	ring_destroy(&p);
}

/* A producer that has ended cleanly took its magic away. */
static void
attach_refuses_a_dead_ring(void **state)
{
	struct ring_producer p;
	assert_int_equal(ring_create(&p, epoch, 0, LANE_NORMAL, SLOTS, RING_EVIDENCE_MIN), 0);
	int ring = dup(p.ring_fd), evidence = dup(p.evidence_fd), cursor = dup(p.cursor_fd);
	ring_destroy(&p);
	assert_refused(ring, evidence, cursor);
	close(ring);
	close(evidence);
	close(cursor);
}

static void
stats_page(void **state)
{
	int fd = -1;
	unsigned open = fds_open();
	struct stats_page *s = stats_create(&fd);
	assert_non_null(s);
	assert_int_equal(fcntl(fd, F_GET_SEALS) & ONEWAY, ONEWAY);
	s->lcores = 3;
	s->lcore[0].c[CTR_FRAMES] = 5;
	s->lcore[2].c[CTR_FRAMES] = 7;
	s->lcore[3].c[CTR_FRAMES] = 1000; /* not one of them */
	const struct stats_page *r = stats_attach(fd);
	assert_non_null(r);
	assert_int_equal(stats_sum(r, CTR_FRAMES), 12);
	assert_int_equal(stats_sum(r, CTR_LOOPS), 0);
	s->lcores = UINT32_MAX; /* a broken writer does not lead the reader out of the page */
	assert_int_equal(stats_sum(r, CTR_FRAMES), 1012);
	assert_int_equal(mprotect((void *)(uintptr_t)r, 4096, PROT_READ | PROT_WRITE), -1);
	stats_detach(r);
	stats_detach(NULL);
	munmap(s, sizeof *s);
	close(fd);
	assert_int_equal(fds_open(), open);
}

static void
refuses_stats(const struct stats_page *s, size_t bytes, int seals)
{
	int fd = copy_of(s, sizeof *s, bytes, seals);
	errno = 0;
	assert_null(stats_attach(fd));
	assert_int_equal(errno, EPROTO);
	close(fd);
}

static void
stats_attach_refuses(void **state)
{
	int fd = -1;
	struct stats_page *s = stats_create(&fd);
	assert_non_null(s);
	refuses_stats(s, sizeof *s, SIZE);
	refuses_stats(s, sizeof *s, 0);
	refuses_stats(s, sizeof *s - 8, ONEWAY);
	refuses_stats(s, sizeof *s + 8, ONEWAY);
	refuses_stats(s, 0, ONEWAY);
#define WITH(field, value)                                 \
	do {                                               \
		static struct stats_page copy;             \
		copy = *s;                                 \
		copy.field = value;                        \
		refuses_stats(&copy, sizeof copy, ONEWAY); \
	} while (0)
	WITH(magic, 0);
	WITH(version, STATS_VERSION + 1);
	WITH(lcore_bytes, sizeof(struct stats_lcore) + 64);
	WITH(counters, CTR_COUNT - 1);
	assert_null(stats_attach(-1));
	munmap(s, sizeof *s);
	close(fd);
}

static void
fixed_files(void **state)
{
	static const char data[] = "the bundle";
	size_t n = 0;
	int fd = shm_create_fixed("fixed", data, sizeof data);
	assert_true(fd >= 0);
	assert_int_equal(shm_has_seals(fd, F_SEAL_WRITE | SIZE), 0);
	const void *map = shm_map_fixed(fd, sizeof data, &n);
	assert_non_null(map);
	assert_int_equal(n, sizeof data);
	assert_memory_equal(map, data, sizeof data);
	munmap((void *)(uintptr_t)map, n);
	assert_null(shm_map_fixed(fd, sizeof data - 1, &n));
	assert_int_equal(errno, EFBIG);
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(ftruncate(fd, 1), -1);
	assert_true(mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
	close(fd);
	assert_int_equal(shm_create_fixed("fixed", data, 0), -EINVAL);
	/* Read-only for everyone is not enough: the writer could still change it. */
	int oneway;
	void *w = shm_create_oneway("oneway", 4096, &oneway);
	assert_non_null(w);
	assert_null(shm_map_fixed(oneway, 4096, &n));
	assert_int_equal(errno, EPROTO);
	munmap(w, 4096);
	close(oneway);
	assert_null(shm_map_fixed(-1, 4096, &n));
	assert_int_equal(errno, EPROTO);
	int empty = copy_of("", 0, 0, F_SEAL_WRITE | SIZE);
	assert_null(shm_map_fixed(empty, 4096, &n));
	close(empty);
	assert_null(shm_create_oneway("none", 0, &fd));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(shm_has_seals(STDIN_FILENO, 0), -EPROTO);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seals_of_a_ring),
		cmocka_unit_test(sizes_are_rounded),
		cmocka_unit_test(attach_refuses_other_seals),
		cmocka_unit_test(attach_refuses_other_files),
		cmocka_unit_test(attach_refuses_headers),
		cmocka_unit_test(attach_refuses_sizes),
		cmocka_unit_test(attach_refuses_a_dead_ring),
		cmocka_unit_test(stats_page),
		cmocka_unit_test(stats_attach_refuses),
		cmocka_unit_test(fixed_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
