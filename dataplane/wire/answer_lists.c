/* SPDX-License-Identifier: BSD-3-Clause */
/* Access lists, authorization lists and blob hashes: into the forms that wire/answer_tx.h describes, as they
 * are read. */
#include "wire/answer_private.h"

#include <string.h>

void
answer_list_open(struct answer *j)
{
	j->list_state = JSONRPC_OK;
	j->list_at = j->entry_at = j->h.used;
}

void
answer_list_bad(struct answer *j, unsigned state)
{
	if (j->list_state == JSONRPC_OK)
		j->list_state = (uint8_t)state;
	j->h.used = j->list_at;
}

void
answer_list_close(struct answer *j, enum answer_member m)
{
	answer_record(j, m, j->list_state, j->h.used - j->list_at);
}

void
answer_entry_open(struct scan *s, uint32_t bytes)
{
	struct answer *j = s->j;
	struct json_hold *h = &j->h;
	if (j->list_state != JSONRPC_OK)
		return;
	hold_string(h);
	if (hold_room(h, s->a) < bytes && !hold_make_room(h, s->a, bytes)) {
		answer_lost(j);
		answer_list_bad(j, h->str_state);
		return;
	}
	answer_lost(j);
	if (j->list_state != JSONRPC_OK)
		return;
	if (hold_room(h, s->a) < bytes) {
		answer_list_bad(j, JSONRPC_OVERSIZE);
		return;
	}
	j->entry_at = h->used;
	memset(hold_buffer(h, s->a) + h->used, 0, bytes);
	h->used += bytes;
}

/* The address of an entry was given: bit 31 of its count says so until it ends. */
#define HAS_ADDRESS 0x80000000u

static uint32_t
count_of(const uint8_t *entry)
{
	uint32_t n;
	memcpy(&n, entry + 20, 4);
	return n;
}

static void
set_count(uint8_t *entry, uint32_t n)
{
	memcpy(entry + 20, &n, 4);
}

void
answer_keys_open(struct answer *j)
{
	if (j->list_state == JSONRPC_OK)
		j->h.used = j->entry_at + ANSWER_ENTRY;
}

void
answer_entry_close(struct scan *s, enum ctx ctx)
{
	struct answer *j = s->j;
	uint8_t *entry = hold_buffer(&j->h, s->a) + j->entry_at;
	if (j->list_state != JSONRPC_OK)
		return;
	if (ctx == CTX_AUTH) {
		if (entry[SLOT_ADDRESS * ANSWER_SLOT] != 20)
			answer_list_bad(j, JSONRPC_BAD_HEX);
		return;
	}
	if (!(count_of(entry) & HAS_ADDRESS)) {
		answer_list_bad(j, JSONRPC_BAD_HEX);
		return;
	}
	set_count(entry, (j->h.used - j->entry_at - ANSWER_ENTRY) / 32);
}

void
answer_list_string(struct scan *s, unsigned pos, unsigned state, uint32_t len)
{
	struct answer *j = s->j;
	unsigned slot = pos - POS_SLOT;
	bool in_slot = slot < ANSWER_SLOTS;
	uint32_t want = pos == POS_ADDRESS || (in_slot && slot == SLOT_ADDRESS) ? 20 : 32;
	if (j->list_state != JSONRPC_OK) {
		j->h.used = j->list_at;
		return;
	}
	if (state != JSON_HEX_OK || (in_slot && slot != SLOT_ADDRESS ? len > want : len != want)) {
		answer_list_bad(j, state != JSON_HEX_OK ? state : JSONRPC_BAD_HEX);
		return;
	}
	uint8_t *entry = hold_buffer(&j->h, s->a) + j->entry_at;
	const uint8_t *bytes = hold_buffer(&j->h, s->a) + j->h.used - len;
	if (pos == POS_ADDRESS) {
		memcpy(entry, bytes, 20);
		set_count(entry, HAS_ADDRESS);
	} else if (in_slot) {
		entry[slot * ANSWER_SLOT] = (uint8_t)len;
		memcpy(entry + slot * ANSWER_SLOT + 1, bytes, len);
	} else {
		return; /* keys and blob hashes stay where they are */
	}
	j->h.used -= len;
}
