/* SPDX-License-Identifier: BSD-3-Clause */
#include "worker/pipe.h"

#include <stdbool.h>

#define PIPE_ALIGN 64u

/* Every message starts with one of these, alone on its cache line's beginning. */
struct pipe_head {
	uint32_t bytes; /* of the message; 0: skip to the start of the buffer */
	uint32_t step;	/* to the next header */
};

static uint64_t
footprint(uint32_t bytes)
{
	return ((uint64_t)sizeof(struct pipe_head) + bytes + PIPE_ALIGN - 1) & ~(uint64_t)(PIPE_ALIGN - 1);
}

void
pipe_init(struct pipe *p, uint8_t *buf, uint64_t cap)
{
	p->buf = buf;
	p->cap = cap;
	atomic_init(&p->head, 0);
	atomic_init(&p->tail, 0);
	atomic_init(&p->reached_ns, 0);
	p->tail_seen = p->reserved_bytes = p->peeked = p->origin = 0;
}

static uint64_t
place(const struct pipe *p, uint64_t position)
{
	return (position - p->origin) & (p->cap - 1);
}

static bool
has_room(struct pipe *p, uint64_t head, uint64_t need)
{
	if (head + need - p->tail_seen <= p->cap)
		return true;
	p->tail_seen = atomic_load_explicit(&p->tail, memory_order_acquire);
	return head + need - p->tail_seen <= p->cap;
}

/* A consumer that keeps up empties what is still in the caches: the rest of the buffer is used only when it does not. Looked at seldom, since
 * the tail lies in its cache line. Into an empty pipe the consumer looks no further than its head, so that the buffer may begin elsewhere. */
static void
start_over(struct pipe *p, uint64_t head, uint64_t need)
{
	uint64_t at = place(p, head);
	if (at < need || at / PIPE_HOT == (at + need) / PIPE_HOT)
		return;
	p->tail_seen = atomic_load_explicit(&p->tail, memory_order_acquire);
	if (p->tail_seen == head)
		p->origin = head;
}

void *
pipe_reserve(struct pipe *p, uint32_t bytes)
{
	uint64_t head = atomic_load_explicit(&p->head, memory_order_relaxed);
	uint64_t need = footprint(bytes);
	p->reserved_bytes = 0;
	start_over(p, head, need);
	uint64_t at = place(p, head);
	uint64_t skip = at + need > p->cap ? p->cap - at : 0;
	if (bytes == 0 || need > p->cap / 2 || !has_room(p, head, skip + need))
		return NULL;
	if (skip) {
		struct pipe_head *h = (struct pipe_head *)(p->buf + at);
		h->bytes = 0;
		h->step = (uint32_t)skip;
		at = 0;
	}
	struct pipe_head *h = (struct pipe_head *)(p->buf + at);
	h->bytes = bytes;
	h->step = (uint32_t)need;
	p->reserved_bytes = skip + need;
	return h + 1;
}

void *
pipe_reserve_soft(struct pipe *p, uint32_t bytes, unsigned eighths)
{
	return pipe_reserve_within(p, bytes, p->cap / 8 * eighths);
}

void *
pipe_reserve_within(struct pipe *p, uint32_t bytes, uint64_t most)
{
	uint64_t head = atomic_load_explicit(&p->head, memory_order_relaxed);
	uint64_t end = head + footprint(bytes);
	if (end - p->tail_seen > most)
		p->tail_seen = atomic_load_explicit(&p->tail, memory_order_acquire);
	return end - p->tail_seen > most ? NULL : pipe_reserve(p, bytes);
}

void
pipe_commit(struct pipe *p)
{
	uint64_t head = atomic_load_explicit(&p->head, memory_order_relaxed);
	atomic_store_explicit(&p->head, head + p->reserved_bytes, memory_order_release);
	p->reserved_bytes = 0;
}

void *
pipe_peek(struct pipe *p, uint32_t *bytes)
{
	uint64_t tail = atomic_load_explicit(&p->tail, memory_order_relaxed);
	uint64_t head = atomic_load_explicit(&p->head, memory_order_acquire);
	if (tail == head)
		return NULL;
	struct pipe_head *h = (struct pipe_head *)(p->buf + place(p, tail));
	uint64_t skipped = 0;
	if (h->bytes == 0) {
		skipped = h->step;
		h = (struct pipe_head *)p->buf;
	}
	p->peeked = skipped + h->step;
	*bytes = h->bytes;
	return h + 1;
}

void
pipe_release(struct pipe *p)
{
	uint64_t tail = atomic_load_explicit(&p->tail, memory_order_relaxed);
	atomic_store_explicit(&p->tail, tail + p->peeked, memory_order_release);
	p->peeked = 0;
}

uint64_t
pipe_fill(const struct pipe *p)
{
	return atomic_load_explicit(&p->head, memory_order_acquire) -
	       atomic_load_explicit(&p->tail, memory_order_acquire);
}
