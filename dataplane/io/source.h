/* SPDX-License-Identifier: BSD-3-Clause */
/* source: frames of a capture file, read in place. Formats: classic pcap (the libpcap savefile format), either byte order, micro- or
 * nanosecond times; pcapng (draft-ietf-opsawg-pcapng): sections of either byte order, interfaces of different link types and time
 * resolutions, enhanced, simple and obsolete packet blocks; other blocks are passed over. net_pcap is not used because it takes every
 * link type for Ethernet and has no end of file. */
#ifndef IO_SOURCE_H
#define IO_SOURCE_H

#include "abi/span.h"
#include "net/link.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SOURCE_FRAME_MAX (256u << 10) /* libpcap's own cap for a record */
#define SOURCE_INTERFACES_MAX 64u

/* One interface of a pcapng section. */
struct source_interface {
	enum net_link link;
	uint32_t snap; /* bytes of a frame that are kept at most; 0 = all */
	uint8_t resolution; /* if_tsresol */
	int64_t offset_s;
};

struct source {
	const uint8_t *map;
	size_t bytes, at;
	bool swapped, nano;
	bool ng;	     /* pcapng */
	bool mapped;	     /* map is ours to unmap */
	enum net_link link;  /* of a classic file */
	uint64_t frames;     /* handed out */
	bool broken;	     /* the file ends inside a record, or a record is impossible: reading stopped there */
	uint64_t last_ns;    /* time of the last frame that had one */
	uint32_t interfaces; /* of the section; those beyond SOURCE_INTERFACES_MAX are of a link type that is not read */
	struct source_interface interface[SOURCE_INTERFACES_MAX];
};

struct source_frame {
	struct span bytes; /* valid until source_close */
	uint32_t wire_len;
	enum net_link link;
	uint64_t t_ns;
};

/* source_open maps the file. 0, or -errno with a sentence in err (-ENOTSUP: not a format this can read, or frames of no link type that
 * is read). */
int source_open(struct source *s, const char *path, char *err, size_t err_cap);
/* source_open_memory: the same from bytes that outlive the source; `name` stands for the file in messages. */
int source_open_memory(struct source *s, const char *name, const uint8_t *bytes, size_t n, char *err, size_t err_cap);
/* source_next: 1 and the next frame, or 0 at the end (see `broken`). */
int source_next(struct source *s, struct source_frame *f);
void source_rewind(struct source *s);
void source_close(struct source *s);

/* source_link: what a LINKTYPE_* number means; NET_LINK_OTHER if it is not read. */
enum net_link source_link(uint32_t linktype);

#endif
