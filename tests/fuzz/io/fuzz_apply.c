/* SPDX-License-Identifier: BSD-3-Clause */
/* Two profiles of any bytes, with a NUL between them: one runs, the other comes. What is refused changes nothing; what was applied is what runs: once
 * more, nothing is applied and the same waits; the first one once more brings back what it said. Answers keep to their form and their room. */
#include "abi/channel.h"
#include "io/apply.h"
#include "io/profile.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct apply a, before;
static struct stats_profile page;
static char said[1008];

static int
given(const char *text, size_t n)
{
	struct stats_profile told = page;
	before = a;
	memset(said, 0xee, sizeof said);
	int status = apply_profile(&a, text, n, said, sizeof said);
	const char *end = memchr(said, 0, sizeof said);
	if (end == NULL || status < CHANNEL_OK || status > CHANNEL_STATUS_MAX || page.changing % 2 != 0)
		abort();
	if (status == CHANNEL_REFUSED &&
		(memcmp(said, "error=", 6) != 0 || memcmp(&a, &before, sizeof a) != 0 || memcmp(&page, &told, sizeof page) != 0))
		abort();
	if (status != CHANNEL_REFUSED && ((status == CHANNEL_PARTLY) != (page.waiting > 0) || (end > said && end[-1] != '\n')))
		abort();
	return status;
}

static bool
has(const char *key)
{
	return strncmp(said, key, strlen(key)) == 0 || (strchr(said, '\n') != NULL && strncmp(strchr(said, '\n') + 1, key, strlen(key)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct topology base, is;
	char err[512];
	const uint8_t *cut = size > 0 ? memchr(data, 0, size) : NULL;
	if (cut == NULL)
		return 0;
	const char *first = (const char *)data, *second = (const char *)cut + 1;
	size_t n = (size_t)(cut - data), m = size - n - 1;
	topology_default(&base);
	is = base;
	if (profile_parse("profile", first, n, &is, err, sizeof err) != 0 || topology_check(&is, 4, err, sizeof err) != 0)
		return 0;
	memset(&page, 0, sizeof page);
	apply_init(&a, &base, &is, 4, NULL, &page);
	a.from_file = is.ports == 0;
	if (given(first, n) != CHANNEL_OK || said[0] != '\0')
		abort();
	if (given(second, m) == CHANNEL_REFUSED)
		return 0;
	uint32_t waiting = page.waiting;
	if (given(second, m) == CHANNEL_REFUSED || has("applied=") || page.waiting != waiting || has("restart=") != (waiting > 0))
		abort();
	if (given(first, n) != CHANNEL_OK || has("restart=") || memcmp(&a.is, &is, sizeof is) != 0)
		abort();
	return 0;
}
