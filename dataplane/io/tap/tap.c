/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/tap/tap.h"

#include "io/bpf_why.h"
#include "tap.skel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROGRAM "sentinel_tap"
#define SLICER "sentinel_slice"
#define HANDLE 0x5e17u
#define LOCK_FOLDER "/run/sentinel-tap"
#define PRIORITY 1u /* before anyone who would take the frame elsewhere */

__attribute__((format(printf, 4, 5))) static int
refuse(char *err, size_t cap, int rc, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(err, cap, fmt, ap);
	va_end(ap);
	return rc < 0 ? rc : -rc;
}

/* ---- finding ---- */

/* Our program on this side of the interface: its fd, or -1. */
static int
ours(int index, enum bpf_tc_attach_point side, const char *name)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = index, .attach_point = side);
	LIBBPF_OPTS(bpf_tc_opts, o, .handle = HANDLE, .priority = PRIORITY);
	struct bpf_prog_info info = {0};
	uint32_t n = sizeof info;
	if (bpf_tc_query(&hook, &o) != 0)
		return -1;
	int fd = bpf_prog_get_fd_by_id(o.prog_id);
	if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &n) == 0 && strcmp(info.name, name) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool
look(struct tap *t, const struct link *l, enum bpf_tc_attach_point side)
{
	int fd = ours(l->index, side, PROGRAM);
	if (fd < 0)
		return false;
	if (t->prog_fd < 0)
		t->prog_fd = fd;
	else
		close(fd);
	return true;
}

static int
map_book(struct tap *t, int fd)
{
	uint32_t ids[16], n = 0;
	struct bpf_prog_info prog = {.nr_map_ids = 16, .map_ids = (uintptr_t)ids};
	n = sizeof prog;
	if (bpf_obj_get_info_by_fd(fd, &prog, &n) != 0)
		return -errno;
	for (uint32_t i = 0; i < prog.nr_map_ids && i < 16; i++) {
		struct bpf_map_info map = {0};
		n = sizeof map;
		int map_fd = bpf_map_get_fd_by_id(ids[i]);
		if (map_fd >= 0 && bpf_obj_get_info_by_fd(map_fd, &map, &n) == 0 && strcmp(map.name, "tap_book") == 0 &&
			map.value_size == sizeof *t->book) {
			void *mem = mmap(NULL, sizeof *t->book, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
			t->book = mem != MAP_FAILED ? mem : NULL;
		}
		if (map_fd >= 0)
			close(map_fd);
	}
	return t->book != NULL ? 0 : -ENOENT;
}

/* Of the attached programs of another version of this program the book alone may be as it is here, or nothing. */
static int
open_maps(struct tap *t, int fd, char *err, size_t cap)
{
	int rc = filter_table_open(&t->map, fd, "tap_state", "tap_counts");
	int book = rc == 0 || rc == -ENOENT ? map_book(t, fd) : 0;
	rc = rc != 0 ? rc : book;
	if (rc == -ENOENT)
		return refuse(err, cap, rc, "taps of another version of sentinel-tap are attached: sentinel-tap detach, then attach again");
	return rc != 0 ? refuse(err, cap, rc, "cannot map what the attached programs share: %s", bpf_why(rc)) : 0;
}

int
tap_find(struct tap *t, char *err, size_t cap)
{
	*t = (struct tap){.prog_fd = -1};
	t->n_links = link_list(&t->links);
	if (t->n_links < 0)
		return refuse(err, cap, t->n_links, "cannot list interfaces: %s", strerror(-t->n_links));
	bpf_why_listen();
	int slicer = -1;
	for (int i = 0; i < t->n_links; i++) {
		const struct link *l = &t->links[i];
		struct tap_place p = {.index = l->index, .ingress = look(t, l, BPF_TC_INGRESS), .egress = look(t, l, BPF_TC_EGRESS)};
		memcpy(p.interface, l->name, sizeof p.interface);
		if ((p.ingress || p.egress) && t->places < TAP_PLACES_MAX)
			t->place[t->places++] = p;
		int fd = ours(l->index, BPF_TC_EGRESS, SLICER);
		if (fd < 0)
			continue;
		t->capture = l->index;
		if (slicer >= 0)
			close(slicer);
		slicer = fd;
	}
	bpf_why_hush();
	/* the last tapped interface may be gone, and the capture device be there */
	int any = t->prog_fd >= 0 ? t->prog_fd : slicer;
	int rc = any >= 0 ? open_maps(t, any, err, cap) : 0;
	if (t->prog_fd < 0 && slicer >= 0 && rc == 0)
		t->places = 0;
	if (slicer >= 0)
		close(slicer);
	return rc;
}

void
tap_forget(struct tap *t)
{
	filter_table_close(&t->map);
	if (t->book != NULL)
		munmap(t->book, sizeof *t->book);
	if (t->prog_fd >= 0)
		close(t->prog_fd);
	free(t->links);
	*t = (struct tap){.prog_fd = -1};
}

/* A file that root alone can open: whoever can open what is locked can hold the lock. */
static int
lock_file(void)
{
	struct stat ns, st;
	char name[64];
	if (stat("/proc/self/ns/net", &ns) != 0 || (mkdir(LOCK_FOLDER, 0700) != 0 && errno != EEXIST))
		return -errno;
	int folder = open(LOCK_FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0)
		return -errno;
	snprintf(name, sizeof name, "net-%llu", (unsigned long long)ns.st_ino);
	bool theirs = fstat(folder, &st) != 0 || st.st_uid != 0 || (st.st_mode & 022) != 0;
	int fd = theirs ? -1 : openat(folder, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	int rc = theirs ? -EPERM : fd < 0 ? -errno : fd;
	close(folder);
	return rc;
}

int
tap_lock(char *err, size_t cap)
{
	int fd = lock_file();
	if (fd == -EPERM)
		return refuse(err, cap, EPERM, "%s is not root's alone: remove it", LOCK_FOLDER);
	if (fd < 0)
		return refuse(err, cap, fd, "cannot make a lock in %s: %s", LOCK_FOLDER, strerror(-fd));
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	int rc = errno;
	close(fd);
	if (rc == EWOULDBLOCK)
		return refuse(err, cap, EBUSY, "another sentinel-tap is at work here; try again in a moment");
	return refuse(err, cap, rc, "cannot lock this network namespace: %s", strerror(rc));
}

/* ---- attaching ---- */

/* What one attach has done, to be undone if it fails. */
struct doing {
	struct tap *t;
	struct tap_bpf *skel; /* NULL: the programs that are attached serve */
	int tap_fd, slice_fd;
	int made_capture; /* interface index; 0: it was there */
	struct {
		int index;
		enum bpf_tc_attach_point side;
	} attached[2 * TAP_PLACES_MAX];
	unsigned n;
	int clsact[TAP_PLACES_MAX];
	unsigned clsacts;
	int bridge[TAP_BRIDGES_MAX]; /* made promiscuous */
	unsigned bridges;
	const char *on; /* the list */
	char *err;
	size_t cap;
};

static void
drop_clsact(int index)
{
	LIBBPF_OPTS(bpf_tc_hook, both, .ifindex = index, .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	if (link_filters(index) == 0) /* others may have put filters there since */
		bpf_tc_hook_destroy(&both);
}

static void
take_off(int index, enum bpf_tc_attach_point side)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = index, .attach_point = side);
	LIBBPF_OPTS(bpf_tc_opts, o, .handle = HANDLE, .priority = PRIORITY);
	bpf_tc_detach(&hook, &o);
}

static void
hide(int index)
{
	char name[IF_NAMESIZE];
	if (if_indextoname((unsigned)index, name) != NULL)
		link_promiscuous(name, false);
}

static void
undo(struct doing *d)
{
	for (unsigned i = 0; i < d->n; i++)
		take_off(d->attached[i].index, d->attached[i].side);
	for (unsigned i = 0; i < d->clsacts; i++)
		drop_clsact(d->clsact[i]);
	for (unsigned i = 0; i < d->bridges; i++)
		hide(d->bridge[i]);
	if (d->made_capture != 0)
		link_delete(d->made_capture);
}

static int
put_on(struct doing *d, const struct link *l, enum bpf_tc_attach_point side, int fd)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = l->index, .attach_point = side);
	LIBBPF_OPTS(bpf_tc_opts, o, .handle = HANDLE, .priority = PRIORITY, .prog_fd = fd);
	int rc = bpf_tc_hook_create(&hook);
	if (rc == 0 && d->clsacts < TAP_PLACES_MAX)
		d->clsact[d->clsacts++] = l->index;
	if (rc == -EEXIST)
		rc = 0;
	if (rc != 0)
		return refuse(d->err, d->cap, rc, "%s takes no clsact qdisc: %s%s", l->name, rc == -ENOENT || rc == -EOPNOTSUPP ? "" : bpf_why(rc),
			rc == -ENOENT || rc == -EOPNOTSUPP ? "the kernel lacks it (CONFIG_NET_CLS_ACT, CONFIG_NET_SCH_INGRESS; modprobe sch_ingress)" : "");
	rc = bpf_tc_attach(&hook, &o);
	if (rc != 0)
		return refuse(d->err, d->cap, rc, "cannot attach to %s: %s%s%s", l->name,
			rc == -EEXIST || rc == -EINVAL ? "a tc filter of another kind has preference 1 there (tc filter show dev IF ingress|egress), or the "
							 "kernel lacks cls_bpf (modprobe cls_bpf)"
						       : bpf_why(rc),
			bpf_why_heard()[0] ? ": " : "", bpf_why_heard());
	d->attached[d->n].index = l->index;
	d->attached[d->n++].side = side;
	return 0;
}

static bool
has(const struct tap *t, int index, enum bpf_tc_attach_point side)
{
	for (unsigned i = 0; i < t->places; i++)
		if (t->place[i].index == index)
			return side == BPF_TC_INGRESS ? t->place[i].ingress : t->place[i].egress;
	return false;
}

static int
put_if_missing(struct doing *d, const struct link *l, enum bpf_tc_attach_point side)
{
	for (unsigned i = 0; i < d->n; i++)
		if (d->attached[i].index == l->index && d->attached[i].side == side)
			return 0;
	if (d->n + 2 >= 2 * TAP_PLACES_MAX)
		return refuse(d->err, d->cap, E2BIG, "more than %u interfaces", TAP_PLACES_MAX);
	return has(d->t, l->index, side) ? 0 : put_on(d, l, side, d->tap_fd);
}

/* A promiscuous bridge shows as its own what its ports send to each other, of ports that come later too. */
static int
show_ports(struct doing *d, const struct link *l)
{
	uint32_t room = TAP_BRIDGES_MAX - d->t->book->bridges;
	int rc = d->bridges < room ? link_promiscuous(l->name, true) : -E2BIG;
	if (rc < 0)
		return refuse(d->err, d->cap, rc, "cannot make the bridge %s promiscuous: %s", l->name, strerror(-rc));
	if (rc == 1)
		d->bridge[d->bridges++] = l->index;
	return 0;
}

/* A bridge's port: all that passes it passes the bridge, and would be cloned twice. */
static bool
stands_for(const struct doing *d, const struct link *l)
{
	for (int i = 0; i < d->t->n_links; i++) {
		const struct link *b = &d->t->links[i];
		if (b->index == l->master && strcmp(b->kind, "bridge") == 0)
			return link_named(d->on, b->name) || has(d->t, b->index, BPF_TC_INGRESS);
	}
	return false;
}

static int
tap_one(struct doing *d, const char *name, const char *to, const char *read)
{
	const struct tap *t = d->t;
	const struct link *l = link_find(t->links, t->n_links, name);
	int rc = 0;
	if (l == NULL)
		return refuse(d->err, d->cap, ENODEV, "there is no interface %s here (ip link shows those that are)", name);
	if (strcmp(name, to) == 0 || strcmp(name, read) == 0)
		return refuse(d->err, d->cap, EINVAL, "%s is the capture device; it cannot be tapped too", name);
	if (l->arp != ARPHRD_ETHER && l->arp != ARPHRD_LOOPBACK)
		return refuse(d->err, d->cap, EOPNOTSUPP,
			"%s has no Ethernet header (a tunnel of IP packets?); tap the interface that its packets leave by or the node's own loopback", name);
	if (stands_for(d, l))
		return 0;
	if (strcmp(l->kind, "bridge") == 0)
		rc = show_ports(d, l);
	if (rc == 0 && !(l->flags & IFF_LOOPBACK))
		rc = put_if_missing(d, l, BPF_TC_INGRESS);
	return rc == 0 ? put_if_missing(d, l, BPF_TC_EGRESS) : rc;
}

static int
tap_all(struct doing *d, const char *on, const char *to, const char *read)
{
	for (;;) {
		char name[16];
		size_t n = strcspn(on, ",");
		if (n == 0 || n >= sizeof name)
			return refuse(d->err, d->cap, EINVAL, "--on takes names of interfaces, with commas between them, not '%.*s'", n < 60 ? (int)n : 60, on);
		memcpy(name, on, n);
		name[n] = '\0';
		int rc = tap_one(d, name, to, read);
		if (rc != 0 || on[n] == '\0')
			return rc;
		on += n + 1;
	}
}

static int
capture_device(struct doing *d, const char *to, const char *read)
{
	struct tap *t = d->t;
	const struct link *l = link_find(t->links, t->n_links, to);
	if (t->book != NULL && (l == NULL || l->index != (int)t->book->to))
		return refuse(d->err, d->cap, EBUSY, "taps are attached already, with another capture device: sentinel-tap detach, then attach again");
	if (l != NULL && strcmp(l->kind, "veth") != 0)
		return refuse(d->err, d->cap, EEXIST, "%s is there and no end of a veth pair: name another with --to", to);
	if (l != NULL) {
		t->capture = l->index;
		return (l->flags & IFF_UP) ? 0 : refuse(d->err, d->cap, ENETDOWN, "%s is down: ip link set %s up", to, to);
	}
	int rc = link_make_pair(to, read, TAP_MTU);
	d->made_capture = (int)if_nametoindex(to);
	if (rc != 0)
		return refuse(d->err, d->cap, rc, "cannot make the veth pair %s, %s: %s", to, read,
			rc == -EEXIST ? "one of them is there already" : rc == -EOPNOTSUPP ? "the kernel has no veth (modprobe veth)" : bpf_why(rc));
	t->capture = d->made_capture;
	return 0;
}

/* By either program all that they share is found, also what its code does not use. */
static int
bind_maps(const struct tap_bpf *skel, int fd)
{
	const struct bpf_map *const maps[] = {skel->maps.tap_state, skel->maps.tap_counts, skel->maps.tap_book};
	for (unsigned i = 0; i < sizeof maps / sizeof maps[0]; i++)
		if (bpf_prog_bind_map(fd, bpf_map__fd(maps[i]), NULL) != 0 && errno != EEXIST)
			return -errno;
	return 0;
}

static int
load(struct doing *d)
{
	d->skel = tap_bpf__open();
	if (d->skel == NULL)
		return refuse(d->err, d->cap, errno, "cannot open the program: %s", strerror(errno));
	d->skel->rodata->tap_to = (uint32_t)d->t->capture;
	int cpus = libbpf_num_possible_cpus();
	int rc = cpus < 0 ? cpus : bpf_map__set_max_entries(d->skel->maps.tap_pieces, (uint32_t)cpus * TAP_PIECES_MAX);
	if (rc == 0)
		rc = tap_bpf__load(d->skel);
	if (rc != 0)
		return refuse(d->err, d->cap, rc, "the kernel refuses the program: %s%s%s%s", bpf_why(rc), bpf_why_heard()[0] ? " (" : "",
			bpf_why_heard(), bpf_why_heard()[0] ? ")" : "");
	d->tap_fd = bpf_program__fd(d->skel->progs.sentinel_tap);
	d->slice_fd = bpf_program__fd(d->skel->progs.sentinel_slice);
	rc = bind_maps(d->skel, d->tap_fd);
	if (rc == 0)
		rc = bind_maps(d->skel, d->slice_fd);
	if (rc != 0)
		return refuse(d->err, d->cap, rc, "the kernel does not tie the maps to the program: %s", bpf_why(rc));
	return open_maps(d->t, d->tap_fd, d->err, d->cap);
}

static void
note(struct doing *d)
{
	struct tap_book *b = d->t->book;
	b->to = (uint32_t)d->t->capture;
	if (d->made_capture != 0)
		b->made_pair = 1;
	for (unsigned i = 0; i < d->clsacts && b->n < TAP_BOOK_MAX; i++)
		b->made_clsact[b->n++] = (uint32_t)d->clsact[i];
	for (unsigned i = 0; i < d->bridges && b->bridges < TAP_BRIDGES_MAX; i++)
		b->made_promiscuous[b->bridges++] = (uint32_t)d->bridge[i];
}

static int
attach(struct doing *d, const char *on, const char *to, const char *read, const struct filter *filter)
{
	static const struct filter all = {.given = true};
	struct tap *t = d->t;
	int rc = capture_device(d, to, read);
	bool fresh = t->book == NULL;
	if (rc == 0 && t->prog_fd >= 0)
		d->tap_fd = t->prog_fd;
	else if (rc == 0 && !fresh)
		return refuse(d->err, d->cap, ESTALE, "the interfaces that were tapped are gone: sentinel-tap detach, then attach again");
	else if (rc == 0)
		rc = load(d);
	if (rc != 0)
		return rc;
	if (filter != NULL || fresh)
		filter_table_set(&t->map, filter != NULL ? filter : &all, 0);
	if (fresh) {
		struct link capture = {.index = t->capture};
		snprintf(capture.name, sizeof capture.name, "%s", to);
		rc = put_on(d, &capture, BPF_TC_EGRESS, d->slice_fd);
	}
	return rc == 0 ? tap_all(d, on, to, read) : rc;
}

int
tap_attach(struct tap *t, const char *on, const char *to, const char *read, const struct filter *filter, char *err, size_t cap)
{
	struct doing *d = calloc(1, sizeof *d);
	if (d == NULL)
		return refuse(err, cap, ENOMEM, "no memory");
	d->t = t;
	d->on = on;
	d->err = err;
	d->cap = cap;
	bpf_why_listen();
	int rc = attach(d, on, to, read, filter);
	if (rc == 0)
		note(d);
	else
		undo(d);
	tap_bpf__destroy(d->skel);
	bpf_why_hush();
	free(d);
	return rc;
}

/* Without a book nobody knows who made what: a clsact qdisc that is empty serves nobody, and a veth pair that ends in our program is ours. */
static bool
drop_without_book(const struct tap *t)
{
	for (unsigned i = 0; i < t->places; i++)
		drop_clsact(t->place[i].index);
	if (t->capture != 0)
		drop_clsact(t->capture);
	for (int i = 0; i < t->n_links; i++)
		if (t->links[i].index == t->capture)
			return strcmp(t->links[i].kind, "veth") == 0;
	return false;
}

static bool
drop_by_book(const struct tap *t)
{
	for (uint32_t i = 0; i < t->book->n && i < TAP_BOOK_MAX; i++)
		drop_clsact((int)t->book->made_clsact[i]);
	for (uint32_t i = 0; i < t->book->bridges && i < TAP_BRIDGES_MAX; i++)
		hide((int)t->book->made_promiscuous[i]);
	return t->book->made_pair;
}

int
tap_detach(struct tap *t, char *err, size_t cap)
{
	if (t->book == NULL && t->places == 0 && t->capture == 0)
		return refuse(err, cap, ENOENT, "nothing is attached here");
	bpf_why_listen();
	for (unsigned i = 0; i < t->places; i++) {
		if (t->place[i].ingress)
			take_off(t->place[i].index, BPF_TC_INGRESS);
		if (t->place[i].egress)
			take_off(t->place[i].index, BPF_TC_EGRESS);
	}
	if (t->capture != 0)
		take_off(t->capture, BPF_TC_EGRESS);
	bool pair = t->book != NULL ? drop_by_book(t) : drop_without_book(t);
	int rc = t->capture != 0 && pair ? link_delete(t->capture) : 0;
	bpf_why_hush();
	return rc != 0 ? refuse(err, cap, rc, "the programs are off, but the veth pair cannot be deleted: %s", bpf_why(rc)) : 0;
}
