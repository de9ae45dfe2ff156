/* SPDX-License-Identifier: BSD-3-Clause */
/* The answer that nodes send most, whole and as every one of them writes it: told without the scanner, in a tenth of its time. Anything that
 * differs by a byte is the scanner's. */
#include "wire/answer_private.h"

#include <string.h>

#define HASH_DIGITS 64u
#define ID_DIGITS_MAX 18u

static const uint8_t before_id[] = "{\"jsonrpc\":\"2.0\",\"id\":", before_hash[] = ",\"result\":\"0x";
#define BEFORE_ID (sizeof before_id - 1)
#define BEFORE_HASH (sizeof before_hash - 1)

bool
answer_plain(struct span piece, struct json_id *id, uint8_t hash[32])
{
	if (piece.len < BEFORE_ID + 1 + BEFORE_HASH + HASH_DIGITS + 2 || memcmp(piece.p, before_id, BEFORE_ID) != 0)
		return false;
	const uint8_t *p = piece.p + BEFORE_ID, *end = piece.p + piece.len, *number = p;
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	size_t digits = (size_t)(p - number);
	if (digits == 0 || digits > ID_DIGITS_MAX || (number[0] == '0' && digits > 1))
		return false;
	if ((size_t)(end - p) < BEFORE_HASH + HASH_DIGITS + 2 || memcmp(p, before_hash, BEFORE_HASH) != 0)
		return false;
	p += BEFORE_HASH;
	if (hex_decode(p, HASH_DIGITS, hash) != HASH_DIGITS || p[HASH_DIGITS] != '"' || p[HASH_DIGITS + 1] != '}')
		return false;
	*id = (struct json_id){.kind = JSON_ID_NUMBER};
	json_id_bytes(id, number, digits);
	return true;
}
