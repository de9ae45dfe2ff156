/* SPDX-License-Identifier: BSD-3-Clause */
/* What a client of the control socket may send: one line, and the places it names. */
#include "abi/alert.h"
#include "control/deliver/line.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_position(const struct position *p)
{
	char text[POSITION_TEXT_MAX];
	struct position again;
	if (p->kind == POSITION_CURSOR) {
		assert(p->cursor <= INT64_MAX);
		position_cursor(p->journal, p->cursor, text);
		assert(position_parse(text, &again) == 0);
		assert(again.kind == POSITION_CURSOR && again.cursor == p->cursor &&
			again.journal == p->journal);
	}
	assert(!p->loss || !p->vetted);
	if (p->kind == POSITION_ID)
		assert(p->seq >= 1 && p->seq <= INT64_MAX);
}

static void
check_place(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct position p;
	assert(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	if (position_parse(text, &p) == 0) {
		assert(p.kind != POSITION_ACKED);
		check_position(&p);
	}
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct line_request q;
	const char *error = NULL, *next = NULL;
	int rc = line_parse((const char *)data, size, &q, &error, &next);
	if (rc != 0) {
		assert(error != NULL && next != NULL && error[0] != '\0' && next[0] != '\0');
	} else {
		assert(size < LINE_BYTES_MAX);
		assert(q.op >= LINE_SUBSCRIBE && q.op <= LINE_PROFILE);
		assert(q.text_n < sizeof q.text && (q.op == LINE_PROFILE || (q.text_n == 0 && !q.more)));
		assert(q.min_grade >= GRADE_WATCH && q.min_grade <= GRADE_MAX);
		assert(q.consumer[0] == '\0' || journal_name_ok(q.consumer));
		assert(q.op != LINE_FORGET || q.consumer[0] != '\0');
		assert(q.op == LINE_ALERTS || q.limit == 0);
		bool watch = q.op == LINE_WATCH_ADD || q.op == LINE_WATCH_REMOVE;
		static const uint8_t none[20];
		assert(watch == (memcmp(q.address, none, 20) != 0) && strnlen(q.note, sizeof q.note) < sizeof q.note);
		check_position(&q.since);
	}
	check_place(data, size);
	return 0;
}
