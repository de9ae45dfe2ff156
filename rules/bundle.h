/* SPDX-License-Identifier: BSD-3-Clause */
/* bundle: what sentinel-rulec makes of a rule set, and what the dataplane and control read. One run of bytes:
 * a header, then sections in the order of BUNDLE_SECTIONS, each at a multiple of 8, zeros between. Integers
 * are little-endian, all references are indices or offsets, never pointers. The same rule set and generation
 * give the same bytes on every machine: no times, no paths, a generic Hyperscan platform.
 *
 * How matching works on it. A VALUE is one byte string that an author wrote, bound to a field. A GROUP is a
 * set of values of one field: what a pattern of a rule names; equal sets are stored once and shared by rules.
 * A rule's patterns are its SLOTs. Values of exact places (to, selector, arg, access_list, authorization) are
 * looked up whole. Values that may lie anywhere become LITERALs (a PUSH selector has several); of each
 * literal at most 8 bytes, its WINDOW, go to Hyperscan, whose expression id is the window's index, and a
 * match of the window is confirmed over the whole literal. */
#ifndef RULES_BUNDLE_H
#define RULES_BUNDLE_H

#include "abi/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "bundles are read in place");

#define BUNDLE_MAGIC "SNTLRULE"
#define BUNDLE_VERSION 1u
#define BUNDLE_LEN_MAX (1u << 30)

#define RULES_MAX 65536u
#define RULE_PATTERNS_MAX 256u
#define PATTERN_VALUES_MAX 4096u
#define PROGRAM_OPS_MAX 1024u /* of the condition; exceptions add at most RULE_PATTERNS_MAX + 3 */
#define PROGRAM_LEN_MAX (PROGRAM_OPS_MAX + RULE_PATTERNS_MAX + 3)
#define PROGRAM_STACK_MAX 512u
#define CONDITION_DEPTH_MAX 32u
#define LITERAL_LEN_MIN 3u
#define LITERAL_LEN_MAX 1024u
#define WINDOW_LEN_MAX 8u

/* clang-format off */
/* Fields of a transaction. _(ID, "name in YAML", least bytes, most bytes of a value) */
#define RULE_FIELDS(_) \
	_(TO, "to", 20, 20) \
	_(SELECTOR, "selector", 4, 4) \
	_(INPUT, "input", LITERAL_LEN_MIN, LITERAL_LEN_MAX) \
	_(ARG, "arg", 20, 32) \
	_(INIT_CODE, "init_code", LITERAL_LEN_MIN, LITERAL_LEN_MAX) \
	_(PUSH_SELECTOR, "push_selector", 4, 4) \
	_(PUSH_ADDRESS, "push_address", 20, 20) \
	_(ACCESS_LIST, "access_list", 20, 20) \
	_(AUTHORIZATION, "authorization", 20, 20)
enum rule_field {
	FIELD_NONE,
#define _(id, name, least, most) FIELD_##id,
	RULE_FIELDS(_)
#undef _
	FIELD_COUNT
};

/* Numbers of a transaction that conditions compare. fee_cap and tip_cap are gasPrice for types 0 and 1.
 * chain_id is 0 if the transaction has none. _(ID, "name in YAML") */
#define RULE_SCALARS(_) \
	_(VALUE, "value") _(GAS, "gas") _(NONCE, "nonce") _(TYPE, "type") _(CHAIN_ID, "chain_id") \
	_(FEE_CAP, "fee_cap") _(TIP_CAP, "tip_cap") _(DATA_LEN, "data_len") _(ACCESS_ENTRIES, "access_entries") \
	_(AUTHORIZATIONS, "authorizations") _(BLOBS, "blobs") _(BUNDLE_LEN, "bundle_len")
enum rule_scalar {
#define _(id, name) SCALAR_##id,
	RULE_SCALARS(_)
#undef _
	SCALAR_COUNT
};

/* clang-format on */
enum rule_compare { COMPARE_EQ, COMPARE_NE, COMPARE_LT, COMPARE_LE, COMPARE_GT, COMPARE_GE, COMPARE_COUNT };
enum rule_status { STATUS_STABLE = 1, STATUS_EXPERIMENTAL = 2, STATUS_MAX = 2 };

/* A condition is a postfix program over a stack of booleans; it ends with exactly one. */
enum bundle_opcode {
	OP_COUNT = 1, /* push: at least n (1..) values of slot a matched */
	OP_COMPARE,   /* push: scalar a, comparison b, 256-bit constant n */
	OP_CREATION,  /* push: no recipient */
	OP_BUNDLE,    /* push: part of a bundle */
	OP_NOT,	      /* pop 1, push */
	OP_AND,	      /* pop 2, push */
	OP_OR,	      /* pop 2, push */
	OP_OF,	      /* pop a (1..), push: at least n (1..a) of them hold */
	OP_MAX = OP_OF
};

struct bundle_op {
	uint8_t code;
	uint8_t b;
	uint16_t a;
	uint32_t n;
};

enum { SLOT_PROTOCOL = 1, SLOT_EXCEPTION = 2, SLOT_FLAGS = 3 };

struct bundle_rule { /* ascending by id; slots and ops of the rules follow each other without a gap */
	uint32_t id, rev;
	uint32_t pack, name, description; /* TEXT */
	uint32_t first_slot, n_slots;
	uint32_t first_op, n_ops;
	uint8_t class_, severity, grade, status; /* abi/alert.h; enum rule_status */
};

struct bundle_slot {
	uint32_t group;
	uint32_t name; /* TEXT */
	uint32_t flags;
};

struct bundle_group { /* group values of the groups follow each other without a gap, ascending within one */
	uint32_t first_value, n_values; /* GROUP_VALUE */
	uint32_t field;
};

struct bundle_value {
	uint32_t at; /* BYTES */
	uint16_t len;
	uint16_t field;
};

enum bundle_db { DB_OF_CALLS = 0, DB_OF_CREATIONS = 1, DB_COUNT = 2 };

struct bundle_window { /* literals of the windows follow each other without a gap; ascending by db */
	uint32_t first_literal, n_literals;
	uint32_t db;
	uint32_t len;
};

struct bundle_literal { /* values of the literals follow each other without a gap */
	uint32_t at;	/* BYTES */
	uint32_t len;
	uint32_t window_at;		/* where in the literal the window begins */
	uint32_t first_value, n_values; /* LITERAL_VALUE */
};

struct bundle_vector {
	uint32_t rule;
	uint32_t expect;  /* 1: the rule must match, 0: it must not */
	uint32_t at, len; /* TEXT: one JSON line */
};

struct bundle_const {
	uint8_t be[32];
};

/* clang-format off */
/* _(ID, type of an element). Elements of a section are indexed from 0. */
#define BUNDLE_SECTIONS(_) \
	_(RULE, struct bundle_rule) \
	_(SLOT, struct bundle_slot) \
	_(GROUP, struct bundle_group) \
	_(GROUP_VALUE, uint32_t) \
	_(VALUE, struct bundle_value) \
	_(WINDOW, struct bundle_window) \
	_(LITERAL, struct bundle_literal) \
	_(LITERAL_VALUE, uint32_t) \
	_(OP, struct bundle_op) \
	_(CONST, struct bundle_const) \
	_(VECTOR, struct bundle_vector) \
	_(BYTES, uint8_t) \
	_(TEXT, char) \
	_(DB_CALLS, uint8_t) \
	_(DB_CREATIONS, uint8_t)
enum bundle_section_id {
#define _(id, type) SECTION_##id,
	BUNDLE_SECTIONS(_)
#undef _
	SECTION_COUNT
};

/* clang-format on */
struct bundle_section {
	uint32_t at; /* from the first byte of the bundle */
	uint32_t n;  /* elements */
};

#define BUNDLE_PLATFORM_LEN 64

struct bundle_header {
	char magic[8];
	uint32_t version;
	uint32_t header_len;
	uint64_t total_len;
	uint64_t generation;		    /* from 1 */
	uint8_t digest[32];		    /* SHA-256 of the whole with this field zero */
	char platform[BUNDLE_PLATFORM_LEN]; /* of the databases, NUL-padded; empty: none */
	struct bundle_section section[SECTION_COUNT];
};
_Static_assert(offsetof(struct bundle_header, digest) == 32, "bundle format");
_Static_assert(offsetof(struct bundle_header, section) == 128, "bundle format");
_Static_assert(sizeof(struct bundle_header) == 128 + 8 * SECTION_COUNT, "bundle format");
_Static_assert(sizeof(struct bundle_rule) == 40 && sizeof(struct bundle_slot) == 12, "bundle format");
_Static_assert(sizeof(struct bundle_group) == 12 && sizeof(struct bundle_value) == 8, "bundle format");
_Static_assert(sizeof(struct bundle_window) == 16 && sizeof(struct bundle_literal) == 20, "bundle format");
_Static_assert(sizeof(struct bundle_op) == 8 && sizeof(struct bundle_vector) == 16, "bundle format");

/* struct bundle: a checked view of bytes that must outlive it. Alignment of the bytes does not matter. */
struct bundle {
	struct span bytes;
	struct bundle_header h;
};

/* bundle_open checks everything but the insides of the databases: digest, layout, every index, length, enum
 * and program. Returns true, or false with one line in err: then nothing in *b may be used. No allocation.
 * Hostile bytes are fine, as long as they do not change while it looks. */
bool bundle_open(struct bundle *b, struct span bytes, char *err, size_t err_cap);

/* bundle_digest: SHA-256 of the bytes with the digest field as zeros. bytes.len >= sizeof(struct
 * bundle_header). */
void bundle_digest(struct span bytes, uint8_t out[32]);

/* bundle_count, bundle_get_ID(b, i): element i < bundle_count of a section, by value. */
static inline uint32_t
bundle_count(const struct bundle *b, enum bundle_section_id id)
{
	return b->h.section[id].n;
}

#define _(id, type)                                                                                      \
	static inline type bundle_get_##id(const struct bundle *b, uint32_t i)                           \
	{                                                                                                \
		type v;                                                                                  \
		memcpy(&v, b->bytes.p + b->h.section[SECTION_##id].at + (size_t)i * sizeof v, sizeof v); \
		return v;                                                                                \
	}
BUNDLE_SECTIONS(_)
#undef _

/* bundle_text: the NUL-terminated string at an offset of TEXT. bundle_bytes: bytes at an offset of BYTES. */
const char *bundle_text(const struct bundle *b, uint32_t at);
const uint8_t *bundle_bytes(const struct bundle *b, uint32_t at);
/* bundle_db: the serialised database, length 0 if there is none. */
struct span bundle_db(const struct bundle *b, enum bundle_db which);

/* bundle_program_check: NULL if the program is sound against these counts, else what is wrong with it. */
const char *bundle_program_check(
	const struct bundle_op *ops, uint32_t n, uint32_t n_slots, uint32_t n_consts);

/* bundle_program_cover: finds slots of which at least one must have a match for the program to hold, the
 * cheapest by `cost`, and sets their bytes in covered[n_slots]. Returns 1, or 0 if the program can hold
 * without any match: then it has to be evaluated for every transaction, or -ENOMEM. The program must have
 * passed bundle_program_check. */
int bundle_program_cover(
	const struct bundle_op *ops, uint32_t n, const uint32_t *cost, uint32_t n_slots, uint8_t *covered);

/* rule_field_name and so on: the names of YAML and of every tool; NULL if out of range. */
const char *rule_field_name(unsigned field);
const char *rule_status_name(unsigned status);
/* rule_field_db: which database its values are looked for in, or -1 if they are looked up whole. */
int rule_field_db(unsigned field);

#endif
