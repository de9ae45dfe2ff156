/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/cost.h"

#include "eth/tx_build.h"
#include "io/txobj.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MADE 2048u
#define MADE_BYTES_MAX 26000u
#define PASSES 9u
#define PASS_NS 100000000u
#define VECTOR_NS 50000u /* time spent on one matching vector */

struct cost {
	const struct ruleset *rules;
	struct detect *detect;
	struct tx *tx; /* MADE */
	uint8_t *bytes;
	uint64_t n_bytes, findings;
	uint64_t *matches; /* by rule, of the made transactions */
	uint64_t *own_ns, *own;
	bool progress;
	uint64_t started_ns, shown_ns;
};

static uint64_t
now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static uint64_t
next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void
fill(uint64_t *seed, uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(next(seed) >> 32);
}

/* Calldata as an ABI encoder leaves it: a selector, then words, most of them small numbers or addresses. */
static void
fill_words(uint64_t *seed, uint8_t *p, size_t n)
{
	memset(p, 0, n);
	fill(seed, p, n < 4 ? n : 4);
	for (size_t at = 4; at + 32 <= n; at += 32) {
		unsigned kind = next(seed) % 8;
		if (kind < 3)
			fill(seed, p + at + 12, 20);
		else if (kind < 7)
			fill(seed, p + at + 24, 8);
		else
			fill(seed, p + at, 32);
	}
}

/* How long the data of the i-th transaction is: the shares are those of mainnet's blocks. */
static size_t
data_bytes(uint64_t *seed, bool *creation)
{
	unsigned share = next(seed) % 100;
	*creation = share == 99;
	if (share < 40)
		return 0;
	if (share < 65)
		return 68;
	if (share < 88)
		return 4 + 32 * (5 + next(seed) % 10);
	if (share < 97)
		return 4 + 32 * (20 + next(seed) % 60);
	return 4 + 32 * (100 + next(seed) % 660);
}

static int
make(struct cost *c)
{
	static const uint8_t chain = 1, price[4] = {0x77, 0x35, 0x94, 0x00};
	static uint8_t data[MADE_BYTES_MAX];
	uint8_t to[20], sig[64], value[8];
	uint64_t seed = 0x9e3779b97f4a7c15u;
	size_t at = 0, cap = 0;
	for (unsigned i = 0; i < MADE; i++) {
		bool creation;
		size_t n = data_bytes(&seed, &creation);
		fill(&seed, to, sizeof to);
		fill(&seed, sig, sizeof sig);
		fill(&seed, value, sizeof value);
		if (creation)
			fill(&seed, data, n);
		else
			fill_words(&seed, data, n);
		struct tx_fields f = {.type = i % 4 == 0 ? TX_LEGACY : TX_1559, .chain_id = {&chain, 1}, .nonce = i, .gas = 300000,
			.tip_cap = {price, 4}, .fee_cap = {price, 4}, .to = {to, creation ? 0 : 20}, .value = {value, 8},
			.data = {data, (uint32_t)n}, .r = {sig, 32}, .s = {sig + 32, 32}};
		if (cap - at < MADE_BYTES_MAX + 512) {
			/* the decoded ones point into what was there before: decode at the end */
			cap += 1u << 22;
			uint8_t *more = realloc(c->bytes, cap);
			if (more == NULL)
				return -ENOMEM;
			c->bytes = more;
		}
		int bytes = tx_build(&f, c->bytes + at, cap - at);
		if (bytes < 0)
			return bytes;
		c->tx[i].data.len = (uint32_t)bytes; /* until it is decoded */
		at += (size_t)bytes;
	}
	c->n_bytes = at;
	at = 0;
	for (unsigned i = 0; i < MADE; i++) {
		uint32_t n = c->tx[i].data.len;
		if (tx_decode((struct span){c->bytes + at, n}, &c->tx[i]) != 0)
			return -EPROTO;
		at += n;
	}
	return 0;
}

/* One round over the made transactions; the number of findings or -EIO. */
static int64_t
scan_made(struct cost *c, bool count)
{
	struct finding f[DETECT_FINDINGS_MAX];
	int64_t found = 0;
	for (unsigned i = 0; i < MADE; i++) {
		int n = detect_tx(c->detect, &c->tx[i], 0, f);
		if (n < 0)
			return n;
		found += n;
		for (int k = 0; count && k < n; k++)
			c->matches[f[k].rule_index]++;
	}
	return found;
}

/* The best of several passes: the others were disturbed. */
static int
time_made(struct cost *c, uint64_t *ns_per_tx_x100)
{
	uint64_t best = UINT64_MAX;
	int64_t found = scan_made(c, true);
	if (found < 0)
		return (int)found;
	c->findings = (uint64_t)found;
	for (unsigned pass = 0; pass < PASSES; pass++) {
		uint64_t rounds = 0, start = now(), took;
		do {
			scan_made(c, false);
			rounds++;
			took = now() - start;
		} while (took < PASS_NS);
		uint64_t each = took * 100 / (rounds * MADE);
		best = each < best ? each : best;
	}
	*ns_per_tx_x100 = best;
	return 0;
}

static void
time_vector(struct cost *c, uint32_t i, uint8_t *raw, size_t cap)
{
	struct finding f[DETECT_FINDINGS_MAX];
	uint32_t rule;
	bool expect;
	struct span text;
	struct tx t;
	char err[256];
	ruleset_vector(c->rules, i, &rule, &expect, &text);
	int n = expect ? txobj_parse((const char *)text.p, text.len, raw, cap, err, sizeof err) : -1;
	if (n < 0 || tx_decode((struct span){raw, (uint32_t)n}, &t) != 0)
		return;
	uint64_t rounds = 0, start = now(), took;
	do {
		for (unsigned k = 0; k < 16; k++)
			if (detect_tx(c->detect, &t, 0, f) < 0)
				return;
		rounds += 16;
		took = now() - start;
	} while (took < VECTOR_NS);
	c->own_ns[rule] += took / rounds;
	c->own[rule]++;
}

static int
time_vectors(struct cost *c)
{
	size_t cap = TX_BYTES_MAX + 4096;
	uint8_t *raw = malloc(cap);
	uint32_t n = ruleset_vectors(c->rules);
	if (raw == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t t = now();
		time_vector(c, i, raw, cap);
		if (c->progress && t - c->started_ns > 2000000000u && t - c->shown_ns > 500000000u) {
			fprintf(stderr, "\rvectors: %3.0f %%", 100.0 * i / n);
			c->shown_ns = t;
		}
	}
	if (c->shown_ns != 0)
		fputs("\n", stderr);
	free(raw);
	return 0;
}

static void
print(const struct cost *c, uint64_t ns_x100, FILE *out)
{
	for (uint32_t i = 0; i < ruleset_rules(c->rules); i++) {
		struct ruleset_rule m;
		ruleset_rule(c->rules, i, &m);
		fprintf(out, "{\"event\":\"profile_rule\",\"id\":\"%u\",\"rev\":\"%u\",\"name\":\"%s\",\"matches\":\"%" PRIu64 "\"", m.id,
			m.rev, m.name, c->matches[i]);
		if (c->own[i])
			fprintf(out, ",\"own_vector_ns\":\"%" PRIu64 "\"}\n", c->own_ns[i] / c->own[i]);
		else
			fputs(",\"own_vector_ns\":null}\n", out);
	}
	fprintf(out,
		"{\"event\":\"profile\",\"rules\":\"%u\",\"patterns\":\"%u\",\"transactions\":\"%u\",\"mean_bytes\":\"%" PRIu64
		"\",\"findings\":\"%" PRIu64 "\",\"ns_per_tx\":\"%" PRIu64 ".%02" PRIu64 "\",\"gbit_per_s\":\"%.2f\"}\n",
		ruleset_rules(c->rules), ruleset_patterns(c->rules), MADE, c->n_bytes / MADE, c->findings, ns_x100 / 100,
		ns_x100 % 100, ns_x100 ? (double)c->n_bytes / MADE * 800.0 / (double)ns_x100 : 0.0);
}

int
cost_print(const struct ruleset *r, FILE *out)
{
	struct cost c = {.rules = r, .progress = isatty(2) && !isatty(1), .started_ns = now()};
	uint64_t ns_x100 = 0;
	size_t rules = ruleset_rules(r) ? ruleset_rules(r) : 1;
	c.detect = detect_new(r);
	c.tx = calloc(MADE, sizeof *c.tx);
	c.matches = calloc(3 * rules, sizeof *c.matches);
	int rc = c.detect && c.tx && c.matches ? make(&c) : -ENOMEM;
	if (rc == 0) {
		c.own_ns = c.matches + rules;
		c.own = c.matches + 2 * rules;
		rc = time_made(&c, &ns_x100);
	}
	if (rc == 0)
		rc = time_vectors(&c);
	if (rc == 0)
		print(&c, ns_x100, out);
	else
		fprintf(stderr, "sentinel-dataplane: cannot profile: %s\n", strerror(-rc));
	if (c.detect != NULL)
		detect_free(c.detect);
	free(c.tx);
	free(c.bytes);
	free(c.matches);
	return rc;
}
