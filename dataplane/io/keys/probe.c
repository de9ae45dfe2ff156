/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/keys/probe.h"

#include "rlpx_keys.skel.h"

#include <bpf/libbpf.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct probe {
	struct rlpx_keys_bpf *bpf;
	struct ring_buffer *ring;
	probe_session *session;
	void *ctx;
	uint64_t odd;
};

static int
quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	return 0;
}

/* ---- refusals ---- */

static void
explain(int err, const char *what, char *out, size_t cap)
{
	if (err == EPERM || err == EACCES)
		snprintf(out, cap,
			"%s: not allowed (%s). Probes need root, or CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN; where root is refused too the kernel is locked down (cat "
			"/sys/kernel/security/lockdown) or this is a container without these rights",
			what, strerror(err));
	else if (access("/sys/bus/event_source/devices/uprobe/type", R_OK) != 0)
		snprintf(out, cap, "%s: %s. This kernel has no uprobes (CONFIG_UPROBE_EVENTS), or /sys is not mounted; let the node's owner ship a key log and use --keylog", what,
			strerror(err));
	else if (err == EINVAL || err == ENOTSUP)
		snprintf(out, cap, "%s: %s. It takes Linux 5.15 or newer, with CONFIG_BPF_SYSCALL and CONFIG_UPROBE_EVENTS", what, strerror(err));
	else
		snprintf(out, cap, "%s: %s", what, strerror(err));
}

/* ---- the ring ---- */

static int
take(void *ctx, void *data, size_t n)
{
	struct probe *p = ctx;
	struct rlpx_key key;
	uint32_t pid;
	if (probe_key(data, n, &key, &pid))
		p->session(p->ctx, &key, pid);
	else
		p->odd++;
	explicit_bzero(&key, sizeof key);
	return 0;
}

int
probe_fd(const struct probe *p)
{
	return ring_buffer__epoll_fd(p->ring);
}

void
probe_take(struct probe *p)
{
	ring_buffer__consume(p->ring);
}

struct probe_counters
probe_count(const struct probe *p)
{
	return (struct probe_counters){__atomic_load_n(&p->bpf->bss->seen, __ATOMIC_RELAXED), __atomic_load_n(&p->bpf->bss->lost, __ATOMIC_RELAXED),
		__atomic_load_n(&p->bpf->bss->refused, __ATOMIC_RELAXED), p->odd, __atomic_load_n(&p->bpf->bss->others, __ATOMIC_RELAXED)};
}

/* ---- life ---- */

static int
load(struct probe *p, const struct probe_users *users)
{
	p->bpf = rlpx_keys_bpf__open();
	if (p->bpf == NULL)
		return errno;
	for (int i = 0; i < PROBES_ROWS; i++)
		p->bpf->rodata->layout[i] = probes_table[i].layout;
	p->bpf->rodata->users_n = users->n;
	for (unsigned i = 0; i < users->n; i++)
		p->bpf->rodata->users[i] = users->user[i];
	int rc = rlpx_keys_bpf__load(p->bpf);
	if (rc != 0)
		return -rc;
	p->ring = ring_buffer__new(bpf_map__fd(p->bpf->maps.ring), take, p, NULL);
	return p->ring == NULL ? errno : 0;
}

struct probe *
probe_open(probe_session *session, void *ctx, const struct probe_users *users, char *err, size_t cap)
{
	struct probe *p = calloc(1, sizeof *p);
	libbpf_set_print(quiet);
	int rc = p == NULL ? ENOMEM : 0;
	if (rc == 0) {
		p->session = session;
		p->ctx = ctx;
		rc = load(p, users);
	}
	if (rc == 0)
		return p;
	explain(rc, "cannot load the program that reads a node's secrets", err, cap);
	probe_close(p);
	return NULL;
}

void
probe_close(struct probe *p)
{
	if (p == NULL)
		return;
	ring_buffer__free(p->ring);
	rlpx_keys_bpf__destroy(p->bpf);
	free(p);
}

struct bpf_link *
probe_attach(struct probe *p, int fd, const struct program *program, char *err, size_t cap)
{
	LIBBPF_OPTS(bpf_uprobe_opts, options, .bpf_cookie = (uint64_t)program->row);
	char path[64];
	struct program_id id;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd); /* the very file that was read, whatever has its name now */
	errno = 0;
	struct bpf_link *link = bpf_program__attach_uprobe_opts(p->bpf->progs.rlpx_keys, -1, path, program->at.offset, &options);
	if (link == NULL) {
		explain(errno, "cannot place a probe", err, cap);
		return NULL;
	}
	if (program_id(fd, &id) != 0 || !program_same(&id, &program->id)) {
		probe_detach(link);
		snprintf(err, cap, "is being written just now");
		return NULL;
	}
	return link;
}

void
probe_detach(struct bpf_link *link)
{
	if (link != NULL)
		bpf_link__destroy(link);
}
