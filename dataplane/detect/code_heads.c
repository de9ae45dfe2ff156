/* SPDX-License-Identifier: BSD-3-Clause */
#include "detect/code_value.h"

void
code_pool_sweep(struct code_reader *r)
{
	static const uint32_t gone = UINT32_MAX;
	uint32_t to[CODE_POOL], n = 0;
	memset(to, 0xff, sizeof(to));
	for (uint32_t i = 0; i < r->sp; i++) {
		if ((r->stack[i] & VAL_KIND) == VAL_POOL)
			to[r->stack[i] & VAL_PAYLOAD] = 0;
	}
	for (uint32_t i = 0; i < r->n_pool; i++) {
		if (to[i] == gone)
			continue;
		r->pool[n] = r->pool[i];
		to[i] = n++;
	}
	for (uint32_t i = 0; i < r->sp; i++) {
		if ((r->stack[i] & VAL_KIND) == VAL_POOL)
			r->stack[i] = (r->stack[i] & ~VAL_PAYLOAD) | to[r->stack[i] & VAL_PAYLOAD];
	}
	r->n_pool = n;
	r->told_pool = n;
	memset(r->told, 0, sizeof(r->told));
}

static uint32_t
join(uint32_t a, uint32_t b)
{
	if (a == b)
		return a;
	uint32_t is = a & b & (IS_MATCH | IS_OTHER);
	return VAL_TOP | ((a | b) & MAY_ALL) | is;
}

/* What of a value outlives its block: neither the pool's constants nor how a selector was moved. */
static uint32_t
kept(uint32_t v)
{
	if ((v & VAL_KIND) == VAL_POOL)
		return VAL_TOP;
	return (v & VAL_KIND) == VAL_TOP ? v & ~VAL_PAYLOAD : v;
}

static void
enqueue(struct code_reader *r, struct code_head *h, bool force)
{
	if (h->queued)
		return;
	if (h->visits >= CODE_VISITS && !force) {
		r->seen.guessed = true; /* who knows what comes with the next visit */
		return;
	}
	h->queued = true;
	r->queue[r->n_queue++] = (uint32_t)(h - r->heads);
}

void
code_mark_to(struct code_reader *r, uint32_t pc)
{
	uint32_t to = r->len - pc > 256 ? pc + 256 : r->len, at = r->marked;
	memset(r->mark + r->cleared, 0, to + 33 > r->len ? r->len - r->cleared : to + 33 - r->cleared);
	r->cleared = to + 33 > r->len ? r->len : to + 33;
	for (; at < to; at += 1 + push_bytes(r->p[at])) {
		if (r->p[at] == OP_JUMPDEST) {
			r->mark[at] = MARK_DEST;
			r->head_at[at] = 0;
		}
	}
	r->marked = at;
}

static struct code_head *
head_new(struct code_reader *r, uint32_t pc, uint32_t n)
{
	struct code_head *h = &r->heads[r->n_heads++];
	r->head_at[pc] = r->n_heads;
	if (r->n_slots + n > CODE_SLOTS_MAX)
		n = 0;
	*h = (struct code_head){.pc = pc, .slots = r->n_slots, .n = (uint8_t)n};
	for (uint32_t i = 0; i < n; i++)
		r->slots[r->n_slots + i] = kept(r->stack[r->sp - n + i]);
	r->n_slots += n;
	return h;
}

static bool
head_join(struct code_reader *r, struct code_head *h, uint32_t n)
{
	bool changed = false;
	if (n < h->n) {
		h->slots += h->n - n;
		h->n = (uint8_t)n;
		changed = true;
	}
	for (uint32_t i = 0; i < h->n; i++) {
		uint32_t *s = &r->slots[h->slots + i];
		uint32_t v = join(*s, kept(r->stack[r->sp - h->n + i]));
		changed |= v != *s;
		*s = v;
	}
	return changed;
}

/* After some visits only one question is left open for each slot: whether it is computed. */
static void
head_widen(struct code_reader *r, struct code_head *h)
{
	for (uint32_t i = 0; i < h->n; i++) {
		uint32_t *s = &r->slots[h->slots + i];
		*s = VAL_TOP | (*s & MAY_COMPUTED) | MAY_SELECTOR | MAY_CALLER;
	}
}

void
code_reach(struct code_reader *r, uint32_t pc, bool with_stack, bool sure, bool ungated)
{
	if (!is_dest(r, pc))
		return;
	uint32_t n = !with_stack ? 0 : r->sp < CODE_SLOTS ? r->sp : CODE_SLOTS;
	struct code_head *h;
	bool changed;
	if (r->head_at[pc] == 0) {
		h = head_new(r, pc, n);
		changed = true;
	} else {
		h = &r->heads[r->head_at[pc] - 1];
		changed = head_join(r, h, n);
		if (changed && h->visits >= CODE_VISITS / 2)
			head_widen(r, h);
	}
	bool better = (sure && !h->sure) || (ungated && !h->ungated);
	h->sure |= sure;
	h->ungated |= ungated;
	r->sum.work += CODE_WORK_EDGE;
	if (changed || better)
		enqueue(r, h, better);
}
