/* SPDX-License-Identifier: BSD-3-Clause */
/* What a node answers: first byte the record's shape, then both answers, cut at the length that the second
 * and third byte say. Whatever it is, the verdict is one that the journal takes, and nothing but what was
 * answered can make it a pause. */
#include "control/vet_answer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct alert_record
record_of(uint8_t shape)
{
	struct alert_record r = {.seq = 1,
		.kind = ALERT_KIND_ALERT,
		.grade = (uint8_t)(1 + shape % 3),
		.grade_wanted = GRADE_PAUSE,
		.severity = 1,
		.class_ = CLASS_FLASH_LOAN,
		.carrier = 1,
		.has = HAS_HASH | HAS_FROM | HAS_NONCE | HAS_CHAIN_ID,
		.chain_id = 1,
		.nonce = 5,
		.gas = 100,
		.n_protocols = 1,
		.lacks = LACKS_UNCHECKED};
	memset(r.hash, 0xab, 32);
	memset(r.from, 0xcd, 20);
	memset(r.protocols[0], 0x77, 20);
	r.touches[0] = shape & 4 ? 1 : 0;
	r.fee_cap[31] = 10;
	r.value[30] = 4;
	if (shape & 8)
		r.lacks |= LACK(ACCEPTED);
	if (shape & 16)
		r.trust |= TRUST_INCLUDED;
	if (shape & 32)
		memset(r.value, 0xff, 32);
	if (shape & 64)
		r.has &= ~(uint32_t)HAS_CHAIN_ID;
	if (shape & 128) {
		r.class_ = CLASS_ARMED_CALL;
		r.has |= HAS_ARMED;
		r.n_related = 1;
		r.related[0].role = ROLE_DEPLOY;
		memset(r.related[0].hash, 0xde, 32);
	}
	return r;
}

static void
check(const struct alert_record *asked, const struct alert_record *r, const struct vet_facts *f,
	const struct event_vet *v)
{
	assert(event_vet_check(v) == 0 && v->node >= VET_YES && alert_record_check(r) == 0);
	assert((v->node == VET_NO) == (vet_denies(f) || v->accepted == VET_FAILS));
	assert(v->node != VET_NO || (r->grade <= GRADE_PAGE && v->fact != VET_FACT_NOTHING));
	bool accepted = v->accepted == VET_HOLDS || !(asked->lacks & LACK(ACCEPTED));
	assert((r->grade == GRADE_PAUSE) == (accepted && v->node != VET_NO));
	assert(r->grade < GRADE_PAUSE || !(r->lacks & ~(uint32_t)LACKS_UNCHECKED));
	const struct {
		uint8_t answer;
		uint32_t lack;
	} parts[] = {{v->nonce, LACK(NONCE)}, {v->funds, LACK(FUNDS)}, {v->fee, LACK(FEE)},
		{v->simulation, LACK(SIMULATION)}};
	for (unsigned i = 0; i < 4; i++)
		assert(!(r->lacks & parts[i].lack) == (parts[i].answer == VET_HOLDS));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 3)
		return 0;
	struct alert_record asked = record_of(data[0]), r = asked;
	struct vet_facts f = {0};
	struct event_vet v;
	size_t rest = size - 3, n = (size_t)(data[1] | data[2] << 8);
	n = n < rest ? n : rest;
	char *first = malloc(n + 1),
	     *second = malloc(rest - n + 1); /* exactly: nothing is read behind them */
	memcpy(first, data + 3, n);
	memcpy(second, data + 3 + n, rest - n);
	vet_read_first(&f, &r, first, n);
	assert(f.tx == NULL || (f.known && !f.mined));
	assert(!f.known || f.answered);
	vet_is_final(&f, &r);
	vet_conclude(&f, &r, &v);
	check(&asked, &r, &f, &v);
	char *ask = vet_ask_simulation(&f);
	assert((ask == NULL) == (f.tx == NULL));
	free(ask);
	if (f.tx != NULL && !vet_denies(&f)) {
		r = asked;
		vet_read_simulation(&f, &r, second, rest - n);
		vet_conclude(&f, &r, &v);
		check(&asked, &r, &f, &v);
	}
	vet_facts_clear(&f);
	free(first);
	free(second);
	return 0;
}
