/* SPDX-License-Identifier: BSD-3-Clause */
/* Uniswap's Universal Router: a byte a command and an input each. Source: Uniswap universal-router
 * Commands.sol, Dispatcher.sol. The input's first five words are the same in every version; 2.1 puts hop
 * prices behind them. */
#include "eth/swap/form.h"

enum command {
	UR_V3_IN = 0x00,
	UR_V3_OUT = 0x01,
	UR_V2_IN = 0x08,
	UR_V2_OUT = 0x09,
	UR_V4 = 0x10,
	UR_SUB_PLAN = 0x21,
	UR_COMMAND_MASK = 0x7f /* without the flag that lets it revert */
};

enum { UR_DEADLINE = 1 };

static void plan(struct swap_reader *r, const struct swap_asked *a, struct abi frame,
	const struct swap_terms *base, uint32_t depth);

static void
swap_command(struct swap_reader *r, const struct swap_asked *a, uint32_t command, struct span input,
	const struct swap_terms *base)
{
	struct abi args = {input, 0}, tokens;
	struct swap_terms t = *base;
	struct span path;
	uint32_t n;
	const uint8_t *to = abi_address(args, 0);
	if (abi_word(args, 3) == NULL)
		return;
	t.exact_out = command == UR_V3_OUT || command == UR_V2_OUT;
	t.amount = abi_word(args, 1);
	t.limit = abi_word(args, 2);
	if (!t.exact_out) /* a balance, or (V2, zero) what is there already */
		t.amount = swap_exact(t.amount);
	t.recipient = swap_recipient(a, to);
	if (command == UR_V3_IN || command == UR_V3_OUT) {
		if (abi_bytes(args, 3, &path))
			swap_v3_path(r, a, path, &t);
	} else if (abi_array(args, 3, 1, &tokens, &n)) {
		swap_v2_path(r, a, tokens, n, &t);
	}
}

static void
one_command(struct swap_reader *r, const struct swap_asked *a, uint32_t command, struct span input,
	const struct swap_terms *base, uint32_t depth)
{
	switch (command) {
	case UR_V3_IN:
	case UR_V3_OUT:
	case UR_V2_IN:
	case UR_V2_OUT:
		swap_command(r, a, command, input, base);
		break;
	case UR_V4:
		swap_v4_input(r, a, input, base);
		break;
	case UR_SUB_PLAN:
		plan(r, a, (struct abi){input, 0}, base, depth + 1);
		break;
	default:
		break;
	}
}

/* frame: (bytes commands, bytes[] inputs, ...) */
static void
plan(struct swap_reader *r, const struct swap_asked *a, struct abi frame, const struct swap_terms *base,
	uint32_t depth)
{
	struct span commands, input;
	struct abi inputs;
	uint32_t n;
	if (!abi_bytes(frame, 0, &commands) || !abi_array(frame, 1, 1, &inputs, &n) || n != commands.len)
		return;
	if (depth >= SWAP_DEPTH_MAX)
		r->over = true;
	for (uint32_t i = 0; i < n && depth < SWAP_DEPTH_MAX && swap_step(r); i++)
		if (abi_bytes(inputs, i, &input))
			one_command(r, a, commands.p[i] & UR_COMMAND_MASK, input, base, depth);
}

static void
read_execute(struct swap_reader *r, const struct swap_asked *a, uint32_t arg)
{
	struct swap_terms base = {.has_deadline = a->has_deadline, .deadline = a->deadline};
	if (arg & UR_DEADLINE)
		swap_deadline(&base, abi_word(a->args, 2));
	plan(r, a, a->args, &base, 0);
}

/* executeSigned(bytes, bytes[], bytes32, bytes32, bool, bytes32, bytes, uint256) of 2.1 */
static void
read_signed(struct swap_reader *r, const struct swap_asked *a, uint32_t arg)
{
	struct swap_terms base = {0};
	swap_deadline(&base, abi_word(a->args, 7));
	plan(r, a, a->args, &base, 0);
}

const struct swap_form swap_forms_universal[] = {
	{0x3593564c, UR_DEADLINE, read_execute}, /* execute(bytes,bytes[],uint256) */
	{0x24856bc3, 0, read_execute},		 /* execute(bytes,bytes[]) */
	{0x44684dc3, 0, read_signed}, FORMS_END};
