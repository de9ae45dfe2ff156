/* SPDX-License-Identifier: BSD-3-Clause */
#include "abi/stats.h"

#include "abi/shm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

struct stats_page *
stats_create(int *fd)
{
	struct stats_page *s = shm_create_oneway("sentinel-stats", sizeof *s, fd);
	if (s == NULL)
		return NULL;
	s->version = STATS_VERSION;
	s->lcore_bytes = sizeof(struct stats_lcore);
	s->counters = CTR_COUNT;
	__atomic_store_n(&s->magic, STATS_MAGIC, __ATOMIC_RELEASE);
	return s;
}

static bool
page_fits(const struct stats_page *s)
{
	return __atomic_load_n(&s->magic, __ATOMIC_ACQUIRE) == STATS_MAGIC && s->version == STATS_VERSION &&
	       s->lcore_bytes == sizeof(struct stats_lcore) && s->counters == CTR_COUNT;
}

const struct stats_page *
stats_attach(int fd)
{
	struct stat st;
	if (shm_has_seals(fd, F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0 ||
		fstat(fd, &st) != 0 || st.st_size != (off_t)sizeof(struct stats_page)) {
		errno = EPROTO;
		return NULL;
	}
	const struct stats_page *s = mmap(NULL, sizeof *s, PROT_READ, MAP_SHARED, fd, 0);
	if (s == MAP_FAILED)
		return NULL;
	if (!page_fits(s)) {
		stats_detach(s);
		errno = EPROTO;
		return NULL;
	}
	return s;
}

void
stats_detach(const struct stats_page *s)
{
	if (s != NULL)
		munmap((void *)(uintptr_t)s, sizeof *s);
}

uint64_t
stats_sum(const struct stats_page *s, enum sentinel_counter c)
{
	uint32_t n = __atomic_load_n(&s->lcores, __ATOMIC_RELAXED);
	uint64_t sum = 0;
	for (uint32_t i = 0; i < n && i < STATS_LCORES_MAX; i++)
		sum += __atomic_load_n(&s->lcore[i].c[c], __ATOMIC_RELAXED);
	return sum;
}

void
stats_latency(const struct stats_page *s, enum latency_stage stage, enum latency_feed feed, struct hist *sum)
{
	const uint32_t role = stage == LATENCY_STAGE_SCANNED ? STATS_ROLE_WORKER : STATS_ROLE_CORRELATOR;
	uint32_t n = __atomic_load_n(&s->lcores, __ATOMIC_RELAXED);
	for (uint32_t i = 0; i < n && i < STATS_LCORES_MAX; i++)
		if (__atomic_load_n(&s->lcore[i].role, __ATOMIC_RELAXED) == role)
			hist_merge(sum, &s->latency[i].feed[feed]);
}

void
stats_node_sum(const struct stats_page *s, unsigned node, unsigned feed, struct stats_node_feed *out)
{
	uint32_t n = __atomic_load_n(&s->lcores, __ATOMIC_RELAXED);
	const unsigned words = sizeof *out / sizeof(uint64_t), last = offsetof(struct stats_node_feed, last_ns) / sizeof(uint64_t);
	uint64_t sum[sizeof *out / sizeof(uint64_t)] = {0};
	for (uint32_t i = 0; i < n && i < STATS_LCORES_MAX; i++) {
		const uint64_t *from = &s->nodes_lcore[i].of[node][feed].segments[0];
		for (unsigned k = 0; k < words; k++) {
			uint64_t v = __atomic_load_n(from + k, __ATOMIC_RELAXED);
			if (k < last)
				sum[k] += v;
			else if (v > sum[k])
				sum[k] = v;
		}
	}
	memcpy(out, sum, sizeof *out);
}
