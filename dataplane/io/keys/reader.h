/* SPDX-License-Identifier: BSD-3-Clause */
/* reader: the process that looks into programs. What is in a program's file is whatever its owner likes; who understands it has no capability, opens
 * nothing, and answers with a message of fixed size, of which nothing is believed that cannot be. */
#ifndef IO_KEYS_READER_H
#define IO_KEYS_READER_H

#include "io/keys/program.h"

#define READER_PATIENCE_MS 30000

/* reader_start starts it; before there are secrets or probes, which it would have too. It ends when this process does. 0, or -errno with err. */
int reader_start(bool sandbox, char *err, size_t cap);

/* reader_program: as program_read, by it. -EPIPE with err: it has ended, or has taken too long, and is not asked again. */
int reader_program(int fd, struct program *p, char *err, size_t cap);

/* reader_believe checks an answer on a file of `id`; false: it is none. */
struct reader_answer {
	int rc;
	struct program program;
	char err[256];
};
bool reader_believe(struct reader_answer *a, const struct program_id *id);

#endif
