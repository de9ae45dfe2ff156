/* SPDX-License-Identifier: BSD-3-Clause */
/* program: a node's program file, and where in it a probe belongs. */
#ifndef IO_KEYS_PROGRAM_H
#define IO_KEYS_PROGRAM_H

#include "io/keys/gosym.h"
#include "io/keys/probes.h"

#include <stdio.h>

struct probes_row {
	const char *name, *function;
	unsigned from, to; /* minor versions of Go 1; 0: no end */
	struct probes_layout layout;
};
extern const struct probes_row probes_table[PROBES_ROWS];

/* Which bytes a file has, as far as one can tell without reading them. */
struct program_id {
	uint64_t dev, ino, size;
	int64_t modified_ns;
};

struct program {
	struct program_id id;
	char go_version[GOSYM_VERSION_MAX];
	char format[8]; /* of .gopclntab; empty: none */
	bool has_symtab, position_independent;
	uint16_t machine;
	int row; /* of the table; -1: none */
	struct gosym_function at;
};

/* program_id of an open file; 0 or -errno. */
int program_id(int fd, struct program_id *id);
bool program_same(const struct program_id *a, const struct program_id *b);

/* program_read looks into an open program. 0: *p is filled in, with a row or none; -errno with a sentence in err: it cannot be read, is none of Go, or
 * changes just now (-EAGAIN). If there is no row err says why. */
int program_read(int fd, struct program *p, char *err, size_t cap);

/* program_rows: as program_read, of bytes in memory. */
int program_rows(const void *bytes, uint64_t n, struct program *p, char *err, size_t cap);

/* program_print tells a person what was found; 0 if a probe can be placed. */
int program_print(const char *path, FILE *out);

#endif
