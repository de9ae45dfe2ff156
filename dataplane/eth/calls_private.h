/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of calls share. */
#ifndef ETH_CALLS_PRIVATE_H
#define ETH_CALLS_PRIVATE_H

#include "eth/calls.h"

/* No form with anything in it is shorter: a selector, an offset, a length. */
#define FORM_BYTES_MIN 68u

enum shape {
	SHAPE_NONE,    /* no calls inside: nothing is guessed either */
	SHAPE_ONE,     /* a call in the arguments */
	SHAPE_TUPLE,   /* in the dynamic tuple at argument `list` */
	SHAPE_LIST,    /* in each of the dynamic tuples of the array at `list` */
	SHAPE_COLUMNS, /* in parallel arrays */
	SHAPE_SELVES,  /* bytes[] at `list`: each a call of the same contract */
	SHAPE_PACKED,  /* multiSend: bytes at `data` */
	SHAPE_OPS,     /* ERC-4337 user operations: array at `list` */
	SHAPE_AGG_OPS, /* arrays of them in tuples */
	SHAPE_MODE,    /* ERC-7579: mode, bytes */
	SHAPE_TAIL,    /* what follows the selector is a call of the same contract */
	SHAPE_CREATE,  /* init code at `data`; `list`: bytes with which it is called then */
	SHAPE_CREATE2, /* the same, `more`: the salt */
	SHAPE_CREATE3,
	SHAPE_TIMELOCK, /* Compound's: as ONE where the signature (argument `list`) is empty */
	SHAPE_COOK,	/* Abracadabra's cook: action 30 of `list` calls */
	SHAPE_TABLE,	/* an array of SHAPE_LIST arrays, `more` of them, in the static array at `list` (CoW's
			   interactions) */
	SHAPE_PAYLOAD	/* bytes at `data` go to a receiver who knows their form: guessed */
};

/* Of a form's columns: no such thing, or a thing of this kind. */
#define FORM_NO (-1)
#define FORM_SELF (-1)	 /* to: the contract itself */
#define FORM_UNTOLD (-2) /* to: nobody knows */
#define FORM_DELEGATE \
	(-2) /* more: all are delegate calls; >= 0: the operation's column, of which 1 is a delegate call */

struct form {
	uint32_t selector;
	uint8_t shape;
	int8_t list, to, value, data, more;
};

/* One walk over a transaction. */
struct walk {
	struct calls *out;
	uint64_t read, carried; /* bytes that may still be read, or be data of nested calls */
	uint32_t parent;	/* being taken apart */
	uint32_t payloads;	/* that are being looked into, one in the other */
};

/* calls_form: the row of a selector (big-endian number), or NULL. */
const struct form *calls_form(uint32_t selector);

/* calls_read: may n more bytes be read? Else the walk is over. */
static inline bool
calls_read(struct walk *w, uint64_t n)
{
	if (w->read < n) {
		w->out->over = true;
		return false;
	}
	w->read -= n;
	return true;
}

/* calls_add: a call inside of the one that is being taken apart; NULL: a cap. to: NULL: not told; value: NULL
 * or a word of 32 bytes. */
struct call *calls_add(
	struct walk *w, enum call_kind kind, const uint8_t *to, const uint8_t *value, struct span data);

/* calls_salted: what was added is a CREATE2 (CREATE3) of the contract that is being called, with this salt.
 */
void calls_salted(const struct walk *w, struct call *made, const uint8_t *salt, bool create3);

/* calls_known: takes the call apart by its form. */
void calls_known(struct walk *w, const struct form *f, struct span data);
/* calls_packed: multiSend's list. */
void calls_packed(struct walk *w, struct span list);
/* calls_guess: the call has a selector that no row knows, or none. calls_payload: bytes that its contract
 * hands to somebody. */
void calls_guess(struct walk *w, struct span data);
void calls_payload(struct walk *w, struct span bytes);

#endif
