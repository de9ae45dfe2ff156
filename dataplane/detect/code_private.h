/* SPDX-License-Identifier: BSD-3-Clause */
/* The inside of code.h, shared by its files.
 *
 * A code is walked from pc 0, block by block, with an abstract stack. A value is a constant (literal or folded) or unknown, with marks of what it may
 * come from. Blocks that start at a JUMPDEST have a head, which joins the stacks of all who come there; a head whose join changes is walked
 * again, a bounded number of times. Where a jump goes is known if its target is a constant. Return addresses get lost in joins, so a label
 * that is left on the stack where a block ends counts as reached too. A jump to what was computed from memory, storage or calldata can go
 * anywhere: then every JUMPDEST counts as reached, and the facts say so (`guessed`).
 *
 * Facts are never taken back and do not depend on what else is reached, as far as constants stay within a block: what is added to a code can only
 * add facts. */
#ifndef DETECT_CODE_PRIVATE_H
#define DETECT_CODE_PRIVATE_H

#include "abi/span.h"
#include "detect/code.h"
#include "detect/code_word.h"

#include <stdbool.h>
#include <stdint.h>

enum code_op {
	OP_STOP = 0x00, OP_ADD = 0x01, OP_MUL = 0x02, OP_SUB = 0x03, OP_DIV = 0x04, OP_MOD = 0x06, OP_EXP = 0x0a,
	OP_LT = 0x10, OP_GT = 0x11, OP_SLT = 0x12, OP_SGT = 0x13, OP_EQ = 0x14, OP_ISZERO = 0x15, OP_AND = 0x16, OP_OR = 0x17, OP_XOR = 0x18,
	OP_NOT = 0x19, OP_BYTE = 0x1a, OP_SHL = 0x1b, OP_SHR = 0x1c, OP_SAR = 0x1d, OP_CLZ = 0x1e, OP_KECCAK256 = 0x20,
	OP_ADDRESS = 0x30, OP_ORIGIN = 0x32, OP_CALLER = 0x33, OP_CALLVALUE = 0x34, OP_CALLDATALOAD = 0x35, OP_CALLDATASIZE = 0x36,
	OP_CALLDATACOPY = 0x37, OP_CODESIZE = 0x38, OP_CODECOPY = 0x39, OP_MLOAD = 0x51, OP_MSTORE = 0x52, OP_SLOAD = 0x54, OP_SSTORE = 0x55,
	OP_JUMP = 0x56, OP_JUMPI = 0x57, OP_PC = 0x58, OP_JUMPDEST = 0x5b, OP_TLOAD = 0x5c, OP_TSTORE = 0x5d, OP_MCOPY = 0x5e,
	OP_PUSH0 = 0x5f, OP_PUSH1 = 0x60, OP_PUSH4 = 0x63, OP_PUSH20 = 0x73, OP_PUSH32 = 0x7f, OP_DUP1 = 0x80, OP_SWAP1 = 0x90, OP_LOG0 = 0xa0,
	OP_CREATE = 0xf0, OP_CALL = 0xf1, OP_CALLCODE = 0xf2, OP_RETURN = 0xf3, OP_DELEGATECALL = 0xf4, OP_CREATE2 = 0xf5,
	OP_STATICCALL = 0xfa, OP_REVERT = 0xfd, OP_INVALID = 0xfe, OP_SELFDESTRUCT = 0xff
};

/* A value: kind << 30 | marks << 24 | payload. */
#define VAL_KIND 0xc0000000u
#define VAL_TOP 0x00000000u   /* unknown */
#define VAL_SMALL 0x40000000u /* payload: the number itself */
#define VAL_LIT 0x80000000u   /* payload: pc of the PUSH */
#define VAL_POOL 0xc0000000u  /* payload: index into the walk's pool */
#define VAL_PAYLOAD 0x00ffffffu
#define MAY_SELECTOR 0x01000000u /* made of the first bytes of calldata */
#define MAY_CALLER 0x02000000u   /* CALLER or ORIGIN */
#define MAY_COMPUTED 0x04000000u /* of memory, storage, calldata: no label that was left on a stack */
#define IS_MATCH 0x08000000u     /* not zero if the selector is the one that it was compared with */
#define IS_OTHER 0x10000000u     /* zero if it is */
#define MAY_ALL (MAY_SELECTOR | MAY_CALLER | MAY_COMPUTED)
#define VAL_UNKNOWN (VAL_TOP | MAY_SELECTOR)

#define CODE_SLOTS 24u	     /* of the stack that heads keep */
#define CODE_VISITS 6u	     /* walks of a head */
#define CODE_STACK 1024u
#define CODE_POOL 2048u	     /* above CODE_STACK: a pool full of what the stack holds has room */
#define CODE_REGIONS 64u     /* codes inside each other */
#define CODE_COPIES 48u	     /* CODECOPYs of a code that are told apart */
/* The same for short codes and long ones, so that a longer one is never read less hard. Compilers' codes take up to 3.3 instructions and ends of blocks for
 * a byte, children included; nothing takes more than 140. */
#define CODE_WORK_MAX 600000u
#define CODE_WORK_EDGE 8u    /* of a block's end, or a way to a block, in instructions */
#define CODE_WIDE 4096u	     /* PUSH20s and PUSH32s that the normalised hash leaves out; more stay in it */
#define CODE_WORDS 256u	     /* of code put together in memory: 8 kB; more would be cheaper as code */
#define CODE_SLOTS_MAX (1u << 20)

struct code_head {
	uint32_t pc;
	uint32_t slots; /* index into reader.slots, n of them, the top last */
	uint8_t n;
	uint8_t visits;
	bool queued;
	bool sure;    /* reached by known jumps alone */
	bool ungated; /* reached whatever the selector is */
};

struct code_region {
	uint32_t at, len; /* of the init code */
	bool constructor; /* it may be init code itself */
};

/* What a code does, gathered while it is walked. */
struct code_seen {
	bool call, create, delegate, returns;
	bool call_ungated, calldata_ungated; /* acts whatever the selector is, on what calldata says */
	bool copy_unknown;  /* a CODECOPY from nobody knows where */
	bool table;	    /* the selector is compared with what is no constant */
	bool guessed;
	bool over;
	uint32_t n_copies;
	struct code_region copy[CODE_COPIES]; /* of this code, unclamped */
	uint64_t entries, callbacks, helpers, swap_entries, swap_callbacks;
	uint32_t entry_families, callback_families;
};

struct code_sum {
	uint64_t entries, callbacks, helpers, swap_entries, swap_callbacks, addresses, reasons;
	uint32_t entry_families, callback_families;
	bool transfers, swaps, calls, creates;
	bool over; /* a cap was hit: not all was read */
	uint64_t left; /* bytes that may still be read */
	uint64_t work; /* instructions, and more of them for what a block's end costs */
};

struct code_reader {
	/* the code being walked */
	const uint8_t *p;
	uint32_t len;
	uint8_t *mark;	   /* a byte a pc: MARK_ */
	uint32_t marked, cleared; /* pcs below have their marks; below cleared they are no leftovers */
	uint32_t *head_at; /* a number a pc: 1 + index of its head; only where there is a label */
	struct code_head *heads;
	uint32_t n_heads;
	uint32_t *queue;
	uint32_t n_queue;
	uint32_t *slots;
	uint32_t n_slots;
	struct code_seen seen;
	/* the walk */
	uint32_t stack[CODE_STACK + 32];
	uint32_t sp;
	uint32_t told_to, told_pool; /* literals before this pc, pool's constants below have been looked at */
	uint32_t told[32];
	bool sure, ungated, fresh;
	uint32_t n_pool;
	struct code_word pool[CODE_POOL];
	struct {
		uint8_t op; /* the selector, op, the number */
		struct code_word by;
	} moved[16]; /* payloads of MAY_SELECTOR values: 1 + index */
	uint32_t n_moved;
	uint8_t symbols[256], kinds[256];
	uint32_t before; /* symbols of the last three instructions, a byte each */
	unsigned n_before;
	/* of all codes */
	struct code_region region[CODE_REGIONS];
	uint32_t n_regions;
	uint32_t n_words; /* long constants that the code stores */
	uint8_t words[CODE_WORDS][32];
	uint32_t base; /* of the code being walked, in the init code */
	uint64_t ops[CODE_BYTES_MAX / 64]; /* bits: bytes of the init code that are reached as instructions */
	uint32_t n_wide;
	uint32_t wide[CODE_WIDE]; /* places of PUSH20 and PUSH32 among them */
	uint8_t *copy;
	struct code_deep *deep;
	struct code_sum sum;
	struct code_facts *out;
	uint8_t gram[CODE_GRAMS]; /* as grams, a byte each: to set one does not wait for another */
	uint64_t grams[CODE_GRAMS / 64];
};

#define MARK_DEST 1u /* a JUMPDEST that is an instruction */
#define MARK_SEEN 2u /* reached */
#define MARK_ACT 4u  /* calls, creates */
#define MARK_EMPTY 8u /* ends without leaving a code, if the code is a constructor */
#define MARK_SURE 16u /* and got there by known jumps alone */

/* code_walk walks the code at r->p, r->len to its end: r->seen, r->sum, r->grams. */
void code_walk(struct code_reader *r);

/* code_reach: the block at pc, if there is a label, is reached; with the stack of the walk, or with one that is unknown. */
void code_reach(struct code_reader *r, uint32_t pc, bool with_stack, bool sure, bool ungated);

/* code_mark_to: labels are told from data as far as somebody asks for them: most of init code is the runtime code, which has marks of its own. */
void code_mark_to(struct code_reader *r, uint32_t pc);

/* code_pool_sweep: the pool holds folded constants; when it is full, those that the stack does not hold go. */
void code_pool_sweep(struct code_reader *r);

/* code_meaning: a constant that is used otherwise than to compare the selector with it: selectors that are called, addresses. */
void code_meaning(struct code_reader *r, const struct code_word *w);

bool code_is_transfer(uint32_t selector);
bool code_is_swap(uint32_t selector);

/* code_spelled: a word that may begin a signature, whose selector is then hashed at run time, as old compilers do. Of a long one, 32 bytes suffice. */
void code_spelled(struct code_reader *r, const uint8_t b[32]);

/* code_gram: the instruction at pc, which follows r->before. Of opcodes: their symbols. */
void code_gram(struct code_reader *r, uint32_t pc);
void code_symbols(uint8_t symbols[256]);

/* code_kinds: of opcodes, how code_walk takes them. */
void code_kinds(uint8_t kinds[256]);

/* code_hash: the normalised hash of init code (see code.h) whose codes have been walked. */
void code_hash(struct code_reader *r, struct span code, uint8_t out[32]);

#endif
