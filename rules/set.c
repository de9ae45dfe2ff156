/* SPDX-License-Identifier: BSD-3-Clause */
#include "rules/set.h"

#include "rules/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct rule_set *
rule_set_new(void)
{
	struct rule_set *s = xalloc(sizeof *s);
	memset(s, 0, sizeof *s);
	return s;
}

void
rule_set_free(struct rule_set *s)
{
	if (s == NULL)
		return;
	arena_free(&s->arena);
	free(s);
}

void
diag_add(struct rule_set *s, enum diag_kind kind, struct place at, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	if (kind == DIAG_ERROR)
		s->n_errors++;
	else
		s->n_warnings++;
	if (s->n_diags == SET_DIAGS_MAX)
		return;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	size_t len = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
	text[len] = 0;
	text_tame(text); /* what a file holds does not drive a terminal */
	struct diag *d = ARENA_PUSH(&s->arena, s->diags, s->n_diags, s->cap_diags);
	*d = (struct diag){at, kind, arena_copy(&s->arena, text, len)};
}

/* A path as diagnostics show it. */
static const char *
name_of(struct rule_set *s, const char *path)
{
	char *name = arena_copy(&s->arena, path, strlen(path));
	text_tame(name);
	return name;
}

static bool
ends_in(const char *name, const char *end)
{
	size_t n = strlen(name), k = strlen(end);
	return n > k && memcmp(name + n - k, end, k) == 0;
}

/* By the end of its name; a file that is named by itself may be called anything. */
static void (*parser_of(const char *path))(struct rule_set *, const char *, const char *, size_t)
{
	return ends_in(path, ".weights")     ? rule_set_parse_weights
	       : ends_in(path, ".templates") ? rule_set_parse_templates
					     : rule_set_parse;
}

static int
load_file(struct rule_set *s, const char *path)
{
	struct stat st;
	struct place at = {name_of(s, path), 0, 0};
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc = 0;
	if (fd < 0 || fstat(fd, &st) != 0)
		rc = -errno;
	else if (!S_ISREG(st.st_mode))
		rc = -EINVAL;
	if (rc == -EINVAL) {
		diag_error(s, at, "neither a file nor a folder (name a pack, or a folder of packs)");
	} else if (rc != 0) {
		diag_error(s, at, "cannot be read: %s", strerror(-rc));
	} else if ((uint64_t)st.st_size > SET_FILE_BYTES_MAX ||
		   s->n_bytes + (size_t)st.st_size > SET_BYTES_MAX) {
		diag_error(s, at, "too large: at most %u bytes a file, %u a set (split the set)",
			SET_FILE_BYTES_MAX, SET_BYTES_MAX);
	} else {
		size_t n = 0, cap = (size_t)st.st_size;
		char *text = xalloc(cap);
		ssize_t k = 1;
		while (n < cap && (k = read(fd, text + n, cap - n)) > 0)
			n += (size_t)k;
		s->n_bytes += n;
		if (k < 0)
			diag_error(s, at, "cannot be read: %s", strerror(errno));
		else
			parser_of(path)(s, at.file, text, n);
		free(text);
	}
	if (fd >= 0)
		close(fd);
	return rc;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool
is_ours(const char *name)
{
	return name[0] != '.' &&
	       (ends_in(name, ".yaml") || ends_in(name, ".weights") || ends_in(name, ".templates"));
}

static int
load_folder(struct rule_set *s, const char *path, DIR *d)
{
	char **names = NULL;
	uint32_t n = 0, cap = 0, packs = 0;
	struct place at = {name_of(s, path), 0, 0};
	for (struct dirent *e; n <= SET_FILES_MAX && (e = readdir(d)) != NULL;) {
		if (e->d_name[0] != '.' && ends_in(e->d_name, ".yml"))
			diag_warn(s, at, "%s is not read: the name of a pack ends in .yaml", e->d_name);
		if (!is_ours(e->d_name))
			continue;
		packs += ends_in(e->d_name, ".yaml");
		char full[4096];
		int k = snprintf(full, sizeof full, "%s%s%s", path, path[strlen(path) - 1] == '/' ? "" : "/",
			e->d_name);
		if (k > 0 && (size_t)k < sizeof full)
			*ARENA_PUSH(&s->arena, names, n, cap) = arena_copy(&s->arena, full, (size_t)k);
		else
			diag_error(s, at, "a path that is too long: %s", e->d_name);
	}
	if (packs == 0)
		diag_error(s, at, "no *.yaml in this folder (name a pack, or a folder of packs)");
	if (n > SET_FILES_MAX) {
		diag_error(s, at, "more than %u files", SET_FILES_MAX);
		return 0;
	}
	if (n > 0)
		qsort(names, n, sizeof *names, by_name);
	for (uint32_t i = 0; i < n; i++)
		load_file(s, names[i]);
	return 0;
}

int
rule_set_load(struct rule_set *s, const char *path)
{
	DIR *d = *path ? opendir(path) : NULL;
	if (d == NULL)
		return load_file(s, path);
	int rc = load_folder(s, path, d);
	closedir(d);
	return rc;
}
