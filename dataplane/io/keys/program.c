/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/keys/program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const struct probes_row probes_table[PROBES_ROWS] = {
#define PROBES_ENTRY(name, function, from, to, conn, aes, mac) {name, function, from, to, {conn, aes, mac}},
	PROBES(PROBES_ENTRY)
#undef PROBES_ENTRY
};

int
program_id(int fd, struct program_id *id)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	*id = (struct program_id){st.st_dev, st.st_ino, (uint64_t)st.st_size, (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec};
	return 0;
}

bool
program_same(const struct program_id *a, const struct program_id *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size && a->modified_ns == b->modified_ns;
}

/* The minor version of Go 1 that made it; 0: not known. A table's format tells it roughly, and roughly is enough from 1.18 on. */
static unsigned
minor_of(const struct gosym_file *f)
{
	const char *v = strncmp(f->go_version, "go1.", 4) == 0 ? f->go_version + 4 : gosym_format(f)[0] ? gosym_format(f) + 2 : "0";
	unsigned minor = (unsigned)strtoul(v, NULL, 10);
	return f->go_version[0] != 0 || minor >= 18 ? minor : 0;
}

static bool
made_for(const struct probes_row *r, unsigned minor)
{
	return minor >= r->from && (r->to == 0 || minor <= r->to);
}

static void
find_row(const struct gosym_file *f, struct program *p, char *err, size_t cap)
{
	unsigned minor = minor_of(f);
	const char *why = NULL;
	snprintf(err, cap, "has none of the functions that are probed: it is no node of the table, or too new (sentinel-keys --table lists them)");
	if (!f->has_pclntab && f->go_version[0] == 0)
		snprintf(err, cap, "was not made by Go, or by a Go that is not known");
	if (f->machine != GOSYM_X86_64) {
		snprintf(err, cap, "is for another CPU than x86-64, the only one whose registers are known");
		return;
	}
	for (int i = 0; i < PROBES_ROWS; i++) {
		struct gosym_function at;
		if (gosym_find(f, probes_table[i].function, &at, &why) != 0)
			continue;
		if (made_for(&probes_table[i], minor)) {
			p->row = i;
			p->at = at;
			return;
		}
		snprintf(err, cap, "has the function, but it is not known which Go made it, or how that Go passes arguments");
	}
}

int
program_rows(const void *bytes, uint64_t n, struct program *p, char *err, size_t cap)
{
	struct gosym_file f;
	const char *why;
	p->row = -1;
	int rc = gosym_open(&f, bytes, n, &why);
	if (rc != 0) {
		snprintf(err, cap, "%s", why);
		return rc;
	}
	memcpy(p->go_version, f.go_version, sizeof p->go_version);
	snprintf(p->format, sizeof p->format, "%s", gosym_format(&f));
	p->has_symtab = f.has_symtab;
	p->position_independent = f.position_independent;
	p->machine = f.machine;
	find_row(&f, p, err, cap);
	return 0;
}

/* Not mapped: a file that is cut short under a mapping ends its reader. */
static int
slurp(int fd, uint8_t *bytes, uint64_t n)
{
	for (uint64_t at = 0; at < n;) {
		ssize_t got = pread(fd, bytes + at, n - at, (off_t)at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -EAGAIN;
		at += (uint64_t)got;
	}
	return 0;
}

int
program_read(int fd, struct program *p, char *err, size_t cap)
{
	struct program_id after;
	*p = (struct program){.row = -1};
	int rc = program_id(fd, &p->id);
	if (rc == 0 && p->id.size > GOSYM_FILE_MAX)
		rc = -EFBIG;
	uint8_t *bytes = rc == 0 ? malloc(p->id.size + 1) : NULL;
	if (rc == 0 && bytes == NULL)
		rc = -ENOMEM;
	if (rc == 0)
		rc = slurp(fd, bytes, p->id.size);
	if (rc != 0)
		snprintf(err, cap, "cannot be read: %s", strerror(-rc));
	else
		rc = program_rows(bytes, p->id.size, p, err, cap);
	free(bytes);
	if (rc == 0 && (program_id(fd, &after) != 0 || !program_same(&p->id, &after))) {
		snprintf(err, cap, "is being written just now");
		rc = -EAGAIN;
	}
	return rc;
}

int
program_print(const char *path, FILE *out)
{
	struct program p;
	char err[256];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		fprintf(stderr, "sentinel-keys: %s: %s\n", path, strerror(errno));
		return 1;
	}
	int rc = program_read(fd, &p, err, sizeof err);
	close(fd);
	if (rc != 0) {
		fprintf(stderr, "sentinel-keys: %s %s\n", path, err);
		return 1;
	}
	fprintf(out, "program   %s (%s%s)\n", path, p.machine == GOSYM_X86_64 ? "x86-64" : p.machine == GOSYM_AARCH64 ? "aarch64" : "another CPU",
		p.position_independent ? ", position-independent" : "");
	fprintf(out, "made by   %s\n", p.go_version[0] ? p.go_version : "a Go that is not said");
	fprintf(out, "names     %s%s%s%s\n", p.has_symtab ? "symbol table" : "", p.has_symtab && p.format[0] ? " and " : "", p.format[0] ? ".gopclntab as of Go " : "",
		p.format);
	if (p.row < 0) {
		fflush(out);
		fprintf(stderr, "sentinel-keys: %s %s\n", path, err);
		return 1;
	}
	fprintf(out, "function  %s\nat        0x%llx, offset 0x%llx in the file, by %s\nprobe     row %d: %s\n", probes_table[p.row].function,
		(unsigned long long)p.at.vaddr, (unsigned long long)p.at.offset, p.at.from == GOSYM_FROM_SYMTAB ? "the symbol table" : ".gopclntab", p.row + 1,
		probes_table[p.row].name);
	return fflush(out) == 0 ? 0 : 1;
}
