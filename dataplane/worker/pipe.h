/* SPDX-License-Identifier: BSD-3-Clause */
/* pipe: a single-producer single-consumer queue of variable-size messages between two lcores of this
 * process: each worker has one to the correlator. Messages are contiguous (a message that would straddle the
 * end starts over at the beginning), start 8 bytes into a cache line, and are written in place: reserve,
 * fill, commit. The producer never waits: no room means NULL. Unlike the alert rings nothing here crosses a
 * trust boundary. */
#ifndef WORKER_PIPE_H
#define WORKER_PIPE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* As long as the consumer keeps up no more than about this of the buffer is used: it stays in the caches. */
#define PIPE_HOT (128u << 10)

struct pipe {
	uint8_t *buf;
	uint64_t cap;			    /* power of two */
	_Alignas(64) _Atomic uint64_t head; /* producer's; bytes ever committed */
	uint64_t tail_seen, reserved_bytes;
	uint64_t origin; /* the position that lies at the buffer's beginning; written when the pipe is empty */
	_Atomic uint64_t reached_ns; /* producer's: nothing older will come */
	_Alignas(64) _Atomic uint64_t tail; /* consumer's; bytes ever released */
	uint64_t peeked;
};

/* pipe_init: buf 64-byte aligned, cap a power of two >= 4096. The buffer stays the caller's. */
void pipe_init(struct pipe *p, uint8_t *buf, uint64_t cap);

/* pipe_reserve returns room for one message of `bytes` (1 .. cap / 2 - 8), 8-byte aligned, or NULL if there
 * is none now (never, for other sizes). A reservation that is not committed is forgotten by the next. */
void *pipe_reserve(struct pipe *p, uint32_t bytes);
/* pipe_reserve_soft: NULL also if more than `eighths` eighths would then be in use: what matters less leaves room for what matters more. */
void *pipe_reserve_soft(struct pipe *p, uint32_t bytes, unsigned eighths);
/* pipe_reserve_within: the same, in bytes. */
void *pipe_reserve_within(struct pipe *p, uint32_t bytes, uint64_t most);
/* pipe_commit makes the reserved message visible (release). Nothing reserved: nothing happens. */
void pipe_commit(struct pipe *p);

/* pipe_peek returns the oldest message and its size, or NULL; it stays valid until pipe_release, which does
 * nothing unless a message was peeked at. */
void *pipe_peek(struct pipe *p, uint32_t *bytes);
void pipe_release(struct pipe *p);

/* pipe_reached tells the consumer that all the producer had to say of the time before t_ns has been committed. */
static inline void
pipe_reached(struct pipe *p, uint64_t t_ns)
{
	atomic_store_explicit(&p->reached_ns, t_ns, memory_order_release);
}

/* pipe_fill: bytes in use, as the consumer sees it. */
uint64_t pipe_fill(const struct pipe *p);

#endif
