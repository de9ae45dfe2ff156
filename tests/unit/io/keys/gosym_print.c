/* SPDX-License-Identifier: BSD-3-Clause */
/* usage: gosym_print FILE symtab|pclntab|either < NAMES
 * For test_gosym_go.py: one line each, "ADDRESS OFFSET" in hex or "-"; first a line "VERSION FORMAT". */
#include "io/keys/gosym.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *
slurp(const char *path, size_t *n)
{
	FILE *file = fopen(path, "rb");
	if (file == NULL || fseek(file, 0, SEEK_END) != 0)
		exit(2);
	*n = (size_t)ftell(file);
	uint8_t *p = malloc(*n ? *n : 1);
	rewind(file);
	if (p == NULL || fread(p, 1, *n, file) != *n)
		exit(2);
	fclose(file);
	return p;
}

int
main(int argc, char **argv)
{
	struct gosym_file f;
	struct gosym_function at;
	const char *why;
	char line[4096];
	size_t n;
	if (argc != 3)
		return 2;
	uint8_t *p = slurp(argv[1], &n);
	if (gosym_open(&f, p, n, &why) != 0) {
		fprintf(stderr, "%s: %s\n", argv[1], why);
		free(p);
		return 1;
	}
	printf("%s %s\n", f.go_version[0] ? f.go_version : "-", gosym_format(&f)[0] ? gosym_format(&f) : "-");
	while (fgets(line, sizeof line, stdin) != NULL) {
		line[strcspn(line, "\n")] = 0;
		int rc = argv[2][0] == 'e' ? gosym_find(&f, line, &at, &why)
					   : gosym_find_in(&f, argv[2][0] == 's' ? GOSYM_FROM_SYMTAB : GOSYM_FROM_PCLNTAB, line, &at, &why);
		if (rc == 0)
			printf("%llx %llx\n", (unsigned long long)at.vaddr, (unsigned long long)at.offset);
		else
			puts("-");
	}
	free(p);
	return 0;
}
