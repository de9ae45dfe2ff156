/* SPDX-License-Identifier: BSD-3-Clause */
/* fixture: rule sets from YAML text and transactions from fields, for tests of detect. */
#ifndef TESTS_DETECT_FIXTURE_H
#define TESTS_DETECT_FIXTURE_H

#include "detect/detect.h"
#include "eth/tx_build.h"
#include "rules/set.h"

struct loaded {
	uint8_t *bytes; /* of the bundle */
	size_t n;
	struct ruleset *rules;
	struct detect *detect;
};

/* loaded_open compiles, loads and makes a matcher; prints diagnostics and aborts if anything fails. */
void loaded_open(struct loaded *l, const char *yaml);
/* loaded_open_beside: the same with weights and templates (rules/set.h: files of lines); NULL: none. */
void loaded_open_beside(struct loaded *l, const char *yaml, const char *weights, const char *templates);
void loaded_close(struct loaded *l);

/* made_tx: a transaction in its own bytes. */
struct made_tx {
	uint8_t raw[8192];
	struct tx t;
};
/* tx_make builds and decodes; aborts if it cannot. */
void tx_make(struct made_tx *m, const struct tx_fields *f);

/* found: does detect_tx find rule `id`? Aborts if it fails. */
bool found(struct loaded *l, const struct tx *t, uint32_t bundle_len, uint32_t id);

/* rlp_put: bytes as an RLP string or (list) list, at out; how many written. */
size_t rlp_put(uint8_t *out, const void *p, size_t n, bool list);
/* access_put, auth_put: one entry of the list. */
size_t access_put(uint8_t *out, const uint8_t address[20], const uint8_t *keys, unsigned n_keys);
size_t auth_put(uint8_t *out, uint8_t chain, const uint8_t address[20]);

/* unhex: "ab12..." into out; how many bytes. */
uint32_t unhex(const char *hex, uint8_t *out);

#endif
