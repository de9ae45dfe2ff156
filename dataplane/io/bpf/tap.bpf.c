/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/* tap: tc programs on the interfaces of a node's own host. sentinel_tap hands clones of the nodes' frames to a capture device and lets the
 * frames themselves go on as if it were not there. sentinel_slice, on the capture device's own egress, cuts frames that are larger than
 * a wire's (a loopback's, jumbo frames): it keeps the payload aside, makes the clone as short as a piece, and sends clones of that, which
 * come by again, told by their marks which piece each is to hold. (To make a large frame shorter the kernel copies all of it: once, then, and not
 * for each piece.) What segmentation offload would cut is left to the kernel, which does so on a device without offloads. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

#include "io/bpf/table.h"

#define FRAME_CTX struct __sk_buff
#define frame_read(ctx, off, to, n) ((off) > FRAME_OFFSET_MAX ? -1 : (int)bpf_skb_load_bytes(ctx, off, to, n))

#include "io/bpf/judge.bpf.h"
#include "io/bpf/tap.h"

/* of the capture device; set before loading */
const volatile __u32 tap_to = 0;

MAPPED_ARRAY(tap_state, struct table_state, 1);

MAPPED_ARRAY(tap_counts, struct table_counts, TABLE_CPUS_MAX);

MAPPED_ARRAY(tap_book, struct tap_book, 1);

/* A CPU's are together; as many CPUs as there are are given before loading. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TAP_PIECES_MAX);
	__type(key, __u32);
	__type(value, __u8[TAP_PIECE]);
} tap_pieces SEC(".maps");

/* How long the frame is whose pieces are kept. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} tap_whole SEC(".maps");

static __always_inline void
count(__u32 at)
{
	count_in(&tap_counts, at, TABLE_SLOTS);
}

#define JUMBO 8 /* bytes of a hop-by-hop header with a jumbo payload option */

/* Where the parts of a TCP segment lie. 0, or -1 if it is none that can be cut. */
struct lay {
	__u32 ip, tcp, data;
	int six;
};

int lay_out(struct __sk_buff *skb, struct lay *l);

__attribute__((noinline)) int
lay_out(struct __sk_buff *skb, struct lay *l)
{
	__u16 type = 0, frag = 0;
	__u8 b = 0, proto = 0, jumbo[4];
	__u32 ip = 14, tcp;
	if (l == NULL || frame_read(skb, 12, &type, 2) != 0)
		return -1;
	for (int i = 0; i < TAGS_MAX && is_tag(type); i++) {
		if (frame_read(skb, ip + 2, &type, 2) != 0)
			return -1;
		ip += 4;
	}
	if (frame_read(skb, ip, &b, 1) != 0)
		return -1;
	if (type == bpf_htons(0x0800)) {
		tcp = ip + (b & 15) * 4u;
		if (frame_read(skb, ip + 9, &proto, 1) != 0 || frame_read(skb, ip + 6, &frag, 2) != 0 || (frag & bpf_htons(0x3fff)) != 0)
			return -1;
	} else if (type == bpf_htons(0x86dd)) {
		tcp = ip + 40;
		if (frame_read(skb, ip + 6, &proto, 1) != 0)
			return -1;
		if (proto == 0) { /* segmentation offload beyond 64 kB puts a jumbo payload option in front */
			if (frame_read(skb, tcp, jumbo, 4) != 0 || jumbo[1] != 0 || jumbo[2] != 0xc2 || jumbo[3] != 4)
				return -1;
			proto = jumbo[0];
			tcp += JUMBO;
		}
	} else {
		return -1;
	}
	if (proto != 6 || frame_read(skb, tcp + 12, &b, 1) != 0 || b >> 4 < 5)
		return -1;
	l->ip = ip;
	l->tcp = tcp;
	l->data = tcp + (b >> 4) * 4u;
	l->six = type == bpf_htons(0x86dd);
	return l->data < skb->len ? 0 : -1;
}

/* How many pieces the frame is to be cut into; 0: none, it fits, or the kernel cuts it. */
static __always_inline __u32
pieces(struct __sk_buff *skb)
{
	struct lay l = {};
	__u32 len = skb->len, gso = skb->gso_size;
	if (len <= TAP_FRAME_MAX || (gso != 0 && gso <= TAP_FRAME_MAX - 134) || lay_out(skb, &l) != 0)
		return 0;
	return (len - l.data + TAP_PIECE - 1) / TAP_PIECE;
}

/* The mark tells sentinel_slice what to do with a clone; the frame keeps its own. Returns where it counts. */
static __always_inline __u32
hand_on(struct __sk_buff *skb, __u32 at)
{
	__u32 mark = skb->mark, n = at == STEER_TAKEN ? pieces(skb) : 0;
	if (n > TAP_PIECES_MAX)
		return TAP_FAILED;
	if (n != 0)
		count(TAP_SLICED);
	skb->mark = n != 0 ? TAP_MARK_WHOLE : 0;
	long rc = bpf_clone_redirect(skb, tap_to, 0);
	skb->mark = mark;
	return rc != 0 ? TAP_FAILED : at;
}

SEC("tc")
int
sentinel_tap(struct __sk_buff *skb)
{
	__u32 zero = 0;
	struct table_frame f = {};
	__u16 type = 0;
	struct table_state *s = bpf_map_lookup_elem(&tap_state, &zero);
	if (s == NULL || skb->ifindex == tap_to)
		return TC_ACT_UNSPEC;
	if (skb->vlan_present)
		add_vlan(&f, skb->vlan_tci);
	__u32 at = frame_read(skb, 12, &type, sizeof type) != 0 ? STEER_PASSED_MALFORMED : (__u32)judge(s, skb, 14, type, &f);
	if (at <= STEER_TAKEN_TUNNELS)
		at = hand_on(skb, at);
	count(at);
	return TC_ACT_UNSPEC; /* whoever comes next decides */
}

#define CHUNK (TAP_PIECE / 3)

/* The checksum of the pseudo header, the TCP header as it is, and the piece. If the header's checksum is right, the first two are what all of the old
 * payload adds up to, taken away. So this is by how much a checksum over everything changes when the piece takes the payload's place.
 * (A checksum that the sender left to a device is not one over everything, and does not get this.) */
static __always_inline __u32
difference(struct __sk_buff *skb, const struct lay *l, __u32 old_len, const __u8 *piece)
{
	struct {
		__u32 address[8], rest[2];
	} pseudo = {};
	__u32 head[15] = {};
	__u32 n = l->data - l->tcp;
	if (l->six)
		bpf_skb_load_bytes(skb, l->ip + 8, pseudo.address, 32);
	else
		bpf_skb_load_bytes(skb, l->ip + 12, pseudo.address, 8);
	pseudo.rest[0] = bpf_htonl(old_len - l->tcp);
	pseudo.rest[1] = bpf_htonl(6);
	if (n < 20 || n > 60)
		return 0;
	bpf_skb_load_bytes(skb, l->tcp, head, n);
	__s64 sum = bpf_csum_diff(NULL, 0, (__be32 *)&pseudo, sizeof pseudo, 0);
	sum = bpf_csum_diff(NULL, 0, head, sizeof head, (__u32)sum);
	sum = bpf_csum_diff(NULL, 0, (__be32 *)piece, CHUNK, (__u32)sum);
	sum = bpf_csum_diff(NULL, 0, (__be32 *)(piece + CHUNK), CHUNK, (__u32)sum);
	return (__u32)bpf_csum_diff(NULL, 0, (__be32 *)(piece + 2 * CHUNK), CHUNK, (__u32)sum);
}

/* Headers of a piece that starts `start` bytes into the payload. The order: checksums are told what changes. */
static __always_inline void
mend(struct __sk_buff *skb, const struct lay *l, __u32 old_len, __u32 new_len, __u32 start, int last, __u32 diff)
{
	__u16 was = 0, is;
	__u32 seq = 0, seq_is, check = l->tcp + 16;
	bpf_l4_csum_replace(skb, check, 0, diff, 0);
	bpf_l4_csum_replace(skb, check, bpf_htonl(old_len - l->tcp), bpf_htonl(new_len - l->tcp), BPF_F_PSEUDO_HDR | 4);
	bpf_skb_load_bytes(skb, l->tcp + 4, &seq, 4);
	seq_is = bpf_htonl(bpf_ntohl(seq) + start);
	bpf_l4_csum_replace(skb, check, seq, seq_is, 4);
	bpf_skb_store_bytes(skb, l->tcp + 4, &seq_is, 4, 0);
	if (!last) { /* FIN and PSH belong to the last byte */
		bpf_skb_load_bytes(skb, l->tcp + 12, &was, 2);
		is = was & bpf_htons(0xfff6);
		bpf_l4_csum_replace(skb, check, was, is, 2);
		bpf_skb_store_bytes(skb, l->tcp + 12, &is, 2, 0);
	}
	if (l->six) {
		static const __u8 padding[6] = {1, 4};
		is = bpf_htons((__u16)(new_len - l->ip - 40));
		bpf_skb_store_bytes(skb, l->ip + 4, &is, 2, 0);
		if (l->tcp != l->ip + 40)
			bpf_skb_store_bytes(skb, l->ip + 42, padding, sizeof padding, 0);
		return;
	}
	bpf_skb_load_bytes(skb, l->ip + 2, &was, 2);
	is = bpf_htons((__u16)(new_len - l->ip));
	bpf_l3_csum_replace(skb, l->ip + 10, was, is, 2);
	bpf_skb_store_bytes(skb, l->ip + 2, &is, 2, 0);
}

static __always_inline __u8 *
piece_of(__u32 i)
{
	__u32 at = bpf_get_smp_processor_id() * TAP_PIECES_MAX + i;
	return i < TAP_PIECES_MAX ? bpf_map_lookup_elem(&tap_pieces, &at) : NULL;
}

/* Keeps as piece i what comes from off on, of a frame of len bytes. */
int keep(struct __sk_buff *skb, __u32 i, __u32 off, __u32 len);

__attribute__((noinline)) int
keep(struct __sk_buff *skb, __u32 i, __u32 off, __u32 len)
{
	__u8 *piece = piece_of(i);
	__u32 n = len - off;
	if (piece == NULL)
		return -1;
	if (n >= TAP_PIECE)
		return (int)bpf_skb_load_bytes(skb, off, piece, TAP_PIECE);
	for (__u32 k = 0; k < TAP_PIECE / 4; k++) /* sums go over all of it */
		((volatile __u32 *)piece)[k] = 0;
	return n == 0 ? -1 : (int)bpf_skb_load_bytes(skb, off, piece, n);
}

/* Two functions, so that the kernel does not verify the second loop for every way out of the first. */
int keep_all(struct __sk_buff *skb, __u32 off, __u32 len);
int send_all(struct __sk_buff *skb, __u32 off, __u32 len);

__attribute__((noinline)) int
keep_all(struct __sk_buff *skb, __u32 off, __u32 len)
{
	for (__u32 i = 0; i < TAP_PIECES_MAX && off < len; i++, off += TAP_PIECE)
		if (keep(skb, i, off, len) != 0)
			return -1;
	return 0;
}

/* All but the first. */
__attribute__((noinline)) int
send_all(struct __sk_buff *skb, __u32 off, __u32 len)
{
	for (__u32 i = 1; i < TAP_PIECES_MAX; i++) {
		off += TAP_PIECE;
		if (off >= len)
			break;
		skb->mark = TAP_MARK | i;
		if (bpf_clone_redirect(skb, tap_to, 0) != 0)
			return -1;
	}
	skb->mark = 0;
	return 0;
}

/* Makes piece i of a frame of old_len bytes of what is as long as its first piece, and has its headers. */
int become(struct __sk_buff *skb, __u32 i, __u32 old_len);

__attribute__((noinline)) int
become(struct __sk_buff *skb, __u32 i, __u32 old_len)
{
	struct lay l = {};
	__u8 *piece = piece_of(i);
	__u32 start = i * TAP_PIECE;
	if (piece == NULL || lay_out(skb, &l) != 0 || old_len <= l.data + start)
		return -1;
	__u32 left = old_len - l.data - start, n = left < TAP_PIECE ? left : TAP_PIECE;
	if (n == 0 || n > TAP_PIECE)
		return -1;
	__u32 diff = difference(skb, &l, old_len, piece);
	if (i != 0 && bpf_skb_store_bytes(skb, l.data, piece, n, 0) != 0)
		return -1;
	if (l.data + n < skb->len && bpf_skb_change_tail(skb, l.data + n, 0) != 0)
		return -1;
	mend(skb, &l, old_len, l.data + n, start, left <= TAP_PIECE, diff);
	return 0;
}

/* 0, or -1 if not all pieces are on their way. */
static __always_inline int
cut(struct __sk_buff *skb)
{
	struct lay l = {};
	__u32 zero = 0, old_len = skb->len, *whole = bpf_map_lookup_elem(&tap_whole, &zero);
	if (whole == NULL || lay_out(skb, &l) != 0 || old_len <= l.data + TAP_PIECE)
		return -1;
	*whole = old_len;
	if (keep_all(skb, l.data, old_len) != 0 || bpf_skb_change_tail(skb, l.data + TAP_PIECE, 0) != 0 || send_all(skb, l.data, old_len) != 0)
		return -1;
	return become(skb, 0, old_len);
}

SEC("tc")
int
sentinel_slice(struct __sk_buff *skb)
{
	__u32 zero = 0, mark = skb->mark, *whole;
	if (mark == TAP_MARK_WHOLE)
		return cut(skb) == 0 ? TC_ACT_UNSPEC : TC_ACT_SHOT;
	if ((mark & ~(TAP_PIECES_MAX - 1)) != TAP_MARK)
		return TC_ACT_UNSPEC;
	skb->mark = 0;
	whole = bpf_map_lookup_elem(&tap_whole, &zero);
	return whole != NULL && become(skb, mark & (TAP_PIECES_MAX - 1), *whole) == 0 ? TC_ACT_UNSPEC : TC_ACT_SHOT;
}

char _license[] SEC("license") = "Dual BSD/GPL";
