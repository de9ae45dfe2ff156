/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/front.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <string.h>

static const char magic[8] = "SNTFRNT1";

struct head {
	char magic[8];
	uint32_t journal_id, n;
	uint64_t before, t_ns;
	uint32_t bytes;	     /* of all, without what fills the last block */
	uint32_t item_bytes; /* another build's items are not read */
	uint8_t digest[SHA256_DIGEST_SIZE];
};

struct item {
	uint8_t epoch[8];
	uint32_t ring_id, evidence_len;
	char rule_name[RULE_NAME_MAX];
	struct event_vet vet;
	struct alert_record record;
};

_Static_assert(sizeof(struct head) + FRONT_ENTRIES * (sizeof(struct item) + FRONT_EVIDENCE) <= FRONT_BYTES, "the largest fits");

static void
digest_of(const struct head *h, const uint8_t *bytes, uint8_t out[SHA256_DIGEST_SIZE])
{
	struct sha256_ctx sha;
	struct head blank = *h;
	memset(blank.digest, 0, sizeof blank.digest);
	sha256_init(&sha);
	sha256_update(&sha, sizeof blank, (const uint8_t *)&blank);
	sha256_update(&sha, h->bytes - sizeof *h, bytes + sizeof *h);
	sha256_digest(&sha, SHA256_DIGEST_SIZE, out);
}

bool
front_takes(const struct batch *b)
{
	if (b->n == 0 || b->n > FRONT_ENTRIES)
		return false;
	for (uint32_t i = 0; i < b->n; i++) {
		const struct entry *e = &b->e[i];
		if (e->loss || e->notice || entry_is_verdict(e) || e->evidence_len > FRONT_EVIDENCE)
			return false;
	}
	return true;
}

uint32_t
front_encode(const struct front_place *p, const struct batch *b, uint8_t out[FRONT_BYTES])
{
	uint32_t at = sizeof(struct head);
	for (uint32_t i = 0; i < b->n; i++) {
		const struct entry *e = &b->e[i];
		struct item t = {.ring_id = e->ring_id, .evidence_len = e->evidence_len, .vet = e->vet, .record = e->record};
		memcpy(t.epoch, e->epoch, sizeof t.epoch);
		memcpy(t.rule_name, e->rule_name, sizeof t.rule_name);
		memcpy(out + at, &t, sizeof t);
		memcpy(out + at + sizeof t, b->evidence + e->evidence_at, e->evidence_len);
		at += (uint32_t)sizeof t + e->evidence_len;
	}
	struct head h = {
		.journal_id = p->journal_id, .n = b->n, .before = p->before, .t_ns = p->t_ns, .bytes = at, .item_bytes = sizeof(struct item)};
	memcpy(h.magic, magic, sizeof magic);
	digest_of(&h, out, h.digest);
	memcpy(out, &h, sizeof h);
	uint32_t whole = (at + FRONT_BLOCK - 1) / FRONT_BLOCK * FRONT_BLOCK;
	memset(out + at, 0, whole - at);
	return whole;
}

static bool
take_item(const uint8_t *in, uint32_t end, uint32_t *at, uint64_t t_ns, struct batch *b)
{
	struct item t;
	if (end - *at < sizeof t)
		return false;
	memcpy(&t, in + *at, sizeof t);
	*at += sizeof t;
	if (t.evidence_len > FRONT_EVIDENCE || t.evidence_len > end - *at || memchr(t.rule_name, '\0', sizeof t.rule_name) == NULL || t.record.seq == 0 ||
		alert_record_check(&t.record) != 0 || event_vet_check(&t.vet) != 0 || t.vet.node > VET_ASKED)
		return false;
	struct entry *e = batch_entry(b, t.epoch, t.ring_id);
	e->record = t.record;
	e->vet = t.vet;
	e->from = e->to = t.record.seq;
	e->front_ns = t_ns;
	memcpy(e->rule_name, t.rule_name, sizeof e->rule_name);
	e->evidence_at = b->evidence_n;
	e->evidence_len = t.evidence_len;
	memcpy(b->evidence + b->evidence_n, in + *at, t.evidence_len);
	b->evidence_n += t.evidence_len;
	*at += t.evidence_len;
	return true;
}

int
front_decode(const uint8_t *in, size_t n, struct front_place *p, uint32_t *n_held, struct batch *b)
{
	struct head h;
	uint8_t digest[SHA256_DIGEST_SIZE];
	if (n < sizeof h)
		return -EBADMSG;
	memcpy(&h, in, sizeof h);
	if (memcmp(h.magic, magic, sizeof magic) != 0 || h.bytes < sizeof h || h.bytes > n)
		return -EBADMSG;
	digest_of(&h, in, digest);
	if (memcmp(digest, h.digest, sizeof digest) != 0)
		return -EBADMSG;
	*p = (struct front_place){h.journal_id, h.before, h.t_ns};
	*n_held = h.n;
	uint32_t at = sizeof h;
	bool ok = h.item_bytes == sizeof(struct item) && h.n > 0 && h.n <= FRONT_ENTRIES && h.t_ns != 0 && h.before < INT64_MAX;
	for (uint32_t i = 0; ok && i < h.n; i++)
		ok = take_item(in, h.bytes, &at, h.t_ns, b);
	if (ok && at == h.bytes)
		return 0;
	b->n = 0;
	b->evidence_n = 0;
	return -EPROTO;
}
