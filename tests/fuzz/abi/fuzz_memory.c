/* SPDX-License-Identifier: BSD-3-Clause */
/* A memory page out of raw bytes. The first byte says how much is put right before the check, so that the
 * fuzzer gets past the header: 1 the header's constants, 2 its counts too. What is taken must lie within the
 * bytes. */
#include "abi/memory.h"

#include "abi/alert.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
put_right(uint8_t *bytes, size_t n, unsigned how)
{
	struct memory_page h;
	if (n < sizeof h || how == 0)
		return;
	memcpy(&h, bytes, sizeof h);
	h.magic = MEMORY_MAGIC;
	h.version = MEMORY_VERSION;
	h.header_bytes = sizeof h;
	h.armed_bytes = sizeof(struct memory_armed);
	h.incident_bytes = sizeof(struct memory_incident);
	if (how == 2) {
		size_t rest = n - sizeof h;
		h.n_armed = (uint32_t)(rest / 2 / sizeof(struct memory_armed));
		rest -= h.n_armed * sizeof(struct memory_armed);
		h.n_incidents = (uint32_t)(rest / sizeof(struct memory_incident));
	}
	memcpy(bytes, &h, sizeof h);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1 || size > 1 << 16)
		return 0;
	size_t n = size - 1;
	uint8_t *bytes = malloc(n > 0 ? n : 1); /* exactly: reads beyond it are seen */
	memcpy(bytes, data + 1, n);
	put_right(bytes, n, data[0] % 3);
	if (memory_check(bytes, n) == 0) {
		const struct memory_page *p = (const void *)bytes;
		const struct memory_armed *a = memory_armed(p);
		const struct memory_incident *i = memory_incidents(p);
		assert((const uint8_t *)(i + p->n_incidents) == bytes + n);
		for (uint32_t k = 0; k < p->n_armed; k++)
			assert(a[k].n_protected <= MEMORY_PROTECTED_MAX && a[k].score <= ALERT_SCORE_MAX &&
				a[k].since_ns <= a[k].last_ns);
		for (uint32_t k = 0; k < p->n_incidents; k++)
			assert(i[k].n_hashes <= MEMORY_HASHES_MAX && i[k].ending <= ENDING_MAX &&
				i[k].grade >= 1);
	}
	free(bytes);
	return 0;
}
