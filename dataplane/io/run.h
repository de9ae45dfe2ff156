/* SPDX-License-Identifier: BSD-3-Clause */
/* run: `rules run`: the rules over transactions in a file, one JSON value a line, in arrival order. A line is a transaction object
 * (io/txobj.h), {"raw":"0x..."}, or {"bundle":[...]} of objects, raws ({"raw":...} or a plain string) and hashes (a string of 32 bytes, or
 * an object that holds nothing but its hash). "seen": Unix seconds, decimal, as a number or a string, on the outer object gives the time
 * of arrival; without it the line arrived with the one before. Alerts leave by the box's outlet. */
#ifndef IO_RUN_H
#define IO_RUN_H

#include "io/box.h"

/* run_file reads `path` ("-": stdin) to its end. A line that cannot be used is told of on stderr as file:line with the field's name, counted in
 * b->bad_lines, and the rest goes on. 0, -EINVAL if there was such a line, or -errno if the file could not be read. */
int run_file(struct box *b, const char *path);

#endif
