/* SPDX-License-Identifier: BSD-3-Clause */
/* arbfeed: broadcasts as nitro writes them and as its JSON reader would take them, in one piece and cut
 * everywhere; buffers that are refused or taken back; caps; broadcasts that are cut off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/wire/arbfeed_rig.h"
#include "tests/unit/wire/base64_plain.h"

_Static_assert(sizeof(struct arbfeed) <= 512, "one for each connection");

static struct arbfeed_rig rig;

/* The text in one piece, in two cut at each place, and byte by byte, with scratch and without. */
static void
check(const char *text, enum jsonrpc_status status, const char *log)
{
	size_t n = strlen(text);
	uint32_t cap = rig.a.scratch_cap;
	for (unsigned scratch = 0; scratch < 2; scratch++) {
		rig.a.scratch_cap = scratch ? cap : 1;
		for (size_t cut = 0; cut <= n + 1; cut++) {
			arbfeed_rig_begin(&rig);
			if (cut <= n) {
				arbfeed_rig_feed(&rig, text, cut, false);
				arbfeed_rig_feed(&rig, text + cut, n - cut, true);
			} else {
				for (size_t i = 0; i < n; i++)
					arbfeed_rig_feed(&rig, text + i, 1, i + 1 == n);
			}
			if (rig.status != status || strcmp(rig.log_len ? rig.log : "", log) != 0)
				print_message("%s\n cut at %zu: %d\n%s", text, cut, rig.status, rig.log);
			assert_int_equal(rig.status, status);
			assert_string_equal(rig.log_len ? rig.log : "", log);
			assert_int_equal(rig.messages, rig.n_events);
			assert_int_equal(rig.slabs_out, 0);
		}
	}
	rig.a.scratch_cap = cap;
}

/* What nitro's own tests say it writes. */
static void
test_as_nitro_writes(void **state)
{
	check("{\"version\":1,\"messages\":[{\"sequenceNumber\":12345,\"message\":{\"message\":{\"header\":{"
	      "\"kind\":0,\"sender\":"
	      "\"0x0000000000000000000000000000000000000000\",\"blockNumber\":0,\"timestamp\":0,"
	      "\"requestId\":"
	      "\"0x0000000000000000000000000000000000000000000000000000000000000000\",\"baseFeeL1\":0},"
	      "\"l2Msg\":\"3q2+7w==\"},"
	      "\"delayedMessagesRead\":3333},\"blockHash\":"
	      "\"0xff00000000000000000000000000000000000000000000000000000000000000\","
	      "\"signatureV2\":null,\"blockMetadata\":\"AAI=\"}]}\n",
		JSONRPC_DONE, "12345 0 0 deadbeef\n");
	check("{\"version\":1,\"confirmedSequenceNumberMessage\":{\"sequenceNumber\":1234}}", JSONRPC_DONE,
		"");
	check("{\"version\":1}", JSONRPC_DONE, "");
	check("{\"version\":1,\"messages\":[{\"sequenceNumber\":1,\"message\":{\"message\":{\"header\":{"
	      "\"kind\":3},\"l2Msg\":\"BAEC\"}}},"
	      "{\"sequenceNumber\":18446744073709551615,\"message\":{\"message\":{\"header\":{\"kind\":255},"
	      "\"l2Msg\":\"\"}}}]}",
		JSONRPC_DONE, "1 3 0 040102\n18446744073709551615 255 0 -\n");
}

#define ELEMENT(x) "{\"messages\":[" x "]}"
#define INNER(x) ELEMENT("{\"message\":{\"message\":{" x "}}}")

static void
test_keys(void **state)
{
	static const struct {
		const char *text, *log;
	} v[] = {
		{"{\"MESSAGES\":[{\"SequenceNumber\":7,\"Message\":{\"MESSAGE\":{\"HEADER\":{\"KIND\":3},"
		 "\"L2MSG\":\"AAAA\"}}}]}",
			"7 3 0 000000\n"},
		{"{\"me\\u0073\\u017f\\u0041ges\":[{\"sequencenumber\":7,\"me\xc5\xbfsage\":{"
		 "\"mess\\u0061ge\":{\"header\":{\"\xe2\x84\xaaind\":3},"
		 "\"l2Ms\\u0067\":\"AAAA\"}}}]}",
			"7 3 0 000000\n"},
		{ELEMENT("{\"sequenceNumbers\":7,\"sequencenumbe\":8,\"equenceNumber\":9,\"sequenceXumber\":"
			 "1}"),
			"- - 3 -\n"},
		{INNER("\"l2\\u004dsg\":\"AAAA\",\"l\\u0012msg\":\"BBBB\",\"l2msg "
		       "\":\"CCCC\",\"l2ms\":\"DDDD\",\"\":\"EEEE\""),
			"- - 0 000000\n"},
		/* the right key in the wrong place */
		{"{\"l2Msg\":\"AAAA\",\"messages\":[{\"l2Msg\":\"AAAA\",\"kind\":3,\"message\":{\"l2Msg\":"
		 "\"AAAA\",\"header\":{\"kind\":4},\"kind\":1,"
		 "\"sequenceNumber\":4,\"message\":{\"kind\":5,\"header\":{\"l2Msg\":\"AAAA\",\"messages\":[{"
		 "\"message\":{}}]}}}}]}",
			"- - 3 -\n"},
		{"[" ELEMENT("{\"sequenceNumber\":1}") "]", ""},
		{"{\"params\":" ELEMENT("{\"sequenceNumber\":1}") "}", ""},
		{"{\"messages\":{\"messages\":[{\"sequenceNumber\":1}]}}", ""},
		{"{\"messages\":[[{\"sequenceNumber\":1}],null,1,\"a\",true,{\"sequenceNumber\":2}]}",
			"2 - 3 -\n"},
		{"{\"messages\":[{\"message\":[{\"message\":{\"l2Msg\":\"AAAA\"}}]}]}", "- - 3 -\n"},
		{"{\"messages\":[]}", ""},
		{"{\"messages\":null}", ""},
		{"null", ""},
		{"\"messages\"", ""},
		{" \t\r\n{ \"messages\" : [ { \"sequenceNumber\" : 1 , \"message\" : { \"message\" : { "
		 "\"l2Msg\" : \"AAAA\" } } } ] } ",
			"1 - 0 000000\n"},
	};
	for (size_t i = 0; i < sizeof v / sizeof *v; i++)
		check(v[i].text, JSONRPC_DONE, v[i].log);
}

/* The last value counts; null and wrong types as Go has them; objects add up. */
static void
test_several(void **state)
{
	static const struct {
		const char *text, *log;
	} v[] = {
		{ELEMENT("{\"sequenceNumber\":1,\"sequenceNumber\":2}"), "2 - 3 -\n"},
		{ELEMENT("{\"sequenceNumber\":1,\"sequenceNumber\":null,\"sequenceNumber\":\"3\","
			 "\"sequenceNumber\":[4],\"sequenceNumber\":true}"),
			"1 - 3 -\n"},
		{INNER("\"l2Msg\":\"AAAA\",\"l2Msg\":\"BBBB\""), "- - 0 041041\n"},
		{INNER("\"l2Msg\":\"AAAA\",\"l2Msg\":\"\""), "- - 0 -\n"},
		{INNER("\"l2Msg\":\"AAAA\",\"l2Msg\":null"), "- - 3 -\n"},
		{INNER("\"l2Msg\":\"AAAA\",\"l2Msg\":1,\"l2Msg\":{\"l2Msg\":\"BBBB\"},\"l2Msg\":false"),
			"- - 0 000000\n"},
		{INNER("\"l2Msg\":\"AAAA\",\"l2Msg\":[1,2]"), "- - 1 -\n"},
		{INNER("\"l2Msg\":\"A\",\"l2Msg\":\"AAAA\""), "- - 0 000000\n"},
		{INNER("\"header\":{\"kind\":3},\"header\":{\"sender\":1},\"l2Msg\":\"AAAA\""),
			"- 3 0 000000\n"},
		{INNER("\"header\":{\"kind\":3,\"kind\":4},\"l2Msg\":\"AAAA\""), "- 4 0 000000\n"},
		{INNER("\"header\":{\"kind\":3},\"l2Msg\":\"AAAA\",\"header\":null"), "- - 0 000000\n"},
		{ELEMENT("{\"message\":{\"message\":{\"l2Msg\":\"AAAA\",\"header\":{\"kind\":3}}},"
			 "\"message\":{\"message\":{\"header\":{\"kind\":9}}}}"),
			"- 9 0 000000\n"},
		{ELEMENT("{\"message\":{\"message\":{\"l2Msg\":\"AAAA\",\"header\":{\"kind\":3}}},"
			 "\"message\":null}"),
			"- 3 0 000000\n"},
		{ELEMENT("{\"message\":{\"message\":{\"l2Msg\":\"AAAA\",\"header\":{\"kind\":3}},\"message\":"
			 "null}}"),
			"- - 3 -\n"},
		/* nothing is carried from one element to the next */
		{ELEMENT("{\"sequenceNumber\":1,\"message\":{\"message\":{\"l2Msg\":\"AAAA\",\"header\":{"
			 "\"kind\":3}}}},{},{\"sequenceNumber\":2}"),
			"1 3 0 000000\n- - 3 -\n2 - 3 -\n"},
		{"{\"messages\":[{\"sequenceNumber\":1}],\"messages\":[{\"sequenceNumber\":2}]}",
			"1 - 3 -\n2 - 3 -\n"},
	};
	for (size_t i = 0; i < sizeof v / sizeof *v; i++)
		check(v[i].text, JSONRPC_DONE, v[i].log);
}

static void
test_numbers(void **state)
{
	static const struct {
		const char *number, *log;
	} v[] = {{"0", "0 0 3 -\n"}, {"255", "255 255 3 -\n"}, {"256", "256 - 3 -\n"}, {"259", "259 - 3 -\n"},
		{"18446744073709551615", "18446744073709551615 - 3 -\n"},
		{"18446744073709551616", "- - 3 -\n"}, {"18446744073709551619", "- - 3 -\n"},
		{"99999999999999999999999", "- - 3 -\n"}, {"-3", "- - 3 -\n"}, {"-0", "- - 3 -\n"},
		{"3.0", "- - 3 -\n"}, {"3e0", "- - 3 -\n"}, {"3E+1", "- - 3 -\n"}};
	for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
		char text[256];
		snprintf(text, sizeof text,
			ELEMENT("{\"sequenceNumber\":%s,\"message\":{\"message\":{\"header\":{\"kind\":%s}}}"
				"}"),
			v[i].number, v[i].number);
		check(text, JSONRPC_DONE, v[i].log);
	}
}

static void
test_text(void **state)
{
	static const struct {
		const char *text, *log;
	} v[] = {
		{INNER("\"l2Msg\":\"\\/\\u002b\\u002B/\""), "- - 0 ffefbf\n"},
		{INNER("\"l2Msg\":\"\\u0041\\r\\nA=\\n=\\n\""), "- - 0 00\n"},
		{INNER("\"l2Msg\":\"AAAA\\u003d\""), "- - 1 -\n"},
		{INNER("\"l2Msg\":\"AAA\""), "- - 1 -\n"},
		{INNER("\"l2Msg\":\"AA=\""), "- - 1 -\n"},
		{INNER("\"l2Msg\":\"AAAA AAAA\""), "- - 1 -\n"},
		{INNER("\"l2Msg\":\"AA\\u4141A\""), "- - 1 -\n"},
		{INNER("\"l2Msg\":\"AA\\ud83d\\ude00\""), "- - 1 -\n"},
		{INNER("\"l2Msg\":\"AAAA\\t\""), "- - 1 -\n"},
		{INNER("\"l2Msg\":\"AAAA\xc3\xa9\""), "- - 1 -\n"},
		{INNER("\"l2Msg\":\"0x00\""), "- - 0 d31d34\n"},
	};
	for (size_t i = 0; i < sizeof v / sizeof *v; i++)
		check(v[i].text, JSONRPC_DONE, v[i].log);
}

/* Damage: elements that ended before it have been told, the one it is in has not. */
static void
test_malformed(void **state)
{
#define FIRST "{\"messages\":[{\"sequenceNumber\":1},"
	static const char *const v[] = {FIRST "{\"sequenceNumber\":01}]}", FIRST "{\"sequenceNumber\":2",
		FIRST "]}", FIRST "{\"sequenceNumber\":2]}",
		FIRST "{\"message\":{\"message\":{\"l2Msg\":\"AAAA\n\"}}}]}",
		FIRST "{\"message\":{\"message\":{\"l2Msg\":\"AAAA\\x\"}}}]}",
		FIRST "{\"message\":{\"message\":{\"l2Msg\":nil}}}]}",
		FIRST "{\"message\":{\"message\":{\"l2Msg\":\"AAAA\"}}]}",
		FIRST "{\"message\":{\"message\":{\"l2Msg\":\"AAAA"};
	for (size_t i = 0; i < sizeof v / sizeof *v; i++)
		check(v[i], JSONRPC_MALFORMED, "1 - 3 -\n");
	check("", JSONRPC_DONE, "");
	check("x", JSONRPC_MALFORMED, "");
	/* nothing more is read */
	arbfeed_rig_run(&rig, "x", 1);
	assert_int_equal(arbfeed_rig_feed(&rig, "{}", 2, true), JSONRPC_MALFORMED);
	arbfeed_rig_run(&rig, ELEMENT("{}") ELEMENT("{}"), 2 * strlen(ELEMENT("{}")));
	assert_int_equal(rig.status, JSONRPC_DONE);
	assert_int_equal(rig.messages, 1);
}

static void
test_depth(void **state)
{
	static char text[3 * JSONRPC_DEPTH_MAX + 200];
	for (unsigned round = 0; round < 2; round++) {
		unsigned deep = round ? JSONRPC_DEPTH_MAX : 5000;
		int at = sprintf(text, "{\"messages\":[{\"x\":");
		memset(text + at, '[', deep);
		memset(text + at + deep, ']', deep);
		sprintf(text + at + 2 * deep, ",\"sequenceNumber\":5}]}");
		arbfeed_rig_run(&rig, text, strlen(text));
		assert_int_equal(rig.status, round ? JSONRPC_TOO_DEEP : JSONRPC_DONE);
		assert_string_equal(rig.log_len ? rig.log : "", round ? "" : "5 - 3 -\n");
	}
}

/* One element with an l2Msg of n bytes, in pieces; the state it is reported in, and its length. */
static unsigned
sized(size_t n, size_t piece, bool pad, uint32_t *len)
{
	static uint8_t bytes[500000];
	static char text[2 * sizeof bytes + 200], hex[2 * sizeof bytes + 1];
	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)(i * 31 + (i >> 8));
	int at = sprintf(
		text, "{\"messages\":[{\"message\":{\"message\":{\"header\":{\"kind\":3},\"l2Msg\":\"");
	size_t end = (size_t)at + base64_encode(bytes, n, text + at);
	if (pad)
		end += (size_t)sprintf(text + end, "\\n\\n");
	end += (size_t)sprintf(text + end, "\"}},\"sequenceNumber\":9}]}");
	arbfeed_rig_begin(&rig);
	for (size_t i = 0; i < end; i += piece)
		arbfeed_rig_feed(&rig, text + i, end - i < piece ? end - i : piece, i + piece >= end);
	assert_int_equal(rig.status, JSONRPC_DONE);
	assert_int_equal(rig.n_events, 1);
	assert_int_equal(rig.slabs_out, 0);
	unsigned state = 0;
	while (rig.n_state[state] == 0)
		state++;
	*len = 0;
	if (state == ARBFEED_OK) {
		hex_encode(bytes, n, hex);
		*len = (uint32_t)n;
		assert_int_equal(rig.log_len, 2 * n + strlen("9 3 0 \n"));
		assert_memory_equal(rig.log + strlen("9 3 0 "), hex, 2 * n);
	}
	return state;
}

static void
test_sizes(void **state)
{
	static const size_t pieces[] = {1u << 20, 65536, 1448, 1001, 17};
	uint32_t len;
	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
		for (size_t n = ARBFEED_L2MSG_MAX - 4; n <= ARBFEED_L2MSG_MAX + 4; n++) {
			unsigned want = n <= ARBFEED_L2MSG_MAX ? ARBFEED_OK : ARBFEED_OVERSIZE;
			assert_int_equal(sized(n, pieces[i], n & 1, &len), want);
		}
		assert_int_equal(sized(500000, pieces[i], false, &len), ARBFEED_OVERSIZE);
		for (size_t n = 1; n < 70; n++)
			assert_int_equal(sized(n, pieces[i], n & 1, &len), ARBFEED_OK);
	}
}

/* No buffer is to be had, or it is taken back: the element says so, and the next is whole. */
static void
test_buffers(void **state)
{
	uint32_t len;
	rig.slab_cap_max = 2000; /* buffers grow by doubling */
	assert_int_equal(sized(900, 50, false, &len), ARBFEED_OK);
	assert_int_equal(sized(2100, 50, false, &len), ARBFEED_NO_BUFFER);
	rig.slab_cap_max = 0;
	assert_int_equal(sized(900, 50, false, &len), ARBFEED_NO_BUFFER);
	assert_int_equal(sized(900, 5000, false, &len), ARBFEED_OK); /* in scratch */
	rig.slab_cap_max = JSONRPC_RAW_MAX;
	rig.steal_in_get = true;
	assert_int_equal(sized(9000, 50, false, &len), ARBFEED_NO_BUFFER);
	rig.steal_in_get = false;

	static const char text[] = "{\"messages\":[{\"sequenceNumber\":1,\"message\":{\"message\":{\"l2Msg\":"
				   "\"AAAABBBBCCCC\",\"header\":{\"kind\":3}}}},"
				   "{\"sequenceNumber\":2,\"message\":{\"message\":{\"l2Msg\":"
				   "\"AAAABBBBCCCC\",\"header\":{\"kind\":3}}}}]}";
	size_t n = sizeof text - 1, begin = (size_t)(strstr(text, "AAAA") - text),
	       end = (size_t)(strstr(text, "}}}},") - text) + 3;
	for (size_t cut = 1; cut < n; cut++) {
		arbfeed_rig_begin(&rig);
		arbfeed_rig_feed(&rig, text, cut, false);
		bool held = rig.slab != NULL;
		assert_true(rig.slabs_out <= 1);
		arbfeed_rig_steal(&rig);
		arbfeed_rig_feed(&rig, text + cut, n - cut, true);
		assert_int_equal(rig.status, JSONRPC_DONE);
		assert_int_equal(rig.messages, 2);
		assert_int_equal(rig.n_state[ARBFEED_NO_BUFFER], held);
		assert_int_equal(rig.n_state[ARBFEED_OK], 2 - held);
		if (cut >= begin + 4 && cut <= end)
			assert_true(held);
	}
	assert_true(rig.steals > 50);
	assert_int_equal(rig.slabs_out, 0);
}

static void
cut_at(const char *text, const char *log)
{
	for (size_t cut = 0; cut <= strlen(text); cut++) {
		arbfeed_rig_begin(&rig);
		arbfeed_rig_feed(&rig, text, cut, false);
		arbfeed_rig_feed(&rig, text + cut, strlen(text) - cut, false);
		arbfeed_rig_cut(&rig);
		assert_string_equal(rig.log_len ? rig.log : "", log);
		assert_int_equal(rig.slabs_out, 0);
		enum jsonrpc_status after = arbfeed_rig_feed(&rig, "}", 1, true);
		assert_int_equal(after, strstr(text, "}]}") ? JSONRPC_DONE : JSONRPC_MALFORMED);
		size_t was = rig.log_len;
		arbfeed_rig_cut(&rig);
		assert_int_equal(rig.log_len, was);
	}
}

static void
test_cut(void **state)
{
	cut_at("", "");
	cut_at("{\"messages\":[", "");
	cut_at("{\"messages\":[{", "- - 3 cut -\n");
	cut_at("{\"messages\":[{\"sequenceNumber\":12", "12 - 3 cut -\n");
	cut_at("{\"messages\":[{\"sequenceNumber\":1,\"message\":{\"message\":{\"header\":{\"kind\":3},"
	       "\"l2Msg\":\"AAAA",
		"1 3 6 cut -\n");
	cut_at("{\"messages\":[{\"sequenceNumber\":1,\"message\":{\"message\":{\"header\":{\"kind\":3},"
	       "\"l2Msg\":\"AA!A",
		"1 3 1 cut -\n");
	cut_at("{\"messages\":[{\"sequenceNumber\":1,\"message\":{\"message\":{\"header\":{\"kind\":3},"
	       "\"l2Msg\":\"AAAA\"},\"del",
		"1 3 0 cut 000000\n");
	cut_at("{\"messages\":[{\"sequenceNumber\":1},", "1 - 3 -\n");
	cut_at(ELEMENT("{\"sequenceNumber\":1}"), "1 - 3 -\n");
}

static void
test_looks_like(void **state)
{
	static const struct {
		const char *text;
		bool is;
	} v[] = {{"{\"version\":1,\"messages\":[", true}, {"{\"version\":1}", true}, {"{\"version\":", true},
		{"{\"version\"", false}, {"", false}, {"{\"jsonrpc\":\"2.0\",\"id\":1}", false},
		{"[{\"version\":1}]", false}, {"{\"messages\":[{}]}", false}};
	for (size_t i = 0; i < sizeof v / sizeof *v; i++)
		assert_int_equal(arbfeed_looks_like((struct span){
					 (const uint8_t *)v[i].text, (uint32_t)strlen(v[i].text)}),
			v[i].is);
	assert_false(arbfeed_looks_like((struct span){NULL, 0}));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_nitro_writes),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_buffers),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_looks_like),
	};
	arbfeed_rig_init(&rig, 1u << 17);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arbfeed_rig_free(&rig);
	return failed;
}
