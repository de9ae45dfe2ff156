/* SPDX-License-Identifier: BSD-3-Clause */
/* To be preloaded: makes the queues of a veth look like those of a NIC, where receiving and sending make a channel. DPDK's AF_XDP driver takes no others, and
 * the kernel's side does not care. */
#include <dlfcn.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>

int
ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	va_start(ap, request);
	void *arg = va_arg(ap, void *);
	va_end(ap);
	int (*real)(int, unsigned long, ...) = (int (*)(int, unsigned long, ...))(uintptr_t)dlsym(RTLD_NEXT, "ioctl");
	int rc = real(fd, request, arg);
	if (request != SIOCETHTOOL || rc != 0)
		return rc;
	struct ethtool_channels c;
	char *data = ((struct ifreq *)arg)->ifr_data;
	uint32_t command;
	memcpy(&command, data, sizeof command);
	if (command != ETHTOOL_GCHANNELS)
		return rc;
	memcpy(&c, data, sizeof c);
	if (c.combined_count == 0) {
		c.combined_count = c.max_combined = c.rx_count;
		c.rx_count = c.tx_count = 0;
		memcpy(data, &c, sizeof c);
	}
	return rc;
}
