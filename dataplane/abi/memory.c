/* SPDX-License-Identifier: BSD-3-Clause */
#include "abi/memory.h"

#include "abi/alert.h"
#include "abi/shm.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

static bool
all_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != 0)
			return false;
	return true;
}

static bool
armed_ok(const struct memory_armed *a)
{
	return !all_zero(a->address, sizeof a->address) && (a->flags & ~(uint32_t)MEMORY_ARMED_FLAGS) == 0 &&
	       a->since_ns <= a->last_ns && a->last_ns <= INT64_MAX && a->score <= ALERT_SCORE_MAX &&
	       a->n_protected <= MEMORY_PROTECTED_MAX && a->reasons >> REASON_BIT_COUNT == 0 &&
	       a->providers >> PROVIDER_COUNT == 0;
}

static bool
incident_ok(const struct memory_incident *i)
{
	return i->seq >= 1 && i->seq <= INT64_MAX && i->last_ns <= INT64_MAX && i->grade >= 1 &&
	       i->grade <= GRADE_MAX && i->ending <= ENDING_MAX && i->n_hashes <= MEMORY_HASHES_MAX &&
	       all_zero(i->pad, sizeof i->pad);
}

static bool
header_ok(const struct memory_page *p, size_t n)
{
	return p->magic == MEMORY_MAGIC && p->version == MEMORY_VERSION && p->header_bytes == sizeof *p &&
	       p->armed_bytes == sizeof(struct memory_armed) &&
	       p->incident_bytes == sizeof(struct memory_incident) && p->n_armed <= MEMORY_ARMED_MAX &&
	       p->n_incidents <= MEMORY_INCIDENTS_MAX && n == MEMORY_BYTES(p->n_armed, p->n_incidents) &&
	       p->number >= 1 && p->made_ns <= INT64_MAX && all_zero(p->reserved, sizeof p->reserved);
}

int
memory_check(const void *map, size_t n)
{
	const struct memory_page *p = map;
	if ((uintptr_t)map % _Alignof(struct memory_page) != 0 || n < sizeof *p || !header_ok(p, n))
		return -EINVAL;
	const struct memory_armed *a = memory_armed(p);
	for (uint32_t i = 0; i < p->n_armed; i++)
		if (!armed_ok(&a[i]))
			return -EINVAL;
	const struct memory_incident *live = memory_incidents(p);
	for (uint32_t i = 0; i < p->n_incidents; i++)
		if (!incident_ok(&live[i]))
			return -EINVAL;
	return 0;
}

const struct memory_armed *
memory_armed(const struct memory_page *p)
{
	return (const void *)(p + 1);
}

const struct memory_incident *
memory_incidents(const struct memory_page *p)
{
	return (const void *)(memory_armed(p) + p->n_armed);
}

const struct memory_page *
memory_map(int fd, size_t *bytes)
{
	const struct memory_page *p = shm_map_fixed(fd, MEMORY_BYTES_MAX, bytes);
	if (p == NULL || memory_check(p, *bytes) == 0)
		return p;
	memory_unmap(p, *bytes);
	errno = EINVAL;
	return NULL;
}

void
memory_unmap(const struct memory_page *p, size_t bytes)
{
	if (p != NULL)
		munmap((void *)(uintptr_t)p, bytes);
}
