/* SPDX-License-Identifier: BSD-3-Clause */
#include "abi/alert.h"

#include "abi/ring.h"

#include <errno.h>
#include <stdbool.h>

static bool
enums_ok(const struct alert_record *r)
{
	return r->kind >= 1 && r->kind <= ALERT_KIND_MAX && r->grade >= 1 && r->grade <= GRADE_MAX &&
	       r->grade_wanted <= GRADE_MAX && r->severity >= 1 && r->severity <= SEVERITY_MAX &&
	       r->class_ >= 1 && r->class_ <= CLASS_MAX && r->carrier >= 1 && r->carrier <= CARRIER_MAX &&
	       r->direction <= DIR_MAX && r->node <= NODE_VERDICT_MAX && r->lost_reason <= LOSS_MAX && r->tx_type <= ALERT_TX_TYPE_MAX &&
	       (r->has & ~HAS_ALL) == 0 && r->trust >> TRUST_BIT_COUNT == 0 && r->reasons >> REASON_BIT_COUNT == 0 &&
	       r->providers >> PROVIDER_COUNT == 0 &&
	       r->lacks >> LACK_BIT_COUNT == 0 && r->ending <= ENDING_MAX;
}

static bool
counts_ok(const struct alert_record *r)
{
	if (r->n_related > ALERT_RELATED_MAX || r->n_protocols > ALERT_PROTOCOLS_MAX)
		return false;
	if (r->raw_len > ALERT_TX_BYTES_MAX || r->data_len > ALERT_TX_BYTES_MAX ||
		r->evidence_len > RING_EVIDENCE_ONE_MAX)
		return false;
	if (r->score > ALERT_SCORE_MAX || r->learned > ALERT_SCORE_MAX)
		return false;
	for (uint32_t i = 0; i < r->n_protocols; i++)
		if (r->touches[i] >> TOUCH_BIT_COUNT != 0)
			return false;
	return true;
}

int
alert_record_check(const struct alert_record *r)
{
	if (!enums_ok(r) || !counts_ok(r))
		return -EINVAL;
	if ((r->lost_before == 0) != (r->lost_reason == LOSS_NONE))
		return -EINVAL;
	if ((r->has & HAS_SUPERSEDES) && r->supersedes_seq == 0)
		return -EINVAL;
	if (r->bundle_len != 0 && r->bundle_pos >= r->bundle_len)
		return -EINVAL;
	for (uint32_t i = 0; i < r->n_related; i++) {
		if (r->related[i].role < 1 || r->related[i].role > ROLE_MAX)
			return -EINVAL;
	}
	return 0;
}

static const char *const grade_names[] = {"unknown", "watch", "page", "pause"};
static const char *const class_names[] = {
	"unknown", "flash_loan", "flash_deploy", "swap", "sandwich", "admin", "other", "armed_call", "displacement"};
static const char *const severity_names[] = {"unknown", "info", "low", "medium", "high", "critical"};
static const char *const carrier_names[] = {
	"unknown", "http-jsonrpc", "http-jsonrpc-bundle", "http-jsonrpc-private", "offline",
	"http-jsonrpc-txobject", "http-jsonrpc-raw", "engine-block", "ws-jsonrpc", "ws-jsonrpc-bundle",
	"ws-jsonrpc-private", "ws-jsonrpc-txobject", "ws-jsonrpc-raw", "ws-subscription-full",
	"ws-subscription-raw", "rlpx-transactions", "rlpx-pooled", "rlpx-blockbody", "ipc-jsonrpc",
	"ipc-jsonrpc-bundle", "ipc-jsonrpc-private", "ipc-jsonrpc-txobject", "ipc-jsonrpc-raw",
	"ipc-subscription-full", "ipc-subscription-raw", "grpc-txpool", "arbitrum-feed"};
static const char *const direction_names[] = {"c2s", "s2c", "unknown"};
static const char *const role_names[] = {"unknown", "front", "victim", "back", "deploy", "bundle", "same", "replaced"};
static const char *const ending_names[] = {"open", "included", "dropped", "replaced", "reorged"};
static const char *const node_names[] = {"unasked", "accepted", "refused"};

#define NAME_TABLE(what, max, none)                                                                    \
	_Static_assert(sizeof what##_names / sizeof what##_names[0] == (max) + 1, "a name per value"); \
	const char *alert_##what##_name(unsigned v)                                                    \
	{                                                                                              \
		return what##_names[v <= (max) ? v : (none)];                                          \
	}
NAME_TABLE(grade, GRADE_MAX, 0)
NAME_TABLE(class, CLASS_MAX, 0)
NAME_TABLE(severity, SEVERITY_MAX, 0)
NAME_TABLE(carrier, CARRIER_MAX, 0)
NAME_TABLE(direction, DIR_MAX, DIR_UNKNOWN)
NAME_TABLE(role, ROLE_MAX, 0)
NAME_TABLE(node, NODE_VERDICT_MAX, 0)
NAME_TABLE(ending, ENDING_MAX, 0)

const char *
alert_reason_name(unsigned bit)
{
	static const char *const names[] = {
#define _(id, name, weight, help) name,
		ALERT_REASONS(_)
#undef _
	};
	return bit < REASON_BIT_COUNT ? names[bit] : "unknown";
}

const char *
alert_touch_name(unsigned bit)
{
	static const char *const names[] = {
#define _(id, name, help) name,
		ALERT_TOUCHES(_)
#undef _
	};
	return bit < TOUCH_BIT_COUNT ? names[bit] : "unknown";
}

const char *
alert_provider_name(unsigned bit)
{
	static const char *const names[] = {
#define _(id, name) name,
		ALERT_PROVIDERS(_)
#undef _
	};
	return bit < PROVIDER_COUNT ? names[bit] : "unknown";
}

const char *
alert_lack_name(unsigned bit)
{
	static const char *const names[] = {
#define _(id, name, help) name,
		ALERT_LACKS(_)
#undef _
	};
	return bit < LACK_BIT_COUNT ? names[bit] : "unknown";
}
