/* SPDX-License-Identifier: BSD-3-Clause */
/* gosym: where a function of a Go program lies in its file, which is what a uprobe takes. The symbol table tells it if there is one; a stripped
 * program has still .gopclntab, which Go's runtime itself reads for its stack traces: names and entries of all functions, found by the section's
 * name, or by its magic number when the section headers are gone too. Formats: Go's src/debug/gosym/pclntab.go and src/runtime/symtab.go, of
 * Go 1.2, 1.16, 1.18 and 1.20 (each until the next); ELF of 64 bits, little-endian.
 *
 * The file is hostile input: every offset in it is checked, nothing is believed that cannot be, and the steps that depend on each other are counted:
 * what takes more than GOSYM_STEPS of them is looked for no longer. */
#ifndef IO_KEYS_GOSYM_H
#define IO_KEYS_GOSYM_H

#include "abi/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GOSYM_FILE_MAX (1ull << 30) /* a longer file is refused */
#define GOSYM_SEGMENTS_MAX 32u
#define GOSYM_STEPS (1ull << 27) /* relocations and words that are looked at: for a large node some 10^7 */
#define GOSYM_NAME_MAX 512u
#define GOSYM_VERSION_MAX 32u
#define GOSYM_X86_64 62u /* ELF's e_machine */
#define GOSYM_AARCH64 183u

enum gosym_from { GOSYM_FROM_SYMTAB, GOSYM_FROM_PCLNTAB };

struct gosym_segment {
	uint64_t vaddr, file_bytes, offset; /* within the file, both ends */
	bool executable, writable;
};

/* A table of functions whose bounds have been checked; private to gosym. */
struct gosym_pclntab {
	uint32_t magic;
	uint64_t at, bytes;	 /* in the file: as far as its segment goes */
	uint64_t names, functab; /* from `at` */
	uint64_t functions;
	uint64_t text; /* what entries are reckoned from; 0 before Go 1.18 */
	uint64_t vaddr;
};

struct gosym_file {
	const uint8_t *p;
	uint64_t n;
	uint16_t machine;
	bool position_independent;
	struct gosym_segment segment[GOSYM_SEGMENTS_MAX]; /* not more than twice the file in all */
	uint32_t segments;
	uint64_t steps; /* that are left */
	uint64_t rela, rela_bytes; /* offset in the file of the dynamic relocations; 0: none */
	bool has_symtab, has_pclntab;
	uint64_t symtab, symtab_bytes, strtab, strtab_bytes;
	struct gosym_pclntab pcln;
	char go_version[GOSYM_VERSION_MAX]; /* "go1.22.3"; empty: not found */
};

struct gosym_function {
	uint64_t vaddr, offset; /* offset: in the file */
	enum gosym_from from;
};

/* gosym_open takes the n bytes of a file, which must stay until the last use. 0, or -errno with a sentence's end of static lifetime in *why: it is no
 * 64-bit ELF program, broken, or neither has a symbol table nor was made by Go. */
int gosym_open(struct gosym_file *f, const void *p, uint64_t n, const char **why);

/* gosym_find looks a function up by its whole name, symbol table first. 0, or -ENOENT with *why: there is no such function, or its place makes no sense
 * (not in a segment that is executed). gosym_find_in looks into one of the two alone. */
int gosym_find(const struct gosym_file *f, const char *name, struct gosym_function *out, const char **why);
int gosym_find_in(const struct gosym_file *f, enum gosym_from from, const char *name, struct gosym_function *out, const char **why);

/* gosym_format names the format of .gopclntab by the Go version that brought it, "1.20"; "" if there is none. */
const char *gosym_format(const struct gosym_file *f);

#endif
