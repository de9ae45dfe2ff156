/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/sysfs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_OF(buf, s, fmt) \
	char buf[PATH_MAX]; \
	do { \
		va_list ap_; \
		int at_ = snprintf(buf, sizeof buf, "%s", (s)->root); \
		va_start(ap_, fmt); \
		vsnprintf(buf + at_, sizeof buf - (size_t)at_, fmt, ap_); \
		va_end(ap_); \
	} while (0)

int
sysfs_text(const struct sysfs *s, char *out, size_t cap, const char *path, ...)
{
	PATH_OF(p, s, path);
	size_t n = 0;
	int fd = open(p, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc = 0;
	out[0] = '\0';
	if (fd < 0)
		return -errno;
	while (n + 1 < cap) {
		ssize_t k = read(fd, out + n, cap - 1 - n);
		if (k < 0)
			rc = -errno;
		if (k <= 0)
			break;
		n += (size_t)k;
	}
	close(fd);
	while (n > 0 && out[n - 1] == '\n')
		n--;
	out[n] = '\0';
	return rc != 0 ? rc : (int)n;
}

int
sysfs_number(const struct sysfs *s, int64_t *out, const char *path, ...)
{
	PATH_OF(p, s, path);
	char text[64], *end;
	int n = sysfs_text(&(struct sysfs){""}, text, sizeof text, "%s", p);
	if (n < 0)
		return n;
	errno = 0;
	long long v = strtoll(text, &end, 10);
	if (end == text || errno != 0 || (*end != '\0' && !isspace((unsigned char)*end)))
		return -EINVAL;
	*out = v;
	return 0;
}

int
sysfs_link(const struct sysfs *s, char *out, size_t cap, const char *path, ...)
{
	PATH_OF(p, s, path);
	char to[PATH_MAX];
	ssize_t n = readlink(p, to, sizeof to - 1);
	if (n < 0)
		return -errno;
	to[n] = '\0';
	const char *last = strrchr(to, '/');
	snprintf(out, cap, "%s", last != NULL ? last + 1 : to);
	return 0;
}

bool
sysfs_exists(const struct sysfs *s, const char *path, ...)
{
	PATH_OF(p, s, path);
	return access(p, F_OK) == 0;
}

int
sysfs_access(const struct sysfs *s, int mode, const char *path, ...)
{
	PATH_OF(p, s, path);
	return access(p, mode) == 0 ? 0 : -errno;
}

int
sysfs_count(const struct sysfs *s, const char *prefix, const char *path, ...)
{
	PATH_OF(p, s, path);
	DIR *d = opendir(p);
	const struct dirent *e;
	int n = 0;
	if (d == NULL)
		return -errno;
	while ((e = readdir(d)) != NULL)
		n += e->d_name[0] != '.' && strncmp(e->d_name, prefix, strlen(prefix)) == 0;
	closedir(d);
	return n;
}

const char *
sysfs_word(const char *text, const char *name, size_t *len)
{
	size_t n = strlen(name);
	for (const char *line = text; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, n) != 0)
			continue;
		const char *v = line + n;
		if (*v != ':' && *v != ' ' && *v != '\t')
			continue;
		v += strspn(v, " \t:");
		*len = strcspn(v, "\n");
		return v;
	}
	return NULL;
}

bool
sysfs_cpus(const char *list, uint64_t *set, size_t n_words)
{
	memset(set, 0, n_words * sizeof *set);
	for (const char *s = list; *s != '\0';) {
		char *end;
		if (!isdigit((unsigned char)*s))
			return false;
		unsigned long a = strtoul(s, &end, 10), b = a;
		if (*end == '-') {
			if (!isdigit((unsigned char)end[1]))
				return false;
			b = strtoul(end + 1, &end, 10);
		}
		for (unsigned long c = a; c <= b && c < n_words * 64; c++)
			set[c / 64] |= 1ull << (c % 64);
		if (*end == ',' && end[1] != '\0')
			end++;
		else if (*end != '\0')
			return false;
		s = end;
	}
	return true;
}
