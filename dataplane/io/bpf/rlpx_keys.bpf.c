/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/* rlpx_keys: the secrets of a node's RLPx sessions, read where they pass (io/keys/probes.h). Every length is checked here, and again by who reads
 * the ring. */
#include <linux/bpf.h>
#include <linux/ptrace.h>

#include <bpf/bpf_helpers.h>

#include "io/keys/probes.h"

#define RING_BYTES (1u << 18) /* some 1400 sessions */
#define SOCK_STREAM 1
#define AF_INET 2
#define AF_INET6 10
#define FD_FAMILY 56
#define FD_LADDR 96
#define CONN_OF_CONN 8
#define WRAPPERS 3 /* interfaces within interfaces that are looked into */

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RING_BYTES);
} ring SEC(".maps");

const volatile struct probes_layout layout[PROBES_ROWS];

/* Whose processes are nodes; whoever else runs the program could fill the ring with secrets of his own making. None: anybody's. */
const volatile __u32 users[PROBES_USERS_MAX];
const volatile __u32 users_n;

/* Read by sentinel-keys from the program's memory. */
__u64 seen, lost, refused, others; /* calls; no room in the ring; not as they must be; other users' calls */

struct slice {
	__u64 p, n, cap;
};

struct iface {
	__u64 type, p;
};

static __always_inline int
word(__u64 at, __u64 *out)
{
	return bpf_probe_read_user(out, sizeof *out, (const void *)at);
}

static __always_inline int
secret(__u64 at, __u8 *out)
{
	struct slice s;
	if (bpf_probe_read_user(&s, sizeof s, (const void *)at) != 0)
		return -1;
	if (s.n != PROBES_SECRET_BYTES || s.cap < s.n || s.p == 0)
		return -1;
	return bpf_probe_read_user(out, PROBES_SECRET_BYTES, (const void *)s.p);
}

/* A TCPAddr. */
static __always_inline int
address(__u64 at, struct probes_event *e, int i)
{
	struct {
		struct slice ip;
		__u64 port;
	} a;
	if (at == 0 || bpf_probe_read_user(&a, sizeof a, (const void *)at) != 0)
		return -1;
	if (a.ip.p == 0 || a.port == 0 || a.port > 65535)
		return -1;
	e->port[i] = a.port;
	e->ip_n[i] = a.ip.n;
	if (a.ip.n == 4)
		return bpf_probe_read_user(e->ip[i], 4, (const void *)a.ip.p);
	if (a.ip.n == 16)
		return bpf_probe_read_user(e->ip[i], 16, (const void *)a.ip.p);
	return -1;
}

/* Whether a TCPConn is there. */
static __always_inline int
tcp(__u64 at, struct probes_event *e)
{
	struct {
		__u64 family, type;
	} kind;
	struct iface ends[2];
	__u64 fd;
	if (word(at, &fd) != 0 || bpf_probe_read_user(&kind, sizeof kind, (const void *)(fd + FD_FAMILY)) != 0)
		return -1;
	if ((kind.family != AF_INET && kind.family != AF_INET6) || kind.type != SOCK_STREAM)
		return -1;
	if (bpf_probe_read_user(ends, sizeof ends, (const void *)(fd + FD_LADDR)) != 0)
		return -1;
	if (address(ends[0].p, e, 0) != 0 || address(ends[1].p, e, 1) != 0)
		return -1;
	return 0;
}

static __always_inline void
endpoints(__u64 conn, struct probes_event *e)
{
	struct iface i;
	if (bpf_probe_read_user(&i, sizeof i, (const void *)(conn + CONN_OF_CONN)) != 0)
		return;
#pragma unroll
	for (int depth = 0; depth < WRAPPERS; depth++) {
		if (i.p == 0)
			return;
		if (tcp(i.p, e) == 0) {
			e->ends = 1;
			return;
		}
		if (bpf_probe_read_user(&i, sizeof i, (const void *)i.p) != 0)
			return;
	}
}

static __always_inline int
fill(struct pt_regs *ctx, __u32 row, struct probes_event *e)
{
	__u64 sp = ctx->rsp, conn = ctx->rax, dialed = 0;
	const volatile struct probes_layout *l = &layout[row];
	if (l->conn_at != PROBES_CONN_REGISTER && word(sp + l->conn_at, &conn) != 0)
		return -1;
	__builtin_memset(e, 0, sizeof *e);
	e->magic = PROBES_EVENT_MAGIC;
	e->row = row;
	e->pid = bpf_get_current_pid_tgid() >> 32;
	if (secret(sp + l->aes_at, e->aes) != 0 || secret(sp + l->mac_at, e->mac) != 0)
		return -1;
	if (word(conn, &dialed) == 0) {
		e->dialed = dialed != 0;
		endpoints(conn, e);
	}
	return 0;
}

static __always_inline int
is_node(void)
{
	__u32 user = (__u32)bpf_get_current_uid_gid();
	for (__u32 i = 0; i < PROBES_USERS_MAX; i++)
		if (i < users_n && users[i] == user)
			return 1;
	return users_n == 0;
}

SEC("uprobe")
int
rlpx_keys(struct pt_regs *ctx)
{
	__u64 row = bpf_get_attach_cookie(ctx);
	if (!is_node()) {
		__sync_fetch_and_add(&others, 1);
		return 0;
	}
	__sync_fetch_and_add(&seen, 1);
	if (row >= PROBES_ROWS)
		return 0;
	struct probes_event *e = bpf_ringbuf_reserve(&ring, sizeof *e, 0);
	if (e == NULL) {
		__sync_fetch_and_add(&lost, 1);
		return 0;
	}
	if (fill(ctx, row, e) != 0) {
		__sync_fetch_and_add(&refused, 1);
		bpf_ringbuf_discard(e, 0);
		return 0;
	}
	bpf_ringbuf_submit(e, 0);
	return 0;
}
