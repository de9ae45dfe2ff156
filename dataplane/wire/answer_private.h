/* SPDX-License-Identifier: BSD-3-Clause */
/* The inside of the answer scanner, shared by its parts: answer.c (what values mean where), answer_place.h
 * (keys and places), answer_lists.c (access lists and their like) and answer_report.c (what the sink is
 * told). Nobody else includes this. */
#ifndef WIRE_ANSWER_PRIVATE_H
#define WIRE_ANSWER_PRIVATE_H

#include "wire/answer.h"
#include "wire/json_hold.h"
#include "wire/jsonrpc.h"

/* What the innermost open container is. */
enum ctx {
	CTX_SKIP, /* nothing of interest, however deep */
	CTX_BATCH,
	CTX_MESSAGE,
	CTX_PARAMS, /* of a notification */
	CTX_ERROR,
	CTX_OBJECT, /* any that may be a transaction, a block ...: it has a frame */
	CTX_ARRAY,  /* any */
	CTX_LIST,   /* an array that is a result */
	CTX_TXS,    /* `transactions` */
	/* within a transaction */
	CTX_ACCESS,
	CTX_ENTRY,
	CTX_KEYS,
	CTX_AUTHS,
	CTX_AUTH,
	CTX_BLOBS,
	CTX_COUNT
};

/* What the value that comes next is. */
enum pos {
	POS_NONE, /* nothing by itself */
	POS_SKIP, /* and nothing in it */
	/* scan_value is told of the beginning of these */
	POS_ID,
	POS_SUBSCRIPTION,
	POS_RESULT, /* of a response */
	POS_ERROR,
	POS_TXS_ITEM,
	POS_LIST_ITEM,
	POS_LATEST,
	POS_ACCESS_ITEM,
	POS_KEY,
	POS_AUTH_ITEM,
	POS_BLOB,
	POS_CODE,
	POS_MESSAGE, /* the top, or an element of a batch */
	/* not of these */
	POS_PARAMS,
	POS_NOTE,   /* an error's message */
	POS_PUSHED, /* result of a notification */
	POS_STATUS,
	POS_RAW,     /* rawTx */
	POS_TX_HASH, /* txHash, of a notification */
	POS_TXS,
	POS_ACCESS,
	POS_ADDRESS,
	POS_KEYS,
	POS_AUTHS,
	POS_BLOBS,
	POS_SLOT,			      /* + enum answer_slot */
	POS_MEMBER = POS_SLOT + ANSWER_SLOTS, /* + enum answer_member */
	POS_COUNT = POS_MEMBER + TXM_COUNT
};

/* One call into the scanner. */
struct scan {
	struct answer *j;
	struct jsonrpc_arena *a;
	const uint8_t *end;
	answer_sink sink;
	void *ctx;
	uint32_t *messages;
};

/* answer_frame_open begins an object; false: too many lie in each other. answer_frame_close reports what it
 * was and forgets it; cut: it did not end. */
bool answer_frame_open(struct answer *j);
void answer_frame_close(struct scan *s, bool cut);
/* answer_message_close reports a response. */
void answer_message_close(struct scan *s, bool cut);
/* answer_block_begin: a list of transactions opens in the innermost frame. */
void answer_block_begin(struct scan *s);

/* answer_record: a member of the innermost frame, its bytes the last `len` that were decoded. */
static inline void
answer_record(struct answer *j, enum answer_member m, unsigned state, uint32_t len)
{
	if (j->n_recs == ANSWER_RECS) {
		j->h.used -= len;
		j->frames[j->frame].spoiled = true;
		return;
	}
	j->recs[j->n_recs++] = (struct answer_rec){.len = len, .member = m, .state = state};
}

/* answer_string_done: a string was read for `pos`, its bytes are the last `len` that were decoded.
 * answer_other_done: for one that is no member of a transaction or block. */
void answer_other_done(struct scan *s, unsigned pos, unsigned state, uint32_t len);
static inline void
answer_string_done(struct scan *s, unsigned pos, unsigned state, uint32_t len)
{
	if (pos >= POS_MEMBER)
		answer_record(s->j, pos - POS_MEMBER, state, len);
	else
		answer_other_done(s, pos, state, len);
}

/* Lists within a transaction: answer_list_open and answer_list_close, answer_entry_open for an element that
 * is an object, answer_list_string for a string (its bytes the last len), answer_list_bad for an element that
 * is not what it should be, answer_keys_open for storageKeys. */
void answer_list_open(struct answer *j);
void answer_list_close(struct answer *j, enum answer_member m);
void answer_entry_open(struct scan *s, uint32_t bytes);
void answer_entry_close(struct scan *s, enum ctx ctx);
void answer_list_string(struct scan *s, unsigned pos, unsigned state, uint32_t len);
void answer_list_bad(struct answer *j, unsigned state);
void answer_keys_open(struct answer *j);

/* answer_lost sees to the records whose bytes are gone, after anything that may have moved them. */
void answer_lost(struct answer *j);

/* raw_like: could these be the first bytes of a transaction in binary form? */
static inline bool
raw_like(uint8_t first)
{
	return first >= 0xc0 || (first >= 1 && first <= 4);
}

/* answer_plain: piece is a whole message of the commonest kind: a numbered response whose result is a hash, then whatever (what follows a value
 * is not looked at). */
bool answer_plain(struct span piece, struct json_id *id, uint8_t hash[32]);

#endif
