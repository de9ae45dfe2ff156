/* SPDX-License-Identifier: BSD-3-Clause */
/* source: frames of a capture file, read in place. Format: classic pcap (the libpcap savefile format), either byte order, micro- or nanosecond
 * times, link type Ethernet. net_pcap is not used because it takes every link type for Ethernet and has no end of file. */
#ifndef IO_SOURCE_H
#define IO_SOURCE_H

#include "abi/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SOURCE_FRAME_MAX (256u << 10) /* libpcap's own cap for a record */

struct source {
	const uint8_t *map;
	size_t bytes, at;
	bool swapped, nano;
	bool mapped; /* map is ours to unmap */
	uint64_t frames; /* handed out */
	bool broken;	 /* the file ends inside a record, or a record is impossible: reading stopped there */
};

struct source_frame {
	struct span bytes; /* valid until source_close */
	uint32_t wire_len;
	uint64_t t_ns;
};

/* source_open maps the file. 0, or -errno with a sentence in err (-ENOTSUP: not a format this can read). */
int source_open(struct source *s, const char *path, char *err, size_t err_cap);
/* source_open_memory: the same from bytes that outlive the source; `name` stands for the file in messages. */
int source_open_memory(struct source *s, const char *name, const uint8_t *bytes, size_t n, char *err, size_t err_cap);
/* source_next: 1 and the next frame, or 0 at the end (see `broken`). */
int source_next(struct source *s, struct source_frame *f);
void source_rewind(struct source *s);
void source_close(struct source *s);

#endif
