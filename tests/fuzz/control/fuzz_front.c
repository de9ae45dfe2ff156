/* SPDX-License-Identifier: BSD-3-Clause */
/* The front as found on disk. First byte odd: its digest is made right first, so that what lies behind it is read. What is taken is written again as it
 * was, and is what the journal takes. */
#include "control/front.h"

#include <assert.h>
#include <errno.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_AT 32u
#define DIGEST_AT 40u
#define HEAD 72u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
make_right(uint8_t *in, size_t n)
{
	struct sha256_ctx sha;
	uint32_t bytes;
	if (n < HEAD)
		return;
	memcpy(&bytes, in + BYTES_AT, sizeof bytes);
	bytes = bytes < HEAD || bytes > n ? (uint32_t)n : bytes;
	memcpy(in + BYTES_AT, &bytes, sizeof bytes);
	memset(in + DIGEST_AT, 0, SHA256_DIGEST_SIZE);
	sha256_init(&sha);
	sha256_update(&sha, bytes, in);
	sha256_digest(&sha, SHA256_DIGEST_SIZE, in + DIGEST_AT);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct batch b;
	static uint8_t again[FRONT_BYTES];
	struct front_place p;
	if (size < 1 || size > FRONT_BYTES)
		return 0;
	if (b.e == NULL && batch_new(&b) != 0)
		abort();
	uint32_t held = 0;
	uint8_t *in = malloc(size > 1 ? size - 1 : 1); /* exactly: nothing is read behind it */
	memcpy(in, data + 1, size - 1);
	if (data[0] & 1)
		make_right(in, size - 1);
	b.n = b.evidence_n = 0;
	int rc = front_decode(in, size - 1, &p, &held, &b);
	assert(rc == 0 || rc == -EBADMSG || rc == -EPROTO);
	if (rc == 0) {
		uint32_t bytes;
		memcpy(&bytes, in + BYTES_AT, sizeof bytes);
		assert(front_takes(&b) && p.t_ns != 0 && held == b.n);
		for (uint32_t i = 0; i < b.n; i++)
			assert(b.e[i].front_ns == p.t_ns && alert_record_check(&b.e[i].record) == 0);
		uint32_t n = front_encode(&p, &b, again);
		assert(n % FRONT_BLOCK == 0 && n >= bytes && n - bytes < FRONT_BLOCK && memcmp(in, again, bytes) == 0);
	} else {
		assert(b.n == 0 && b.evidence_n == 0);
	}
	free(in);
	return 0;
}
