/* SPDX-License-Identifier: BSD-3-Clause */
/* sysfs: what /proc, /sys and /dev say, below a root that tests replace. Paths are printf-formatted and begin with "/". */
#ifndef IO_SYSFS_H
#define IO_SYSFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SYSFS_TEXT_MAX 65536

struct sysfs {
	const char *root; /* "" or a folder without a slash at its end */
};

/* sysfs_text reads a file whole (up to cap - 1 bytes, NUL-terminated, the newline at its end removed). Its length, or -errno. */
__attribute__((format(printf, 4, 5))) int sysfs_text(const struct sysfs *s, char *out, size_t cap, const char *path, ...);

/* sysfs_number reads a decimal number, which may be negative. 0, or -errno (-EINVAL: something else stands there). */
__attribute__((format(printf, 3, 4))) int sysfs_number(const struct sysfs *s, int64_t *out, const char *path, ...);

/* sysfs_link: the last word of where a symbolic link leads, a driver's name for example. 0, or -errno. */
__attribute__((format(printf, 4, 5))) int sysfs_link(const struct sysfs *s, char *out, size_t cap, const char *path, ...);

/* sysfs_exists; sysfs_access: 0 or -errno, mode as of access(2). */
__attribute__((format(printf, 2, 3))) bool sysfs_exists(const struct sysfs *s, const char *path, ...);
__attribute__((format(printf, 3, 4))) int sysfs_access(const struct sysfs *s, int mode, const char *path, ...);

/* sysfs_count: entries of a folder whose names begin with `prefix`; -errno. */
__attribute__((format(printf, 3, 4))) int sysfs_count(const struct sysfs *s, const char *prefix, const char *path, ...);

/* sysfs_word: the text behind "name" and a colon or blanks in a file of such lines (/proc/meminfo, /proc/cpuinfo: the first). NULL: none. */
const char *sysfs_word(const char *text, const char *name, size_t *len);

/* sysfs_cpus sets bits (of a set of n_words 64-bit words) from a list as "0-3,8". False: it is none; bits beyond the set are left out. */
bool sysfs_cpus(const char *list, uint64_t *set, size_t n_words);

#endif
