/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void
put_u64(struct sha256_ctx *sha, uint64_t v)
{
	uint8_t b[8];
	for (unsigned i = 0; i < 8; i++)
		b[i] = (uint8_t)(v >> 8 * i);
	sha256_update(sha, sizeof b, b);
}

static void
put_text(struct sha256_ctx *sha, const char *s)
{
	sha256_update(sha, strlen(s) + 1, (const uint8_t *)s);
}

void
audit_hash(const uint8_t prev[AUDIT_HASH_BYTES], uint64_t n, uint64_t time_ns, const char *kind,
	const char *detail, uint8_t hash[AUDIT_HASH_BYTES])
{
	struct sha256_ctx sha;
	sha256_init(&sha);
	sha256_update(&sha, AUDIT_HASH_BYTES, prev);
	put_u64(&sha, n);
	put_u64(&sha, time_ns);
	put_text(&sha, kind);
	put_text(&sha, detail);
	sha256_digest(&sha, AUDIT_HASH_BYTES, hash);
}

void
audit_digest_begin(struct audit_digest *d)
{
	*d = (struct audit_digest){0};
	sha256_init(&d->sha);
}

static void
put_place(struct audit_digest *d, uint64_t cursor, uint64_t t_journaled_ns, const uint8_t epoch[8],
	uint32_t ring_id)
{
	if (d->first == 0)
		d->first = cursor;
	d->last = cursor;
	put_u64(&d->sha, cursor);
	put_u64(&d->sha, t_journaled_ns);
	sha256_update(&d->sha, 8, epoch);
	put_u64(&d->sha, ring_id);
}

void
audit_digest_record(struct audit_digest *d, uint64_t cursor, uint64_t t_journaled_ns, const uint8_t epoch[8],
	uint32_t ring_id, const struct alert_record *r, const struct event_vet *vet)
{
	put_place(d, cursor, t_journaled_ns, epoch, ring_id);
	sha256_update(&d->sha, 1, (const uint8_t *)(vet->node == VET_NONE ? "A" : "V"));
	sha256_update(&d->sha, sizeof *r, (const uint8_t *)r);
	if (vet->node != VET_NONE)
		sha256_update(&d->sha, sizeof *vet, (const uint8_t *)vet);
}

void
audit_digest_loss(struct audit_digest *d, uint64_t cursor, uint64_t t_journaled_ns, const uint8_t epoch[8],
	uint32_t ring_id, uint64_t from, uint64_t to, const char *reason)
{
	put_place(d, cursor, t_journaled_ns, epoch, ring_id);
	sha256_update(&d->sha, 1, (const uint8_t *)"L");
	put_u64(&d->sha, from);
	put_u64(&d->sha, to);
	put_text(&d->sha, reason);
}

void
audit_digest_end(struct audit_digest *d, char *out)
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	sha256_digest(&d->sha, sizeof digest, digest);
	int n = snprintf(out, AUDIT_DETAIL_MAX,
		"{\"first\":\"%" PRIu64 "\",\"last\":\"%" PRIu64 "\",\"digest\":\"", d->first, d->last);
	for (unsigned i = 0; i < sizeof digest; i++)
		n += snprintf(out + n, AUDIT_DETAIL_MAX - (size_t)n, "%02x", digest[i]);
	snprintf(out + n, AUDIT_DETAIL_MAX - (size_t)n, "\"}");
}
