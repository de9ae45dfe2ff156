/* SPDX-License-Identifier: BSD-3-Clause */
/* Random broadcasts against jansson, which says what the value is, and a plain base64 decoder: in one piece,
 * in random pieces, and the elements that are complete before a random cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/wire/arbfeed_rig.h"
#include "tests/unit/wire/base64_plain.h"
#include "tests/unit/wire/rnd.h"

#include <ctype.h>
#include <jansson.h>

#define BROADCASTS 20000u

static struct arbfeed_rig rig;
static char body[1 << 18];
static size_t len;

/* ---- making broadcasts ---- */

__attribute__((format(printf, 1, 2))) static void
text(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(body + len, sizeof body - len, fmt, ap);
	va_end(ap);
	assert_in_range(n, 0, sizeof body - len - 1);
	len += (size_t)n;
}

static void
space(void)
{
	while (rnd(10) == 0)
		body[len++] = " \t\r\n"[rnd(4)];
}

static void
string(const char *s, size_t n, unsigned escapes)
{
	text("\"");
	for (size_t i = 0; i < n; i++) {
		if (escapes && rnd(escapes) == 0 && s[i] == '/')
			text("\\/");
		else if (s[i] == '\n' || s[i] == '\r')
			text("\\%c", s[i] == '\n' ? 'n' : 'r');
		else if (escapes && rnd(escapes) == 0)
			text("\\u%04x", (unsigned char)s[i]);
		else
			body[len++] = s[i];
	}
	text("\"");
}

/* Begins a member: what stands before it, its key in any case. The oracle folds too. */
static void
key(bool *first, const char *name)
{
	char k[64];
	strcpy(k, name);
	for (size_t i = 0; k[i]; i++)
		if (isalpha((unsigned char)k[i]) && rnd(16) == 0)
			k[i] ^= 0x20;
	if (!*first)
		text(",");
	*first = false;
	space();
	string(k, strlen(k), rnd(8) ? 0 : 3);
	space();
	text(":");
	space();
}

static void
junk(unsigned depth)
{
	switch (rnd(depth > 3 ? 5 : 7)) {
	case 0:
		text("null");
		break;
	case 1:
		text("%u", rnd(1000));
		break;
	case 2:
		text("-0.5e+3");
		break;
	case 3:
		text("true");
		break;
	case 4:
		text("\"l2Msg\\\"\\u00e9\"");
		break;
	case 5:
		text("[");
		for (unsigned i = rnd(3); i > 0; i--) {
			junk(depth + 1);
			text(",");
		}
		junk(depth + 1);
		text("]");
		break;
	default:
		text("{\"l2Msg\":");
		junk(depth + 1);
		text(",\"message\":");
		junk(depth + 1);
		text("}");
		break;
	}
}

static void
others(bool *first)
{
	static const char *const names[] = {
		"delayedMessagesRead", "blockHash", "signatureV2", "blockMetadata", "sender", "version", "x"};
	while (rnd(3) == 0) {
		/* each once: jansson keeps the last, and so does the scanner, but names of interest are not
		 * among these */
		key(first, names[rnd(7)]);
		junk(0);
	}
}

static void
number(void)
{
	switch (rnd(12)) {
	case 0:
		text("%" PRIu64, (uint64_t)rnd(1u << 31) << 32 >> rnd(40));
		break;
	case 1:
		text("%u", 250 + rnd(10));
		break;
	case 2:
		text("%s", rnd(2) ? "3.5" : "-4");
		break;
	default:
		text("%u", rnd(14));
		break;
	}
}

static void
l2msg(void)
{
	static uint8_t bytes[20000];
	static char b64[30000];
	size_t n = rnd(4) ? rnd(300) : rnd(40) ? rnd(4) : rnd(sizeof bytes);
	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)rnd(256);
	size_t m = base64_encode(bytes, n, b64);
	if (m > 0 && rnd(10) == 0)
		b64[rnd((uint32_t)m)] = "=\n\r !A~"[rnd(7)];
	if (m > 0 && rnd(16) == 0)
		m -= rnd(3);
	string(b64, m, rnd(3) ? 0 : 2 + rnd(20));
}

static void
inner(void)
{
	bool first = true, header = rnd(10) != 0, late = rnd(4) == 0;
	text("{");
	for (unsigned turn = 0; turn < 2; turn++) {
		others(&first);
		if (header && (turn == 1) == late) {
			key(&first, "header");
			if (rnd(20) == 0) {
				text("null");
			} else {
				bool own = true;
				text("{");
				others(&own);
				key(&own, "kind");
				number();
				others(&own);
				text("}");
			}
		}
		if ((turn == 1) != late && rnd(12)) {
			key(&first, "l2Msg");
			rnd(16) ? l2msg() : (void)text("null");
		}
	}
	others(&first);
	space();
	text("}");
}

static void
element(void)
{
	bool first = true, meta = true;
	text("{");
	others(&first);
	if (rnd(10)) {
		key(&first, "sequenceNumber");
		number();
	}
	others(&first);
	if (rnd(20)) {
		key(&first, "message");
		text("{");
		others(&meta);
		if (rnd(20)) {
			key(&meta, "message");
			inner();
		}
		others(&meta);
		text("}");
	}
	others(&first);
	space();
	text("}");
}

static void
broadcast(void)
{
	bool first = true;
	len = 0;
	space();
	text("{");
	others(&first);
	if (rnd(20)) {
		key(&first, "messages");
		text("[");
		for (unsigned n = rnd(5), i = 0; i < n; i++) {
			text(i ? "," : "");
			space();
			rnd(16) ? element() : junk(0);
			space();
		}
		text("]");
	}
	others(&first);
	text("}\n");
}

/* ---- what jansson says is in them ---- */

static json_t *
member(const json_t *o, const char *name)
{
	const char *k;
	json_t *v;
	json_object_foreach((json_t *)o, k, v) if (strcasecmp(k, name) == 0) return v;
	return NULL;
}

static const json_t *
object(const json_t *o, const char *name)
{
	const json_t *v = o ? member(o, name) : NULL;
	return json_is_object(v) ? v : NULL;
}

static size_t
expect(char *out)
{
	static uint8_t bytes[30000];
	json_error_t error;
	json_t *root = json_loadb(body, len, JSON_DISABLE_EOF_CHECK, &error);
	if (root == NULL)
		fail_msg("%s at %d", error.text, error.position);
	char *at = out;
	size_t i;
	json_t *e;
	*at = 0;
	json_array_foreach(member(root, "messages"), i, e)
	{
		if (!json_is_object(e))
			continue;
		const json_t *m = object(object(e, "message"), "message"), *header = object(m, "header");
		const json_t *sequence = member(e, "sequenceNumber"),
			     *kind = header ? member(header, "kind") : NULL;
		const json_t *l2 = m ? member(m, "l2Msg") : NULL;
		at += json_is_integer(sequence) && json_integer_value(sequence) >= 0
			      ? sprintf(at, "%" JSON_INTEGER_FORMAT " ", json_integer_value(sequence))
			      : sprintf(at, "- ");
		at += json_is_integer(kind) && json_integer_value(kind) >= 0 && json_integer_value(kind) < 256
			      ? sprintf(at, "%d ", (int)json_integer_value(kind))
			      : sprintf(at, "- ");
		long n = json_is_array(l2) ? -1
			 : json_is_string(l2)
				 ? base64_plain(json_string_value(l2), json_string_length(l2), bytes)
				 : 0;
		at += sprintf(at, "%d ",
			n < 0		     ? ARBFEED_BAD
			: json_is_string(l2) ? ARBFEED_OK
					     : ARBFEED_NONE);
		if (n > 0)
			hex_encode(bytes, (size_t)n, at);
		at += n > 0 ? 2 * n : 0;
		at += sprintf(at, "%s", n > 0 ? "\n" : "-\n");
	}
	json_decref(root);
	return (size_t)(at - out);
}

static void
same(const char *want, size_t n)
{
	rig.log[rig.log_len] = 0;
	if (rig.log_len != n || memcmp(rig.log, want, n) != 0)
		print_message("%.*s\n--- wanted\n%s--- got\n%s", (int)len, body, want, rig.log);
	assert_int_equal(rig.log_len, n);
	assert_memory_equal(rig.log, want, n);
}

static void
test_random(void **state)
{
	static char want[1 << 18];
	unsigned elements = 0, ok = 0, bad = 0;
	for (unsigned round = 0; round < BROADCASTS; round++) {
		broadcast();
		size_t n = expect(want);
		assert_int_equal(arbfeed_rig_run(&rig, body, len), JSONRPC_DONE);
		same(want, n);
		elements += rig.n_events;
		ok += rig.n_state[ARBFEED_OK];
		bad += rig.n_state[ARBFEED_BAD];
		arbfeed_rig_begin(&rig);
		unsigned longest = rnd(2) ? 8 : 400;
		for (size_t i = 0; i < len;) {
			size_t piece = rnd(longest);
			piece = piece < len - i ? piece : len - i;
			arbfeed_rig_feed(&rig, body + i, piece, i + piece == len);
			i += piece;
		}
		assert_int_equal(rig.status, JSONRPC_DONE);
		same(want, n);
		assert_int_equal(rig.slabs_out, 0);
		/* what ended before a cut is the beginning of all there is */
		arbfeed_rig_begin(&rig);
		arbfeed_rig_feed(&rig, body, rnd((uint32_t)len), false);
		assert_true(rig.log_len <= n);
		assert_memory_equal(rig.log, want, rig.log_len);
		arbfeed_rig_cut(&rig);
		assert_int_equal(rig.slabs_out, 0);
	}
	print_message("%u elements, %u with bytes, %u with bad base64\n", elements, ok, bad);
	assert_true(elements > BROADCASTS && ok > BROADCASTS / 2 && bad > BROADCASTS / 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_random)};
	arbfeed_rig_init(&rig, 1u << 17);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arbfeed_rig_free(&rig);
	return failed;
}
