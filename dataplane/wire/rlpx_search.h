/* SPDX-License-Identifier: BSD-3-Clause */
/* rlpx_search: where in its keystream a session's ciphertext is. The keystream's place does not follow from
 * the stream's: MACs lie in the stream and use none of it, so it depends on how many frames have gone by. A
 * frame header shows it: 13 of its 16 bytes are known.
 *
 * A window of ciphertext and a range of keystream blocks are met in the middle: at each place of the window
 * the header's known bytes give 13 bytes that the keystream must have if a header lies there; these go into a
 * table, then the range is encrypted block by block and looked up. The cost is one AES block for each block
 * of the range, whatever the window's size and whether or not its alignment is known.
 *
 * A search is a value of its own: it may be filled by a worker, run in slices by anybody, and its result
 * handed back. No allocation. */
#ifndef WIRE_RLPX_SEARCH_H
#define WIRE_RLPX_SEARCH_H

#include "abi/span.h"
#include "wire/rlpx_keys.h"

#include <stdbool.h>
#include <stdint.h>

#define RLPX_SEARCH_BYTES 16384u
/* Sessions tried for one window: the known ones of its endpoints, then others, newest first. */
#define RLPX_SEARCH_KEYS 64u
#define RLPX_SEARCH_FILTER_BITS (1u << 17)
#define RLPX_SEARCH_SLOTS (2 * RLPX_SEARCH_BYTES)

enum rlpx_search_state { RLPX_SEARCH_IDLE, RLPX_SEARCH_RUNNING, RLPX_SEARCH_FOUND, RLPX_SEARCH_NONE };

struct rlpx_search {
	enum rlpx_search_state state;
	/* the window: bytes[0] has stream offset `from`; headers may begin where the offset is `phase` modulo
	 * 16, or anywhere if phase is RLPX_ANY_PHASE */
	uint32_t len;
	uint64_t from;
	uint32_t phase;
	/* the sessions, with the keystream blocks to be tried; the one under way, its next block */
	struct aes256_ctx aes[RLPX_SEARCH_KEYS];
	uint64_t first[RLPX_SEARCH_KEYS], end[RLPX_SEARCH_KEYS];
	uint32_t n_keys, key;
	uint64_t next;
	/* RLPX_SEARCH_FOUND: a header begins at stream offset found_at, with keystream block found_block of
	 * session `key` */
	uint64_t found_at, found_block;
	uint64_t blocks; /* tried in all */
	/* whose window it is: set and checked by rlpx.c */
	void *owner;
	uint64_t owner_epoch;
	unsigned dir;
	uint64_t filter[RLPX_SEARCH_FILTER_BITS / 64];
	uint16_t slots[RLPX_SEARCH_SLOTS]; /* place in the window + 1 */
	uint8_t bytes[RLPX_SEARCH_BYTES];
};

#define RLPX_ANY_PHASE 16u

/* rlpx_search_fill prepares the table of a search whose bytes, len, from and phase are set. rlpx_search_add
 * adds a session, to be tried with keystream blocks [first, end) (false: full). rlpx_search_start starts it.
 */
void rlpx_search_fill(struct rlpx_search *s);
bool rlpx_search_add(struct rlpx_search *s, const struct aes256_ctx *key, uint64_t first, uint64_t end);
void rlpx_search_start(struct rlpx_search *s);

/* rlpx_search_run tries at most `blocks` more (rounded up to RLPX_CTR_BLOCKS) and returns the state. */
enum rlpx_search_state rlpx_search_run(struct rlpx_search *s, uint64_t blocks);

#endif
