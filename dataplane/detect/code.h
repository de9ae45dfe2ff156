/* SPDX-License-Identifier: BSD-3-Clause */
/* code: what init code can do, read from its bytes: instructions are told from PUSH data, and only what can
 * be reached counts, in the init code itself and in the codes that it carries (the runtime code it returns,
 * contracts that it creates, what it hands to a factory). One reader per worker; no allocation after
 * code_new. Sources of selectors and addresses: the table of detect/flash.h.
 *
 * It is read twice. First it is walked: time is linear in the code's length, and capped (a few ms whatever
 * the code is made of). If no loan has been seen then, it is executed on guesses (detect/code_deep.h):
 * constructor, then what it returns and creates, then the callbacks of whoever it borrows from; at most some
 * 240,000 steps of 10 to 20 ns. That finds selectors that come out of storage, memory, hashes, tables,
 * arithmetic, codes that are made on the way, and callbacks told by anything.
 *
 * Nothing is taken away: bytes that are appended, and code that is reached in addition (another function,
 * another branch), clear no provider, reason or flag, and no gram of the blocks that were there. Where a cap
 * of the walk is hit or a jump cannot be followed, all that could be there counts as there. What that cannot
 * hold for, and so what it costs to stay unseen: selectors that are computed from what is not in the code
 * (calldata, what others return, storage that only a call's arguments fill: then it is an executor, see
 * any_callback); work that uses up the steps before the loan (loops are left early, so this takes code
 * without end, some hundred thousand gas a call and a code of its own); and instructions put between others,
 * which change the grams there. */
#ifndef DETECT_CODE_H
#define DETECT_CODE_H

#include "abi/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CODE_BYTES_MAX (128u << 10) /* of more, the first are read, and `cut` is set */
#define CODE_ADDRESSES_MAX 16u
#define CODE_GRAMS 65536u /* features of the learned score: hashed opcode n-grams, present or not */

/* Named reasons of the score are abi/alert.h's ALERT_REASONS, as a mask. */
struct code_facts {
	uint64_t callbacks; /* providers (enum alert_provider) whose callback a dispatcher serves */
	uint64_t entries;   /* providers whose entry point is called */
	uint64_t addresses; /* providers whose address is in it */
	uint64_t swaps;	    /* providers whose pools' swap is called and its callback served: any swapper does
			       that, so it is weaker evidence of a loan; `flash` if more is done within than to
			       pay */
	uint64_t reasons;   /* of ALERT_REASONS */
	uint32_t score;	    /* of the reasons, 0..1000 */
	uint32_t n_codes;   /* codes inside each other, the init code among them */
	uint32_t reached_bytes;
	uint32_t deep_steps; /* of the execution; 0: there was no need */
	uint32_t n_grams;    /* bits set of the reader's grams */
	bool flash; /* it can take a flash loan: a provider's entry is called, and its callback served (or the
		       provider calls back with whatever it is told) */
	bool cut;   /* a cap was hit: not all was read, and what it may do counts as done (all grams, too) */
	bool guessed; /* a jump or a copy of code could not be followed: whatever it could lead to counts as
			 reached */
	bool any_callback; /* it makes calls whatever selector it is called with: it serves whichever callback
			      its entries ask for, and they are in `callbacks`; without entries it is an
			      executor of what it is told */
	bool tired;	   /* a bound of the execution was hit, which is common: there may be more to it */
	bool template_;	   /* its normalised hash is that of a published artifact */
	bool has_target;   /* an EIP-1167 proxy, or other code that only delegates: to whom */
	uint8_t target[20];
	/* keccak of the normalised init code: up to the end of its last metadata (what follows are
	 * constructor arguments), metadata (solc's, Vyper's) as zeros, addresses in it (operands of PUSH20;
	 * of PUSH32 if they are as short) as zeros. Bytes are left out only where no instruction is reached,
	 * and the others stay at their places: so another code with the same hash executes the same
	 * instructions. An attacker who deploys a published artifact still chooses its arguments, immutables,
	 * library and hard-coded addresses; and changing any other byte, he has another hash. */
	uint8_t hash[32];
};

struct code_reader;
struct code_reader *code_new(void); /* NULL + errno */
void code_free(struct code_reader *c);

/* code_read reads init code (of a creation, a factory's calldata). The facts are good for as long as the
 * caller keeps them. */
void code_read(struct code_reader *c, struct span init_code, struct code_facts *out);

/* code_grams: of the last code_read, CODE_GRAMS bits, for detect/model.h. */
const uint64_t *code_grams(const struct code_reader *c);

#endif
