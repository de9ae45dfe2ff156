/* SPDX-License-Identifier: BSD-3-Clause */
/* elf_make: small programs of Go as the tests need them, in each format of .gopclntab: an executable segment, a read-only one with the table, a
 * writable one with moduledata, relocations and the build's information. */
#ifndef TESTS_ELF_MAKE_H
#define TESTS_ELF_MAKE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define MADE_BYTES 8192u
#define MADE_TEXT_OFFSET 0x400u
#define MADE_TEXT 0x401400ull /* the address of the first function */
#define MADE_PCLN_OFFSET 0x800u
#define MADE_DATA_OFFSET 0x1000u
#define MADE_DATA 0x600000ull
#define MADE_BASE 0x401000ull /* of the executable segment, which begins with the file */
#define MADE_RODATA 0x500800ull
#define MADE_FUNCTIONS 3u

static const char *const made_name[MADE_FUNCTIONS] = {"runtime.text", "main.main", "example.com/p.(*T).Do"};
static const uint64_t made_at[MADE_FUNCTIONS + 1] = {0, 0x20, 0x60, 0x90};

struct made {
	unsigned format; /* 12, 116, 118, 120 */
	bool pie, symtab, sections, textless, no_pclntab;
	const char *version; /* NULL: none; else inline, of Go 1.18 */
	uint8_t p[MADE_BYTES];
};

static void
put(struct made *m, uint32_t at, uint64_t v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		m->p[at + i] = (uint8_t)(v >> 8 * i);
}

static void
make_phdr(struct made *m, unsigned i, uint32_t type, uint32_t flags, uint64_t offset, uint64_t vaddr, uint64_t n)
{
	uint32_t at = 64 + 56 * i;
	put(m, at, type, 4);
	put(m, at + 4, flags, 4);
	put(m, at + 8, offset, 8);
	put(m, at + 16, vaddr, 8);
	put(m, at + 32, n, 8);
	put(m, at + 40, n, 8);
}

static void
make_shdr(struct made *m, unsigned i, uint32_t name, uint32_t type, uint64_t addr, uint64_t offset, uint64_t n, uint32_t link)
{
	uint32_t at = 0x1c00 + 64 * i;
	put(m, at, name, 4);
	put(m, at + 4, type, 4);
	put(m, at + 16, addr, 8);
	put(m, at + 24, offset, 8);
	put(m, at + 32, n, 8);
	put(m, at + 40, link, 4);
}

/* A pointer at an address of the data segment or of .gopclntab: a relocation and no content in a position-independent program. */
static void
make_pointer(struct made *m, uint32_t *relocation, uint64_t vaddr, uint32_t at, uint64_t value)
{
	if (!m->pie) {
		put(m, at, value, 8);
		return;
	}
	put(m, *relocation, vaddr, 8);
	put(m, *relocation + 8, 8, 8);
	put(m, *relocation + 16, value, 8);
	*relocation += 24;
}

static void
make_pclntab(struct made *m, uint32_t *relocation)
{
	uint32_t at = MADE_PCLN_OFFSET, names = 0x80, functab = m->format == 12 ? 16 : 0x100;
	bool wide = m->format < 118;
	put(m, at, m->format == 12 ? 0xfffffffb : m->format == 116 ? 0xfffffffa : m->format == 118 ? 0xfffffff0 : 0xfffffff1, 4);
	m->p[at + 6] = 1;
	m->p[at + 7] = 8;
	put(m, at + 8, MADE_FUNCTIONS, 8);
	if (m->format == 116) {
		put(m, at + 24, names, 8);
		put(m, at + 56, functab, 8);
	} else if (!wide) {
		if (!m->textless)
			make_pointer(m, relocation, MADE_RODATA + 24, at + 24, MADE_TEXT);
		put(m, at + 32, names, 8);
		put(m, at + 64, functab, 8);
	}
	uint32_t name = names, func = m->format == 12 ? 0x180 : 0x80, base = m->format == 12 ? 0 : functab;
	for (unsigned i = 0; i <= MADE_FUNCTIONS; i++) {
		uint32_t e = functab + i * (wide ? 16 : 8);
		if (wide)
			make_pointer(m, relocation, MADE_RODATA + e, at + e, MADE_TEXT + made_at[i]);
		else
			put(m, at + e, made_at[i], 4);
		if (i == MADE_FUNCTIONS)
			break;
		put(m, at + e + (wide ? 8 : 4), func, wide ? 8 : 4);
		put(m, at + base + func, wide ? MADE_TEXT + made_at[i] : made_at[i], wide ? 8 : 4);
		put(m, at + base + func + (wide ? 8 : 4), m->format == 12 ? name : name - names, 4);
		strcpy((char *)m->p + at + name, made_name[i]);
		name += (uint32_t)strlen(made_name[i]) + 1;
		func += 48;
	}
}

static void
make_data(struct made *m, uint32_t *relocation)
{
	uint32_t at = MADE_DATA_OFFSET;
	make_pointer(m, relocation, MADE_DATA, at, MADE_RODATA);
	make_pointer(m, relocation, MADE_DATA + 160, at + 160, MADE_TEXT);
	make_pointer(m, relocation, MADE_DATA + 168, at + 168, MADE_TEXT + made_at[MADE_FUNCTIONS]);
	if (m->version != NULL) {
		memcpy(m->p + at + 256, "\xff Go buildinf:\x08\x02", 16);
		m->p[at + 288] = (uint8_t)strlen(m->version);
		memcpy(m->p + at + 289, m->version, strlen(m->version));
	}
}

static void
make_symtab(struct made *m)
{
	uint32_t strings = 0x1a00, n = 1;
	for (unsigned i = 0; i < MADE_FUNCTIONS; i++) {
		uint32_t s = 0x1900 + 24 * (i + 1);
		put(m, s, n, 4);
		m->p[s + 4] = 2;
		put(m, s + 6, 1, 2);
		put(m, s + 8, MADE_TEXT + made_at[i], 8);
		strcpy((char *)m->p + strings + n, made_name[i]);
		n += (uint32_t)strlen(made_name[i]) + 1;
	}
}

static void
make_elf(struct made *m)
{
	uint32_t relocation = MADE_DATA_OFFSET + 0x400;
	memset(m->p, 0, sizeof m->p);
	memcpy(m->p, "\177ELF\2\1\1", 7);
	put(m, 16, m->pie ? 3 : 2, 2);
	put(m, 18, 62, 2);
	put(m, 32, 64, 8);
	put(m, 54, 56, 2);
	put(m, 56, 4, 2);
	make_phdr(m, 0, 1, 5, 0, MADE_BASE, MADE_PCLN_OFFSET);
	make_phdr(m, 1, 1, 4, MADE_PCLN_OFFSET, MADE_RODATA, 0x800);
	make_phdr(m, 2, 1, 6, MADE_DATA_OFFSET, MADE_DATA, 0x800);
	make_phdr(m, 3, 2, 6, MADE_DATA_OFFSET + 0x300, MADE_DATA + 0x300, 48);
	if (!m->no_pclntab)
		make_pclntab(m, &relocation);
	make_data(m, &relocation);
	put(m, MADE_DATA_OFFSET + 0x300, 7, 8);
	put(m, MADE_DATA_OFFSET + 0x308, MADE_DATA + 0x400, 8);
	put(m, MADE_DATA_OFFSET + 0x310, 8, 8);
	put(m, MADE_DATA_OFFSET + 0x318, relocation - (MADE_DATA_OFFSET + 0x400), 8);
	if (!m->sections)
		return;
	put(m, 40, 0x1c00, 8);
	put(m, 58, 64, 2);
	put(m, 60, 6, 2);
	put(m, 62, 1, 2);
	memcpy(m->p + 0x1b80, "\0.shstrtab\0.text\0.gopclntab\0.symtab\0.strtab", 44);
	make_shdr(m, 1, 1, 3, 0, 0x1b80, 44, 0);
	make_shdr(m, 2, 11, 1, MADE_TEXT, MADE_TEXT_OFFSET, 0x90, 0);
	if (!m->no_pclntab)
		make_shdr(m, 3, 17, 1, MADE_RODATA, MADE_PCLN_OFFSET, 0x800, 0);
	if (m->symtab) {
		make_symtab(m);
		make_shdr(m, 4, 28, 2, 0, 0x1900, 24 * (MADE_FUNCTIONS + 1), 5);
		make_shdr(m, 5, 36, 3, 0, 0x1a00, 0x100, 0);
	}
}

#endif
