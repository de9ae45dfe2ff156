/* SPDX-License-Identifier: BSD-3-Clause */
/* .gopclntab: all functions of a Go program, for its runtime. */
#include "io/keys/gosym_private.h"

#define MAGIC_1_2 0xfffffffbu
#define MAGIC_1_16 0xfffffffau
#define MAGIC_1_18 0xfffffff0u
#define MAGIC_1_20 0xfffffff1u
#define HEADER_BYTES 72u
#define TABLE_ALIGN 8u
#define FUNCTIONS_MAX (1u << 24)
#define CANDIDATES_MAX 64u
#define RELA_BYTES 24u
#define X86_64_RELATIVE 8u
#define AARCH64_RELATIVE 1027u

/* Words of the runtime's moduledata, from which the program's first address is known when .gopclntab does not say it. */
#define MODULE_MINPC_FIRST 18u
#define MODULE_MINPC_LAST 26u

/* ---- pointers that the loader sets ---- */

static bool
is_relative(const struct gosym_file *f, const uint8_t *rela)
{
	uint32_t type = gosym_u32(rela + 8);
	return type == (f->machine == GOSYM_AARCH64 ? AARCH64_RELATIVE : X86_64_RELATIVE);
}

/* Takes a step; false: there is none left. */
static bool
step(uint64_t *steps)
{
	if (*steps == 0)
		return false;
	--*steps;
	return true;
}

static bool
relocated(const struct gosym_file *f, uint64_t vaddr, uint64_t *value, uint64_t *steps)
{
	for (uint64_t i = 0; i + RELA_BYTES <= f->rela_bytes && step(steps); i += RELA_BYTES) {
		const uint8_t *r = f->p + f->rela + i;
		if (gosym_u64(r) == vaddr && is_relative(f, r)) {
			*value = gosym_u64(r + 16);
			return true;
		}
	}
	return false;
}

bool
gosym_pointer(const struct gosym_file *f, uint64_t vaddr, uint64_t *value, uint64_t *steps)
{
	uint64_t at;
	if (!gosym_offset(f, vaddr, 8, &at))
		return false;
	if (!f->position_independent || !relocated(f, vaddr, value, steps))
		*value = gosym_u64(f->p + at);
	return *steps > 0;
}

/* ---- the table ---- */

static bool
is_wide(const struct gosym_pclntab *t)
{
	return t->magic == MAGIC_1_2 || t->magic == MAGIC_1_16;
}

static uint64_t
entry_bytes(const struct gosym_pclntab *t)
{
	return is_wide(t) ? 16 : 8;
}

static uint64_t
word(const struct gosym_file *f, const struct gosym_pclntab *t, unsigned i)
{
	return gosym_u64(f->p + t->at + 8 + 8 * (uint64_t)i);
}

/* Entry i <= t->functions of the table: a function's place, as it stands there; the one behind the last ends it. */
static uint64_t
place_of(const struct gosym_file *f, const struct gosym_pclntab *t, uint64_t i)
{
	const uint8_t *p = f->p + t->at + t->functab + i * entry_bytes(t);
	return is_wide(t) ? gosym_u64(p) : gosym_u32(p);
}

/* The offset in the file of function i's name; 0: it makes no sense. */
static uint64_t
name_of(const struct gosym_file *f, const struct gosym_pclntab *t, uint64_t i)
{
	const uint8_t *p = f->p + t->at + t->functab + i * entry_bytes(t);
	uint64_t func = is_wide(t) ? gosym_u64(p + 8) : gosym_u32(p + 4);
	uint64_t base = t->magic == MAGIC_1_2 ? 0 : t->functab, field = is_wide(t) ? 8 : 4;
	if (func > t->bytes - base || t->bytes - base - func < field + 4)
		return 0;
	uint64_t name = gosym_u32(f->p + t->at + base + func + field);
	return name < t->bytes - t->names ? t->at + t->names + name : 0;
}

static bool
sensible_name(const struct gosym_file *f, const struct gosym_pclntab *t, uint64_t i)
{
	uint64_t at = name_of(f, t, i), end = t->at + t->bytes;
	if (at == 0)
		return false;
	for (uint64_t n = 0; at < end && n < 8 * GOSYM_NAME_MAX; n++, at++) {
		if (f->p[at] == 0)
			return n > 0;
		if (f->p[at] < ' ')
			return false;
	}
	return false;
}

static bool
sensible(const struct gosym_file *f, const struct gosym_pclntab *t)
{
	if (t->functions == 0 || t->functions > FUNCTIONS_MAX || t->names >= t->bytes || t->functab >= t->bytes)
		return false;
	if (t->bytes - t->functab < t->functions * entry_bytes(t) + (is_wide(t) ? 8 : 4))
		return false;
	return sensible_name(f, t, 0) && sensible_name(f, t, t->functions - 1);
}

static bool
read_header(const struct gosym_file *f, uint64_t at, uint64_t bytes, struct gosym_pclntab *t)
{
	const uint8_t *p = f->p + at;
	if (bytes < HEADER_BYTES)
		return false;
	*t = (struct gosym_pclntab){.magic = gosym_u32(p), .at = at, .bytes = bytes};
	bool quantum = p[6] == 1 || p[6] == 2 || p[6] == 4;
	if (p[4] != 0 || p[5] != 0 || !quantum || p[7] != 8)
		return false;
	t->functions = word(f, t, 0);
	if (t->magic == MAGIC_1_2) {
		t->functab = 16;
	} else if (t->magic == MAGIC_1_16) {
		t->names = word(f, t, 2);
		t->functab = word(f, t, 6);
	} else if (t->magic == MAGIC_1_18 || t->magic == MAGIC_1_20) {
		t->names = word(f, t, 3);
		t->functab = word(f, t, 7);
	} else {
		return false;
	}
	return sensible(f, t);
}

/* ---- the first address ---- */

static bool
executed(const struct gosym_file *f, uint64_t vaddr)
{
	const struct gosym_segment *s = gosym_segment_of(f, vaddr);
	return s != NULL && s->executable;
}

static bool
text_fits(const struct gosym_file *f, const struct gosym_pclntab *t, uint64_t text)
{
	uint64_t first = place_of(f, t, 0), last = place_of(f, t, t->functions - 1);
	return text != 0 && first <= last && executed(f, text + first) && gosym_segment_of(f, text + first) == gosym_segment_of(f, text + last);
}

/* A moduledata at an address knows the first and the last function's place. */
static bool
text_of_module(struct gosym_file *f, const struct gosym_pclntab *t, uint64_t module, uint64_t *text)
{
	uint64_t first = place_of(f, t, 0), end = place_of(f, t, t->functions), minpc, maxpc;
	for (unsigned i = MODULE_MINPC_FIRST; i < MODULE_MINPC_LAST; i++) {
		if (!gosym_pointer(f, module + 8 * i, &minpc, &f->steps) || !gosym_pointer(f, module + 8 * i + 8, &maxpc, &f->steps))
			return false;
		if (maxpc > minpc && maxpc - minpc == end - first && text_fits(f, t, minpc - first)) {
			*text = minpc - first;
			return true;
		}
	}
	return false;
}

/* A moduledata begins with the table's address. */
static bool
text_by_module(struct gosym_file *f, const struct gosym_pclntab *t, uint64_t *text)
{
	unsigned tried = 0;
	for (uint64_t i = 0; i + RELA_BYTES <= f->rela_bytes && tried < CANDIDATES_MAX && step(&f->steps); i += RELA_BYTES) {
		const uint8_t *r = f->p + f->rela + i;
		if (gosym_u64(r + 16) != t->vaddr || !is_relative(f, r))
			continue;
		tried++;
		if (text_of_module(f, t, gosym_u64(r), text))
			return true;
	}
	for (uint32_t k = 0; k < f->segments; k++) {
		const struct gosym_segment *s = &f->segment[k];
		for (uint64_t i = 0; s->writable && i + 8 <= s->file_bytes && tried < CANDIDATES_MAX && step(&f->steps); i += 8) {
			if (gosym_u64(f->p + s->offset + i) != t->vaddr)
				continue;
			tried++;
			if (text_of_module(f, t, s->vaddr + i, text))
				return true;
		}
	}
	return false;
}

static bool
find_text(struct gosym_file *f, struct gosym_pclntab *t, uint64_t text_section)
{
	uint64_t text;
	if (is_wide(t))
		return true;
	if (gosym_pointer(f, t->vaddr + 8 + 16, &text, &f->steps) && text_fits(f, t, text))
		t->text = text;
	else if (text_by_module(f, t, &text))
		t->text = text;
	else if (text_fits(f, t, text_section))
		t->text = text_section;
	return t->text != 0;
}

/* ---- looking for it ---- */

static bool
try(struct gosym_file *f, const struct gosym_segment *s, uint64_t at, uint64_t text_section)
{
	struct gosym_pclntab t;
	if (!read_header(f, at, s->file_bytes - (at - s->offset), &t))
		return false;
	t.vaddr = s->vaddr + (at - s->offset);
	if (!find_text(f, &t, text_section))
		return false;
	f->pcln = t;
	f->has_pclntab = true;
	return true;
}

static bool
is_magic(const uint8_t *p)
{
	return p[3] == 0xff && p[2] == 0xff && p[1] == 0xff && p[4] == 0 && p[5] == 0 && p[7] == 8;
}

bool
gosym_pclntab_open(struct gosym_file *f, uint64_t at, uint64_t bytes, uint64_t text_section)
{
	unsigned tried = 0;
	for (uint32_t k = 0; k < f->segments && bytes > 0; k++) {
		const struct gosym_segment *s = &f->segment[k];
		if (at >= s->offset && at - s->offset < s->file_bytes && try(f, s, at, text_section))
			return true;
	}
	for (uint32_t k = 0; k < f->segments; k++) {
		const struct gosym_segment *s = &f->segment[k];
		uint64_t i = (TABLE_ALIGN - s->vaddr % TABLE_ALIGN) % TABLE_ALIGN;
		for (; i + HEADER_BYTES <= s->file_bytes && tried < CANDIDATES_MAX; i += TABLE_ALIGN) {
			if (!is_magic(f->p + s->offset + i))
				continue;
			tried++;
			if (try(f, s, s->offset + i, text_section))
				return true;
		}
	}
	return false;
}

/* ---- functions ---- */

bool
gosym_pclntab_find(const struct gosym_file *f, const char *name, uint64_t *vaddr)
{
	const struct gosym_pclntab *t = &f->pcln;
	size_t len = strlen(name);
	uint64_t steps = GOSYM_STEPS;
	for (uint64_t i = 0; i < t->functions; i++) {
		if (!gosym_is(f, name_of(f, t, i), t->at + t->bytes, name, len))
			continue;
		if (!is_wide(t))
			*vaddr = t->text + place_of(f, t, i);
		else if (!gosym_pointer(f, t->vaddr + t->functab + i * entry_bytes(t), vaddr, &steps))
			return false;
		return true;
	}
	return false;
}

const char *
gosym_format(const struct gosym_file *f)
{
	if (!f->has_pclntab)
		return "";
	return f->pcln.magic == MAGIC_1_2 ? "1.2" : f->pcln.magic == MAGIC_1_16 ? "1.16" : f->pcln.magic == MAGIC_1_18 ? "1.18" : "1.20";
}
