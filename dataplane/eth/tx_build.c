/* SPDX-License-Identifier: BSD-3-Clause */
#include "eth/tx_build.h"

#include "eth/rlp.h"
#include "eth/tx.h"

#include <errno.h>

static void
put_list(struct rlp_out *o, struct span payload)
{
	size_t begin = rlp_list_begin(o);
	rlp_put_raw(o, payload);
	rlp_list_end(o, begin);
}

static void
put_signature(struct rlp_out *o, const struct tx_fields *f)
{
	static const uint8_t one = 1, unprotected = 27;
	bool none = f->r.len == 0 && f->s.len == 0;
	if (none && f->v.len == 0 && f->type == TX_LEGACY)
		rlp_put_int(o, (struct span){&unprotected, 1});
	else
		rlp_put_int(o, f->v);
	rlp_put_int(o, none ? (struct span){&one, 1} : f->r);
	rlp_put_int(o, none ? (struct span){&one, 1} : f->s);
}

static void
put_fields(struct rlp_out *o, const struct tx_fields *f)
{
	if (f->type != TX_LEGACY)
		rlp_put_int(o, f->chain_id);
	rlp_put_u64(o, f->nonce);
	if (f->type >= TX_1559)
		rlp_put_int(o, f->tip_cap);
	rlp_put_int(o, f->fee_cap);
	rlp_put_u64(o, f->gas);
	rlp_put_string(o, f->to);
	rlp_put_int(o, f->value);
	rlp_put_string(o, f->data);
	if (f->type != TX_LEGACY)
		put_list(o, f->access_list);
	if (f->type == TX_4844) {
		rlp_put_int(o, f->blob_fee_cap);
		put_list(o, f->blob_hashes);
	} else if (f->type == TX_7702) {
		put_list(o, f->auth_list);
	}
	put_signature(o, f);
}

int
tx_build(const struct tx_fields *f, uint8_t *out, size_t cap)
{
	struct rlp_out o = {out, 0, cap, false};
	if (f->type > TX_7702)
		return -EINVAL;
	if (f->type != TX_LEGACY)
		rlp_put_raw(&o, (struct span){&f->type, 1});
	size_t begin = rlp_list_begin(&o);
	put_fields(&o, f);
	rlp_list_end(&o, begin);
	return o.full ? -ENOSPC : (int)o.n;
}
