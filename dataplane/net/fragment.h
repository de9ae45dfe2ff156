/* SPDX-License-Identifier: BSD-3-Clause */
/* fragment: IP fragments put together (RFC 791, 815, 8200). One struct fragments per core, all memory given
 * beforehand: datagrams under way and blocks of 2 KiB, taken as bytes come, so that any number of fragments
 * in any order costs no more than the bytes they cover. A datagram is kept by (source, destination,
 * identification, IPv4: protocol), whatever link, tag or tunnel its fragments came by.
 *
 * First version of a byte wins; another one is counted (FRAGMENT_CONFLICTS). What cannot be part of the
 * datagram (behind its end, beyond 65535 bytes, a length that is no multiple of 8) is dropped and changes
 * nothing.
 *
 * A sender may use an identification again at once, and a mirror may show every fragment twice, late. So a
 * whole datagram is remembered for a second: a fragment that repeats it is a duplicate, and yet stands for
 * itself if a fragment with other bytes begins a new datagram, as it does for the receiver, who saw no
 * duplicates. Such a mixture (struct datagram_whole) is to be believed only if its TCP checksum is right.
 *
 * When room runs out, the datagram that has waited longest goes, remembered ones before unfinished ones. */
#ifndef NET_FRAGMENT_H
#define NET_FRAGMENT_H

#include "net/decode.h"

#include <stddef.h>

#define DATAGRAM_MAX 65535u
#define FRAGMENT_BLOCK_DATA 2048u
#define FRAGMENT_BLOCKS_DATAGRAM (65536u / FRAGMENT_BLOCK_DATA)
#define FRAGMENT_BLOCKS_MIN (2 * FRAGMENT_BLOCKS_DATAGRAM)
#define FRAGMENT_UNITS (FRAGMENT_BLOCK_DATA / 8)

struct fragment_block {
	uint64_t covered[FRAGMENT_UNITS / 64]; /* bit: eight bytes are there */
	uint64_t echo[FRAGMENT_UNITS / 64];    /* ... as they were in the datagram before */
	uint8_t data[FRAGMENT_BLOCK_DATA];
};

enum datagram_list { DATAGRAM_PENDING, DATAGRAM_WHOLE, DATAGRAM_FREE, DATAGRAM_LISTS };

struct datagram {
	uint64_t ip[2][2];
	uint32_t id;
	uint8_t proto; /* IPv4's; 0 for IPv6 */
	bool ip6;
	uint8_t next; /* of the first fragment, once seen */
	bool first;   /* seen */
	bool fresh;   /* holds what the datagram before did not say */
	uint8_t list;
	uint32_t total, reach,
		units;	 /* length, 0 = not known; end of the furthest fragment; eights covered */
	uint32_t held;	 /* frames that wait in it */
	uint32_t before; /* length of the datagram that became whole before; 0 = none */
	uint32_t chain, newer, older; /* in its bucket, in its list */
	uint64_t since_ns;
	uint32_t block[FRAGMENT_BLOCKS_DATAGRAM];
};

struct fragments {
	struct datagram *datagrams;
	struct fragment_block *blocks;
	uint32_t *bucket, *free_block;
	uint8_t *whole;
	uint32_t n_free, bucket_mask;
	uint32_t oldest[DATAGRAM_LISTS], newest[DATAGRAM_LISTS];
	uint64_t seed[6], age_ns;
	uint64_t *ctr;
};

struct fragments_config {
	uint32_t datagrams; /* 1 ... 2^20 */
	uint32_t blocks;    /* FRAGMENT_BLOCKS_MIN ... 2^20 */
	uint64_t age_ns;    /* from a datagram's first fragment to giving it up */
};

struct datagram_whole {
	struct span bytes; /* valid until the next call; fragments_add may be given a fragment inside it */
	uint8_t next;
	bool mixed; /* of fragments that may be late copies of an older datagram's */
};

/* fragments_bytes: memory that fragments_init needs, 0 if the configuration is bad; mem is 64-byte aligned.
 * counters: CTR_COUNT words. seed: as flow_seed makes it. */
size_t fragments_bytes(const struct fragments_config *c);
void fragments_init(struct fragments *t, void *mem, const struct fragments_config *c, const uint64_t seed[6],
	uint64_t *counters);

/* fragments_add takes a fragment, all of it captured. Returns what the frame is to be counted as, which the
 * caller does: FRAGMENTS_HELD, FRAGMENTS_DUPLICATE, UNDEC_FRAGMENT_*, or CTR_ACCEPTED: its datagram is whole,
 * in *out, and the frame is what the datagram turns out to be. Frames that were held move to their last
 * counter in here. */
enum sentinel_counter fragments_add(
	struct fragments *t, const struct fragment *f, uint64_t now_ns, struct datagram_whole *out);

/* fragments_expire gives up at most n datagrams that are too old; fragments_flush all. */
void fragments_expire(struct fragments *t, unsigned n, uint64_t now_ns);
void fragments_flush(struct fragments *t);

#endif
