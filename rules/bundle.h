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
#define BUNDLE_VERSION 2u
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
#define MODEL_WEIGHTS 65536u /* features of the learned score */
#define MODEL_SCORE_MAX 1000u
#define TEMPLATES_MAX (1u << 18)

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

/* What a rule is asked about. Transactions are matched against patterns; what the others are, a worker or the correlator has
 * found out, and their rules have no patterns: a condition of numbers, or none, which holds for every such event.
 * _(ID, "name in YAML", "of what") */
#define RULE_EVENTS(_) \
	_(TRANSACTION, "transaction", "a transaction") \
	_(DEPLOYMENT, "deployment", "code that is deployed, by a creation or through a factory") \
	_(ARMED_CALL, "armed_call", "a call to a contract that is watched") \
	_(SANDWICH, "sandwich", "both legs around a victim") \
	_(SANDWICH_FRONT, "sandwich_front", "a front leg before a victim, without a back leg yet") \
	_(DISPLACEMENT, "displacement", "somebody's transaction inside a dearer one of another") \
	_(DELEGATION, "delegation", "an EIP-7702 authorization of code that is watched")
enum rule_event {
#define _(id, name, what) EVENT_##id,
	RULE_EVENTS(_)
#undef _
	EVENT_COUNT
};
#define EVENT(id) (1u << EVENT_##id)
#define EVENTS_OF_ONE_TX (EVENT(TRANSACTION) | EVENT(DEPLOYMENT) | EVENT(ARMED_CALL) | EVENT(DELEGATION))
#define EVENTS_OF_CODE (EVENT(TRANSACTION) | EVENT(DEPLOYMENT) | EVENT(ARMED_CALL))

/* Numbers that conditions compare, and the events of which they are known: a condition of another event that names one is refused.
 * Those from `value` to `blobs` are the transaction's; fee_cap and tip_cap are gasPrice for types 0 and 1, chain_id is 0 if the
 * transaction has none. code_* are of the code that is deployed (or was, when its contract was armed), zeros if there is none; code_flash,
 * code_template, armed and watched (operators named it) are 0 or 1. `protected` counts the operator's protected contracts that are touched. _(ID, "name in YAML", events) */
#define RULE_SCALARS(_) \
	_(VALUE, "value", EVENTS_OF_ONE_TX) \
	_(GAS, "gas", EVENTS_OF_ONE_TX) \
	_(NONCE, "nonce", EVENTS_OF_ONE_TX) \
	_(TYPE, "type", EVENTS_OF_ONE_TX) \
	_(CHAIN_ID, "chain_id", EVENTS_OF_ONE_TX) \
	_(FEE_CAP, "fee_cap", EVENTS_OF_ONE_TX) \
	_(TIP_CAP, "tip_cap", EVENTS_OF_ONE_TX) \
	_(DATA_LEN, "data_len", EVENTS_OF_ONE_TX) \
	_(ACCESS_ENTRIES, "access_entries", EVENTS_OF_ONE_TX) \
	_(AUTHORIZATIONS, "authorizations", EVENTS_OF_ONE_TX) \
	_(BLOBS, "blobs", EVENTS_OF_ONE_TX) \
	_(BUNDLE_LEN, "bundle_len", EVENTS_OF_ONE_TX | EVENT(SANDWICH) | EVENT(SANDWICH_FRONT)) \
	_(BUNDLE_POS, "bundle_pos", EVENTS_OF_ONE_TX) \
	_(CALL_DEPTH, "call_depth", EVENTS_OF_ONE_TX) \
	_(CODE_SCORE, "code_score", EVENTS_OF_ONE_TX) \
	_(CODE_FLASH, "code_flash", EVENTS_OF_CODE) \
	_(CODE_PROVIDERS, "code_providers", EVENTS_OF_CODE) \
	_(CODE_LEARNED, "code_learned", EVENTS_OF_CODE) \
	_(CODE_TEMPLATE, "code_template", EVENTS_OF_CODE) \
	_(PROTECTED, "protected", EVENTS_OF_ONE_TX | EVENT(DISPLACEMENT)) \
	_(VICTIMS, "victims", EVENT(SANDWICH) | EVENT(SANDWICH_FRONT)) \
	_(ARMED, "armed", EVENT(SANDWICH) | EVENT(SANDWICH_FRONT) | EVENT(DISPLACEMENT) | EVENT(DELEGATION)) \
	_(WATCHED, "watched", EVENT(ARMED_CALL))
enum rule_scalar {
#define _(id, name, events) SCALAR_##id,
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
	uint8_t event; /* enum rule_event; but for transactions no slots, and n_ops 0: always */
	uint8_t pad[3];
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
	uint32_t expect;	      /* 1: the rule must match, 0: it must not */
	uint32_t at, len;	      /* TEXT: one JSON line; 0 long if the rule is not on transactions */
	uint32_t facts_at, facts_len; /* TEXT: one JSON object, bundle_facts_read reads it; 0 long: none */
};

struct bundle_const {
	uint8_t be[32];
};

/* The learned score of code: detect/model.h says how it is made of these. No weight is below zero, so that
 * whatever is added to code never lowers it. */
struct bundle_model {
	int32_t bias;
	uint32_t scale;	    /* from 1: how much of the sum is 1 in the logistic scale */
	uint32_t threshold; /* 1..MODEL_SCORE_MAX: a score from which the model itself means an attack */
	uint32_t pad;
	int16_t weight[MODEL_WEIGHTS];
};

struct bundle_template {  /* ascending, each once */
	uint8_t hash[32]; /* of a published artifact's normalised code (detect/code.h) */
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
	_(MODEL, struct bundle_model) \
	_(TEMPLATE, struct bundle_template) \
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
_Static_assert(sizeof(struct bundle_rule) == 44 && sizeof(struct bundle_slot) == 12, "bundle format");
_Static_assert(sizeof(struct bundle_group) == 12 && sizeof(struct bundle_value) == 8, "bundle format");
_Static_assert(sizeof(struct bundle_window) == 16 && sizeof(struct bundle_literal) == 20, "bundle format");
_Static_assert(sizeof(struct bundle_op) == 8 && sizeof(struct bundle_vector) == 24, "bundle format");
_Static_assert(sizeof(struct bundle_model) == 16 + 2 * MODEL_WEIGHTS && sizeof(struct bundle_template) == 32,
	"bundle format");

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

/* bundle_program_check_event: NULL if a sound program asks only for what is known of this event, else what is
 * wrong with it. */
const char *bundle_program_check_event(const struct bundle_op *ops, uint32_t n, enum rule_event event);

/* bundle_facts_read: the numbers of a vector, written {"code_score":500,"victims":2}: known names, each once,
 * decimal, nothing else. The others are 0. False if it is not that. Any bytes are fine. */
bool bundle_facts_read(struct span text, uint64_t number[SCALAR_COUNT]);

/* bundle_template_find: is the hash in TEMPLATE? */
bool bundle_template_find(const struct bundle *b, const uint8_t hash[32]);

/* bundle_program_cover: finds slots of which at least one must have a match for the program to hold, the
 * cheapest by `cost`, and sets their bytes in covered[n_slots]. Returns 1, or 0 if the program can hold
 * without any match: then it has to be evaluated for every transaction, or -ENOMEM. The program must have
 * passed bundle_program_check. */
int bundle_program_cover(
	const struct bundle_op *ops, uint32_t n, const uint32_t *cost, uint32_t n_slots, uint8_t *covered);

/* rule_field_name and so on: the names of YAML and of every tool; NULL if out of range. */
const char *rule_field_name(unsigned field);
const char *rule_status_name(unsigned status);
const char *rule_event_name(unsigned event);
const char *rule_scalar_name(unsigned scalar);
/* rule_scalar_known: can a condition on such an event compare it? */
bool rule_scalar_known(unsigned scalar, unsigned event);
/* rule_may_pause: can a rule of this class and event be graded `pause`? Sandwiches and the like page at most.
 */
bool rule_may_pause(unsigned class_, unsigned event);
/* rule_field_db: which database its values are looked for in, or -1 if they are looked up whole. */
int rule_field_db(unsigned field);

#endif
