/* SPDX-License-Identifier: BSD-3-Clause */
/* own: the addresses by which this host is reached through an interface: its own, and those of what stands upon it (VLANs, a bond, a bridge), as the interfaces
 * are when it is opened. Reading them again takes an ioctl and a pread, and so is possible in the sandbox. */
#ifndef IO_OWN_H
#define IO_OWN_H

#include "io/sysfs.h"

#define OWN_NAMES_MAX 16u

struct own {
	int socket, file; /* -1: none */
	char name[OWN_NAMES_MAX][16];
	unsigned names;
};

/* own_open: before the sandbox. Always succeeds: what cannot be opened gives no addresses. */
void own_open(struct own *o, const struct sysfs *s, const char *interface);
void own_close(struct own *o);

/* own_read writes the addresses, IPv4 in ::ffff:0:0/96, at most `max`. Returns how many there are, which may be more. */
unsigned own_read(const struct own *o, uint8_t (*out)[16], unsigned max);

#endif
