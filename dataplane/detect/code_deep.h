/* SPDX-License-Identifier: BSD-3-Clause */
/* code_deep: init code executed on guesses, for what the walk of code_private.h cannot see: selectors that
 * come out of storage, memory, hashes or arithmetic, codes that are made while a constructor runs, callbacks
 * that are told by something else than a comparison with a constant.
 *
 * A machine of the EVM's instructions runs with a number in every place. What the code cannot know beforehand
 * (calldata, what others return, whoever calls, storage that nobody wrote) is a guess, and bytes that come of
 * guesses are marked `soft`. Where a condition is soft, both ways are gone: one now, one later, from a
 * journal that takes memory and storage back. A condition forks once for each place that its function is
 * called from. The constructor runs first; what it wrote to storage is what the code that it returns starts
 * with, and so for every contract that it creates. Then each code is called with the callbacks of whoever it
 * borrows from: those that do not end in a revert are served, however they are told apart.
 *
 * The work on one init code is bounded by DEEP_STEPS (a step: an instruction, or 32 bytes copied), DEEP_FORKS
 * pending, DEEP_ACCOUNTS, DEEP_ARENA bytes of code, DEEP_MEMORY bytes of memory a call, DEEP_CELLS storage
 * cells; what would be more is left out, so facts can be missing. It only adds facts to those of the walk. */
#ifndef DETECT_CODE_DEEP_H
#define DETECT_CODE_DEEP_H

#include "abi/span.h"
#include "detect/code_word.h"

#include <stdbool.h>
#include <stdint.h>

#define DEEP_STEPS 240000u
#define DEEP_FORKS 1024u
#define DEEP_ACCOUNTS 12u
#define DEEP_ARENA (512u << 10)
#define DEEP_MEMORY (64u << 10)
#define DEEP_CELLS 512u
#define DEEP_BASE 256u /* storage cells an account starts with */
#define DEEP_STACK 1024u
#define DEEP_SNAPSHOT 32768u /* stack words of the forks that are pending */
#define DEEP_JOURNAL 16384u
#define DEEP_DEPTH 3u	  /* constructors inside each other */
#define DEEP_VISITS 8192u /* a power of two */
#define DEEP_INDEX 2048u  /* a power of two, above DEEP_CELLS */
#define DEEP_KECCAK 4096u /* bytes hashed at once */

struct deep_value {
	struct code_word w;
	uint32_t soft; /* a bit a byte: bit 0 the lowest */
};

struct deep_cell {
	struct code_word key;
	struct deep_value v;
	uint32_t space; /* the account, and DEEP_TRANSIENT */
};
#define DEEP_TRANSIENT 0x100u

struct deep_account {
	const uint8_t *init, *code; /* of the arena, or of the caller */
	uint32_t init_len, len;
	uint32_t dests, init_dests; /* where their labels are in deep.dests, in bits */
	uint64_t hash;		    /* of its init code */
	bool has_code;
	uint32_t parent; /* who created it; itself: nobody */
	uint32_t n_base;
	struct deep_cell base[DEEP_BASE];
	/* what it does */
	uint64_t entries;
	bool told; /* calls with selectors that calldata or others give it */
};

struct deep_frame {
	const uint8_t *code;
	uint32_t len, dests, pc;
	uint32_t account;
	bool constructor, forks, broken;
	uint8_t *memory, *soft; /* a byte a byte */
	uint32_t high;		/* above it, memory is zero */
	struct deep_value *stack;
	uint32_t sp;
	uint32_t out_at, out_len; /* what it returned, of its memory */
};

/* Of a path, kept for its forks. */
struct deep_path {
	bool acted; /* called somebody */
	bool used;  /* called somebody for more than a payment */
	bool clean; /* no condition since `origin` */
	uint32_t origin;
	uint32_t left; /* loops that it has left early */
};

struct deep_fork {
	uint32_t pc, sp, stack, journal, limit;
	struct deep_path path;
};

struct deep_undo {
	uint32_t kind, at;
	uint8_t old[32];
	uint8_t soft[32];
};

enum deep_end { DEEP_STOPS, DEEP_RETURNS, DEEP_REVERTS, DEEP_GIVES_UP };

struct code_deep {
	/* what was found: masks of providers, selectors' families as in detect/flash.h */
	uint64_t entries, callbacks, helpers, swap_entries, swap_callbacks, addresses;
	uint32_t entry_families, callback_families;
	bool transfers, swaps, any_callback, tired;
	/* the machine */
	uint32_t steps, limit; /* of the path */
	uint32_t pool;	       /* what its forks may go up to together */
	uint32_t share, part;  /* what a fork has at least; of what is left, for a code */
	bool leaving;	       /* until leave_at, sure conditions fork, too */
	uint32_t leave_at;
	bool has_selector;
	uint8_t selector[4];
	struct deep_path path;
	struct deep_frame frame[DEEP_DEPTH];
	uint32_t depth;
	uint32_t n_accounts, n_arena, n_dests;
	struct deep_account account[DEEP_ACCOUNTS];
	uint32_t n_cells, n_loaded; /* loaded: at the beginning of the call */
	struct deep_cell cell[DEEP_CELLS];
	uint16_t index[DEEP_INDEX]; /* 1 + cell */
	uint32_t n_forks, n_snapshot, n_journal;
	struct deep_fork fork[DEEP_FORKS];
	struct deep_value *snapshot;
	struct deep_undo *journal;
	uint8_t visits[DEEP_VISITS];
	uint8_t *arena;
	uint64_t *dests; /* bits: labels */
	uint64_t *dead;	 /* bits: places that lead to a revert and nothing else */
};

/* code_deep_new, code_deep_free: NULL + ENOMEM. */
struct code_deep *code_deep_new(void);
void code_deep_free(struct code_deep *d);

/* code_deep_read: what init code does beside what is known of it: masks of entries called, swap entries
 * called, callbacks served, helpers called. The findings are in d until the next. */
struct deep_known {
	uint64_t entries, callbacks, helpers, swap_entries;
	bool calls; /* it has been seen to call or to create */
};
void code_deep_read(struct code_deep *d, struct span code, const struct deep_known *known);

/* The parts. code_deep_run.c: runs the frame on top until a path ends; forks are pending then. */
enum deep_end deep_run(struct code_deep *d);
uint32_t deep_bytes_of(const struct code_word *w); /* bits: bytes that are not zero, bit 0 the lowest */
/* code_deep.c: the account on top calls with a selector. */
void deep_called(struct code_deep *d, uint32_t selector);

/* code_deep.c: a contract is created from bytes of memory; its index, or DEEP_ACCOUNTS. */
uint32_t deep_create(struct code_deep *d, const uint8_t *init, uint32_t len);
bool deep_is_dest(const struct code_deep *d, const struct deep_frame *f, uint32_t pc);

/* code_deep_state.c */
struct deep_value deep_load(struct code_deep *d, struct deep_frame *f, uint32_t at);
void deep_store(struct code_deep *d, struct deep_frame *f, uint32_t at, const uint8_t bytes[32],
	const uint8_t soft[32], uint32_t n);
void deep_store_value(struct code_deep *d, struct deep_frame *f, uint32_t at, const struct deep_value *v);
/* n bytes from p (then zeros that are `beyond`: soft or not) */
void deep_fill(struct code_deep *d, struct deep_frame *f, uint32_t at, const uint8_t *p, uint32_t have,
	uint32_t n, bool soft, bool beyond);
void deep_move(struct code_deep *d, struct deep_frame *f, uint32_t to, uint32_t from, uint32_t n);
struct deep_value deep_cell_get(const struct code_deep *d, uint32_t space, const struct code_word *key);
void deep_cell_set(
	struct code_deep *d, uint32_t space, const struct code_word *key, const struct deep_value *v);
void deep_cells_clear(struct code_deep *d);
void deep_take_back(struct code_deep *d, uint32_t to);

#endif
