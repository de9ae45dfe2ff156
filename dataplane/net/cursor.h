/* SPDX-License-Identifier: BSD-3-Clause */
/* cursor: a place in a packet: `left` bytes belong to it by the headers read so far, `have` <= left of them
 * were captured. Shared by decode, walk and tunnel; nobody else includes this. */
#ifndef NET_CURSOR_H
#define NET_CURSOR_H

#include "abi/counters.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* `left` of a packet that goes on nobody knows how far. */
#define LENGTH_UNKNOWN (UINT32_MAX / 2)

struct cursor {
	const uint8_t *p;
	uint32_t have, left;
};

static inline uint32_t
get16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static inline uint32_t
get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* cursor_skip: n <= have. */
static inline void
cursor_skip(struct cursor *c, uint32_t n)
{
	c->p += n;
	c->have -= n;
	c->left -= n;
}

/* cursor_limit: what is after `n` belongs to somebody else (link padding). n <= left. */
static inline void
cursor_limit(struct cursor *c, uint32_t n)
{
	c->left = n;
	if (c->have > n)
		c->have = n;
}

/* cursor_need: CTR_ACCEPTED if n bytes can be read; else whether the packet or the capture ends too early. */
static inline enum sentinel_counter
cursor_need(const struct cursor *c, uint32_t n, enum sentinel_counter bad)
{
	if (c->have >= n)
		return CTR_ACCEPTED;
	return c->left < n ? bad : CTR_UNDEC_TRUNCATED;
}

/* The second word of ::ffff:a.b.c.d in memory order. */
static inline uint64_t
ip4_mapped(const uint8_t *ip4)
{
	uint32_t v;
	memcpy(&v, ip4, 4);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (uint64_t)v << 32 | 0xffff0000u;
#else
	return (uint64_t)0xffff << 32 | v;
#endif
}

static inline bool
is_vlan(uint32_t ethertype)
{
	return ethertype == 0x8100 || ethertype == 0x88a8 || ethertype == 0x9100 || ethertype == 0x9200;
}

#endif
