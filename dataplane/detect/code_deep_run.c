/* SPDX-License-Identifier: BSD-3-Clause */
#include "detect/code_deep.h"
#include "detect/code_private.h"
#include "detect/flash.h"

#include "eth/keccak.h"

#include <string.h>

#define ALL UINT32_MAX
#define LOOPS 12u /* walks of a soft condition before it is led the other way */
#define CALLDATA                                                                                          \
	0x204u /* bytes: above four where there is a selector, so that no payment of ether is taken for a \
		  callback */
#define SOMEBODY 0x00ca11e400ca11e4ull

/* Operands taken, for what leaves one guess or nothing behind. */
static const struct {
	uint8_t op, takes;
	bool leaves;
	uint64_t guess;
} others[] = {{OP_CLZ, 1, true, 0}, {OP_CALLVALUE, 0, true, 0}, {0x31, 1, true, 1ull << 60},
	{0x3a, 0, true, 1000000000}, {0x3f, 1, true, 1}, {0x40, 1, true, 1}, {0x41, 0, true, SOMEBODY + 1},
	{0x42, 0, true, 0x68000000}, {0x43, 0, true, 24000000}, {0x44, 0, true, 7}, {0x45, 0, true, 30000000},
	{0x46, 0, true, 1}, {0x47, 0, true, 1ull << 60}, {0x48, 0, true, 1000000000}, {0x49, 1, true, 0},
	{0x4a, 0, true, 1}, {0x59, 0, true, 0x400}, {0x5a, 0, true, 30000000}, {0xa0, 2, false, 0},
	{0xa1, 3, false, 0}, {0xa2, 4, false, 0}, {0xa3, 5, false, 0}, {0xa4, 6, false, 0}};

static struct deep_value
guess(uint64_t v)
{
	return (struct deep_value){code_word_of(v), ALL};
}

static struct deep_value
sure(uint64_t v)
{
	return (struct deep_value){code_word_of(v), 0};
}

static void
push(struct deep_frame *f, struct deep_value v)
{
	if (f->sp < DEEP_STACK)
		f->stack[f->sp++] = v;
	else
		f->broken = true; /* which ends the path */
}

static struct deep_value
pop(struct deep_frame *f)
{
	if (f->sp > 0)
		return f->stack[--f->sp];
	f->broken = true;
	return guess(0);
}

static uint32_t
place(const struct deep_value *v)
{
	uint64_t at;
	return code_word_small(&v->w, &at) && at < DEEP_MEMORY ? (uint32_t)at : DEEP_MEMORY;
}

/* Marks of what is moved by whole bytes. */
static uint32_t
moved_marks(uint32_t soft, uint64_t bits, bool left)
{
	if (bits > 255)
		return 0;
	if (bits % 8 == 0)
		return left ? soft << bits / 8 : soft >> bits / 8;
	uint32_t n = (uint32_t)bits / 8;
	return left ? soft << n | (n < 31 ? soft << (n + 1) : 0) : soft >> n | (n < 31 ? soft >> (n + 1) : 0);
}

uint32_t
deep_bytes_of(const struct code_word *w)
{
	uint32_t out = 0;
	for (unsigned i = 0; i < 32; i++)
		out |= (uint32_t)((w->l[i / 8] >> 8 * (i % 8) & 0xff) != 0) << i;
	return out;
}

static int
power(const struct code_word *w)
{
	int bit = -1;
	for (unsigned i = 0; i < 4; i++) {
		if (w->l[i] == 0)
			continue;
		if (bit >= 0 || (w->l[i] & (w->l[i] - 1)) != 0)
			return -1;
		bit = (int)(64 * i) + __builtin_ctzll(w->l[i]);
	}
	return bit;
}

static uint32_t
marks_of(uint8_t op, const struct deep_value *a, const struct deep_value *b)
{
	uint64_t n;
	uint32_t either = a->soft | b->soft;
	int bit;
	if (either == 0)
		return 0;
	switch (op) {
	case OP_AND: /* a zero that is sure is sure of the result */
		return either & (a->soft | deep_bytes_of(&a->w)) & (b->soft | deep_bytes_of(&b->w));
	case OP_OR:
	case OP_XOR:
		return either;
	case OP_SHL:
	case OP_SHR:
		return a->soft != 0
			       ? ALL
			       : moved_marks(b->soft, code_word_small(&a->w, &n) ? n : 256, op == OP_SHL);
	case OP_MUL:
		if (a->soft == 0 && (bit = power(&a->w)) >= 0)
			return moved_marks(b->soft, (unsigned)bit, true);
		return b->soft == 0 && (bit = power(&b->w)) >= 0 ? moved_marks(a->soft, (unsigned)bit, true)
								 : ALL;
	case OP_DIV:
		return b->soft == 0 && (bit = power(&b->w)) >= 0 ? moved_marks(a->soft, (unsigned)bit, false)
								 : ALL;
	case OP_BYTE:
		if (a->soft != 0 || !code_word_small(&a->w, &n) || n > 31)
			return a->soft != 0 ? ALL : 0;
		return b->soft >> (31 - n) & 1;
	default:
		return ALL;
	}
}

static void
sign_extend(const struct code_word *at, const struct code_word *a, struct code_word *out)
{
	uint64_t n;
	*out = *a;
	if (!code_word_small(at, &n) || n > 30)
		return;
	struct code_word by = code_word_of(8 * (31 - n)), up;
	code_word_op(OP_SHL, &by, a, &up);
	code_word_op(OP_SAR, &by, &up, out);
}

static void
binary(struct code_deep *d, struct deep_frame *f, uint8_t op)
{
	struct deep_value a = pop(f), b = pop(f), v = {{{0, 0, 0, 0}}, ALL};
	d->steps += op == OP_EXP ? 16 : 0;
	if (op == 0x0b) {
		sign_extend(&a.w, &b.w, &v.w);
		v.soft = a.soft | b.soft ? ALL : 0;
	} else if (code_word_op(op == 0x05 ? OP_DIV : op == 0x07 ? OP_MOD : op, &a.w, &b.w, &v.w)) {
		v.soft = marks_of(op, &a, &b);
	}
	push(f, v);
}

/* ADDMOD, MULMOD: of numbers that are not large. */
static void
modular(struct deep_frame *f, uint8_t op)
{
	struct deep_value a = pop(f), b = pop(f), m = pop(f), v = guess(0);
	uint64_t x, y, z;
	if (code_word_small(&a.w, &x) && code_word_small(&b.w, &y) && code_word_small(&m.w, &z)) {
		unsigned __int128 r = op == 0x08 ? (unsigned __int128)x + y : (unsigned __int128)x * y;
		v = (struct deep_value){
			code_word_of(z == 0 ? 0 : (uint64_t)(r % z)), a.soft | b.soft | m.soft ? ALL : 0};
	}
	push(f, v);
}

static void
unary(struct deep_frame *f, uint8_t op)
{
	struct deep_value a = pop(f);
	if (op == OP_NOT)
		a.w = code_word_not(&a.w);
	else
		a = (struct deep_value){code_word_of(code_word_zero(&a.w)), a.soft ? ALL : 0};
	push(f, a);
}

static void
hash(struct code_deep *d, struct deep_frame *f)
{
	struct deep_value at = pop(f), size = pop(f), v = guess(0);
	uint32_t from = place(&at), n = place(&size);
	if (n <= DEEP_KECCAK && from <= DEEP_MEMORY - n) {
		struct span bytes = {f->memory + from, n};
		uint8_t out[32];
		keccak256(&bytes, 1, out);
		v.w = code_word_read(out, 32);
		v.soft = at.soft | size.soft || memchr(f->soft + from, 1, n) != NULL ? ALL : 0;
		d->steps += 20 + n / 8;
	}
	push(f, v);
}

static void
calldata_load(struct code_deep *d, struct deep_frame *f)
{
	struct deep_value at = pop(f), v = guess(0);
	uint32_t from = place(&at);
	if (d->has_selector && !f->constructor && from < 4) {
		uint8_t bytes[32] = {0};
		memcpy(bytes, d->selector + from, 4 - from);
		v.w = code_word_read(bytes, 32);
		v.soft = ALL >> (4 - from); /* the lower bytes */
	}
	push(f, v);
}

static void
copy_calldata(struct code_deep *d, struct deep_frame *f)
{
	struct deep_value to = pop(f), from = pop(f), size = pop(f);
	uint32_t at = place(&to), n = place(&size), first = place(&from);
	if (at == DEEP_MEMORY || n > DEEP_MEMORY - at)
		return;
	if (d->has_selector && !f->constructor && first < 4 && n > 0) {
		uint32_t known = 4 - first < n ? 4 - first : n;
		deep_fill(d, f, at, NULL, 0, n, true, true);
		deep_fill(d, f, at, d->selector + first, known, known, false, false);
	} else {
		deep_fill(d, f, at, NULL, 0, n, true, true);
	}
}

static void
copy_code(struct code_deep *d, struct deep_frame *f, const uint8_t *code, uint32_t len, bool constructor)
{
	struct deep_value to = pop(f), from = pop(f), size = pop(f);
	uint64_t first;
	uint32_t at = place(&to), n = place(&size);
	if (at == DEEP_MEMORY || n > DEEP_MEMORY - at)
		return;
	if (!code_word_small(&from.w, &first) || first > len)
		first = len;
	deep_fill(d, f, at, first < len ? code + first : NULL, len - (uint32_t)first, n, false, constructor);
}

static uint32_t
account_of(const struct code_deep *d, const struct deep_value *v)
{
	uint64_t i = v->w.l[0] - SOMEBODY * 2;
	bool ours = v->w.l[1] == 0x5e17 && (v->w.l[2] << 32) == 0 && i < d->n_accounts;
	return ours ? (uint32_t)i : DEEP_ACCOUNTS;
}

static struct deep_value
address_of(uint32_t account)
{
	return (struct deep_value){{{SOMEBODY * 2 + account, 0x5e17, 0, 0}}, ALL};
}

static void
create(struct code_deep *d, struct deep_frame *f, bool salted)
{
	pop(f);
	struct deep_value at = pop(f), size = pop(f);
	if (salted)
		pop(f);
	uint32_t from = place(&at), n = place(&size), made = DEEP_ACCOUNTS;
	d->path.clean = false;
	if (n > 2 && from <= DEEP_MEMORY - n)
		made = deep_create(d, f->memory + from, n);
	push(f, made < DEEP_ACCOUNTS ? address_of(made) : guess(SOMEBODY + 2));
}

/* What is called within a loan to do more than to pay it back. */
static bool
pays(uint32_t selector)
{
	static const uint32_t payments[] = {0, 0xa9059cbb, 0x23b872dd, 0x095ea7b3, 0xd0e30db0, 0x2e1a7d4d,
		0x36c78516, 0x128acb08, 0x70a08231, 0xdd62ed3e, 0x0dfe1681, 0xd21220a7, 0xddca3f43,
		0x1698ee82, 0x0902f1ac, 0x3850c7bd, 0x313ce567};
	for (unsigned i = 0; i < sizeof(payments) / sizeof(payments[0]); i++) {
		if (payments[i] == selector)
			return true;
	}
	return false;
}

static void
note_call(struct code_deep *d, struct deep_frame *f, uint8_t op, const struct deep_value *to, uint32_t at,
	const struct deep_value *size)
{
	uint32_t n = place(size);
	uint8_t address[32];
	code_word_bytes(&to->w, address);
	d->addresses |= flash_address(address + 12);
	d->path.acted |= op != OP_STATICCALL && (n < 4 || at > DEEP_MEMORY - n);
	if (op == OP_CALL && n < 4 && size->soft != 0)
		d->path.used = d->account[f->account].told = true;
	if (n < 4 || at > DEEP_MEMORY - n)
		return;
	const uint8_t *p = f->memory + at;
	uint32_t selector = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
	const struct flash_selector *known = flash_selector(selector);
	if (op != OP_STATICCALL && (known == NULL || known->providers[FLASH_ENTRY] == 0))
		d->path.acted =
			true; /* who borrows whatever he is called with does not serve what comes back */
	bool unknown = f->soft[at] | f->soft[at + 1] | f->soft[at + 2] | f->soft[at + 3];
	if (op == OP_CALL && (unknown || !pays(selector)))
		d->path.used = true;
	if (op == OP_CALL && unknown)
		d->account[f->account].told = true;
	deep_called(d, selector);
}

static void
call(struct code_deep *d, struct deep_frame *f, uint8_t op)
{
	pop(f);
	struct deep_value to = pop(f);
	if (op == OP_CALL || op == OP_CALLCODE)
		pop(f);
	struct deep_value at = pop(f), size = pop(f), out_at = pop(f), out_size = pop(f);
	uint32_t result = place(&out_at), n = place(&out_size);
	static const uint8_t one[32] = {[31] = 1};
	d->path.clean = false;
	note_call(d, f, op, &to, place(&at), &size);
	if (result < DEEP_MEMORY && n <= DEEP_MEMORY - result)
		deep_fill(d, f, result, one, n < 32 ? n : 32, n, true, true);
	push(f, guess(1));
}

static void
copy_returned(struct code_deep *d, struct deep_frame *f)
{
	struct deep_value to = pop(f), from = pop(f), size = pop(f);
	static const uint8_t one[32] = {[31] = 1};
	uint32_t at = place(&to), n = place(&size), first = place(&from);
	if (at < DEEP_MEMORY && n <= DEEP_MEMORY - at)
		deep_fill(d, f, at, one, first == 0 ? 32 : 0, n, true, true);
}

static void
ext_code(struct code_deep *d, struct deep_frame *f, bool copy)
{
	struct deep_value who = pop(f);
	uint32_t i = account_of(d, &who);
	bool ours = i < DEEP_ACCOUNTS && d->account[i].has_code;
	if (copy)
		copy_code(d, f, ours ? d->account[i].code : NULL, ours ? d->account[i].len : 0, true);
	else
		push(f, ours ? sure(d->account[i].len) : guess(1));
}

static void
storage(struct code_deep *d, struct deep_frame *f, uint8_t op)
{
	uint32_t space = f->account | (op == OP_TLOAD || op == OP_TSTORE ? DEEP_TRANSIENT : 0);
	struct deep_value key = pop(f);
	if (op == OP_SLOAD || op == OP_TLOAD) {
		push(f, deep_cell_get(d, space, &key.w));
		return;
	}
	struct deep_value v = pop(f);
	deep_cell_set(d, space, &key.w, &v);
}

static void
memory(struct code_deep *d, struct deep_frame *f, uint8_t op)
{
	struct deep_value at = pop(f), v;
	if (op == OP_MLOAD) {
		push(f, deep_load(d, f, place(&at)));
		return;
	}
	v = pop(f);
	if (op == OP_MSTORE) {
		deep_store_value(d, f, place(&at), &v);
		return;
	}
	uint8_t byte = (uint8_t)v.w.l[0], bytes[32] = {byte}, soft[32] = {v.soft & 1};
	deep_store(d, f, place(&at), bytes, soft, 1);
}

static bool
remembers(const uint64_t *bits, uint32_t at)
{
	return bits[at / 64] >> at % 64 & 1;
}

/* Where a condition is asked: at pc, for whoever called its function (the labels on the stack). */
static uint32_t
context(const struct code_deep *d, const struct deep_frame *f)
{
	uint64_t h = f->pc + 1, pc;
	for (uint32_t i = 0; i < f->sp; i++) {
		const struct deep_value *v = &f->stack[i];
		if (v->soft == 0 && code_word_small(&v->w, &pc) && pc < f->len &&
			deep_is_dest(d, f, (uint32_t)pc))
			h = (h ^ pc) * 0x9e3779b97f4a7c15ull;
	}
	return (uint32_t)((h * 0x9e3779b97f4a7c15ull) >> 48) % DEEP_VISITS;
}

static void
fork_to(struct code_deep *d, const struct deep_frame *f, uint32_t pc)
{
	if (d->n_forks == DEEP_FORKS || d->n_snapshot + f->sp > DEEP_SNAPSHOT)
		return;
	struct deep_fork *k = &d->fork[d->n_forks++];
	*k = (struct deep_fork){.pc = pc,
		.sp = f->sp,
		.stack = d->n_snapshot,
		.journal = d->n_journal,
		.limit = d->pool,
		.path = d->path};
	k->path.clean = true;
	k->path.origin = pc;
	memcpy(d->snapshot + d->n_snapshot, f->stack, f->sp * sizeof(f->stack[0]));
	d->n_snapshot += f->sp;
}

static bool
choose(struct code_deep *d, struct deep_frame *f, bool natural, uint32_t target, uint32_t next)
{
	bool dead_to = remembers(d->dead, f->dests + target),
	     dead_on = next < f->len && remembers(d->dead, f->dests + next);
	if (dead_to != dead_on)
		return dead_on;
	uint8_t *n = &d->visits[context(d, f)];
	d->steps += f->sp / 8;
	uint8_t before = *n;
	*n = before < 255 ? before + 1 : before;
	if (f->forks && before == 0 && !dead_to)
		fork_to(d, f, natural ? next : target);
	return before < LOOPS ? natural : before & 1;
}

/* False: the path ends. */
static bool
jump_if(struct code_deep *d, struct deep_frame *f)
{
	struct deep_value to = pop(f), condition = pop(f);
	uint64_t pc;
	bool goes = !code_word_zero(&condition.w),
	     valid = code_word_small(&to.w, &pc) && pc < f->len && deep_is_dest(d, f, (uint32_t)pc);
	uint32_t next = f->pc + 1;
	d->path.clean = false;
	if (condition.soft != 0 && valid) {
		goes = choose(d, f, goes, (uint32_t)pc, next);
		d->path.clean = true;
		d->path.origin = goes ? (uint32_t)pc : next;
	} else if (condition.soft != 0) {
		goes = false;
	} else if (d->leaving && f->forks && (goes || valid)) {
		fork_to(d, f, goes ? next : (uint32_t)pc);
	}
	if (goes && !valid)
		return false;
	f->pc = goes ? (uint32_t)pc : next;
	return true;
}

static bool
jump(struct code_deep *d, struct deep_frame *f)
{
	struct deep_value to = pop(f);
	uint64_t pc;
	d->path.clean = false; /* it may lead elsewhere from another stack, or for another selector */
	if (!code_word_small(&to.w, &pc) || pc >= f->len || !deep_is_dest(d, f, (uint32_t)pc))
		return false;
	f->pc = (uint32_t)pc;
	return true;
}

static void
copy_memory(struct code_deep *d, struct deep_frame *f)
{
	struct deep_value to = pop(f), from = pop(f), size = pop(f);
	deep_move(d, f, place(&to), place(&from), place(&size));
}

static bool
other(struct deep_frame *f, uint8_t op)
{
	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (others[i].op != op)
			continue;
		for (unsigned n = others[i].takes; n > 0; n--)
			pop(f);
		if (others[i].leaves)
			push(f, guess(others[i].guess));
		return true;
	}
	return false;
}

static bool
environment(struct code_deep *d, struct deep_frame *f, uint8_t op)
{
	switch (op) {
	case OP_ADDRESS:
		push(f, address_of(f->account));
		return true;
	case OP_ORIGIN:
	case OP_CALLER:
		push(f, guess(SOMEBODY));
		return true;
	case OP_CALLDATALOAD:
		calldata_load(d, f);
		return true;
	case OP_CALLDATASIZE:
		push(f, d->has_selector && !f->constructor ? sure(CALLDATA)
							   : guess(f->constructor ? 0 : CALLDATA));
		return true;
	case OP_CALLDATACOPY:
		copy_calldata(d, f);
		return true;
	case OP_CODESIZE:
		push(f, f->constructor ? guess(f->len) : sure(f->len));
		return true;
	case OP_CODECOPY:
		copy_code(d, f, f->code, f->len, f->constructor);
		return true;
	case 0x3b:
	case 0x3c:
		ext_code(d, f, op == 0x3c);
		return true;
	case 0x3d:
		push(f, guess(32));
		return true;
	case 0x3e:
		copy_returned(d, f);
		return true;
	case OP_PC:
		push(f, sure(f->pc));
		return true;
	default:
		return other(f, op);
	}
}

/* False: no such instruction. */
static bool
ordinary(struct code_deep *d, struct deep_frame *f, uint8_t op)
{
	switch (op) {
	case OP_JUMPDEST:
		return true;
	case 0x50:
		pop(f);
		return true;
	case OP_ISZERO:
	case OP_NOT:
		unary(f, op);
		return true;
	case 0x08:
	case 0x09:
		modular(f, op);
		return true;
	case OP_KECCAK256:
		hash(d, f);
		return true;
	case OP_MLOAD:
	case OP_MSTORE:
	case 0x53:
		memory(d, f, op);
		return true;
	case OP_SLOAD:
	case OP_SSTORE:
	case OP_TLOAD:
	case OP_TSTORE:
		storage(d, f, op);
		return true;
	case OP_MCOPY:
		copy_memory(d, f);
		return true;
	case OP_CREATE:
	case OP_CREATE2:
		create(d, f, op == OP_CREATE2);
		return true;
	case OP_CALL:
	case OP_CALLCODE:
	case OP_DELEGATECALL:
	case OP_STATICCALL:
		call(d, f, op);
		return true;
	default:
		if ((op >= OP_ADD && op <= 0x0b) || (op >= OP_LT && op <= OP_SAR)) {
			binary(d, f, op);
			return true;
		}
		return environment(d, f, op);
	}
}

static uint32_t
push_literal(struct deep_frame *f, unsigned n)
{
	uint32_t left = f->len - f->pc - 1;
	push(f, (struct deep_value){code_word_read(f->code + f->pc + 1, n <= left ? n : left), 0});
	return n;
}

static void
swap(struct deep_frame *f, uint32_t n)
{
	struct deep_value *top = &f->stack[f->sp - 1], *deep = top - n, v = *top;
	*top = *deep;
	*deep = v;
}

static enum deep_end
ends(struct code_deep *d, struct deep_frame *f, uint8_t op)
{
	if (op == OP_STOP || op == OP_SELFDESTRUCT)
		return DEEP_STOPS;
	if (op == OP_RETURN && f->sp >= 2) {
		struct deep_value at = pop(f), size = pop(f);
		f->out_at = place(&at);
		f->out_len = place(&size);
		if (f->out_at == DEEP_MEMORY || f->out_len > DEEP_MEMORY - f->out_at)
			f->out_len = 0;
		return DEEP_RETURNS;
	}
	if (d->path.clean)
		d->dead[(f->dests + d->path.origin) / 64] |= 1ull << (f->dests + d->path.origin) % 64;
	return DEEP_REVERTS;
}

/* One instruction that goes on; false: the path ends at it. */
static bool
step(struct code_deep *d, struct deep_frame *f, uint8_t op)
{
	if (op >= OP_PUSH0 && op <= OP_PUSH32) {
		f->pc += 1 + push_literal(f, op - OP_PUSH0);
		return true;
	}
	if (op >= OP_DUP1 && op < OP_LOG0) {
		uint32_t n = (op & 15u) + 1 + (op >= OP_SWAP1);
		if (f->sp < n)
			return false;
		if (op < OP_SWAP1)
			push(f, f->stack[f->sp - n]);
		else
			swap(f, n - 1);
		f->pc++;
		return true;
	}
	if (op == OP_JUMP)
		return jump(d, f);
	if (op == OP_JUMPI)
		return jump_if(d, f);
	if (!ordinary(d, f, op))
		return false;
	f->pc++;
	return true;
}

enum deep_end
deep_run(struct code_deep *d)
{
	struct deep_frame *f = &d->frame[d->depth];
	for (;;) {
		if (d->steps >= (d->leaving ? d->leave_at : d->limit))
			return DEEP_GIVES_UP;
		if (f->pc >= f->len)
			return DEEP_STOPS;
		d->steps++;
		uint8_t op = f->code[f->pc];
		if (op == OP_STOP || op == OP_RETURN || op == OP_REVERT || op == OP_INVALID ||
			op == OP_SELFDESTRUCT)
			return ends(d, f, op);
		if (!step(d, f, op) || f->broken) {
			d->path.clean = false; /* another stack may hold what this one lacks */
			return ends(d, f, OP_INVALID);
		}
	}
}
