/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/txobj.h"

#include "eth/rlp.h"
#include "eth/tx.h"
#include "eth/tx_build.h"
#include "wire/hex.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_GAS 1000000u

/* Bytes of fields while they are read; freed as one. */
struct reader {
	uint8_t *arena;
	size_t used, cap;
	char *err;
	size_t err_cap;
	int rc; /* the first error */
};

__attribute__((format(printf, 3, 4))) static int
refuse(struct reader *r, int rc, const char *fmt, ...)
{
	va_list ap;
	if (r->rc != 0)
		return r->rc;
	va_start(ap, fmt);
	vsnprintf(r->err, r->err_cap, fmt, ap);
	va_end(ap);
	r->rc = rc;
	return rc;
}

static bool
has_0x(const char *s, size_t n)
{
	return n >= 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
}

static int
take_hex(struct reader *r, const json_t *v, const char *field, uint8_t *out, size_t want, size_t cap)
{
	const char *s = json_string_value(v);
	size_t n = json_string_length(v);
	if (s == NULL || !has_0x(s, n))
		return refuse(r, -EINVAL, "%s must be a string of 0x and hex digits", field);
	s += 2;
	n -= 2;
	if (n % 2 != 0)
		return refuse(r, -EINVAL, "%s has an odd number of hex digits", field);
	if (want != 0 && n != 2 * want)
		return refuse(r, -EINVAL, "%s must be %zu bytes, not %zu", field, want, n / 2);
	if (n / 2 > cap)
		return refuse(r, -EMSGSIZE, "%s makes the transaction longer than any node accepts", field);
	if (hex_decode((const uint8_t *)s, n, out) != n)
		return refuse(r, -EINVAL, "%s has a character that is no hex digit", field);
	return (int)(n / 2);
}

int
txobj_bytes(const struct json_t *v, const char *field, uint8_t *out, size_t want, size_t cap, char *err, size_t err_cap)
{
	struct reader r = {.err = err, .err_cap = err_cap};
	return take_hex(&r, v, field, out, want, cap);
}

/* A member that is there and not null. */
static const json_t *
member(const json_t *o, const char *field)
{
	const json_t *v = json_object_get(o, field);
	return json_is_null(v) ? NULL : v;
}

static struct span
bytes_of(struct reader *r, const json_t *v, const char *field, size_t want)
{
	uint8_t *at = r->arena + r->used;
	int n = r->rc != 0 ? r->rc : take_hex(r, v, field, at, want, r->cap - r->used);
	if (n < 0)
		return (struct span){0};
	r->used += (size_t)n;
	return (struct span){at, (uint32_t)n};
}

/* word = word * base + digit; false if it leaves 256 bits. */
static bool
push_digit(uint8_t word[32], unsigned base, unsigned digit)
{
	unsigned carry = digit;
	for (int i = 31; i >= 0; i--) {
		carry += word[i] * base;
		word[i] = (uint8_t)carry;
		carry >>= 8;
	}
	return carry == 0;
}

static int
word_of(struct reader *r, const json_t *v, const char *field, uint8_t word[32])
{
	char number[24];
	const char *s = json_string_value(v);
	size_t n = json_string_length(v);
	memset(word, 0, 32);
	if (json_is_integer(v)) {
		snprintf(number, sizeof number, "%lld", (long long)json_integer_value(v));
		s = number;
		n = strlen(number);
	}
	bool hex = s != NULL && has_0x(s, n);
	size_t i = hex ? 2 : 0;
	if (s == NULL || i == n)
		return refuse(r, -EINVAL, "%s must be a number: 0x and hex digits, or decimal", field);
	for (; i < n; i++) {
		unsigned d = hex_value[(uint8_t)s[i]];
		if (d > (hex ? 15 : 9))
			return refuse(r, -EINVAL, "%s must be a number: 0x and hex digits, or decimal", field);
		if (!push_digit(word, hex ? 16 : 10, d))
			return refuse(r, -EINVAL, "%s is larger than 256 bits", field);
	}
	return 0;
}

/* The quantity as a big-endian span without leading zeros; empty if the field is not there. */
static struct span
quantity(struct reader *r, const json_t *o, const char *field)
{
	const json_t *v = member(o, field);
	if (v == NULL || r->rc != 0)
		return (struct span){0};
	if (r->cap - r->used < 32) {
		refuse(r, -EMSGSIZE, "the transaction is longer than any node accepts");
		return (struct span){0};
	}
	uint8_t *word = r->arena + r->used;
	if (word_of(r, v, field, word) != 0)
		return (struct span){0};
	r->used += 32;
	struct span s = {word, 32};
	while (s.len > 1 && s.p[0] == 0) { /* one digit stays: zero is something else than nothing */
		s.p++;
		s.len--;
	}
	return s;
}

static uint64_t
u64_of(struct reader *r, const json_t *o, const char *field, uint64_t missing)
{
	struct span s = quantity(r, o, field);
	uint64_t v = 0;
	if (s.len == 0)
		return missing;
	if (s.len > 8)
		refuse(r, -EINVAL, "%s is larger than 64 bits", field);
	for (uint32_t i = 0; i < s.len && i < 8; i++)
		v = v << 8 | s.p[i];
	return v;
}

/* The member as a list, NULL if it is not there. */
static const json_t *
list_of(struct reader *r, const json_t *o, const char *field)
{
	const json_t *v = member(o, field);
	if (v != NULL && !json_is_array(v))
		refuse(r, -EINVAL, "%s must be a list", field);
	return json_is_array(v) ? v : NULL;
}

/* Where an RLP list payload is written: behind what is read so far, in the half of the arena kept for it. */
static struct span
close_payload(struct reader *r, const struct rlp_out *out)
{
	if (out->full)
		refuse(r, -EMSGSIZE, "the transaction is longer than any node accepts");
	return r->rc != 0 ? (struct span){0} : (struct span){out->p, (uint32_t)out->n};
}

static void
put_access(struct reader *r, struct rlp_out *out, const json_t *entry)
{
	size_t at, mark = r->used;
	const json_t *key, *keys = list_of(r, entry, "storageKeys");
	size_t list = rlp_list_begin(out);
	rlp_put_string(out, bytes_of(r, member(entry, "address"), "accessList.address", 20));
	size_t inner = rlp_list_begin(out);
	json_array_foreach((json_t *)(uintptr_t)keys, at, key) {
		r->used = mark;
		rlp_put_string(out, bytes_of(r, key, "accessList.storageKeys", 32));
	}
	rlp_list_end(out, inner);
	rlp_list_end(out, list);
	r->used = mark;
}

static void
put_authorization(struct reader *r, struct rlp_out *out, const json_t *entry)
{
	size_t mark = r->used, list = rlp_list_begin(out);
	rlp_put_int(out, quantity(r, entry, "chainId"));
	rlp_put_string(out, bytes_of(r, member(entry, "address"), "authorizationList.address", 20));
	rlp_put_int(out, quantity(r, entry, "nonce"));
	rlp_put_int(out, quantity(r, entry, member(entry, "yParity") ? "yParity" : "v"));
	rlp_put_int(out, quantity(r, entry, "r"));
	rlp_put_int(out, quantity(r, entry, "s"));
	rlp_list_end(out, list);
	r->used = mark;
}

static void
put_blob_hash(struct reader *r, struct rlp_out *out, const json_t *entry)
{
	size_t mark = r->used;
	rlp_put_string(out, bytes_of(r, entry, "blobVersionedHashes", 32));
	r->used = mark;
}

typedef void (*put_entry)(struct reader *r, struct rlp_out *out, const json_t *entry);

static struct span
payload_of(struct reader *r, const json_t *o, const char *field, bool objects, put_entry put, struct rlp_out *room)
{
	size_t at;
	const json_t *entry, *list = list_of(r, o, field);
	struct rlp_out out = {room->p + room->n, 0, room->cap - room->n, false};
	json_array_foreach((json_t *)(uintptr_t)list, at, entry) {
		if (r->rc != 0)
			break;
		if (objects && !json_is_object(entry))
			refuse(r, -EINVAL, "%s must be a list of objects", field);
		else
			put(r, &out, entry);
	}
	struct span s = close_payload(r, &out);
	room->n += s.len;
	return s;
}

static uint8_t
type_of(struct reader *r, const json_t *o)
{
	uint64_t t = u64_of(r, o, "type", UINT64_MAX);
	if (t == UINT64_MAX)
		return member(o, "authorizationList")				     ? TX_7702
		       : member(o, "blobVersionedHashes") || member(o, "maxFeePerBlobGas") ? TX_4844
		       : member(o, "maxFeePerGas") || member(o, "maxPriorityFeePerGas")	     ? TX_1559
		       : member(o, "accessList")					     ? TX_2930
											     : TX_LEGACY;
	if (t > TX_7702)
		refuse(r, -EINVAL, "type must be 0 to 4");
	return (uint8_t)t;
}

/* No recipient: absent, null, or, from some clients, an empty string or 0x. */
static struct span
to_of(struct reader *r, const json_t *o)
{
	const json_t *to = member(o, "to");
	const char *s = json_string_value(to);
	if (to == NULL || (s != NULL && (strcmp(s, "") == 0 || strcmp(s, "0x") == 0)))
		return (struct span){0};
	return bytes_of(r, to, "to", 20);
}

static struct span
data_of(struct reader *r, const json_t *o)
{
	const json_t *input = member(o, "input"), *data = member(o, "data");
	struct span a = {0}, b = {0};
	if (input != NULL)
		a = bytes_of(r, input, "input", 0);
	if (data != NULL) {
		size_t mark = r->used;
		b = bytes_of(r, data, "data", 0);
		if (input != NULL) {
			r->used = mark;
			if (a.len != b.len || (a.len != 0 && memcmp(a.p, b.p, a.len) != 0))
				refuse(r, -EINVAL, "input and data disagree");
		}
	}
	return input != NULL ? a : b;
}

static bool
is_zero(struct span s)
{
	for (uint32_t i = 0; i < s.len; i++)
		if (s.p[i] != 0)
			return false;
	return true;
}

static void
take_claim(struct reader *r, const json_t *o, struct claim *c)
{
	const json_t *hash = member(o, "hash"), *from = member(o, "from");
	if (hash != NULL && take_hex(r, hash, "hash", c->hash, 32, 32) == 32)
		c->has |= CLAIM_HASH;
	if (from != NULL && take_hex(r, from, "from", c->from, 20, 20) == 20)
		c->has |= CLAIM_FROM;
	if (member(o, "nonce") == NULL)
		c->has |= CLAIM_NO_NONCE;
}

/* The signature, or one made up of what is claimed. */
static void
take_signature(struct reader *r, const json_t *o, struct tx_fields *f, struct claim *c, bool chain_known)
{
	f->r = quantity(r, o, "r");
	f->s = quantity(r, o, "s");
	f->v = quantity(r, o, f->type != TX_LEGACY && member(o, "yParity") ? "yParity" : "v");
	if ((f->r.len == 0) != (f->s.len == 0))
		refuse(r, -EINVAL, "%s is missing: a signature has r and s", f->r.len == 0 ? "r" : "s");
	if (f->r.len != 0 && f->v.len == 0)
		refuse(r, -EINVAL, "v is missing: a signature has v, r and s");
	if (f->r.len != 0 && !(is_zero(f->r) && is_zero(f->s)))
		return;
	c->has |= CLAIM_UNSIGNED;
	f->r = f->s = (struct span){0};
	if ((c->has & CLAIM_HASH) && !is_zero((struct span){c->hash, 32}))
		f->r = (struct span){c->hash, 32};
	if ((c->has & CLAIM_FROM) && !is_zero((struct span){c->from, 20}))
		f->s = (struct span){c->from, 20};
	static const uint8_t one = 1, unprotected = 27, even = 0;
	if (f->r.len == 0)
		f->r = (struct span){&one, 1};
	if (f->s.len == 0)
		f->s = (struct span){&one, 1};
	if (f->type != TX_LEGACY)
		f->v = (struct span){&even, 1};
	else if (f->v.len == 0 || is_zero(f->v))
		f->v = (struct span){&unprotected, 1};
	if (!chain_known)
		c->has |= CLAIM_NO_CHAIN;
}

/* EIP-155's v for a legacy transaction whose chain is given and whose signature is not: 35 + 2 * chain. */
static void
protect(struct reader *r, const json_t *o, struct tx_fields *f)
{
	if (f->type != TX_LEGACY || member(o, "v") != NULL || f->chain_id.len == 0 || r->rc != 0)
		return;
	uint8_t *word = r->arena + r->used;
	if (r->cap - r->used < 32) {
		refuse(r, -EMSGSIZE, "the transaction is longer than any node accepts");
		return;
	}
	memset(word, 0, 32);
	memcpy(word + 32 - f->chain_id.len, f->chain_id.p, f->chain_id.len);
	r->used += 32;
	if (push_digit(word, 2, 35))
		f->v = (struct span){word, 32};
	else
		refuse(r, -EINVAL, "chainId is too large");
}

static void
take_fields(struct reader *r, const json_t *o, struct tx_fields *f, struct claim *c, struct rlp_out *room)
{
	static const uint8_t mainnet = 1;
	f->type = type_of(r, o);
	f->chain_id = quantity(r, o, "chainId");
	bool chain_known = f->chain_id.len != 0;
	f->nonce = u64_of(r, o, "nonce", 0);
	f->gas = u64_of(r, o, member(o, "gas") ? "gas" : "gasLimit", DEFAULT_GAS);
	bool dynamic = f->type >= TX_1559 && (member(o, "maxFeePerGas") || !member(o, "gasPrice"));
	f->fee_cap = quantity(r, o, dynamic ? "maxFeePerGas" : "gasPrice");
	f->tip_cap = f->type >= TX_1559 ? quantity(r, o, "maxPriorityFeePerGas") : f->fee_cap;
	f->to = to_of(r, o);
	f->value = quantity(r, o, "value");
	f->data = data_of(r, o);
	f->blob_fee_cap = quantity(r, o, "maxFeePerBlobGas");
	f->access_list = payload_of(r, o, "accessList", true, put_access, room);
	f->blob_hashes = payload_of(r, o, "blobVersionedHashes", false, put_blob_hash, room);
	f->auth_list = payload_of(r, o, "authorizationList", true, put_authorization, room);
	take_claim(r, o, c);
	take_signature(r, o, f, c, chain_known);
	if (c->has & CLAIM_UNSIGNED)
		protect(r, o, f);
	if (f->type != TX_LEGACY && !chain_known)
		f->chain_id = (struct span){&mainnet, 1};
}

int
txobj_json(const struct json_t *o, uint8_t *raw, size_t cap, struct claim *claim, char *err, size_t err_cap)
{
	struct claim none;
	struct reader r = {.err = err, .err_cap = err_cap, .cap = cap + 1024};
	struct tx_fields f = {0};
	struct claim *c = claim ? claim : &none;
	memset(c, 0, sizeof *c);
	if (!json_is_object(o))
		return refuse(&r, -EINVAL, "a transaction must be an object");
	if (member(o, "raw") != NULL)
		return take_hex(&r, member(o, "raw"), "raw", raw, 0, cap);
	uint8_t *memory = malloc(2 * r.cap);
	if (memory == NULL)
		return refuse(&r, -ENOMEM, "no memory");
	r.arena = memory;
	struct rlp_out room = {memory + r.cap, 0, r.cap, false};
	take_fields(&r, o, &f, c, &room);
	int n = r.rc != 0 ? r.rc : tx_build(&f, raw, cap);
	if (n == -ENOSPC)
		n = refuse(&r, -EMSGSIZE, "the transaction is longer than any node accepts");
	free(memory);
	return n;
}

/* Copies JSON text with quotes around every integer of more than 18 digits. out: 2 * n bytes. Returns the length. */
static size_t
quote_long_integers(const char *text, size_t n, char *out)
{
	bool string = false;
	size_t k = 0;
	for (size_t i = 0; i < n;) {
		size_t digits = 0;
		bool begins = !string && (i == 0 || strchr(" \t\r\n:,[", text[i - 1]) != NULL);
		while (begins && i + digits < n && text[i + digits] >= '0' && text[i + digits] <= '9')
			digits++;
		bool integer = i + digits == n || strchr(".eE", text[i + digits]) == NULL;
		if (digits > 18 && integer) {
			out[k++] = '"';
			memcpy(out + k, text + i, digits);
			k += digits;
			out[k++] = '"';
			i += digits;
			continue;
		}
		if (string && text[i] == '\\' && i + 1 < n)
			out[k++] = text[i++];
		else if (text[i] == '"')
			string = !string;
		out[k++] = text[i++];
	}
	return k;
}

json_t *
txobj_load(const char *text, size_t n, char *err, size_t err_cap)
{
	json_error_t e;
	json_t *v = json_loadb(text, n, JSON_REJECT_DUPLICATES, &e);
	if (v == NULL && json_error_code(&e) == json_error_numeric_overflow) {
		char *quoted = malloc(2 * n);
		if (quoted != NULL)
			v = json_loadb(quoted, quote_long_integers(text, n, quoted), JSON_REJECT_DUPLICATES, &e);
		free(quoted);
	}
	if (v == NULL)
		snprintf(err, err_cap, "not JSON: %.180s (column %d)", e.text, e.column);
	return v;
}

int
txobj_claimed(const char *text, size_t n, uint8_t *raw, size_t cap, struct claim *claim, char *err, size_t err_cap)
{
	json_t *o = txobj_load(text, n, err, err_cap);
	if (o == NULL)
		return -EINVAL;
	int rc = txobj_json(o, raw, cap, claim, err, err_cap);
	json_decref(o);
	return rc;
}

int
txobj_parse(const char *text, size_t n, uint8_t *raw, size_t cap, char *err, size_t err_cap)
{
	return txobj_claimed(text, n, raw, cap, NULL, err, err_cap);
}
