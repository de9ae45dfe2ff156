/* SPDX-License-Identifier: BSD-3-Clause */
/* source_pcapng: the part of source that reads pcapng; inside source only. */
#ifndef IO_SOURCE_PCAPNG_H
#define IO_SOURCE_PCAPNG_H

#include "io/source.h"

#define PCAPNG_MAGIC 0x0a0d0d0au /* type of a section header block, in any byte order */

/* pcapng_open: is the beginning a section header, and is there an interface whose frames can be read? As
 * source_open. */
int pcapng_open(struct source *s, const char *path, char *err, size_t err_cap);
/* pcapng_next: as source_next. */
int pcapng_next(struct source *s, struct source_frame *f);

#endif
