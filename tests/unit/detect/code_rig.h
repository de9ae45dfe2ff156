/* SPDX-License-Identifier: BSD-3-Clause */
/* For tests of detect/code.h: codes from hex, the compiled ones by name, and the check that what is added
 * takes nothing away. */
#ifndef CODE_RIG_H
#define CODE_RIG_H

#include "abi/alert.h"
#include "detect/code.h"
#include "detect/flash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define P(id) (1ull << PROVIDER_##id)

static struct code_reader *reader;
static struct code_facts facts;
static uint8_t bytes[CODE_BYTES_MAX + 64];
static uint32_t n_bytes;

/* Hex digits behind what is there already; spaces do not count. */
static inline void
more(const char *hex)
{
	char two[3] = {0};
	for (; *hex != '\0' && *hex != '\n'; hex++) {
		if (*hex == ' ')
			continue;
		two[0] = *hex++;
		two[1] = *hex;
		assert_true(n_bytes < sizeof(bytes));
		bytes[n_bytes++] = (uint8_t)strtoul(two, NULL, 16);
	}
}

static inline void
read_bytes(void)
{
	/* a copy of its own size: overruns show */
	uint8_t *copy = malloc(n_bytes ? n_bytes : 1);
	memcpy(copy, bytes, n_bytes);
	code_read(reader, (struct span){copy, n_bytes}, &facts);
	free(copy);
}

static inline void
read_code(const char *hex)
{
	n_bytes = 0;
	more(hex);
	read_bytes();
}

/* Init code that returns this runtime code: PUSH2 len DUP1 PUSH1 10 PUSH0 CODECOPY PUSH0 RETURN. */
static inline void
deploy(const char *runtime)
{
	char head[32];
	n_bytes = 0;
	snprintf(head, sizeof(head), "61%04x80600b5f395ff3", (unsigned)strlen(runtime) / 2);
	more(head);
	more("00");
	more(runtime);
	read_bytes();
}

static inline bool
named_code(const char *name)
{
	static char line[2 * CODE_BYTES_MAX + 16];
	FILE *f = fopen(CODES, "r");
	bool found = false;
	assert_non_null(f);
	while (!found && fgets(line, sizeof(line), f) != NULL)
		found = line[0] == '#' && strncmp(line + 2, name, strlen(name)) == 0 &&
			fgets(line, sizeof(line), f) != NULL;
	fclose(f);
	n_bytes = 0;
	if (found)
		more(line);
	return found;
}

#endif
