/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/vet_answer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ASKABLE (LACK(ACCEPTED) | LACKS_UNCHECKED)

enum question {
	ASK_CHAIN = 1,
	ASK_TX,
	ASK_COUNT,
	ASK_PENDING,
	ASK_BALANCE,
	ASK_BLOCK,
	ASK_CALL,
	ASK_TRACE,
	ASK_FEES,
	ASK_CODE,
	ASK_DEPLOY,
	ASK_CREATOR,
	QUESTIONS
};

bool
vet_wanted(const struct alert_record *r)
{
	const uint32_t names = HAS_HASH | HAS_FROM | HAS_NONCE;
	bool ended = r->ending == ENDING_DROPPED || r->ending == ENDING_REPLACED;
	return r->kind == ALERT_KIND_ALERT && !ended &&
	       (r->grade == GRADE_PAUSE || r->grade_wanted == GRADE_PAUSE) &&
	       (r->lacks & ~(uint32_t)ASKABLE) == 0 && (r->has & names) == names;
}

void
vet_facts_clear(struct vet_facts *f)
{
	json_decref(f->tx);
	*f = (struct vet_facts){0};
}

/* ---- requests ---- */

static void
hex_text(const uint8_t *p, size_t n, char *out)
{
	strcpy(out, "0x");
	for (size_t i = 0; i < n; i++)
		snprintf(out + 2 + 2 * i, 3, "%02x", p[i]);
}

/* Takes params. */
static json_t *
request(enum question id, const char *method, json_t *params)
{
	return json_pack(
		"{s:s,s:i,s:s,s:o}", "jsonrpc", "2.0", "id", (int)id, "method", method, "params", params);
}

/* Takes list. */
static char *
body_of(json_t *list)
{
	char *text = json_dumps(list, JSON_COMPACT);
	json_decref(list);
	return text;
}

/* The transaction that deploys the armed contract which is called, or NULL. */
static const uint8_t *
deployment_of(const struct alert_record *r)
{
	if (r->class_ != CLASS_ARMED_CALL || !(r->has & HAS_ARMED))
		return NULL;
	for (uint32_t i = 0; i < r->n_related && i < ALERT_RELATED_MAX; i++)
		if (r->related[i].role == ROLE_DEPLOY)
			return r->related[i].hash;
	return NULL;
}

static void
ask_deployment(json_t *list, const struct alert_record *r)
{
	char hash[67], armed[43];
	const uint8_t *deploy = deployment_of(r);
	if (deploy == NULL)
		return;
	hex_text(deploy, 32, hash);
	hex_text(r->armed, sizeof r->armed, armed);
	json_array_append_new(list, request(ASK_CODE, "eth_getCode", json_pack("[s,s]", armed, "latest")));
	json_array_append_new(list, request(ASK_DEPLOY, "eth_getTransactionByHash", json_pack("[s]", hash)));
}

char *
vet_ask_first(const struct alert_record *r)
{
	char hash[67], from[43];
	hex_text(r->hash, sizeof r->hash, hash);
	hex_text(r->from, sizeof r->from, from);
	json_t *list = json_pack("[o,o,o,o,o,o,o]", request(ASK_CHAIN, "eth_chainId", json_array()),
		request(ASK_TX, "eth_getTransactionByHash", json_pack("[s]", hash)),
		request(ASK_COUNT, "eth_getTransactionCount", json_pack("[s,s]", from, "latest")),
		request(ASK_PENDING, "eth_getTransactionCount", json_pack("[s,s]", from, "pending")),
		request(ASK_BALANCE, "eth_getBalance", json_pack("[s,s]", from, "latest")),
		request(ASK_BLOCK, "eth_getBlockByNumber", json_pack("[s,b]", "latest", 0)),
		request(ASK_FEES, "eth_feeHistory", json_pack("[s,s,[]]", "0x1", "latest")));
	ask_deployment(list, r);
	return body_of(list);
}

/* The transaction as a call. Nodes refuse one that has both kinds of price. */
static json_t *
call_of(const json_t *tx)
{
	static const char *const keys[] = {"from", "to", "gas", "maxFeePerGas", "maxPriorityFeePerGas",
		"gasPrice", "value", "input", "accessList", "authorizationList"};
	json_t *call = json_object();
	bool capped = json_is_string(json_object_get(tx, "maxFeePerGas"));
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		json_t *v = json_object_get(tx, keys[i]);
		if (v == NULL || json_is_null(v) || (capped && strcmp(keys[i], "gasPrice") == 0))
			continue;
		json_object_set(call, keys[i], v);
	}
	return call;
}

char *
vet_ask_simulation(const struct vet_facts *f)
{
	if (f->tx == NULL)
		return NULL;
	json_t *call = call_of(f->tx);
	json_t *list = json_pack("[o,o]", request(ASK_CALL, "eth_call", json_pack("[O,s]", call, "latest")),
		request(ASK_TRACE, "debug_traceCall",
			json_pack("[O,s,{s:s}]", call, "latest", "tracer", "callTracer")));
	json_decref(call);
	if (f->has_creator)
		json_array_append_new(list,
			request(ASK_CREATOR, "eth_getTransactionCount", json_pack("[s,s]", f->creator, "pending")));
	return body_of(list);
}

/* ---- values ---- */

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int
vet_quantity(const char *text, uint8_t out[32])
{
	size_t n = text != NULL ? strlen(text) : 0;
	if (n < 3 || n > 66 || text[0] != '0' || (text[1] != 'x' && text[1] != 'X'))
		return -EINVAL;
	memset(out, 0, 32);
	for (size_t i = 2; i < n; i++) {
		int d = digit(text[i]);
		if (d < 0)
			return -EINVAL;
		size_t back = n - 1 - i; /* nibbles from the end */
		out[31 - back / 2] |= (uint8_t)(d << (back % 2 ? 4 : 0));
	}
	return 0;
}

static bool
quantity(const json_t *v, uint8_t out[32])
{
	return json_is_string(v) && strlen(json_string_value(v)) == json_string_length(v) &&
	       vet_quantity(json_string_value(v), out) == 0;
}

static bool
small(const json_t *v, uint64_t *out)
{
	uint8_t word[32];
	if (!quantity(v, word))
		return false;
	*out = 0;
	for (unsigned i = 0; i < 32; i++) {
		if (i < 24 && word[i] != 0)
			return false;
		if (i >= 24)
			*out = *out << 8 | word[i];
	}
	return true;
}

static bool
is_bytes(const json_t *v, const uint8_t *p, size_t n)
{
	const char *s = json_string_value(v);
	if (s == NULL || json_string_length(v) != 2 + 2 * n || s[0] != '0' || (s[1] != 'x' && s[1] != 'X'))
		return false;
	for (size_t i = 0; i < n; i++) {
		int hi = digit(s[2 + 2 * i]), lo = digit(s[3 + 2 * i]);
		if (hi < 0 || lo < 0 || p[i] != (hi << 4 | lo))
			return false;
	}
	return true;
}

/* value + gas * fee_cap; all ones if it does not fit. */
static void
cost_of(const struct alert_record *r, uint8_t out[32])
{
	unsigned __int128 carry = 0;
	uint64_t high = 0;
	for (unsigned limb = 0; limb < 4; limb++) {
		uint64_t cap = 0, value = 0;
		for (unsigned k = 0; k < 8; k++) {
			cap = cap << 8 | r->fee_cap[24 - 8 * limb + k];
			value = value << 8 | r->value[24 - 8 * limb + k];
		}
		carry += (unsigned __int128)cap * r->gas + value;
		for (unsigned k = 0; k < 8; k++)
			out[31 - 8 * limb - k] = (uint8_t)(carry >> 8 * k);
		carry >>= 64;
		high = (uint64_t)carry;
	}
	if (high != 0)
		memset(out, 0xff, 32);
}

/* ---- the first batch ---- */

/* The results by their ids; NULL for what is missing, an error or there twice. Borrowed. */
static unsigned
sort_out(const json_t *list, const json_t *result[QUESTIONS], const json_t *error[QUESTIONS])
{
	size_t i;
	json_t *one;
	unsigned n = 0;
	uint32_t seen = 0;
	memset(result, 0, QUESTIONS * sizeof *result);
	memset(error, 0, QUESTIONS * sizeof *error);
	json_array_foreach(list, i, one)
	{
		json_t *id = json_object_get(one, "id");
		json_int_t k = json_integer_value(id);
		if (!json_is_integer(id) || k < 1 || k >= QUESTIONS || (seen & 1u << k))
			continue;
		seen |= 1u << k;
		error[k] = json_object_get(one, "error");
		if (json_is_null(error[k]))
			error[k] = NULL;
		if (error[k] == NULL)
			result[k] = json_object_get(one, "result");
		n += result[k] != NULL;
	}
	return n;
}

/* A failed check is told by the first of them. */
static void
settle(struct vet_facts *f, uint8_t *answer, bool holds, unsigned fact)
{
	*answer = holds ? VET_HOLDS : VET_FAILS;
	if (!holds && f->fact == VET_FACT_NOTHING)
		f->fact = (uint8_t)fact;
}

static void
read_tx(struct vet_facts *f, const struct alert_record *r, const json_t *tx)
{
	uint64_t nonce;
	if (tx == NULL)
		return;
	if (json_is_null(tx)) {
		f->asked_tx = true;
		return;
	}
	if (!json_is_object(tx) || !is_bytes(json_object_get(tx, "hash"), r->hash, 32) ||
		!is_bytes(json_object_get(tx, "from"), r->from, 20) ||
		!small(json_object_get(tx, "nonce"), &nonce) || nonce != r->nonce)
		return;
	f->asked_tx = f->known = true;
	f->accepted = VET_HOLDS;
	uint8_t block[32];
	f->mined = quantity(json_object_get(tx, "blockNumber"), block);
	if (!f->mined)
		f->tx = json_incref((json_t *)(uintptr_t)tx);
}

static void
read_nonce(struct vet_facts *f, const struct alert_record *r, const json_t *latest, const json_t *pending)
{
	uint64_t next, behind_pool;
	if (!small(latest, &next))
		return;
	if (r->nonce < next)
		settle(f, &f->nonce, false, VET_FACT_NONCE_USED);
	else if (r->nonce == next)
		settle(f, &f->nonce, true, 0);
	else /* those between may be waiting in the pool */
		settle(f, &f->nonce, small(pending, &behind_pool) && r->nonce <= behind_pool,
			VET_FACT_NONCE_GAP);
	f->gap = f->nonce == VET_FAILS && r->nonce > next;
}

/* The base fee that counts. The history's last one is the next block's, by the chain's own rules; the newest
 * block's may be higher or lower by what was in it, and does without it. All zeros: a chain without one. */
static bool
base_fee(const json_t *block, const json_t *fees, uint8_t out[32])
{
	const json_t *list = json_object_get(fees, "baseFeePerGas"),
		     *base = json_object_get(block, "baseFeePerGas");
	if (json_array_size(list) >= 2 && quantity(json_array_get(list, json_array_size(list) - 1), out))
		return true;
	if (!json_is_object(block) || !quantity(json_object_get(block, "number"), out))
		return false;
	if (base != NULL && !json_is_null(base))
		return quantity(base, out);
	memset(out, 0, 32);
	return true;
}

static void
read_fee(struct vet_facts *f, const struct alert_record *r, const json_t *block, const json_t *fees)
{
	uint8_t base[32];
	if (base_fee(block, fees, base))
		settle(f, &f->fee, memcmp(r->fee_cap, base, 32) >= 0, VET_FACT_FEE_LOW);
}

static void
nothing_there(struct vet_facts *f)
{
	f->nothing = true;
	if (f->fact == VET_FACT_NOTHING)
		f->fact = VET_FACT_NOTHING_THERE;
}

/* Will the deployment come first? It has not if the call is mined already. Its sender may be another one: then his next nonce is asked for. */
static void
read_pending_deployment(struct vet_facts *f, const struct alert_record *r, const json_t *tx, const uint8_t *base)
{
	uint8_t price[32];
	const char *from = json_string_value(json_object_get(tx, "from"));
	const json_t *cap = json_object_get(tx, "maxFeePerGas");
	if (!json_is_string(cap))
		cap = json_object_get(tx, "gasPrice");
	if (!small(json_object_get(tx, "nonce"), &f->creator_nonce) || from == NULL || strlen(from) != 42)
		return;
	bool own = is_bytes(json_object_get(tx, "from"), r->from, 20);
	if (f->mined || (own && f->creator_nonce >= r->nonce) || (base != NULL && quantity(cap, price) && memcmp(price, base, 32) < 0)) {
		nothing_there(f);
		return;
	}
	f->has_creator = !own;
	memcpy(f->creator, from, 43);
}

/* What was deployed may have destroyed itself since: a deployment that was mined is enough. */
static void
read_deployment(struct vet_facts *f, const struct alert_record *r, const json_t *const result[QUESTIONS])
{
	uint8_t base[32], number[32];
	const json_t *tx = result[ASK_DEPLOY];
	const char *code = json_string_value(result[ASK_CODE]);
	const uint8_t *hash = deployment_of(r);
	if (hash == NULL || code == NULL || strcmp(code, "0x") != 0 || tx == NULL)
		return;
	if (json_is_null(tx))
		nothing_there(f);
	else if (is_bytes(json_object_get(tx, "hash"), hash, 32) && !quantity(json_object_get(tx, "blockNumber"), number))
		read_pending_deployment(f, r, tx, base_fee(result[ASK_BLOCK], result[ASK_FEES], base) ? base : NULL);
}

static json_t *
load(const char *body, size_t n)
{
	json_error_t e;
	return n <= VET_ANSWER_BYTES_MAX ? json_loadb(body, n, JSON_REJECT_DUPLICATES, &e) : NULL;
}

void
vet_read_first(struct vet_facts *f, const struct alert_record *r, const char *body, size_t n)
{
	const json_t *result[QUESTIONS], *error[QUESTIONS];
	uint64_t chain;
	uint8_t balance[32], cost[32];
	vet_facts_clear(f);
	json_t *list = load(body, n);
	if (!json_is_array(list) || sort_out(list, result, error) == 0) {
		json_decref(list);
		return;
	}
	f->other_chain = (r->has & HAS_CHAIN_ID) && small(result[ASK_CHAIN], &chain) && chain != r->chain_id;
	if (!f->other_chain)
		read_tx(f, r, result[ASK_TX]);
	if (f->mined) {
		f->nonce = f->funds = f->fee = VET_HOLDS; /* the block says so */
	} else if (!f->other_chain && (f->known || !(r->trust & TRUST_INCLUDED))) {
		/* Of one that is in a block which the node has yet to take, the state before it says nothing.
		 */
		read_nonce(f, r, result[ASK_COUNT], result[ASK_PENDING]);
		cost_of(r, cost);
		if (quantity(result[ASK_BALANCE], balance))
			settle(f, &f->funds, memcmp(balance, cost, 32) >= 0, VET_FACT_UNFUNDED);
		read_fee(f, r, result[ASK_BLOCK], result[ASK_FEES]);
	}
	if (f->known)
		read_deployment(f, r, result);
	f->answered = f->asked_tx || f->nonce || f->funds || f->fee || f->other_chain;
	json_decref(list);
}

/* ---- the simulation ---- */

static bool
is_protected(const struct alert_record *r, const json_t *address)
{
	for (uint32_t i = 0; i < r->n_protocols && i < ALERT_PROTOCOLS_MAX; i++)
		if (r->touches[i] != 0 && is_bytes(address, r->protocols[i], 20))
			return true;
	return false;
}

/* A trace's depth is bounded by the parser's. */
static bool
touches(const struct alert_record *r, const json_t *call)
{
	size_t i;
	json_t *inner;
	if (is_protected(r, json_object_get(call, "to")))
		return true;
	json_array_foreach(json_object_get(call, "calls"), i, inner)
	{
		if (touches(r, inner))
			return true;
	}
	return false;
}

static bool
says_reverted(const json_t *error)
{
	const char *why = json_string_value(json_object_get(error, "message"));
	return json_integer_value(json_object_get(error, "code")) == 3 ||
	       (why != NULL && strstr(why, "revert") != NULL);
}

void
vet_read_simulation(struct vet_facts *f, const struct alert_record *r, const char *body, size_t n)
{
	const json_t *result[QUESTIONS], *error[QUESTIONS];
	json_t *list = load(body, n);
	if (!json_is_array(list)) {
		json_decref(list);
		return;
	}
	sort_out(list, result, error);
	uint64_t next;
	if (f->has_creator && small(result[ASK_CREATOR], &next) && f->creator_nonce >= next)
		nothing_there(f);
	const json_t *trace = result[ASK_TRACE];
	bool traced = json_is_object(trace) && json_is_string(json_object_get(trace, "type"));
	const json_t *failed = json_object_get(trace, "error");
	f->simulation = VET_UNCHECKED;
	if ((traced && failed != NULL && !json_is_null(failed)) || says_reverted(error[ASK_CALL]))
		settle(f, &f->simulation, false, VET_FACT_REVERTS);
	else if (traced)
		settle(f, &f->simulation, touches(r, trace), VET_FACT_UNTOUCHED);
	else if (json_is_string(result[ASK_CALL]) && is_protected(r, json_object_get(f->tx, "to")))
		settle(f, &f->simulation, true, 0);
	json_decref(list);
}

/* ---- the verdict ---- */

bool
vet_denies(const struct vet_facts *f)
{
	return f->nonce == VET_FAILS || f->funds == VET_FAILS || f->fee == VET_FAILS || f->nothing;
}

bool
vet_is_final(const struct vet_facts *f, const struct alert_record *r)
{
	if (vet_denies(f)) /* what is missing, a nonce before it or a deployment, may come */
		return f->funds == VET_FAILS || f->fee == VET_FAILS || (f->nonce == VET_FAILS ? !f->gap : !f->nothing);
	if (f->known)
		return true;
	return f->other_chain || (f->answered && !f->asked_tx && !(r->lacks & LACK(ACCEPTED)));
}

static void
tell(struct event_vet *v, unsigned node, unsigned fact)
{
	v->node = (uint8_t)node;
	v->fact = (uint8_t)fact;
}

static void
judge(const struct vet_facts *f, const struct alert_record *r, struct event_vet *v)
{
	bool missing = f != NULL && f->asked_tx && !f->known;
	if (f == NULL || !f->answered)
		tell(v, VET_UNKNOWN, f == NULL ? VET_FACT_NO_ANSWER : VET_FACT_BAD_ANSWER);
	else if (f->other_chain)
		tell(v, VET_UNKNOWN, VET_FACT_OTHER_CHAIN);
	else if (vet_denies(f))
		tell(v, VET_NO, f->fact);
	else if (missing)
		tell(v, r->trust & TRUST_INCLUDED ? VET_UNKNOWN : VET_NO, VET_FACT_UNKNOWN_TX);
	else if (!f->known && (r->lacks & LACK(ACCEPTED)))
		tell(v, VET_UNKNOWN, VET_FACT_BAD_ANSWER);
	else
		tell(v, VET_YES, f->fact);
	if (missing && v->node == VET_NO)
		v->accepted = VET_FAILS;
}

void
vet_conclude(const struct vet_facts *f, struct alert_record *r, struct event_vet *v)
{
	*v = (struct event_vet){.node = VET_UNKNOWN};
	bool accepted = !(r->lacks & LACK(ACCEPTED));
	if (f != NULL && f->answered && !f->other_chain) {
		v->accepted = f->accepted;
		v->nonce = f->nonce;
		v->funds = f->funds;
		v->fee = f->fee;
		v->simulation = f->simulation;
	}
	judge(f, r, v);
	const struct {
		uint8_t answer;
		uint32_t lack;
	} parts[] = {{v->nonce, LACK(NONCE)}, {v->funds, LACK(FUNDS)}, {v->fee, LACK(FEE)},
		{v->simulation, LACK(SIMULATION)}};
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		r->lacks =
			parts[i].answer == VET_HOLDS ? r->lacks & ~parts[i].lack : r->lacks | parts[i].lack;
	if (v->accepted != VET_UNCHECKED)
		r->lacks = v->accepted == VET_HOLDS ? r->lacks & ~LACK(ACCEPTED) : r->lacks | LACK(ACCEPTED);
	accepted = v->accepted == VET_HOLDS || (v->accepted == VET_UNCHECKED && accepted);
	if (v->node != VET_NO && accepted)
		r->grade = GRADE_PAUSE;
	else if (r->grade > GRADE_PAGE)
		r->grade = GRADE_PAGE;
	if (r->grade_wanted < r->grade)
		r->grade_wanted = r->grade;
}
