/* SPDX-License-Identifier: BSD-3-Clause */
/* The tc program by the kernel's own test run, against the oracle of steer's test: the same frames are the nodes', each is cloned to the capture device
 * once, and the frame itself goes on untouched. And what attach and detach make and take away. Needs root (77 without). */
#include "frame_oracle.h"

#include "io/tap/tap.h"
#include "tap.skel.h"

#include <linux/pkt_cls.h>

#include <bpf/bpf.h>

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static char err[512];

static void
must(int rc)
{
	if (rc != 0)
		fail_msg("%s (%d)", err, rc);
}

static int
listen_on(const char *interface)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ALL)), room = 1 << 24;
	struct sockaddr_ll a = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex(interface)};
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

static unsigned
come(int fd, uint8_t *last, size_t *n)
{
	unsigned k = 0;
	for (unsigned patience = 0; patience < 20 && k == 0; patience++) {
		ssize_t got;
		while ((got = recv(fd, last, ORACLE_FRAME_MAX, 0)) > 0) {
			*n = (size_t)got;
			k++;
		}
		if (k == 0)
			usleep(500);
	}
	return k;
}

/* False of a frame that the test run does not take (one whose IP header would be cut off). */
static bool
judge(const struct tap *t, int fd, const uint8_t *frame, size_t n, int want, uint64_t was[STEER_COUNT])
{
	uint8_t out[4096], clone[ORACLE_FRAME_MAX];
	uint64_t now[STEER_COUNT];
	size_t got = 0;
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = frame, .data_size_in = (uint32_t)n, .data_out = out, .data_size_out = sizeof out);
	int rc = bpf_prog_test_run_opts(t->prog_fd, &o);
	if (rc == -EINVAL)
		return false;
	assert_int_equal(rc, 0);
	assert_int_equal((int)o.retval, TC_ACT_UNSPEC);
	assert_int_equal(o.data_size_out, n);
	assert_memory_equal(out, frame, n);
	filter_table_counts(&t->map, now);
	for (int i = 0; i < STEER_COUNT; i++)
		if (now[i] != was[i] + (i == want))
			fail_msg("counter %d went from %llu to %llu, must be counted as %d", i, (unsigned long long)was[i], (unsigned long long)now[i], want);
	memcpy(was, now, sizeof now);
	if (want > STEER_TAKEN_TUNNELS)
		return true;
	assert_int_equal(come(fd, clone, &got), 1);
	/* a packet socket puts the outermost tag aside */
	assert_true(got == n || got + 4 == n);
	assert_memory_equal(clone, frame, 12);
	assert_memory_equal(clone + 12, frame + n - (got - 12), got - 12);
	return true;
}

/* Attached to the loopback, and found again. */
static void
tap_lo(struct tap *t)
{
	must(tap_find(t, err, sizeof err));
	must(tap_attach(t, "lo", "clone0", "clone1", NULL, err, sizeof err));
	tap_forget(t);
	must(tap_find(t, err, sizeof err));
}

static void
test_oracle(void **state)
{
	struct oracle_rng r = {2};
	struct tap t;
	struct filter f;
	uint64_t was[STEER_COUNT] = {0};
	uint8_t frame[ORACLE_FRAME_MAX];
	unsigned taken = 0, judgements = 0;
	tap_lo(&t);
	int fd = listen_on("clone1");
	for (unsigned round = 0; round < 150; round++) {
		oracle_filter(&r, &f);
		filter_table_set(&t.map, &f, 0);
		for (unsigned i = 0; i < 50; i++) {
			size_t n = oracle_frame(&r, frame);
			n = n < 34 ? 34 : n; /* the test run wants more than a link header; the rest is what the frame held before */
			int want = oracle_says(frame, n, &f, 0);
			bool judged = judge(&t, fd, frame, n, want, was);
			taken += judged && want <= STEER_TAKEN_TUNNELS;
			judgements += judged;
		}
	}
	assert_true(taken > 500 && judgements > 6000);
	/* the last frame is not one that the others could be confused with: nothing came but what was taken */
	size_t n = 0;
	assert_int_equal(come(fd, frame, &n), 0);
	close(fd);
	must(tap_detach(&t, err, sizeof err));
	tap_forget(&t);
}

static void
test_capture_gone(void **state)
{
	struct tap t;
	static uint8_t frame[54] = {[12] = 8, 0, 0x45, 0, 0, 40, [23] = 6, [46] = 0x50};
	uint8_t out[128];
	uint64_t c[STEER_COUNT];
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = frame, .data_size_in = sizeof frame, .data_out = out, .data_size_out = sizeof out);
	tap_lo(&t);
	assert_int_equal(link_delete((int)if_nametoindex("clone0")), 0);
	assert_int_equal(bpf_prog_test_run_opts(t.prog_fd, &o), 0);
	assert_int_equal((int)o.retval, TC_ACT_UNSPEC); /* the node's frame goes on all the same */
	filter_table_counts(&t.map, c);
	assert_int_equal(c[TAP_FAILED], 1);
	assert_int_equal(c[STEER_TAKEN], 0);
	tap_forget(&t);
	/* found by what is left, refused until it has been detached, which then leaves nothing */
	must(tap_find(&t, err, sizeof err));
	assert_int_equal(t.places, 1);
	assert_int_equal(tap_attach(&t, "lo", "clone0", "clone1", NULL, err, sizeof err), -EBUSY);
	must(tap_detach(&t, err, sizeof err));
	tap_forget(&t);
	must(tap_find(&t, err, sizeof err));
	assert_int_equal(t.places, 0);
	assert_null(t.book);
	tap_forget(&t);
}

/* What the device takes and then drops has not been cloned. */
static void
test_nobody_reads(void **state)
{
	struct tap t;
	static uint8_t frame[54] = {[12] = 8, 0, 0x45, 0, 0, 40, [23] = 6, [46] = 0x50};
	uint8_t out[128];
	uint64_t c[STEER_COUNT];
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = frame, .data_size_in = sizeof frame, .data_out = out, .data_size_out = sizeof out);
	tap_lo(&t);
	assert_int_equal(system("ip link set clone1 down"), 0);
	assert_int_equal(bpf_prog_test_run_opts(t.prog_fd, &o), 0);
	filter_table_counts(&t.map, c);
	assert_int_equal(c[TAP_FAILED], 1);
	assert_int_equal(c[STEER_TAKEN], 0);
	assert_int_equal(system("ip link set clone1 up"), 0);
	unsigned runs = 1;
	for (; runs < 1000 && c[STEER_TAKEN] == 0; runs++) { /* the kernel lets frames out a moment later */
		assert_int_equal(bpf_prog_test_run_opts(t.prog_fd, &o), 0);
		filter_table_counts(&t.map, c);
		assert_int_equal(c[TAP_FAILED] + c[STEER_TAKEN], runs + 1);
		usleep(1000);
	}
	assert_int_equal(c[STEER_TAKEN], 1);
	must(tap_detach(&t, err, sizeof err));
	tap_forget(&t);
}

static void
refused(const char *on, const char *to, const char *read, int rc, const char *word)
{
	struct tap t;
	struct link *before, *after;
	int n = link_list(&before);
	must(tap_find(&t, err, sizeof err));
	assert_int_equal(tap_attach(&t, on, to, read, NULL, err, sizeof err), rc);
	if (strstr(err, word) == NULL)
		fail_msg("%s said: %s", on, err);
	tap_forget(&t);
	must(tap_find(&t, err, sizeof err));
	assert_int_equal(t.places, 0);
	tap_forget(&t);
	assert_int_equal(link_list(&after), n); /* what it had made is gone again */
	for (int i = 0; i < n; i++)
		assert_true(link_filters(after[i].index) <= 0);
	free(before);
	free(after);
}

static void
test_refused(void **state)
{
	refused("lo,none0", "clone0", "clone1", -ENODEV, "there is no interface none0");
	refused("", "clone0", "clone1", -EINVAL, "--on takes names");
	refused("lo,", "clone0", "clone1", -EINVAL, "--on takes names");
	refused("lo,,lo", "clone0", "clone1", -EINVAL, "--on takes names");
	refused("aninterfacenamethatistoolong", "clone0", "clone1", -EINVAL, "--on takes names");
	refused("lo,clone0", "clone0", "clone1", -ENODEV, "clone0"); /* not there yet when it was looked for */
	refused("lo", "lo", "clone1", -EEXIST, "no end of a veth pair");
	assert_int_equal(link_make_pair("clone0", "clone1", 1500), 0);
	refused("clone1", "clone0", "clone1", -EINVAL, "capture device");
	refused("lo", "clone2", "clone1", -EEXIST, "there already");
	assert_int_equal(link_delete((int)if_nametoindex("clone0")), 0);
}

/* What was there before stays: a pair and a clsact qdisc of others. */
static void
test_leaves_others_alone(void **state)
{
	struct tap t;
	static const struct bpf_insn pass[] = {{.code = 0xb7, .imm = TC_ACT_OK}, {.code = 0x95}};
	int lo = (int)if_nametoindex("lo");
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = lo, .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_hook, both, .ifindex = lo, .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "somebodys", "GPL", pass, 2, NULL);
	LIBBPF_OPTS(bpf_tc_opts, o, .handle = 1, .priority = 1, .prog_fd = fd);
	assert_int_equal(link_make_pair("clone0", "clone1", 1500), 0);
	must(tap_find(&t, err, sizeof err));
	must(tap_attach(&t, "lo", "clone0", "clone1", NULL, err, sizeof err));
	/* somebody joins in the qdisc that attach has made */
	assert_int_equal(bpf_tc_attach(&hook, &o), 0);
	assert_int_equal(link_filters(lo), 2);
	tap_forget(&t);
	must(tap_find(&t, err, sizeof err));
	must(tap_detach(&t, err, sizeof err));
	tap_forget(&t);
	assert_int_equal(link_filters(lo), 1);
	assert_true(if_nametoindex("clone0") != 0);
	assert_int_equal(link_delete((int)if_nametoindex("clone0")), 0);
	assert_int_equal(bpf_tc_hook_destroy(&both), 0);
	close(fd);
}

static void
test_again(void **state)
{
	struct tap t;
	struct filter f = {.given = true, .ports = 1, .port = {8545}}, g;
	assert_int_equal(link_make_pair("eth7", "eth8", 1500), 0);
	must(tap_find(&t, err, sizeof err));
	must(tap_attach(&t, "lo", "clone0", "clone1", &f, err, sizeof err));
	tap_forget(&t);
	must(tap_find(&t, err, sizeof err));
	must(tap_attach(&t, "lo,eth7,eth7", "clone0", "clone1", NULL, err, sizeof err)); /* more, with the filter that is in use */
	filter_table_get(&t.map, &g);
	assert_memory_equal(&f, &g, sizeof f);
	tap_forget(&t);
	must(tap_find(&t, err, sizeof err));
	assert_int_equal(t.places, 2);
	for (unsigned i = 0; i < t.places; i++)
		assert_int_equal(t.place[i].ingress, strcmp(t.place[i].interface, "eth7") == 0);
	assert_true(t.place[0].egress && t.place[1].egress);
	assert_int_equal(link_filters((int)if_nametoindex("eth7")), 2);
	assert_int_equal(tap_attach(&t, "eth8", "other0", "other1", NULL, err, sizeof err), -EBUSY);
	must(tap_detach(&t, err, sizeof err));
	tap_forget(&t);
	assert_int_equal(if_nametoindex("clone0"), 0);
	assert_int_equal(link_delete((int)if_nametoindex("eth7")), 0);
}

/* It stands for its ports, in whatever order they are named, and is as promiscuous afterwards as it was. */
static void
test_bridge(void **state)
{
	struct tap t;
	assert_int_equal(link_make_pair("eth7", "eth8", 1500), 0);
	assert_int_equal(system("ip link add br7 type bridge && ip link add br8 type bridge && ip link set br7 up && ip link set br8 promisc on && ip link set eth7 master br7"), 0);
	must(tap_find(&t, err, sizeof err));
	assert_int_equal(tap_attach(&t, "br7,none0", "clone0", "clone1", NULL, err, sizeof err), -ENODEV);
	tap_forget(&t);
	assert_int_equal(link_promiscuous("br7", false), 0); /* undone */
	must(tap_find(&t, err, sizeof err));
	must(tap_attach(&t, "eth7,br7,br8", "clone0", "clone1", NULL, err, sizeof err));
	tap_forget(&t);
	must(tap_find(&t, err, sizeof err));
	must(tap_attach(&t, "eth7,eth8", "clone0", "clone1", NULL, err, sizeof err)); /* later */
	tap_forget(&t);
	must(tap_find(&t, err, sizeof err));
	assert_int_equal(t.places, 3);
	for (unsigned i = 0; i < t.places; i++)
		assert_true(t.place[i].ingress && t.place[i].egress && strcmp(t.place[i].interface, "eth7") != 0);
	assert_int_equal(link_promiscuous("br7", true), 0);
	must(tap_detach(&t, err, sizeof err));
	tap_forget(&t);
	assert_int_equal(link_promiscuous("br7", true), 1);
	assert_int_equal(link_promiscuous("br8", true), 0);
	assert_int_equal(system("ip link del br7 && ip link del br8 && ip link del eth7"), 0);
}

/* As an attach of another version of sentinel-tap leaves it. */
static void
put_other(int index, int fd)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = index, .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, o, .handle = 0x5e17, .priority = 1, .prog_fd = fd);
	assert_int_equal(bpf_tc_hook_create(&hook), 0);
	assert_int_equal(bpf_tc_attach(&hook, &o), 0);
}

/* other_book: else its counters are of another size. */
static void
attach_other(bool other_book)
{
	struct tap_bpf *skel = tap_bpf__open();
	assert_non_null(skel);
	assert_int_equal(link_make_pair("clone0", "clone1", 1500), 0);
	int to = (int)if_nametoindex("clone0"), lo = (int)if_nametoindex("lo");
	skel->rodata->tap_to = (uint32_t)to;
	struct tap_book book = {.to = (uint32_t)to, .n = 2, .made_clsact = {(uint32_t)lo, (uint32_t)to}};
	uint32_t zero = 0;
	if (other_book)
		assert_int_equal(bpf_map__set_value_size(skel->maps.tap_book, sizeof book + 64), 0);
	else
		assert_int_equal(bpf_map__set_max_entries(skel->maps.tap_counts, TABLE_CPUS_MAX + 1), 0);
	assert_int_equal(tap_bpf__load(skel), 0);
	int tap = bpf_program__fd(skel->progs.sentinel_tap), slice = bpf_program__fd(skel->progs.sentinel_slice), map = bpf_map__fd(skel->maps.tap_book);
	assert_int_equal(bpf_prog_bind_map(tap, map, NULL), 0);
	if (!other_book)
		assert_int_equal(bpf_map_update_elem(map, &zero, &book, 0), 0);
	put_other(lo, tap);
	put_other(to, slice);
	tap_bpf__destroy(skel);
}

/* It cannot be read or changed, but taken away, by its book if that is as it is here: then a pair that was there before stays. */
static void
test_another_version(void **state)
{
	struct tap t;
	for (unsigned other_book = 0; other_book < 2; other_book++) {
		attach_other(other_book);
		assert_int_equal(tap_find(&t, err, sizeof err), -ENOENT);
		assert_non_null(strstr(err, "sentinel-tap detach, then attach again"));
		assert_int_equal(t.places, 1);
		must(tap_detach(&t, err, sizeof err));
		tap_forget(&t);
		assert_true(link_filters((int)if_nametoindex("lo")) <= 0);
		LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)if_nametoindex("lo"), .attach_point = BPF_TC_EGRESS);
		assert_int_equal(bpf_tc_hook_create(&hook), 0); /* the qdisc was gone too */
		hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
		assert_int_equal(bpf_tc_hook_destroy(&hook), 0);
		assert_int_equal(if_nametoindex("clone0") == 0, other_book);
		must(tap_find(&t, err, sizeof err));
		assert_int_equal(tap_detach(&t, err, sizeof err), -ENOENT);
		must(tap_attach(&t, "lo", "clone0", "clone1", NULL, err, sizeof err));
		tap_forget(&t);
		must(tap_find(&t, err, sizeof err));
		must(tap_detach(&t, err, sizeof err));
		tap_forget(&t);
		if (!other_book)
			assert_int_equal(link_delete((int)if_nametoindex("clone0")), 0);
	}
}

int
main(void)
{
	cpu_set_t one;
	if (geteuid() != 0) {
		print_message("not root: BPF is out of reach\n");
		return 77;
	}
	if (unshare(CLONE_NEWNET) != 0)
		return 1;
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof one, &one);
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_oracle), cmocka_unit_test(test_capture_gone), cmocka_unit_test(test_nobody_reads), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_leaves_others_alone), cmocka_unit_test(test_again), cmocka_unit_test(test_bridge), cmocka_unit_test(test_another_version)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
