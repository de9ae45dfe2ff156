/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs a fuzz target over corpus files without a fuzzing engine, each in a buffer of its exact size, so that the
 * corpus is a regression test in every build. Arguments: files, or directories of files. */
#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned n_run;

static int
run_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		return -1;
	struct stat st;
	if (fstat(fileno(f), &st) != 0) {
		fclose(f);
		return -1;
	}
	size_t n = (size_t)st.st_size;
	uint8_t *buf = malloc(n ? n : 1);
	size_t got = buf ? fread(buf, 1, n, f) : 0;
	fclose(f);
	if (buf == NULL || got != n) {
		free(buf);
		return -1;
	}
	LLVMFuzzerTestOneInput(buf, n);
	free(buf);
	n_run++;
	return 0;
}

static int
run_path(const char *path)
{
	DIR *d = opendir(path);
	if (d == NULL)
		return run_file(path);
	int rc = 0;
	for (struct dirent *e; rc == 0 && (e = readdir(d)) != NULL;) {
		if (e->d_name[0] == '.')
			continue;
		char file[PATH_MAX];
		snprintf(file, sizeof file, "%s/%s", path, e->d_name);
		rc = run_file(file);
	}
	closedir(d);
	return rc;
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (run_path(argv[i]) != 0) {
			fprintf(stderr, "cannot read %s\n", argv[i]);
			return 1;
		}
	}
	printf("%u inputs\n", n_run);
	return n_run == 0;
}
