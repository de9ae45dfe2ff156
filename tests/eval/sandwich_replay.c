/* SPDX-License-Identifier: BSD-3-Clause */
/* What sandwich.py asks: transactions as words on lines, findings as objects on lines.
 *
 *   tx HASH FROM TO NONCE TYPE TIP CAP VALUE INPUT BUNDLE POS LEN T_NS   "-": not known; FROM "~0x..": to be
 * recovered hash HASH BUNDLE POS LEN T_NS in HASH BLOCK INDEX T_NS base WEI */
#include "detect/correlate/sandwich.h"
#include "wire/hex.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SENDERS 1000000u
static uint8_t (*senders)[20];
static uint64_t n_senders;

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

static void
let_go(struct span s)
{
	free((void *)(uintptr_t)s.p);
}

static struct span
number(const char *text, uint8_t out[8])
{
	uint64_t v = strtoull(text, NULL, 10);
	for (unsigned i = 0; i < 8; i++)
		out[i] = (uint8_t)(v >> (56 - 8 * i));
	return (struct span){out, 8};
}

static bool
recover(void *ctx, uint64_t ref, uint8_t out[20])
{
	(void)ctx;
	memcpy(out, senders[ref % SENDERS], 20);
	return true;
}

static void
hex(const char *name, const uint8_t *p, unsigned n)
{
	printf(",\"%s\":\"0x", name);
	for (unsigned i = 0; i < n; i++)
		printf("%02x", p[i]);
	printf("\"");
}

static void
print(void *ctx, const struct sandwich_finding *f)
{
	static const char *const kinds[] = {"", "partial", "public", "bundle", "displacement"};
	static const char *const endings[] = {"open", "held", "broken", "replaced", "dropped"};
	(void)ctx;
	printf("{\"incident\":%" PRIu64
	       ",\"kind\":\"%s\",\"ending\":\"%s\",\"update\":%s,\"score\":%u,\"evidence\":[",
		f->incident, kinds[f->kind], endings[f->ending], f->update ? "true" : "false", f->score);
	const char *comma = "";
#define _(id, worth, help)                      \
	if (f->evidence & SANDWICH_HAS(id)) {   \
		printf("%s\"%s\"", comma, #id); \
		comma = ",";                    \
	}
	SANDWICH_EVIDENCE(_)
#undef _
	printf("]");
	hex("attacker", f->attacker, 20);
	hex("key", f->key, 20);
	printf(",\"token\":%s,\"reasons\":%" PRIu64, f->key_is_token ? "true" : "false", f->reasons);
	if (f->has_pool)
		hex("pool", f->pool, 20);
	hex("front", f->front.hash, 32);
	if (f->back.present)
		hex("back", f->back.hash, 32);
	printf(",\"n_victims\":%u,\"victims\":[", f->n_victims);
	for (uint32_t i = 0; i < f->n_listed; i++) {
		printf("%s\"0x", i ? "," : "");
		for (unsigned k = 0; k < 32; k++)
			printf("%02x", f->victims[i].hash[k]);
		printf("\"");
	}
	printf("]}\n");
}

static void
take(struct sandwich *s, char *w[13])
{
	uint8_t tip[8], cap[8];
	struct span hash = bytes_of(w[0]),
		    from = bytes_of(w[1][0] == '~'	? w[1] + 1
				    : strcmp(w[1], "-") ? w[1]
							: ""),
		    to = bytes_of(strcmp(w[2], "-") ? w[2] : ""), value = bytes_of(w[7]),
		    data = bytes_of(w[8]);
	struct tx t = {.type = (uint8_t)atoi(w[4]),
		.has_chain_id = true,
		.chain_id = 1,
		.to = to,
		.value = value,
		.data = data};
	static struct calls calls;
	struct swap swaps[SWAPS_MAX];
	bool over = false;
	uint32_t n = 0;
	if (to.len == 20) {
		calls_of(&t, &calls);
		n = swaps_of(&t, &calls, swaps, &over);
	}
	if (from.len == 20)
		memcpy(senders[n_senders % SENDERS], from.p, 20);
	struct sandwich_tx x = {.hash = hash.p,
		.from = from.len == 20 && w[1][0] != '~' ? from.p : NULL,
		.to = to.len == 20 ? to.p : NULL,
		.ref = n_senders++ % SENDERS,
		.nonce = strtoull(w[3], NULL, 10),
		.has_nonce = w[3][0] != '-',
		.priced = w[5][0] != '-',
		.type = t.type,
		.tip_cap = number(w[5], tip),
		.fee_cap = number(w[6], cap),
		.swaps = swaps,
		.n_swaps = n,
		.calls = to.len == 20 ? &calls : NULL,
		.data = data,
		.bundle = strtoull(w[9], NULL, 10),
		.bundle_pos = (uint16_t)atoi(w[10]),
		.bundle_len = (uint16_t)atoi(w[11]),
		.t_ns = strtoull(w[12], NULL, 10)};
	sandwich_take(s, &x);
	let_go(hash);
	let_go(from);
	let_go(to);
	let_go(value);
	let_go(data);
}

static void
line_of(struct sandwich *s, char *line)
{
	char *w[14] = {0};
	unsigned n = 0;
	for (char *at = strtok(line, " \n"); at != NULL && n < 14; at = strtok(NULL, " \n"))
		w[n++] = at;
	if (n == 0)
		return;
	if (strcmp(w[0], "tx") == 0 && n == 14) {
		take(s, w + 1);
	} else if (strcmp(w[0], "base") == 0 && n == 2) {
		sandwich_base_fee(s, strtoull(w[1], NULL, 10));
	} else if (strcmp(w[0], "in") == 0 && n == 5) {
		struct span hash = bytes_of(w[1]);
		sandwich_included(
			s, hash.p, strtoull(w[2], NULL, 10), (uint32_t)atoi(w[3]), strtoull(w[4], NULL, 10));
		let_go(hash);
	} else if (strcmp(w[0], "hash") == 0 && n == 6) {
		struct span hash = bytes_of(w[1]);
		sandwich_bundle_hash(s, hash.p, strtoull(w[2], NULL, 10), (uint16_t)atoi(w[3]),
			(uint16_t)atoi(w[4]), strtoull(w[5], NULL, 10));
		let_go(hash);
	} else {
		fprintf(stderr, "not understood: %s with %u words\n", w[0], n);
		exit(2);
	}
}

int
main(void)
{
	uint64_t counts[SANDWICH_N_COUNT] = {0};
	struct sandwich_config c = {.n_txs = 4096,
		.n_bundles = 256,
		.n_incidents = 1024,
		.window_ns = SANDWICH_WINDOW_NS_DEFAULT,
		.pair_ns = SANDWICH_PAIR_NS_DEFAULT,
		.key = "a replay's key",
		.counts = counts,
		.found = print,
		.sender = recover};
	void *mem = aligned_alloc(64, (sandwich_bytes(&c) + 63) & ~(size_t)63);
	senders = calloc(SENDERS, sizeof *senders);
	if (mem == NULL || senders == NULL)
		return 1;
	hex_init();
	struct sandwich *s = sandwich_init(mem, &c);
	char *line = NULL;
	size_t room = 0;
	while (getline(&line, &room, stdin) > 0)
		line_of(s, line);
	const char *wrong = sandwich_check(s);
	printf("{\"counts\":{");
	for (unsigned i = 0; i < SANDWICH_N_COUNT; i++)
		printf("%s\"%s\":%" PRIu64, i ? "," : "", sandwich_count_name(i), counts[i]);
	printf("},\"wrong\":%s%s%s}\n", wrong ? "\"" : "", wrong ? wrong : "null", wrong ? "\"" : "");
	free(line);
	free(senders);
	free(mem);
	return wrong != NULL;
}
