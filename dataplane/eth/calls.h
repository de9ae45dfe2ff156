/* SPDX-License-Identifier: BSD-3-Clause */
/* calls: the calls that a transaction asks for, found in its calldata: generic executors carry what they will
 * do as data. Forms known by selector (calls_forms.h, one row a form) are taken apart, and what comes out
 * again: multicall(bytes[]) and its kin, Multicall2/3 aggregates, Safe execTransaction and multiSend's packed
 * list, ERC-4337 handleOps, ERC-7579/7821 execute, batch executors (execute((address,uint256,bytes)[]) and
 * the like; an EIP-7702 batch is one of them), governors and timelocks, deterministic deployers and CREATE2
 * factories (their init code is a creation).
 *
 * Of a selector that is not in the table the arguments' shape is inferred: calldata that is, to its last
 * byte, the canonical encoding of some tuple in which addresses stand beside bytes (address, bytes;
 * address[], bytes[]; (address, uint256, bytes)[]; whatever else stands between), or a packed list of
 * (recipient, value, length, data), is taken for calls of these bytes to these addresses. So is what a flash
 * loan hands to its receiver.
 *
 * Hostile calldata: offsets and lengths of any size are checked; depth and count are capped; neither the
 * bytes that are read to find calls nor the sum of the nested calls' data exceed CALLS_WALK times the
 * calldata (but for CALLS_WALK_LEAST bytes). No allocation; spans point into the transaction. */
#ifndef ETH_CALLS_H
#define ETH_CALLS_H

#include "abi/span.h"
#include "eth/tx.h"

#include <stdbool.h>
#include <stdint.h>

#define CALLS_MAX 64u	   /* of one transaction, its own among them */
#define CALLS_DEPTH_MAX 8u /* the transaction's own call is at 0; one this deep is not taken apart */
#define CALLS_WALK 4u
#define CALLS_WALK_LEAST 2048u /* bytes that may be read in any case */

enum call_kind {
	CALL_PLAIN, /* to, data */
	CALL_SELF, /* the same contract calls itself (multicall(bytes[])): to is that of the call around it */
	CALL_DELEGATE, /* in the caller's own context */
	CALL_CREATE,   /* data is init code; to is empty */
	CALL_CREATE2   /* as CREATE, with salt; the address is known if `deployer` is */
};

/* What a factory makes of the salt that it is given. */
enum call_salting {
	SALT_AS_IT_IS,
	SALT_CREATEX,  /* CreateX: hashed, with the caller in it if it begins with the caller's address */
	SALT_CREATEX3, /* the same, and the contract is made by a proxy that is made so (CREATE3) */
	SALT_CREATE3   /* CREATE3 with the salt as it is */
};

struct call {
	struct span to;	      /* 20 bytes; 0: a creation, or not told */
	struct span data;     /* selector and arguments, or init code */
	struct span value;    /* big-endian, <= 32 bytes, as it stands there; 0: none */
	struct span salt;     /* CALL_CREATE2: 32 bytes */
	uint8_t deployer[20]; /* CALL_CREATE2: whose CREATE2 it is, as far as the form tells (a factory nobody
				 knows may change the salt); zero: not known */
	uint8_t kind;	      /* enum call_kind */
	uint8_t depth;
	uint8_t parent;	 /* index of the call around it, below its own; its own index: none */
	uint8_t salting; /* enum call_salting */
};

struct calls {
	uint32_t n; /* at least 1: [0] is the transaction itself */
	bool over;  /* a cap was hit: not all are here */
	struct call call[CALLS_MAX];
};

/* calls_of walks t's calldata. Of a creation there is [0] alone. */
void calls_of(const struct tx *t, struct calls *out);

/* call_creates: is its data init code? */
static inline bool
call_creates(const struct call *c)
{
	return c->kind == CALL_CREATE || c->kind == CALL_CREATE2;
}

/* call_created2: the address of a CALL_CREATE2 whose deployer is known: keccak(ff, deployer, salt,
 * keccak(init code))[12:], with the salt as its factory makes it. False: not known, for example because the
 * salt may be one with which CreateX hashes its caller. */
bool call_created2(const struct call *c, uint8_t out[20]);

/* calls_created2: as call_created2 of call i, where the transaction's sender and chain are known too, and so
 * every salt. */
bool calls_created2(
	const struct calls *c, uint32_t i, const uint8_t sender[20], uint64_t chain, uint8_t out[20]);

/* calls_self: in whose name call i acts: its recipient, or of a delegate call that of the call around it.
 * NULL: not told. */
const uint8_t *calls_self(const struct calls *c, uint32_t i);

#endif
