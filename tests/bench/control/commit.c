/* SPDX-License-Identifier: BSD-3-Clause */
/* What it takes to make one alert durable: journal_front, then journal_commit, of a batch of one, and in turn with them the least that a disk asks: one page over
 * bytes that are there, and fdatasync. usage: bench_commit FOLDER [COUNT [PAUSE_US [EVIDENCE_BYTES]]]; the folder is made, and stays: on
 * the disk that is to be measured. */
#include "control/journal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096u
#define PAGES 1024u

enum { FRONT, COMMIT, BARE, KINDS };

struct figures {
	uint64_t *wall, *cpu;
	unsigned n;
};

struct start {
	uint64_t wall, cpu;
};

static uint64_t
clock_of(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static struct start
start(void)
{
	return (struct start){clock_of(CLOCK_MONOTONIC), clock_of(CLOCK_THREAD_CPUTIME_ID)};
}

static void
stop(struct figures *f, unsigned i, struct start s)
{
	f->cpu[i] = clock_of(CLOCK_THREAD_CPUTIME_ID) - s.cpu;
	f->wall[i] = clock_of(CLOCK_MONOTONIC) - s.wall;
}

static int
less(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

static void
show(const char *name, struct figures *f)
{
	qsort(f->wall, f->n, sizeof *f->wall, less);
	qsort(f->cpu, f->n, sizeof *f->cpu, less);
	printf("%-16s p50 %7.1f us  p90 %7.1f us  p99 %7.1f us  max %8.1f us  of which this thread's CPU p50 %6.1f us\n", name, (double)f->wall[f->n / 2] / 1e3,
		(double)f->wall[f->n * 9 / 10] / 1e3, (double)f->wall[f->n * 99 / 100] / 1e3, (double)f->wall[f->n - 1] / 1e3, (double)f->cpu[f->n / 2] / 1e3);
}

static void
fill(struct batch *b, const uint8_t epoch[8], uint64_t seq, uint32_t evidence_len)
{
	struct entry *e = batch_entry(b, epoch, 0);
	e->record = (struct alert_record){.seq = seq, .kind = ALERT_KIND_ALERT, .grade = GRADE_PAGE, .rule_id = 1, .rule_rev = 1, .has = HAS_HASH, .generation = 1};
	e->record.evidence_len = evidence_len;
	memcpy(e->record.hash, &seq, sizeof seq);
	memcpy(e->record.dedupekey, &seq, sizeof seq);
	e->from = e->to = seq;
	e->evidence_len = evidence_len;
	memset(b->evidence, (int)(seq & 0xff), evidence_len);
	b->evidence_n = evidence_len;
	snprintf(e->rule_name, sizeof e->rule_name, "bench-commit");
}

static int
bare(int fd, unsigned i)
{
	static uint8_t page[PAGE];
	memcpy(page, &i, sizeof i);
	return pwrite(fd, page, PAGE, (off_t)(i % PAGES) * PAGE) == PAGE ? fdatasync(fd) : -1;
}

static int
bare_file(const char *folder)
{
	char path[4200];
	static uint8_t page[PAGE];
	snprintf(path, sizeof path, "%s/bare", folder);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	for (unsigned i = 0; i < PAGES && fd >= 0; i++)
		if (pwrite(fd, page, PAGE, (off_t)i * PAGE) != PAGE)
			return -1;
	return fd < 0 || fsync(fd) != 0 ? -1 : fd;
}

static void
pause_us(struct journal *j, unsigned us)
{
	uint64_t until = clock_of(CLOCK_MONOTONIC) + (uint64_t)us * 1000u;
	while (clock_of(CLOCK_MONOTONIC) < until) {
		journal_idle(j, clock_of(CLOCK_MONOTONIC));
		usleep(us < 500 ? us : 500);
	}
}

/* One round: an alert by the front and into the database, and what the disk asks for one page. */
static int
measure(struct journal *j, struct batch *b, int fd, unsigned i, unsigned us, struct figures f[KINDS])
{
	uint64_t wall_ns = clock_of(CLOCK_REALTIME);
	struct start s = start();
	bool early = journal_front(j, b, wall_ns);
	stop(&f[FRONT], i, s);
	s = start();
	if ((i > 0 && !early) || journal_commit(j, b, wall_ns) != 0)
		return 1;
	stop(&f[COMMIT], i, s);
	pause_us(j, us);
	s = start();
	if (bare(fd, i) != 0)
		return 1;
	stop(&f[BARE], i, s);
	pause_us(j, us);
	return 0;
}

static int
run(struct journal *j, struct batch *b, int fd, unsigned count, unsigned us, uint32_t evidence_len)
{
	static const char *const names[KINDS] = {"front", "commit", "bare fdatasync"};
	struct figures f[KINDS];
	uint64_t began = clock_of(CLOCK_REALTIME);
	uint8_t epoch[8];
	int rc = 0;
	memcpy(epoch, &began, sizeof epoch);
	for (unsigned k = 0; k < KINDS; k++)
		f[k] = (struct figures){calloc(count, 8), calloc(count, 8), count};
	for (unsigned i = 0; i < count && rc == 0; i++) {
		fill(b, epoch, i + 1, evidence_len);
		rc = measure(j, b, fd, i, us, f);
	}
	for (unsigned k = 0; k < KINDS; k++) {
		if (rc == 0)
			show(names[k], &f[k]);
		free(f[k].wall);
		free(f[k].cpu);
	}
	return rc;
}

int
main(int argc, char **argv)
{
	char err[512];
	struct batch b;
	unsigned count = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 500, us = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 5000;
	uint32_t evidence_len = argc > 4 ? (uint32_t)strtoul(argv[4], NULL, 10) : 400;
	struct journal_options o = {.dir = argc > 1 ? argv[1] : "", .file_bytes = 64u << 20, .keep_bytes = 1u << 30};
	struct journal *j = argc > 1 && count > 0 ? journal_open(&o, err, sizeof err) : NULL;
	int fd = j != NULL ? bare_file(argv[1]) : -1;
	if (fd < 0 || batch_new(&b) != 0) {
		fprintf(stderr, "usage: bench_commit FOLDER [COUNT [PAUSE_US [EVIDENCE_BYTES]]]\n");
		return 2;
	}
	int rc = run(j, &b, fd, count, us, evidence_len);
	journal_close(j);
	close(fd);
	batch_free(&b);
	return rc;
}
