/* SPDX-License-Identifier: BSD-3-Clause */
/* What a condition can come to when some of what it asks for is known: each subexpression can be true, can be false, or both. A sound
 * guess, not an exact one: parts that depend on each other are taken for independent. */
#include "rules/language.h"

#include "abi/alert.h"

enum outcome { CAN_BE_FALSE = 1, CAN_BE_TRUE = 2, CAN_BE_EITHER = 3 };

struct supposition {
	bool no_patterns; /* none matched */
	bool zero[SCALAR_COUNT];
};

static enum outcome
compare_zero(const struct bundle_op *op, const struct bundle_const *c)
{
	bool zero = true;
	for (size_t i = 0; i < sizeof c->be; i++)
		zero &= c->be[i] == 0;
	bool holds = op->b == COMPARE_EQ || op->b == COMPARE_GE ? zero
		     : op->b == COMPARE_NE || op->b == COMPARE_LT ? !zero
								  : op->b == COMPARE_LE;
	return holds ? CAN_BE_TRUE : CAN_BE_FALSE;
}

static enum outcome
of(const uint8_t *x, uint32_t k, uint32_t n)
{
	uint32_t surely = 0, perhaps = 0;
	for (uint32_t i = 0; i < k; i++) {
		surely += x[i] == CAN_BE_TRUE;
		perhaps += (x[i] & CAN_BE_TRUE) != 0;
	}
	return surely >= n ? CAN_BE_TRUE : perhaps >= n ? CAN_BE_EITHER : CAN_BE_FALSE;
}

static enum outcome
leaf(const struct rule_set *s, const struct bundle_op *op, const struct supposition *as)
{
	if (op->code == OP_COUNT && as->no_patterns)
		return CAN_BE_FALSE;
	if (op->code == OP_COMPARE && as->zero[op->a])
		return compare_zero(op, &s->consts[op->n]);
	return CAN_BE_EITHER;
}

/* The program of a rule without errors. */
static bool
can_hold(const struct rule_set *s, const struct rule *r, const struct supposition *as)
{
	uint8_t x[PROGRAM_STACK_MAX];
	uint32_t n = 0;
	if (r->n_ops == 0)
		return true;
	for (const struct bundle_op *op = r->ops; op < r->ops + r->n_ops; op++) {
		uint32_t k = op->code == OP_NOT ? 1 : op->code == OP_AND || op->code == OP_OR ? 2
					      : op->code == OP_OF			     ? op->a
											     : 0;
		uint8_t made;
		n -= k;
		if (op->code == OP_NOT)
			made = x[n] == CAN_BE_EITHER ? CAN_BE_EITHER : x[n] ^ CAN_BE_EITHER;
		else if (k > 0)
			made = of(x + n, k, op->code == OP_AND ? 2 : op->code == OP_OR ? 1 : op->n);
		else
			made = leaf(s, op, as);
		x[n++] = made;
	}
	return (x[0] & CAN_BE_TRUE) != 0;
}

void
pause_check(struct rule_set *s, const struct rule *r)
{
	const struct supposition untouched = {.zero = {[SCALAR_PROTECTED] = true}};
	struct supposition learned_alone = {.no_patterns = true,
		.zero = {[SCALAR_CODE_SCORE] = true, [SCALAR_CODE_FLASH] = true, [SCALAR_CODE_PROVIDERS] = true,
			[SCALAR_ARMED] = true}};
	if (r->class_ != 0 && !rule_may_pause(r->class_, r->event)) {
		diag_error(s, r->grade_at, "swaps, sandwiches and displacements are graded `page` at most");
		return;
	}
	if (r->n_ops == 0 && !r->always)
		return;
	if (can_hold(s, r, &untouched))
		diag_warn(s, r->grade_at,
			"can ask for a pause without a protected contract touched, which is never granted (add "
			"`protected >= 1` to the condition)");
	if (r->event == EVENT_DEPLOYMENT)
		diag_warn(s, r->grade_at,
			"a deployment alone asks for a pause: honest liquidators deploy such code too (grade it `page`, "
			"pause on `armed_call`)");
	bool alone = r->n_ops > 0 && can_hold(s, r, &learned_alone);
	learned_alone.zero[SCALAR_CODE_LEARNED] = true;
	if (alone && !can_hold(s, r, &learned_alone))
		diag_error(s, r->grade_at,
			"`code_learned` alone asks for a pause (it pages alone; for a pause, ask for code_flash or "
			"code_score too)");
}
