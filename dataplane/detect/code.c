/* SPDX-License-Identifier: BSD-3-Clause */
#include "detect/code.h"
#include "detect/code_deep.h"
#include "detect/code_private.h"
#include "detect/flash.h"

#include "abi/alert.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_MAX (1u << 19) /* of all codes together */

void
code_free(struct code_reader *r)
{
	if (r == NULL)
		return;
	free(r->mark);
	free(r->head_at);
	free(r->heads);
	free(r->queue);
	free(r->slots);
	free(r->copy);
	code_deep_free(r->deep);
	free(r);
}

struct code_reader *
code_new(void)
{
	struct code_reader *r = calloc(1, sizeof(*r));
	if (r == NULL)
		return NULL;
	code_symbols(r->symbols);
	code_kinds(r->kinds);
	r->mark = malloc(CODE_BYTES_MAX);
	r->head_at = malloc(CODE_BYTES_MAX * sizeof(*r->head_at));
	r->heads = malloc(CODE_BYTES_MAX * sizeof(*r->heads));
	r->queue = malloc(CODE_BYTES_MAX * sizeof(*r->queue));
	r->slots = malloc(CODE_SLOTS_MAX * sizeof(*r->slots));
	r->copy = malloc(CODE_BYTES_MAX);
	r->deep = code_deep_new();
	if (r->deep && r->copy && r->mark && r->head_at && r->heads && r->queue && r->slots)
		return r;
	code_free(r);
	errno = ENOMEM;
	return NULL;
}

const uint64_t *
code_grams(const struct code_reader *r)
{
	return r->grams;
}

static void
add_region(struct code_reader *r, uint32_t at, uint32_t len, bool constructor)
{
	for (uint32_t i = 0; i < r->n_regions; i++) {
		if (r->region[i].at == at && r->region[i].len == len &&
			r->region[i].constructor >= constructor)
			return;
	}
	if (r->n_regions == CODE_REGIONS)
		r->sum.over = true;
	else
		r->region[r->n_regions++] = (struct code_region){at, len, constructor};
}

/* What a code may begin with; data and constructor arguments seldom do, and a STOP in front says that it does
 * nothing. */
static bool
may_be_code(const uint8_t *p, uint32_t len)
{
	uint8_t op = p[0];
	return len >= 3 && ((op >= OP_PUSH0 && op <= OP_PUSH32) || (op >= OP_ADDRESS && op <= 0x4a) ||
				   op == OP_PC || op == OP_JUMPDEST || op == 0x59 || op == 0x5a);
}

static bool
begins_like_code(const uint8_t *p, uint32_t len)
{
	static const struct {
		uint8_t n, bytes[6];
	} starts[] = {{5, {0x60, 0x80, 0x60, 0x40, 0x52}}, {5, {0x60, 0x60, 0x60, 0x40, 0x52}},
		{4, {0x60, 0x80, 0x80, 0x60}}, {5, {0x60, 0xa0, 0x60, 0x40, 0x52}},
		{4, {0x5f, 0x35, 0x60, 0xe0}}, {5, {0x60, 0x00, 0x35, 0x60, 0xe0}},
		{5, {0x60, 0x04, 0x36, 0x10, 0x15}}, {4, {0x60, 0x03, 0x36, 0x11}},
		{4, {0x36, 0x3d, 0x3d, 0x37}}, {4, {0x34, 0x15, 0x61, 0x00}}, {4, {0x3d, 0x60, 0x2d, 0x80}}};
	for (unsigned i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		if (starts[i].n <= len && memcmp(p, starts[i].bytes, starts[i].n) == 0)
			return true;
	}
	return false;
}

static void
search_codes(struct code_reader *r, uint32_t base)
{
	for (uint32_t i = 1; i < r->len; i++) {
		if (begins_like_code(r->p + i, r->len - i))
			add_region(r, base + i, r->len - i, true);
	}
}

static bool
may_read(struct code_reader *r, uint32_t len)
{
	if (len > r->sum.left) {
		r->sum.over = true;
		return false;
	}
	r->sum.left -= len;
	return true;
}

/* Selectors at any place of bytes that could not be read as code. */
static void
read_bluntly(struct code_reader *r, struct span bytes, bool entries)
{
	for (uint32_t i = 0; i + 4 <= bytes.len; i++) {
		const uint8_t *p = bytes.p + i;
		const struct flash_selector *f = flash_selector(
			(uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]);
		if (f == NULL)
			continue;
		r->sum.callbacks |= f->providers[FLASH_CALLBACK];
		r->sum.swap_callbacks |= f->providers[FLASH_SWAP_CALLBACK];
		if (f->providers[FLASH_CALLBACK])
			r->sum.callback_families |= f->families;
		if (!entries)
			continue;
		r->sum.calls = true; /* as far as anybody knows */
		r->sum.entries |= f->providers[FLASH_ENTRY];
		r->sum.helpers |= f->providers[FLASH_HELPER];
		r->sum.swap_entries |= f->providers[FLASH_SWAP_ENTRY];
		if (f->providers[FLASH_ENTRY])
			r->sum.entry_families |= f->families;
	}
}

/* Tables of selectors: bytes of a code that are no operand of what is reached, which says itself what it does
 * with it. */
static void
read_tables(struct code_reader *r)
{
	uint32_t from = 0;
	for (uint32_t pc = 0; pc < r->len; pc++) {
		uint8_t op = r->p[pc];
		uint32_t size = op >= OP_PUSH4 && op <= OP_PUSH32 ? op - OP_PUSH0 + 1u : 0;
		if (size == 0 || pc >= r->cleared || !(r->mark[pc] & MARK_SEEN))
			continue;
		read_bluntly(r, (struct span){r->p + from, pc - from}, false);
		from = size < r->len - pc ? pc + size : r->len;
		pc = from - 1;
	}
	read_bluntly(r, (struct span){r->p + from, r->len - from}, false);
}

static bool
is_copied(const struct code_seen *s, uint32_t pc)
{
	for (uint32_t i = 0; i < s->n_copies; i++) {
		if (pc - s->copy[i].at < s->copy[i].len)
			return true;
	}
	return false;
}

/* Of the init code itself: what it does while it is deployed. Where only a guess led, code that it copies is
 * not its own. */
static void
read_constructor(struct code_reader *r)
{
	for (uint32_t pc = 0; pc < r->cleared; pc++) {
		if (!(r->mark[pc] & (MARK_ACT | MARK_EMPTY)) ||
			(!(r->mark[pc] & MARK_SURE) && is_copied(&r->seen, pc)))
			continue;
		r->sum.reasons |= (r->mark[pc] & MARK_ACT ? REASON(CONSTRUCTOR) : 0) |
				  (r->mark[pc] & MARK_EMPTY ? REASON(NO_RUNTIME) : 0);
	}
}

/* Whether a code takes any call that has calldata, and acts on it. A constructor takes none. */
static bool
answers_all(const struct code_seen *s, const struct code_region *g)
{
	return g->at > 0 && s->call_ungated && (!g->constructor || s->calldata_ungated);
}

static void
sum_up(struct code_reader *r, const struct code_region *g)
{
	const struct code_seen *s = &r->seen;
	struct code_sum *sum = &r->sum;
	sum->callbacks |= s->callbacks;
	sum->swap_callbacks |= s->swap_callbacks;
	sum->callback_families |= s->callback_families;
	r->out->guessed |= s->guessed;
	sum->over |= s->over;
	if (s->guessed && s->table)
		read_tables(r);
	sum->calls |= s->call || s->delegate;
	sum->creates |= s->create;
	sum->entries |= s->entries;
	sum->helpers |= s->helpers;
	sum->swap_entries |= s->swap_entries;
	sum->entry_families |= s->entry_families;
	r->out->any_callback |= answers_all(s, g);
}

/* The codes inside the one that was walked: what a constructor returns, what is created; else, for a factory
 * that is called with it, only what begins as compilers begin. */
static void
nested(struct code_reader *r, struct code_region g)
{
	const struct code_seen *s = &r->seen;
	bool codes = s->create || (g.constructor && s->returns);
	for (uint32_t i = 0; i < s->n_copies; i++) {
		struct code_region c = s->copy[i];
		uint8_t word[32] = {0};
		memcpy(word, r->p + c.at, c.len < 32 ? c.len : 32);
		code_spelled(r, word);
		if (!(codes ? may_be_code : begins_like_code)(r->p + c.at, c.len)) {
			if ((s->call || s->delegate || s->guessed) &&
				may_read(r, c.len)) /* data, or constructor arguments: may be what it calls */
				read_bluntly(r, (struct span){r->p + c.at, c.len}, true);
			continue;
		}
		if (s->create || !codes)
			r->sum.reasons |= REASON(NESTED);
		add_region(r, g.at + c.at, c.len, s->create || !codes);
	}
	if (codes)
		read_bluntly(r, (struct span){r->words[0], 32 * r->n_words}, true);
	if (s->copy_unknown && codes && may_read(r, r->len)) {
		r->out->guessed = true;
		search_codes(r, g.at);
	}
}

static uint32_t
score_of(uint64_t reasons)
{
	uint32_t score = 0;
#define _(id, name, weight, help) score += reasons & REASON(id) ? weight : 0;
	ALERT_REASONS(_)
#undef _
	return score < ALERT_SCORE_MAX ? score : ALERT_SCORE_MAX;
}

/* What a walk does not see. Only as long as no loan has been seen; of code that calls nobody, only what its constructor makes of it. */
static void
read_deep(struct code_reader *r, struct span code)
{
	struct code_sum *s = &r->sum;
	struct code_deep *d = r->deep;
	if (!s->calls) /* of all of them: one may keep the selector in storage for the other */
		s->entries = s->helpers = s->swap_entries = s->entry_families = 0;
	uint64_t callbacks = s->callbacks | (r->out->any_callback ? s->entries : 0);
	if (flash_takes(s->entries, callbacks, s->helpers) != 0)
		return;
	struct deep_known known = {s->entries, callbacks, s->helpers, s->swap_entries, s->calls || s->creates};
	code_deep_read(d, code, &known);
	s->entries |= d->entries;
	s->callbacks |= d->callbacks;
	s->helpers |= d->helpers;
	s->swap_entries |= d->swap_entries;
	s->swap_callbacks |= d->swap_callbacks;
	s->addresses |= d->addresses;
	s->entry_families |= d->entry_families;
	s->callback_families |= d->callback_families;
	s->transfers |= d->transfers;
	s->swaps |= d->swaps;
	r->out->deep_steps = d->steps;
	r->out->tired = d->tired;
	r->out->any_callback |= d->any_callback;
}

static void
conclude(struct code_reader *r)
{
	struct code_facts *out = r->out;
	struct code_sum *s = &r->sum;
	uint32_t families = s->entry_families & (out->any_callback ? ~0u : s->callback_families);
	out->entries = s->entries;
	out->callbacks = s->callbacks | (out->any_callback ? s->entries : 0);
	out->addresses = s->addresses;
	out->swaps = s->swap_entries & s->swap_callbacks;
	out->flash = flash_takes(s->entries, out->callbacks, s->helpers) != 0;
	out->reasons = s->reasons | (out->callbacks ? REASON(CALLBACK) : 0) |
		       (s->entries ? REASON(ENTRY) : 0) | (s->addresses ? REASON(PROVIDER) : 0) |
		       (families & (families - 1) ? REASON(MANY_PROVIDERS) : 0) |
		       (s->transfers && s->swaps ? REASON(DRAINS) : 0);
	out->score = score_of(out->reasons);
	for (unsigned i = 0; i < CODE_GRAMS / 64; i++) {
		for (unsigned bit = 0; bit < 64; bit++)
			r->grams[i] |= (uint64_t)r->gram[64 * i + bit] << bit;
		out->n_grams += (uint32_t)__builtin_popcountll(r->grams[i]);
	}
}

void
code_read(struct code_reader *r, struct span code, struct code_facts *out)
{
	memset(out, 0, sizeof(*out));
	memset(r->grams, 0, sizeof(r->grams));
	memset(r->gram, 0, sizeof(r->gram));
	r->sum = (struct code_sum){0};
	r->out = out;
	if (code.len > CODE_BYTES_MAX) {
		code.len = CODE_BYTES_MAX;
		out->cut = true;
	}
	r->region[0] = (struct code_region){0, code.len, true};
	memset(r->ops, 0, (code.len + 63) / 64 * sizeof(r->ops[0]));
	r->n_wide = 0;
	r->n_regions = code.len > 0;
	r->sum.left = BYTES_MAX;
	for (uint32_t i = 0; i < r->n_regions; i++) {
		struct code_region g = r->region[i];
		if (!may_read(r, g.len))
			continue;
		r->p = code.p + g.at;
		r->base = g.at;
		r->len = g.len;
		code_walk(r);
		out->n_codes++;
		if (i == 0)
			read_constructor(r);
		nested(r, g);
		sum_up(r, &g);
	}
	if (r->sum.over) { /* nobody is found out less for being too much to read: what it may do counts as
			      done */
		out->cut = true;
		r->sum.reasons |= REASON(SELFDESTRUCT) | REASON(NESTED) | REASON(DRAINS) | REASON(OWNER_ONLY);
		read_bluntly(r, code, true);
		memset(r->grams, 0xff, sizeof(r->grams));
	}
	r->sum.addresses |= flash_addresses_in(code);
	read_deep(r, code);
	code_hash(r, code, out->hash);
	conclude(r);
}
