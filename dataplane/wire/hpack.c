/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/hpack.h"

#include <string.h>

#define STATIC_N 61u
#define INDEX_PATH 4u
#define INDEX_PATH_INDEX 5u
#define OVERHEAD 32u /* of an entry: RFC 7541 4.1 */
#define TABLE_DEFAULT 4096u
#define INT_MAX_VALUE (1u << 28)

/* An entry: size 13 bits, length of its name 12 bits, is its name `:path`, enum hpack_path. What does not fit
 * is stored as the largest value, and the table is not `whole` from then on. */
#define SIZE_MAX_STORED 0x1fffu
#define NAME_MAX_STORED 0xfffu

enum op { OP_INDEXED, OP_LITERAL_INDEXED, OP_LITERAL, OP_SIZE };

enum state {
	ST_OP, /* between fields */
	ST_INDEX,
	ST_NAME_LEN, /* first byte of it */
	ST_NAME_LEN_MORE,
	ST_NAME,
	ST_VALUE_LEN,
	ST_VALUE_LEN_MORE,
	ST_VALUE
};

static const uint8_t static_name_len[STATIC_N] = {10, 7, 7, 5, 5, 7, 7, 7, 7, 7, 7, 7, 7, 7, 14, 15, 15, 13,
	6, 27, 3, 5, 13, 13, 19, 16, 16, 14, 16, 13, 12, 6, 4, 4, 6, 7, 4, 4, 8, 17, 13, 8, 19, 13, 4, 8, 12,
	18, 19, 5, 7, 7, 11, 6, 10, 25, 17, 10, 4, 3, 16};

/* The Huffman code of RFC 7541 appendix B is canonical: the number of codes of each length, and the symbols
 * in the order of their codes, say all of it. EOS, the last one, is left out. */
#define CODE_MIN 5u
#define CODE_MAX 30u
static const uint8_t code_count[CODE_MAX - CODE_MIN + 1] = {
	10, 26, 32, 6, 0, 5, 3, 2, 6, 2, 3, 0, 0, 0, 3, 8, 13, 26, 29, 12, 4, 15, 19, 29, 0, 3};
/* clang-format off */
static const uint8_t code_symbol[256] = {
	48, 49, 50, 97, 99, 101, 105, 111, 115, 116, 32, 37, 45, 46, 47, 51, 52, 53, 54, 55,
	56, 57, 61, 65, 95, 98, 100, 102, 103, 104, 108, 109, 110, 112, 114, 117, 58, 66, 67, 68,
	69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 89,
	106, 107, 113, 118, 119, 120, 121, 122, 38, 42, 44, 59, 88, 90, 33, 34, 40, 41, 63, 39,
	43, 124, 35, 62, 0, 36, 64, 91, 93, 126, 94, 125, 60, 96, 123, 92, 195, 208, 128, 130,
	131, 162, 184, 194, 224, 226, 153, 161, 167, 172, 176, 177, 179, 209, 216, 217, 227, 229, 230, 129,
	132, 133, 134, 136, 146, 154, 156, 160, 163, 164, 169, 170, 173, 178, 181, 185, 186, 187, 189, 190,
	196, 198, 228, 232, 233, 1, 135, 137, 138, 139, 140, 141, 143, 147, 149, 150, 151, 152, 155, 157,
	158, 165, 166, 168, 174, 175, 180, 182, 183, 188, 191, 197, 231, 239, 9, 142, 144, 145, 148, 159,
	171, 206, 215, 225, 236, 237, 199, 207, 234, 235, 192, 193, 200, 201, 202, 205, 210, 213, 218, 219,
	238, 240, 242, 243, 255, 203, 204, 211, 212, 214, 221, 222, 223, 241, 244, 245, 246, 247, 248, 250,
	251, 252, 253, 254, 2, 3, 4, 5, 6, 7, 8, 11, 12, 14, 15, 16, 17, 18, 19, 20,
	21, 23, 24, 25, 26, 27, 28, 29, 30, 31, 127, 220, 249, 10, 13, 22,
};
/* clang-format on */

/* ---- the table ---- */

static uint32_t
pack_entry(struct hpack *h, uint32_t size, uint8_t path)
{
	uint32_t name = h->name_len;
	if (size > SIZE_MAX_STORED || name > NAME_MAX_STORED || h->name_unknown) {
		h->whole = false;
		size = size < SIZE_MAX_STORED ? size : SIZE_MAX_STORED;
		name = NAME_MAX_STORED;
	}
	return size << 19 | name << 7 | (uint32_t)h->is_path << 6 | path;
}

/* The i-th newest entry, from 0; i < h->n. */
static uint32_t
entry_at(const struct hpack *h, uint32_t i)
{
	return h->entry[(h->head + HPACK_ENTRIES - 1 - i) % HPACK_ENTRIES];
}

/* An empty table is known. */
static void
clear(struct hpack *h)
{
	h->n = 0;
	h->used = 0;
	h->whole = true;
}

static void
evict(struct hpack *h, uint32_t room)
{
	while (h->whole && h->n > 0 && h->used + room > h->max) {
		h->used -= entry_at(h, h->n - 1u) >> 19;
		h->n--;
	}
}

static void
insert(struct hpack *h, uint8_t path)
{
	uint32_t size = OVERHEAD + h->name_len + h->len;
	if (size > h->max) { /* 4.4: empties the table */
		clear(h);
		return;
	}
	evict(h, size);
	uint32_t e = pack_entry(h, size, path);
	if (h->n == HPACK_ENTRIES)
		h->whole = false;
	else
		h->n++;
	h->entry[h->head] = e;
	h->head = (uint8_t)((h->head + 1u) % HPACK_ENTRIES);
	h->used += e >> 19;
}

/* ---- fields ---- */

static void
found_path(struct hpack *h, uint8_t path)
{
	h->path = h->path == HPACK_PATH_NONE ? path : HPACK_PATH_UNKNOWN;
}

static uint8_t
path_of_text(const struct hpack *h, const struct hpack_paths *paths)
{
	const uint8_t *p = h->text;
	uint32_t n = h->text_n;
	if (h->len > HPACK_TEXT_MAX)
		return HPACK_PATH_OTHER;
	if (n > 0 && *p == '/') {
		p++;
		n--;
	}
	for (unsigned i = 0; i < paths->n; i++) {
		if (strlen(paths->names[i]) == n && memcmp(paths->names[i], p, n) == 0)
			return (uint8_t)(HPACK_PATH_FIRST + i);
	}
	return HPACK_PATH_OTHER;
}

static bool
take_indexed(struct hpack *h, uint32_t index)
{
	if (index == 0)
		return false;
	if (index == INDEX_PATH || index == INDEX_PATH_INDEX)
		found_path(h, HPACK_PATH_OTHER);
	if (index <= STATIC_N)
		return true;
	index -= STATIC_N + 1;
	if (index >= h->n)
		return !h->whole;
	uint32_t e = entry_at(h, index);
	if (e >> 6 & 1)
		found_path(h, e & 0x3f);
	return true;
}

/* A literal's name is an entry's. */
static bool
take_name_index(struct hpack *h, uint32_t index)
{
	h->is_path = index == INDEX_PATH || index == INDEX_PATH_INDEX;
	if (index <= STATIC_N) {
		h->name_len = static_name_len[index - 1];
		return true;
	}
	index -= STATIC_N + 1;
	if (index >= h->n) {
		h->name_len = 0;
		h->name_unknown = true;
		return !h->whole;
	}
	uint32_t e = entry_at(h, index);
	h->is_path = e >> 6 & 1;
	h->name_len = e >> 7 & NAME_MAX_STORED;
	h->name_unknown = h->name_len == NAME_MAX_STORED;
	return true;
}

static void
field_end(struct hpack *h, const struct hpack_paths *paths)
{
	uint8_t path = HPACK_PATH_NONE;
	if (h->is_path) {
		path = path_of_text(h, paths);
		found_path(h, path);
	}
	if (h->op == OP_LITERAL_INDEXED)
		insert(h, path);
	h->state = ST_OP;
}

static bool
index_end(struct hpack *h)
{
	h->state = ST_OP;
	switch (h->op) {
	case OP_INDEXED:
		return take_indexed(h, h->value);
	case OP_SIZE:
		h->max = h->value;
		if (h->max == 0)
			clear(h);
		evict(h, 0);
		return true;
	default:
		h->name_unknown = false;
		h->state = h->value == 0 ? ST_NAME_LEN : ST_VALUE_LEN;
		return h->value == 0 || take_name_index(h, h->value);
	}
}

/* ---- integers and strings ---- */

/* Begins an integer with a prefix; true: it is complete. */
static bool
int_begin(struct hpack *h, uint8_t b, uint8_t mask)
{
	h->value = b & mask;
	h->shift = 0;
	return h->value != mask;
}

/* 1: complete, 0: goes on, -1: too large. */
static int
int_more(struct hpack *h, uint8_t b)
{
	if (h->shift > 28)
		return -1;
	uint64_t v = h->value + ((uint64_t)(b & 0x7f) << h->shift);
	if (v > INT_MAX_VALUE)
		return -1;
	h->value = (uint32_t)v;
	h->shift += 7;
	return b < 0x80;
}

static bool
op_begin(struct hpack *h, uint8_t b)
{
	uint8_t mask;
	if (b & 0x80) {
		h->op = OP_INDEXED;
		mask = 0x7f;
	} else if (b & 0x40) {
		h->op = OP_LITERAL_INDEXED;
		mask = 0x3f;
	} else if (b & 0x20) {
		h->op = OP_SIZE;
		mask = 0x1f;
	} else {
		h->op = OP_LITERAL;
		mask = 0x0f;
	}
	h->state = ST_INDEX;
	return int_begin(h, b, mask) ? index_end(h) : true;
}

static void
put(struct hpack *h, uint8_t c)
{
	if (h->text_n < HPACK_TEXT_MAX)
		h->text[h->text_n++] = c;
	h->len++;
}

/* Takes one symbol off the bits: 1; 0: there are too few; -1: EOS. */
static int
huffman_symbol(struct hpack *h)
{
	uint32_t code = 0, first = 0, index = 0;
	for (unsigned len = 1; len <= h->n_bits; len++) {
		if (len > CODE_MAX)
			return -1;
		code = (uint32_t)(h->bits >> (h->n_bits - len)) & ((1u << len) - 1);
		uint32_t count = len < CODE_MIN ? 0 : code_count[len - CODE_MIN];
		if (code - first < count) {
			put(h, code_symbol[index + code - first]);
			h->n_bits = (uint8_t)(h->n_bits - len);
			return 1;
		}
		index += count;
		first = (first + count) << 1;
	}
	return h->n_bits >= CODE_MAX ? -1 : 0;
}

static bool
huffman_byte(struct hpack *h, uint8_t b)
{
	int got;
	h->bits = h->bits << 8 | b;
	h->n_bits += 8;
	do
		got = huffman_symbol(h);
	while (got > 0 && h->n_bits >= CODE_MIN);
	return got >= 0;
}

/* What is left over must be a part of EOS shorter than a byte. */
static bool
huffman_end(const struct hpack *h)
{
	uint64_t mask = (1u << (h->n_bits & 7)) - 1;
	return h->n_bits < 8 && (h->bits & mask) == mask;
}

static bool
string_end(struct hpack *h, const struct hpack_paths *paths)
{
	if (h->huffman && !huffman_end(h))
		return false;
	if (h->state == ST_VALUE) {
		field_end(h, paths);
		return true;
	}
	h->name_len = h->len;
	h->is_path = h->len == 5 && memcmp(h->text, ":path", 5) == 0;
	h->state = ST_VALUE_LEN;
	return true;
}

static bool
string_begin(struct hpack *h, const struct hpack_paths *paths)
{
	h->state++;
	h->left = h->value;
	h->len = 0;
	h->text_n = 0;
	h->bits = 0;
	h->n_bits = 0;
	return h->left > 0 || string_end(h, paths);
}

static bool
len_begin(struct hpack *h, const struct hpack_paths *paths, uint8_t b)
{
	h->huffman = b & 0x80;
	h->state++;
	return int_begin(h, b, 0x7f) ? string_begin(h, paths) : true;
}

/* Some bytes of a string; 0: it is none. */
static uint32_t
string_bytes(struct hpack *h, const struct hpack_paths *paths, const uint8_t *p, uint32_t n)
{
	n = n < h->left ? n : h->left;
	if (h->huffman) {
		for (uint32_t i = 0; i < n; i++) {
			if (!huffman_byte(h, p[i]))
				return 0;
		}
	} else {
		uint32_t room = HPACK_TEXT_MAX - h->text_n, k = n < room ? n : room;
		memcpy(h->text + h->text_n, p, k);
		h->text_n = (uint8_t)(h->text_n + k);
		h->len += n;
	}
	h->left -= n;
	return h->left > 0 || string_end(h, paths) ? n : 0;
}

/* ---- the block ---- */

void
hpack_lose(struct hpack *h)
{
	h->n = 0;
	h->used = 0;
	h->max = UINT32_MAX;
	h->whole = false;
	h->state = ST_OP;
	h->path = HPACK_PATH_NONE;
}

void
hpack_init(struct hpack *h, bool midstream)
{
	*h = (struct hpack){.max = TABLE_DEFAULT, .whole = true};
	if (midstream)
		hpack_lose(h);
}

void
hpack_begin(struct hpack *h)
{
	h->state = ST_OP;
	h->path = HPACK_PATH_NONE;
}

bool
hpack_feed(struct hpack *h, const struct hpack_paths *paths, const uint8_t *p, uint32_t n)
{
	for (uint32_t at = 0; at < n;) {
		uint32_t took = 1;
		int whole = 0;
		switch (h->state) {
		case ST_OP:
			if (!op_begin(h, p[at]))
				return false;
			break;
		case ST_NAME_LEN:
		case ST_VALUE_LEN:
			if (!len_begin(h, paths, p[at]))
				return false;
			break;
		case ST_NAME:
		case ST_VALUE:
			took = string_bytes(h, paths, p + at, n - at);
			if (took == 0)
				return false;
			break;
		default: /* ST_INDEX, ST_NAME_LEN_MORE, ST_VALUE_LEN_MORE */
			whole = int_more(h, p[at]);
			if (whole < 0)
				return false;
			if (whole && !(h->state == ST_INDEX ? index_end(h) : string_begin(h, paths)))
				return false;
		}
		at += took;
	}
	return true;
}

bool
hpack_end(struct hpack *h, uint8_t *path)
{
	*path = h->path;
	return h->state == ST_OP;
}
