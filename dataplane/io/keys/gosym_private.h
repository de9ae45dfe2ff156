/* SPDX-License-Identifier: BSD-3-Clause */
/* What gosym's files share: reading within the file. */
#ifndef IO_KEYS_GOSYM_PRIVATE_H
#define IO_KEYS_GOSYM_PRIVATE_H

#include "io/keys/gosym.h"

#include <string.h>

/* Whether [at, at + n) lies in the file. */
static inline bool
gosym_in(const struct gosym_file *f, uint64_t at, uint64_t n)
{
	return at <= f->n && n <= f->n - at;
}

static inline uint16_t
gosym_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t
gosym_u32(const uint8_t *p)
{
	return (uint32_t)gosym_u16(p) | (uint32_t)gosym_u16(p + 2) << 16;
}

static inline uint64_t
gosym_u64(const uint8_t *p)
{
	return (uint64_t)gosym_u32(p) | (uint64_t)gosym_u32(p + 4) << 32;
}

/* The segment that has an address in the file's bytes; NULL: none. */
static inline const struct gosym_segment *
gosym_segment_of(const struct gosym_file *f, uint64_t vaddr)
{
	for (uint32_t i = 0; i < f->segments; i++)
		if (vaddr >= f->segment[i].vaddr && vaddr - f->segment[i].vaddr < f->segment[i].file_bytes)
			return &f->segment[i];
	return NULL;
}

/* The file's offset of n bytes at an address. */
static inline bool
gosym_offset(const struct gosym_file *f, uint64_t vaddr, uint64_t n, uint64_t *at)
{
	const struct gosym_segment *s = gosym_segment_of(f, vaddr);
	if (s == NULL || n > s->file_bytes - (vaddr - s->vaddr))
		return false;
	*at = s->offset + (vaddr - s->vaddr);
	return true;
}

/* Whether the string at `at`, which ends before `end` <= f->n, is this one. */
static inline bool
gosym_is(const struct gosym_file *f, uint64_t at, uint64_t end, const char *name, size_t len)
{
	return at < end && len < end - at && memcmp(f->p + at, name, len) == 0 && f->p[at + len] == 0;
}

/* gosym_pointer reads a pointer at an address as the loader would leave it, not yet moved. *steps pays for each relocation that is looked at; false also
 * when there are none left. */
bool gosym_pointer(const struct gosym_file *f, uint64_t vaddr, uint64_t *value, uint64_t *steps);

/* gosym_pclntab_open looks for the table: in the section of that name (at, bytes; 0, 0: no such section), else everywhere. text_section: where .text is,
 * or 0. */
bool gosym_pclntab_open(struct gosym_file *f, uint64_t at, uint64_t bytes, uint64_t text_section);
bool gosym_pclntab_find(const struct gosym_file *f, const char *name, uint64_t *vaddr);

/* gosym_version_open finds the Go version that a program says it was made by. */
void gosym_version_open(struct gosym_file *f);

#endif
