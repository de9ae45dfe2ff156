/* SPDX-License-Identifier: BSD-3-Clause */
/* ports_spec: one port as the box profile wants it (io/profile.h has the keys). */
#ifndef WORKER_PORTS_SPEC_H
#define WORKER_PORTS_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PORT_INTERFACE_BYTES 16
#define PORT_QUEUES_MAX 64u

/* Whether TCP's checksum is looked at on frames of this port. DEFAULT: as the profile's `checksum` says for all. */
enum port_checksum { PORT_CHECKSUM_DEFAULT, PORT_CHECKSUM_TRUST, PORT_CHECKSUM_VERIFY };

struct topology_port {
	char device[256]; /* virtual device with its arguments ("net_af_packet0,iface=eth1") or a PCI address */
	bool pci;
	char args[256];			      /* more arguments for the driver, "mprq_en=1,rxq_cqe_comp_en=0" */
	char interface[PORT_INTERFACE_BYTES]; /* what the device captures on, of AF_XDP, AF_PACKET and live net_pcap; else empty */
	enum port_checksum checksum;
	bool steer;	 /* AF_XDP: an XDP program of ours leaves what is not the nodes' to the kernel */
	uint32_t queues; /* 0: as many as fit the workers */
	char xdp_prog[64]; /* path of that program for the driver; set by whoever loads it before EAL starts, not by a profile */
};

/* port_is: whether its device is of this driver ("net_af_xdp"). */
bool port_is(const struct topology_port *p, const char *driver);

/* port_find_interface fills `interface` from the device's arguments. Precondition: device is NUL-terminated. */
void port_find_interface(struct topology_port *p);

/* port_name: the interface, or the device without its arguments. At most cap - 1 characters. */
void port_name(const struct topology_port *p, char *out, size_t cap);

/* port_named: whether the port that DPDK calls `name` is this one. */
bool port_named(const struct topology_port *p, const char *name);

/* port_device_args writes what EAL is given for it: the device, its args, and what our use of it takes (AF_XDP: no busy polling, which would be a system call
 * for each look, every queue of the interface, the program). kernel_queues: receive queues that the interface has, 0 if unknown. 0, or -E2BIG. */
int port_device_args(const struct topology_port *p, uint32_t kernel_queues, char *out, size_t cap);

/* port_check: 0, or -EINVAL with a sentence in err. */
int port_check(const struct topology_port *p, uint32_t workers, bool huge_pages, char *err, size_t err_cap);

void port_print(const struct topology_port *p, uint32_t number, bool verify_all, FILE *out);

#endif
