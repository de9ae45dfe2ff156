/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/history.h"

#include <string.h>

/* Buffers that the hand looks at before it takes one that was used since it last went by. */
#define HAND_STEPS 16u

size_t
history_bytes(uint32_t n, uint32_t buffer_bytes)
{
	return (size_t)n * (buffer_bytes + sizeof(struct history_meta));
}

void
history_init(struct history *h, void *mem, uint32_t n, uint32_t buffer_bytes)
{
	h->bytes = mem;
	h->meta = (struct history_meta *)(void *)(h->bytes + (size_t)n * buffer_bytes);
	h->buffers = n;
	h->buffer_bytes = buffer_bytes;
	h->hand = 0;
	memset(h->meta, 0, n * sizeof *h->meta);
}

static uint32_t
take(struct history *h, uint32_t *owner)
{
	uint32_t i = h->hand;
	for (unsigned step = 0; step < HAND_STEPS; step++) {
		i = h->hand;
		h->hand = h->hand + 1 == h->buffers ? 0 : h->hand + 1;
		if (h->meta[i].owner == NULL || !h->meta[i].used)
			break;
		h->meta[i].used = false;
	}
	if (h->meta[i].owner != NULL)
		*h->meta[i].owner = NET_NONE;
	h->meta[i] = (struct history_meta){.owner = owner};
	if (h->meta[h->hand].owner != NULL)
		__builtin_prefetch(h->meta[h->hand].owner, 1); /* likely taken next */
	return i;
}

void
history_append(struct history *h, uint32_t *index, uint64_t off, struct span bytes)
{
	if (*index == NET_NONE)
		*index = take(h, index);
	struct history_meta *m = &h->meta[*index];
	uint8_t *ring = h->bytes + (size_t)*index * h->buffer_bytes;
	m->used = true;
	if (bytes.len > h->buffer_bytes) {
		uint32_t over = bytes.len - h->buffer_bytes;
		bytes.p += over;
		bytes.len -= over;
		off += over;
	}
	uint32_t at = (uint32_t)off & (h->buffer_bytes - 1), first = h->buffer_bytes - at;
	if (first > bytes.len)
		first = bytes.len;
	memcpy(ring + at, bytes.p, first);
	memcpy(ring, bytes.p + first, bytes.len - first);
	m->len = m->len + bytes.len > h->buffer_bytes ? h->buffer_bytes : m->len + bytes.len;
}

void
history_break(struct history *h, uint32_t index)
{
	if (index != NET_NONE)
		h->meta[index].len = 0;
}

void
history_forget(struct history *h, uint32_t *index)
{
	if (*index == NET_NONE)
		return;
	h->meta[*index] = (struct history_meta){0};
	*index = NET_NONE;
}

uint64_t
history_from(const struct history *h, uint32_t index, uint64_t end)
{
	return index == NET_NONE ? end : end - h->meta[index].len;
}

bool
history_differs(
	const struct history *h, uint32_t index, uint64_t end, uint64_t off, struct span bytes, struct stream_range *r)
{
	if (index == NET_NONE)
		return false;
	uint64_t from = end - h->meta[index].len, to = off + bytes.len < end ? off + bytes.len : end;
	if (from < off)
		from = off;
	if (from >= to)
		return false;
	const uint8_t *ring = h->bytes + (size_t)index * h->buffer_bytes, *p = bytes.p + (from - off);
	uint32_t n = (uint32_t)(to - from), at = (uint32_t)from & (h->buffer_bytes - 1);
	uint32_t first = h->buffer_bytes - at < n ? h->buffer_bytes - at : n;
	bool a = stream_range_differs(r, from, ring + at, p, first);
	bool b = stream_range_differs(r, from + first, ring, p + first, n - first);
	return a || b;
}
