/* SPDX-License-Identifier: BSD-3-Clause */
/* vet_answer: what is asked of a node about an alert that would pause, and what its answers mean. No sockets,
 * no clock: requests are made and answers judged in memory. Two JSON-RPC batches:
 *
 *   first       eth_chainId, eth_getTransactionByHash, eth_getTransactionCount (latest and pending),
 *               eth_getBalance, eth_getBlockByNumber(latest), eth_feeHistory (the next block's base fee);
 *               of a call of an armed contract eth_getCode of that and eth_getTransactionByHash of its
 *               deployment: to show code that will never be there costs nothing
 *   simulation  eth_call and debug_traceCall (callTracer) of the transaction as the node itself told it, on
 * its newest block; eth_getTransactionCount (pending) of who deploys the armed contract, if that is somebody else
 *
 * (execution-apis, src/eth; go-ethereum, internal/ethapi and eth/tracers.) Answers are hostile input:
 * whatever is not as it must be leaves its question unanswered, nothing else. */
#ifndef CONTROL_VET_ANSWER_H
#define CONTROL_VET_ANSWER_H

#include "abi/alert.h"
#include "abi/event.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VET_ANSWER_BYTES_MAX (1u << 20) /* a longer answer is none */

/* vet_wanted: whether a checked record is one of which a node is to be asked: a live alert that lacks nothing
 * for pause grade, or only what a node can tell. */
bool vet_wanted(const struct alert_record *r);

/* What a node has said so far. */
struct vet_facts {
	bool answered; /* the first batch came, and something in it could be used */
	bool other_chain;
	bool mined;
	bool asked_tx; /* it said whether it knows the transaction: `known` */
	bool known;
	bool gap;   /* the nonce fails because one before it is missing */
	bool nothing;	  /* the armed contract is not there, nor about to be */
	bool has_creator; /* its deployment is pending, by somebody else, with this nonce */
	char creator[43];
	uint64_t creator_nonce;
	json_t *tx; /* as it told it, to be simulated; NULL: not known, mined, or not the same one */
	uint8_t accepted, nonce, funds, fee, simulation; /* enum event_vet_answer */
	uint8_t fact; /* of the first that fails, in this order; else of the simulation */
};

/* vet_facts_clear lets go of what *f holds and starts anew. A zeroed one is fine. */
void vet_facts_clear(struct vet_facts *f);

/* vet_ask_first, vet_ask_simulation: the bodies, to be freed by the caller; NULL: no memory (simulation: or
 * no f->tx). */
char *vet_ask_first(const struct alert_record *r);
char *vet_ask_simulation(const struct vet_facts *f);

/* vet_read_first judges an answer to the first batch; *f is cleared before. vet_read_simulation adds what the
 * second says. */
void vet_read_first(struct vet_facts *f, const struct alert_record *r, const char *body, size_t n);
void vet_read_simulation(struct vet_facts *f, const struct alert_record *r, const char *body, size_t n);

/* vet_denies: nonce, funds or fee fail, or what is called is not there. A failed simulation denies nothing: a contract can tell that it is
 * simulated. */
bool vet_denies(const struct vet_facts *f);
/* vet_is_final: asking this node again would not change what the first batch says. A transaction that it does
 * not know, or one before it that is missing, may still be on the way to it. */
bool vet_is_final(const struct vet_facts *f, const struct alert_record *r);

/* vet_conclude makes a verdict of what a node has said (NULL: none answered): *v, and in *r (the record asked
 * about) grade and lacks as they are then. took_us is left to the caller.
 *
 *   denied, or still not known by the node (and not read from a block)   VET_NO        page at most
 *   else known or accepted before, nothing denied                       VET_YES       pause
 *   no answer, another chain, nothing of use                            VET_UNKNOWN   pause if a node had
 * accepted it before, else page at most
 *
 * lacks has what fails and what was not checked. */
void vet_conclude(const struct vet_facts *f, struct alert_record *r, struct event_vet *v);

/* vet_quantity reads "0x" and 1 to 64 hex digits into 32 bytes, big-endian. 0 or -EINVAL. */
int vet_quantity(const char *text, uint8_t out[32]);

#endif
