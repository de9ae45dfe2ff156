/* SPDX-License-Identifier: BSD-3-Clause */
#include "eth/l2msg.h"

#include <stddef.h>

enum { KIND_UNSIGNED = 0, KIND_CONTRACT = 1, KIND_BATCH = 3, KIND_SIGNED = 4, KIND_COMPRESSED = 7 };
#define UNSIGNED_MIN (5u * 32u) /* gas limit, fee cap, nonce, to, value */
#define CONTRACT_MIN (4u * 32u) /* the same without nonce */

struct walk {
	const uint8_t *p;
	l2msg_sink sink;
	void *ctx;
	uint64_t *over;
	uint32_t n_items;
	bool refused;
	uint32_t at;
	unsigned depth;		       /* open batches */
	uint32_t end[L2MSG_DEPTH_MAX]; /* where each of them ends */
};

static void
show(struct walk *w, enum l2msg_kind kind, uint32_t from, uint32_t to)
{
	struct l2msg_item item = {.kind = kind,
		.depth = (uint8_t)w->depth,
		.index = w->n_items,
		.raw = {w->p + from, to - from}};
	if (kind >= L2MSG_COMPRESSED)
		w->refused = true;
	if (w->n_items == L2MSG_ITEMS_MAX) {
		(*w->over)++;
		return;
	}
	w->n_items++;
	w->sink(w->ctx, &item);
}

/* The message in [w->at, end). w->at moves behind it, or, if it is a batch, into it. */
static void
message(struct walk *w, uint32_t end)
{
	uint32_t from = w->at;
	unsigned kind = from < end ? w->p[from++] : UINT32_MAX;
	uint32_t len = end - from;
	w->at = end;
	switch (kind) {
	case KIND_UNSIGNED:
		show(w, len >= UNSIGNED_MIN ? L2MSG_UNSIGNED : L2MSG_MALFORMED, from, end);
		break;
	case KIND_CONTRACT:
		show(w, len >= CONTRACT_MIN ? L2MSG_UNSIGNED : L2MSG_MALFORMED, from, end);
		break;
	case KIND_SIGNED:
		show(w, len > 0 ? L2MSG_TX : L2MSG_MALFORMED, from, end);
		break;
	case KIND_BATCH:
		if (w->depth == L2MSG_DEPTH_MAX) {
			show(w, L2MSG_DEEP, from, end);
			break;
		}
		w->end[w->depth++] = end;
		w->at = from;
		break;
	case KIND_COMPRESSED:
		show(w, L2MSG_COMPRESSED, from, end);
		break;
	default:
		show(w, kind == UINT32_MAX ? L2MSG_MALFORMED : L2MSG_OTHER, from, end);
		break;
	}
}

/* The next element of the innermost batch, or the end of that batch. */
static void
element(struct walk *w)
{
	uint32_t end = w->end[w->depth - 1], room = end - w->at;
	uint64_t len = 0;
	for (unsigned i = 0; i < 8 && room >= 8; i++)
		len = len << 8 | w->p[w->at + i];
	if (room >= 8 && len <= room - 8) {
		w->at += 8;
		message(w, w->at + (uint32_t)len);
		return;
	}
	w->at = end;
	w->depth--;
}

enum l2msg_status
l2msg_read(unsigned header_kind, struct span l2msg, l2msg_sink sink, void *ctx, uint64_t *over)
{
	static const uint8_t nothing[1]; /* an empty message may have no address */
	struct walk w = {.p = l2msg.p != NULL ? l2msg.p : nothing, .sink = sink, .ctx = ctx, .over = over};
	if (l2msg.len > L2MSG_BYTES_MAX)
		return L2MSG_OVERSIZE;
	switch (header_kind) {
	case L2MSG_HEADER_L2:
		message(&w, l2msg.len);
		while (w.depth > 0)
			element(&w);
		break;
	case L2MSG_HEADER_FUNDED:
	case L2MSG_HEADER_RETRYABLE:
	case L2MSG_HEADER_DEPOSIT:
		show(&w, l2msg.len > 0 ? L2MSG_UNSIGNED : L2MSG_MALFORMED, 0, l2msg.len);
		break;
	default:
		return L2MSG_NOTHING;
	}
	return w.refused ? L2MSG_REFUSED : L2MSG_TAKEN;
}
