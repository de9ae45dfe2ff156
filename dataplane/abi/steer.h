/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/* steer: what the XDP program on a port did with its frames: every frame counts in exactly one place. In the stats page, and the
 * layout of the program's own counters (io/bpf/steer.bpf.c, which includes this; so no header of a C library here). */
#ifndef ABI_STEER_H
#define ABI_STEER_H

/* _(id, name, help) */
#define STEER_COUNTERS(_)                                                                                       \
	_(TAKEN, "taken", "the nodes' TCP segments, given to the box")                                          \
	_(TAKEN_FRAGMENTS, "taken_fragments", "what shows no port and may be the nodes': fragments, what lies behind many headers or tags; given to the box") \
	_(TAKEN_TUNNELS, "taken_tunnels", "tunnels that the filter names, given to the box")                    \
	_(PASSED_VLAN, "passed_vlan", "another VLAN")                                                           \
	_(PASSED_ADDRESS, "passed_address", "TCP between other addresses")                                      \
	_(PASSED_PORT, "passed_port", "TCP between other ports")                                                \
	_(PASSED_FRAGMENT, "passed_fragment", "fragments that show no port, between other addresses")                 \
	_(PASSED_TUNNEL, "passed_tunnel", "tunnels that the filter does not name")                              \
	_(PASSED_NOT_TCP, "passed_not_tcp", "IP that is neither TCP nor a tunnel")                              \
	_(PASSED_NOT_IP, "passed_not_ip", "ARP, LLDP and whatever else is not IP")                              \
	_(PASSED_MALFORMED, "passed_malformed", "headers that are cut off or contradict themselves")            \
	_(PASSED_DEEP, "passed_deep", "more than three VLANs; as many IPv6 extension headers, between other addresses") \
	_(PASSED_NO_SOCKET, "passed_no_socket", "the nodes', on a receive queue that the box does not read")    \
	_(PASSED_UNREADY, "passed_unready", "before the box had given its filter")                              \
	_(PASSED_TORN, "passed_torn", "the filter changed faster than the frame could be judged")               \
	_(PASSED_OWN, "passed_own", "the nodes' TCP to this host itself, which its own programs wait for")

enum steer_counter {
#define _(id, name, help) STEER_##id,
	STEER_COUNTERS(_)
#undef _
		STEER_COUNT
};

#endif
