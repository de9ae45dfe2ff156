/* SPDX-License-Identifier: BSD-3-Clause */
/* A program of anybody: what gosym finds in it lies in it, where it is executed; the same names are found the same way twice. */
#include "io/keys/program.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct gosym_file *f, const struct gosym_function *at)
{
	bool mapped = false;
	for (uint32_t i = 0; i < f->segments; i++) {
		const struct gosym_segment *s = &f->segment[i];
		assert(s->offset <= f->n && s->file_bytes <= f->n - s->offset);
		mapped |= s->executable && at->offset >= s->offset && at->offset - s->offset < s->file_bytes && at->vaddr - s->vaddr == at->offset - s->offset;
	}
	assert(mapped && at->offset < f->n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"runtime.text", "main.main", "example.com/p.(*T).Do", "", "a"};
	struct gosym_file f;
	struct gosym_function at, again;
	struct program p = {0};
	char err[256];
	const char *why = NULL;
	uint8_t *bytes = malloc(size ? size : 1);
	assert(bytes != NULL);
	if (size > 0)
		memcpy(bytes, data, size);
	int rc = gosym_open(&f, bytes, size, &why);
	assert(rc == 0 ? f.has_symtab || f.has_pclntab : rc < 0 && why != NULL);
	assert(strlen(f.go_version) < GOSYM_VERSION_MAX);
	for (unsigned i = 0; rc == 0 && i < sizeof names / sizeof names[0]; i++) {
		if (gosym_find(&f, names[i], &at, &why) != 0)
			continue;
		check(&f, &at);
		assert(gosym_find_in(&f, at.from, names[i], &again, &why) == 0 && again.offset == at.offset);
	}
	assert((program_rows(bytes, size, &p, err, sizeof err) == 0) == (rc == 0));
	assert(p.row < PROBES_ROWS);
	if (p.row >= 0)
		check(&f, &p.at);
	free(bytes);
	return 0;
}
