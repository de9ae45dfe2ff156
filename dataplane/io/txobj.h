/* SPDX-License-Identifier: BSD-3-Clause */
/* txobj: a transaction as a JSON-RPC object (geth's field names) into consensus bytes. Offline only: rule vectors and `rules run`.
 *
 * {"raw":"0x..."} is taken as it is. In an object, quantities may be hex, decimal strings or JSON integers. What is missing:
 * type follows from the fields that are there; gas 1000000; chain 1 for typed transactions, none for legacy; every other quantity 0.
 * An object without signature gets a made-up one that decodes, carries its hash and sender (so that two transactions which
 * differ in nothing else stay two), and recovers nobody that signed. Fields that no node looks at are passed over. Refused: a field
 * twice, a field of the wrong kind or out of range, `input` and `data` that disagree, half a signature.
 * Source: go-ethereum internal/ethapi RPCTransaction, TransactionArgs. */
#ifndef IO_TXOBJ_H
#define IO_TXOBJ_H

#include "worker/finding_msg.h"

#include <stddef.h>
#include <stdint.h>

struct json_t; /* jansson's */

/* txobj_parse: one object from n bytes of text. claim (may be NULL): what the object says beside its bytes. Returns the number of bytes
 * written to raw, or -EINVAL, -EMSGSIZE (longer than cap), -ENOMEM with a sentence in err that names the field. */
int txobj_claimed(const char *text, size_t n, uint8_t *raw, size_t cap, struct claim *claim, char *err, size_t err_cap);
int txobj_parse(const char *text, size_t n, uint8_t *raw, size_t cap, char *err, size_t err_cap);

/* txobj_load: a new reference to the JSON value of n bytes of text, or NULL with a sentence in err. A key given twice is an error; integers of any
 * length are read: those that no machine word holds become decimal strings. */
struct json_t *txobj_load(const char *text, size_t n, char *err, size_t err_cap);

/* txobj_json: what txobj_claimed does, from a value that is loaded already. */
int txobj_json(const struct json_t *o, uint8_t *raw, size_t cap, struct claim *claim, char *err, size_t err_cap);

/* txobj_bytes: exactly `want` bytes (0: any number up to cap) of a "0x..." string; returns how many, or -EINVAL, -EMSGSIZE. */
int txobj_bytes(const struct json_t *v, const char *field, uint8_t *out, size_t want, size_t cap, char *err, size_t err_cap);

#endif
