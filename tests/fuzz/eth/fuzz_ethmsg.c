/* SPDX-License-Identifier: BSD-3-Clause */
/* A message of eth: a code, then its payload. What is reported lies in the payload, in order; what is refused
 * reports nothing; a guess is a message that reads. */
#include "eth/ethmsg.h"
#include "eth/tx.h"

#include <assert.h>
#include <stddef.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	struct span all;
	uint32_t n, next;
	const uint8_t *last;
};

static void
take(void *ctx, const struct ethmsg_item *it)
{
	struct seen *s = ctx;
	const uint8_t *end = s->all.p + s->all.len;
	s->n++;
	assert(it->index < it->count);
	if (it->raw.len > 0) {
		assert(it->raw.p >= s->all.p && it->raw.p + it->raw.len <= end && it->raw.p > s->last);
		assert(it->raw.p[0] < 0x80 || it->raw.p[0] >= 0xc0);
		s->last = it->raw.p;
		struct tx t;
		if (tx_decode(it->raw, &t) == 0)
			assert(t.type <= TX_7702);
	}
	if (it->hash != NULL) {
		assert(it->hash >= s->all.p && it->hash + 32 <= end && it->hash > s->last);
		s->last = it->hash;
	}
	if (it->header.len > 0)
		assert(it->header.p >= s->all.p && it->header.p + it->header.len <= end &&
			it->header.p[0] >= 0xc0);
	assert(it->raw.len > 0 || it->hash != NULL || it->header.len > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	struct span payload = {data + 1, (uint32_t)(size - 1)};
	struct seen s = {.all = payload};
	uint64_t over = 0;
	enum ethmsg_status status = ethmsg_read(data[0], payload, take, &s, &over);
	assert(status == ETHMSG_OK || s.n == 0);
	bool sure = false;
	int code = ethmsg_guess(payload, &sure);
	assert(code >= 0 || !sure);
	s = (struct seen){.all = payload};
	if (sure)
		assert(ethmsg_read((unsigned)code, payload, take, &s, &over) == ETHMSG_OK && s.n > 0);
	return 0;
}
