/* SPDX-License-Identifier: BSD-3-Clause */
/* Prints N events of random records, one a line, for schema.py. Behind each alert, a tab and the integers it
 * was made of, so that what is printed can be compared with what was meant by somebody who counts in another
 * language. */
#include "abi/event.h"
#include "abi/nodes.h"
#include "records.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void
print_word(const char *name, const uint8_t word[32])
{
	printf("\t%s=", name);
	for (unsigned i = 0; i < 32; i++)
		printf("%02x", word[i]);
}

int
main(int argc, char **argv)
{
	static char out[EVENT_BYTES_MAX], name[100];
	static uint8_t bytes[2000];
	unsigned n = argc > 1 ? (unsigned)atoi(argv[1]) : 100;
	struct rng g = {argc > 2 ? (uint64_t)atoi(argv[2]) : 1};
	for (unsigned i = 0; i < n; i++) {
		struct alert_record r = record_random(&g);
		uint8_t epoch[8];
		rng_fill(&g, epoch, sizeof epoch);
		rng_fill(&g, bytes, sizeof bytes);
		rng_fill(&g, name, sizeof name - 1); /* any bytes, not only UTF-8 */
		struct event_context x = {.source = "urn:sentinel:test:box",
			.epoch = epoch,
			.ring_id = rng_below(&g, 2),
			.t_journaled_ns = rng_below(&g, 2) ? rng_next(&g) : 0,
			.cursor = rng_below(&g, 2) ? "17" : NULL,
			.durable = rng_below(&g, 2),
			.deterministic = rng_below(&g, 2),
			.rule = {r.rule_id, r.rule_rev, name}};
		if (rng_below(&g, 2))
			x.rule.name = NULL;
		struct event_vet vet = {.node = (uint8_t)rng_below(&g, VET_NODE_MAX + 1),
			.accepted = (uint8_t)rng_below(&g, 3),
			.nonce = (uint8_t)rng_below(&g, 3),
			.funds = (uint8_t)rng_below(&g, 3),
			.fee = (uint8_t)rng_below(&g, 3),
			.simulation = (uint8_t)rng_below(&g, 3),
			.fact = (uint8_t)rng_below(&g, VET_FACT_COUNT),
			.took_us = rng_next(&g)};
		x.vet = rng_below(&g, 2) ? &vet : NULL;
		int len = event_alert(
			out, sizeof out, &x, &r, (struct span){bytes, rng_below(&g, sizeof bytes)});
		if (len < 0)
			return 1;
		printf("%.*s", len, out);
		print_word("value", r.value);
		print_word("fee_cap", r.fee_cap);
		printf("\tnonce=%" PRIx64 "\tseq=%" PRIx64 "\twire=%" PRIx64 "\n", r.nonce, r.seq,
			r.t_wire_ns);
		len = event_loss(
			out, sizeof out, &x, rng_next(&g), rng_next(&g), name[0] ? name : "ring_full");
		if (len < 0)
			return 1;
		printf("%.*s\n", len, out);
		struct event_silence e = {.node = rng_below(&g, 2) ? "geth-1" : NULL,
			.feed = rng_below(&g, 2) ? node_feed_name(1 + rng_below(&g, NODE_FEED_COUNT - 1)) : NULL,
			.ended = rng_below(&g, 2),
			.direction = (uint8_t)rng_below(&g, 3),
			.since_ns = rng_next(&g),
			.usual_ms = rng_next(&g),
			.lasted_ms = rng_next(&g)};
		len = event_silence(out, sizeof out, &x, rng_next(&g) | 1, &e);
		if (len < 0)
			return 1;
		printf("%.*s\n", len, out);
	}
	return 0;
}
