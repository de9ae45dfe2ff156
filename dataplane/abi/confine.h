/* SPDX-License-Identifier: BSD-3-Clause */
/* confine: how a process that has opened all it needs gives up the rest: user, capabilities, limits, and every system call that is
 * not in its table. A table is a static array, one line a call, each with its reason; it is what the filter is made of, what
 * --print-sandbox shows and what the tests walk. Not for processes that go on to execute others. */
#ifndef ABI_CONFINE_H
#define ABI_CONFINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define CONFINE_ARGS_MAX 2

/* What an argument must be. A call whose arguments are in memory cannot be told apart by them: only numbers are seen. */
enum confine_op {
	CONFINE_ANY,  /* no condition */
	CONFINE_IS,   /* the masked argument is `value` */
	CONFINE_SELF, /* the argument is this process's id */
};

struct confine_arg {
	enum confine_op op;
	unsigned index;
	uint64_t mask, value;
	const char *text;
};

/* How often a line is needed, which tells the tests how to show that it is. */
enum confine_need {
	CONFINE_USUAL, /* every run */
	CONFINE_SOME,  /* some runs: a kind of port, an option, a message that came */
	CONFINE_RARE,  /* when something has gone wrong, or on machines unlike this one */
};

struct confine_call {
	const char *name;
	int refuse;	   /* 0: let through; else the errno that it gets instead: a library that asks goes on without */
	enum confine_need need;
	unsigned kinds;	   /* only in a process that has one of these; 0: in all. Meaning: the table's owner's */
	const char *kinds_text;
	struct confine_arg arg[CONFINE_ARGS_MAX];
	const char *why;
};

struct confine_table {
	const char *program;
	const char *after; /* when it begins to hold, in words */
	const struct confine_call *call;
	unsigned n;
};

/* Conditions and lines. What a condition says in --print-sandbox is its own source. */
#define CONFINE_ARG(i, name, v) {CONFINE_IS, i, UINT64_MAX, (uint64_t)(v), name " = " #v}
#define CONFINE_INT(i, name, v) {CONFINE_IS, i, UINT32_MAX, (uint64_t)(uint32_t)(v), name " = " #v}
#define CONFINE_NONE_OF(i, name, bits) {CONFINE_IS, i, (uint64_t)(bits), 0, name " without " #bits}
#define CONFINE_ALL_OF(i, name, bits) {CONFINE_IS, i, (uint64_t)(bits), (uint64_t)(bits), name " with " #bits}
#define CONFINE_OWN(i, name) {CONFINE_SELF, i, 0, 0, name " = this process"}

/* confine_drop gives up what privileges are left, in every thread of the process: bounding, ambient and inheritable sets,
 * securebits (root's id gives nothing any more), user and groups, permitted and effective sets, no_new_privs. user: whom to
 * become; NULL: stay who one is. Precondition: no other thread is being made. Then it looks at every thread whether it is so.
 * 0, or -errno with a sentence in err; the process is then not fit to go on. */
int confine_drop(const char *user, char *err, size_t cap);

/* confine_limits: no core file, no process or thread more, no more files than are open now and `files` more; memory unreadable to
 * other processes of the user (not dumpable). 0 or -errno with err. */
int confine_limits(unsigned files, char *err, size_t cap);

/* confine_calls installs the table's filter in all threads (TSYNC). From then on a call that is in no line does not happen: the
 * process says which it was on stderr and ends with status CONFINE_EXIT. Lines whose kinds have none of `kinds` are left out.
 * 0, or -errno with err. Precondition: no_new_privs (confine_drop), or CAP_SYS_ADMIN. */
#define CONFINE_EXIT 86
int confine_calls(const struct confine_table *t, unsigned kinds, char *err, size_t cap);

/* confine_mute takes the voice of sockets that are open now, in all threads: those that capture frames or name interfaces must not
 * send, whatever the table allows for the others; a connected Unix datagram socket (systemd's) sends to its peer alone. Unix sockets
 * of messages (the channel's) are left. An attempt ends the process as a call does that is not on the list. Before confine_calls,
 * which makes that sentence; same precondition. 0, or -errno with err. */
int confine_mute(char *err, size_t cap);

/* confine_print writes the table for people: call, condition, reason. */
int confine_print(const struct confine_table *t, FILE *out);

/* confine_sanitized: this build has a sanitizer, whose run-time library makes calls of its own when it reports (files, ptrace,
 * threads): such builds run without filter and limits, and say so. */
bool confine_sanitized(void);

/* A folder or file and what may be done beneath it (Landlock). */
enum confine_access {
	CONFINE_READ,	/* open for reading, list */
	CONFINE_WRITE,	/* make, open, change, rename and remove regular files */
	CONFINE_SOCKET, /* make and remove sockets (and files, which cannot be told apart when removed) */
};
struct confine_path {
	const char *path;
	enum confine_access access;
};
/* confine_paths lets this thread, and what threads it starts later, open beneath these paths only; a path that does not exist is
 * left out. 1: holds; 0: the kernel has no Landlock (since 5.13, if it is not turned off); -errno with err. Precondition:
 * no_new_privs, which it sets. */
int confine_paths(const struct confine_path *p, unsigned n, char *err, size_t cap);

/* confine_user: the id of a user and of its group. 0, -ENOENT, or -errno. */
int confine_user(const char *name, uid_t *uid, gid_t *gid);

#endif
