/* SPDX-License-Identifier: BSD-3-Clause */
#include "reference.h"

#include <string.h>

/* One RLP item at p: its payload; returns the bytes it takes. For lists that tx_decode has passed. */
static uint32_t
item(const uint8_t *p, const uint8_t **payload, uint32_t *n)
{
	uint32_t c = p[0], head = 1;
	if (c < 0x80) {
		*payload = p;
		*n = 1;
		return 1;
	}
	c -= c >= 0xc0 ? 0xc0 : 0x80;
	*n = c;
	if (c > 55) {
		*n = 0;
		for (uint32_t i = 0; i < c - 55; i++)
			*n = *n << 8 | p[1 + i];
		head = 1 + c - 55;
	}
	*payload = p + head;
	return head + *n;
}

static bool
in_list(struct span list, unsigned which, const uint8_t *value)
{
	for (uint32_t at = 0; at < list.len;) {
		const uint8_t *entry, *field;
		uint32_t n, m, inner = 0;
		at += item(list.p + at, &entry, &n);
		for (unsigned i = 0; i < which; i++)
			inner += item(entry + inner, &field, &m);
		item(entry + inner, &field, &m);
		if (m == 20 && memcmp(field, value, 20) == 0)
			return true;
	}
	return false;
}

static bool
anywhere(struct span in, const uint8_t *value, uint32_t len)
{
	for (uint32_t at = 0; at + len <= in.len; at++)
		if (memcmp(in.p + at, value, len) == 0)
			return true;
	return false;
}

/* Is `value` what a PUSH at `at` puts on the stack: all of it, or without its leading zeros? */
static bool
pushes(struct span code, uint32_t at, const uint8_t *value, uint32_t len)
{
	uint32_t zeros = 0, n = code.p[at] - 0x5fu;
	while (zeros + 1 < len && value[zeros] == 0)
		zeros++;
	if (code.p[at] < 0x60 || code.p[at] > 0x7f || n > code.len - at - 1)
		return false;
	return (n == len || n == len - zeros) && memcmp(code.p + at + 1, value + len - n, n) == 0;
}

static bool
pushes_shifted(struct span code, uint32_t at, const uint8_t sel[4])
{
	uint32_t v = (uint32_t)sel[0] << 24 | (uint32_t)sel[1] << 16 | (uint32_t)sel[2] << 8 | sel[3], k = 0,
		 n = 0, got = 0;
	while ((v & 1) == 0) {
		v >>= 1;
		k++;
	}
	for (uint32_t x = v; x > 0; x >>= 8)
		n++;
	if (k == 0 || code.p[at] != 0x5f + n || code.len - at < n + 4)
		return false;
	for (uint32_t i = 0; i < n; i++)
		got = got << 8 | code.p[at + 1 + i];
	const uint8_t *then = code.p + at + 1 + n;
	return got == v && then[0] == 0x60 && then[1] == 0xe0 + k && then[2] == 0x1b;
}

static bool
push_selector(struct span code, const uint8_t sel[4])
{
	uint8_t word[32] = {0};
	memcpy(word, sel, 4);
	for (uint32_t at = 0; at < code.len; at++)
		if (pushes(code, at, sel, 4) || pushes(code, at, word, 32) || pushes_shifted(code, at, sel))
			return true;
	return false;
}

static bool
arg(struct span data, const uint8_t *value, uint32_t len)
{
	for (uint32_t word = 0; 4 + 32 * (word + 1) <= data.len; word++)
		if (memcmp(data.p + 4 + 32 * word + 32 - len, value, len) == 0)
			return true;
	return false;
}

bool
reference_matches(const struct tx *t, enum rule_field field, const uint8_t *value, uint32_t len)
{
	bool call = t->to.len == 20;
	switch (field) {
	case FIELD_TO:
		return call && memcmp(t->to.p, value, 20) == 0;
	case FIELD_SELECTOR:
		return call && t->data.len >= 4 && memcmp(t->data.p, value, 4) == 0;
	case FIELD_INPUT:
		return call && anywhere(t->data, value, len);
	case FIELD_ARG:
		return call && arg(t->data, value, len);
	case FIELD_INIT_CODE:
		return !call && anywhere(t->data, value, len);
	case FIELD_PUSH_SELECTOR:
		return !call && push_selector(t->data, value);
	case FIELD_PUSH_ADDRESS:
		for (uint32_t at = 0; !call && at < t->data.len; at++)
			if (pushes(t->data, at, value, 20))
				return true;
		return false;
	case FIELD_ACCESS_LIST:
		return in_list(t->access_list, 0, value);
	case FIELD_AUTHORIZATION:
		return in_list(t->auth_list, 1, value);
	default:
		return false;
	}
}

void
reference_scalar(const struct tx *t, enum rule_scalar which, uint32_t bundle_len,
	const struct rule_facts *facts, uint8_t out[32])
{
	uint64_t small[SCALAR_COUNT] = {[SCALAR_GAS] = t->gas,
		[SCALAR_NONCE] = t->nonce,
		[SCALAR_TYPE] = t->type,
		[SCALAR_CHAIN_ID] = t->has_chain_id ? t->chain_id : 0,
		[SCALAR_DATA_LEN] = t->data.len,
		[SCALAR_ACCESS_ENTRIES] = t->n_access,
		[SCALAR_AUTHORIZATIONS] = t->n_auth,
		[SCALAR_BLOBS] = t->n_blobs,
		[SCALAR_BUNDLE_LEN] = bundle_len};
	struct span be = {NULL, 0};
	if (facts != NULL && which > SCALAR_BUNDLE_LEN)
		small[which] = facts->number[which];
	if (which == SCALAR_VALUE)
		be = t->value;
	else if (which == SCALAR_FEE_CAP)
		be = t->fee_cap;
	else if (which == SCALAR_TIP_CAP)
		be = t->tip_cap;
	memset(out, 0, 32);
	for (uint32_t i = 0; i < be.len; i++)
		out[32 - be.len + i] = be.p[i];
	for (unsigned i = 0; i < 8 && be.p == NULL; i++)
		out[31 - i] = (uint8_t)(small[which] >> 8 * i);
}

struct tx
reference_call(const struct tx *t, const struct calls *calls, uint32_t i, const struct rule_facts *facts,
	struct rule_facts *its)
{
	static const uint8_t nobody[20];
	struct tx inner = *t;
	*its = facts != NULL ? *facts : (struct rule_facts){.tx = NULL};
	if (i == 0)
		return inner;
	its->number[SCALAR_CALL_DEPTH] = calls->call[i].depth;
	inner.to = calls->call[i].to;
	if (inner.to.len == 0 && calls->call[i].kind < CALL_CREATE)
		inner.to = (struct span){nobody, 20}; /* it goes to somebody, who is not told */
	inner.data = calls->call[i].data;
	inner.value = calls->call[i].value;
	return inner;
}
