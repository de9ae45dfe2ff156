/* SPDX-License-Identifier: BSD-3-Clause */
/* What the reader of init code says of codes, for tools/train and whoever evaluates it.
 * usage: code_features [--grams] [--rounds N] < LINES
 * A line is hex of an init code; for each comes out a JSON line, in their order: the facts, masks as lists of names, the normalised hash,
 * ns (the best of the rounds), with --grams the bits that are set. A line that is no hex, or longer than an init code may be, ends it: exit 1. */
#include "detect/code.h"

#include "abi/alert.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CODE_CAP (4u * CODE_BYTES_MAX) /* what is over CODE_BYTES_MAX the reader leaves out itself */

static uint8_t code[CODE_CAP];

static int
nibble(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The line's bytes, or -1. */
static int64_t
unhex(const char *s)
{
	uint32_t n = 0;
	if (strncmp(s, "0x", 2) == 0)
		s += 2;
	for (; nibble(s[0]) >= 0 && nibble(s[1]) >= 0; s += 2) {
		if (n == CODE_CAP)
			return -1;
		code[n++] = (uint8_t)(nibble(s[0]) << 4 | nibble(s[1]));
	}
	while (isspace((unsigned char)*s))
		s++;
	return *s == '\0' ? (int64_t)n : -1;
}

static uint64_t
now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void
tell_bool(const char *name, bool v)
{
	printf(",\"%s\":%s", name, v ? "true" : "false");
}

static void
tell_names(const char *head, uint64_t mask, const char *(*name)(unsigned))
{
	printf(",\"%s\":[", head);
	for (unsigned i = 0, n = 0; i < 64; i++)
		if (mask >> i & 1)
			printf("%s\"%s\"", n++ ? "," : "", name(i));
	printf("]");
}

static void
tell_grams(const uint64_t *grams)
{
	printf(",\"grams\":[");
	for (unsigned i = 0, n = 0; i < CODE_GRAMS; i++)
		if (grams[i / 64] >> (i % 64) & 1)
			printf("%s%u", n++ ? "," : "", i);
	printf("]");
}

static void
tell_hash(const uint8_t hash[32])
{
	printf(",\"hash\":\"0x");
	for (unsigned i = 0; i < 32; i++)
		printf("%02x", hash[i]);
	printf("\"");
}

static void
tell(struct code_reader *r, uint32_t len, unsigned rounds, bool grams)
{
	struct code_facts f;
	uint64_t best = UINT64_MAX;
	for (unsigned i = 0; i < rounds; i++) {
		uint64_t t = now_ns();
		code_read(r, (struct span){code, len}, &f);
		t = now_ns() - t;
		best = t < best ? t : best;
	}
	printf("{\"len\":%u,\"ns\":%" PRIu64 ",\"score\":%u,\"codes\":%u,\"n_grams\":%u", len, best, f.score, f.n_codes, f.n_grams);
	tell_bool("flash", f.flash);
	tell_bool("guessed", f.guessed);
	tell_bool("cut", f.cut);
	tell_bool("any_callback", f.any_callback);
	tell_bool("has_target", f.has_target);
	tell_names("callbacks", f.callbacks, alert_provider_name);
	tell_names("entries", f.entries, alert_provider_name);
	tell_names("addresses", f.addresses, alert_provider_name);
	tell_names("swaps", f.swaps, alert_provider_name);
	tell_names("reasons", f.reasons, alert_reason_name);
	tell_hash(f.hash);
	if (grams)
		tell_grams(code_grams(r));
	printf("}\n");
}

static int
run(struct code_reader *r, unsigned rounds, bool grams)
{
	char *line = NULL;
	size_t size = 0;
	unsigned at = 1;
	for (; getline(&line, &size, stdin) > 0; at++) {
		int64_t n = unhex(line);
		if (n < 0) {
			fprintf(stderr, "code_features: line %u is no init code in hex\n", at);
			free(line);
			return 1;
		}
		tell(r, (uint32_t)n, rounds, grams);
	}
	free(line);
	return ferror(stdin) || ferror(stdout) || fflush(stdout) != 0;
}

int
main(int argc, char **argv)
{
	unsigned long rounds = 1;
	bool grams = false;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--grams") == 0) {
			grams = true;
		} else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc && (rounds = strtoul(argv[i + 1], NULL, 10)) > 0 && rounds < 1000000) {
			i++;
		} else {
			fprintf(stderr, "usage: code_features [--grams] [--rounds N] < LINES\n");
			return 2;
		}
	}
	struct code_reader *r = code_new();
	if (r == NULL) {
		perror("code_new");
		return 1;
	}
	int status = run(r, (unsigned)rounds, grams);
	code_free(r);
	return status;
}
