/* SPDX-License-Identifier: BSD-3-Clause */
/* The alert ring: one producer (an lcore of the dataplane), one consumer (control), shared memory, no locks
 * and no waiting. Three memory files make a ring:
 *
 *   ring     header page + slots    producer read-write, everyone else can only ever map it read-only
 *   evidence byte stream            (F_SEAL_FUTURE_WRITE, which also refuses mprotect, write and reopening)
 *   cursor   one page               the consumer's: it writes how far it has come. Sealed against
 *                                   shrinking, or its owner could kill the producer with SIGBUS.
 *
 *   index:    0 .. head-1 published; slot = index % slots; slots in [cursor, head) are the consumer's
 *   evidence: a byte stream; record i's bytes start at evidence_at % evidence_bytes and never wrap around
 *             the end (the producer skips to the start instead); it is released with the record
 *
 * The producer never waits: if head - cursor == slots the record is lost, counted, and its seq is used up,
 * so that every consumer sees a hole in seq; the next record that fits carries lost_before and lost_reason.
 * next_seq in the header shows losses at the tail. The cursor is read as untrusted, and only when room is
 * short: a value outside [last good value, head] changes nothing but CURSOR_BAD. */
#ifndef ABI_RING_H
#define ABI_RING_H

#include "abi/alert.h"
#include "abi/span.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define RING_MAGIC 0x31474e52544e4553ull   /* "SENTRNG1", stored last, cleared first */
#define CURSOR_MAGIC 0x31525543544e4553ull /* "SENTCUR1" */
#define RING_VERSION 1
#define RING_SLOTS_MIN 2u
#define RING_SLOTS_MAX (1u << 20)
#define RING_EVIDENCE_MIN (1u << 17)
#define RING_EVIDENCE_MAX (1u << 30)
#define RING_EVIDENCE_ONE_MAX (128u << 10) /* longest raw transaction that travels as evidence */

enum ring_lane { LANE_CRITICAL = 0, LANE_NORMAL = 1, LANE_COUNT = 2 };
enum loss_reason { LOSS_NONE = 0, LOSS_RING_FULL = 1, LOSS_MAX = 1 };

struct ring_header {
	uint64_t magic;
	uint32_t version;
	uint32_t header_bytes; /* offset of slot 0 */
	uint32_t slot_bytes;
	uint32_t slots;		 /* power of two */
	uint64_t evidence_bytes; /* power of two */
	uint8_t epoch[8];	 /* random per dataplane start; printed as 16 hex digits */
	uint32_t ring_id;	 /* unique within the epoch */
	uint32_t lane;		 /* enum ring_lane */
	uint8_t pad0[80];
	_Atomic uint64_t head; /* records published; release-stored after the slot is whole */
	/* evidence bytes before this minus evidence_bytes may be gone; stored before they are overwritten */
	_Atomic uint64_t evidence_head;
	uint8_t pad1[112];
	_Atomic uint64_t next_seq;	     /* seq the next offered record will get, from 1 */
	_Atomic uint64_t lost[LOSS_MAX + 1]; /* by enum loss_reason */
	uint8_t pad2[104];
};

struct ring_slot {
	_Atomic uint64_t commit; /* index + 1 once whole; 0 while being written */
	uint8_t pad[56];
	struct alert_record record;
};

struct ring_cursor {
	uint64_t magic;
	uint32_t version;
	uint32_t pad0;
	uint8_t pad1[48];
	_Atomic uint64_t consumed;  /* records the consumer is done with (journaled) */
	_Atomic uint64_t heartbeat; /* grows while the consumer lives */
	uint8_t pad2[48];
};

_Static_assert(sizeof(struct ring_header) == 384, "ring ABI");
_Static_assert(offsetof(struct ring_header, head) == 128, "ring ABI");
_Static_assert(offsetof(struct ring_header, evidence_head) == 136, "ring ABI");
_Static_assert(offsetof(struct ring_header, next_seq) == 256, "ring ABI");
_Static_assert(offsetof(struct ring_slot, record) == 64, "ring ABI");
_Static_assert(offsetof(struct ring_cursor, consumed) == 64, "ring ABI");
_Static_assert(sizeof(struct ring_slot) == 1280, "ring ABI");
_Static_assert(sizeof(struct ring_cursor) == 128, "ring ABI");

/* ---- producer ---- */

struct ring_producer {
	struct ring_header *h;
	struct ring_slot *slots;
	uint8_t *evidence;
	struct ring_cursor *cursor;
	uint64_t head, consumed, next_seq;     /* private truth; the shared words are copies */
	uint64_t evidence_head, evidence_tail; /* stream offsets */
	uint64_t *evidence_of;		       /* per slot: stream offset to release up to */
	uint32_t pending_lost;
	uint64_t cursor_bad;
	int ring_fd, evidence_fd, cursor_fd;
	size_t ring_map_bytes;
	uint32_t slots_n;
	uint64_t evidence_bytes;
};

/* ring_create makes and seals the three memory files, their memory taken and mapped in. slots and
 * evidence_bytes are rounded up to powers of two and clamped to the MIN/MAX above. epoch: 8 bytes. The caller
 * owns *p and ends it with ring_destroy. Returns 0 or -errno; on failure nothing is left open. Allocates;
 * never on a worker's hot path. */
int ring_create(struct ring_producer *p, const uint8_t epoch[8], uint32_t ring_id, enum ring_lane lane,
	uint32_t slots, uint64_t evidence_bytes);
void ring_destroy(struct ring_producer *p);

/* ring_publish offers one record. Sets rec->seq, lost_before, lost_reason, evidence_at, evidence_len; sets
 * TRUST_NO_EVIDENCE if evidence.len > 0 but does not fit (too long, or region full). Copies everything.
 * Returns 0, or -ENOBUFS if the ring was full: the record is lost and counted. Never waits, never calls the
 * kernel; the head store is a release. Only the owning lcore may call it. */
int ring_publish(struct ring_producer *p, struct alert_record *rec, struct span evidence);

/* ---- consumer ---- */

struct ring_consumer {
	const struct ring_header *h;
	const struct ring_slot *slots;
	const uint8_t *evidence;
	struct ring_cursor *cursor;
	uint64_t next;	   /* next index to read */
	uint64_t last_seq; /* highest read so far */
	size_t ring_map_bytes, evidence_map_bytes;
	/* copied and checked at attach, never read from shared memory again */
	uint32_t slots_n, ring_id, lane;
	uint64_t evidence_bytes;
	uint8_t epoch[8];
};

/* ring_attach maps the three files (ring and evidence read-only) and checks magic, version, sizes and seals.
 * What a consumer before left in the cursor page is not believed: a broken one must not lock the next one
 * out. Reading starts where the cursor page says that records were released, or, if it says what cannot be,
 * at the oldest slot: what was read before comes again, then, and is told by its seq. If c->next > 0 the
 * caller sets c->last_seq from what it keeps. Takes no ownership of the fds (they may be closed afterwards).
 * Returns 0 or -errno (-EPROTO: not a ring this version can read, or not sealed as it must be). */
int ring_attach(struct ring_consumer *c, int ring_fd, int evidence_fd, int cursor_fd);
void ring_detach(struct ring_consumer *c);

/* ring_read copies record `c->next` into *rec and its evidence into buf (cap >= RING_EVIDENCE_ONE_MAX),
 * checks both, and steps on. Returns 1 if a record was read, 0 if there is none, -EPROTO if the slot is
 * corrupt: it is stepped over and will show as a hole in seq. *evidence_len is 0 if there is none; evidence
 * that was overwritten since (only after a false release) is left out, with TRUST_NO_EVIDENCE in *rec. Holes
 * are the caller's to see: seqs between two records, of which the last rec->lost_before had lost_reason. */
int ring_read(struct ring_consumer *c, struct alert_record *rec, uint8_t *buf, uint32_t *evidence_len);

/* ring_release tells the producer that all records below index `upto` are done with (durable). */
void ring_release(struct ring_consumer *c, uint64_t upto);

/* ring_tail returns next_seq as the producer shows it: c->last_seq + 1 unless records were lost at the tail.
 * While there are unread records it is c->last_seq + 1: they will tell of the losses before them. */
uint64_t ring_tail(const struct ring_consumer *c);

#endif
