/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of swaps ask: lines "to value input" in hex, each answered by an object with "swaps", as `tx
 * decode` has it; "chain" first on a line sets another chain. Not a test by itself. */
#include "txdecode/put.h"
#include "wire/hex.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of "0x...", at their exact size; even digits and 32 bytes at most where it is a number. */
static struct span
bytes_of(const char *text)
{
	size_t digits = strlen(text += strncmp(text, "0x", 2) == 0 ? 2 : 0), odd = digits % 2;
	uint8_t *p = malloc(digits / 2 + odd + 1);
	if (p == NULL)
		abort();
	if (odd)
		p[0] = hex_value[(uint8_t)text[0]];
	if (hex_decode((const uint8_t *)text + odd, digits - odd, p + odd) != digits - odd)
		abort();
	return (struct span){p, (uint32_t)(digits / 2 + odd)};
}

int
main(void)
{
	char *line = NULL;
	size_t room = 0;
	uint64_t chain = 1;
	hex_init();
	while (getline(&line, &room, stdin) > 0) {
		char *to = strtok(line, " \n"), *value = strtok(NULL, " \n"), *input = strtok(NULL, " \n");
		if (to != NULL && value != NULL && strcmp(to, "chain") == 0) {
			chain = strtoull(value, NULL, 10);
			continue;
		}
		if (input == NULL)
			return 2;
		struct tx t = {.type = TX_1559,
			.has_chain_id = true,
			.chain_id = chain,
			.to = bytes_of(to),
			.value = bytes_of(value),
			.data = bytes_of(input)};
		fputs("{\"to\":", stdout);
		put_hex_value(stdout, t.to);
		put_swaps(stdout, &t);
		fputs("}\n", stdout);
		free((void *)(uintptr_t)t.to.p);
		free((void *)(uintptr_t)t.value.p);
		free((void *)(uintptr_t)t.data.p);
	}
	free(line);
	return 0;
}
