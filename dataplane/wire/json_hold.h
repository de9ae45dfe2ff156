/* SPDX-License-Identifier: BSD-3-Clause */
/* json_hold: hex digits into bytes, and where these are held. Shared by the two scanners; nobody else
 * includes this. After each call that may move bytes the owner looks at `lost`. */
#ifndef WIRE_JSON_HOLD_H
#define WIRE_JSON_HOLD_H

#include "wire/hex.h"
#include "wire/json.h"

#define JSON_QUANTITY_MAX 32u

/* hold_string begins a string; in between hold_hex decodes from [p, end) up to the first byte that is no hex
 * digit, hold_char takes one unescaped character (>= 0x80: any that is not ASCII), and hold_spoil gives it
 * up. When h->str_state is not OK there is nothing more to decode. */
static inline void
hold_string(struct json_hold *h)
{
	h->str_state = JSON_HEX_OK;
	h->str_start = h->used;
	h->hex_stage = HEX_START;
	h->half = 0;
}

static inline void
hold_spoil(struct json_hold *h, unsigned state)
{
	h->str_state = (uint8_t)state;
	h->used = h->str_start;
}

static inline uint8_t *
hold_buffer(const struct json_hold *h, const struct jsonrpc_arena *a)
{
	return h->slab ? h->slab : a->scratch + a->scratch_used;
}

static inline uint32_t
hold_room(const struct json_hold *h, const struct jsonrpc_arena *a)
{
	uint32_t cap = h->slab ? h->slab_cap : a->scratch_cap - a->scratch_used;
	if (cap > JSONRPC_RAW_MAX)
		cap = JSONRPC_RAW_MAX;
	return cap - h->used;
}

/* hold_begin does all of it at once for a string at p that is whole, plain and even: then *whole, its bytes
 * are the last *len, and what is returned lies behind the closing quote. Else the string is begun. */
static inline const uint8_t *
hold_begin(struct json_hold *h, struct jsonrpc_arena *a, const uint8_t *p, const uint8_t *end, bool *whole,
	uint32_t *len)
{
	*whole = false;
	if (end - p < 2) {
		hold_string(h);
		return p;
	}
	bool prefix = p[0] == '0' && (p[1] | 0x20) == 'x';
	p += prefix ? 2 : 0;
	size_t n = (size_t)(end - p), space = 2 * (size_t)hold_room(h, a);
	size_t digits = hex_decode(p, n < space ? n : space, hold_buffer(h, a) + h->used);
	p += digits;
	if (digits < n && *p == '"') {
		h->used += (uint32_t)(digits / 2);
		*whole = true;
		*len = (uint32_t)(digits / 2);
		return p + 1;
	}
	hold_string(h);
	h->used += (uint32_t)(digits / 2);
	if (prefix || digits > 0)
		h->hex_stage = HEX_BODY;
	return p;
}

const uint8_t *hold_hex(struct json_hold *h, struct jsonrpc_arena *a, const uint8_t *p, const uint8_t *end);
void hold_char(struct json_hold *h, struct jsonrpc_arena *a, unsigned c);

/* hold_string_end returns the number of bytes of the string; state: h->str_state. odd_max: an odd number of
 * digits, the first of which has a byte of its own then, is good for so many bytes. */
uint32_t hold_string_end(struct json_hold *h, struct jsonrpc_arena *a, uint32_t odd_max);

/* hold_lose: the bytes are gone. hold_check finds out at the beginning of a call whether they are, hold_keep
 * moves them into a slab at its end, hold_release gives the slab back. */
void hold_lose(struct json_hold *h);
void hold_check(struct json_hold *h);
void hold_keep(struct json_hold *h, struct jsonrpc_arena *a);
void hold_release(struct json_hold *h, struct jsonrpc_arena *a);
/* hold_make_room makes room for at least one more byte, `bytes` if they can be had; false: there is none. */
bool hold_make_room(struct json_hold *h, struct jsonrpc_arena *a, size_t bytes);

#endif
