/* SPDX-License-Identifier: BSD-3-Clause */
#include "abi/counters.h"

const struct counter_info counter_infos[CTR_COUNT] = {
#define _(id, kind, help) [CTR_##id] = {#id, #kind[0], help},
	SENTINEL_COUNTERS(_)
#undef _
};
