/* SPDX-License-Identifier: BSD-3-Clause */
#include "abi/ring.h"

#include "abi/shm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE_BYTES 4096u
#define SEALS_SIZE (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

#define LOAD(p, order) atomic_load_explicit(p, memory_order_##order)
#define STORE(p, v, order) atomic_store_explicit(p, v, memory_order_##order)

static uint64_t
clamped_pow2(uint64_t n, uint64_t min, uint64_t max)
{
	uint64_t v = min;
	while (v < n && v < max)
		v <<= 1;
	return v;
}

static size_t
ring_file_bytes(uint32_t slots)
{
	size_t n = PAGE_BYTES + (size_t)slots * sizeof(struct ring_slot);
	return (n + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
}

/* ---- producer ---- */

static void
describe(struct ring_producer *p, const uint8_t epoch[8], uint32_t ring_id, enum ring_lane lane)
{
	struct ring_header *h = p->h;
	h->version = RING_VERSION;
	h->header_bytes = PAGE_BYTES;
	h->slot_bytes = sizeof(struct ring_slot);
	h->slots = p->slots_n;
	h->evidence_bytes = p->evidence_bytes;
	memcpy(h->epoch, epoch, sizeof h->epoch);
	h->ring_id = ring_id;
	h->lane = lane;
	STORE(&h->next_seq, p->next_seq, relaxed);
	p->cursor->version = RING_VERSION;
	__atomic_store_n(&p->cursor->magic, CURSOR_MAGIC, __ATOMIC_RELEASE);
	__atomic_store_n(&h->magic, RING_MAGIC, __ATOMIC_RELEASE);
}

static int
make_files(struct ring_producer *p)
{
	void *ring = shm_create_oneway("sentinel-ring", p->ring_map_bytes, &p->ring_fd);
	if (ring == NULL)
		return -errno;
	p->h = ring;
	p->slots = (struct ring_slot *)((uint8_t *)ring + PAGE_BYTES);
	p->evidence = shm_create_oneway("sentinel-evidence", p->evidence_bytes, &p->evidence_fd);
	if (p->evidence == NULL)
		return -errno;
	p->cursor = shm_create_shared("sentinel-cursor", PAGE_BYTES, &p->cursor_fd);
	if (p->cursor == NULL)
		return -errno;
	size_t n = p->slots_n * sizeof *p->evidence_of;
	p->evidence_of = aligned_alloc(PAGE_BYTES, (n + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES);
	if (p->evidence_of == NULL)
		return -ENOMEM;
	memset(p->evidence_of, 0, n);
	return 0;
}

int
ring_create(struct ring_producer *p, const uint8_t epoch[8], uint32_t ring_id, enum ring_lane lane, uint32_t slots,
	uint64_t evidence_bytes)
{
	if ((unsigned)lane >= LANE_COUNT)
		return -EINVAL;
	*p = (struct ring_producer){.ring_fd = -1, .evidence_fd = -1, .cursor_fd = -1, .next_seq = 1};
	p->slots_n = (uint32_t)clamped_pow2(slots, RING_SLOTS_MIN, RING_SLOTS_MAX);
	p->evidence_bytes = clamped_pow2(evidence_bytes, RING_EVIDENCE_MIN, RING_EVIDENCE_MAX);
	p->ring_map_bytes = ring_file_bytes(p->slots_n);
	int rc = make_files(p);
	if (rc != 0) {
		ring_destroy(p);
		return rc;
	}
	describe(p, epoch, ring_id, lane);
	return 0;
}

static void
unmap(const volatile void *map, size_t bytes)
{
	if (map != NULL)
		munmap((void *)(uintptr_t)map, bytes);
}

void
ring_destroy(struct ring_producer *p)
{
	if (p->h != NULL)
		__atomic_store_n(&p->h->magic, 0, __ATOMIC_RELEASE);
	unmap(p->h, p->ring_map_bytes);
	unmap(p->evidence, p->evidence_bytes);
	unmap(p->cursor, PAGE_BYTES);
	free(p->evidence_of);
	const int fds[] = {p->ring_fd, p->evidence_fd, p->cursor_fd};
	for (unsigned i = 0; i < 3; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	*p = (struct ring_producer){.ring_fd = -1, .evidence_fd = -1, .cursor_fd = -1};
}

/* Read only when room is short: the consumer's cache line stays with the consumer, and a hostile one can make
 * itself felt no more often than that. */
static void
take_cursor(struct ring_producer *p)
{
	uint64_t v = LOAD(&p->cursor->consumed, acquire);
	if (v < p->consumed || v > p->head) {
		p->cursor_bad++;
		return;
	}
	if (v == p->consumed)
		return;
	p->consumed = v;
	uint64_t released = p->evidence_of[(v - 1) & (p->slots_n - 1)];
	if (released > p->evidence_tail)
		p->evidence_tail = released;
}

/* Finds room for `len` contiguous bytes of the region; the stream offset of the first goes to *at. */
static bool
evidence_place(struct ring_producer *p, uint32_t len, uint64_t *at)
{
	uint64_t start = p->evidence_head;
	uint64_t to_end = p->evidence_bytes - (start & (p->evidence_bytes - 1));
	if (len > to_end)
		start += to_end;
	/* While nothing is held, the skipped bytes are not held either. */
	uint64_t tail = p->evidence_tail >= p->evidence_head ? start : p->evidence_tail;
	*at = start;
	return start + len - tail <= p->evidence_bytes;
}

static void
put_evidence(struct ring_producer *p, struct alert_record *rec, struct span evidence)
{
	rec->evidence_at = 0;
	rec->evidence_len = 0;
	if (evidence.len == 0)
		return;
	uint64_t at = 0;
	bool fits = evidence.len <= RING_EVIDENCE_ONE_MAX;
	if (fits && !evidence_place(p, evidence.len, &at)) {
		take_cursor(p);
		fits = evidence_place(p, evidence.len, &at);
	}
	if (!fits) {
		rec->trust |= TRUST_NO_EVIDENCE;
		return;
	}
	if (p->evidence_tail >= p->evidence_head)
		p->evidence_tail = at;
	p->evidence_head = at + evidence.len;
	STORE(&p->h->evidence_head, p->evidence_head, relaxed);
	atomic_thread_fence(memory_order_release);
	memcpy(p->evidence + (at & (p->evidence_bytes - 1)), evidence.p, evidence.len);
	rec->evidence_at = at;
	rec->evidence_len = evidence.len;
}

static int
lose(struct ring_producer *p, struct alert_record *rec)
{
	if (p->pending_lost < UINT32_MAX)
		p->pending_lost++;
	STORE(&p->h->lost[LOSS_RING_FULL], LOAD(&p->h->lost[LOSS_RING_FULL], relaxed) + 1, relaxed);
	STORE(&p->h->next_seq, p->next_seq, release);
	rec->lost_before = 0;
	rec->lost_reason = LOSS_NONE;
	rec->evidence_at = 0;
	rec->evidence_len = 0;
	return -ENOBUFS;
}

int
ring_publish(struct ring_producer *p, struct alert_record *rec, struct span evidence)
{
	rec->seq = p->next_seq++;
	if (p->head - p->consumed == p->slots_n)
		take_cursor(p);
	if (p->head - p->consumed == p->slots_n)
		return lose(p, rec);
	put_evidence(p, rec, evidence);
	rec->lost_before = p->pending_lost;
	rec->lost_reason = p->pending_lost ? LOSS_RING_FULL : LOSS_NONE;
	p->pending_lost = 0;

	uint64_t i = p->head;
	struct ring_slot *slot = &p->slots[i & (p->slots_n - 1)];
	STORE(&slot->commit, 0, relaxed);
	atomic_thread_fence(memory_order_release);
	memcpy(&slot->record, rec, sizeof *rec);
	STORE(&slot->commit, i + 1, release);
	p->evidence_of[i & (p->slots_n - 1)] = p->evidence_head;
	p->head = i + 1;
	STORE(&p->h->head, p->head, release);
	/* After head: whoever sees this next_seq also sees every record below it (ring_tail). */
	STORE(&p->h->next_seq, p->next_seq, release);
	return 0;
}

/* ---- consumer ---- */

/* Whoever writes the source may change it at any time. The barrier keeps the compiler from reading it again where the
 * copy is meant: it knows that both hold the same bytes, and may look through memcpy. */
static void
copy_once(void *to, const void *from, size_t bytes)
{
	memcpy(to, from, bytes);
	atomic_signal_fence(memory_order_seq_cst);
}

static bool
has_size(int fd, uint64_t bytes)
{
	struct stat st;
	return fstat(fd, &st) == 0 && st.st_size >= 0 && (uint64_t)st.st_size == bytes;
}

static bool
pow2_within(uint64_t v, uint64_t min, uint64_t max)
{
	return v >= min && v <= max && (v & (v - 1)) == 0;
}

/* Sizes are read once into *c: what follows believes only the copies. */
static bool
header_fits(struct ring_consumer *c, const struct ring_header *h, int ring_fd, int evidence_fd)
{
	if (__atomic_load_n(&h->magic, __ATOMIC_ACQUIRE) != RING_MAGIC)
		return false;
	c->slots_n = __atomic_load_n(&h->slots, __ATOMIC_RELAXED);
	c->evidence_bytes = __atomic_load_n(&h->evidence_bytes, __ATOMIC_RELAXED);
	c->ring_id = __atomic_load_n(&h->ring_id, __ATOMIC_RELAXED);
	c->lane = __atomic_load_n(&h->lane, __ATOMIC_RELAXED);
	copy_once(c->epoch, h->epoch, sizeof c->epoch);
	if (h->version != RING_VERSION || h->header_bytes != PAGE_BYTES ||
		h->slot_bytes != sizeof(struct ring_slot) || c->lane >= LANE_COUNT)
		return false;
	if (!pow2_within(c->slots_n, RING_SLOTS_MIN, RING_SLOTS_MAX) ||
		!pow2_within(c->evidence_bytes, RING_EVIDENCE_MIN, RING_EVIDENCE_MAX))
		return false;
	c->ring_map_bytes = ring_file_bytes(c->slots_n);
	c->evidence_map_bytes = c->evidence_bytes;
	return has_size(ring_fd, c->ring_map_bytes) && has_size(evidence_fd, c->evidence_bytes);
}

/* The header says how large the rest is, so it is looked at through a mapping of its own. */
static int
read_header(struct ring_consumer *c, int ring_fd, int evidence_fd)
{
	struct stat st;
	if (fstat(ring_fd, &st) != 0 || st.st_size < (off_t)PAGE_BYTES)
		return -EPROTO;
	const struct ring_header *h = mmap(NULL, PAGE_BYTES, PROT_READ, MAP_SHARED, ring_fd, 0);
	if (h == MAP_FAILED)
		return -errno;
	bool fits = header_fits(c, h, ring_fd, evidence_fd);
	unmap(h, PAGE_BYTES);
	return fits ? 0 : -EPROTO;
}

static const void *
map_whole(int fd, size_t bytes, int prot, int *rc)
{
	void *map = mmap(NULL, bytes, prot, MAP_SHARED, fd, 0);
	if (map != MAP_FAILED)
		return map;
	if (*rc == 0)
		*rc = -errno;
	return NULL;
}

/* A cursor that cannot be right sends the consumer to the oldest record that may still be there: better twice than
 * never, the journal knows ids. */
static void
start_at_cursor(struct ring_consumer *c)
{
	uint64_t head = LOAD(&c->h->head, acquire);
	uint64_t oldest = head > c->slots_n ? head - c->slots_n : 0;
	uint64_t v = LOAD(&c->cursor->consumed, relaxed);
	c->next = v >= oldest && v <= head ? v : oldest;
}

int
ring_attach(struct ring_consumer *c, int ring_fd, int evidence_fd, int cursor_fd)
{
	*c = (struct ring_consumer){0};
	if (shm_has_seals(ring_fd, F_SEAL_FUTURE_WRITE | SEALS_SIZE) != 0 ||
		shm_has_seals(evidence_fd, F_SEAL_FUTURE_WRITE | SEALS_SIZE) != 0 ||
		shm_has_seals(cursor_fd, SEALS_SIZE) != 0 || !has_size(cursor_fd, PAGE_BYTES))
		return -EPROTO;
	int rc = read_header(c, ring_fd, evidence_fd);
	if (rc == 0) {
		c->h = map_whole(ring_fd, c->ring_map_bytes, PROT_READ, &rc);
		c->evidence = map_whole(evidence_fd, c->evidence_map_bytes, PROT_READ, &rc);
		c->cursor = (void *)(uintptr_t)map_whole(cursor_fd, PAGE_BYTES, PROT_READ | PROT_WRITE, &rc);
	}
	if (rc != 0) {
		ring_detach(c);
		return rc;
	}
	c->cursor->version = RING_VERSION;
	__atomic_store_n(&c->cursor->magic, CURSOR_MAGIC, __ATOMIC_RELEASE);
	c->slots = (const struct ring_slot *)((const uint8_t *)c->h + PAGE_BYTES);
	start_at_cursor(c);
	return 0;
}

void
ring_detach(struct ring_consumer *c)
{
	unmap(c->h, c->ring_map_bytes);
	unmap(c->evidence, c->evidence_map_bytes);
	unmap(c->cursor, PAGE_BYTES);
	*c = (struct ring_consumer){0};
}

/* What no producer of this version writes: index i comes after at least i seqs, a loss takes up seqs, and what is
 * superseded on this ring is older. */
static bool
seqs_fit(const struct ring_consumer *c, const struct alert_record *rec)
{
	if (rec->seq <= c->next || rec->seq == UINT64_MAX || rec->lost_before >= rec->seq)
		return false;
	return !(rec->has & HAS_SUPERSEDES) || rec->supersedes_ring != c->ring_id || rec->supersedes_seq < rec->seq;
}

static bool
copy_slot(const struct ring_consumer *c, struct alert_record *rec, uint8_t *buf, uint32_t *evidence_len)
{
	const struct ring_slot *slot = &c->slots[c->next & (c->slots_n - 1)];
	if (LOAD(&slot->commit, acquire) != c->next + 1)
		return false;
	copy_once(rec, &slot->record, sizeof *rec);
	uint32_t len = rec->evidence_len;
	uint64_t off = rec->evidence_at & (c->evidence_bytes - 1);
	if (len > RING_EVIDENCE_ONE_MAX || off + len > c->evidence_bytes)
		return false;
	copy_once(buf, c->evidence + off, len);
	atomic_thread_fence(memory_order_acquire);
	*evidence_len = len;
	uint64_t evidence_head = LOAD(&c->h->evidence_head, relaxed);
	if (evidence_head > c->evidence_bytes && rec->evidence_at < evidence_head - c->evidence_bytes && len > 0) {
		*evidence_len = 0;
		rec->trust |= TRUST_NO_EVIDENCE;
	}
	return LOAD(&slot->commit, relaxed) == c->next + 1 && alert_record_check(rec) == 0 && seqs_fit(c, rec);
}

int
ring_read(struct ring_consumer *c, struct alert_record *rec, uint8_t *buf, uint32_t *evidence_len)
{
	*evidence_len = 0;
	uint64_t head = LOAD(&c->h->head, acquire);
	if (head <= c->next)
		return 0;
	if (head - c->next > c->slots_n)
		c->next = head - c->slots_n;
	bool ok = copy_slot(c, rec, buf, evidence_len);
	c->next++;
	if (!ok) {
		*evidence_len = 0;
		return -EPROTO;
	}
	if (rec->seq > c->last_seq)
		c->last_seq = rec->seq;
	return 1;
}

void
ring_release(struct ring_consumer *c, uint64_t upto)
{
	STORE(&c->cursor->consumed, upto, release);
}

uint64_t
ring_tail(const struct ring_consumer *c)
{
	uint64_t next_seq = LOAD(&c->h->next_seq, acquire);
	bool unread = LOAD(&c->h->head, acquire) > c->next;
	return unread || next_seq <= c->last_seq ? c->last_seq + 1 : next_seq;
}
