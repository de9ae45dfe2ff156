/* SPDX-License-Identifier: BSD-3-Clause */
/* What the parts of talk share: talk.c (how it is framed and crosses) and talk_text.c (transactions, JSON, compression). */
#ifndef TESTS_TALK_PRIVATE_H
#define TESTS_TALK_PRIVATE_H

#include "talk.h"
#include "tests/unit/wire/rlpx_peer.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define FLOWS 4u
#define KNOWN_MAX 1024u

struct speaker { /* one direction of a connection */
	z_stream z;
	bool z_on, peered;
	struct peer peer;
	uint32_t peer_sent;
};

struct talker {
	struct rig_flow flow;
	struct speaker side[2];
	unsigned id; /* of the last request */
	unsigned h2_stream;
};

struct talk_state {
	struct rig *g;
	struct input *in;
	struct talker t[FLOWS];
	/* how it crosses */
	unsigned lose, twice, swap, other; /* every n-th segment; 0: none */
	unsigned segments;
	/* transactions that were said; `mixed`: bytes have crossed that nobody said so */
	uint8_t known[KNOWN_MAX][32];
	unsigned n_known;
	bool mixed;
	uint8_t last_hash[32];
	void *keys_memory;
	const struct rlpx_keys *keys;
};
extern struct talk_state now;


/* some_tx: one that is remembered as said; give_back frees it. */
struct span some_tx(void);
void give_back(struct span s);
void add_bytes(struct text *t, struct span s);
/* json_text: one message or a batch, of the direction's kind. */
void json_text(struct talker *t, unsigned dir, struct text *b);
/* base64_text: a byte, then s. */
void base64_text(struct text *b, unsigned first, struct span s);
/* compress_text replaces b by itself compressed; bits as of zlib: 31 gzip, 15 zlib, -15 bare. compress_message: as a message of
 * permessage-deflate, with history unless afresh. */
void compress_text(struct text *b, int bits);
void compress_message(struct speaker *s, struct text *b, bool afresh);

#endif
