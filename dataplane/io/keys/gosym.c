/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/keys/gosym_private.h"

#include <errno.h>

#define EHDR_BYTES 64u
#define PHDR_BYTES 56u
#define SHDR_BYTES 64u
#define SYM_BYTES 24u
#define DYN_BYTES 16u
#define RELA_MAX (1ull << 28)

enum { ET_EXEC = 2, ET_DYN = 3, PT_LOAD = 1, PT_DYNAMIC = 2, PF_X = 1, PF_W = 2, SHT_SYMTAB = 2, DT_RELA = 7, DT_RELASZ = 8, STT_FUNC = 2 };

static int
refuse(const char **why, int err, const char *text)
{
	*why = text;
	return -err;
}

/* ---- ELF ---- */

static void
add_segment(struct gosym_file *f, const uint8_t *ph)
{
	uint32_t flags = gosym_u32(ph + 4);
	uint64_t offset = gosym_u64(ph + 8), vaddr = gosym_u64(ph + 16), bytes = gosym_u64(ph + 32);
	if (f->segments == GOSYM_SEGMENTS_MAX || offset >= f->n || bytes == 0)
		return;
	if (bytes > f->n - offset)
		bytes = f->n - offset;
	if (vaddr > UINT64_MAX - bytes)
		return;
	uint64_t all = bytes;
	for (uint32_t i = 0; i < f->segments; i++)
		all += f->segment[i].file_bytes;
	if (all > 2 * f->n) /* the same bytes again and again are no program's */
		return;
	f->segment[f->segments++] = (struct gosym_segment){vaddr, bytes, offset, (flags & PF_X) != 0, (flags & PF_W) != 0};
}

/* Where the relocations are that make a position-independent program's pointers. */
static void
read_dynamic(struct gosym_file *f, uint64_t at, uint64_t bytes)
{
	uint64_t rela = 0, rela_bytes = 0;
	if (!gosym_in(f, at, bytes))
		return;
	for (uint64_t i = 0; i + DYN_BYTES <= bytes; i += DYN_BYTES) {
		uint64_t tag = gosym_u64(f->p + at + i), value = gosym_u64(f->p + at + i + 8);
		if (tag == 0)
			break;
		rela = tag == DT_RELA ? value : rela;
		rela_bytes = tag == DT_RELASZ ? value : rela_bytes;
	}
	if (rela_bytes > 0 && rela_bytes <= RELA_MAX && gosym_offset(f, rela, rela_bytes, &f->rela))
		f->rela_bytes = rela_bytes;
}

static bool
read_segments(struct gosym_file *f)
{
	uint64_t phoff = gosym_u64(f->p + 32), n = gosym_u16(f->p + 56);
	if (gosym_u16(f->p + 54) != PHDR_BYTES || !gosym_in(f, phoff, n * PHDR_BYTES))
		return false;
	for (uint64_t i = 0; i < n; i++)
		if (gosym_u32(f->p + phoff + i * PHDR_BYTES) == PT_LOAD)
			add_segment(f, f->p + phoff + i * PHDR_BYTES);
	for (uint64_t i = 0; i < n; i++) {
		const uint8_t *ph = f->p + phoff + i * PHDR_BYTES;
		if (gosym_u32(ph) == PT_DYNAMIC)
			read_dynamic(f, gosym_u64(ph + 8), gosym_u64(ph + 32));
	}
	return f->segments > 0;
}

/* ---- sections, which may be missing ---- */

struct sections {
	uint64_t at, n, names, names_end;
	uint64_t pclntab, pclntab_bytes, text;
};

static const uint8_t *
section(const struct gosym_file *f, const struct sections *s, uint64_t i)
{
	return f->p + s->at + i * SHDR_BYTES;
}

/* The bytes of a section, if they lie in the file. */
static bool
section_bytes(const struct gosym_file *f, const uint8_t *sh, uint64_t *at, uint64_t *bytes)
{
	*at = gosym_u64(sh + 24);
	*bytes = gosym_u64(sh + 32);
	return gosym_in(f, *at, *bytes);
}

static bool
is_named(const struct gosym_file *f, const struct sections *s, const uint8_t *sh, const char *name)
{
	uint64_t at = gosym_u32(sh);
	return at < s->names_end - s->names && gosym_is(f, s->names + at, s->names_end, name, strlen(name));
}

static void
read_section(struct gosym_file *f, struct sections *s, const uint8_t *sh)
{
	uint64_t at, bytes, strings, strings_bytes, link = gosym_u32(sh + 40);
	if (!section_bytes(f, sh, &at, &bytes))
		return;
	if (gosym_u32(sh + 4) == SHT_SYMTAB && link < s->n && section_bytes(f, section(f, s, link), &strings, &strings_bytes)) {
		f->strtab = strings;
		f->strtab_bytes = strings_bytes;
		f->symtab = at;
		f->symtab_bytes = bytes;
		f->has_symtab = bytes > SYM_BYTES;
	} else if (is_named(f, s, sh, ".gopclntab") || is_named(f, s, sh, ".data.rel.ro.gopclntab")) {
		s->pclntab = at;
		s->pclntab_bytes = bytes;
	} else if (is_named(f, s, sh, ".text")) {
		s->text = gosym_u64(sh + 16);
	}
}

static void
read_sections(struct gosym_file *f, struct sections *s)
{
	uint64_t names, bytes, index = gosym_u16(f->p + 62);
	*s = (struct sections){.at = gosym_u64(f->p + 40), .n = gosym_u16(f->p + 60)};
	if (s->at == 0 || gosym_u16(f->p + 58) != SHDR_BYTES || !gosym_in(f, s->at, s->n * SHDR_BYTES))
		s->n = 0;
	if (index < s->n && section_bytes(f, section(f, s, index), &names, &bytes)) {
		s->names = names;
		s->names_end = names + bytes;
	}
	for (uint64_t i = 0; i < s->n; i++)
		read_section(f, s, section(f, s, i));
}

int
gosym_open(struct gosym_file *f, const void *p, uint64_t n, const char **why)
{
	struct sections s;
	*f = (struct gosym_file){.p = p, .n = n, .steps = GOSYM_STEPS};
	if (n > GOSYM_FILE_MAX)
		return refuse(why, EFBIG, "is longer than any program that this is for");
	if (n < EHDR_BYTES || memcmp(f->p, "\177ELF", 4) != 0)
		return refuse(why, ENOEXEC, "is no ELF program");
	uint16_t type = gosym_u16(f->p + 16);
	if (f->p[4] != 2 || f->p[5] != 1 || (type != ET_EXEC && type != ET_DYN))
		return refuse(why, ENOEXEC, "is no 64-bit little-endian ELF program");
	f->machine = gosym_u16(f->p + 18);
	f->position_independent = type == ET_DYN;
	if (!read_segments(f))
		return refuse(why, ENOEXEC, "is a broken ELF program: its segments are not in the file");
	read_sections(f, &s);
	gosym_version_open(f);
	if (!gosym_pclntab_open(f, s.pclntab, s.pclntab_bytes, s.text) && !f->has_symtab)
		return refuse(why, ENOEXEC, "has neither a symbol table nor .gopclntab: it was not made by Go, or by a Go that is not known");
	return 0;
}

/* ---- functions ---- */

static bool
symtab_find(const struct gosym_file *f, const char *name, uint64_t *vaddr)
{
	size_t len = strlen(name);
	uint64_t end = f->strtab + f->strtab_bytes;
	for (uint64_t i = 0; i + SYM_BYTES <= f->symtab_bytes; i += SYM_BYTES) {
		const uint8_t *s = f->p + f->symtab + i;
		if ((s[4] & 15) != STT_FUNC || gosym_u16(s + 6) == 0 || !gosym_is(f, f->strtab + gosym_u32(s), end, name, len))
			continue;
		*vaddr = gosym_u64(s + 8);
		return true;
	}
	return false;
}

int
gosym_find_in(const struct gosym_file *f, enum gosym_from from, const char *name, struct gosym_function *out, const char **why)
{
	bool symtab = from == GOSYM_FROM_SYMTAB;
	*out = (struct gosym_function){.from = from};
	if (symtab ? !f->has_symtab || !symtab_find(f, name, &out->vaddr) : !f->has_pclntab || !gosym_pclntab_find(f, name, &out->vaddr))
		return refuse(why, ENOENT, "has no such function");
	const struct gosym_segment *s = gosym_segment_of(f, out->vaddr);
	if (s == NULL || !s->executable)
		return refuse(why, ENOENT, "has that function where nothing can be executed");
	out->offset = s->offset + (out->vaddr - s->vaddr);
	return 0;
}

int
gosym_find(const struct gosym_file *f, const char *name, struct gosym_function *out, const char **why)
{
	if (gosym_find_in(f, GOSYM_FROM_SYMTAB, name, out, why) == 0)
		return 0;
	return gosym_find_in(f, GOSYM_FROM_PCLNTAB, name, out, why);
}
