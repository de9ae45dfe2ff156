/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/source_pcapng.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define BLOCK_MIN 12u
#define SECTION_MIN 28u

#define BLOCK_INTERFACE 1u
#define BLOCK_PACKET 2u /* obsolete */
#define BLOCK_SIMPLE 3u
#define BLOCK_ENHANCED 6u

#define OPTION_END 0u
#define OPTION_TSRESOL 9u
#define OPTION_TSOFFSET 14u

/* One block: its body, without type and lengths. */
struct block {
	uint32_t type, len;
	const uint8_t *body;
};

static uint32_t
word(const struct source *s, const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof v);
	return s->swapped ? __builtin_bswap32(v) : v;
}

static uint32_t
half(const struct source *s, const uint8_t *p)
{
	uint16_t v;
	memcpy(&v, p, sizeof v);
	return s->swapped ? __builtin_bswap16(v) : v;
}

/* A section header says in which byte order the blocks up to the next one are. */
static bool
begin_section(struct source *s)
{
	uint32_t magic;
	if (s->bytes - s->at < SECTION_MIN)
		return false;
	memcpy(&magic, s->map + s->at + 8, sizeof magic);
	if (magic != BYTE_ORDER_MAGIC && magic != __builtin_bswap32(BYTE_ORDER_MAGIC))
		return false;
	s->swapped = magic != BYTE_ORDER_MAGIC;
	s->interfaces = 0;
	return word(s, s->map + s->at + 4) >= SECTION_MIN && half(s, s->map + s->at + 12) == 1;
}

/* 1 and the next block, 0 at the end; an impossible block is the end and makes the source broken. */
static int
next_block(struct source *s, struct block *b)
{
	if (s->at == s->bytes || s->broken)
		return 0;
	s->broken = true;
	if (s->bytes - s->at < BLOCK_MIN)
		return 0;
	b->type = word(s, s->map + s->at);
	if (b->type == PCAPNG_MAGIC && !begin_section(s))
		return 0;
	uint32_t n = word(s, s->map + s->at + 4);
	if (n < BLOCK_MIN || n % 4 != 0 || n > s->bytes - s->at || word(s, s->map + s->at + n - 4) != n)
		return 0;
	b->body = s->map + s->at + 8;
	b->len = n - BLOCK_MIN;
	s->at += n;
	s->broken = false;
	return 1;
}

static void
read_option(const struct source *s, struct source_interface *i, uint32_t code, const uint8_t *p, uint32_t n)
{
	if (code == OPTION_TSRESOL && n >= 1)
		i->resolution = p[0];
	if (code == OPTION_TSOFFSET && n >= 8) {
		uint64_t first = word(s, p), second = word(s, p + 4);
		i->offset_s = (int64_t)(s->swapped == (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
						? first << 32 | second
						: second << 32 | first);
	}
}

static bool
read_interface(struct source *s, const struct block *b)
{
	if (b->len < 8)
		return false;
	struct source_interface i = {source_link(half(s, b->body)), word(s, b->body + 4), 6, 0};
	for (uint32_t at = 8; at + 4 <= b->len;) {
		uint32_t code = half(s, b->body + at), n = half(s, b->body + at + 2);
		if (code == OPTION_END || n > b->len - at - 4)
			break;
		read_option(s, &i, code, b->body + at + 4, n);
		at += 4 + ((n + 3) & ~3u);
	}
	if (s->interfaces < SOURCE_INTERFACES_MAX)
		s->interface[s->interfaces] = i;
	if (s->interfaces < UINT32_MAX)
		s->interfaces++;
	return true;
}

/* Nanoseconds of a time in the interface's units (a negative power of 10, or of 2), kept within what can be
 * said. */
static uint64_t
nanoseconds(const struct source_interface *i, uint64_t units)
{
	unsigned power = i->resolution & 0x7fu;
	__int128 ns = units;
	if (i->resolution & 0x80u) {
		ns = ns * 1000000000 >> (power < 100 ? power : 100);
	} else {
		for (; power < 9; power++)
			ns *= 10;
		for (; power > 9 && ns != 0; power--)
			ns /= 10;
	}
	ns += (__int128)i->offset_s * 1000000000;
	return ns < 0 ? 0 : ns > (__int128)UINT64_MAX ? UINT64_MAX : (uint64_t)ns;
}

/* n captured bytes at `at` of the block's body, from interface `id`. */
static bool
hand_out(struct source *s, const struct block *b, uint32_t id, uint32_t at, uint32_t n, uint32_t wire_len,
	struct source_frame *f)
{
	if (id >= s->interfaces || b->len < at || n > b->len - at || n > SOURCE_FRAME_MAX)
		return false;
	f->bytes = (struct span){b->body + at, n};
	f->wire_len = wire_len < n ? n : wire_len;
	f->link = id < SOURCE_INTERFACES_MAX ? s->interface[id].link : NET_LINK_OTHER;
	return true;
}

static const struct source_interface *
interface_of(const struct source *s, uint32_t id)
{
	static const struct source_interface unknown = {NET_LINK_OTHER, 0, 6, 0};
	return id < s->interfaces && id < SOURCE_INTERFACES_MAX ? &s->interface[id] : &unknown;
}

/* Enhanced packet blocks, and packet blocks, which have a drop count in half of the interface's place. */
static bool
read_packet(struct source *s, const struct block *b, struct source_frame *f)
{
	if (b->len < 20)
		return false;
	uint32_t id = b->type == BLOCK_ENHANCED ? word(s, b->body) : half(s, b->body);
	uint64_t units = (uint64_t)word(s, b->body + 4) << 32 | word(s, b->body + 8);
	if (!hand_out(s, b, id, 20, word(s, b->body + 12), word(s, b->body + 16), f))
		return false;
	f->t_ns = s->last_ns = nanoseconds(interface_of(s, id), units);
	return true;
}

/* Of the first interface, without a time: that of the frame before. */
static bool
read_simple(struct source *s, const struct block *b, struct source_frame *f)
{
	if (b->len < 4)
		return false;
	uint32_t len = word(s, b->body), snap = interface_of(s, 0)->snap, n = len;
	if (snap != 0 && n > snap)
		n = snap;
	if (n > b->len - 4)
		n = b->len - 4; /* written with a limit that the interface does not tell */
	f->t_ns = s->last_ns;
	return hand_out(s, b, 0, 4, n, len, f);
}

int
pcapng_next(struct source *s, struct source_frame *f)
{
	struct block b;
	while (next_block(s, &b)) {
		bool good = true, frame = true;
		if (b.type == BLOCK_ENHANCED || b.type == BLOCK_PACKET) {
			good = read_packet(s, &b, f);
		} else if (b.type == BLOCK_SIMPLE) {
			good = read_simple(s, &b, f);
		} else {
			frame = false;
			good = b.type != BLOCK_INTERFACE || read_interface(s, &b);
		}
		if (!good) {
			s->broken = true;
			s->at -= b.len + BLOCK_MIN;
			return 0;
		}
		if (frame) {
			s->frames++;
			return 1;
		}
	}
	return 0;
}

int
pcapng_open(struct source *s, const char *path, char *err, size_t err_cap)
{
	struct source look = *s;
	struct source_frame f;
	look.at = 0;
	if (!begin_section(&look)) {
		snprintf(err, err_cap, "%s: not a pcapng file of version 1, or cut off in its first block",
			path);
		return -ENOTSUP;
	}
	if (pcapng_next(&look, &f) == 0 || f.link != NET_LINK_OTHER)
		return 0;
	for (uint32_t i = 0; i < look.interfaces && i < SOURCE_INTERFACES_MAX; i++)
		if (look.interface[i].link != NET_LINK_OTHER)
			return 0;
	snprintf(err, err_cap,
		"%s: none of its interfaces has a link type that can be read (Ethernet, Linux cooked, "
		"loopback, IP)",
		path);
	return -ENOTSUP;
}
