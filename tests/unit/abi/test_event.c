/* SPDX-License-Identifier: BSD-3-Clause */
/* Events: golden lines, strings that are not what they should be, and buffers of every size. */
#include "abi/event.h"
#include "records.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const uint8_t epoch[8] = {0xab, 0xcd, 0, 0, 0, 0, 0, 1};
static char out[EVENT_BYTES_MAX + 1];

static struct event_context
context(void)
{
	return (struct event_context){.source = "urn:sentinel:f:b",
		.epoch = epoch,
		.ring_id = 1,
		.cursor = "9",
		.durable = true,
		.t_journaled_ns = 1700000000000000002u,
		.rule = {7, 2, "flash loan"}};
}

static const char *
format(const struct event_context *x, const struct alert_record *r, struct span evidence)
{
	int n = event_alert(out, EVENT_BYTES_MAX, x, r, evidence);
	assert_true(n > 0);
	out[n] = '\0';
	return out;
}

static void
fill(uint8_t *p, size_t n, uint8_t v)
{
	memset(p, v, n);
}

static struct alert_record
full_record(void)
{
	struct alert_record r = record_plain();
	r.seq = 42;
	r.grade = GRADE_PAGE;
	r.grade_wanted = GRADE_PAUSE;
	r.severity = SEVERITY_CRITICAL;
	r.class_ = CLASS_FLASH_LOAN;
	r.rule_id = 7;
	r.rule_rev = 2;
	r.generation = UINT64_MAX;
	r.tx_type = 2;
	r.has = (HAS_CREATED - 1) | HAS_SUPERSEDES | HAS_HASH;
	r.trust = TRUST_INVALID | TRUST_MIDSTREAM | TRUST_OVERLAP_CONFLICT;
	fill(r.hash, 32, 0xAA);
	fill(r.from, 20, 0x01);
	fill(r.to, 20, 0xFE);
	memcpy(r.selector, "\xab\xcd\xef\x01", 4);
	fill(r.value, 32, 0xff);
	r.fee_cap[31] = 10;
	r.tip_cap[27] = 1;
	r.chain_id = 1;
	r.nonce = 0;
	r.gas = 21000;
	r.raw_len = 110;
	r.data_len = 4;
	fill(r.dedupekey, 32, 0x0d);
	r.supersedes_ring = 0;
	r.supersedes_seq = 41;
	r.n_related = 1;
	r.related[0].role = ROLE_FRONT;
	fill(r.related[0].hash, 32, 0xbb);
	r.n_protocols = 2;
	fill(r.protocols[0], 20, 0x11);
	fill(r.protocols[1], 20, 0x22);
	r.src_port = 1234;
	r.dst_port = 8545;
	memcpy(r.src_ip, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\x00\x00\x01", 16);
	memcpy(r.dst_ip, "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\xAB\xCD", 16);
	r.bundle_len = 3;
	r.bundle_pos = 1;
	r.t_wire_ns = 1700000000000000000u;
	r.t_emitted_ns = 1700000000000000001u;
	return r;
}

#define X8(s) s s s s s s s s
#define X32(s) X8(s) X8(s) X8(s) X8(s)
#define X20(s) X8(s) X8(s) s s s s

static void
golden_full(void **state)
{
	struct event_context x = context();
	struct alert_record r = full_record();
	assert_string_equal(format(&x, &r, (struct span){(const uint8_t *)"\x02\xF0", 2}),
		"{\"specversion\":\"1.0\",\"type\":\"sentinel.alert.v1\",\"source\":\"urn:sentinel:f:b\","
		"\"id\":\"abcd000000000001-1-42\",\"time\":\"2023-11-14T22:13:20.000000000Z\","
		"\"datacontenttype\":\"application/json\",\"cursor\":\"9\",\"dedupekey\":\"0x" X32(
			"0d") "\","
			      "\"supersedes\":\"abcd000000000001-0-41\",\"data\":{\"grade\":\"page\","
			      "\"reasons\":[\"rule\",\"lowered_from_pause\",\"midstream\",\"overlap_conflict\",\"invalid\"]"
			      ","
			      "\"rule\":{\"id\":\"7\",\"rev\":\"2\",\"name\":\"flash "
			      "loan\",\"class\":\"flash_loan\",\"severity\":\"critical\"},"
			      "\"transaction\":{\"hash\":\"0x" X32("aa") "\",\"from\":\"0x" X20(
				      "01") "\",\"to\":\"0x" X20("fe") "\","
								       "\"created\":null,\"selector\":"
								       "\"0xabcdef01\",\"type\":\"2\","
								       "\"chain_id\":\"1\",\"nonce\":\"0\","
								       "\"gas\":\"21000\","
								       "\"value\":"
								       "\"11579208923731619542357098500868790"
								       "7853269984665640564039457584007913129"
								       "639935\","
								       "\"fee_cap\":\"10\",\"tip_cap\":"
								       "\"4294967296\",\"raw_len\":\"110\","
								       "\"data_len\":\"4\"},"
								       "\"related\":[{\"role\":\"front\","
								       "\"hash\":\"0x" X32(
									       "bb") "\"}],"
										     "\"protocols\":["
										     "\"0x" X20(
											     "11") "\","
												   "\"0x" X20("22") "\"],"
														    "\"flags\":[\"midstream\",\"overlap_conflict\",\"invalid\"],"
			      "\"why\":[],\"providers\":[],\"score\":null,\"learned\":null,\"lacks\":[],\"touches\":[],\"armed\":null,\"pool\":null,\"incident\":{\"transactions\":\"1\",\"victims\":null,\"state\":\"open\"},"
														    "\"carrier\":\"http-jsonrpc\",\"direction\":\"c2s\",\"node\":\"unasked\","
														    "\"flow\":{\"src\":\"10.0.0.1:1234\",\"dst\":\"[fe80::abcd]:8545\"},\"bundle\":{\"len\":\"3\",\"pos\":\"1\"},"
														    "\"generation\":\"18446744073709551615\",\"durable\":true,\"vet\":null,\"times\":{\"announced_ns\":null,\"lead_ns\":null,\"wire_ns\":\"1700000000000000000\","
														    "\"emitted_ns\":\"1700000000000000001\",\"journaled_ns\":\"1700000000000000002\",\"armed_ns\":null,\"warning_ns\":null,\"ended_ns\":null},\"evidence\":\"0x02f0\"}}");
}

static void
golden_bare(void **state)
{
	struct event_context x = {.source = "s", .epoch = epoch, .rule = {7, 2, "other"}};
	struct alert_record r = record_plain();
	r.seq = 1;
	r.rule_id = 8;
	r.kind = ALERT_KIND_RETRACT;
	assert_string_equal(format(&x, &r, (struct span){NULL, 0}),
		"{\"specversion\":\"1.0\",\"type\":\"sentinel.retract.v1\",\"source\":\"s\",\"id\":"
		"\"abcd000000000001-0-1\","
		"\"time\":null,\"datacontenttype\":\"application/"
		"json\",\"cursor\":null,\"dedupekey\":\"0x" X32(
			"00") "\","
			      "\"supersedes\":null,\"data\":{\"grade\":\"watch\",\"reasons\":[\"rule\"],"
			      "\"rule\":{\"id\":\"8\",\"rev\":\"0\",\"name\":null,\"class\":\"swap\","
			      "\"severity\":\"info\"},"
			      "\"transaction\":{\"hash\":null,\"from\":null,\"to\":null,\"created\":null,"
			      "\"selector\":null,\"type\":null,"
			      "\"chain_id\":null,\"nonce\":null,\"gas\":null,\"value\":null,\"fee_cap\":null,"
			      "\"tip_cap\":null,\"raw_len\":null,"
			      "\"data_len\":null},\"related\":[],\"protocols\":[],\"flags\":[],\"why\":[],\"providers\":[],\"score\":null,\"learned\":null,\"lacks\":[],\"touches\":[],\"armed\":null,\"pool\":null,\"incident\":{\"transactions\":\"1\",\"victims\":null,\"state\":\"open\"},\"carrier\":"
			      "\"http-jsonrpc\","
			      "\"direction\":\"c2s\",\"node\":\"unasked\",\"flow\":null,\"bundle\":null,\"generation\":\"0\","
			      "\"durable\":false,\"vet\":null,"
			      "\"times\":{\"announced_ns\":null,\"lead_ns\":null,\"wire_ns\":null,\"emitted_ns\":null,\"journaled_ns\":null,\"armed_ns\":null,\"warning_ns\":null,\"ended_ns\":null},"
			      "\"evidence\":null}}");
}

static void
golden_loss(void **state)
{
	struct event_context x = context();
	int n = event_loss(out, EVENT_BYTES_MAX, &x, 43, 47, "ring_full");
	assert_true(n > 0);
	out[n] = '\0';
	assert_string_equal(out,
		"{\"specversion\":\"1.0\",\"type\":\"sentinel.loss.v1\",\"source\":\"urn:sentinel:f:b\","
		"\"id\":\"abcd000000000001-1-43-loss\",\"time\":\"2023-11-14T22:13:20.000000002Z\","
		"\"datacontenttype\":\"application/json\",\"cursor\":\"9\","
		"\"data\":{\"ring\":\"1\",\"from\":\"43\",\"to\":\"47\",\"reason\":\"ring_full\"}}");
}

/* The same record twice offline is the same bytes, whenever it was emitted. */
static void
deterministic(void **state)
{
	struct event_context x = context();
	struct alert_record r = full_record();
	x.deterministic = true;
	char *first = strdup(format(&x, &r, (struct span){NULL, 0}));
	r.t_emitted_ns += 12345;
	x.t_journaled_ns += 12345;
	assert_string_equal(format(&x, &r, (struct span){NULL, 0}), first);
	assert_non_null(strstr(first, "\"emitted_ns\":null,\"journaled_ns\":null"));
	free(first);
}

static void
reasons(void **state)
{
	struct event_context x = context();
	struct alert_record r = full_record();
	r.has &= ~HAS_FROM;
	r.trust = TRUST_SENDER_SKIPPED | TRUST_TRUNCATED | TRUST_NOT_ACKED;
	assert_non_null(strstr(
		format(&x, &r, (struct span){NULL, 0}), "\"reasons\":[\"rule\",\"lowered_from_pause\","
							"\"not_acked\",\"truncated\",\"sender_skipped\",\"no_sender\"]"));
	r.grade_wanted = r.grade;
	assert_non_null(strstr(format(&x, &r, (struct span){NULL, 0}), "\"reasons\":[\"rule\"]"));
}

static void
strings(void **state)
{
	static const struct {
		const char *name, *json;
	} cases[] = {
		{"", ""}, {"a\"b\\c/d", "a\\\"b\\\\c/d"},
		{"\x01\x1f\n\t\x7f", "\\u0001\\u001f\\u000a\\u0009\\u007f"},
		{"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x94\xa5",
			"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x94\xa5"},
		{"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf",
			"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf"}, /* the edges */
		{"\xff", "\xef\xbf\xbd"}, {"\x80x", "\xef\xbf\xbdx"},
		{"\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd"},		  /* overlong */
		{"\xe0\x9f\xbf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* overlong */
		{"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* surrogate */
		{"\xf4\x90\x80\x80",
			"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* beyond U+10FFFF */
		{"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"},		     /* cut */
		{"\xe2\"", "\xef\xbf\xbd\\\""}, /* cut: the quote is not swallowed */
	};
	struct alert_record r = full_record();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct event_context x = context();
		char want[128];
		x.rule.name = cases[i].name;
		snprintf(want, sizeof want, "\"name\":\"%s\",\"class\"", cases[i].json);
		assert_non_null(strstr(format(&x, &r, (struct span){NULL, 0}), want));
	}
}

/* The name is that of the rule which the record names, or none. */
static void
names_of_other_rules(void **state)
{
	struct event_context x = context();
	struct alert_record r = full_record();
	x.rule.rev = 3;
	assert_non_null(strstr(format(&x, &r, (struct span){NULL, 0}), "\"rev\":\"2\",\"name\":null"));
	x.rule.rev = 2;
	x.rule.id = 8;
	assert_non_null(
		strstr(format(&x, &r, (struct span){NULL, 0}), "\"id\":\"7\",\"rev\":\"2\",\"name\":null"));
}

static void
every_buffer_size(void **state)
{
	struct event_context x = context();
	struct alert_record r = full_record();
	uint8_t bytes[40] = {0};
	struct span evidence = {bytes, sizeof bytes};
	int whole = event_alert(out, EVENT_BYTES_MAX, &x, &r, evidence);
	assert_true(whole > 0);
	for (int cap = 0; cap < whole + 2; cap++) {
		char *exact = malloc((size_t)cap + 1);
		assert_int_equal(
			event_alert(exact, (size_t)cap, &x, &r, evidence), cap < whole ? -ENOSPC : whole);
		if (cap >= whole)
			assert_memory_equal(exact, out, (size_t)whole);
		free(exact);
	}
	whole = event_loss(out, EVENT_BYTES_MAX, &x, 1, 2, "r");
	for (int cap = 0; cap < whole; cap++)
		assert_int_equal(event_loss(out, (size_t)cap, &x, 1, 2, "r"), -ENOSPC);
}

static bool
prints(const struct event_context *x, const struct alert_record *r, const char *part)
{
	return strstr(format(x, r, (struct span){NULL, 0}), part) != NULL;
}

/* What a node says: of the alert itself, and in the event behind it. */
static void
vetted(void **state)
{
	struct event_context x = context();
	struct alert_record r = full_record();
	struct event_vet vet = {.node = VET_ASKED};
	x.vet = &vet;
	assert_true(prints(&x, &r, "\"id\":\"abcd000000000001-1-42\""));
	assert_true(prints(&x, &r, "\"supersedes\":\"abcd000000000001-0-41\""));
	assert_true(prints(&x, &r, "\"invalid\",\"node_asked\"]"));
	assert_true(prints(&x, &r, "\"vet\":{\"node\":\"asked\",\"accepted\":\"unchecked\",\"nonce\":\"unchecked\",\"funds\":\"unchecked\","
				   "\"fee\":\"unchecked\",\"simulation\":\"unchecked\",\"fact\":null,\"took_us\":\"0\"}"));
	vet = (struct event_vet){.node = VET_NO, .accepted = VET_HOLDS, .funds = VET_FAILS, .fact = VET_FACT_UNFUNDED, .took_us = 7};
	assert_true(prints(&x, &r, "\"id\":\"abcd000000000001-1-42-vetted\""));
	assert_true(prints(&x, &r, "\"supersedes\":\"abcd000000000001-1-42\""));
	assert_true(prints(&x, &r, "\"invalid\",\"unfunded\"]"));
	assert_true(prints(&x, &r, "\"vet\":{\"node\":\"no\",\"accepted\":\"yes\",\"nonce\":\"unchecked\",\"funds\":\"no\","
				   "\"fee\":\"unchecked\",\"simulation\":\"unchecked\",\"fact\":\"unfunded\",\"took_us\":\"7\"}"));
	r.grade = GRADE_PAUSE; /* nothing keeps it below: the fact stands in vet alone */
	assert_true(prints(&x, &r, "\"reasons\":[\"rule\"]"));
	vet.node = VET_NONE;
	assert_true(prints(&x, &r, "\"vet\":null"));
	assert_true(prints(&x, &r, "\"id\":\"abcd000000000001-1-42\""));
}

static void
vet_fields_in_range(void **state)
{
	struct event_vet v = {.node = VET_NODE_MAX, .simulation = VET_ANSWER_MAX, .fact = VET_FACT_COUNT - 1};
	assert_int_equal(event_vet_check(&v), 0);
	for (unsigned i = 0; i < 8; i++) {
		struct event_vet bad = v;
		((uint8_t *)&bad)[i] = 200;
		assert_int_equal(event_vet_check(&bad), -EINVAL);
	}
	assert_string_equal(event_vet_fact_name(VET_FACT_NONCE_GAP), "nonce_gap");
	assert_string_equal(event_vet_fact_name(VET_FACT_COUNT), "");
}

/* Everything at its longest. */
static void
longest_fits(void **state)
{
	struct alert_record r;
	char name[EVENT_STRINGS_MAX / 2 + 1], source[EVENT_STRINGS_MAX / 4 + 1],
		cursor[EVENT_STRINGS_MAX / 4 + 1];
	uint8_t *raw = malloc(RING_EVIDENCE_ONE_MAX);
	memset(raw, 0xff, RING_EVIDENCE_ONE_MAX);
	memset(&r, 0xff, sizeof r);
	memset(name, 1, sizeof name); /* six bytes each */
	memset(source, 2, sizeof source);
	memset(cursor, 3, sizeof cursor);
	name[sizeof name - 1] = source[sizeof source - 1] = cursor[sizeof cursor - 1] = '\0';
	r.kind = ALERT_KIND_RETRACT;
	r.grade = GRADE_WATCH;
	r.grade_wanted = GRADE_PAUSE;
	r.severity = SEVERITY_CRITICAL;
	r.class_ = CLASS_FLASH_DEPLOY;
	r.carrier = CARRIER_HTTP_JSONRPC_PRIVATE;
	r.direction = DIR_UNKNOWN;
	r.n_related = ALERT_RELATED_MAX;
	r.n_protocols = ALERT_PROTOCOLS_MAX;
	r.has = HAS_ALL;
	r.trust = (1u << TRUST_BIT_COUNT) - 1;
	r.reasons = (1ull << REASON_BIT_COUNT) - 1;
	r.providers = (1ull << PROVIDER_COUNT) - 1;
	r.lacks = (1u << LACK_BIT_COUNT) - 1;
	memset(r.touches, (1u << TOUCH_BIT_COUNT) - 1, sizeof r.touches);
	r.ending = ENDING_REPLACED;
	for (unsigned i = 0; i < ALERT_RELATED_MAX; i++)
		r.related[i].role = ROLE_VICTIM;
	struct event_context x = {.source = source,
		.epoch = epoch,
		.ring_id = UINT32_MAX,
		.t_journaled_ns = UINT64_MAX,
		.cursor = cursor,
		.rule = {UINT32_MAX, UINT32_MAX, name},
		.vet = &(struct event_vet){.node = VET_UNKNOWN, .fact = VET_FACT_UNTOUCHED, .took_us = UINT64_MAX}};
	assert_true(event_alert(out, EVENT_BYTES_MAX, &x, &r, (struct span){raw, RING_EVIDENCE_ONE_MAX}) > 0);
	free(raw);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_full),
		cmocka_unit_test(golden_bare),
		cmocka_unit_test(golden_loss),
		cmocka_unit_test(deterministic),
		cmocka_unit_test(reasons),
		cmocka_unit_test(strings),
		cmocka_unit_test(names_of_other_rules),
		cmocka_unit_test(every_buffer_size),
		cmocka_unit_test(vetted),
		cmocka_unit_test(vet_fields_in_range),
		cmocka_unit_test(longest_fits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
