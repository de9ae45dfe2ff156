/* SPDX-License-Identifier: BSD-3-Clause */
/* fake_tree: a faked /sys, /proc and /dev below `root`, a folder of the test's own: files with a text, and links. */
#ifndef FAKE_TREE_H
#define FAKE_TREE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char root[64]; /* "": there is none yet */

static inline void
folders(const char *path)
{
	char p[512];
	snprintf(p, sizeof p, "%s%s", root, path);
	for (char *c = p + strlen(root) + 1; *c; c++) {
		if (*c != '/')
			continue;
		*c = '\0';
		mkdir(p, 0755);
		*c = '/';
	}
}

static inline void
put(const char *path, const char *text)
{
	char p[512];
	folders(path);
	snprintf(p, sizeof p, "%s%s", root, path);
	FILE *f = fopen(p, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static inline void
lead(const char *path, const char *to)
{
	char p[512];
	folders(path);
	snprintf(p, sizeof p, "%s%s", root, path);
	unlink(p);
	assert_int_equal(symlink(to, p), 0);
}

/* Ends what is at `path` and below; "": the whole tree. */
static inline void
gone(const char *path)
{
	char command[600];
	snprintf(command, sizeof command, "rm -rf '%s%s'", root, path);
	assert_int_equal(system(command), 0);
}

/* An empty tree, in the place of the one before. */
static inline void
start_anew(void)
{
	if (root[0] != '\0')
		gone("");
	strcpy(root, "/tmp/test-tree-XXXXXX");
	assert_non_null(mkdtemp(root));
}

#endif
