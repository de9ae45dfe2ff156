/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/keys/target.h"

#include "io/keys/privileges.h"
#include "io/keys/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

/* Once, not at every look. */
static void __attribute__((format(printf, 2, 3)))
say(struct target *t, const char *format, ...)
{
	char text[PATH_MAX + 512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (strncmp(text, t->said, sizeof t->said - 1) == 0)
		return;
	snprintf(t->said, sizeof t->said, "%.*s", (int)sizeof t->said - 1, text);
	t->say(text);
}

/* ---- what to open ---- */

static bool
same_file(const char *a, const char *b)
{
	struct stat x, y;
	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* The file's name, by which its successor is found too; in another mount namespace it has none here. */
static int
name_of_process(struct target *t, char *err, size_t cap)
{
	char exe[64], name[PATH_MAX];
	snprintf(exe, sizeof exe, "/proc/%u/exe", t->pid);
	ssize_t n = readlink(exe, name, sizeof name - 1);
	if (n < 0) {
		int rc = errno;
		snprintf(err, cap, rc == ENOENT ? "there is no process %u (or it is one of the kernel's)" : "the program of process %u is out of reach: run as root", t->pid);
		return -rc;
	}
	name[n] = 0;
	snprintf(t->path, sizeof t->path, "%s", same_file(exe, name) ? name : exe);
	return 0;
}

int
target_init(struct target *t, const char *arg, void (*tell)(const char *sentence), char *err, size_t cap)
{
	*t = (struct target){.say = tell};
	size_t n = strlen(arg);
	if (n == 0 || n >= sizeof t->path) {
		snprintf(err, cap, "--geth takes the path of a node's program, or the number of its process");
		return -EINVAL;
	}
	if (strspn(arg, "0123456789") == n && n <= 9) {
		t->pid = (unsigned)strtoul(arg, NULL, 10);
		return name_of_process(t, err, cap);
	}
	memcpy(t->path, arg, n + 1);
	return 0;
}

/* ---- probes ---- */

static void
take_out(struct target_link *l, int inotify)
{
	probe_detach(l->link);
	if (l->link != NULL && l->watch >= 0)
		inotify_rm_watch(inotify, l->watch);
	*l = (struct target_link){.watch = -1};
}

static bool
same_place(const struct program_id *a, const struct program_id *b)
{
	return a->dev == b->dev && a->ino == b->ino;
}

/* Those of a file that has changed since. */
static void
take_out_changed(struct target *t, int inotify, const struct program_id *now)
{
	for (unsigned i = 0; i < TARGET_LINKS; i++) {
		struct target_link *l = &t->link[i];
		if (l->link != NULL && same_place(&l->id, now) && !program_same(&l->id, now)) {
			take_out(l, inotify);
			say(t, "%s was written to; its probe is out", t->path);
		}
	}
}

void
target_written(struct target *t, int inotify, int watch)
{
	for (unsigned i = 0; i < TARGET_LINKS; i++) {
		struct target_link *l = &t->link[i];
		if (l->link == NULL || l->watch != watch)
			continue;
		take_out(l, inotify);
		t->done = false;
		say(t, "%s is being written to; its probe is out", t->path);
	}
}

static int
place(struct target *t, struct probe *p, int inotify, int fd, const struct program *program)
{
	struct target_link *l = &t->link[t->next];
	char err[512], path[64];
	take_out(l, inotify);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	/* watched before, so that no write is missed */
	int watch = inotify >= 0 ? inotify_add_watch(inotify, path, IN_MODIFY) : -1;
	privileges_placing(true);
	struct bpf_link *link = probe_attach(p, fd, program, err, sizeof err);
	privileges_placing(false);
	if (link == NULL) {
		if (watch >= 0)
			inotify_rm_watch(inotify, watch);
		say(t, "%s: %s", t->path, err);
		return -EIO;
	}
	*l = (struct target_link){link, program->id, watch};
	t->next = (t->next + 1) % TARGET_LINKS;
	t->said[0] = 0; /* that a newer one is probed is news */
	say(t, "%s (%s): probed, row %d of the table, found by %s", t->path, program->go_version[0] ? program->go_version : "Go", program->row + 1,
		program->at.from == GOSYM_FROM_SYMTAB ? "the symbol table" : ".gopclntab");
	return 0;
}

static int
look_into(struct target *t, struct probe *p, int inotify, int fd)
{
	struct program program;
	char err[256];
	int rc = reader_program(fd, &program, err, sizeof err);
	if (rc == -EAGAIN)
		return 0;
	t->done = true;
	t->done_id = program.id;
	if (rc != 0 || program.row < 0) {
		say(t, "%s %s", t->path, err);
		return rc != 0 ? rc : -ENOENT;
	}
	return place(t, p, inotify, fd, &program);
}

int
target_turn(struct target *t, struct probe *p, int inotify)
{
	struct program_id id;
	int fd = open(t->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		if (t->pid != 0 && target_probed(t))
			say(t, "process %u has ended; its program stays probed, but one that takes its place is not found: name its path with --geth", t->pid);
		else
			say(t, "%s: %s; waiting for it", t->path, strerror(errno));
		return 0;
	}
	int rc = program_id(fd, &id);
	bool still = rc == 0 && (!t->looked || program_same(&id, &t->seen));
	if (rc == 0) {
		take_out_changed(t, inotify, &id);
		t->looked = true;
		t->seen = id;
	} else {
		say(t, "%s is no file that can be a program", t->path);
	}
	/* a file that is still being written is not read */
	if (still && !(t->done && program_same(&id, &t->done_id)))
		rc = look_into(t, p, inotify, fd);
	close(fd);
	return rc;
}

bool
target_probed(const struct target *t)
{
	for (unsigned i = 0; i < TARGET_LINKS; i++)
		if (t->link[i].link != NULL)
			return true;
	return false;
}

void
target_close(struct target *t, int inotify)
{
	for (unsigned i = 0; i < TARGET_LINKS; i++)
		take_out(&t->link[i], inotify);
}
