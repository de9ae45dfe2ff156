/* SPDX-License-Identifier: BSD-3-Clause */
#include "eth/calls_private.h"

#include "eth/abi.h"
#include "eth/calls_forms.h"

#include <stddef.h>
#include <string.h>

static const struct form forms[] = {
#define _(selector, signature, shape, list, to, value, data, more) \
	{selector, SHAPE_##shape, list, to, value, data, more},
	CALL_FORMS(_)
#undef _
};

/* Most selectors are of no form, and are told so by their first bits. Rows may share them. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
static const uint8_t begins_so[1 << 12] = {
#define _(selector, signature, shape, list, to, value, data, more) [selector >> 20] = 1,
	CALL_FORMS(_)
#undef _
};
#pragma GCC diagnostic pop

const struct form *
calls_form(uint32_t selector)
{
	uint32_t low = 0, high = sizeof forms / sizeof *forms;
	if (!begins_so[selector >> 20])
		return NULL;
	while (low < high) {
		uint32_t mid = (low + high) / 2;
		if (forms[mid].selector < selector)
			low = mid + 1;
		else
			high = mid;
	}
	return low < sizeof forms / sizeof *forms && forms[low].selector == selector ? &forms[low] : NULL;
}

static void
calls_self_call(struct walk *w, struct span data)
{
	struct span to = w->out->call[w->parent].to;
	calls_add(w, CALL_SELF, to.len == 20 ? to.p : NULL, NULL, data);
}

/* A call of this recipient, value and operation. to, value: NULL: none. */
static void
add_one(struct walk *w, const struct form *f, const uint8_t *to, const uint8_t *value, bool delegate,
	struct span data)
{
	if (f->to == FORM_SELF)
		calls_self_call(w, data);
	else
		calls_add(w, delegate ? CALL_DELEGATE : CALL_PLAIN, to, value, data);
}

/* The call whose parts are words of this frame. */
static void
one(struct walk *w, const struct form *f, struct abi a)
{
	struct span data;
	uint64_t operation = f->more == FORM_DELEGATE;
	const uint8_t *to = NULL, *value = NULL;
	if (!calls_read(w, 128) || !abi_bytes(a, (uint32_t)f->data, &data))
		return;
	if (f->to >= 0 && (to = abi_address(a, (uint32_t)f->to)) == NULL)
		return;
	if (f->value >= 0)
		value = abi_word(a, (uint32_t)f->value);
	if (f->more >= 0 && !abi_uint(a, (uint32_t)f->more, &operation))
		operation = 0;
	add_one(w, f, to, value, operation == 1, data);
}

static void
tuples(struct walk *w, const struct form *f, struct abi items, uint32_t n)
{
	struct abi item;
	for (uint32_t i = 0; i < n && !w->out->over; i++)
		if (abi_follow(items, i, &item))
			one(w, f, item);
}

static void
list(struct walk *w, const struct form *f, struct abi a, uint32_t word)
{
	struct abi items;
	uint32_t n;
	if (abi_array(a, word, 1, &items, &n))
		tuples(w, f, items, n);
}

static void
table(struct walk *w, const struct form *f, struct abi a)
{
	struct abi lists;
	if (!abi_follow(a, (uint32_t)f->list, &lists))
		return;
	for (uint32_t i = 0; i < (uint32_t)f->more; i++)
		list(w, f, lists, i);
}

static void
selves(struct walk *w, struct abi a, uint32_t word)
{
	struct abi items;
	struct span data;
	uint32_t n;
	if (!abi_array(a, word, 1, &items, &n))
		return;
	for (uint32_t i = 0; i < n && calls_read(w, 64); i++)
		if (abi_bytes(items, i, &data) && data.len > 0)
			calls_self_call(w, data);
}

static void
columns(struct walk *w, const struct form *f, struct abi a)
{
	struct abi to = {0}, value = {0}, datas;
	uint32_t n, n_to = 0, n_value = 0;
	struct span data;
	if (!abi_array(a, (uint32_t)f->data, 1, &datas, &n) ||
		(f->to >= 0 && !abi_array(a, (uint32_t)f->to, 1, &to, &n_to)))
		return;
	if (f->value >= 0 && !abi_array(a, (uint32_t)f->value, 1, &value, &n_value))
		n_value = 0;
	for (uint32_t i = 0; i < n && (f->to < 0 || i < n_to) && calls_read(w, 128); i++)
		if (abi_bytes(datas, i, &data))
			add_one(w, f, f->to < 0 ? NULL : abi_address(to, i),
				i < n_value ? abi_word(value, i) : NULL, f->more == FORM_DELEGATE, data);
}

/* Operation (1 byte), recipient, value, length (32 bytes), data. The contract does not look whether the last
 * data are all there. */
void
calls_packed(struct walk *w, struct span l)
{
	while (l.len >= 85 && calls_read(w, 85)) {
		const struct abi at = {l, 53};
		uint64_t len;
		if (!abi_uint(at, 0, &len) || len > l.len - 85)
			len = l.len - 85;
		if (calls_add(w, l.p[0] == 1 ? CALL_DELEGATE : CALL_PLAIN, l.p + 1, l.p + 21,
			    (struct span){l.p + 85, (uint32_t)len}) == NULL)
			return;
		l = (struct span){l.p + 85 + len, l.len - 85 - (uint32_t)len};
	}
}

/* sender, nonce, initCode (factory and its calldata), callData ... as versions 0.6 and 0.7 both have them */
static void
operations(struct walk *w, struct abi a, uint32_t word)
{
	struct abi items, op;
	struct span init, data;
	uint32_t n;
	if (!abi_array(a, word, 1, &items, &n))
		return;
	for (uint32_t i = 0; i < n && calls_read(w, 128); i++) {
		if (!abi_follow(items, i, &op) || abi_word(op, 0) == NULL)
			continue;
		if (abi_bytes(op, 2, &init) && init.len >= 24)
			calls_add(w, CALL_PLAIN, init.p, NULL, (struct span){init.p + 20, init.len - 20});
		if (abi_bytes(op, 3, &data))
			calls_add(w, CALL_PLAIN, abi_address(op, 0), NULL, data);
	}
}

static void
aggregated(struct walk *w, struct abi a, uint32_t word)
{
	struct abi items, tuple;
	uint32_t n;
	if (!abi_array(a, word, 1, &items, &n))
		return;
	for (uint32_t i = 0; i < n && calls_read(w, 64); i++)
		if (abi_follow(items, i, &tuple))
			operations(w, tuple, 0);
}

/* ERC-7579, "Execution Behavior", and ERC-7821: (to, value, data)[], of which to 0 is the account itself. */
static void
batch(struct walk *w, struct span bytes)
{
	static const struct form execution = {0, SHAPE_LIST, 0, 0, 1, 2, FORM_NO};
	static const uint8_t nobody[20];
	uint32_t before = w->out->n;
	const struct span self = w->out->call[w->parent].to;
	list(w, &execution, (struct abi){bytes, 0}, 0);
	for (uint32_t i = before; i < w->out->n; i++)
		if (w->out->call[i].to.len == 20 && memcmp(w->out->call[i].to.p, nobody, 20) == 0)
			w->out->call[i].to = self;
}

static void
mode(struct walk *w, struct abi a)
{
	const uint8_t *m = abi_word(a, 0);
	struct span bytes, one_batch;
	struct abi items;
	uint32_t n;
	if (m == NULL || !abi_bytes(a, 1, &bytes))
		return;
	if (m[0] == 0x00 && bytes.len >= 52)
		calls_add(w, CALL_PLAIN, bytes.p, bytes.p + 20, (struct span){bytes.p + 52, bytes.len - 52});
	else if (m[0] == 0xff && bytes.len >= 20)
		calls_add(w, CALL_DELEGATE, bytes.p, NULL, (struct span){bytes.p + 20, bytes.len - 20});
	else if (m[0] == 0x01 && memcmp(m + 6, "\x78\x21\x00\x02", 4) != 0)
		batch(w, bytes);
	else if (m[0] == 0x01 && abi_array((struct abi){bytes, 0}, 0, 1, &items, &n))
		for (uint32_t i = 0; i < n && calls_read(w, 64); i++)
			if (abi_bytes(items, i, &one_batch))
				batch(w, one_batch);
}

static void
creation(struct walk *w, const struct form *f, struct abi a)
{
	struct span code, init;
	struct call *made;
	const uint8_t *value = f->value >= 0 ? abi_word(a, (uint32_t)f->value) : NULL, *salt = NULL;
	if (f->shape != SHAPE_CREATE && (salt = abi_word(a, (uint32_t)f->more)) == NULL)
		return;
	if (!abi_bytes(a, (uint32_t)f->data, &code) || code.len == 0 ||
		(made = calls_add(w, CALL_CREATE, NULL, value, code)) == NULL)
		return;
	if (salt != NULL)
		calls_salted(w, made, salt, f->shape == SHAPE_CREATE3);
	if (f->list >= 0 && abi_bytes(a, (uint32_t)f->list, &init) && init.len >= 4)
		calls_add(w, f->more == FORM_DELEGATE ? CALL_DELEGATE : CALL_PLAIN, NULL, NULL, init);
}

/* With a signature the calldata has no selector: it is made of that. */
static void
timelock(struct walk *w, const struct form *f, struct abi a)
{
	struct span signature;
	if (abi_bytes(a, (uint32_t)f->list, &signature) && signature.len == 0)
		one(w, f, a);
}

/* Action 30 has the callee and its calldata in its item of the third array. */
static void
cook(struct walk *w, struct abi a)
{
	struct abi actions, datas;
	uint32_t n, n_datas;
	struct span item, data;
	uint64_t action;
	if (!abi_array(a, 0, 1, &actions, &n) || !abi_array(a, 2, 1, &datas, &n_datas))
		return;
	for (uint32_t i = 0; i < n && i < n_datas && calls_read(w, 128); i++) {
		if (!abi_uint(actions, i, &action) || action != 30 || !abi_bytes(datas, i, &item))
			continue;
		const struct abi in = {item, 0};
		if (abi_bytes(in, 1, &data))
			calls_add(w, CALL_PLAIN, abi_address(in, 0), NULL, data);
	}
}

void
calls_known(struct walk *w, const struct form *f, struct span data)
{
	const struct abi a = abi_args(data);
	struct abi inner;
	struct span bytes;
	switch (f->shape) {
	case SHAPE_ONE:
		one(w, f, a);
		break;
	case SHAPE_TUPLE:
		if (abi_follow(a, (uint32_t)f->list, &inner))
			one(w, f, inner);
		break;
	case SHAPE_LIST:
		list(w, f, a, (uint32_t)f->list);
		break;
	case SHAPE_TABLE:
		table(w, f, a);
		break;
	case SHAPE_COLUMNS:
		columns(w, f, a);
		break;
	case SHAPE_SELVES:
		selves(w, a, (uint32_t)f->list);
		break;
	case SHAPE_PACKED:
		if (abi_bytes(a, (uint32_t)f->data, &bytes))
			calls_packed(w, bytes);
		break;
	case SHAPE_OPS:
		operations(w, a, (uint32_t)f->list);
		break;
	case SHAPE_AGG_OPS:
		aggregated(w, a, (uint32_t)f->list);
		break;
	case SHAPE_MODE:
		mode(w, a);
		break;
	case SHAPE_TAIL:
		calls_self_call(w, (struct span){data.p + 4, data.len - 4});
		break;
	case SHAPE_TIMELOCK:
		timelock(w, f, a);
		break;
	case SHAPE_COOK:
		cook(w, a);
		break;
	case SHAPE_PAYLOAD:
		if (abi_bytes(a, (uint32_t)f->data, &bytes))
			calls_payload(w, bytes);
		break;
	default: /* SHAPE_CREATE, SHAPE_CREATE2, SHAPE_CREATE3 */
		creation(w, f, a);
	}
}
