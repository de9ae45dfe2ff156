/* SPDX-License-Identifier: BSD-3-Clause */
/* position: how a consumer names a place in the journal, in text.
 *
 *   "now" | "start"
 *   "<journal: 8 hex>.<n: decimal>"
 *       a cursor: n is the place of an event in the journal, from 1 without holes; the journal's own name
 *       tells a cursor of another journal
 *   "<epoch: 16 hex>-<ring>-<seq>[-loss|-vetted|-notice]"
 *       a CloudEvents id, as event_alert, event_loss and event_silence write it */
#ifndef CONTROL_POSITION_H
#define CONTROL_POSITION_H

#include <stdbool.h>
#include <stdint.h>

#define POSITION_TEXT_MAX 80 /* with the terminating zero */

enum position_kind { POSITION_ACKED, POSITION_NOW, POSITION_START, POSITION_CURSOR, POSITION_ID };

struct position {
	enum position_kind kind;
	uint32_t journal; /* CURSOR */
	uint64_t cursor;
	uint8_t epoch[8]; /* ID */
	uint32_t ring;
	uint64_t seq;
	bool loss, vetted;
};

/* position_parse reads text (never POSITION_ACKED). 0, or -EINVAL: none of the forms above; integers without
 * sign or leading zeros, n and seq from 1 (n from 0) below 2^63. */
int position_parse(const char *text, struct position *p);

/* position_cursor writes a cursor; out >= POSITION_TEXT_MAX bytes. */
void position_cursor(uint32_t journal, uint64_t n, char *out);

#endif
