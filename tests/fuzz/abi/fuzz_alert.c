/* SPDX-License-Identifier: BSD-3-Clause */
/* Bytes become a record and an event's strings; whatever alert_record_check passes must print as JSON that
 * says what the record says. Byte 0, bit 0: put the ranges right first, so that the formatter gets work. */
#include "abi/event.h"
#include "abi/ring.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
put_right(struct alert_record *r)
{
	r->kind = (uint8_t)(1 + r->kind % ALERT_KIND_MAX);
	r->grade = (uint8_t)(1 + r->grade % GRADE_MAX);
	r->grade_wanted = (uint8_t)(r->grade_wanted % (GRADE_MAX + 1));
	r->severity = (uint8_t)(1 + r->severity % SEVERITY_MAX);
	r->class_ = (uint8_t)(1 + r->class_ % CLASS_MAX);
	r->carrier = (uint8_t)(1 + r->carrier % CARRIER_MAX);
	r->direction = (uint8_t)(r->direction % (DIR_MAX + 1));
	r->node = (uint8_t)(r->node % (NODE_VERDICT_MAX + 1));
	r->tx_type = (uint8_t)(r->tx_type % (ALERT_TX_TYPE_MAX + 1));
	r->has &= HAS_ALL;
	r->trust &= (1u << TRUST_BIT_COUNT) - 1;
	r->reasons &= (1ull << REASON_BIT_COUNT) - 1;
	r->providers &= (1ull << PROVIDER_COUNT) - 1;
	r->lacks &= (1u << LACK_BIT_COUNT) - 1;
	r->ending = (uint8_t)(r->ending % (ENDING_MAX + 1));
	r->score %= ALERT_SCORE_MAX + 1;
	r->learned %= ALERT_SCORE_MAX + 1;
	r->lost_reason = r->lost_before ? LOSS_RING_FULL : LOSS_NONE;
	r->raw_len %= ALERT_TX_BYTES_MAX;
	r->data_len %= ALERT_TX_BYTES_MAX;
	r->evidence_len %= RING_EVIDENCE_ONE_MAX;
	r->n_related %= ALERT_RELATED_MAX + 1;
	r->n_protocols %= ALERT_PROTOCOLS_MAX + 1;
	for (unsigned i = 0; i < ALERT_RELATED_MAX; i++)
		r->related[i].role = 1 + r->related[i].role % ROLE_MAX;
	for (unsigned i = 0; i < ALERT_PROTOCOLS_MAX; i++)
		r->touches[i] &= (1u << TOUCH_BIT_COUNT) - 1;
	r->supersedes_seq |= 1;
	if (r->bundle_len)
		r->bundle_pos %= r->bundle_len;
}

static json_t *
parsed(const char *text, size_t n)
{
	json_error_t err;
	json_t *j = json_loadb(text, n, JSON_REJECT_DUPLICATES, &err);
	assert(j != NULL && json_is_object(j));
	return j;
}

static const char *
string_at(json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));
	assert(s != NULL);
	return s;
}

static void
check_alert(json_t *j, const struct event_context *x, const struct alert_record *r, struct span evidence)
{
	char id[64];
	json_t *data = json_object_get(j, "data");
	event_id(x->epoch, x->ring_id, r->seq, id);
	assert(strcmp(string_at(j, "id"), id) == 0);
	assert(strlen(string_at(j, "dedupekey")) == 66);
	assert(strcmp(string_at(data, "grade"), "unknown") != 0);
	assert(strtoull(string_at(data, "generation"), NULL, 10) == r->generation);
	assert(json_array_size(json_object_get(data, "related")) == r->n_related);
	assert(json_array_size(json_object_get(data, "protocols")) == r->n_protocols);
	assert(json_array_size(json_object_get(data, "flags")) == (size_t)__builtin_popcount(r->trust));
	assert(json_array_size(json_object_get(data, "why")) == (size_t)__builtin_popcountll(r->reasons));
	assert(json_array_size(json_object_get(data, "providers")) == (size_t)__builtin_popcountll(r->providers));
	assert(json_array_size(json_object_get(data, "lacks")) == (size_t)__builtin_popcount(r->lacks));
	json_t *hex = json_object_get(data, "evidence");
	assert(evidence.len == 0 ? json_is_null(hex)
				 : json_string_length(hex) == 2 + 2 * (size_t)evidence.len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char out[EVENT_BYTES_MAX];
	struct alert_record r;
	char name[256], cursor[64];
	if (size < 1 + 8)
		return 0;
	memset(&r, 0, sizeof r);
	memset(name, 0, sizeof name);
	memset(cursor, 0, sizeof cursor);
	uint8_t how = *data++;
	const uint8_t *epoch = data;
	size--;
	size_t n = size < sizeof r ? size : sizeof r;
	memcpy(&r, data, n);
	struct span rest = {data + n, (uint32_t)(size - n)};
	memcpy(name, rest.p, rest.len < sizeof name ? rest.len : sizeof name - 1);
	memcpy(cursor, data, size < sizeof cursor ? size : sizeof cursor - 1);
	if (how & 1)
		put_right(&r);
	if (alert_record_check(&r) != 0) {
		assert(!(how & 1));
		return 0;
	}
	if (rest.len > RING_EVIDENCE_ONE_MAX)
		rest.len = RING_EVIDENCE_ONE_MAX;
	struct event_context x = {.source = "urn:sentinel:fuzz",
		.epoch = epoch,
		.ring_id = how,
		.cursor = how & 2 ? cursor : NULL,
		.deterministic = how & 4,
		.t_journaled_ns = r.t_emitted_ns,
		.rule = {r.rule_id, r.rule_rev, how & 8 ? name : NULL}};
	int len = event_alert(out, sizeof out, &x, &r, rest);
	assert(len > 0);
	json_t *j = parsed(out, (size_t)len);
	check_alert(j, &x, &r, rest);
	json_decref(j);
	/* The exact size is enough, one less is not. */
	char *exact = malloc((size_t)len);
	assert(exact != NULL && event_alert(exact, (size_t)len, &x, &r, rest) == len &&
		memcmp(exact, out, (size_t)len) == 0);
	assert(event_alert(exact, (size_t)len - 1, &x, &r, rest) == -ENOSPC);
	free(exact);
	len = event_loss(out, sizeof out, &x, r.seq, r.generation, name);
	assert(len > 0);
	json_decref(parsed(out, (size_t)len));
	return 0;
}
