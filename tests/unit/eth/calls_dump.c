/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines "TO CALLDATA" (hex without prefix; TO "-": a creation) in; per line "N OVER" and, for each call, "
 * KIND,DEPTH,PARENT,TO,VALUE,SALT,CREATED,DATA" out,
 * "-" for what is absent. For tests that compare with another decoder. */
#include "eth/calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t
bytes_of(const char *hex, uint8_t *out)
{
	uint32_t n = 0;
	for (unsigned v; sscanf(hex, "%2x", &v) == 1; hex += 2)
		out[n++] = (uint8_t)v;
	return n;
}

static void
put(struct span s)
{
	if (s.len == 0)
		putchar('-');
	for (uint32_t i = 0; i < s.len; i++)
		printf("%02x", s.p[i]);
}

static void
put_call(const struct call *c)
{
	uint8_t address[20];
	printf(" %u,%u,%u,", c->kind, c->depth, c->parent);
	put(c->to);
	putchar(',');
	put(c->value);
	putchar(',');
	put(c->salt);
	putchar(',');
	put((struct span){address, call_created2(c, address) ? 20 : 0});
	putchar(',');
	put(c->data);
}

int
main(void)
{
	static struct calls calls;
	char *line = NULL;
	size_t cap = 0;
	while (getline(&line, &cap, stdin) > 0) {
		char *to = strtok(line, " \n"), *data = strtok(NULL, " \n");
		if (to == NULL)
			continue;
		uint8_t address[20], *bytes = malloc(strlen(data != NULL ? data : "") / 2 + 1);
		if (bytes == NULL)
			return 1;
		struct tx t = {.to = {address, *to == '-' ? 0 : bytes_of(to, address)},
			.data = {bytes, data != NULL ? bytes_of(data, bytes) : 0}};
		calls_of(&t, &calls);
		printf("%u %d", calls.n, calls.over);
		for (uint32_t i = 0; i < calls.n; i++)
			put_call(&calls.call[i]);
		putchar('\n');
		free(bytes);
	}
	free(line);
	return 0;
}
