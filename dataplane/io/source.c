/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_HEADER 24u
#define RECORD_HEADER 16u
#define LINKTYPE_ETHERNET 1u

static uint32_t
word(const struct source *s, size_t at)
{
	uint32_t v;
	memcpy(&v, s->map + at, sizeof v);
	return s->swapped ? __builtin_bswap32(v) : v;
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
	case 0x0a0d0d0au:
		snprintf(err, err_cap, "%s: pcapng; convert it first: editcap -F pcap %s out.pcap", path, path);
		return -ENOTSUP;
	default:
		snprintf(err, err_cap, "%s: not a pcap file (starts with %08x)", path, magic);
		return -ENOTSUP;
	}
	uint32_t link = word(s, 20) & 0x0fffffffu;
	if (link != LINKTYPE_ETHERNET) {
		snprintf(err, err_cap, "%s: link type %u; only Ethernet (1) can be read", path, link);
		return -ENOTSUP;
	}
	return 0;
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
		s->at = FILE_HEADER;
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
		s->at = FILE_HEADER;
	return rc;
}

int
source_next(struct source *s, struct source_frame *f)
{
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
	s->at += RECORD_HEADER + caplen;
	s->frames++;
	return 1;
}

void
source_rewind(struct source *s)
{
	s->at = s->bytes != 0 ? FILE_HEADER : 0;
	s->frames = 0;
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
