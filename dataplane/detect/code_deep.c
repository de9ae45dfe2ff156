/* SPDX-License-Identifier: BSD-3-Clause */
#include "detect/code_deep.h"
#include "detect/code_private.h"
#include "detect/flash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BITS (DEEP_ARENA + CODE_BYTES_MAX + 64 * 2 * DEEP_ACCOUNTS)
#define SHARE_MIN 1500u /* steps that a fork has at least, in the first round */
#define ROUNDS 2u	/* the next with forks that have more, if the first found nothing and left steps */
#define ROUND_FACTOR 2u
#define CREATE_STEPS 20000u		   /* of a constructor within another call */
#define EXPLORE_STEPS (DEEP_STEPS / 4 * 3) /* before callbacks are tried */
#define CALLBACK_STEPS 20000u
#define LEAVES 3u /* loops of a path that are left early */
#define LEAVE_STEPS 400u
#define NO_SELECTOR 0x5bd3f1a7u /* that nobody serves by name */

void
code_deep_free(struct code_deep *d)
{
	if (d == NULL)
		return;
	for (unsigned i = 0; i < DEEP_DEPTH; i++) {
		free(d->frame[i].memory);
		free(d->frame[i].soft);
		free(d->frame[i].stack);
	}
	free(d->snapshot);
	free(d->journal);
	free(d->arena);
	free(d->dests);
	free(d->dead);
	free(d);
}

struct code_deep *
code_deep_new(void)
{
	struct code_deep *d = calloc(1, sizeof(*d));
	if (d == NULL)
		return NULL;
	bool ok = true;
	for (unsigned i = 0; i < DEEP_DEPTH; i++) {
		struct deep_frame *f = &d->frame[i];
		f->memory = calloc(1, DEEP_MEMORY);
		f->soft = calloc(1, DEEP_MEMORY);
		f->stack = malloc(DEEP_STACK * sizeof(*f->stack));
		ok = ok && f->memory && f->soft && f->stack;
	}
	d->snapshot = malloc(DEEP_SNAPSHOT * sizeof(*d->snapshot));
	d->journal = malloc(DEEP_JOURNAL * sizeof(*d->journal));
	d->arena = malloc(DEEP_ARENA);
	d->dests = malloc(BITS / 8);
	d->dead = malloc(BITS / 8);
	if (ok && d->snapshot && d->journal && d->arena && d->dests && d->dead)
		return d;
	code_deep_free(d);
	errno = ENOMEM;
	return NULL;
}

bool
deep_is_dest(const struct code_deep *d, const struct deep_frame *f, uint32_t pc)
{
	uint32_t at = f->dests + pc;
	return d->dests[at / 64] >> at % 64 & 1;
}

/* Where the labels of a code are kept; UINT32_MAX: no room. */
static uint32_t
label(struct code_deep *d, const uint8_t *code, uint32_t len)
{
	uint32_t at = d->n_dests, size = (len + 63) / 64 * 64;
	if (size > BITS - at)
		return UINT32_MAX;
	memset(d->dests + at / 64, 0, size / 8);
	memset(d->dead + at / 64, 0, size / 8);
	for (uint32_t i = 0; i < len; i++) {
		if (code[i] == OP_JUMPDEST)
			d->dests[(at + i) / 64] |= 1ull << (at + i) % 64;
		else if (code[i] >= OP_PUSH1 && code[i] <= OP_PUSH32)
			i += code[i] - OP_PUSH0;
	}
	d->n_dests += size;
	d->steps += len / 8;
	return at;
}

static const uint8_t *
keep(struct code_deep *d, const uint8_t *p, uint32_t len)
{
	if (len > DEEP_ARENA - d->n_arena)
		return NULL;
	uint8_t *to = d->arena + d->n_arena;
	memcpy(to, p, len);
	d->n_arena += len;
	return to;
}

static struct deep_account *
account_new(struct code_deep *d, const uint8_t *init, uint32_t len)
{
	struct deep_account *a = &d->account[d->n_accounts];
	uint32_t labels = label(d, init, len);
	if (labels == UINT32_MAX)
		return NULL;
	a->init = init;
	a->init_len = len;
	a->init_dests = labels;
	a->has_code = a->told = false;
	a->parent = d->n_accounts++;
	a->n_base = 0;
	a->entries = 0;
	a->hash = 0;
	return a;
}

/* What the constructor wrote is what the code starts with. */
static void
deployed(struct code_deep *d, uint32_t account, const struct deep_frame *f)
{
	struct deep_account *a = &d->account[account];
	const uint8_t *code = f->out_len == 0 ? NULL : keep(d, f->memory + f->out_at, f->out_len);
	uint32_t labels = code == NULL ? UINT32_MAX : label(d, code, f->out_len);
	if (labels == UINT32_MAX)
		return;
	a->code = code;
	a->len = f->out_len;
	a->dests = labels;
	a->has_code = true;
	for (uint32_t i = 0; i < d->n_cells && a->n_base < DEEP_BASE; i++) {
		if (d->cell[i].space == account)
			a->base[a->n_base++] = d->cell[i];
	}
}

/* A frame for an account's code, or its constructor. */
static struct deep_frame *
enter(struct code_deep *d, uint32_t depth, uint32_t account, bool constructor)
{
	struct deep_frame *f = &d->frame[depth];
	const struct deep_account *a = &d->account[account];
	memset(f->memory, 0, f->high);
	memset(f->soft, 0, f->high);
	f->code = constructor ? a->init : a->code;
	f->len = constructor ? a->init_len : a->len;
	f->dests = constructor ? a->init_dests : a->dests;
	f->account = account;
	f->constructor = constructor;
	f->forks = depth == 0;
	f->broken = false;
	f->high = f->pc = f->sp = f->out_at = f->out_len = 0;
	d->depth = depth;
	return f;
}

static uint64_t
hash_of(const uint8_t *p, uint32_t n)
{
	uint64_t h = n;
	for (uint32_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3ull;
	return h;
}

uint32_t
deep_create(struct code_deep *d, const uint8_t *init, uint32_t len)
{
	uint64_t h = hash_of(init, len);
	uint32_t parent = d->frame[d->depth].account, i = 0;
	d->steps += len / 16;
	for (; i < d->n_accounts; i++) {
		if (d->account[i].hash == h && d->account[i].init_len == len)
			return i;
	}
	if (i == DEEP_ACCOUNTS || d->depth + 1 == DEEP_DEPTH)
		return DEEP_ACCOUNTS;
	const uint8_t *kept = keep(d, init, len);
	struct deep_account *a = kept == NULL ? NULL : account_new(d, kept, len);
	if (a == NULL)
		return DEEP_ACCOUNTS;
	a->hash = h;
	a->parent = parent;
	struct deep_path path = d->path;
	uint32_t depth = d->depth, limit = d->limit, half = d->steps < limit ? (limit - d->steps) / 2 : 0;
	d->limit = d->steps + (half < CREATE_STEPS ? half : CREATE_STEPS);
	struct deep_frame *f = enter(d, depth + 1, i, true);
	d->path.clean = false;
	if (deep_run(d) == DEEP_RETURNS)
		deployed(d, i, f);
	d->path = path;
	d->depth = depth;
	d->limit = limit;
	return i;
}

void
deep_called(struct code_deep *d, uint32_t selector)
{
	const struct flash_selector *f = flash_selector(selector);
	d->transfers |= code_is_transfer(selector);
	d->swaps |= code_is_swap(selector);
	if (f == NULL)
		return;
	d->entries |= f->providers[FLASH_ENTRY];
	d->helpers |= f->providers[FLASH_HELPER];
	d->swap_entries |= f->providers[FLASH_SWAP_ENTRY];
	d->account[d->frame[d->depth].account].entries |=
		f->providers[FLASH_ENTRY] | f->providers[FLASH_SWAP_ENTRY];
	if (f->providers[FLASH_ENTRY] != 0)
		d->entry_families |= f->families;
}

/* A call with a selector that it was told, of an account that keeps selectors: each of them may be it. */
static void
called_from_table(struct code_deep *d, uint32_t account)
{
	const struct deep_account *a = &d->account[account];
	uint8_t b[32];
	d->depth = 0;
	d->frame[0].account = account;
	for (uint32_t i = 0; i < a->n_base; i++) {
		code_word_bytes(&a->base[i].v.w, b);
		for (unsigned k = 0; k <= 28; k++)
			deep_called(d, (uint32_t)b[k] << 24 | (uint32_t)b[k + 1] << 16 |
					       (uint32_t)b[k + 2] << 8 | b[k + 3]);
	}
}

/* The newest fork is taken up, with a share of what its siblings have left. */
static bool
resume(struct code_deep *d)
{
	struct deep_frame *f = &d->frame[0];
	while (d->n_forks > 0) {
		uint32_t top = d->n_forks - 1, siblings = 1;
		const struct deep_fork *k = &d->fork[top];
		while (siblings < 32 && siblings <= top && d->fork[top - siblings].limit == k->limit)
			siblings++;
		deep_take_back(d, k->journal);
		d->n_forks--;
		d->n_snapshot = k->stack;
		if (k->limit <= d->steps) {
			d->tired = true;
			continue;
		}
		uint32_t left = k->limit - d->steps,
			 share = left / (siblings + 1) < d->share ? d->share : left / (siblings + 1);
		d->limit = d->pool = d->steps + (share < left ? share : left);
		d->path = k->path;
		f->pc = k->pc;
		f->sp = k->sp;
		f->broken = false;
		memcpy(f->stack, d->snapshot + k->stack, k->sp * sizeof(f->stack[0]));
		return true;
	}
	return false;
}

struct outcome {
	bool ends, acts, uses; /* without a revert; after a call; after a call that is no payment */
};

/* Constants that a call leaves in storage may be there for the next one: as guesses. */
static void
learn(struct code_deep *d, uint32_t account)
{
	struct deep_account *a = &d->account[account];
	for (uint32_t i = d->n_loaded; i < d->n_cells && a->n_base < DEEP_BASE; i++) {
		const struct deep_cell *c = &d->cell[i];
		if (c->space != account || (deep_bytes_of(&c->v.w) & ~c->v.soft) == 0)
			continue;
		uint32_t k = 0;
		d->steps += a->n_base / 16;
		while (k < a->n_base && memcmp(a->base[k].key.l, c->key.l, 32) != 0)
			k++;
		if (k < a->n_base)
			continue;
		a->base[k] = *c;
		a->base[k].v.soft = UINT32_MAX;
		a->n_base++;
	}
}

/* A path has had its share, and if that went into a loop, what lies behind it has not been seen: in the next
 * round every condition is led the other way, too, and one of these ways leads out. */
static void
leave_loop(struct code_deep *d, uint32_t ceiling)
{
	if (d->path.left == LEAVES || d->steps + LEAVE_STEPS >= ceiling || d->frame[0].broken)
		return;
	d->path.left++;
	d->limit = d->pool = d->steps + (ceiling - d->steps) / 4;
	d->leave_at = d->steps + LEAVE_STEPS;
	d->leaving = true;
	deep_run(d);
	d->leaving = false;
}

/* All paths of one call, as far as `steps` go; until what is wanted. */
static struct outcome
explore(struct code_deep *d, uint32_t account, bool constructor, uint32_t steps, const struct outcome *wanted)
{
	struct outcome o = {false, false, false};
	struct deep_frame *f = enter(d, 0, account, constructor);
	d->n_forks = d->n_snapshot = d->n_journal = 0;
	uint32_t ceiling = d->steps + steps;
	d->pool = ceiling;
	d->limit = d->steps + (constructor ? steps : steps / 2);
	d->path = (struct deep_path){.acted = false};
	memset(d->visits, 0, sizeof(d->visits));
	deep_cells_clear(d);
	for (uint32_t i = 0; !constructor && i < d->account[account].n_base; i++)
		deep_cell_set(d, account, &d->account[account].base[i].key, &d->account[account].base[i].v);
	d->n_loaded = d->n_cells;
	do {
		enum deep_end end = deep_run(d);
		if (end == DEEP_GIVES_UP) {
			d->tired = true;
			leave_loop(d, ceiling);
		}
		if (end != DEEP_STOPS && end != DEEP_RETURNS)
			continue;
		if (constructor && !d->account[account].has_code)
			deployed(d, account, f);
		else if (!constructor && !d->has_selector)
			learn(d, account);
		o.ends = true;
		o.acts |= d->path.acted;
		o.uses |= d->path.used;
		if (wanted != NULL && o.ends >= wanted->ends && o.acts >= wanted->acts &&
			o.uses >= wanted->uses)
			break;
	} while (resume(d));
	return o;
}

static uint32_t
left(const struct code_deep *d, uint32_t of)
{
	return d->steps < of ? of - d->steps : 0;
}

static struct outcome
called_with(struct code_deep *d, uint32_t account, uint32_t selector, const struct outcome *wanted)
{
	for (unsigned i = 0; i < 4; i++)
		d->selector[i] = (uint8_t)(selector >> (24 - 8 * i));
	d->has_selector = true;
	uint32_t half = left(d, DEEP_STEPS) / 2;
	struct outcome o = explore(d, account, false, half < CALLBACK_STEPS ? half : CALLBACK_STEPS, wanted);
	d->has_selector = false;
	return o;
}

/* Whether an account that serves any selector has to do with who borrows: itself, who created it, what it
 * created. */
static bool
concerns(const struct code_deep *d, uint32_t account, uint64_t providers)
{
	uint64_t found = 0;
	for (uint32_t i = 0; i < d->n_accounts; i++) {
		const struct deep_account *a = &d->account[i];
		found |= a->entries;
		if ((a->entries & providers) &&
			(i == account || a->parent == account || d->account[account].parent == i))
			return true;
	}
	return (found & providers) == 0; /* seen by the walk alone */
}

static void
served(struct code_deep *d, const struct flash_row *row, uint64_t providers)
{
	if (row->role == FLASH_SWAP_CALLBACK) {
		d->swap_callbacks |= providers;
		d->entries |= providers; /* more is done within the swap than to pay for it: it is a loan */
	}
	d->callbacks |= providers;
	d->callback_families |= 1u << row->family;
}

static void
serve(struct code_deep *d, uint32_t account, const struct deep_known *known)
{
	static const struct outcome act = {true, true, false}, use = {true, true, true};
	struct outcome other = called_with(d, account, NO_SELECTOR, &use);
	d->any_callback |= other.uses && d->account[account].told;
	for (unsigned i = 0; flash_row(i) != NULL; i++) {
		const struct flash_row *row = flash_row(i);
		bool swap = row->role == FLASH_SWAP_CALLBACK;
		uint64_t asked = swap ? known->swap_entries | d->swap_entries : known->entries | d->entries;
		uint64_t done = swap ? d->entries & d->callbacks : known->callbacks | d->callbacks;
		uint64_t providers = row->providers & asked & ~done;
		if ((row->role != FLASH_CALLBACK && !swap) || providers == 0)
			continue;
		struct outcome o = called_with(d, account, row->selector, swap ? &use : &act);
		bool does = swap ? o.uses : o.ends && (o.acts || !other.ends),
		     any = swap ? other.uses : other.acts;
		if (does && (!any || concerns(d, account, providers)))
			served(d, row, providers);
	}
}

static bool
found(const struct code_deep *d, const struct deep_known *known)
{
	return flash_takes(known->entries | d->entries, known->callbacks | d->callbacks,
		       known->helpers | d->helpers) != 0;
}

static void
reset(struct code_deep *d)
{
	d->entries = d->callbacks = d->helpers = d->swap_entries = d->swap_callbacks = d->addresses = 0;
	d->entry_families = d->callback_families = 0;
	d->transfers = d->swaps = d->tired = d->has_selector = d->leaving = d->any_callback = false;
	d->share = SHARE_MIN;
	d->part = 3;
	d->steps = d->n_accounts = d->n_arena = d->n_dests = 0;
}

/* What the constructor returns stands in its bytes as it is. */
static bool
stands_there(const struct code_deep *d, struct span code)
{
	const struct deep_account *a = &d->account[0];
	return !a->has_code || memmem(code.p, code.len, a->code, a->len) != NULL;
}

static void
explore_all(struct code_deep *d, const struct deep_known *known)
{
	for (uint32_t i = 0; i < d->n_accounts && !found(d, known); i++) {
		if (i > 0)
			explore(d, i, true, left(d, EXPLORE_STEPS) / 16, NULL);
		uint32_t before = d->account[i].n_base;
		if (d->account[i].has_code)
			explore(d, i, false, left(d, EXPLORE_STEPS) / d->part, NULL);
		if (d->account[i].n_base != before)
			explore(d, i, false, left(d, EXPLORE_STEPS) / d->part, NULL);
		if (d->account[i].told)
			called_from_table(d, i);
	}
}

static void
serve_all(struct code_deep *d, const struct deep_known *known)
{
	for (uint32_t i = 0; i < d->n_accounts && !found(d, known); i++) {
		bool borrows = (known->entries | known->swap_entries | d->entries | d->swap_entries) != 0;
		if (d->account[i].has_code && (borrows || d->account[i].told))
			serve(d, i, known);
	}
}

void
code_deep_read(struct code_deep *d, struct span code, const struct deep_known *known)
{
	reset(d);
	if (code.len == 0 || account_new(d, code.p, code.len) == NULL)
		return;
	explore(d, 0, true, left(d, EXPLORE_STEPS) / 2, NULL);
	if (!known->calls && d->n_accounts == 1 && stands_there(d, code))
		return;
	for (uint32_t i = 0; i < ROUNDS && (i == 0 || d->tired) && !found(d, known); i++) {
		explore_all(d, known);
		serve_all(d, known);
		d->share *= ROUND_FACTOR;
		d->part = 1;
	}
}
