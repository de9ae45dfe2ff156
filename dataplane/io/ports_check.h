/* SPDX-License-Identifier: BSD-3-Clause */
/* ports_check: what stands in the way of a port, asked of the kernel before DPDK is, whose own words for it help nobody. */
#ifndef IO_PORTS_CHECK_H
#define IO_PORTS_CHECK_H

#include "io/sysfs.h"
#include "worker/ports_spec.h"

/* ports_check_one: 0, or -errno with what is wrong and what to do in err. drivers: the folder of DPDK's driver libraries, below no root; empty: not looked at. */
int ports_check_one(const struct sysfs *s, const char *drivers, const struct topology_port *p, char *err, size_t err_cap);

/* ports_driver: DPDK's driver library for a device bound to this kernel driver or of this vendor and device number ("mlx5", "i40e"); NULL: not known, may
 * exist all the same. ports_bifurcated: whether the device stays with that kernel driver while DPDK uses it. */
const char *ports_driver(uint32_t vendor, uint32_t device, const char *kernel_driver);
bool ports_bifurcated(const char *kernel_driver);

#endif
