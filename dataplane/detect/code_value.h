/* SPDX-License-Identifier: BSD-3-Clause */
/* Values and the abstract stack of code_private.h. */
#ifndef DETECT_CODE_VALUE_H
#define DETECT_CODE_VALUE_H

#include "detect/code_private.h"

#include <string.h>

static inline bool
is_constant(uint32_t v)
{
	return (v & VAL_KIND) != VAL_TOP;
}

static inline unsigned
push_bytes(uint8_t op)
{
	return op >= OP_PUSH1 && op <= OP_PUSH32 ? op - OP_PUSH0 : 0;
}

static inline struct code_word
word_of(const struct code_reader *r, uint32_t v)
{
	uint32_t at = v & VAL_PAYLOAD;
	switch (v & VAL_KIND) {
	case VAL_SMALL:
		return code_word_of(at);
	case VAL_LIT:
		return code_word_read(r->p + at + 1, push_bytes(r->p[at]));
	default:
		return r->pool[at];
	}
}

static inline uint32_t
constant(struct code_reader *r, const struct code_word *w)
{
	uint64_t v;
	if (code_word_small(w, &v) && v <= VAL_PAYLOAD)
		return VAL_SMALL | (uint32_t)v;
	if (r->n_pool == CODE_POOL)
		code_pool_sweep(r);
	r->pool[r->n_pool] = *w;
	return VAL_POOL | r->n_pool++;
}

static inline void
push(struct code_reader *r, uint32_t v)
{
	if (r->sp < CODE_STACK) /* else the walk ends: so would the EVM */
		r->stack[r->sp++] = v;
}

static inline uint32_t
pop(struct code_reader *r)
{
	return r->sp > 0 ? r->stack[--r->sp] : VAL_UNKNOWN;
}

static inline uint32_t
peek(const struct code_reader *r, uint32_t depth)
{
	return depth < r->sp ? r->stack[r->sp - 1 - depth] : VAL_UNKNOWN;
}

static inline void
swap(struct code_reader *r, uint32_t n)
{
	if (r->sp < n + 1) { /* what lies below the known part is unknown, and has its place all the same */
		uint32_t missing = n + 1 - r->sp;
		memmove(r->stack + missing, r->stack, r->sp * sizeof(r->stack[0]));
		for (uint32_t i = 0; i < missing; i++)
			r->stack[i] = VAL_UNKNOWN;
		r->sp += missing;
	}
	uint32_t *top = &r->stack[r->sp - 1], *other = &r->stack[r->sp - 1 - n], v = *top;
	*top = *other;
	*other = v;
}

static inline bool
is_dest(struct code_reader *r, uint32_t pc)
{
	if (pc >= r->len || r->p[pc] != OP_JUMPDEST)
		return false;
	if (pc >= r->marked)
		code_mark_to(r, pc);
	return r->mark[pc] & MARK_DEST;
}

#endif
