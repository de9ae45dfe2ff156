/* SPDX-License-Identifier: BSD-3-Clause */
#include "detect/ruleset.h"

/* A number of the transaction as 256 bits, big-endian. */
static void
from_u64(uint64_t v, uint8_t out[32])
{
	memset(out, 0, 24);
	v = __builtin_bswap64(v);
	memcpy(out + 24, &v, 8);
}

static void
from_be(struct span s, uint8_t out[32])
{
	uint32_t n = s.len < 32 ? s.len : 32;
	memset(out, 0, 32);
	if (n > 0)
		memcpy(out + 32 - n, s.p + s.len - n, n);
}

/* The transaction's own numbers; false: it is none of them. */
static bool
of_transaction(const struct tx *t, unsigned which, uint8_t out[32])
{
	switch (which) {
	case SCALAR_VALUE:
		from_be(t->value, out);
		break;
	case SCALAR_FEE_CAP:
		from_be(t->fee_cap, out);
		break;
	case SCALAR_TIP_CAP:
		from_be(t->tip_cap, out);
		break;
	case SCALAR_CHAIN_ID:
		if (t->chain_id_be.len > 0)
			from_be(t->chain_id_be, out);
		else
			from_u64(t->has_chain_id ? t->chain_id : 0, out);
		break;
	case SCALAR_GAS:
		from_u64(t->gas, out);
		break;
	case SCALAR_NONCE:
		from_u64(t->nonce, out);
		break;
	case SCALAR_TYPE:
		from_u64(t->type, out);
		break;
	case SCALAR_DATA_LEN:
		from_u64(t->data.len, out);
		break;
	case SCALAR_ACCESS_ENTRIES:
		from_u64(t->n_access, out);
		break;
	case SCALAR_AUTHORIZATIONS:
		from_u64(t->n_auth, out);
		break;
	case SCALAR_BLOBS:
		from_u64(t->n_blobs, out);
		break;
	default:
		return false;
	}
	return true;
}

static void
scalar(const struct condition_input *in, unsigned which, uint8_t out[32])
{
	if (which == SCALAR_BUNDLE_LEN)
		from_u64(in->bundle_len, out);
	else if (in->t == NULL || !of_transaction(in->t, which, out))
		from_u64(in->facts != NULL ? in->facts->number[which] : 0, out);
}

static bool
compare(const struct condition_input *in, const struct bundle_op *op)
{
	uint8_t have[32];
	scalar(in, op->a, have);
	int c = memcmp(have, in->r->constant[op->n].be, 32);
	switch (op->b) {
	case COMPARE_EQ:
		return c == 0;
	case COMPARE_NE:
		return c != 0;
	case COMPARE_LT:
		return c < 0;
	case COMPARE_LE:
		return c <= 0;
	case COMPARE_GT:
		return c > 0;
	default:
		return c >= 0;
	}
}

/* Did at least n of the group's values match? From the shorter side: large lists meet few matches, and
 * hostile transactions with many matches meet short lists. */
static bool
at_least(const struct condition_input *in, const struct rs_group *g, uint32_t n)
{
	const uint32_t *v = in->r->group_value + g->first_value;
	uint32_t count = 0;
	if (g->n_values <= 8 || g->n_values / 16 <= in->n_seen) {
		for (uint32_t i = 0; i < g->n_values; i++)
			count += in->seen[v[i]];
		return count >= n;
	}
	for (uint32_t i = 0; i < in->n_seen && count < n; i++)
		count += group_has(in->r, g, in->seen_list[i]);
	return count >= n;
}

/* bundle_program_check has seen to the stack and every index. */
bool
condition_holds(const struct condition_input *in, const struct rs_rule *rule)
{
	uint8_t stack[PROGRAM_STACK_MAX];
	const uint32_t *slot = in->r->slot_group + rule->first_slot;
	uint32_t n = 0, sum;
	if (rule->n_ops == 0)
		return true;
	for (const struct bundle_op *op = in->r->op + rule->first_op, *end = op + rule->n_ops; op < end;
		op++) {
		switch (op->code) {
		case OP_COUNT:
			stack[n++] = at_least(in, &in->r->group[slot[op->a]], op->n);
			break;
		case OP_COMPARE:
			stack[n++] = compare(in, op);
			break;
		case OP_CREATION:
			stack[n++] = in->t != NULL && in->t->to.len == 0;
			break;
		case OP_BUNDLE:
			stack[n++] = in->bundle_len > 0;
			break;
		case OP_NOT:
			stack[n - 1] = !stack[n - 1];
			break;
		case OP_AND:
			n--;
			stack[n - 1] &= stack[n];
			break;
		case OP_OR:
			n--;
			stack[n - 1] |= stack[n];
			break;
		default: /* OP_OF */
			sum = 0;
			for (uint32_t i = 0; i < op->a; i++)
				sum += stack[--n];
			stack[n++] = sum >= op->n;
		}
	}
	return stack[0];
}
