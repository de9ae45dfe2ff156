/* SPDX-License-Identifier: BSD-3-Clause */
#include "detect/code_value.h"
#include "detect/flash.h"

#include <string.h>

/* Operands taken and left, for what has no case of its own. 0xff: no such instruction. */
#define E(pops, pushes) ((pops) << 4 | (pushes))
static const uint8_t effect[256] = {[0x01] = E(2, 1),
	[0x02] = E(2, 1),
	[0x03] = E(2, 1),
	[0x04] = E(2, 1),
	[0x05] = E(2, 1),
	[0x06] = E(2, 1),
	[0x07] = E(2, 1),
	[0x08] = E(3, 1),
	[0x09] = E(3, 1),
	[0x0a] = E(2, 1),
	[0x0b] = E(2, 1),
	[0x10] = E(2, 1),
	[0x11] = E(2, 1),
	[0x12] = E(2, 1),
	[0x13] = E(2, 1),
	[0x14] = E(2, 1),
	[0x15] = E(1, 1),
	[0x16] = E(2, 1),
	[0x17] = E(2, 1),
	[0x18] = E(2, 1),
	[0x19] = E(1, 1),
	[0x1a] = E(2, 1),
	[0x1b] = E(2, 1),
	[0x1c] = E(2, 1),
	[0x1d] = E(2, 1),
	[0x1e] = E(1, 1),
	[0x20] = E(2, 1),
	[0x30] = E(0, 1),
	[0x31] = E(1, 1),
	[0x32] = E(0, 1),
	[0x33] = E(0, 1),
	[0x34] = E(0, 1),
	[0x35] = E(1, 1),
	[0x36] = E(0, 1),
	[0x37] = E(3, 0),
	[0x38] = E(0, 1),
	[0x39] = E(3, 0),
	[0x3a] = E(0, 1),
	[0x3b] = E(1, 1),
	[0x3c] = E(4, 0),
	[0x3d] = E(0, 1),
	[0x3e] = E(3, 0),
	[0x3f] = E(1, 1),
	[0x40] = E(1, 1),
	[0x41] = E(0, 1),
	[0x42] = E(0, 1),
	[0x43] = E(0, 1),
	[0x44] = E(0, 1),
	[0x45] = E(0, 1),
	[0x46] = E(0, 1),
	[0x47] = E(0, 1),
	[0x48] = E(0, 1),
	[0x49] = E(1, 1),
	[0x4a] = E(0, 1),
	[0x50] = E(1, 0),
	[0x51] = E(1, 1),
	[0x52] = E(2, 0),
	[0x53] = E(2, 0),
	[0x54] = E(1, 1),
	[0x55] = E(2, 0),
	[0x58] = E(0, 1),
	[0x59] = E(0, 1),
	[0x5a] = E(0, 1),
	[0x5b] = E(0, 0),
	[0x5c] = E(1, 1),
	[0x5d] = E(2, 0),
	[0x5e] = E(3, 0),
	[0xa0] = E(2, 0),
	[0xa1] = E(3, 0),
	[0xa2] = E(4, 0),
	[0xa3] = E(5, 0),
	[0xa4] = E(6, 0),
	[0xf0] = E(3, 1),
	[0xf1] = E(7, 1),
	[0xf2] = E(7, 1),
	[0xf4] = E(6, 1),
	[0xf5] = E(4, 1),
	[0xfa] = E(6, 1)};

static bool
is_label(struct code_reader *r, uint32_t v)
{
	return (v & VAL_KIND) == VAL_SMALL && is_dest(r, v & VAL_PAYLOAD);
}

/* Each constant of a walk is looked at once, or nearly: what they stand for does not change. */
static void
use(struct code_reader *r, uint32_t v)
{
	uint32_t *told = &r->told[(v ^ v >> 6) % (sizeof(r->told) / sizeof(r->told[0]))];
	if (!is_constant(v) || *told == v)
		return;
	*told = v;
	struct code_word w = word_of(r, v);
	code_meaning(r, &w);
}

/* A block ends at pc. Labels that stay on the stack are where functions return to; constants may be used
 * elsewhere. */
static void
block_ends(struct code_reader *r, uint32_t pc)
{
	uint32_t n = r->sp < CODE_SLOTS ? r->sp : CODE_SLOTS;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t v = r->stack[r->sp - 1 - i];
		if (!is_constant(v))
			continue;
		if (is_label(r, v)) {
			uint32_t to = v & VAL_PAYLOAD;
			bool back =
				to ==
				pc + 1; /* a call's way back; other small numbers may be no labels at all */
			bool sure = r->sure && back, ungated = r->ungated && (back || to > 0xff);
			const struct code_head *h =
				r->head_at[to] != 0 ? &r->heads[r->head_at[to] - 1] : NULL;
			if (h == NULL || (ungated && !h->ungated) || (sure && !h->sure))
				code_reach(r, to, false, sure, ungated);
		} else if ((v & VAL_PAYLOAD) >= ((v & VAL_KIND) == VAL_LIT	     ? r->told_to
							: (v & VAL_KIND) == VAL_POOL ? r->told_pool
										     : 0)) {
			use(r, v);
		}
	}
	r->told_to = pc;
	r->told_pool = r->n_pool;
	r->sum.work += CODE_WORK_EDGE;
}

static void
jump_to(struct code_reader *r, uint32_t target, bool gated)
{
	if (is_constant(target)) {
		struct code_word w = word_of(r, target);
		uint64_t pc;
		if (code_word_small(&w, &pc) && pc < r->len)
			code_reach(r, (uint32_t)pc, true, r->sure, r->ungated && !gated);
	} else if (target & MAY_COMPUTED) {
		r->seen.guessed = true;
	}
}

/* The selector (as a number, or in the top bytes of a word) is compared with a constant. */
static bool
compared_with(struct code_reader *r, const struct code_word *c)
{
	uint64_t v;
	uint32_t selector;
	if (code_word_small(c, &v) && v <= UINT32_MAX)
		selector = (uint32_t)v;
	else if ((c->l[0] | c->l[1] | c->l[2] | (uint32_t)c->l[3]) == 0)
		selector = (uint32_t)(c->l[3] >> 32);
	else
		return false;
	const struct flash_selector *f = flash_selector(selector);
	if (f != NULL) {
		r->seen.callbacks |= f->providers[FLASH_CALLBACK];
		r->seen.swap_callbacks |= f->providers[FLASH_SWAP_CALLBACK];
		if (f->providers[FLASH_CALLBACK] != 0)
			r->seen.callback_families |= f->families;
	}
	return selector > 0xffff;
}

/* c, which is compared with a selector that was moved by a number: what the selector itself is compared with.
 */
static struct code_word
moved_back(const struct code_reader *r, uint32_t v, struct code_word c)
{
	uint32_t i = v & VAL_PAYLOAD;
	if (i == 0)
		return c;
	struct code_word out = c;
	code_word_op(r->moved[i - 1].op == OP_XOR ? OP_XOR : OP_SUB, &c, &r->moved[i - 1].by, &out);
	return out;
}

/* The number of the move, 0 behind the last that is kept: what is compared then is taken as it stands, as what was moved twice is, and it is left to the
 * execution to tell which callback is served. */
static uint32_t
move(struct code_reader *r, uint8_t op, const struct code_word *by)
{
	if (r->n_moved == sizeof(r->moved) / sizeof(r->moved[0]))
		return 0;
	r->moved[r->n_moved].op = op;
	r->moved[r->n_moved].by = *by;
	return ++r->n_moved;
}

/* EQ, XOR, SUB, LT, GT of what may be the selector and a constant. first: the constant is the first operand.
 */
static uint32_t
compare_selector(struct code_reader *r, uint8_t op, uint32_t v, uint32_t c, bool first)
{
	struct code_word raw = word_of(r, c), one = code_word_of(1), zero = code_word_of(0), near;
	if (op == OP_ADD) {
		use(r, c); /* a selector may be put in front of something */
		code_word_op(OP_SUB, &zero, &raw, &raw);
	}
	struct code_word w = moved_back(r, v, raw);
	bool match = compared_with(r, &w);
	uint32_t result = VAL_TOP | MAY_SELECTOR | MAY_COMPUTED;
	switch (op) {
	case OP_EQ:
		return VAL_TOP | (match ? IS_MATCH : 0);
	case OP_LT:
	case OP_GT:
	case OP_SLT:
	case OP_SGT:
		code_word_op(OP_SUB, &w, &one, &near);
		compared_with(r, &near);
		code_word_op(OP_ADD, &w, &one, &near);
		compared_with(r, &near);
		return VAL_TOP;
	case OP_ADD:
	case OP_SUB:
		if ((v & VAL_PAYLOAD) != 0 || (first && op == OP_SUB))
			return result | (match ? IS_OTHER : 0);
		code_word_op(OP_SUB, &zero, &raw, &raw);
		return result | (match ? IS_OTHER : 0) | move(r, OP_ADD, &raw);
	default:
		return result | (match ? IS_OTHER : 0) | ((v & VAL_PAYLOAD) == 0 ? move(r, OP_XOR, &raw) : 0);
	}
}

static bool
compares(uint8_t op)
{
	return op == OP_EQ || op == OP_XOR || op == OP_SUB || op == OP_ADD || (op >= OP_LT && op <= OP_SGT);
}

static bool
is_address_sized(const struct code_reader *r, uint32_t v)
{
	return ((v & VAL_KIND) == VAL_LIT && r->p[v & VAL_PAYLOAD] >= OP_PUSH1 + 11) ||
	       (v & VAL_KIND) == VAL_POOL;
}

static uint32_t
half_known(struct code_reader *r, uint8_t op, uint32_t unknown, uint32_t c, bool first)
{
	if ((unknown & MAY_CALLER) && (op == OP_EQ || op == OP_XOR || op == OP_SUB) && is_address_sized(r, c))
		r->sum.reasons |= REASON(OWNER_ONLY);
	if ((unknown & MAY_SELECTOR) && compares(op))
		return compare_selector(r, op, unknown, c, first);
	if (op != OP_EQ && op != OP_LT && op != OP_GT && op != OP_AND)
		use(r, c);
	uint32_t marks = unknown & MAY_SELECTOR;
	if (op == OP_AND || op == OP_SHL || op == OP_SHR)
		marks |= unknown & MAY_CALLER;
	return VAL_TOP | marks | MAY_COMPUTED;
}

static void
binary(struct code_reader *r, uint8_t op)
{
	uint32_t a = pop(r), b = pop(r), v;
	if (is_constant(a) && is_constant(b)) {
		struct code_word x = word_of(r, a), y = word_of(r, b), z;
		v = code_word_op(op, &x, &y, &z) ? constant(r, &z) : VAL_TOP | MAY_COMPUTED;
	} else if (is_constant(a)) {
		v = half_known(r, op, b, a, true);
	} else if (is_constant(b)) {
		v = half_known(r, op, a, b, false);
	} else {
		if ((op == OP_EQ || op == OP_XOR || op == OP_SUB) && ((a | b) & MAY_SELECTOR))
			r->seen.table = true;
		v = VAL_TOP | ((a | b) & MAY_SELECTOR) | MAY_COMPUTED;
	}
	push(r, v);
}

static void
unary(struct code_reader *r, uint8_t op)
{
	uint32_t a = pop(r);
	if (is_constant(a) && op != OP_CLZ) {
		struct code_word w = word_of(r, a);
		w = op == OP_NOT ? code_word_not(&w) : code_word_of(code_word_zero(&w));
		push(r, constant(r, &w));
		return;
	}
	uint32_t v = VAL_TOP | (op == OP_NOT ? (a & MAY_SELECTOR) | MAY_COMPUTED : 0);
	if (op == OP_ISZERO)
		v |= (a & IS_MATCH ? IS_OTHER : 0) | (a & IS_OTHER ? IS_MATCH : 0);
	push(r, v);
}

static void
code_copy(struct code_reader *r)
{
	uint32_t from = peek(r, 1), size = peek(r, 2);
	uint64_t at, len;
	struct code_word w;
	struct code_seen *s = &r->seen;
	if (!is_constant(from) || (w = word_of(r, from), !code_word_small(&w, &at)) || at >= r->len) {
		s->copy_unknown |= !is_constant(from);
		return;
	}
	if (!is_constant(size) || (w = word_of(r, size), !code_word_small(&w, &len)) || len > r->len - at)
		len = r->len - at;
	for (uint32_t i = 0; i < s->n_copies; i++) {
		if (s->copy[i].at == at && s->copy[i].len == len)
			return;
	}
	if (len < 3)
		return;
	if (s->n_copies < CODE_COPIES)
		s->copy[s->n_copies++] = (struct code_region){(uint32_t)at, (uint32_t)len, false};
	else
		s->over = true;
}

static void
acts(struct code_reader *r, uint32_t pc)
{
	r->mark[pc] |= r->sure ? MARK_ACT | MARK_SURE : MARK_ACT;
	if (r->ungated)
		r->seen.call_ungated = true;
}

static void
ends_empty(struct code_reader *r, uint32_t pc)
{
	r->mark[pc] |= r->sure ? MARK_EMPTY | MARK_SURE : MARK_EMPTY;
}

static void
delegates(struct code_reader *r)
{
	uint32_t to = peek(r, 1);
	r->seen.delegate = true;
	if (!r->ungated || !is_address_sized(r, to) || r->out->has_target)
		return;
	struct code_word w = word_of(r, to);
	uint8_t bytes[32];
	code_word_bytes(&w, bytes);
	if ((w.l[0] | w.l[1] | (uint32_t)w.l[2]) == 0)
		return;
	r->out->has_target = true;
	memcpy(r->out->target, bytes + 12, 20);
	r->sum.reasons |= REASON(PROXY);
}

static void
calldata_load(struct code_reader *r)
{
	uint32_t at = pop(r);
	bool first = !is_constant(at) || ((at & VAL_KIND) == VAL_SMALL && (at & VAL_PAYLOAD) < 4);
	if ((!first || !is_constant(at)) && r->ungated)
		r->seen.calldata_ungated = true;
	push(r, VAL_TOP | MAY_COMPUTED | (first ? MAY_SELECTOR : 0));
}

static void
returns(struct code_reader *r, uint32_t pc)
{
	uint32_t size = peek(r, 1);
	if ((size & VAL_KIND) == VAL_SMALL && (size & VAL_PAYLOAD) == 0)
		ends_empty(r, pc);
	else
		r->seen.returns = true;
}

static void
generic(struct code_reader *r, uint8_t op)
{
	for (unsigned n = effect[op] >> 4; n > 0; n--)
		pop(r);
	if (effect[op] & 15)
		push(r, VAL_TOP | MAY_COMPUTED);
}

/* Code that is put together in memory: long constants that are stored, one behind the other, wherever each of
 * them goes. */
static void
keep_word(struct code_reader *r, uint32_t v)
{
	uint8_t b[32];
	unsigned n = 0;
	if (!r->fresh || !is_address_sized(r, v))
		return;
	struct code_word w = word_of(r, v);
	code_word_bytes(&w, b);
	for (unsigned i = 0; i < 32; i++)
		n += b[i] != 0 && b[i] != 0xff;
	if (n < 16)
		return;
	if (r->n_words < CODE_WORDS)
		memcpy(r->words[r->n_words++], b, 32);
	else
		r->seen.over = true;
}

/* What an instruction does beside the stack. */
static void
notice(struct code_reader *r, uint8_t op, uint32_t pc)
{
	switch (op) {
	case OP_CALLDATACOPY:
		r->seen.calldata_ungated |= r->ungated;
		break;
	case OP_CODECOPY:
		code_copy(r);
		break;
	case OP_MSTORE:
		keep_word(r, peek(r, 1));
		/* fall through */
	case OP_SSTORE:
	case OP_TSTORE:
		use(r, peek(r, 1));
		break;
	case OP_CREATE:
	case OP_CREATE2:
		r->seen.create = true;
		acts(r, pc);
		break;
	case OP_DELEGATECALL:
	case OP_CALLCODE:
		delegates(r);
		acts(r, pc);
		break;
	case OP_CALL:
		r->seen.call = true;
		acts(r, pc);
		break;
	default:
		break;
	}
}

static void
value_of(struct code_reader *r, uint8_t op, uint32_t pc)
{
	switch (op) {
	case OP_PC:
		push(r, VAL_SMALL | pc);
		return;
	case OP_ORIGIN:
	case OP_CALLER:
		push(r, VAL_TOP | MAY_CALLER | MAY_COMPUTED);
		return;
	case OP_CALLDATALOAD:
		calldata_load(r);
		return;
	case OP_CALLDATASIZE: /* no calldata is no callback: ether that comes in */
		push(r, VAL_TOP | MAY_COMPUTED | IS_OTHER);
		return;
	case OP_MLOAD:
	case OP_SLOAD:
	case OP_TLOAD: /* some keep the selector in memory (Vyper), others could in storage */
		pop(r);
		push(r, VAL_TOP | MAY_COMPUTED | MAY_SELECTOR);
		return;
	case OP_ISZERO:
	case OP_NOT:
	case OP_CLZ:
		unary(r, op);
		return;
	default:
		notice(r, op, pc);
		generic(r, op);
	}
}

static void
push_literal(struct code_reader *r, uint32_t pc, unsigned n)
{
	if (n > r->len - 1 - pc) { /* cut off by the end: the EVM stops behind it */
		push(r, VAL_UNKNOWN);
		return;
	}
	uint32_t v = 0;
	unsigned zeros = 0;
	if (n < 20) {
		for (; zeros < n && r->p[pc + 1 + zeros] == 0; zeros++)
			;
		for (unsigned i = zeros; i < n && n - zeros <= 3; i++)
			v = v << 8 | r->p[pc + 1 + i];
		if (n - zeros <= 3) {
			push(r, VAL_SMALL | v);
			return;
		}
	}
	push(r, VAL_LIT | pc); /* also the zeros of immutables: a PUSH32 means more than its number */
}

/* A conditional jump: whichever way a match of the selector leads is behind its gate. */
static void
jump_if(struct code_reader *r, uint32_t pc)
{
	uint32_t target = pop(r), condition = pop(r);
	jump_to(r, target, condition & IS_MATCH);
	if (condition & IS_OTHER)
		r->ungated = false;
	block_ends(r, pc);
}

enum kind_of_op { KIND_END, KIND_PUSH, KIND_DUP, KIND_SWAP, KIND_BINARY, KIND_JUMP, KIND_OTHER };

static enum kind_of_op
kind_of(uint8_t op)
{
	if (op >= OP_PUSH0 && op <= OP_PUSH32)
		return KIND_PUSH;
	if (op >= OP_DUP1 && op < OP_LOG0)
		return op < OP_SWAP1 ? KIND_DUP : KIND_SWAP;
	if (op == OP_JUMP || op == OP_JUMPI)
		return KIND_JUMP;
	if (effect[op] == E(2, 1) && op != OP_KECCAK256)
		return KIND_BINARY;
	return effect[op] != 0 || op == OP_JUMPDEST ? KIND_OTHER
						    : KIND_END; /* REVERT, INVALID, what is no instruction */
}

void
code_kinds(uint8_t kinds[256])
{
	for (unsigned op = 0; op < 256; op++)
		kinds[op] = (uint8_t)kind_of((uint8_t)op);
}

static void
end(struct code_reader *r, uint8_t op, uint32_t pc)
{
	if (op == OP_RETURN)
		returns(r, pc);
	if (op == OP_STOP || op == OP_SELFDESTRUCT)
		ends_empty(r, pc);
	if (op == OP_SELFDESTRUCT)
		r->sum.reasons |= REASON(SELFDESTRUCT);
}

/* False: the block ends here. */
static bool
step(struct code_reader *r, uint8_t op, uint32_t pc)
{
	switch (r->kinds[op]) {
	case KIND_PUSH:
		push_literal(r, pc, op - OP_PUSH0);
		break;
	case KIND_DUP:
		push(r, peek(r, op - OP_DUP1));
		break;
	case KIND_SWAP:
		swap(r, op - OP_SWAP1 + 1u);
		break;
	case KIND_BINARY:
		binary(r, op);
		break;
	case KIND_JUMP:
		if (op == OP_JUMPI) {
			jump_if(r, pc);
			break;
		}
		jump_to(r, pop(r), false);
		block_ends(r, pc);
		return false;
	case KIND_END:
		end(r, op, pc);
		return false;
	default:
		value_of(r, op, pc);
	}
	return r->sp < CODE_STACK;
}

static void
reached_op(struct code_reader *r, uint8_t op, uint32_t at)
{
	r->ops[at / 64] |= 1ull << at % 64;
	if ((op == OP_PUSH20 || op == OP_PUSH32) && r->n_wide < CODE_WIDE)
		r->wide[r->n_wide++] = at;
}

static void
walk(struct code_reader *r, uint32_t pc)
{
	r->told_to = pc;
	r->told_pool = r->n_pool = r->n_moved = r->n_before = 0;
	memset(r->told, 0, sizeof(r->told));
	r->before = 0;
	for (;;) {
		uint8_t op = r->p[pc];
		uint32_t size = 1 + push_bytes(op);
		if (pc >= r->marked)
			code_mark_to(r, pc);
		r->sum.work++;
		r->fresh = !(r->mark[pc] & MARK_SEEN);
		if (r->fresh) { /* a walk is new as a whole, or not at all */
			r->mark[pc] |= MARK_SEEN;
			code_gram(r, pc);
			reached_op(r, op, r->base + pc);
			r->out->reached_bytes += size <= r->len - pc ? size : r->len - pc;
		}
		if (!step(r, op, pc))
			return;
		if (size >= r->len - pc) {
			ends_empty(r, pc); /* an implicit STOP */
			return;
		}
		pc += size;
		if (r->p[pc] == OP_JUMPDEST) {
			block_ends(r, pc);
			code_reach(r, pc, true, r->sure, r->ungated);
			return;
		}
	}
}

static void
drain(struct code_reader *r)
{
	while (r->n_queue > 0) {
		if (r->sum.work > CODE_WORK_MAX) {
			r->seen.over = true;
			return;
		}
		struct code_head *h = &r->heads[r->queue[--r->n_queue]];
		h->queued = false;
		h->visits++;
		memcpy(r->stack, r->slots + h->slots, h->n * sizeof(r->stack[0]));
		r->sp = h->n;
		r->sure = h->sure;
		r->ungated = h->ungated;
		walk(r, h->pc);
	}
}

void
code_walk(struct code_reader *r)
{
	r->seen = (struct code_seen){0};
	r->n_heads = r->n_queue = r->n_slots = r->sp = 0;
	if (r->len == 0)
		return;
	r->marked = r->cleared = r->n_words = 0;
	r->sure = r->ungated = true;
	if (is_dest(r, 0))
		code_reach(r, 0, true, true, true);
	else
		walk(r, 0);
	drain(r);
	if (!r->seen.guessed)
		return;
	r->sp = 0;
	for (uint32_t pc = 0; pc < r->len; pc++) {
		if (is_dest(r, pc) && r->head_at[pc] == 0)
			code_reach(r, pc, false, false, false);
	}
	drain(r);
}
