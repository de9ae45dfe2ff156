/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/* steer: the XDP program on a port that is shared with others. The nodes' frames go to the AF_XDP socket of their receive queue; everything
 * else goes on to the kernel untouched. The ethdev driver loads it and fills xsks_map; io/steer.c finds the other maps by
 * their names and works on them as memory. */
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

#include "io/bpf/table.h"

#define FRAME_CTX struct xdp_md

static __attribute__((always_inline)) inline int
frame_read_n(struct xdp_md *ctx, __u32 off, void *to, __u32 n)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	if (off > FRAME_OFFSET_MAX)
		return -1;
	void *p = data + off;
	if (p + n > end)
		return -1;
	__builtin_memcpy(to, p, n);
	return 0;
}
/* n is a constant of the caller */
#define frame_read(ctx, off, to, n) frame_read_n(ctx, off, to, n)

#include "io/bpf/judge.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u32);
} xsks_map SEC(".maps");

MAPPED_ARRAY(steer_state, struct table_state, 1);

MAPPED_ARRAY(steer_counts, struct table_counts, TABLE_CPUS_MAX);

MAPPED_ARRAY(steer_own, struct table_own, 1);

int is_own(struct table_own *o, struct table_frame *f);

__attribute__((noinline)) int
is_own(struct table_own *o, struct table_frame *f)
{
	if (o == NULL || f == NULL)
		return 0;
	__u32 n = once(o->n);
	for (__u32 i = 0; i < TABLE_OWN_MAX; i++) {
		if (i >= n)
			break;
		if (once(o->ip[i][0]) == f->ip[1][0] && once(o->ip[i][1]) == f->ip[1][1])
			return 1;
	}
	return 0;
}

SEC("xdp")
int
sentinel_steer(struct xdp_md *ctx)
{
	__u32 zero = 0;
	struct table_frame f = {};
	__u16 type = 0;
	struct table_state *s = bpf_map_lookup_elem(&steer_state, &zero);
	struct table_own *own = bpf_map_lookup_elem(&steer_own, &zero);
	if (s == NULL || own == NULL)
		return XDP_PASS;
	int at = frame_read(ctx, 12, &type, sizeof type) != 0 ? STEER_PASSED_MALFORMED : judge(s, ctx, 14, type, &f);
	int then = XDP_PASS;
	/* what a node sends to this host is waited for here; a tunnel that ends here is how a switch mirrors */
	if (at < STEER_TAKEN_TUNNELS && is_own(own, &f))
		at = STEER_PASSED_OWN;
	if (at <= STEER_TAKEN_TUNNELS) {
		then = bpf_redirect_map(&xsks_map, ctx->rx_queue_index, XDP_PASS);
		if (then != XDP_REDIRECT)
			at = STEER_PASSED_NO_SOCKET;
	}
	count_in(&steer_counts, (__u32)at, STEER_COUNT);
	return then;
}

char _license[] SEC("license") = "Dual BSD/GPL";
