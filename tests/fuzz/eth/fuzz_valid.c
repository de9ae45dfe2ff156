/* SPDX-License-Identifier: BSD-3-Clause */
/* What is said of a transaction that decodes, whoever made it: the stateless rules and the signature (valid.c, sender.c), and who signed its authorizations. All of it comes from
 * its bytes alone: again, and from a copy elsewhere, it is the same; and the parts agree with the whole. */
#include "eth/rlp.h"
#include "eth/tx.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(x)                 \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)

#define AUTHORITIES_MAX 4u /* each takes 50 us */

struct said {
	const char *rules, *own_rules, *valid; /* own_rules: on the chain that it names */
	int signature, recovered;
	uint8_t hash[32], sighash[32], sender[20], created[20], chain[32];
	uint32_t chain_len, authorities;
	uint8_t authority[AUTHORITIES_MAX][20];
};

static void
say_authorities(const struct tx *t, struct said *s)
{
	struct span rest = t->auth_list;
	struct rlp_item tuple;
	uint8_t who[20];
	for (unsigned i = 0; i < AUTHORITIES_MAX && rlp_next(&rest, &tuple); i++) {
		if (tx_authority(tuple.payload, who))
			memcpy(s->authority[s->authorities++], who, sizeof who);
		if (tuple.payload.len > 0) /* less than a tuple is nobody's */
			CHECK(!tx_authority((struct span){tuple.payload.p, tuple.payload.len - 1}, who));
	}
}

static struct said
say(const struct tx *t)
{
	struct said s;
	memset(&s, 0, sizeof s);
	s.rules = tx_rules(t, 0);
	s.own_rules = t->has_chain_id && t->chain_id != 0 ? tx_rules(t, t->chain_id) : s.rules;
	s.valid = tx_valid(t, 0);
	s.signature = tx_signature_check(t);
	s.recovered = tx_sender(t, s.sender);
	tx_hash(t, s.hash);
	tx_sighash(t, s.sighash);
	s.chain_len = tx_chain_id(t, s.chain);
	if (s.recovered != 0)
		memset(s.sender, 0, sizeof s.sender);
	tx_created(s.sender, t->nonce, s.created);
	say_authorities(t, &s);
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tx t, u;
	if (size > TX_BYTES_MAX || tx_decode((struct span){data, (uint32_t)size}, &t) != 0)
		return 0;
	struct said s = say(&t);
	CHECK(s.authorities <= t.n_auth);
	CHECK(s.signature == 0 || s.recovered != 0);
	CHECK((s.valid == NULL) == (s.rules == NULL && s.recovered == 0));
	CHECK(s.rules == NULL || strlen(s.rules) > 0);
	CHECK(s.rules == NULL || s.own_rules != NULL); /* one chain allows no more than any */
	CHECK(tx_is_protected(&t) == t.has_chain_id);
	CHECK(s.chain_len == 0 || s.chain[0] != 0);
	CHECK(memcmp(s.hash, s.sighash, 32) != 0); /* the one covers the signature, the other does not */
	uint8_t *copy = malloc(size);
	CHECK(copy != NULL);
	memcpy(copy, data, size);
	CHECK(tx_decode((struct span){copy, (uint32_t)size}, &u) == 0);
	struct said again = say(&u);
	CHECK(memcmp(&s, &again, sizeof s) == 0);
	free(copy);
	return 0;
}
