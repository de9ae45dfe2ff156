/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/rlpx_mac.h"

#include <string.h>

#define RATE 136u

_Static_assert(
	__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "Keccak's lanes are little-endian, as the machine is");

static void
absorb(struct sha3_state *s, uint32_t at, const uint8_t *p, uint32_t n)
{
	uint8_t *bytes = (uint8_t *)s->a + at;
	for (uint32_t i = 0; i < n; i++)
		bytes[i] ^= p[i];
}

void
rlpx_mac_update(struct rlpx_mac *m, const uint8_t *p, uint32_t n)
{
	while (n > 0) {
		uint32_t k = n < RATE - m->fill ? n : RATE - m->fill;
		absorb(&m->state, m->fill, p, k);
		m->fill += k;
		p += k;
		n -= k;
		if (m->fill == RATE) {
			sha3_permute(&m->state);
			m->fill = 0;
		}
	}
}

static void
digest(const struct rlpx_mac *m, uint8_t out[16])
{
	static const uint8_t begin = 0x01, end = 0x80;
	struct sha3_state s = m->state;
	absorb(&s, m->fill, &begin, 1);
	absorb(&s, RATE - 1, &end, 1);
	sha3_permute(&s);
	memcpy(out, s.a, 16);
}

void
rlpx_mac_init(struct rlpx_mac *m, const uint8_t secret[32], const uint8_t nonce[32], struct span packet)
{
	uint8_t seed[32];
	memset(&m->state, 0, sizeof m->state);
	m->fill = 0;
	aes256_set_encrypt_key(&m->aes, secret);
	for (unsigned i = 0; i < 32; i++)
		seed[i] = secret[i] ^ nonce[i];
	rlpx_mac_update(m, seed, sizeof seed);
	rlpx_mac_update(m, packet.p, packet.len);
}

/* Absorbs aes(digest) ^ what, and gives the new digest. */
static void
step(struct rlpx_mac *m, const uint8_t now[16], const uint8_t what[16], uint8_t out[16])
{
	uint8_t seed[16];
	aes256_encrypt(&m->aes, 16, seed, now);
	for (unsigned i = 0; i < 16; i++)
		seed[i] ^= what[i];
	rlpx_mac_update(m, seed, sizeof seed);
	digest(m, out);
}

void
rlpx_mac_header(struct rlpx_mac *m, const uint8_t header[16], uint8_t out[16])
{
	uint8_t now[16];
	digest(m, now);
	step(m, now, header, out);
}

void
rlpx_mac_frame(struct rlpx_mac *m, uint8_t out[16])
{
	uint8_t now[16];
	digest(m, now);
	step(m, now, now, out);
}
