/* SPDX-License-Identifier: BSD-3-Clause */
/* talk: whole connections of every protocol that a worker reads, made of a fuzzer's bytes. What is said is well-formed but where those bytes
 * are put in as they are; how it crosses is theirs to choose: cut, out of order, twice, in two versions, in part. */
#ifndef TESTS_TALK_H
#define TESTS_TALK_H

#include "rig.h"

#include <stddef.h>

struct input {
	const uint8_t *p;
	size_t n;
};

/* Both take less if there is less; number is big-endian. */
uint32_t number(struct input *in, unsigned bytes);
struct span piece(struct input *in, uint32_t n);

/* talk_config chooses limits, feeds and what is known of keys; before rig_start. talk: everything else, until the input is used up. */
void talk_config(struct rig *g, struct input *in);
void talk(struct rig *g, struct input *in);

#endif
