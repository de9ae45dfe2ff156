/* SPDX-License-Identifier: BSD-3-Clause */
#include "rules/text.h"

#include <ctype.h>
#include <nettle/sha3.h>
#include <string.h>

/* The length of the character at s, 0 if it is not one of UTF-8; its code point in *c. */
static unsigned
character(const unsigned char *s, uint32_t *c)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned n = s[0] < 0x80 ? 1 : s[0] >> 5 == 6 ? 2 : s[0] >> 4 == 14 ? 3 : s[0] >> 3 == 30 ? 4 : 0;
	if (n == 0)
		return 0;
	*c = n == 1 ? s[0] : s[0] & (0x7fu >> n);
	for (unsigned i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80) /* the NUL too */
			return 0;
		*c = *c << 6 | (s[i] & 0x3f);
	}
	return *c < least[n] || *c > 0x10ffff || *c >> 11 == 0x1b ? 0 : n;
}

static bool
harmless(uint32_t c)
{
	return c >= 0x20 && (c < 0x7f || c > 0x9f) && c != 0x61c && c != 0x200e && c != 0x200f &&
	       (c < 0x2028 || c > 0x202e) && (c < 0x2066 || c > 0x2069) && c != 0xfeff;
}

static bool
walk(const char *s, char *fix)
{
	bool tame = true;
	for (size_t i = 0; s[i] != 0;) {
		uint32_t c;
		unsigned n = character((const unsigned char *)s + i, &c);
		if (n == 0 || !harmless(c)) {
			tame = false;
			n = n ? n : 1;
			if (fix != NULL)
				memset(fix + i, '?', n);
		}
		i += n;
	}
	return tame;
}

bool
text_tame(char *s)
{
	return walk(s, s);
}

bool
text_is_tame(const char *s)
{
	return walk(s, NULL);
}

/* Keccak-256 of 40 bytes, less than one block: padded with 1, not as SHA-3 is. */
static void
keccak_of_40(const char text[40], uint8_t out[32])
{
	struct sha3_state state;
	uint8_t block[136] = {0};
	memset(&state, 0, sizeof state);
	memcpy(block, text, 40);
	block[40] = 0x01;
	block[135] = 0x80;
	for (unsigned i = 0; i < sizeof block; i++)
		state.a[i / 8] |= (uint64_t)block[i] << (i % 8 * 8);
	sha3_permute(&state);
	for (unsigned i = 0; i < 32; i++)
		out[i] = (uint8_t)(state.a[i / 8] >> (i % 8 * 8));
}

bool
address_checksum_ok(const char digits[40])
{
	char lower[40];
	uint8_t hash[32];
	bool has_lower = false, has_upper = false;
	for (int i = 0; i < 40; i++) {
		has_lower |= digits[i] >= 'a';
		has_upper |= digits[i] >= 'A' && digits[i] <= 'F';
		lower[i] = (char)tolower((unsigned char)digits[i]);
	}
	if (!has_lower || !has_upper)
		return true;
	keccak_of_40(lower, hash);
	for (int i = 0; i < 40; i++) {
		unsigned nibble = hash[i / 2] >> (i % 2 ? 0 : 4) & 15;
		if (lower[i] >= 'a' && (nibble >= 8) != (digits[i] <= 'F'))
			return false;
	}
	return true;
}
