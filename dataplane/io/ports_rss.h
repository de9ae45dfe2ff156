/* SPDX-License-Identifier: BSD-3-Clause */
/* ports_rss: makes an ethdev port spread TCP over its queues so that both directions of a connection meet, and believes it only after reading it back. */
#ifndef IO_PORTS_RSS_H
#define IO_PORTS_RSS_H

#include <rte_ethdev.h>

#include <stdbool.h>
#include <stdint.h>

/* ports_rss_able: whether a port says that it can hash TCP of IPv4 and IPv6 over so many queues. */
bool ports_rss_able(const struct rte_eth_dev_info *info, uint32_t queues);

/* ports_rss_ask puts the wish into conf, for rte_eth_dev_configure. `key` (RSS_KEY_BYTES_MAX) must stay until then. */
void ports_rss_ask(struct rte_eth_conf *conf, const struct rte_eth_dev_info *info, uint8_t *key);

/* ports_rss_hold: after the start: sets key, hash types and an even table once more if they are not as asked, and reads them back. alone: no other port
 * reads the same connections, so a table that cannot be read does no harm. True if both directions meet; else a sentence in err. */
bool ports_rss_hold(uint16_t port, uint16_t queues, bool alone, char *err, size_t cap);

#endif
