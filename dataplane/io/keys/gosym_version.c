/* SPDX-License-Identifier: BSD-3-Clause */
/* Which Go made a program: "\xff Go buildinf:" in its data, as src/debug/buildinfo/buildinfo.go reads it. */
#include "io/keys/gosym_private.h"

#define ALIGN 16u
#define HEAD_BYTES 32u
#define BIG_ENDIAN 1u
#define INLINE 2u
#define MATCHES_MAX 64u

/* A string's length before it, seven bits a byte, the lowest first. */
static bool
varint(const struct gosym_file *f, uint64_t *at, uint64_t *value)
{
	*value = 0;
	for (unsigned shift = 0; shift < 35 && *at < f->n; shift += 7) {
		uint8_t b = f->p[(*at)++];
		*value |= (uint64_t)(b & 127) << shift;
		if (b < 128)
			return true;
	}
	return false;
}

/* "go1.22.3", "devel go1.23-0123 ...", "go1.19.8 X:nocoverageredesign". */
static bool
take(struct gosym_file *f, uint64_t at, uint64_t n)
{
	uint64_t i = 0;
	if (n == 0 || n > 256 || !gosym_in(f, at, n))
		return false;
	while (i + 2 < n && memcmp(f->p + at + i, "go1", 3) != 0)
		i++;
	uint32_t len = 0;
	for (; i < n && len + 1 < sizeof f->go_version; i++) {
		uint8_t c = f->p[at + i];
		bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '.' || c == '-' || c == '+';
		if (!plain)
			break;
		f->go_version[len++] = (char)c;
	}
	f->go_version[len] = 0;
	if (strncmp(f->go_version, "go1", 3) == 0)
		return true;
	f->go_version[0] = 0;
	return false;
}

/* Before Go 1.18: a pointer to the string's header, pointer and length. */
static bool
take_by_pointer(struct gosym_file *f, uint64_t vaddr)
{
	uint64_t header, p, n, at;
	return gosym_pointer(f, vaddr, &header, &f->steps) && gosym_pointer(f, header, &p, &f->steps) && gosym_pointer(f, header + 8, &n, &f->steps) &&
	       gosym_offset(f, p, n, &at) && take(f, at, n);
}

static bool
read_info(struct gosym_file *f, const struct gosym_segment *s, uint64_t i)
{
	const uint8_t *p = f->p + s->offset + i;
	uint64_t at = s->offset + i + HEAD_BYTES, n;
	if (p[15] & INLINE)
		return varint(f, &at, &n) && take(f, at, n);
	return p[14] == 8 && !(p[15] & BIG_ENDIAN) && take_by_pointer(f, s->vaddr + i + 16);
}

void
gosym_version_open(struct gosym_file *f)
{
	unsigned matches = 0;
	for (uint32_t k = 0; k < f->segments; k++) {
		const struct gosym_segment *s = &f->segment[k];
		uint64_t i = (ALIGN - s->vaddr % ALIGN) % ALIGN;
		for (; i + HEAD_BYTES <= s->file_bytes && matches < MATCHES_MAX; i += ALIGN) {
			if (memcmp(f->p + s->offset + i, "\xff Go buildinf:", 14) != 0)
				continue;
			matches++;
			if (read_info(f, s, i))
				return;
		}
	}
}
