/* SPDX-License-Identifier: BSD-3-Clause */
/* What code_read costs, and what it says: usage: bench_code [--rounds N] FILE...; a file holds hex of one
 * init code, or one a line. */
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
	printf(" %s=", head);
	for (unsigned i = 0; i < 64; i++) {
		if (mask >> i & 1)
			printf("%s,", name(i));
	}
}

static double
measure(struct code_reader *r, const char *file, uint32_t len, unsigned rounds)
{
	struct code_facts f;
	uint64_t best = UINT64_MAX;
	for (unsigned i = 0; i < rounds; i++) {
		uint64_t t = now_ns();
		code_read(r, (struct span){code, len}, &f);
		t = now_ns() - t;
		best = t < best ? t : best;
	}
	printf("%s len=%u ns=%llu codes=%u reached=%u grams=%u score=%u flash=%d%s%s%s%s", file, len,
		(unsigned long long)best, f.n_codes, f.reached_bytes, f.n_grams, f.score, f.flash,
		f.guessed ? " guessed" : "", f.cut ? " cut" : "", f.any_callback ? " any" : "",
		f.has_target ? " target" : "");
	names("callbacks", f.callbacks, alert_provider_name);
	names("entries", f.entries, alert_provider_name);
	names("swaps", f.swaps, alert_provider_name);
	names("addresses", f.addresses, alert_provider_name);
	names("reasons", f.reasons, alert_reason_name);
	printf("\n");
	return (double)best;
}

int
main(int argc, char **argv)
{
	struct code_reader *r = code_new();
	unsigned rounds = 5, n = 0;
	double ns = 0, bytes = 0;
	char *line = NULL;
	size_t room = 0;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc) {
			rounds = (unsigned)atoi(argv[++i]);
			continue;
		}
		FILE *f = fopen(argv[i], "r");
		while (f != NULL && getline(&line, &room, f) > 0) {
			uint32_t len = line[0] == '#' ? 0 : unhex(line);
			if (len == 0)
				continue;
			ns += measure(r, argv[i], len, rounds);
			bytes += len;
			n++;
		}
		if (f != NULL)
			fclose(f);
	}
	printf("codes: %u, bytes: %.0f, ns/byte: %.2f\n", n, bytes, bytes > 0 ? ns / bytes : 0.0);
	free(line);
	code_free(r);
	return n > 0 ? 0 : 1;
}
