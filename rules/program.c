/* SPDX-License-Identifier: BSD-3-Clause */
#include "rules/bundle.h"

#include <errno.h>
#include <stdlib.h>

/* How many an operation takes from the stack; each puts one back. */
static uint32_t
pops(const struct bundle_op *op)
{
	switch (op->code) {
	case OP_NOT:
		return 1;
	case OP_AND:
	case OP_OR:
		return 2;
	case OP_OF:
		return op->a;
	default:
		return 0;
	}
}

static const char *
operands_wrong(const struct bundle_op *op, uint32_t n_slots, uint32_t n_consts)
{
	switch (op->code) {
	case OP_COUNT:
		return op->a >= n_slots || op->n == 0 || op->n > PATTERN_VALUES_MAX
			       ? "a program counts what is not there"
			       : NULL;
	case OP_COMPARE:
		return op->a >= SCALAR_COUNT || op->b >= COMPARE_COUNT || op->n >= n_consts
			       ? "a program compares what is not there"
			       : NULL;
	case OP_OF:
		return op->a == 0 || op->n == 0 || op->n > op->a ? "a program asks for more than it has"
								 : NULL;
	case OP_CREATION:
	case OP_BUNDLE:
	case OP_NOT:
	case OP_AND:
	case OP_OR:
		return NULL;
	default:
		return "a program with an unknown operation";
	}
}

const char *
bundle_program_check(const struct bundle_op *ops, uint32_t n, uint32_t n_slots, uint32_t n_consts)
{
	uint32_t depth = 0;
	if (n == 0 || n > PROGRAM_LEN_MAX)
		return "a program of no or too many operations";
	for (uint32_t i = 0; i < n; i++) {
		const char *what = operands_wrong(&ops[i], n_slots, n_consts);
		if (what != NULL)
			return what;
		if (pops(&ops[i]) > depth)
			return "a program takes more than it has put";
		depth = depth - pops(&ops[i]) + 1;
		if (depth > PROGRAM_STACK_MAX)
			return "a program that needs too deep a stack";
	}
	return depth == 1 ? NULL : "a program that does not end with one answer";
}

const char *
bundle_program_check_event(const struct bundle_op *ops, uint32_t n, enum rule_event event)
{
	for (uint32_t i = 0; i < n; i++) {
		if (ops[i].code == OP_COMPARE && !rule_scalar_known(ops[i].a, event))
			return "a program compares what is not known of its event";
		if (ops[i].code == OP_BUNDLE && !rule_scalar_known(SCALAR_BUNDLE_LEN, event))
			return "a program asks for the bundle of what has none";
		if (ops[i].code == OP_CREATION && event != EVENT_TRANSACTION)
			return "a program asks for the recipient of what has none";
	}
	return NULL;
}

/* Slots of which one must match for a subexpression to be true. */
struct cover {
	bool none; /* it can be true without any */
	uint64_t cost;
	uint64_t slots[RULE_PATTERNS_MAX / 64];
};

static struct cover
either(const struct cover *x, const struct cover *y, const uint32_t *cost, uint32_t n_slots)
{
	struct cover u = {x->none || y->none, 0, {0}};
	for (uint32_t i = 0; i < RULE_PATTERNS_MAX / 64; i++)
		u.slots[i] = x->slots[i] | y->slots[i];
	for (uint32_t i = 0; i < n_slots; i++)
		u.cost += (u.slots[i / 64] >> (i % 64) & 1) * cost[i];
	return u;
}

static bool
cheaper(const struct cover *x, const struct cover *y)
{
	return x->none != y->none ? !x->none : x->cost < y->cost;
}

static int
by_cost(const void *a, const void *b)
{
	return cheaper(a, b) ? -1 : cheaper(b, a);
}

/* At least n of k hold: whatever n are true, one of any k - n + 1 is among them. */
static struct cover
of(struct cover *x, uint32_t k, uint32_t n, const uint32_t *cost, uint32_t n_slots)
{
	qsort(x, k, sizeof *x, by_cost);
	struct cover u = x[0];
	for (uint32_t i = 1; i < k - n + 1; i++)
		u = either(&u, &x[i], cost, n_slots);
	return u;
}

int
bundle_program_cover(
	const struct bundle_op *ops, uint32_t n, const uint32_t *cost, uint32_t n_slots, uint8_t *covered)
{
	struct cover *stack = malloc(PROGRAM_STACK_MAX * sizeof *stack);
	if (stack == NULL)
		return -ENOMEM;
	uint32_t top = 0;
	for (uint32_t i = 0; i < n; i++) {
		const struct bundle_op *op = &ops[i];
		struct cover made = {.none = true};
		top -= pops(op);
		if (op->code == OP_COUNT) {
			made.none = false;
			made.cost = cost[op->a];
			made.slots[op->a / 64] = 1ull << (op->a % 64);
		} else if (op->code == OP_AND) {
			made = cheaper(&stack[top + 1], &stack[top]) ? stack[top + 1] : stack[top];
		} else if (op->code == OP_OR) {
			made = either(&stack[top], &stack[top + 1], cost, n_slots);
		} else if (op->code == OP_OF) {
			made = of(&stack[top], op->a, op->n, cost, n_slots);
		}
		stack[top++] = made;
	}
	bool found = !stack[0].none;
	for (uint32_t i = 0; i < n_slots; i++)
		covered[i] = found && (stack[0].slots[i / 64] >> (i % 64) & 1);
	free(stack);
	return found;
}
