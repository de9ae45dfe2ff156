/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/steer.h"

#include "io/bpf_why.h"
#include "steer.skel.h"

#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROGRAM "sentinel_steer"

__attribute__((format(printf, 4, 5))) static int
refuse(char *said, size_t cap, int rc, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(said, cap, fmt, ap);
	va_end(ap);
	return rc < 0 ? rc : -rc;
}

const char *
steer_object(char *err, size_t cap)
{
	static char path[32];
	if (path[0] != '\0')
		return path;
	size_t n = 0;
	const uint8_t *bytes = steer_bpf__elf_bytes(&n);
	int fd = memfd_create("sentinel-steer", MFD_CLOEXEC);
	if (fd < 0 || write(fd, bytes, n) != (ssize_t)n) {
		refuse(err, cap, errno, "no memory for the program that steers: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd); /* stays open: the driver opens it by this name */
	return path;
}

static int
try_to_load(const char *interface, char *said, size_t cap)
{
	bpf_why_listen();
	struct steer_bpf *skel = steer_bpf__open_and_load();
	int rc = skel == NULL ? errno : 0;
	steer_bpf__destroy(skel);
	bpf_why_hush();
	if (rc != 0)
		return refuse(said, cap, rc, "cannot steer %s: the kernel refuses the XDP program: %s%s%s%s", interface, bpf_why(rc),
			bpf_why_heard()[0] ? " (" : "", bpf_why_heard(), bpf_why_heard()[0] ? ")" : "");
	return 0;
}

static uint32_t
flags_of(uint8_t mode)
{
	return mode == XDP_ATTACHED_SKB ? XDP_FLAGS_SKB_MODE : mode == XDP_ATTACHED_HW ? XDP_FLAGS_HW_MODE : XDP_FLAGS_DRV_MODE;
}

/* The program on an interface. id 0: none. */
static int
look(const char *interface, int *ifindex, struct bpf_xdp_query_opts *q, struct bpf_prog_info *info, char *said, size_t cap)
{
	uint32_t n = sizeof *info;
	*ifindex = (int)if_nametoindex(interface);
	if (*ifindex == 0)
		return refuse(said, cap, ENODEV, "cannot steer %s: there is no such interface (ip link shows those that are)", interface);
	memset(q, 0, sizeof *q);
	memset(info, 0, sizeof *info);
	q->sz = sizeof *q;
	int rc = bpf_xdp_query(*ifindex, 0, q);
	if (rc != 0)
		return refuse(said, cap, rc, "cannot steer %s: cannot ask what XDP program it has: %s", interface, bpf_why(rc));
	if (q->prog_id == 0)
		return 0;
	int fd = bpf_prog_get_fd_by_id(q->prog_id);
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, info, &n) != 0) {
		rc = errno;
		if (fd >= 0)
			close(fd);
		return refuse(said, cap, rc, "cannot steer %s: cannot look at XDP program %u on it: %s", interface, q->prog_id, bpf_why(rc));
	}
	return fd;
}

static int
clear(const char *interface, int ifindex, const struct bpf_xdp_query_opts *q, int prog_fd, const char *name, char *said, size_t cap)
{
	LIBBPF_OPTS(bpf_xdp_attach_opts, only_this, .old_prog_fd = prog_fd);
	if (strcmp(name, PROGRAM) != 0)
		return refuse(said, cap, EBUSY,
			"cannot steer %s: XDP program %u (%s) is on it already; if nobody needs it: ip link set dev %s xdp off", interface,
			q->prog_id, name, interface);
	int rc = bpf_xdp_detach(ifindex, flags_of(q->attach_mode), &only_this);
	if (rc == -EBUSY) /* tied to a process that lives */
		return refuse(said, cap, EBUSY, "cannot steer %s: another dataplane does so already", interface);
	if (rc != 0)
		return refuse(said, cap, rc, "cannot steer %s: the program of an earlier dataplane cannot be taken off it: %s", interface, bpf_why(rc));
	snprintf(said, cap, "%s still had the XDP program of a dataplane that is gone; it has been taken off", interface);
	return 0;
}

int
steer_prepare(const char *interface, char *said, size_t cap)
{
	struct bpf_xdp_query_opts q;
	struct bpf_prog_info info;
	int ifindex;
	said[0] = '\0';
	int rc = try_to_load(interface, said, cap);
	if (rc != 0)
		return rc;
	int fd = look(interface, &ifindex, &q, &info, said, cap);
	if (fd <= 0)
		return fd;
	rc = clear(interface, ifindex, &q, fd, info.name, said, cap);
	close(fd);
	return rc;
}

/* A link's program leaves the interface when the link's last descriptor is closed, by whatever end of the process. */
static int
tie(struct steer *s, int ifindex, int prog_fd, uint8_t mode)
{
	LIBBPF_OPTS(bpf_xdp_attach_opts, only_this, .old_prog_fd = prog_fd);
	LIBBPF_OPTS(bpf_link_create_opts, as, .flags = flags_of(mode));
	int rc = bpf_xdp_detach(ifindex, flags_of(mode), &only_this);
	if (rc != 0)
		return rc;
	s->link_fd = bpf_link_create(prog_fd, ifindex, BPF_XDP, &as);
	return s->link_fd < 0 ? -errno : 0;
}

bool
steer_strips_tags(const char *interface)
{
	struct ethtool_value v = {.cmd = ETHTOOL_GFLAGS};
	struct ifreq r = {.ifr_data = (void *)&v};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	snprintf(r.ifr_name, sizeof r.ifr_name, "%s", interface);
	bool strips = ioctl(fd, SIOCETHTOOL, &r) == 0 && (v.data & ETH_FLAG_RXVLAN);
	close(fd);
	return strips;
}

int
steer_open(struct steer *s, const char *interface, uint16_t vxlan_port, char *said, size_t cap)
{
	struct bpf_xdp_query_opts q;
	struct bpf_prog_info info;
	int ifindex;
	*s = (struct steer){.link_fd = -1, .vxlan_port = vxlan_port};
	int fd = look(interface, &ifindex, &q, &info, said, cap);
	if (fd < 0)
		return fd;
	void *own = NULL;
	int rc = fd == 0 || strcmp(info.name, PROGRAM) != 0 ? -ENOENT : filter_table_open(&s->map, fd, "steer_state", "steer_counts");
	if (rc == 0)
		rc = filter_table_memory(fd, "steer_own", sizeof *s->own, 1, PROT_READ | PROT_WRITE, &own);
	s->own = own;
	if (rc == 0)
		rc = tie(s, ifindex, fd, q.attach_mode);
	if (fd > 0)
		close(fd);
	if (rc == -ENOENT)
		return refuse(said, cap, ENOENT, "cannot steer %s: the AF_XDP driver has not attached the program; does the port have xdp_prog?", interface);
	if (rc != 0) {
		steer_close(s);
		return refuse(said, cap, rc, "cannot steer %s: the program cannot be tied to this process: %s", interface, bpf_why(rc));
	}
	said[0] = '\0';
	if (q.attach_mode == XDP_ATTACHED_SKB)
		snprintf(said, cap, "%s: its driver knows no XDP, so that frames take the kernel's generic, slower path", interface);
	return 0;
}

void
steer_filter(struct steer *s, const struct filter *f)
{
	if (s->map.state != NULL)
		filter_table_set(&s->map, f, s->vxlan_port);
}

void
steer_own(struct steer *s, const uint8_t (*address)[16], unsigned n)
{
	if (n > TABLE_OWN_MAX)
		n = TABLE_OWN_MAX;
	if (s->own == NULL || (s->own->n == n && memcmp(s->own->ip, address, n * sizeof s->own->ip[0]) == 0))
		return;
	__atomic_store_n(&s->own->n, 0, __ATOMIC_SEQ_CST);
	memcpy(s->own->ip, address, n * sizeof s->own->ip[0]);
	__atomic_store_n(&s->own->n, n, __ATOMIC_RELEASE);
}

void
steer_counters(const struct steer *s, uint64_t out[STEER_COUNT])
{
	memset(out, 0, STEER_COUNT * sizeof out[0]);
	if (s->map.counts != NULL)
		filter_table_counts(&s->map, out);
}

void
steer_close(struct steer *s)
{
	if (s->map.state != NULL && s->link_fd >= 0)
		close(s->link_fd);
	s->link_fd = -1;
	filter_table_unmap(s->own, sizeof *s->own);
	s->own = NULL;
	filter_table_close(&s->map);
}
