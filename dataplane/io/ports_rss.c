/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/ports_rss.h"

#include "io/rss.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TCP (RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV6_TCP)
#define TABLE_MAX 4096u

bool
ports_rss_able(const struct rte_eth_dev_info *info, uint32_t queues)
{
	bool key = info->hash_key_size == 0 || info->hash_key_size >= RSS_KEY_BYTES_MIN; /* 0: it does not say */
	return (info->flow_type_rss_offloads & TCP) == TCP && key && info->max_rx_queues >= queues;
}

static uint8_t
key_length(const struct rte_eth_dev_info *info)
{
	uint8_t n = info->hash_key_size != 0 ? info->hash_key_size : RSS_KEY_BYTES_MIN;
	return n < RSS_KEY_BYTES_MAX ? n : RSS_KEY_BYTES_MAX;
}

void
ports_rss_ask(struct rte_eth_conf *conf, const struct rte_eth_dev_info *info, uint8_t *key)
{
	rss_key(key, RSS_KEY_BYTES_MAX);
	conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
	conf->rx_adv_conf.rss_conf =
		(struct rte_eth_rss_conf){.rss_key = key, .rss_key_len = key_length(info), .rss_hf = TCP & info->flow_type_rss_offloads};
}

/* The key and the types that the port has now. */
static bool
hash_holds(uint16_t port, uint8_t n)
{
	uint8_t key[RSS_KEY_BYTES_MAX] = {0};
	struct rte_eth_rss_conf now = {.rss_key = key, .rss_key_len = n};
	if (rte_eth_dev_rss_hash_conf_get(port, &now) != 0)
		return false;
	if (now.rss_key_len != 0 && now.rss_key_len < n)
		n = now.rss_key_len;
	return (now.rss_hf & TCP) == TCP && rss_symmetric(key, n);
}

static bool
hash_set(uint16_t port, uint8_t n)
{
	uint8_t key[RSS_KEY_BYTES_MAX];
	rss_key(key, sizeof key);
	struct rte_eth_rss_conf wish = {.rss_key = key, .rss_key_len = n, .rss_hf = TCP};
	return rte_eth_dev_rss_hash_update(port, &wish) == 0;
}

/* 1: even, as every port of ours has it; 0: it is not; -ENOTSUP: the port has no table to look at. */
static int
table_even(uint16_t port, uint16_t size, uint16_t queues)
{
	static struct rte_eth_rss_reta_entry64 t[TABLE_MAX / RTE_ETH_RETA_GROUP_SIZE];
	if (size == 0 || size > TABLE_MAX)
		return -ENOTSUP;
	memset(t, 0, sizeof t);
	for (uint16_t i = 0; i < size; i++) {
		t[i / RTE_ETH_RETA_GROUP_SIZE].mask |= 1ull << (i % RTE_ETH_RETA_GROUP_SIZE);
		t[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE] = i % queues;
	}
	rte_eth_dev_rss_reta_update(port, t, size);
	for (size_t g = 0; g < TABLE_MAX / RTE_ETH_RETA_GROUP_SIZE; g++)
		memset(t[g].reta, 0xff, sizeof t[g].reta);
	if (rte_eth_dev_rss_reta_query(port, t, size) != 0)
		return -ENOTSUP;
	for (uint16_t i = 0; i < size; i++)
		if (t[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE] != i % queues)
			return 0;
	return 1;
}

bool
ports_rss_hold(uint16_t port, uint16_t queues, bool alone, char *err, size_t cap)
{
	struct rte_eth_dev_info info;
	if (rte_eth_dev_info_get(port, &info) != 0)
		return false;
	uint8_t n = key_length(&info);
	if (!hash_holds(port, n) && (!hash_set(port, n) || !hash_holds(port, n))) {
		snprintf(err, cap, "does not keep a symmetric RSS key");
		return false;
	}
	int even = table_even(port, info.reta_size, queues);
	if (even == 1 || (alone && even < 0))
		return true;
	snprintf(err, cap, even < 0 ? "shows no RSS table to compare with the other ports'" : "does not keep an even RSS table");
	return false;
}
