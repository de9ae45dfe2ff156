/* SPDX-License-Identifier: BSD-3-Clause */
/* protocols: contract addresses and the protocols that they belong to, for figures per protocol. Filled from
 * the box profile (io/profile.h). All zero: none. */
#ifndef WORKER_PROTOCOLS_H
#define WORKER_PROTOCOLS_H

#include <stdint.h>
#include <string.h>

#define PROTOCOLS_MAX 64u
#define PROTOCOLS_NAME_BYTES 32u
#define PROTOCOLS_ADDRESSES_MAX 1024u

struct protocol_address {
	uint8_t address[20];
	uint8_t protocol; /* index of its name */
};

struct protocols {
	uint32_t n;
	char name[PROTOCOLS_MAX][PROTOCOLS_NAME_BYTES]; /* letters, digits, . _ -; all differ */
	uint32_t n_addresses;
	struct protocol_address address[PROTOCOLS_ADDRESSES_MAX]; /* in the order of memcmp; all differ */
};

/* protocols_at: the index of the first address that is not below this one; n_addresses if there is none. */
static inline uint32_t
protocols_at(const struct protocols *p, const uint8_t address[20])
{
	uint32_t from = 0, n = p->n_addresses;
	while (n > 0) {
		uint32_t half = n / 2;
		if (memcmp(p->address[from + half].address, address, 20) < 0) {
			from += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return from;
}

/* protocols_find: the protocol of an address, -1 if it belongs to none. Ten comparisons at most. */
static inline int
protocols_find(const struct protocols *p, const uint8_t address[20])
{
	uint32_t i = protocols_at(p, address);
	if (i == p->n_addresses || memcmp(p->address[i].address, address, 20) != 0)
		return -1;
	return p->address[i].protocol;
}

#endif
