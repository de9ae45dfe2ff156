/* SPDX-License-Identifier: BSD-3-Clause */
/* What the reader of init code says: usage: code_facts [--rounds N] < LINES; a line is hex of an init code,
 * in the order of which a JSON line comes out: flash, masks as lists of names, reasons, ns (the best of the
 * rounds). */
#include "detect/code.h"

#include "abi/alert.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint8_t code[CODE_BYTES_MAX + 16];

static uint32_t
unhex(const char *s)
{
	uint32_t n = 0;
	char two[3] = {0};
	if (strncmp(s, "0x", 2) == 0)
		s += 2;
	for (; n < sizeof(code) && isxdigit((unsigned char)s[0]) && isxdigit((unsigned char)s[1]); s += 2) {
		memcpy(two, s, 2);
		code[n++] = (uint8_t)strtoul(two, NULL, 16);
	}
	return n;
}

static uint64_t
now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void
names(const char *head, uint64_t mask, const char *(*name)(unsigned))
{
	printf(",\"%s\":[", head);
	for (unsigned i = 0, n = 0; i < 64; i++) {
		if (mask >> i & 1)
			printf("%s\"%s\"", n++ ? "," : "", name(i));
	}
	printf("]");
}

static void
tell(struct code_reader *r, uint32_t len, unsigned rounds)
{
	struct code_facts f;
	uint64_t best = UINT64_MAX;
	for (unsigned i = 0; i < rounds; i++) {
		uint64_t t = now_ns();
		code_read(r, (struct span){code, len}, &f);
		t = now_ns() - t;
		best = t < best ? t : best;
	}
	printf("{\"flash\":%s,\"score\":%u,\"len\":%u,\"ns\":%llu,\"codes\":%u,\"deep_steps\":%u,\"guessed\":"
	       "%s,\"cut\":%s,\"any_callback\":%s,\"tired\":%s,\"has_target\":%s",
		f.flash ? "true" : "false", f.score, len, (unsigned long long)best, f.n_codes, f.deep_steps,
		f.guessed ? "true" : "false", f.cut ? "true" : "false", f.any_callback ? "true" : "false",
		f.tired ? "true" : "false", f.has_target ? "true" : "false");
	names("callbacks", f.callbacks, alert_provider_name);
	names("entries", f.entries, alert_provider_name);
	names("addresses", f.addresses, alert_provider_name);
	names("swaps", f.swaps, alert_provider_name);
	names("reasons", f.reasons, alert_reason_name);
	printf("}\n");
}

int
main(int argc, char **argv)
{
	unsigned rounds =
		argc == 3 && strcmp(argv[1], "--rounds") == 0 ? (unsigned)strtoul(argv[2], NULL, 10) : 1;
	char *line = NULL;
	size_t size = 0;
	if (rounds == 0 || (argc != 1 && argc != 3)) {
		fprintf(stderr, "usage: code_facts [--rounds N] < LINES\n");
		return 2;
	}
	struct code_reader *r = code_new();
	if (r == NULL) {
		perror("code_new");
		return 1;
	}
	while (getline(&line, &size, stdin) > 0)
		tell(r, unhex(line), rounds);
	free(line);
	code_free(r);
	return ferror(stdout) || fflush(stdout) != 0;
}
