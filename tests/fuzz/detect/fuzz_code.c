/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as init code: the facts hold together, do not depend on what was read before, and nothing that is
 * put behind a code takes any of them away. */
#include "detect/code.h"
#include "detect/flash.h"

#include "abi/alert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TAIL 128u /* half of it zeros: more than a PUSH takes */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct code_reader *reader;

static void
require(int ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "%s\n", what);
		abort();
	}
}

static void
check(const struct code_facts *f, uint32_t len)
{
	uint64_t all = (1ull << PROVIDER_COUNT) - 1;
	uint32_t bits = 0;
	for (unsigned i = 0; i < CODE_GRAMS / 64; i++)
		bits += (uint32_t)__builtin_popcountll(code_grams(reader)[i]);
	require(f->n_grams == bits, "grams are counted");
	require(((f->callbacks | f->entries | f->addresses | f->swaps) & ~all) == 0,
		"a provider that is none");
	require(f->score <= ALERT_SCORE_MAX, "score");
	require(!f->flash || (f->entries != 0 && f->reasons & REASON(ENTRY)), "a loan without an entry");
	require(!f->flash || f->callbacks != 0 || f->entries & flash_any_callback(),
		"a loan without a callback");
	require((f->callbacks != 0) == ((f->reasons & REASON(CALLBACK)) != 0), "reason: callback");
	require((f->addresses != 0) == ((f->reasons & REASON(PROVIDER)) != 0), "reason: address");
	require(f->has_target == ((f->reasons & REASON(PROXY)) != 0), "reason: proxy");
	require(f->n_codes >= (len > 0), "codes");
	require(f->deep_steps <= 260000, "steps are bounded");
	require(f->cut || f->reached_bytes <= 1u << 20, "work is bounded");
}

static void
check_more(const struct code_facts *a, const uint64_t *grams, const struct code_facts *b)
{
	require((a->callbacks & ~b->callbacks) == 0, "a callback went");
	require((a->entries & ~b->entries) == 0, "an entry went");
	require((a->addresses & ~b->addresses) == 0, "an address went");
	require((a->swaps & ~b->swaps) == 0, "a swap went");
	uint64_t kept = ~(
		b->cut ? REASON(PROXY) : 0); /* weighs nothing; which of many it was is not known any more */
	require((a->reasons & ~b->reasons & kept) == 0, "a reason went");
	require(b->score >= a->score && b->flash >= a->flash && (b->cut || b->has_target >= a->has_target),
		"a fact went");
	for (unsigned i = 0; i < CODE_GRAMS / 64; i++)
		require((grams[i] & ~code_grams(reader)[i]) == 0, "a gram went");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint64_t grams[CODE_GRAMS / 64];
	static uint8_t labels[4096];
	struct code_facts a, b;
	if (reader == NULL)
		reader = code_new();
	memset(labels, 0x5b, sizeof(labels));
	require(reader != NULL, "memory");
	if (size > CODE_BYTES_MAX - TAIL)
		size = CODE_BYTES_MAX - TAIL;
	code_read(reader, (struct span){data, (uint32_t)size}, &a);
	check(&a, (uint32_t)size);
	memcpy(grams, code_grams(reader), sizeof(grams));

	/* behind a code that ends: what is appended there is not reached by running off its end */
	uint8_t *more = malloc(size + 2 * TAIL);
	require(more != NULL, "memory");
	memcpy(more, data, size);
	memset(more + size, 0, 2 * TAIL);
	code_read(reader, (struct span){more, (uint32_t)size + TAIL / 2}, &a);
	memcpy(grams, code_grams(reader), sizeof(grams));
	for (unsigned i = 0; i < TAIL / 2; i++)
		more[size + TAIL / 2 + i] = size > 0 ? (uint8_t)(data[(i * 7u) % size] + i) : (uint8_t)i;
	for (unsigned i = 0; i < TAIL / 2;
		i++) { /* no label: a jump that was invalid would lead on, and that is another code */
		if (more[size + TAIL / 2 + i] == 0x5b)
			more[size + TAIL / 2 + i] = 0x5a;
	}
	code_read(reader, (struct span){more, (uint32_t)size + TAIL}, &b);
	check(&b, (uint32_t)size + TAIL);
	check_more(&a, grams, &b);
	code_read(reader, (struct span){more, (uint32_t)size + TAIL / 2}, &b);
	require(memcmp(&a, &b, sizeof(a)) == 0 && memcmp(grams, code_grams(reader), sizeof(grams)) == 0,
		"it remembers");
	code_read(reader, (struct span){labels, sizeof(labels)}, &b); /* every mark that a code can leave */
	code_read(reader, (struct span){more, (uint32_t)size + TAIL / 2}, &b);
	require(memcmp(&a, &b, sizeof(a)) == 0 && memcmp(grams, code_grams(reader), sizeof(grams)) == 0,
		"it remembers labels");
	free(more);
	return 0;
}
