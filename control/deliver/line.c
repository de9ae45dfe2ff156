/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/deliver/line.h"

#include "abi/alert.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#define EXAMPLE "send {\"op\":\"subscribe\",\"consumer\":\"NAME\",\"since\":null,\"min_grade\":\"watch\"}"

enum field { F_OP = 1, F_CONSUMER = 2, F_SINCE = 4, F_GRADE = 8, F_CURSOR = 16, F_LIMIT = 32, F_ADDRESS = 64, F_NOTE = 128, F_TEXT = 256, F_MORE = 512 };

static const struct {
	const char *name;
	enum line_op op;
	unsigned may, must;
} ops[] = {
	{"subscribe", LINE_SUBSCRIBE, F_CONSUMER | F_SINCE | F_GRADE, 0},
	{"ack", LINE_ACK, F_CURSOR, F_CURSOR},
	{"alerts", LINE_ALERTS, F_SINCE | F_GRADE | F_LIMIT, 0},
	{"status", LINE_STATUS, 0, 0},
	{"latency", LINE_LATENCY, 0, 0},
	{"forget", LINE_FORGET, F_CONSUMER, F_CONSUMER},
	{"watch_add", LINE_WATCH_ADD, F_ADDRESS | F_NOTE, F_ADDRESS},
	{"watch_remove", LINE_WATCH_REMOVE, F_ADDRESS, F_ADDRESS},
	{"watch_list", LINE_WATCH_LIST, 0, 0},
	{"profile", LINE_PROFILE, F_TEXT | F_MORE, F_TEXT},
};

struct parse {
	struct line_request *out;
	const char **error, **next;
};

static int
bad(struct parse *p, const char *error, const char *next)
{
	*p->error = error;
	*p->next = next;
	return -EINVAL;
}

static int
take_consumer(struct parse *p, json_t *v)
{
	if (json_is_null(v))
		return 0;
	const char *name = json_string_value(v);
	if (name == NULL || strlen(name) != json_string_length(v) || !journal_name_ok(name))
		return bad(p, "consumer is not a name",
			"use 1 to 64 characters of A-Z a-z 0-9 . _ -, the same after every restart");
	strcpy(p->out->consumer, name);
	return 0;
}

static int
take_since(struct parse *p, json_t *v)
{
	if (json_is_null(v))
		return 0;
	const char *place = json_string_value(v);
	if (place == NULL || strlen(place) != json_string_length(v) ||
		position_parse(place, &p->out->since) != 0)
		return bad(p, "since names no place",
			"use \"start\", \"now\", null, or the cursor or id of an event");
	return 0;
}

static int
take_grade(struct parse *p, json_t *v)
{
	const char *grade = json_string_value(v);
	for (unsigned g = GRADE_WATCH; grade != NULL && g <= GRADE_MAX; g++) {
		if (strcmp(grade, alert_grade_name(g)) == 0) {
			p->out->min_grade = g;
			return 0;
		}
	}
	return bad(p, "min_grade is not a grade", "use \"watch\", \"page\" or \"pause\"");
}

static int
take_cursor(struct parse *p, json_t *v)
{
	struct position at;
	const char *cursor = json_string_value(v);
	if (cursor == NULL || strlen(cursor) != json_string_length(v) || position_parse(cursor, &at) != 0 ||
		at.kind != POSITION_CURSOR)
		return bad(p, "cursor is not a cursor",
			"ack with the \"cursor\" of an event that was delivered");
	p->out->cursor = at.cursor;
	p->out->journal = at.journal;
	return 0;
}

static int
take_limit(struct parse *p, json_t *v)
{
	if (!json_is_integer(v) || json_integer_value(v) < 1)
		return bad(p, "limit is not a number of events", "use an integer from 1");
	p->out->limit = (uint64_t)json_integer_value(v);
	return 0;
}

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int
take_address(struct parse *p, json_t *v)
{
	const char *s = json_string_value(v);
	bool ok = s != NULL && json_string_length(v) == 42 && s[0] == '0' && s[1] == 'x', zero = true;
	for (unsigned i = 0; ok && i < 20; i++) {
		int hi = digit(s[2 + 2 * i]), lo = digit(s[3 + 2 * i]);
		ok = hi >= 0 && lo >= 0;
		p->out->address[i] = ok ? (uint8_t)(hi << 4 | lo) : 0;
		zero = zero && p->out->address[i] == 0;
	}
	return ok && !zero ? 0 : bad(p, "address is not a contract's address", "use 0x and 40 hex digits, not all of them zero");
}

static int
take_note(struct parse *p, json_t *v)
{
	if (json_is_null(v))
		return 0;
	const char *note = json_string_value(v);
	size_t n = json_string_length(v);
	bool ok = note != NULL && n < RECALL_NOTE_MAX;
	for (size_t i = 0; ok && i < n; i++)
		ok = (unsigned char)note[i] >= ' ' && note[i] != 0x7f;
	if (!ok)
		return bad(p, "note is not a short text", "use up to 120 bytes without control characters, or null");
	memcpy(p->out->note, note, n + 1);
	return 0;
}

static int
take_text(struct parse *p, json_t *v)
{
	const char *text = json_string_value(v);
	size_t n = json_string_length(v);
	if (text == NULL || n >= sizeof p->out->text)
		return bad(p, "text is not a part of a profile", "send the profile's text in strings, one a line");
	memcpy(p->out->text, text, n);
	p->out->text_n = n;
	return 0;
}

static int
take_more(struct parse *p, json_t *v)
{
	p->out->more = json_is_true(v);
	return json_is_boolean(v) ? 0 : bad(p, "more is not a boolean", "use true with every part but the last");
}

static const struct {
	const char *key;
	enum field field;
	int (*take)(struct parse *p, json_t *v);
} fields[] = {
	{"consumer", F_CONSUMER, take_consumer},
	{"since", F_SINCE, take_since},
	{"min_grade", F_GRADE, take_grade},
	{"cursor", F_CURSOR, take_cursor},
	{"limit", F_LIMIT, take_limit},
	{"address", F_ADDRESS, take_address},
	{"note", F_NOTE, take_note},
	{"text", F_TEXT, take_text},
	{"more", F_MORE, take_more},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int
take_object(struct parse *p, json_t *o)
{
	const char *op = json_string_value(json_object_get(o, "op"));
	size_t i = 0;
	while (i < COUNT(ops) && (op == NULL || strcmp(op, ops[i].name) != 0))
		i++;
	if (i == COUNT(ops))
		return bad(p, "op is missing or unknown",
			"use one of subscribe, ack, alerts, status, latency, forget, watch_add, watch_remove, watch_list, profile; " EXAMPLE);
	p->out->op = ops[i].op;
	unsigned seen = 0;
	for (size_t k = 0; k < COUNT(fields); k++) {
		json_t *v = json_object_get(o, fields[k].key);
		if (v == NULL)
			continue;
		if (!(ops[i].may & fields[k].field))
			return bad(p, "a key does not belong to this op", EXAMPLE);
		int rc = fields[k].take(p, v);
		if (rc != 0)
			return rc;
		seen |= fields[k].field;
	}
	if (json_object_size(o) != 1 + (size_t)__builtin_popcount(seen))
		return bad(p, "a key is unknown", EXAMPLE);
	if ((seen & ops[i].must) != ops[i].must || (ops[i].op == LINE_FORGET && p->out->consumer[0] == '\0'))
		return bad(p, "a key that this op needs is missing", EXAMPLE);
	return 0;
}

int
line_parse(const char *line, size_t n, struct line_request *out, const char **error, const char **next)
{
	struct parse p = {out, error, next};
	json_error_t e;
	*out = (struct line_request){.min_grade = GRADE_WATCH};
	json_t *o = n < LINE_BYTES_MAX ? json_loadb(line, n, JSON_REJECT_DUPLICATES, &e) : NULL;
	if (!json_is_object(o)) {
		json_decref(o);
		return bad(&p, "the line is not a JSON object", EXAMPLE);
	}
	int rc = take_object(&p, o);
	json_decref(o);
	return rc;
}
