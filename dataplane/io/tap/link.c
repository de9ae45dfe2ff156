/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/tap/link.h"

#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_BYTES 65536
#define REQUEST_BYTES 1024

struct request {
	union {
		struct nlmsghdr head;
		char bytes[REQUEST_BYTES];
	};
};

/* ---- netlink ---- */

static void *
begin(struct request *r, uint16_t type, uint16_t flags, size_t body)
{
	memset(r, 0, sizeof *r);
	r->head.nlmsg_type = type;
	r->head.nlmsg_flags = NLM_F_REQUEST | flags;
	r->head.nlmsg_len = (uint32_t)NLMSG_LENGTH(body);
	return NLMSG_DATA(&r->head);
}

static struct rtattr *
put(struct request *r, uint16_t type, const void *data, size_t n)
{
	struct rtattr *a = (struct rtattr *)(r->bytes + NLMSG_ALIGN(r->head.nlmsg_len));
	a->rta_type = type;
	a->rta_len = (uint16_t)RTA_LENGTH(n);
	if (n > 0)
		memcpy(RTA_DATA(a), data, n);
	r->head.nlmsg_len = (uint32_t)(NLMSG_ALIGN(r->head.nlmsg_len) + RTA_ALIGN(a->rta_len));
	return a;
}

static void
end(struct request *r, struct rtattr *nest)
{
	nest->rta_len = (uint16_t)(r->bytes + r->head.nlmsg_len - (char *)nest);
}

typedef int (*each_fn)(const struct nlmsghdr *m, void *ctx);

/* Reads answers to the end. 0 or -errno, the kernel's or fn's. */
static int
answers(int fd, char *buffer, each_fn fn, void *ctx)
{
	for (;;) {
		ssize_t got = recv(fd, buffer, ANSWER_BYTES, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		size_t n = (size_t)got;
		for (const struct nlmsghdr *m = (void *)buffer; NLMSG_OK(m, n); m = NLMSG_NEXT(m, n)) {
			if (m->nlmsg_type == NLMSG_DONE)
				return 0;
			if (m->nlmsg_type == NLMSG_ERROR)
				return ((const struct nlmsgerr *)NLMSG_DATA(m))->error;
			int rc = fn != NULL ? fn(m, ctx) : 0;
			if (rc != 0)
				return rc;
		}
	}
}

static int
ask(const struct request *r, each_fn fn, void *ctx)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	char *buffer = malloc(ANSWER_BYTES);
	int rc = fd < 0 ? -errno : buffer == NULL ? -ENOMEM : 0;
	if (rc == 0 && send(fd, r, r->head.nlmsg_len, 0) < 0)
		rc = -errno;
	if (rc == 0)
		rc = answers(fd, buffer, fn, ctx);
	free(buffer);
	if (fd >= 0)
		close(fd);
	return rc;
}

/* ---- interfaces ---- */

struct listing {
	struct link *list;
	int n, room;
};

static void
take_kind(const struct rtattr *info, struct link *l)
{
	int left = (int)RTA_PAYLOAD(info);
	for (const struct rtattr *a = RTA_DATA(info); RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == IFLA_INFO_KIND)
			snprintf(l->kind, sizeof l->kind, "%.*s", (int)RTA_PAYLOAD(a), (const char *)RTA_DATA(a));
}

static int
take_link(const struct nlmsghdr *m, void *ctx)
{
	struct listing *all = ctx;
	const struct ifinfomsg *i = NLMSG_DATA(m);
	struct link l = {.index = i->ifi_index, .flags = i->ifi_flags, .arp = i->ifi_type};
	int left = (int)IFLA_PAYLOAD(m);
	if (m->nlmsg_type != RTM_NEWLINK)
		return 0;
	for (const struct rtattr *a = IFLA_RTA(i); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type == IFLA_IFNAME)
			snprintf(l.name, sizeof l.name, "%.*s", (int)RTA_PAYLOAD(a), (const char *)RTA_DATA(a));
		else if (a->rta_type == IFLA_MTU && RTA_PAYLOAD(a) == 4)
			memcpy(&l.mtu, RTA_DATA(a), 4);
		else if (a->rta_type == IFLA_MASTER && RTA_PAYLOAD(a) == 4)
			memcpy(&l.master, RTA_DATA(a), 4);
		else if (a->rta_type == IFLA_LINKINFO)
			take_kind(a, &l);
	}
	if (all->n == all->room) {
		int room = all->room * 2 + 16;
		struct link *more = realloc(all->list, (size_t)room * sizeof *more);
		if (more == NULL)
			return -ENOMEM;
		all->list = more;
		all->room = room;
	}
	all->list[all->n++] = l;
	return 0;
}

int
link_list(struct link **out)
{
	struct request r;
	struct listing all = {0};
	struct ifinfomsg *i = begin(&r, RTM_GETLINK, NLM_F_DUMP, sizeof *i);
	i->ifi_family = AF_UNSPEC;
	int rc = ask(&r, take_link, &all);
	if (rc != 0)
		free(all.list);
	else
		*out = all.list;
	return rc != 0 ? rc : all.n;
}

const struct link *
link_find(const struct link *list, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (strcmp(list[i].name, name) == 0)
			return &list[i];
	return NULL;
}

bool
link_named(const char *list, const char *name)
{
	size_t n = strlen(name);
	for (const char *at = strstr(list, name); at != NULL; at = strstr(at + 1, name))
		if ((at == list || at[-1] == ',') && (at[n] == ',' || at[n] == '\0'))
			return true;
	return false;
}

/* ---- the pair ---- */

int
link_plain(const char *name)
{
	struct {
		struct ethtool_sset_info head;
		uint32_t n;
	} info = {.head = {.cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1ull << ETH_SS_FEATURES}};
	struct ifreq r = {.ifr_data = (void *)&info};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
	int rc = ioctl(fd, SIOCETHTOOL, &r) != 0 ? -errno : 0;
	uint32_t blocks = (info.n + 31) / 32;
	struct ethtool_gfeatures *get = calloc(1, sizeof *get + blocks * sizeof get->features[0]);
	struct ethtool_sfeatures *set = calloc(1, sizeof *set + blocks * sizeof set->features[0]);
	if (get == NULL || set == NULL)
		rc = -ENOMEM;
	if (rc == 0) {
		*get = (struct ethtool_gfeatures){.cmd = ETHTOOL_GFEATURES, .size = blocks};
		*set = (struct ethtool_sfeatures){.cmd = ETHTOOL_SFEATURES, .size = blocks};
		r.ifr_data = (void *)get;
		rc = ioctl(fd, SIOCETHTOOL, &r) != 0 ? -errno : 0;
		for (uint32_t i = 0; i < blocks; i++)
			set->features[i].valid = get->features[i].available;
		r.ifr_data = (void *)set;
		if (rc == 0 && ioctl(fd, SIOCETHTOOL, &r) < 0)
			rc = -errno;
	}
	free(get);
	free(set);
	close(fd);
	return rc;
}

/* No router solicitations, no neighbours: nobody talks on it but taps. */
static void
silence(const char *name)
{
	char path[80];
	snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return; /* a kernel without IPv6 */
	(void)!write(fd, "1", 1);
	close(fd);
}

/* 1: some were not so before, 0: all were, or -errno. */
static int
change_flags(const char *name, int set, int clear)
{
	struct ifreq r = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
	int rc = ioctl(fd, SIOCGIFFLAGS, &r);
	short want = (short)((r.ifr_flags | set) & ~clear);
	bool other = want != r.ifr_flags;
	r.ifr_flags = want;
	if (rc == 0 && other)
		rc = ioctl(fd, SIOCSIFFLAGS, &r);
	rc = rc != 0 ? -errno : other;
	close(fd);
	return rc;
}

int
link_promiscuous(const char *name, bool on)
{
	return change_flags(name, on ? IFF_PROMISC : 0, on ? 0 : IFF_PROMISC);
}

int
link_make_pair(const char *name, const char *peer, uint32_t mtu)
{
	struct request r;
	const char *both[] = {name, peer};
	struct ifinfomsg none = {0};
	begin(&r, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, sizeof none);
	put(&r, IFLA_IFNAME, name, strlen(name) + 1);
	put(&r, IFLA_MTU, &mtu, sizeof mtu);
	struct rtattr *info = put(&r, IFLA_LINKINFO, NULL, 0);
	put(&r, IFLA_INFO_KIND, "veth", 4);
	struct rtattr *data = put(&r, IFLA_INFO_DATA, NULL, 0);
	struct rtattr *other = put(&r, VETH_INFO_PEER, &none, sizeof none);
	put(&r, IFLA_IFNAME, peer, strlen(peer) + 1);
	put(&r, IFLA_MTU, &mtu, sizeof mtu);
	end(&r, other);
	end(&r, data);
	end(&r, info);
	int rc = ask(&r, NULL, NULL);
	for (unsigned i = 0; i < 2 && rc >= 0; i++) {
		silence(both[i]);
		rc = link_plain(both[i]);
		if (rc == 0)
			rc = change_flags(both[i], IFF_UP | IFF_NOARP, 0);
	}
	return rc < 0 ? rc : 0;
}

int
link_delete(int index)
{
	struct request r;
	struct ifinfomsg *i = begin(&r, RTM_DELLINK, NLM_F_ACK, sizeof *i);
	i->ifi_index = index;
	return ask(&r, NULL, NULL);
}

/* ---- tc ---- */

static int
count_filter(const struct nlmsghdr *m, void *ctx)
{
	const struct tcmsg *t = NLMSG_DATA(m);
	if (m->nlmsg_type == RTM_NEWTFILTER && t->tcm_handle != 0)
		++*(int *)ctx;
	return 0;
}

int
link_filters(int index)
{
	int n = 0, rc = 0;
	const uint32_t sides[] = {TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS), TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS)};
	for (unsigned i = 0; i < 2 && rc == 0; i++) {
		struct request r;
		struct tcmsg *t = begin(&r, RTM_GETTFILTER, NLM_F_DUMP, sizeof *t);
		t->tcm_family = AF_UNSPEC;
		t->tcm_ifindex = index;
		t->tcm_parent = sides[i];
		rc = ask(&r, count_filter, &n);
	}
	return rc != 0 ? rc : n;
}
