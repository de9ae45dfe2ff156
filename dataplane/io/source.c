/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/source.h"

#include "io/source_pcapng.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_HEADER 24u
#define RECORD_HEADER 16u
/* Above the link type stand bits about the frame check sequence. */
#define LINKTYPE_MASK 0x03ffffffu

static uint32_t
word(const struct source *s, size_t at)
{
	uint32_t v;
	memcpy(&v, s->map + at, sizeof v);
	return s->swapped ? __builtin_bswap32(v) : v;
}

enum net_link
source_link(uint32_t linktype)
{
	switch (linktype) {
	case 1:
		return NET_LINK_ETHERNET;
	case 0:	  /* NULL: the machine's byte order */
	case 108: /* LOOP: network byte order */
		return NET_LINK_FAMILY;
	case 12: /* what systems number RAW as */
	case 14:
	case 101:
	case 228:
	case 229:
		return NET_LINK_IP;
	case 113:
		return NET_LINK_SLL;
	case 276:
		return NET_LINK_SLL2;
	default:
		return NET_LINK_OTHER;
	}
}

static int
read_header(struct source *s, const char *path, char *err, size_t err_cap)
{
	if (s->bytes < FILE_HEADER) {
		snprintf(err, err_cap, "%s: too short for a capture file (%zu bytes)", path, s->bytes);
		return -ENOTSUP;
	}
	uint32_t magic;
	memcpy(&magic, s->map, sizeof magic);
	switch (magic) {
	case 0xa1b2c3d4u:
		break;
	case 0xd4c3b2a1u:
		s->swapped = true;
		break;
	case 0xa1b23c4du:
		s->nano = true;
		break;
	case 0x4d3cb2a1u:
		s->nano = s->swapped = true;
		break;
	case PCAPNG_MAGIC:
		s->ng = true;
		return pcapng_open(s, path, err, err_cap);
	default:
		snprintf(err, err_cap, "%s: not a pcap file (starts with %08x)", path, magic);
		return -ENOTSUP;
	}
	uint32_t link = word(s, 20) & LINKTYPE_MASK;
	s->link = source_link(link);
	if (s->link == NET_LINK_OTHER) {
		snprintf(err, err_cap, "%s: link type %u; only Ethernet, Linux cooked, loopback and IP can be read", path, link);
		return -ENOTSUP;
	}
	return 0;
}

/* Where the first record is. */
static size_t
beginning(const struct source *s)
{
	return s->ng ? 0 : FILE_HEADER;
}

int
source_open(struct source *s, const char *path, char *err, size_t err_cap)
{
	struct stat st;
	memset(s, 0, sizeof *s);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		int e = fd < 0 ? errno : EINVAL;
		snprintf(err, err_cap, "%s: %s", path, fd < 0 ? strerror(e) : "not a regular file");
		if (fd >= 0)
			close(fd);
		return -e;
	}
	s->bytes = (size_t)st.st_size;
	if (s->bytes > 0) {
		void *m = mmap(NULL, s->bytes, PROT_READ, MAP_PRIVATE, fd, 0);
		int e = errno;
		close(fd);
		if (m == MAP_FAILED) {
			snprintf(err, err_cap, "%s: cannot map: %s", path, strerror(e));
			return -e;
		}
		s->map = m;
		s->mapped = true;
	} else {
		close(fd);
	}
	int rc = read_header(s, path, err, err_cap);
	if (rc != 0)
		source_close(s);
	else
		s->at = beginning(s);
	return rc;
}

int
source_open_memory(struct source *s, const char *name, const uint8_t *bytes, size_t n, char *err, size_t err_cap)
{
	memset(s, 0, sizeof *s);
	s->map = bytes;
	s->bytes = n;
	int rc = read_header(s, name, err, err_cap);
	if (rc != 0)
		source_close(s);
	else
		s->at = beginning(s);
	return rc;
}

int
source_next(struct source *s, struct source_frame *f)
{
	if (s->ng)
		return pcapng_next(s, f);
	if (s->bytes - s->at < RECORD_HEADER) {
		s->broken = s->at != s->bytes;
		return 0;
	}
	uint32_t caplen = word(s, s->at + 8), len = word(s, s->at + 12);
	if (caplen > SOURCE_FRAME_MAX || caplen > s->bytes - s->at - RECORD_HEADER) {
		s->broken = true;
		return 0;
	}
	uint64_t fraction = word(s, s->at + 4);
	f->t_ns = (uint64_t)word(s, s->at) * 1000000000ull + fraction * (s->nano ? 1 : 1000);
	f->bytes = (struct span){s->map + s->at + RECORD_HEADER, caplen};
	f->wire_len = len < caplen ? caplen : len;
	f->link = s->link;
	s->at += RECORD_HEADER + caplen;
	s->frames++;
	return 1;
}

void
source_rewind(struct source *s)
{
	s->at = s->bytes != 0 ? beginning(s) : 0;
	s->frames = s->last_ns = 0;
	s->interfaces = 0;
	s->broken = false;
}

void
source_close(struct source *s)
{
	if (s->mapped)
		munmap((void *)(uintptr_t)s->map, s->bytes);
	s->map = NULL;
	s->mapped = false;
	s->bytes = s->at = 0;
}
