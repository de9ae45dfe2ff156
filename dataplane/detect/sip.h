/* SPDX-License-Identifier: BSD-3-Clause */
/* sip: SipHash's constants and round (Aumasson, Bernstein), for the keyed tables of this folder, each of which feeds it what its keys are made of. */
#ifndef DETECT_SIP_H
#define DETECT_SIP_H

#include <stdint.h>

static inline uint64_t
sip_rotate(uint64_t v, unsigned n)
{
	return v << n | v >> (64 - n);
}

static inline void
sip_begin(uint64_t v[4], uint64_t k0, uint64_t k1)
{
	v[0] = k0 ^ 0x736f6d6570736575u;
	v[1] = k1 ^ 0x646f72616e646f6du;
	v[2] = k0 ^ 0x6c7967656e657261u;
	v[3] = k1 ^ 0x7465646279746573u;
}

static inline void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = sip_rotate(v[1], 13) ^ v[0];
	v[0] = sip_rotate(v[0], 32);
	v[2] += v[3];
	v[3] = sip_rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = sip_rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = sip_rotate(v[1], 17) ^ v[2];
	v[2] = sip_rotate(v[2], 32);
}

#endif
