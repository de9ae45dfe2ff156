/* SPDX-License-Identifier: BSD-3-Clause */
/* The calls into a live kernel that checks make. */
#include "sentinelctl/box/box.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#define SYNCS 25u
#define FLOWS 65536u
#define RECENT 4096u

static int
clock_synced(bool *synced, int64_t *error_us)
{
	struct timex t = {0};
	int state = adjtimex(&t);
	if (state < 0)
		return -errno;
	*synced = state != TIME_ERROR && (t.status & STA_UNSYNC) == 0;
	*error_us = t.maxerror;
	return 0;
}

static uint64_t
now_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
}

static int
by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

static int
sync_us(const char *folder, uint64_t *median_us, uint64_t *longest_us)
{
	char path[512];
	static const char block[4096];
	uint64_t took[SYNCS];
	int rc = 0;
	if ((size_t)snprintf(path, sizeof path, "%s/.box-check-XXXXXX", folder) >= sizeof path)
		return -ENAMETOOLONG;
	int fd = mkstemp(path);
	if (fd < 0)
		return -errno;
	unlink(path);
	for (unsigned i = 0; i < SYNCS && rc == 0; i++) {
		uint64_t from = now_us();
		if (pwrite(fd, block, sizeof block, (off_t)(i * sizeof block)) != (ssize_t)sizeof block || fdatasync(fd) != 0)
			rc = errno != 0 ? -errno : -EIO;
		took[i] = now_us() - from;
	}
	close(fd);
	if (rc != 0)
		return rc;
	qsort(took, SYNCS, sizeof took[0], by_size);
	*median_us = took[SYNCS / 2];
	*longest_us = took[SYNCS - 1];
	return 0;
}

static int
xdp_socket(void)
{
	int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int
ask(int fd, const char *interface, uint32_t command, uint32_t *value)
{
	struct ethtool_value v = {.cmd = command};
	struct ifreq r = {.ifr_data = (char *)&v};
	strncpy(r.ifr_name, interface, sizeof r.ifr_name - 1);
	int rc = ioctl(fd, SIOCETHTOOL, &r) == 0 ? 0 : -errno;
	*value = v.data;
	return rc;
}

static int
offloads(const char *interface, bool *gro, bool *lro)
{
	uint32_t v = 0, flags = 0;
	int fd = kernel_link_open(), rc = fd < 0 ? -errno : ask(fd, interface, ETHTOOL_GGRO, &v);
	if (rc == 0)
		rc = ask(fd, interface, ETHTOOL_GFLAGS, &flags);
	if (fd >= 0)
		close(fd);
	*gro = v != 0;
	*lro = (flags & ETH_FLAG_LRO) != 0;
	return rc;
}

static bool
root(void)
{
	return geteuid() == 0;
}

/* ---- what an interface shows ---- */

struct looking {
	uint64_t flow[FLOWS];	 /* hash, 0: free */
	uint8_t ways[FLOWS];	 /* bit 0, 1: payload in this direction */
	uint64_t recent[RECENT]; /* hashes of whole frames */
	struct box_seen seen;
};

static uint64_t
mix(uint64_t h, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3ull;
	return h ^ h >> 29;
}

static void
note_flow(struct looking *l, const uint8_t *a, const uint8_t *b, size_t n, const uint8_t *ports)
{
	uint64_t x = mix(mix(1, a, n), ports, 2), y = mix(mix(1, b, n), ports + 2, 2), h = (x ^ y) * 0x9e3779b97f4a7c15ull;
	h += h == 0;
	for (uint32_t i = (uint32_t)(h >> 40) % FLOWS, tries = 0; tries < 64; i = (i + 1) % FLOWS, tries++) {
		if (l->flow[i] != 0 && l->flow[i] != h)
			continue;
		l->flow[i] = h;
		l->ways[i] |= x < y ? 1 : 2;
		return;
	}
}

/* p: an IP packet of n bytes. A frame that comes again is one with the same header of IP, TCP and all: a retransmission has another identification. */
static void
note_packet(struct looking *l, const uint8_t *p, size_t n, bool six)
{
	size_t header = six ? 40 : (size_t)(p[0] & 15) * 4, a = six ? 16 : 4;
	const uint8_t *from = six ? p + 8 : p + 12;
	if (header < 20 || n < header + 20 || (six ? p[6] : p[9]) != 6)
		return;
	size_t total = six ? 40u + ((size_t)p[4] << 8 | p[5]) : ((size_t)p[2] << 8 | p[3]), tcp = (size_t)(p[header + 12] >> 4) * 4;
	l->seen.tcp++;
	/* without what a router changes: time to live, checksum */
	uint64_t h = mix(mix(2, p, six ? 7 : 8), from, 2 * a);
	h = mix(h, p + header, n - header < 64 ? n - header : 64);
	uint64_t *slot = &l->recent[h % RECENT];
	l->seen.repeated += *slot == h;
	*slot = h;
	if (total > header + tcp)
		note_flow(l, from, from + a, a, p + header);
}

static void
note_frame(struct looking *l, const uint8_t *p, size_t n)
{
	size_t at = 12;
	l->seen.frames++;
	while (at + 6 <= n && ((p[at] == 0x81 && p[at + 1] == 0) || (p[at] == 0x88 && p[at + 1] == 0xa8)))
		at += 4;
	if (at + 2 + 20 > n)
		return;
	if (p[at] == 8 && p[at + 1] == 0 && p[at + 2] >> 4 == 4)
		note_packet(l, p + at + 2, n - at - 2, false);
	else if (p[at] == 0x86 && p[at + 1] == 0xdd && n - at - 2 >= 40)
		note_packet(l, p + at + 2, n - at - 2, true);
}

static int
open_interface(const char *interface)
{
	struct sockaddr_ll a = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex(interface)};
	struct packet_mreq m = {.mr_ifindex = a.sll_ifindex, .mr_type = PACKET_MR_PROMISC};
	if (a.sll_ifindex == 0)
		return -ENODEV;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0) {
		int rc = -errno;
		close(fd);
		return rc;
	}
	setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &m, sizeof m);
	return fd;
}

/* VLAN tags are taken out of the frame by the kernel, which is as good. */
static int
watch(const char *interface, unsigned seconds, struct box_seen *seen)
{
	static uint8_t frame[65536];
	struct looking *l = calloc(1, sizeof *l);
	int fd = open_interface(interface), rc = 0;
	uint64_t end = now_us() + seconds * 1000000ull, said = now_us();
	if (fd < 0 || l == NULL) {
		free(l);
		return fd < 0 ? fd : -ENOMEM;
	}
	for (uint64_t now = now_us(); now < end && rc == 0; now = now_us()) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		if (seconds > 2 && isatty(STDERR_FILENO) && now - said >= 1000000) {
			fprintf(stderr, "\rlooking at %s: %u s to go, %llu frames ", interface, (unsigned)((end - now) / 1000000), (unsigned long long)l->seen.frames);
			said = now;
		}
		if (poll(&p, 1, 200) <= 0)
			continue;
		ssize_t n = recv(fd, frame, sizeof frame, MSG_DONTWAIT);
		if (n > 0)
			note_frame(l, frame, (size_t)n);
		else if (n < 0 && errno != EAGAIN && errno != EINTR)
			rc = -errno;
	}
	if (seconds > 2 && isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	close(fd);
	for (uint32_t i = 0; i < FLOWS; i++) {
		l->seen.two_way += l->ways[i] == 3;
		l->seen.one_way += l->ways[i] == 1 || l->ways[i] == 2;
	}
	*seen = l->seen;
	free(l);
	return rc;
}

const struct box_calls box_kernel = {clock_synced, sync_us, xdp_socket, offloads, kernel_port_rss, watch, root};
