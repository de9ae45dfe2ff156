/* SPDX-License-Identifier: BSD-3-Clause */
/* profile_text: what tests of the box profile ask: the text of one, read into `t`, or refused with what is then in `err`. */
#ifndef PROFILE_TEXT_H
#define PROFILE_TEXT_H

#include "io/profile.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct topology t;
static char err[512];

static inline int
parse(const char *text)
{
	topology_default(&t);
	err[0] = '\0';
	return profile_parse("box.yaml", text, strlen(text), &t, err, sizeof err);
}

static inline void
good(const char *text)
{
	if (parse(text) != 0)
		fail_msg("%s", err);
}

/* The text is refused, and `says` is in what is said of it. */
static inline void
refused(const char *text, const char *says)
{
	int rc = parse(text);
	if (rc != -EINVAL || strstr(err, says) == NULL)
		print_message("%s -> %d %s\n", text, rc, err);
	assert_int_equal(rc, -EINVAL);
	assert_non_null(strstr(err, says));
}

#endif
