/* SPDX-License-Identifier: BSD-3-Clause */
/* Either side of a ring against bytes of the other's: byte 0, bit 0 chooses.
 *
 *   0: the input is laid over header, slots and evidence of a ring that a consumer is attached to, which then
 * reads (bit 1: commit words and head are put right afterwards, so that records are looked at; bit 2: the
 * consumer starts at an index of the input; bit 3: a ring_attach on the result as well). 1: the input is a
 * script for an honest producer and a consumer that writes what it likes into the cursor page. */
#include "abi/ring.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 4u
#define EVIDENCE RING_EVIDENCE_MIN

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ring_producer p, own;
static struct ring_consumer c;
static uint8_t *buf; /* exactly as large as promised, so that one byte more is seen */

static void
open_once(void)
{
	static const uint8_t epoch[8];
	if (buf != NULL)
		return;
	buf = malloc(RING_EVIDENCE_ONE_MAX);
	if (buf == NULL || ring_create(&p, epoch, 1, LANE_NORMAL, SLOTS, EVIDENCE) != 0 ||
		ring_attach(&c, p.ring_fd, p.evidence_fd, p.cursor_fd) != 0 ||
		ring_create(&own, epoch, 2, LANE_CRITICAL, SLOTS, EVIDENCE) != 0)
		abort();
}

static size_t
lay_over(void *to, size_t room, const uint8_t *data, size_t size)
{
	size_t n = size < room ? size : room;
	memcpy(to, data, n);
	return n;
}

static void
put_right(uint64_t next)
{
	for (uint64_t i = next; i < next + SLOTS; i++)
		atomic_store(&p.slots[i % SLOTS].commit, i + 1);
	atomic_store(&p.h->head, next + SLOTS);
}

static void
read_all(void)
{
	struct alert_record r;
	uint32_t len;
	for (unsigned i = 0; i < 2 * SLOTS; i++) {
		uint64_t before = c.next;
		int rc = ring_read(&c, &r, buf, &len);
		if (rc == 0) {
			assert(c.next == before && len == 0);
			return;
		}
		assert(c.next > before);
		if (rc == 1) {
			assert(alert_record_check(&r) == 0 && len <= RING_EVIDENCE_ONE_MAX);
			assert(r.seq > before && r.seq < UINT64_MAX && r.lost_before < r.seq);
			assert(c.last_seq >= r.seq && (len == 0 || len == r.evidence_len));
		} else {
			assert(rc == -EPROTO && len == 0);
		}
		ring_tail(&c);
		ring_release(&c, c.next);
	}
}

static void
hostile_producer(uint8_t how, const uint8_t *data, size_t size)
{
	struct ring_header good;
	memcpy(&good, p.h, sizeof good);
	c.next = c.last_seq = 0;
	if ((how & 4) && size >= 8) {
		memcpy(&c.next, data, 8);
		c.next >>= data[0] % 64;
		data += 8;
		size -= 8;
	}
	size_t used = lay_over(p.h, sizeof *p.h, data, size);
	used += lay_over(p.slots, SLOTS * sizeof *p.slots, data + used, size - used);
	lay_over(p.evidence, EVIDENCE, data + used, size - used);
	if (how & 2)
		put_right(c.next);
	read_all();
	if (how & 8) {
		struct ring_consumer second;
		int rc = ring_attach(&second, p.ring_fd, p.evidence_fd, p.cursor_fd);
		assert(rc == 0 || rc == -EPROTO);
		if (rc == 0) {
			assert(second.ring_map_bytes == p.ring_map_bytes &&
				second.evidence_bytes == EVIDENCE);
			assert(second.lane < LANE_COUNT);
			ring_detach(&second);
		}
	}
	memcpy(p.h, &good, sizeof good);
}

static void
as_new(void)
{
	own.head = own.consumed = own.evidence_head = own.evidence_tail = own.cursor_bad = 0;
	own.next_seq = 1;
	own.pending_lost = 0;
	memset(own.evidence_of, 0, SLOTS * sizeof *own.evidence_of);
	memset(own.cursor, 0, sizeof *own.cursor);
	memset(own.h->lost, 0, sizeof own.h->lost);
}

static void
hostile_consumer(const uint8_t *data, size_t size)
{
	static const uint8_t bytes[RING_EVIDENCE_ONE_MAX + 1];
	uint64_t ok = 0, lost = 0;
	as_new();
	for (; size >= 5; data += 5, size -= 5) {
		uint32_t word;
		memcpy(&word, data + 1, 4);
		switch (data[0] & 3) {
		case 0:
			atomic_store(&own.cursor->consumed, own.head - (word & 7));
			continue;
		case 1:
			atomic_store(&own.cursor->consumed, (uint64_t)word << (data[0] >> 2));
			continue;
		case 2:
			memset(own.cursor, data[1], sizeof *own.cursor);
			continue;
		default:
			break;
		}
		struct alert_record r;
		memset(&r, 0, sizeof r);
		uint32_t len = word % (RING_EVIDENCE_ONE_MAX + 2);
		int rc = ring_publish(&own, &r, (struct span){bytes, len});
		assert(rc == 0 || rc == -ENOBUFS);
		ok += rc == 0;
		lost += rc != 0;
		assert(r.seq == ok + lost && own.head == ok && own.next_seq == ok + lost + 1);
		assert(own.consumed <= own.head && own.head - own.consumed <= SLOTS);
		assert(own.evidence_tail <= own.evidence_head &&
			own.evidence_head - own.evidence_tail <= EVIDENCE);
		assert(atomic_load(&own.h->lost[LOSS_RING_FULL]) == lost);
		if (rc == 0)
			assert((r.evidence_len == len) != ((r.trust & TRUST_NO_EVIDENCE) != 0));
		if (r.evidence_len > 0)
			assert(r.evidence_at % EVIDENCE + r.evidence_len <= EVIDENCE);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	open_once();
	if (size == 0)
		return 0;
	if (data[0] & 1)
		hostile_consumer(data + 1, size - 1);
	else
		hostile_producer(data[0], data + 1, size - 1);
	return 0;
}
