/* SPDX-License-Identifier: BSD-3-Clause */
/* json: what the two JSON scanners (jsonrpc: requests; answer: what nodes send) have in common: limits, the
 * arena that decoded bytes are written to, the state of the tokeniser (json_scan.h) and of the bytes held
 * (json_hold.c), and ids. */
#ifndef WIRE_JSON_H
#define WIRE_JSON_H

#include "abi/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSONRPC_DEPTH_MAX 10000u   /* containers; deeper bodies are refused, as Go's scanner does */
#define JSONRPC_DEPTH_EXACT 1024u  /* deeper ones are not told apart: there, {] and ["a":1] pass */
#define JSONRPC_RAW_MAX (2621440u) /* decoded bytes held at a time: half of geth's 5 MiB body */
#define JSON_TEXT_MAX 40u	   /* longer keys and names are none that we know */

enum jsonrpc_status { JSONRPC_MORE, JSONRPC_DONE, JSONRPC_MALFORMED, JSONRPC_TOO_DEEP };

/* Where decoded bytes live. One per worker; shared by all its scanners. */
struct jsonrpc_arena {
	uint8_t *scratch;
	uint32_t scratch_used, scratch_cap; /* the owner resets used = 0 when no item is in use any more */
	void *ctx;
	/* slab_get returns at least `bytes` (1..JSONRPC_RAW_MAX) and stores the capacity, or NULL (the items
	 * held become NO_BUFFER). The owner may take a slab back between two calls into the scanner, and
	 * within slab_get, by storing NULL through `holder`; its items become NO_BUFFER and the scan goes on.
	 */
	uint8_t *(*slab_get)(void *ctx, uint32_t bytes, uint32_t *cap, uint8_t **holder);
	void (*slab_put)(void *ctx, uint8_t *slab); /* does not write through holder */
	const struct jsonrpc_watch *watch; /* of jsonrpc: whole requests and blocks; NULL: nobody asks */
};

/* json_id: the `id` of a request or an answer, or the name of a subscription, in a form that does not depend
 * on how it was escaped: ids are the same if all three members are. Two different ones may only be taken for
 * the same when they are longer than 8 bytes and somebody made them so: who chooses ids speaks on that
 * connection, and harms its own. */
enum json_id_kind { JSON_ID_NONE, JSON_ID_NULL, JSON_ID_NUMBER, JSON_ID_STRING, JSON_ID_OTHER };
struct json_id {
	uint64_t text; /* its bytes, little-endian (a number as it is written, a string unescaped) if at most
			  8; else a hash */
	uint8_t kind;  /* enum json_id_kind */
	uint8_t len;   /* of the text; 255: that or more */
};

static inline bool
json_id_same(struct json_id a, struct json_id b)
{
	return a.text == b.text && a.kind == b.kind && a.len == b.len;
}

/* json_id_bytes appends to an id whose kind is set and whose other members began as 0. */
void json_id_more(struct json_id *id, const uint8_t *p, size_t n);
static inline void
json_id_bytes(struct json_id *id, const uint8_t *p, size_t n)
{
	uint64_t text = id->text;
	unsigned len = id->len;
	for (; n > 0 && len < 8; p++, n--)
		text |= (uint64_t)*p << (8 * len++);
	id->text = text;
	id->len = (uint8_t)len;
	if (n > 0)
		json_id_more(id, p, n);
}

/* State of the tokeniser; the names are explained in json_scan.h. */
struct json_lex {
	uint16_t depth; /* open containers */
	uint16_t unit;	/* \u escape, or letters read of a literal */
	uint16_t high;	/* a surrogate that waits for its other half */
	uint8_t state;
	uint8_t mode;	  /* what the current string is read for */
	uint8_t sub;	  /* inside a number, literal or \u escape */
	uint8_t text_len; /* of the current key or name */
	uint8_t utf8;	  /* first bytes of a folding letter */
	bool stream;	  /* values follow each other without end */
	bool folded;	  /* a letter of the current key is one beyond ASCII */
	uint8_t text[JSON_TEXT_MAX];
	uint8_t is_object[JSONRPC_DEPTH_EXACT / 8]; /* a bit for each open container */
};

/* What became of a string of hex digits. */
enum json_hex_state { JSON_HEX_OK = 0, JSON_HEX_BAD = 1, JSON_HEX_OVERSIZE = 2, JSON_HEX_NO_BUFFER = 5 };
enum json_hex_stage {
	HEX_START,
	HEX_ZERO,
	HEX_BODY
}; /* nothing read; a 0 that may begin 0x; past the prefix */

/* Decoded bytes of what is being read, in the slab or else in scratch. The struct may not move while it holds
 * a slab. */
struct json_hold {
	uint8_t *slab; /* NULL: nothing carried over */
	uint32_t slab_cap;
	uint32_t used;
	uint32_t str_start; /* `used` where the current string began */
	bool lost;	    /* the bytes are gone: the owner sees to its records, then clears this */
	uint8_t str_state, hex_stage, half;
};

#endif
