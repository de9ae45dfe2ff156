/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/rule_names.h"

#include "abi/shm.h"
#include "rules/bundle.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>

struct rule_names {
	struct bundle bundle; /* a view of the mapping */
	const void *map;
	size_t bytes;
};

struct rule_names *
rule_names_load(int bundle_fd)
{
	char err[256];
	struct rule_names *n = calloc(1, sizeof *n);
	if (n == NULL)
		return NULL;
	n->map = shm_map_fixed(bundle_fd, BUNDLE_LEN_MAX, &n->bytes);
	if (n->map != NULL && bundle_open(&n->bundle, (struct span){n->map, (uint32_t)n->bytes}, err, sizeof err))
		return n;
	rule_names_free(n);
	return NULL;
}

void
rule_names_free(struct rule_names *n)
{
	if (n == NULL)
		return;
	if (n->map != NULL)
		munmap((void *)(uintptr_t)n->map, n->bytes);
	free(n);
}

/* Rules ascend by id, and a set has one revision of each. */
static const char *
find_by_id(const struct bundle *b, uint32_t id, uint32_t rev)
{
	uint32_t low = 0, high = bundle_count(b, SECTION_RULE);
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		struct bundle_rule r = bundle_get_RULE(b, middle);
		if (r.id == id)
			return r.rev == rev ? bundle_text(b, r.name) : NULL;
		if (r.id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const char *
rule_names_find(const struct rule_names *n, uint32_t rule_index, uint32_t id, uint32_t rev)
{
	if (n == NULL)
		return NULL;
	if (rule_index < bundle_count(&n->bundle, SECTION_RULE)) {
		struct bundle_rule r = bundle_get_RULE(&n->bundle, rule_index);
		if (r.id == id && r.rev == rev)
			return bundle_text(&n->bundle, r.name);
	}
	return find_by_id(&n->bundle, id, rev);
}
