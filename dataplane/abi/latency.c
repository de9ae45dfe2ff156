/* SPDX-License-Identifier: BSD-3-Clause */
#include "abi/latency.h"

enum latency_feed
latency_feed_of(unsigned carrier)
{
	static const uint8_t feeds[CARRIER_MAX + 1] = {
		[0] = LATENCY_OTHER,
		[CARRIER_HTTP_JSONRPC] = LATENCY_HTTP,
		[CARRIER_HTTP_JSONRPC_BUNDLE] = LATENCY_HTTP,
		[CARRIER_HTTP_JSONRPC_PRIVATE] = LATENCY_HTTP,
		[CARRIER_OFFLINE] = LATENCY_OTHER,
		[CARRIER_HTTP_TXOBJECT] = LATENCY_HTTP,
		[CARRIER_HTTP_RAW] = LATENCY_HTTP,
		[CARRIER_ENGINE_BLOCK] = LATENCY_ENGINE,
		[CARRIER_WS_JSONRPC] = LATENCY_WEBSOCKET,
		[CARRIER_WS_JSONRPC_BUNDLE] = LATENCY_WEBSOCKET,
		[CARRIER_WS_JSONRPC_PRIVATE] = LATENCY_WEBSOCKET,
		[CARRIER_WS_TXOBJECT] = LATENCY_WEBSOCKET,
		[CARRIER_WS_RAW] = LATENCY_WEBSOCKET,
		[CARRIER_WS_SUBSCRIPTION_FULL] = LATENCY_WEBSOCKET,
		[CARRIER_WS_SUBSCRIPTION_RAW] = LATENCY_WEBSOCKET,
		[CARRIER_RLPX_TRANSACTIONS] = LATENCY_RLPX,
		[CARRIER_RLPX_POOLED] = LATENCY_RLPX,
		[CARRIER_RLPX_BLOCKBODY] = LATENCY_RLPX,
		[CARRIER_IPC_JSONRPC] = LATENCY_IPC,
		[CARRIER_IPC_JSONRPC_BUNDLE] = LATENCY_IPC,
		[CARRIER_IPC_JSONRPC_PRIVATE] = LATENCY_IPC,
		[CARRIER_IPC_TXOBJECT] = LATENCY_IPC,
		[CARRIER_IPC_RAW] = LATENCY_IPC,
		[CARRIER_IPC_SUBSCRIPTION_FULL] = LATENCY_IPC,
		[CARRIER_IPC_SUBSCRIPTION_RAW] = LATENCY_IPC,
		[CARRIER_GRPC_TXPOOL] = LATENCY_GRPC,
		[CARRIER_ARBITRUM_FEED] = LATENCY_ARBITRUM,
	};
	return carrier <= CARRIER_MAX ? (enum latency_feed)feeds[carrier] : LATENCY_OTHER;
}

const char *
latency_feed_name(unsigned feed)
{
	static const char *const names[] = {
#define _(id, name) name,
		LATENCY_FEEDS(_)
#undef _
	};
	return feed < LATENCY_FEED_COUNT ? names[feed] : "unknown";
}

const char *
latency_stage_name(unsigned stage)
{
	static const char *const names[] = {
#define _(id, name, help) name,
		LATENCY_STAGES(_)
#undef _
	};
	return stage < LATENCY_STAGE_COUNT ? names[stage] : "unknown";
}

const char *
latency_stage_help(unsigned stage)
{
	static const char *const helps[] = {
#define _(id, name, help) help,
		LATENCY_STAGES(_)
#undef _
	};
	return stage < LATENCY_STAGE_COUNT ? helps[stage] : "unknown";
}
