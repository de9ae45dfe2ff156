/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/sandbox_ports.h"

#include <rte_ethdev.h>

unsigned
sandbox_ports(void)
{
	struct rte_eth_dev_info info;
	unsigned kinds = 0;
	uint16_t port;
	RTE_ETH_FOREACH_DEV(port)
	{
		if (rte_eth_dev_info_get(port, &info) == 0 && info.driver_name != NULL)
			kinds |= sandbox_kind(info.driver_name);
	}
	return kinds;
}
