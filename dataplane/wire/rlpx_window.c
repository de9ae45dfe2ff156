/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/rlpx_window.h"

#include <string.h>

static void
list_init(struct rlpx_window *head)
{
	head->prev = head->next = head;
}

static void
list_remove(struct rlpx_window *w)
{
	w->prev->next = w->next;
	w->next->prev = w->prev;
}

static void
list_append(struct rlpx_window *head, struct rlpx_window *w)
{
	w->prev = head->prev;
	w->next = head;
	head->prev->next = w;
	head->prev = w;
}

size_t
rlpx_windows_bytes(uint32_t n, uint32_t bytes_each)
{
	return n * (size_t)bytes_each + n * sizeof(struct rlpx_window);
}

void
rlpx_windows_init(struct rlpx_windows *p, void *mem, uint32_t n, uint32_t bytes_each)
{
	p->n = n;
	p->bytes_each = bytes_each;
	p->stolen = 0;
	p->windows = (struct rlpx_window *)((uint8_t *)mem + n * (size_t)bytes_each);
	list_init(&p->free);
	list_init(&p->used);
	for (uint32_t i = 0; i < n; i++) {
		p->windows[i] = (struct rlpx_window){.bytes = (uint8_t *)mem + i * (size_t)bytes_each};
		list_append(&p->free, &p->windows[i]);
	}
}

void
rlpx_windows_get(struct rlpx_windows *p, struct rlpx_window **holder, struct rlpx *owner)
{
	struct rlpx_window *w = p->free.next;
	*holder = NULL;
	if (p->n == 0)
		return;
	if (w == &p->free) {
		w = p->used.next;
		*w->holder = NULL;
		p->stolen++;
	}
	list_remove(w);
	list_append(&p->used, w);
	w->holder = holder;
	w->owner = owner;
	*holder = w;
}

void
rlpx_windows_put(struct rlpx_windows *p, struct rlpx_window **holder)
{
	struct rlpx_window *w = *holder;
	if (w == NULL)
		return;
	*holder = NULL;
	w->holder = NULL;
	w->owner = NULL;
	list_remove(w);
	list_append(&p->free, w);
}

struct rlpx *
rlpx_windows_owner(const struct rlpx_windows *p, uint32_t i)
{
	return p->windows[i].owner;
}

void
rlpx_window_write(const struct rlpx_windows *p, struct rlpx_window *w, uint64_t at, struct span in)
{
	if (in.len > p->bytes_each) {
		uint32_t over = in.len - p->bytes_each;
		at += over;
		in.p += over;
		in.len = p->bytes_each;
	}
	while (in.len > 0) {
		uint32_t from = (uint32_t)at & (p->bytes_each - 1);
		uint32_t n = in.len < p->bytes_each - from ? in.len : p->bytes_each - from;
		memcpy(w->bytes + from, in.p, n);
		at += n;
		in.p += n;
		in.len -= n;
	}
}

struct span
rlpx_window_run(const struct rlpx_windows *p, const struct rlpx_window *w, uint64_t at, uint32_t most)
{
	uint32_t from = (uint32_t)at & (p->bytes_each - 1);
	uint32_t n = p->bytes_each - from;
	return (struct span){w->bytes + from, n < most ? n : most};
}
