/* SPDX-License-Identifier: BSD-3-Clause */
/* calls: the calls that a transaction asks for, found in its calldata: generic executors carry what they will do as data. Forms known by selector
 * (a table in calls.c, one row a form) are taken apart, and what comes out again: multicall(bytes[]) and its kin, Multicall2/3 aggregates, Safe
 * execTransaction and multiSend's packed list, ERC-4337 handleOps, ERC-7579/7821 execute, batch executors (execute((address,uint256,bytes)[]) and the
 * like), EIP-7702 batches, deterministic deployers and CREATE2 factories (their init code is a creation).
 *
 * Hostile calldata: offsets and lengths of any size are checked, depth, count and the sum of the bytes walked are capped, so that a transaction costs no
 * more than a small multiple of its length. No allocation; spans point into the transaction. */
#ifndef ETH_CALLS_H
#define ETH_CALLS_H

#include "abi/span.h"
#include "eth/tx.h"

#include <stdbool.h>
#include <stdint.h>

#define CALLS_MAX 64u	   /* of one transaction, its own among them */
#define CALLS_DEPTH_MAX 8u /* the transaction's own call is at depth 0 */

enum call_kind {
	CALL_PLAIN,	/* to, data */
	CALL_SELF,	/* the same contract calls itself (multicall(bytes[])): to is that of the call around it */
	CALL_DELEGATE,	/* in the caller's own context */
	CALL_CREATE,	/* data is init code; to is empty */
	CALL_CREATE2	/* as CREATE, with salt; the address is known if `deployer` is */
};

struct call {
	struct span to;	   /* 20 bytes; 0: a creation, or not told */
	struct span data;  /* selector and arguments, or init code */
	struct span value; /* big-endian, <= 32 bytes, as it stands there; 0: none */
	struct span salt;  /* CALL_CREATE2: 32 bytes */
	uint8_t deployer[20]; /* CALL_CREATE2: whose CREATE2 it is; zero: not known */
	uint8_t kind;	   /* enum call_kind */
	uint8_t depth;
	uint8_t parent; /* index of the call around it; its own index: none */
};

struct calls {
	uint32_t n;	/* at least 1: [0] is the transaction itself */
	bool over;	/* a cap was hit: not all are here */
	struct call call[CALLS_MAX];
};

/* calls_of walks t's calldata. Of a creation there is [0] alone. */
void calls_of(const struct tx *t, struct calls *out);

/* call_created2: the address of a CALL_CREATE2 whose deployer is known: keccak(ff, deployer, salt, keccak(init code))[12:]. False: not known. */
bool call_created2(const struct call *c, uint8_t out[20]);

#endif
