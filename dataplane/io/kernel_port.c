/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/kernel_port.h"

#include "io/rss.h"

#include <dirent.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define INDIRECTION_MAX 4096u
#define HASH_TOEPLITZ 1u /* ETH_RSS_HASH_TOP, which the kernel keeps to itself */

static void
name_it(struct ifreq *r, const char *interface)
{
	memset(r, 0, sizeof *r);
	strncpy(r->ifr_name, interface, sizeof r->ifr_name - 1);
}

static int
ethtool(int fd, const char *interface, void *command)
{
	struct ifreq r;
	name_it(&r, interface);
	r.ifr_data = command;
	return ioctl(fd, SIOCETHTOOL, &r) == 0 ? 0 : -errno;
}

int
kernel_port_flags(const struct sysfs *s, const char *interface, unsigned *flags)
{
	char text[32];
	struct ifreq r;
	if (s->root[0] != '\0') {
		int n = sysfs_text(s, text, sizeof text, "/sys/class/net/%s/flags", interface);
		*flags = n > 0 ? (unsigned)strtoul(text, NULL, 16) : 0;
		return n > 0 ? 0 : -ENODEV;
	}
	int fd = kernel_link_open();
	if (fd < 0)
		return -errno;
	name_it(&r, interface);
	int rc = ioctl(fd, SIOCGIFFLAGS, &r) == 0 ? 0 : -errno;
	*flags = rc == 0 ? (unsigned short)r.ifr_flags : 0;
	close(fd);
	return rc;
}

static bool
channels(const char *interface, struct ethtool_channels *c)
{
	*c = (struct ethtool_channels){.cmd = ETHTOOL_GCHANNELS};
	int fd = kernel_link_open();
	bool known = fd >= 0 && ethtool(fd, interface, c) == 0;
	if (fd >= 0)
		close(fd);
	return known;
}

uint32_t
kernel_port_queues(const struct sysfs *s, const char *interface)
{
	struct ethtool_channels c;
	if (s->root[0] == '\0')
		return channels(interface, &c) ? c.rx_count + c.combined_count : 0;
	int n = sysfs_count(s, "rx-", "/sys/class/net/%s/queues", interface);
	return n > 0 ? (uint32_t)n : 0;
}

bool
kernel_port_apart(const struct sysfs *s, const char *interface)
{
	struct ethtool_channels c;
	return s->root[0] == '\0' && channels(interface, &c) && c.rx_count > 0;
}

/* TCP of this kind is hashed by addresses and ports. */
static bool
by_four(int fd, const char *interface, uint32_t flow)
{
	const uint64_t four = RXH_IP_SRC | RXH_IP_DST | RXH_L4_B_0_1 | RXH_L4_B_2_3;
	struct ethtool_rxnfc c = {.cmd = ETHTOOL_GRXFH, .flow_type = flow};
	return ethtool(fd, interface, &c) == 0 && (c.data & four) == four;
}

static enum kernel_rss
ask_rss(int fd, const char *interface)
{
	struct ethtool_rxfh size = {.cmd = ETHTOOL_GRSSH};
	if (ethtool(fd, interface, &size) != 0 || size.key_size == 0 || size.key_size > 4096 || size.indir_size > INDIRECTION_MAX)
		return KERNEL_RSS_UNKNOWN;
	size_t indirection = size.indir_size * sizeof(uint32_t);
	struct ethtool_rxfh *c = calloc(1, sizeof *c + indirection + size.key_size);
	if (c == NULL)
		return KERNEL_RSS_UNKNOWN;
	c->cmd = ETHTOOL_GRSSH;
	c->indir_size = size.indir_size;
	c->key_size = size.key_size;
	enum kernel_rss rss = KERNEL_RSS_UNKNOWN;
	if (ethtool(fd, interface, c) == 0)
		rss = c->hfunc == HASH_TOEPLITZ && rss_symmetric((const uint8_t *)c->rss_config + indirection, size.key_size) &&
					by_four(fd, interface, TCP_V4_FLOW) && by_four(fd, interface, TCP_V6_FLOW)
				? KERNEL_RSS_SYMMETRIC
				: KERNEL_RSS_OTHER;
	free(c);
	return rss;
}

enum kernel_rss
kernel_port_rss(const char *interface)
{
	int fd = kernel_link_open();
	if (fd < 0)
		return KERNEL_RSS_UNKNOWN;
	enum kernel_rss rss = ask_rss(fd, interface);
	close(fd);
	return rss;
}

int
kernel_link_open(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return fd >= 0 ? fd : socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

enum kernel_link
kernel_link_get(int fd, unsigned index)
{
	struct ifreq r = {.ifr_ifindex = (int)index};
	if (ioctl(fd, SIOCGIFNAME, &r) != 0 || ioctl(fd, SIOCGIFFLAGS, &r) != 0)
		return errno == ENODEV ? KERNEL_LINK_GONE : KERNEL_LINK_UNKNOWN;
	return (r.ifr_flags & IFF_UP) != 0 && (r.ifr_flags & IFF_RUNNING) != 0 ? KERNEL_LINK_UP : KERNEL_LINK_DOWN;
}

int
kernel_promisc_open(const char *interface)
{
	struct packet_mreq m = {.mr_ifindex = (int)if_nametoindex(interface), .mr_type = PACKET_MR_PROMISC};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0); /* of no protocol: no frame comes */
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &m, sizeof m) == 0)
		return fd;
	int rc = -errno;
	close(fd);
	return rc;
}

static int
domain_of(int fd)
{
	int domain = -1;
	socklen_t n = sizeof domain;
	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &n) == 0 ? domain : -1;
}

void
kernel_sockets_mark(struct kernel_mark *m)
{
	DIR *d = opendir("/proc/self/fd");
	m->n = 0;
	for (struct dirent *e; d != NULL && m->n < KERNEL_MARK_MAX && (e = readdir(d)) != NULL;) {
		int fd = atoi(e->d_name), domain = e->d_name[0] == '.' ? -1 : domain_of(fd);
		if (domain == AF_XDP || domain == AF_PACKET)
			m->fd[m->n++] = fd;
	}
	if (d != NULL)
		closedir(d);
}

static bool
marked(const struct kernel_mark *m, int fd)
{
	for (uint32_t i = 0; i < m->n; i++)
		if (m->fd[i] == fd)
			return true;
	return false;
}

static void
add(struct kernel_sockets *s, int fd, bool xdp)
{
	if (s->n == KERNEL_SOCKETS_MAX)
		return;
	s->xdp[s->n] = xdp;
	s->fd[s->n++] = fd;
}

void
kernel_sockets_new(struct kernel_sockets *s, const struct kernel_mark *before)
{
	struct kernel_mark now;
	kernel_sockets_mark(&now);
	for (uint32_t i = 0; i < now.n; i++)
		if (!marked(before, now.fd[i]))
			add(s, now.fd[i], domain_of(now.fd[i]) == AF_XDP);
}

void
kernel_sockets_of(struct kernel_sockets *s, const char *interface)
{
	unsigned index = if_nametoindex(interface);
	struct kernel_mark now;
	kernel_sockets_mark(&now);
	for (uint32_t i = 0; i < now.n && index != 0; i++) {
		struct sockaddr_ll a = {0};
		socklen_t n = sizeof a;
		int fd = now.fd[i];
		if (domain_of(fd) == AF_PACKET && getsockname(fd, (struct sockaddr *)&a, &n) == 0 && a.sll_ifindex == (int)index && a.sll_protocol != 0)
			add(s, fd, false);
	}
}

uint64_t
kernel_sockets_missed(struct kernel_sockets *s)
{
	uint64_t full = 0;
	for (uint32_t i = 0; i < s->n; i++) {
		struct xdp_statistics x = {0};
		struct tpacket_stats p = {0};
		socklen_t n = s->xdp[i] ? sizeof x : sizeof p;
		if (s->xdp[i] && getsockopt(s->fd[i], SOL_XDP, XDP_STATISTICS, &x, &n) == 0)
			full += x.rx_ring_full;
		else if (!s->xdp[i] && getsockopt(s->fd[i], SOL_PACKET, PACKET_STATISTICS, &p, &n) == 0)
			s->packet_drops += p.tp_drops;
	}
	return full + s->packet_drops;
}
