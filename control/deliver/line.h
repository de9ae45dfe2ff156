/* SPDX-License-Identifier: BSD-3-Clause */
/* line: what a client of the control socket may say. NDJSON, one request a line, at most LINE_BYTES_MAX with
 * its newline:
 *
 *   {"op":"subscribe","consumer":NAME|null,"since":PLACE|null,"min_grade":"watch|page|pause"}   once, then
 *   {"op":"ack","cursor":CURSOR}                                                                any time
 *   {"op":"alerts","since":PLACE|null,"limit":N,"min_grade":...}  events, then {"event":"end","cursor":...}
 *   {"op":"status"}                                               one object
 *   {"op":"latency"}                                              one object (status_latency.h)
 *   {"op":"forget","consumer":NAME}                               {"event":"forgotten"}
 *   {"op":"watch_add","address":ADDRESS,"note":TEXT|null}         {"event":"watched","address":...} once it is kept
 *   {"op":"watch_remove","address":ADDRESS}                       {"event":"unwatched","address":...} once that is kept
 *   {"op":"profile","text":TEXT,"more":BOOL}                      another profile for the dataplane: its text in parts, all but the last with
 *                                                                 "more":true; then one answer (control/profile.h)
 *   {"op":"watch_list"}                                           {"event":"watch",...} each, then {"event":"end","count":N}
 *
 * PLACE as in position.h; null is the consumer's own acked place ("now" for a new or nameless one; for alerts
 * "start"). ADDRESS is "0x" and 40 hex digits, TEXT up to 120 bytes without control characters. A consumer without a name is not kept and cannot ack. Unknown keys are refused, so that a typo is
 * not a silent default. */
#ifndef CONTROL_DELIVER_LINE_H
#define CONTROL_DELIVER_LINE_H

#include "control/journal.h"
#include "control/position.h"
#include "control/recall_store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE_BYTES_MAX 4096

enum line_op { LINE_SUBSCRIBE = 1, LINE_ACK, LINE_ALERTS, LINE_STATUS, LINE_LATENCY, LINE_FORGET, LINE_WATCH_ADD, LINE_WATCH_REMOVE, LINE_WATCH_LIST, LINE_PROFILE };

struct line_request {
	enum line_op op;
	char consumer[JOURNAL_CONSUMER_NAME_MAX]; /* "": none */
	struct position since;			  /* subscribe, alerts; POSITION_ACKED: null or absent */
	uint64_t cursor;			  /* ack */
	uint32_t journal;			  /* ack: of which journal */
	unsigned min_grade;			  /* enum alert_grade */
	uint64_t limit;				  /* alerts; 0: none */
	uint8_t address[20];			  /* watch_add, watch_remove */
	char note[RECALL_NOTE_MAX];		  /* watch_add; "": none */
	char text[LINE_BYTES_MAX];		  /* profile */
	size_t text_n;
	bool more;
};

/* line_parse reads one line without its newline. 0, or -EINVAL with *error and *next: what is wrong and what
 * to do. Both of static lifetime and free of characters that JSON would have to escape, except for quotes. */
int line_parse(const char *line, size_t n, struct line_request *out, const char **error, const char **next);

#endif
