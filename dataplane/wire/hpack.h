/* SPDX-License-Identifier: BSD-3-Clause */
/* hpack: reads header blocks of HTTP/2 (RFC 7541) for one thing, the `:path` of a request, as a passive
 * reader must: resumable at any byte, without memory of its own, and without having seen the beginning. It is
 * not nghttp2's inflater, because that one allocates for each string and gives up at the first reference to
 * an entry that it has not seen; nghttp2 is its oracle in the tests.
 *
 * Of the dynamic table only what decides is kept, 4 bytes an entry: its size, the length of its name, which
 * path it is. Indices count from the newest entry, so a table that was joined in mid-stream, or lost in a gap
 * between two blocks and begun again, is right about every entry that came since: what is older is `unknown`,
 * not wrong. The same holds for entries beyond HPACK_ENTRIES, of tables larger than the 4096 bytes that peers
 * use. Strings are decoded as they pass, so a header block costs its bytes, however long it is.
 *
 * Sizes of the table follow from the size updates in the blocks alone; SETTINGS_HEADER_TABLE_SIZE, which
 * bounds them, need not be known. */
#ifndef WIRE_HPACK_H
#define WIRE_HPACK_H

#include <stdbool.h>
#include <stdint.h>

#define HPACK_ENTRIES 128u /* all that fit into 4096 bytes */
#define HPACK_TEXT_MAX 48u /* longer paths are none that we know */
#define HPACK_PATHS_MAX 32u

/* The paths to tell apart, without their leading slash, none longer than HPACK_TEXT_MAX. */
struct hpack_paths {
	const char *const *names;
	unsigned n; /* <= HPACK_PATHS_MAX */
};

/* What a block said about `:path`; HPACK_PATH_FIRST + i is paths.names[i]. */
enum hpack_path {
	HPACK_PATH_NONE,    /* no such header; or one that is in an unknown entry */
	HPACK_PATH_UNKNOWN, /* there is one, its value is in an unknown entry; or there are two */
	HPACK_PATH_OTHER,   /* none of the names */
	HPACK_PATH_FIRST
};

/* Private to hpack. */
struct hpack {
	uint32_t entry[HPACK_ENTRIES]; /* a ring, see hpack.c */
	uint8_t head, n;	       /* where the next one goes; entries known */
	bool whole;		       /* these are all, and used is right */
	uint8_t state, op, shift;
	bool huffman, is_path, name_unknown;
	uint8_t n_bits;
	uint8_t path; /* enum hpack_path, of the block */
	uint8_t text_n;
	uint32_t used, max; /* bytes of the table */
	uint32_t value;	    /* integer under way */
	uint32_t left;	    /* bytes of the string under way */
	uint32_t len;	    /* of it, decoded, so far */
	uint32_t name_len;
	uint64_t bits;
	uint8_t text[HPACK_TEXT_MAX]; /* its first bytes */
};

/* hpack_init: the state of one direction of a connection. midstream: blocks may have gone by unread. */
void hpack_init(struct hpack *h, bool midstream);

/* hpack_lose: blocks, or the rest of the one under way, have been lost: every entry so far is unknown. */
void hpack_lose(struct hpack *h);

/* hpack_begin: a header block begins. */
void hpack_begin(struct hpack *h);

/* hpack_feed reads a piece of the block. false: no receiver would accept it; call hpack_lose. */
bool hpack_feed(struct hpack *h, const struct hpack_paths *paths, const uint8_t *p, uint32_t n);

/* hpack_end: the block is over; *path: enum hpack_path. false: it ended inside a header; call hpack_lose. */
bool hpack_end(struct hpack *h, uint8_t *path);

#endif
