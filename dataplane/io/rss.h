/* SPDX-License-Identifier: BSD-3-Clause */
/* rss: whether the hash by which a port spreads flows over its queues is the same for both directions of a connection. Source of the hash: "RSS hashing
 * functions", Microsoft, which the drivers follow. */
#ifndef IO_RSS_H
#define IO_RSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RSS_KEY_BYTES_MAX 64u
#define RSS_KEY_BYTES_MIN 40u /* what the tuple of IPv6 with ports takes */

/* rss_key fills a key that repeats with a period of 16 bits: under it source and destination may change places. */
void rss_key(uint8_t *key, size_t len);

/* rss_toeplitz: the hash of `n` input bytes in the order of the wire. Precondition: key_len >= n + 4. */
uint32_t rss_toeplitz(const uint8_t *key, size_t key_len, const uint8_t *input, size_t n);

/* rss_symmetric tries the key on tuples of IPv4 and IPv6 in both directions: both must hash alike, and different tuples differ. */
bool rss_symmetric(const uint8_t *key, size_t len);

#endif
