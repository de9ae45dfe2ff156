/* SPDX-License-Identifier: BSD-3-Clause */
/* rlpx_window: the last bytes of a direction that cannot be read yet, kept because its key may still come, or
 * because its place in the keystream is being looked for. A fixed pool per worker; when it is used up the
 * window given out first is taken from its holder, who learns of it by finding NULL in its pointer. */
#ifndef WIRE_RLPX_WINDOW_H
#define WIRE_RLPX_WINDOW_H

#include "abi/span.h"

#include <stddef.h>
#include <stdint.h>

#define RLPX_WINDOW_MIN 4096u /* holds a handshake packet and the first frame's header */

struct rlpx;

struct rlpx_window {
	struct rlpx_window *prev, *next;
	struct rlpx_window **holder;
	struct rlpx *owner;
	uint8_t *bytes; /* a ring: stream offset modulo its size */
};

struct rlpx_windows {
	struct rlpx_window *windows;
	struct rlpx_window free, used; /* list heads; used: oldest first */
	uint32_t n, bytes_each;
	uint64_t stolen;
};

/* rlpx_windows_bytes: memory for n windows of bytes_each (a power of two, RLPX_WINDOW_MIN or more);
 * rlpx_windows_init lays them out in mem (64-byte aligned). */
size_t rlpx_windows_bytes(uint32_t n, uint32_t bytes_each);
void rlpx_windows_init(struct rlpx_windows *p, void *mem, uint32_t n, uint32_t bytes_each);

/* rlpx_windows_get stores a window in *holder (NULL if the pool is empty); rlpx_windows_put gives it back and
 * stores NULL. */
void rlpx_windows_get(struct rlpx_windows *p, struct rlpx_window **holder, struct rlpx *owner);
void rlpx_windows_put(struct rlpx_windows *p, struct rlpx_window **holder);

/* rlpx_windows_owner: whose window i < n is, or NULL: for walking over the connections that wait for
 * something. */
struct rlpx *rlpx_windows_owner(const struct rlpx_windows *p, uint32_t i);

/* rlpx_window_write puts bytes at a stream offset; rlpx_window_run: the longest run in one piece from an
 * offset, at most `most` bytes. */
void rlpx_window_write(const struct rlpx_windows *p, struct rlpx_window *w, uint64_t at, struct span in);
struct span rlpx_window_run(
	const struct rlpx_windows *p, const struct rlpx_window *w, uint64_t at, uint32_t most);

#endif
