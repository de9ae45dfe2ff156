/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/json_hold.h"

#include <string.h>

void
hold_lose(struct json_hold *h)
{
	h->lost = true;
	if (h->str_state == JSON_HEX_OK && h->used > h->str_start)
		h->str_state = JSON_HEX_NO_BUFFER;
	h->used = h->str_start = 0;
}

void
hold_check(struct json_hold *h)
{
	if (h->used > 0 && h->slab == NULL)
		hold_lose(h);
}

void
hold_release(struct json_hold *h, struct jsonrpc_arena *a)
{
	if (h->slab != NULL)
		a->slab_put(a->ctx, h->slab);
	h->slab = NULL;
}

/* move_to_slab makes the buffer at least `bytes` long. Returns -1 if no slab is to be had; the bytes stay
 * where they are. */
static int
move_to_slab(struct json_hold *h, struct jsonrpc_arena *a, uint32_t bytes)
{
	uint8_t *old = h->slab, *from = old ? old : a->scratch + a->scratch_used;
	uint32_t cap;
	uint8_t *slab = a->slab_get(a->ctx, bytes, &cap, &h->slab);
	bool stolen = old != NULL && h->slab == NULL; /* perhaps by this very call, to give it to us again */
	if (slab == NULL) {
		if (stolen)
			hold_lose(h);
		return -1;
	}
	if (stolen) {
		hold_lose(h);
	} else {
		memcpy(slab, from, h->used);
		if (old != NULL)
			a->slab_put(a->ctx, old);
	}
	h->slab = slab;
	h->slab_cap = cap;
	return 0;
}

void
hold_keep(struct json_hold *h, struct jsonrpc_arena *a)
{
	if (h->used == 0)
		hold_release(h, a);
	else if (h->slab == NULL && move_to_slab(h, a, h->used) != 0)
		hold_lose(h);
}

bool
hold_make_room(struct json_hold *h, struct jsonrpc_arena *a, size_t bytes)
{
	if (h->used == JSONRPC_RAW_MAX) {
		hold_spoil(h, JSON_HEX_OVERSIZE);
		return false;
	}
	uint64_t want = h->used + bytes;
	if (want < 2 * (uint64_t)h->used)
		want = 2 * (uint64_t)h->used;
	if (want > JSONRPC_RAW_MAX)
		want = JSONRPC_RAW_MAX;
	if (move_to_slab(h, a, (uint32_t)want) == 0)
		return h->str_state == JSON_HEX_OK;
	if (h->str_state == JSON_HEX_OK)
		hold_spoil(h, JSON_HEX_NO_BUFFER);
	return false;
}

/* hex_digit takes one digit; room for its byte has been made. */
static void
hex_digit(struct json_hold *h, struct jsonrpc_arena *a, unsigned value)
{
	if (!h->half) {
		h->half = (uint8_t)(0x10 | value);
		return;
	}
	hold_buffer(h, a)[h->used++] = (uint8_t)(h->half << 4 | value);
	h->half = 0;
}

void
hold_char(struct json_hold *h, struct jsonrpc_arena *a, unsigned c)
{
	if (h->hex_stage == HEX_START && c == '0') {
		h->hex_stage = HEX_ZERO;
		return;
	}
	if (h->hex_stage == HEX_ZERO) {
		h->hex_stage = HEX_BODY;
		if (c == 'x' || c == 'X')
			return;
		h->half = 0x10;
	}
	h->hex_stage = HEX_BODY;
	unsigned v = c < 0x80 ? hex_value[c] : 0xff;
	if (v > 15)
		hold_spoil(h, JSON_HEX_BAD);
	else if (hold_room(h, a) > 0 || hold_make_room(h, a, 2))
		hex_digit(h, a, v);
}

const uint8_t *
hold_hex(struct json_hold *h, struct jsonrpc_arena *a, const uint8_t *p, const uint8_t *end)
{
	while (p < end) {
		uint32_t space = hold_room(h, a);
		if (h->hex_stage == HEX_BODY && !h->half && space > 0) {
			size_t n = (size_t)(end - p);
			if (n > 2 * (size_t)space)
				n = 2 * (size_t)space;
			size_t digits = hex_decode(p, n, hold_buffer(h, a) + h->used);
			p += digits;
			h->used += (uint32_t)(digits / 2);
			if (p == end)
				break;
		}
		if (hex_value[*p] > 15 && !(h->hex_stage == HEX_ZERO && (*p | 0x20) == 'x'))
			break;
		hold_char(h, a, *p++);
		if (h->str_state != JSON_HEX_OK)
			break;
	}
	return p;
}

/* The string's digits were odd: all of them move half a byte up the number. */
static void
shift_digits(struct json_hold *h, struct jsonrpc_arena *a)
{
	uint8_t *p = hold_buffer(h, a) + h->str_start;
	uint32_t n = h->used - h->str_start;
	unsigned carry = 0;
	for (uint32_t i = 0; i < n; i++) {
		unsigned byte = p[i];
		p[i] = (uint8_t)(carry << 4 | byte >> 4);
		carry = byte & 15;
	}
	p[n] = (uint8_t)(carry << 4 | (h->half & 15u));
	h->used++;
	h->half = 0;
}

uint32_t
hold_string_end(struct json_hold *h, struct jsonrpc_arena *a, uint32_t odd_max)
{
	if (h->str_state == JSON_HEX_OK && h->hex_stage == HEX_ZERO && odd_max > 0) {
		h->half = 0x10;
		h->hex_stage = HEX_BODY;
	}
	if (h->str_state == JSON_HEX_OK && h->hex_stage == HEX_ZERO)
		hold_spoil(h, JSON_HEX_BAD);
	if (h->str_state == JSON_HEX_OK && h->half) {
		if (h->used - h->str_start >= odd_max)
			hold_spoil(h, JSON_HEX_BAD);
		else if (hold_room(h, a) > 0 || hold_make_room(h, a, 1))
			shift_digits(h, a);
	}
	return h->used - h->str_start;
}

void
json_id_more(struct json_id *id, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		id->text = (id->text ^ p[i]) * 0x9e3779b97f4a7c15;
		id->text ^= id->text >> 29;
		if (id->len < 255)
			id->len++;
	}
}
