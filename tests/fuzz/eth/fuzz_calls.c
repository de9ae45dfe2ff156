/* SPDX-License-Identifier: BSD-3-Clause */
/* Any calldata: what calls_of finds lies in it, hangs together as a tree, and keeps to every cap. First byte:
 * whom it is sent to. */
#include "eth/calls.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool holds)
{
	if (!holds)
		abort();
}

static bool
inside(struct span s, struct span all)
{
	return s.len == 0 || (s.p >= all.p && s.len <= all.len && (size_t)(s.p - all.p) <= all.len - s.len);
}

static void
check_call(const struct calls *c, uint32_t i, struct span all)
{
	const struct call *k = &c->call[i], *around = &c->call[k->parent];
	require(k->kind <= CALL_CREATE2 && k->salting <= SALT_CREATE3);
	require(k->parent < i && k->depth == around->depth + 1 && k->depth <= CALLS_DEPTH_MAX);
	require(!call_creates(around));
	require(inside(k->data, all) && inside(k->value, all) && inside(k->salt, all));
	require(k->to.len == 0 || k->to.len == 20);
	require(k->value.len == 0 || k->value.len == 32);
	require(!call_creates(k) || k->to.len == 0);
	require((k->kind == CALL_CREATE2) == (k->salt.len == 32));
	if (k->kind == CALL_SELF)
		require(k->to.p == around->to.p && k->to.len == around->to.len);
	else if (k->to.len > 0 && k->to.p != c->call[0].to.p)
		require(inside(k->to, all));
}

static bool
same_call(const struct call *a, const struct call *b)
{
	return a->to.p == b->to.p && a->to.len == b->to.len && a->data.p == b->data.p &&
	       a->data.len == b->data.len && a->value.p == b->value.p && a->salt.p == b->salt.p &&
	       a->kind == b->kind && a->parent == b->parent && memcmp(a->deployer, b->deployer, 20) == 0;
}

static const uint8_t recipients[4][20] = {
	{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20},
	{0x4e, 0x59, 0xb4, 0x48, 0x47, 0xb3, 0x79, 0x57, 0x85, 0x88, 0x92, 0x0c, 0xa7, 0x8f, 0xbf, 0x26, 0xc0,
		0xb4, 0x95, 0x6c},
	{0xba, 0x5e, 0xd0, 0x99, 0x63, 0x3d, 0x3b, 0x31, 0x3e, 0x4d, 0x5f, 0x7b, 0xdc, 0x13, 0x05, 0xd3, 0xc2,
		0x8b, 0xa5, 0xed},
	{0}};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct calls c, again;
	if (size < 1 || size > TX_BYTES_MAX)
		return 0;
	struct tx t = {.to = {recipients[data[0] % 4], data[0] % 4 == 3 ? 0 : 20},
		.data = {data + 1, (uint32_t)size - 1}};
	uint64_t carried = 0;
	calls_of(&t, &c);
	require(c.n >= 1 && c.n <= CALLS_MAX);
	require(c.call[0].data.p == t.data.p && c.call[0].data.len == t.data.len &&
		c.call[0].to.p == t.to.p && c.call[0].depth == 0);
	require((t.to.len == 0) == (c.call[0].kind == CALL_CREATE));
	require(t.to.len > 0 || c.n == 1);
	for (uint32_t i = 1; i < c.n; i++) {
		uint8_t address[20], full[20];
		check_call(&c, i, t.data);
		carried += c.call[i].data.len;
		bool known = call_created2(&c.call[i], address),
		     with_sender = calls_created2(&c, i, recipients[0], 1, full);
		require(!known || c.call[i].kind == CALL_CREATE2);
		/* knowing the sender changes nothing of what was known without, but for a salt that begins
		 * with him */
		require(!known || (with_sender && memcmp(address, full, 20) == 0) ||
			c.call[i].salting == SALT_CREATEX || c.call[i].salting == SALT_CREATEX3);
		(void)calls_self(&c, i);
	}
	require(carried <= CALLS_WALK * (uint64_t)t.data.len);
	calls_of(&t, &again);
	require(again.n == c.n && again.over == c.over);
	for (uint32_t i = 0; i < c.n; i++)
		require(same_call(&c.call[i], &again.call[i]));
	return 0;
}
