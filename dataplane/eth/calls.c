/* SPDX-License-Identifier: BSD-3-Clause */
#include "eth/calls_private.h"

#include "eth/keccak.h"

#include <string.h>

/* Deterministic deployers: calldata is salt and init code, without a selector. Arachnid's proxy
 * (github.com/Arachnid/deterministic-deployment-proxy) and Safe's
 * (github.com/safe-global/safe-singleton-factory). */
static const uint8_t deployers[][20] = {
	{0x4e, 0x59, 0xb4, 0x48, 0x47, 0xb3, 0x79, 0x57, 0x85, 0x88, 0x92, 0x0c, 0xa7, 0x8f, 0xbf, 0x26, 0xc0,
		0xb4, 0x95, 0x6c},
	{0x91, 0x4d, 0x7f, 0xec, 0x6a, 0xac, 0x8c, 0xd5, 0x42, 0xe7, 0x2b, 0xca, 0x78, 0xb3, 0x06, 0x50, 0xd4,
		0x56, 0x43, 0xd7},
};

/* github.com/pcaversaccio/createx, and the code of CREATE3's proxy, hashed */
static const uint8_t createx[20] = {0xba, 0x5e, 0xd0, 0x99, 0x63, 0x3d, 0x3b, 0x31, 0x3e, 0x4d, 0x5f, 0x7b,
	0xdc, 0x13, 0x05, 0xd3, 0xc2, 0x8b, 0xa5, 0xed};
static const uint8_t proxy_hash[32] = {0x21, 0xc3, 0x5d, 0xbe, 0x1b, 0x34, 0x4a, 0x24, 0x88, 0xcf, 0x33, 0x21,
	0xd6, 0xce, 0x54, 0x2f, 0x8e, 0x9f, 0x30, 0x55, 0x44, 0xff, 0x09, 0xe4, 0x99, 0x3a, 0x62, 0x31, 0x9a,
	0x49, 0x7c, 0x1f};

static void
begin(struct call *c, enum call_kind kind, struct span to, struct span value, struct span data)
{
	c->to = to;
	c->data = data;
	c->value = value;
	c->salt = (struct span){NULL, 0};
	memset(c->deployer, 0, sizeof c->deployer);
	c->kind = (uint8_t)kind;
	c->depth = c->parent = c->salting = 0;
}

struct call *
calls_add(struct walk *w, enum call_kind kind, const uint8_t *to, const uint8_t *value, struct span data)
{
	struct calls *out = w->out;
	const struct call *p = &out->call[w->parent];
	if (out->n == CALLS_MAX || p->depth == CALLS_DEPTH_MAX || data.len > w->carried) {
		out->over = true;
		return NULL;
	}
	w->carried -= data.len;
	struct call *c = &out->call[out->n++];
	begin(c, kind, (struct span){to, to != NULL ? 20 : 0}, (struct span){value, value != NULL ? 32 : 0},
		data);
	c->depth = (uint8_t)(p->depth + 1);
	c->parent = (uint8_t)w->parent;
	return c;
}

static bool
is_deployer(struct span to)
{
	bool is = false;
	for (size_t i = 0; to.len == 20 && i < sizeof deployers / sizeof *deployers; i++)
		is |= memcmp(to.p, deployers[i], 8) == 0 && memcmp(to.p, deployers[i], 20) == 0;
	return is;
}

static void
take_apart(struct walk *w)
{
	const struct call *c = &w->out->call[w->parent];
	struct span data = c->data;
	if (call_creates(c))
		return;
	if (is_deployer(c->to)) {
		if (data.len <= 32)
			return;
		struct call *made = calls_add(w, CALL_CREATE2, NULL, c->value.len == 32 ? c->value.p : NULL,
			(struct span){data.p + 32, data.len - 32});
		if (made != NULL) {
			made->salt = (struct span){data.p, 32};
			memcpy(made->deployer, c->to.p, 20);
		}
		return;
	}
	if (data.len < FORM_BYTES_MIN)
		return;
	const struct form *f = calls_form(
		(uint32_t)data.p[0] << 24 | (uint32_t)data.p[1] << 16 | (uint32_t)data.p[2] << 8 | data.p[3]);
	if (f == NULL)
		calls_guess(w, data);
	else if (f->shape != SHAPE_NONE)
		calls_known(w, f, data);
}

void
calls_of(const struct tx *t, struct calls *out)
{
	uint64_t most = CALLS_WALK * (uint64_t)t->data.len;
	struct walk w = {out, most + CALLS_WALK_LEAST, most, 0, 0};
	out->n = 1;
	out->over = false;
	begin(&out->call[0], t->to.len == 20 ? CALL_PLAIN : CALL_CREATE, t->to, t->value, t->data);
	for (; w.parent < out->n; w.parent++)
		take_apart(&w);
}

const uint8_t *
calls_self(const struct calls *c, uint32_t i)
{
	while (c->call[i].kind == CALL_DELEGATE || c->call[i].kind == CALL_SELF) {
		if (c->call[i].parent == i)
			break;
		i = c->call[i].parent;
	}
	return c->call[i].to.len == 20 ? c->call[i].to.p : NULL;
}

/* What CreateX makes of a salt (CreateX.sol 1.0.0, _guard). caller, chain: NULL: not known. False: not known,
 * or it reverts. */
static bool
createx_salt(const uint8_t *salt, const uint8_t *caller, const uint8_t *chain, uint8_t out[32])
{
	static const uint8_t nobody[20];
	uint8_t who[32] = {0};
	struct span part[3];
	unsigned n = 0;
	bool of_nobody = memcmp(salt, nobody, 20) == 0,
	     of_caller = caller != NULL && memcmp(salt, caller, 20) == 0;
	if (salt[20] > 1 && (of_nobody || of_caller))
		return false;
	if (caller == NULL && !of_nobody && salt[20] <= 1)
		return false;
	if (of_caller) {
		memcpy(who + 12, caller, 20);
		part[n++] = (struct span){who, 32};
	}
	if (salt[20] == 1 && (of_caller || of_nobody)) {
		if (chain == NULL)
			return false;
		part[n++] = (struct span){chain, 32};
	}
	part[n++] = (struct span){salt, 32};
	keccak256(part, n, out);
	return true;
}

static void
create2_address(
	const uint8_t deployer[20], const uint8_t salt[32], const uint8_t code_hash[32], uint8_t out[20])
{
	static const uint8_t ff = 0xff;
	uint8_t hash[32];
	const struct span part[4] = {{&ff, 1}, {deployer, 20}, {salt, 32}, {code_hash, 32}};
	keccak256(part, 4, hash);
	memcpy(out, hash + 12, 20);
}

static bool
created(const struct call *c, const uint8_t *caller, const uint8_t *chain, uint8_t out[20])
{
	static const uint8_t nobody[20];
	uint8_t salt[32], code_hash[32];
	if (c->kind != CALL_CREATE2 || c->salt.len != 32 || memcmp(c->deployer, nobody, 20) == 0)
		return false;
	memcpy(salt, c->salt.p, 32);
	if ((c->salting == SALT_CREATEX || c->salting == SALT_CREATEX3) &&
		!createx_salt(c->salt.p, caller, chain, salt))
		return false;
	if (c->salting == SALT_CREATEX3 || c->salting == SALT_CREATE3) {
		create2_address(c->deployer, salt, proxy_hash, out);
		uint8_t proxy[20];
		memcpy(proxy, out, 20);
		tx_created(proxy, 1, out);
		return true;
	}
	keccak256(&c->data, 1, code_hash);
	create2_address(c->deployer, salt, code_hash, out);
	return true;
}

bool
call_created2(const struct call *c, uint8_t out[20])
{
	return created(c, NULL, NULL, out);
}

bool
calls_created2(const struct calls *c, uint32_t i, const uint8_t sender[20], uint64_t chain, uint8_t out[20])
{
	uint8_t chain_be[32] = {0};
	const uint8_t *caller = sender;
	uint32_t factory = c->call[i].parent;
	for (unsigned k = 0; k < 8; k++)
		chain_be[31 - k] = (uint8_t)(chain >> 8 * k);
	while (c->call[factory].parent != factory &&
		(c->call[factory].kind == CALL_SELF || c->call[factory].kind == CALL_DELEGATE))
		factory = c->call[factory].parent;
	if (c->call[factory].parent != factory)
		caller = calls_self(c, c->call[factory].parent);
	return created(&c->call[i], caller, chain_be, out);
}

void
calls_salted(const struct walk *w, struct call *made, const uint8_t *salt, bool create3)
{
	const uint8_t *who = calls_self(w->out, w->parent);
	made->kind = CALL_CREATE2;
	made->salt = (struct span){salt, 32};
	if (who == NULL)
		return;
	memcpy(made->deployer, who, 20);
	if (memcmp(who, createx, 20) == 0)
		made->salting = create3 ? SALT_CREATEX3 : SALT_CREATEX;
	else
		made->salting = create3 ? SALT_CREATE3 : SALT_AS_IT_IS;
}
