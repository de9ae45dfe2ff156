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
	METHOD("eth_sendRawTransaction", JSONRPC_RAW, ROLE_BIT(ROLE_FIRST)),
	METHOD("eth_sendRawTransactionSync", JSONRPC_RAW, ROLE_BIT(ROLE_FIRST)),
	METHOD("eth_sendRawTransactionConditional", JSONRPC_RAW, ROLE_BIT(ROLE_FIRST)),
	METHOD("eth_sendPrivateTransaction", JSONRPC_PRIVATE, ROLE_BIT(ROLE_TX) | ROLE_BIT(ROLE_FIRST)),
	METHOD("eth_sendPrivateRawTransaction", JSONRPC_PRIVATE, ROLE_BIT(ROLE_TX) | ROLE_BIT(ROLE_FIRST)),
	METHOD("eth_sendBundle", JSONRPC_BUNDLE, ROLE_BIT(ROLE_TXS)),
	METHOD("mev_sendBundle", JSONRPC_BUNDLE, ROLES_MEV),
	METHOD("eth_sendTransaction", JSONRPC_UNSIGNED, 0),
};

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
