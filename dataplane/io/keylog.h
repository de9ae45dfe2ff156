/* SPDX-License-Identifier: BSD-3-Clause */
/* keylog: the RLPx key log, a text file that a node's owner exports session secrets to, and that may grow
 * while it is read. One session a line:
 *
 *   rlpx AES_SECRET MAC_SECRET|- INITIATOR|- RECIPIENT|- [INITIATOR_NONCE RECIPIENT_NONCE]
 *
 * Secrets and nonces: 64 hex digits. Endpoints: ip:port or [ip6]:port. # begins a comment. Spaces or tabs
 * between, LF or CRLF behind. The nonces are an addition that lets MACs be checked: nobody else can know
 * them. The file holds secrets: who but its owner can read or write it makes it refused. */
#ifndef IO_KEYLOG_H
#define IO_KEYLOG_H

#include "wire/rlpx_keys.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEYLOG_LINE_MAX 512u
#define KEYLOG_SESSIONS_DEFAULT 4096u

/* keylog_line reads one line without its end. 1: a session; 0: nothing in it; -1: a mistake, at *column (from
 * 1), *why of static lifetime. */
int keylog_line(const char *line, size_t n, struct rlpx_key *out, unsigned *column, const char **why);

/* Where mistakes are told: "file:line:column: what". */
typedef void (*keylog_complain)(void *ctx, const char *text);

struct keylog {
	char *path;
	int fd; /* -1: not there now */
	bool held; /* keylog_hold */
	uint64_t dev, ino, offset;
	unsigned line; /* that is being read, from 1, counted from byte `from` on */
	uint64_t from;
	char text[KEYLOG_LINE_MAX + 1];
	uint32_t n_text;
	bool overlong;
	keylog_complain complain;
	void *ctx;
	char complained[128]; /* what is wrong with the file itself, told once */
	/* the newest `max` sessions, list[0] the oldest, number first_number */
	struct rlpx_key *list; /* within `room`, which has twice the place, so that making room is no work */
	uint32_t n, max;
	struct rlpx_key *room;
	uint64_t first_number;
	uint64_t dropped;  /* sessions that made room */
	uint64_t mistakes; /* lines refused */
	uint64_t reopened; /* times the file was replaced or cut short */
};

/* keylog_open prepares a log of up to max <= RLPX_KEYS_MAX sessions (0: the default) and reads what is there.
 * 0, or -errno with a sentence told to complain: -EPERM if others may read or write the file or (unless this
 * is root, who was told its name) own it, -ENOENT. keylog_close wipes what it knew. */
int keylog_open(struct keylog *k, const char *path, uint32_t max, keylog_complain complain, void *ctx);
void keylog_close(struct keylog *k);

/* keylog_read takes what has been appended; a last line without end waits. A file that was replaced or cut
 * short is read from its beginning; sessions already known are not taken again. Of more than a log holds only the last `max` lines
 * that are no comments are read, whatever the file's length. Returns how many sessions are
 * new, or -errno (as keylog_open; what is known stays). */
int keylog_read(struct keylog *k);

/* keylog_begin prepares a log without a file, for keylog_add and keylog_text; name: what mistakes are told of. 0 or -errno. */
int keylog_begin(struct keylog *k, const char *name, uint32_t max, keylog_complain complain, void *ctx);

/* keylog_hold: from now on keylog_read opens nothing. The file that is open is read on as it grows (fstat and pread), also when another takes
 * its name; for a process that may open nothing any more. */
void keylog_hold(struct keylog *k);

/* keylog_add takes a session, zeroed where nothing is said; false: it is known already. */
bool keylog_add(struct keylog *k, const struct rlpx_key *s);

/* keylog_text takes whole lines that came another way than the file; the last may lack its end. Of more than a log holds only the last ones are
 * looked at. Mistakes are counted in *mistakes, not told. Returns how many sessions are new. */
int keylog_text(struct keylog *k, const char *text, size_t n, uint64_t *mistakes);

/* keylog_write writes a session as a line with its end; returns its length, at most KEYLOG_LINE_MAX. */
size_t keylog_write(const struct rlpx_key *s, char out[KEYLOG_LINE_MAX + 1]);

/* keylog_feed takes text as if it had been read from the file. Returns how many sessions are new. */
int keylog_feed(struct keylog *k, const char *text, size_t n);

/* keylog_table builds a table of the sessions in malloc'ed memory (free), or NULL. seed: from a random
 * source. */
struct rlpx_keys *keylog_table(const struct keylog *k, uint64_t seed);

#endif
