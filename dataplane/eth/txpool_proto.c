/* SPDX-License-Identifier: BSD-3-Clause */
#include "eth/txpool_proto.h"

#include "eth/tx.h"

/* X-macro: _(path, the client's messages, the server's, kind, field of the transaction in an element; 0: the
 * element is the transaction) */
#define METHODS(_)                                                        \
	_("txpool.Txpool/OnAdd", false, true, PENDING, 0)                 \
	_("txpool.Txpool/Add", true, false, SUBMITTED, 0)                 \
	_("txpool.Txpool/Transactions", false, true, ASKED, 0)            \
	_("txpool.Txpool/All", false, true, ASKED, 3)                     \
	_("txpool.Txpool/Search", false, true, ASKED, 3)                  \
	_("txpool.Txpool/Pending", false, true, ASKED, 2)                 \
	_("api.API/SubscribeNewTxsV2", false, true, PENDING, 0)           \
	_("api.API/SubscribeNewBlobTxs", false, true, PENDING, 0)         \
	_("api.API/SendTransactionV2", true, false, SUBMITTED, 0)         \
	_("api.API/SendRawTransaction", true, false, SUBMITTED, 0)        \
	_("api.API/SendTransactionSequenceV2", true, false, SUBMITTED, 0) \
	_("api.API/SendRawTransactionSequence", true, false, SUBMITTED, 0)

static const char *const names[] = {
#define _(path, client, server, kind, field) path,
	METHODS(_)
#undef _
};
static const struct grpc_method methods[] = {
#define _(path, client, server, kind, field) {client, server},
	METHODS(_)
#undef _
};
static const uint8_t kinds[] = {
#define _(path, client, server, kind, field) TXPOOL_##kind,
	METHODS(_)
#undef _
};
static const uint8_t fields[] = {
#define _(path, client, server, kind, field) field,
	METHODS(_)
#undef _
};

const struct hpack_paths txpool_paths = {names, sizeof names / sizeof names[0]};
const struct grpc_method *const txpool_methods = methods;

static bool
is_tx(struct span raw)
{
	struct tx t;
	return raw.len > 0 && tx_decode(raw, &t) == 0;
}

/* An integer off *in; more than 32 bits are cut off. */
static bool
take_varint(struct span *in, uint32_t *value)
{
	*value = 0;
	for (unsigned shift = 0; shift < 70 && in->len > 0; shift += 7) {
		uint8_t b = *in->p++;
		in->len--;
		if (shift < 32)
			*value |= (uint32_t)(b & 0x7f) << shift;
		if (b < 0x80)
			return true;
	}
	return false;
}

/* One field off *in: its key, and its value if that is bytes. */
static bool
take_field(struct span *in, uint32_t *key, struct span *value)
{
	uint32_t n;
	*value = (struct span){NULL, 0};
	if (!take_varint(in, key) || *key >> 3 == 0)
		return false;
	switch (*key & 7) {
	case 0:
		return take_varint(in, &n);
	case 1:
		n = 8;
		break;
	case 2:
		if (!take_varint(in, &n))
			return false;
		break;
	case 3:
	case 4:
		return true;
	case 5:
		n = 4;
		break;
	default:
		return false;
	}
	if (n > in->len)
		return false;
	*value = (struct span){in->p, n};
	in->p += n;
	in->len -= n;
	return true;
}

bool
txpool_field_scan(struct span message, uint32_t number, struct span *value)
{
	bool found = false;
	uint32_t key, depth = 0;
	struct span field;
	while (message.len > 0) {
		if (!take_field(&message, &key, &field))
			return false;
		if ((key & 7) == 3)
			depth++;
		else if ((key & 7) == 4 && depth-- == 0)
			return false;
		if ((key & 7) != 2 || depth > 0)
			continue;
		if (number != 0 ? key >> 3 == number : !found && is_tx(field)) {
			*value = field;
			found = true;
		}
	}
	return found && depth == 0;
}

enum txpool_found
txpool_element(const struct grpc_element *e, enum txpool_kind *kind, struct span *raw)
{
	uint32_t field = e->method < 0 ? 0 : fields[e->method];
	*kind = e->client == 1 ? TXPOOL_SUBMITTED : TXPOOL_PENDING;
	if (e->method >= 0)
		*kind = (enum txpool_kind)kinds[e->method];
	if (e->state != GRPC_OK)
		return TXPOOL_UNREAD;
	*raw = e->bytes;
	if (e->method >= 0 && field == 0)
		return raw->len > 0 ? TXPOOL_TX : TXPOOL_NONE;
	if (field != 0 && txpool_field_scan(e->bytes, field, raw) && is_tx(*raw))
		return TXPOOL_TX;
	if (field == 0 && is_tx(e->bytes))
		return TXPOOL_TX;
	return txpool_field_scan(e->bytes, 0, raw) ? TXPOOL_TX : TXPOOL_NONE;
}
