/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/lifeline.h"

#include "abi/alert.h"
#include "wire/hex.h"

#include <inttypes.h>

static void
put_hash(FILE *out, const char *key, const uint8_t *hash)
{
	char digits[64];
	if (hash == NULL) {
		fprintf(out, ",\"%s\":null", key);
		return;
	}
	hex_encode(hash, 32, digits);
	fprintf(out, ",\"%s\":\"0x%.64s\"", key, digits);
}

void
lifeline_print(FILE *out, const struct life *l, enum life_event_kind kind, const struct life_tx *t, const struct life_block *block,
	uint64_t t_ns)
{
	static const char *const what[] = {
		[LIFE_EVENT_PENDING] = "pending",
		[LIFE_EVENT_INCLUDED] = "included",
		[LIFE_EVENT_REPLACED] = "replaced",
		[LIFE_EVENT_DROPPED] = "dropped",
		[LIFE_EVENT_JUDGED] = "judged",
		[LIFE_EVENT_REORGED] = "reorged",
	};
	static const char *const state[] = {
		[LIFE_CANDIDATE] = "unknown", /* it was in that block alone */
		[LIFE_ANNOUNCED] = "announced",
		[LIFE_PENDING] = "pending",
		[LIFE_INCLUDED] = "included",
		[LIFE_REPLACED] = "replaced",
		[LIFE_DROPPED] = "dropped",
	};
	const struct life_tx *by = kind == LIFE_EVENT_REPLACED ? life_replacement(l, t) : NULL;
	fputs("{\"event\":\"life\"", out);
	put_hash(out, "hash", t->hash);
	fprintf(out, ",\"state\":\"%s\",\"what\":\"%s\",\"never_seen\":%s,\"announced_only\":%s", state[t->state], what[kind],
		t->before == LIFE_NEVER_SEEN ? "true" : "false", t->before == LIFE_ANNOUNCED_ONLY ? "true" : "false");
	put_hash(out, "block", block != NULL && (block->id.has & LIFE_HAS_HASH) ? block->id.hash : NULL);
	if (block != NULL && (block->id.has & LIFE_HAS_NUMBER))
		fprintf(out, ",\"number\":\"%" PRIu64 "\"", block->id.number);
	else
		fputs(",\"number\":null", out);
	put_hash(out, "by", by != NULL ? by->hash : NULL);
	fprintf(out, ",\"node\":\"%s\",\"t_ns\":\"%" PRIu64 "\"}\n", alert_node_name(t->verdict), t_ns);
}
