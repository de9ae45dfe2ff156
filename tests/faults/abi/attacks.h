/* SPDX-License-Identifier: BSD-3-Clause */
/* attacks: every call by which a process that holds the fd of a one-way memory file might get to write to it. */
#ifndef TESTS_ABI_ATTACKS_H
#define TESTS_ABI_ATTACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct target {
	int fd;
	size_t bytes;
	uint8_t *map; /* PROT_READ, MAP_SHARED */
};

struct attack {
	const char *name;
	bool (*worked)(const struct target *t); /* true: the call was let through that must not be */
	bool never; /* the kernel refuses it, or it does no harm, on any file: worth a look, but proves little */
};

/* On ring and evidence. Whoever calls one compares the content before and after as well. */
extern const struct attack attacks_oneway[];
extern const unsigned attacks_oneway_n;
/* On the cursor, which its owner may write: what could take memory from under the producer or lock the next one out. */
extern const struct attack attacks_size[];
extern const unsigned attacks_size_n;

#endif
