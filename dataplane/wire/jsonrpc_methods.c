/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/jsonrpc_private.h"

#include <string.h>

#define METHOD(name_, kind_, roles_)                    \
	{                                               \
		name_, sizeof(name_) - 1, kind_, roles_ \
	}

/* geth: eth_sendRawTransaction[Sync]; ERC-7796: ...Conditional; Flashbots, MEV Blocker and builders: the
 * private ones and eth_sendBundle, whose oldest form (MEV-geth 0.1) has the list itself as params[0];
 * mev-share: mev_sendBundle. Calls and simulations (eth_call, eth_callBundle, mev_simBundle) submit nothing.
 */
static const struct rpc_method methods[] = {
	METHOD("eth_sendRawTransaction", JSONRPC_RAW, ROLE_BIT(ROLE_FIRST) | ROLE_BIT(ROLE_OBJECT)),
	METHOD("eth_sendRawTransactionSync", JSONRPC_RAW, ROLE_BIT(ROLE_FIRST) | ROLE_BIT(ROLE_OBJECT)),
	METHOD("eth_sendRawTransactionConditional", JSONRPC_RAW,
		ROLE_BIT(ROLE_FIRST) | ROLE_BIT(ROLE_OBJECT)),
	METHOD("eth_sendPrivateTransaction", JSONRPC_PRIVATE, ROLE_BIT(ROLE_TX) | ROLE_BIT(ROLE_FIRST)),
	METHOD("eth_sendPrivateRawTransaction", JSONRPC_PRIVATE, ROLE_BIT(ROLE_TX) | ROLE_BIT(ROLE_FIRST)),
	METHOD("eth_sendBundle", JSONRPC_BUNDLE, ROLE_BIT(ROLE_TXS)),
	METHOD("mev_sendBundle", JSONRPC_BUNDLE, ROLES_MEV),
	METHOD("eth_getRawTransactionByHash", JSONRPC_GET_RAW, 0),
	METHOD("eth_getRawTransactionByBlockHashAndIndex", JSONRPC_GET_RAW, 0),
	METHOD("eth_getRawTransactionByBlockNumberAndIndex", JSONRPC_GET_RAW, 0),
	METHOD("debug_getRawTransaction", JSONRPC_GET_RAW, 0),
	METHOD("eth_getTransactionByHash", JSONRPC_GET_TX, 0),
	METHOD("eth_getTransactionByBlockHashAndIndex", JSONRPC_GET_TX, 0),
	METHOD("eth_getTransactionByBlockNumberAndIndex", JSONRPC_GET_TX, 0),
	METHOD("eth_getTransactionBySenderAndNonce", JSONRPC_GET_TX, 0),
	METHOD("eth_pendingTransactions", JSONRPC_GET_TX, 0),
	METHOD("parity_pendingTransactions", JSONRPC_GET_TX, 0),
	METHOD("txpool_content", JSONRPC_GET_TX, 0),
	METHOD("txpool_contentFrom", JSONRPC_GET_TX, 0),
	METHOD("eth_getBlockByHash", JSONRPC_GET_TX, 0),
	METHOD("eth_getBlockByNumber", JSONRPC_GET_TX, 0),
	METHOD("eth_signTransaction", JSONRPC_SIGN, 0),
	METHOD("eth_fillTransaction", JSONRPC_SIGN, 0),
	METHOD("eth_getFilterChanges", JSONRPC_POLL, 0),
	METHOD("eth_subscribe", JSONRPC_SUBSCRIBE, 0),
	METHOD("subscribe", JSONRPC_SUBSCRIBE, 0),
	METHOD("engine_newPayloadV1", JSONRPC_NEW_PAYLOAD, 0),
	METHOD("engine_newPayloadV2", JSONRPC_NEW_PAYLOAD, 0),
	METHOD("engine_newPayloadV3", JSONRPC_NEW_PAYLOAD, 0),
	METHOD("engine_newPayloadV4", JSONRPC_NEW_PAYLOAD, 0),
	METHOD("engine_newPayloadV5", JSONRPC_NEW_PAYLOAD, 0),
	METHOD("engine_forkchoiceUpdatedV1", JSONRPC_FORKCHOICE, 0),
	METHOD("engine_forkchoiceUpdatedV2", JSONRPC_FORKCHOICE, 0),
	METHOD("engine_forkchoiceUpdatedV3", JSONRPC_FORKCHOICE, 0),
	METHOD("engine_forkchoiceUpdatedV4", JSONRPC_FORKCHOICE, 0),
	METHOD("engine_getPayloadV1", JSONRPC_GET_PAYLOAD, 0),
	METHOD("engine_getPayloadV2", JSONRPC_GET_PAYLOAD, 0),
	METHOD("engine_getPayloadV3", JSONRPC_GET_PAYLOAD, 0),
	METHOD("engine_getPayloadV4", JSONRPC_GET_PAYLOAD, 0),
	METHOD("engine_getPayloadV5", JSONRPC_GET_PAYLOAD, 0),
	METHOD("engine_getPayloadV6", JSONRPC_GET_PAYLOAD, 0),
	METHOD("eth_sendTransaction", JSONRPC_UNSIGNED, ROLE_BIT(ROLE_OBJECT)),
	METHOD("eth_sendTransactionSync", JSONRPC_UNSIGNED, ROLE_BIT(ROLE_OBJECT)),
	METHOD("eth_sendUnsignedTransaction", JSONRPC_UNSIGNED, ROLE_BIT(ROLE_OBJECT)),
};

/* geth and its kin: eth/filters/api.go; Alchemy, MEV Blocker and bloXroute by their documentation. */
static const struct {
	const char *name;
	uint8_t len, kind;
} subscriptions[] = {
	{"newPendingTransactions", 22, JSONRPC_SUB_HASHES},
	{"newPendingTransactionsWithBody", 30, JSONRPC_SUB_TXS},
	{"alchemy_pendingTransactions", 27, JSONRPC_SUB_TXS},
	{"mevblocker_partialPendingTransactions", 37, JSONRPC_SUB_TXS},
	{"newTxs", 6, JSONRPC_SUB_TXS},
	{"pendingTxs", 10, JSONRPC_SUB_TXS},
	{"newHeads", 8, JSONRPC_SUB_HEADS},
	{"logs", 4, JSONRPC_SUB_LOGS},
};

uint8_t
rpc_subscription(const uint8_t *name, size_t len)
{
	for (unsigned i = 0; i < sizeof subscriptions / sizeof *subscriptions; i++)
		if (subscriptions[i].len == len && memcmp(subscriptions[i].name, name, len) == 0)
			return subscriptions[i].kind;
	return JSONRPC_SUB_OTHER;
}

uint8_t
rpc_method_find(const uint8_t *name, size_t len)
{
	for (unsigned i = 0; i < sizeof methods / sizeof *methods; i++)
		if (methods[i].len == len && memcmp(methods[i].name, name, len) == 0)
			return (uint8_t)(i + 1);
	return 0;
}

const struct rpc_method *
rpc_method(uint8_t number)
{
	return &methods[number - 1];
}
