/* SPDX-License-Identifier: BSD-3-Clause */
/* audit: the hash chain over what control did and journaled. Each entry holds the hash of the one before it:
 *
 *   hash = SHA-256(prev || n || time_ns || kind || 0 || detail || 0)      integers: 8 bytes, little endian
 *
 * A "batch" entry stands for the events of one transaction: its detail is
 * {"first":"<cursor>","last":"<cursor>","digest":"<hex>"}, and its digest is the SHA-256 over their canonical
 * bytes in order of cursor:
 *
 *   cursor || t_journaled_ns || epoch[8] || ring || 'A' || the 1216 bytes of the record
 *   cursor || t_journaled_ns || epoch[8] || ring || 'V' || the 1216 bytes of the record || the 16 of struct event_vet
 *   cursor || t_journaled_ns || epoch[8] || ring || 'L' || from || to || reason || 0 */
#ifndef CONTROL_AUDIT_H
#define CONTROL_AUDIT_H

#include "abi/alert.h"
#include "abi/event.h"

#include <nettle/sha2.h>
#include <stddef.h>
#include <stdint.h>

#define AUDIT_HASH_BYTES 32
#define AUDIT_KIND_MAX 32
#define AUDIT_DETAIL_MAX 384

void audit_hash(const uint8_t prev[AUDIT_HASH_BYTES], uint64_t n, uint64_t time_ns, const char *kind,
	const char *detail, uint8_t hash[AUDIT_HASH_BYTES]);

struct audit_digest {
	struct sha256_ctx sha;
	uint64_t first, last; /* cursors; 0: nothing yet */
};

void audit_digest_begin(struct audit_digest *d);
/* vet: as in its row; VET_NONE: an 'A'. */
void audit_digest_record(struct audit_digest *d, uint64_t cursor, uint64_t t_journaled_ns,
	const uint8_t epoch[8], uint32_t ring_id, const struct alert_record *r, const struct event_vet *vet);
void audit_digest_loss(struct audit_digest *d, uint64_t cursor, uint64_t t_journaled_ns,
	const uint8_t epoch[8], uint32_t ring_id, uint64_t from, uint64_t to, const char *reason);
/* audit_digest_end writes the detail of a "batch" entry; out >= AUDIT_DETAIL_MAX bytes. */
void audit_digest_end(struct audit_digest *d, char *out);

/* audit_verify walks the chain over all journal files of `dir`, oldest first, and compares every batch with
 * the rows it stands for. 0; -EBADMSG: something was changed, removed or put in, err says where; or -errno.
 * The first file's starting hash is taken on trust, as the files before it may have been retired. *entries:
 * the number of the last entry that held. Reads only. */
int audit_verify(const char *dir, uint64_t *entries, char *err, size_t cap);

#endif
