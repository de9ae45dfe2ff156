/* SPDX-License-Identifier: BSD-3-Clause */
/* The XDP program by the kernel's own test run, against an oracle, over many frames and filters; a filter that changes while frames are judged; and
 * what ties the program to a process. Needs root (77 without). */
#include "frame_oracle.h"

#include "io/bpf_why.h"
#include "io/filter_text.h"
#include "io/own.h"
#include "io/steer.h"
#include "steer.skel.h"

#include <linux/if_link.h>
#include <linux/if_xdp.h>

#include <bpf/bpf.h>

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#ifndef AF_XDP
#define AF_XDP 44
#endif

struct loaded {
	struct steer_bpf *skel;
	struct filter_table_map map;
	int fd, socket;
};

static void
load(struct loaded *l, bool with_socket)
{
	uint32_t queue = 0, slots = 64;
	l->skel = steer_bpf__open_and_load();
	assert_non_null(l->skel);
	l->fd = bpf_program__fd(l->skel->progs.sentinel_steer);
	assert_int_equal(filter_table_open(&l->map, l->fd, "steer_state", "steer_counts"), 0);
	l->socket = -1;
	if (!with_socket)
		return;
	l->socket = socket(AF_XDP, SOCK_RAW, 0);
	assert_true(l->socket >= 0);
	assert_int_equal(setsockopt(l->socket, SOL_XDP, XDP_RX_RING, &slots, sizeof slots), 0);
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(l->skel->maps.xsks_map), &queue, &l->socket, 0), 0);
}

static void
unload(struct loaded *l)
{
	filter_table_close(&l->map);
	steer_bpf__destroy(l->skel);
	if (l->socket >= 0)
		close(l->socket);
}

static int
run(int fd, const uint8_t *frame, size_t n, uint32_t repeat)
{
	uint8_t out[4096];
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = frame, .data_size_in = (uint32_t)n, .data_out = out, .data_size_out = sizeof out,
		.repeat = repeat);
	if (bpf_prog_test_run_opts(fd, &o) != 0)
		fail_msg("test run of %zu bytes: %s", n, strerror(errno));
	assert_int_equal(o.data_size_out, n);
	assert_memory_equal(out, frame, n); /* untouched, whatever becomes of it */
	return (int)o.retval;
}

/* The one counter that the last frame moved. */
static int
moved(const struct filter_table_map *m, uint64_t was[STEER_COUNT])
{
	uint64_t now[STEER_COUNT];
	int at = -1;
	filter_table_counts(m, now);
	for (int i = 0; i < STEER_COUNT; i++) {
		if (now[i] == was[i])
			continue;
		assert_int_equal(now[i], was[i] + 1);
		assert_int_equal(at, -1);
		at = i;
	}
	memcpy(was, now, sizeof now);
	return at;
}

static void
on_one_cpu(void)
{
	cpu_set_t one;
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof one, &one);
}

static void
print_frame(const uint8_t *frame, size_t n)
{
	for (size_t i = 0; i < n; i++)
		print_message("%02x", frame[i]);
	print_message("\n");
}

static void
test_oracle(void **state)
{
	struct oracle_rng r = {1};
	struct loaded l;
	struct filter f;
	uint64_t was[STEER_COUNT] = {0}, seen[STEER_COUNT] = {0};
	uint8_t frame[ORACLE_FRAME_MAX];
	load(&l, true);
	for (unsigned round = 0; round < 200; round++) {
		uint16_t vxlan = round % 3 == 0 ? 9999 : 0;
		oracle_filter(&r, &f);
		filter_table_set(&l.map, &f, vxlan);
		for (unsigned i = 0; i < 75; i++) {
			size_t n = oracle_frame(&r, frame);
			int want = oracle_says(frame, n, &f, vxlan), verdict = run(l.fd, frame, n, 1), got = moved(&l.map, was);
			if (got != want) {
				print_frame(frame, n);
				fail_msg("counted as %d, must be %d", got, want);
			}
			assert_int_equal(verdict, want <= STEER_TAKEN_TUNNELS ? XDP_REDIRECT : XDP_PASS);
			seen[got]++;
		}
	}
	/* every place but those that this test cannot reach has been reached often */
	for (int i = 0; i < STEER_PASSED_NO_SOCKET; i++)
		if (seen[i] < 10)
			fail_msg("counter %d was reached %llu times only", i, (unsigned long long)seen[i]);
	unload(&l);
}

static const uint8_t tcp_frame[54] = {2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 8, 0, 0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2,
	0x80, 0, 0x21, 0x61, [46] = 0x50};

static void
test_before_and_without(void **state)
{
	struct loaded l;
	struct filter all = {.given = true};
	uint64_t was[STEER_COUNT] = {0};
	load(&l, false);
	assert_int_equal(run(l.fd, tcp_frame, sizeof tcp_frame, 1), XDP_PASS);
	assert_int_equal(moved(&l.map, was), STEER_PASSED_UNREADY);
	filter_table_set(&l.map, &all, 0);
	assert_int_equal(run(l.fd, tcp_frame, sizeof tcp_frame, 1), XDP_PASS);
	assert_int_equal(moved(&l.map, was), STEER_PASSED_NO_SOCKET);
	/* somebody died while he wrote the copy that judges: no frame by half a filter, and the next change mends it */
	l.map.state->table[l.map.state->active & 1].seq |= 1;
	assert_int_equal(run(l.fd, tcp_frame, sizeof tcp_frame, 1), XDP_PASS);
	assert_int_equal(moved(&l.map, was), STEER_PASSED_TORN);
	filter_table_set(&l.map, &all, 0);
	filter_table_set(&l.map, &all, 0);
	assert_int_equal(run(l.fd, tcp_frame, sizeof tcp_frame, 1), XDP_PASS);
	assert_int_equal(moved(&l.map, was), STEER_PASSED_NO_SOCKET);
	unload(&l);
}

/* ---- this host's own addresses ---- */

static void
mapped(uint8_t out[16], const char *text)
{
	struct filter_prefix p;
	char err[160];
	assert_int_equal(filter_text_prefix(text, &p, err, sizeof err), 0);
	memcpy(out, p.address, 16);
}

static int
judged(const struct loaded *l, const uint8_t *frame, size_t n, uint64_t was[STEER_COUNT])
{
	int verdict = run(l->fd, frame, n, 1), at = moved(&l->map, was);
	assert_int_equal(verdict, at <= STEER_TAKEN_TUNNELS ? XDP_REDIRECT : XDP_PASS);
	return at;
}

/* What goes to this host passes, in both families and as fragments; what comes from it, and tunnels, are taken as ever. */
static void
test_own(void **state)
{
	struct loaded l;
	struct steer s = {.link_fd = -1};
	struct filter f = {.given = true, .tunnels = 1};
	uint64_t was[STEER_COUNT] = {0};
	uint8_t own[TABLE_OWN_MAX + 1][16] = {{0}}, frame[74] = {[12] = 0x86, 0xdd, 0x60, [20] = 6, [66] = 0x50};
	void *map = NULL;
	load(&l, true);
	filter_table_set(&l.map, &f, 0);
	assert_int_equal(filter_table_memory(l.fd, "steer_own", sizeof *s.own, 1, PROT_READ | PROT_WRITE, &map), 0);
	s.own = map;
	memcpy(frame + 22, "\x20\x01\x0d\xb8", 4);
	memcpy(frame + 38, "\x20\x01\x0d\xb8", 4);
	frame[37] = 1;
	frame[53] = 2;
	assert_int_equal(judged(&l, tcp_frame, sizeof tcp_frame, was), STEER_TAKEN);
	assert_int_equal(judged(&l, frame, sizeof frame, was), STEER_TAKEN);
	mapped(own[0], "192.0.2.2");
	mapped(own[1], "2001:db8::2");
	steer_own(&s, own, 2);
	assert_int_equal(judged(&l, tcp_frame, sizeof tcp_frame, was), STEER_PASSED_OWN);
	assert_int_equal(judged(&l, frame, sizeof frame, was), STEER_PASSED_OWN);
	uint8_t other[54];
	memcpy(other, tcp_frame, sizeof other);
	other[20] = 1, other[21] = 1; /* a later fragment */
	assert_int_equal(judged(&l, other, sizeof other, was), STEER_PASSED_OWN);
	other[23] = 47; /* what a switch mirrors by ERSPAN ends at an address of the box */
	assert_int_equal(judged(&l, other, sizeof other, was), STEER_TAKEN_TUNNELS);
	mapped(own[0], "192.0.2.1"); /* the source's: what a mirror shows of this host's requests */
	mapped(own[1], "2001:db8::1");
	steer_own(&s, own, 2);
	assert_int_equal(judged(&l, tcp_frame, sizeof tcp_frame, was), STEER_TAKEN);
	assert_int_equal(judged(&l, frame, sizeof frame, was), STEER_TAKEN);
	/* as many as there is room for, and no more */
	for (unsigned i = 0; i < TABLE_OWN_MAX; i++)
		memset(own[i], 0xee, 16);
	mapped(own[TABLE_OWN_MAX - 1], "192.0.2.2");
	mapped(own[TABLE_OWN_MAX], "2001:db8::2");
	steer_own(&s, own, TABLE_OWN_MAX + 1);
	assert_int_equal(s.own->n, TABLE_OWN_MAX);
	assert_int_equal(judged(&l, tcp_frame, sizeof tcp_frame, was), STEER_PASSED_OWN);
	assert_int_equal(judged(&l, frame, sizeof frame, was), STEER_TAKEN);
	s.own->n = UINT32_MAX; /* by other hands */
	assert_int_equal(judged(&l, frame, sizeof frame, was), STEER_TAKEN);
	steer_own(&s, own, 0);
	assert_int_equal(judged(&l, tcp_frame, sizeof tcp_frame, was), STEER_TAKEN);
	filter_table_unmap(s.own, sizeof *s.own);
	unload(&l);
}

static bool
has_address(uint8_t (*list)[16], unsigned n, const char *text)
{
	uint8_t want[16];
	mapped(want, text);
	for (unsigned i = 0; i < n; i++)
		if (memcmp(list[i], want, 16) == 0)
			return true;
	return false;
}

/* Read anew each time, of the interface and what stands upon it, of nothing else. */
static void
test_own_read(void **state)
{
	char root[] = "/tmp/test-own-XXXXXX", line[256];
	uint8_t list[TABLE_OWN_MAX][16];
	struct own o;
	assert_non_null(mkdtemp(root));
	snprintf(line, sizeof line, "mkdir -p %s/sys/class/net/own0/upper_own0.7 %s/sys/class/net/own0.7/upper_br7 %s/sys/class/net/br7/upper_own0.7", root, root, root);
	assert_int_equal(system(line), 0);
	assert_int_equal(system("ip link add own0 type veth peer name peer0 && ip link add own0.7 type veth peer name peer7 && ip link add br7 type bridge &&"
				" ip link set lo up && ip addr add 192.0.2.1/24 dev own0 && ip addr add 192.0.2.2/24 dev own0 label own0:1 &&"
				" ip addr add 198.51.100.1/24 dev own0.7 && ip addr add 203.0.113.1/24 dev br7 && ip addr add 192.0.2.9/24 dev peer0"),
		0);
	own_open(&o, &(struct sysfs){root}, "own0");
	assert_int_equal(o.names, 3);
	unsigned n = own_read(&o, list, TABLE_OWN_MAX);
	assert_int_equal(n, 4);
	assert_true(has_address(list, n, "192.0.2.1") && has_address(list, n, "192.0.2.2") && has_address(list, n, "198.51.100.1") && has_address(list, n, "203.0.113.1"));
	assert_int_equal(system("ip addr del 198.51.100.1/24 dev own0.7 && ip addr add 192.0.2.3/32 dev own0"), 0);
	bool six = system("sysctl -qw net.ipv6.conf.own0.disable_ipv6=0 && ip addr add 2001:db8::1/64 dev own0 && ip addr add 2001:db8::9/64 dev lo") == 0;
	n = own_read(&o, list, TABLE_OWN_MAX);
	assert_int_equal(n, 4 + six);
	assert_true(has_address(list, n, "192.0.2.3") && !has_address(list, n, "198.51.100.1") && has_address(list, n, "2001:db8::1") == six);
	memset(list, 0xee, sizeof list);
	assert_int_equal(own_read(&o, list, 2), 4 + six); /* there are more than there is room for */
	assert_int_equal(list[2][0], 0xee);
	own_close(&o);
	own_close(&o);
	own_open(&o, &(struct sysfs){root}, "none0");
	assert_int_equal(own_read(&o, list, TABLE_OWN_MAX), 0);
	own_close(&o);
	assert_int_equal(system("ip link del own0 && ip link del own0.7 && ip link del br7 && ip link set lo down"), 0);
	snprintf(line, sizeof line, "rm -r %s", root);
	assert_int_equal(system(line), 0);
}

static void
filter_of(struct filter *f, const char *port, const char *address)
{
	char err[160];
	memset(f, 0, sizeof *f);
	f->given = true;
	assert_int_equal(filter_text_port(f, port, err, sizeof err), 0);
	assert_int_equal(filter_text_address(f, address, err, sizeof err), 0);
}

struct flipper {
	struct loaded *l;
	struct filter a, b;
	_Atomic bool stop;
	uint64_t flips;
};

static void *
flip(void *ctx)
{
	struct flipper *p = ctx;
	while (!atomic_load(&p->stop)) {
		filter_table_set(&p->l->map, p->flips & 1 ? &p->a : &p->b, 0);
		p->flips++;
	}
	return NULL;
}

/* Neither filter takes the frame; each half of one with the other half of the other would. */
static void
test_no_half_filter(void **state)
{
	struct loaded l;
	struct flipper p = {.l = &l};
	pthread_t thread;
	uint64_t c[STEER_COUNT];
	load(&l, true);
	filter_of(&p.a, "8545", "198.51.100.1");
	filter_of(&p.b, "9", "192.0.2.2");
	filter_table_set(&l.map, &p.a, 0);
	assert_int_equal(pthread_create(&thread, NULL, flip, &p), 0);
	for (unsigned i = 0; i < 60; i++)
		run(l.fd, tcp_frame, sizeof tcp_frame, 10000);
	atomic_store(&p.stop, true);
	pthread_join(thread, NULL);
	filter_table_counts(&l.map, c);
	assert_int_equal(c[STEER_TAKEN], 0);
	assert_int_equal(c[STEER_PASSED_ADDRESS] + c[STEER_PASSED_PORT] + c[STEER_PASSED_TORN], 600000);
	assert_true(c[STEER_PASSED_ADDRESS] > 0 && c[STEER_PASSED_PORT] > 0);
	assert_true(p.flips > 100);
	print_message("%llu changes of the filter under 600000 frames, %llu passed as torn\n", (unsigned long long)p.flips,
		(unsigned long long)c[STEER_PASSED_TORN]);
	unload(&l);
}

static void
test_read_back(void **state)
{
	struct oracle_rng r = {7};
	struct loaded l;
	struct filter f, g;
	char err[160], text[512], again[512];
	load(&l, false);
	memset(&f, 0, sizeof f);
	assert_int_equal(filter_text_list(&f, "22,8545,30303,65535", filter_text_port, err, sizeof err), 0);
	assert_int_equal(filter_text_list(&f, "192.0.2.2,10.0.0.0/8,2001:db8::/32,::/0,0.0.0.0/0", filter_text_address, err, sizeof err), 0);
	assert_int_equal(filter_text_list(&f, "0,100,4094", filter_text_vlan, err, sizeof err), 0);
	assert_int_equal(filter_text_list(&f, "10.0.0.1", filter_text_tunnel, err, sizeof err), 0);
	f.given = true;
	filter_table_set(&l.map, &f, 0);
	filter_table_get(&l.map, &g);
	assert_memory_equal(&f, &g, sizeof f);
	filter_text_print(&g, text, sizeof text);
	assert_string_equal(text, "ports 22 8545 30303 65535, addresses 192.0.2.2 10.0.0.0/8 2001:db8::/32 ::/0 0.0.0.0/0, VLANs 0 100 4094, "
				  "tunnels of 10.0.0.1");
	for (unsigned i = 0; i < 1000; i++) {
		oracle_filter(&r, &f);
		filter_table_set(&l.map, &f, 0);
		filter_table_get(&l.map, &g);
		filter_text_print(&g, text, sizeof text);
		filter_table_set(&l.map, &g, 0);
		filter_table_get(&l.map, &f);
		filter_text_print(&f, again, sizeof again);
		assert_string_equal(text, again);
	}
	unload(&l);
}

/* ---- on an interface ---- */

static uint32_t
attached(const char *interface)
{
	uint32_t id = 0;
	assert_int_equal(bpf_xdp_query_id((int)if_nametoindex(interface), 0, &id), 0);
	return id;
}

/* As the ethdev driver does it, which keeps the object as long as it lives. */
static struct bpf_object *kept[8];
static unsigned n_kept;

static int
attach_as_driver(const char *interface)
{
	char err[160];
	const char *path = steer_object(err, sizeof err);
	assert_non_null(path);
	struct bpf_object *o = bpf_object__open_file(path, NULL);
	assert_non_null(o);
	assert_true(n_kept < 8);
	kept[n_kept++] = o;
	assert_int_equal(bpf_object__load(o), 0);
	assert_non_null(bpf_object__find_map_by_name(o, "xsks_map"));
	return bpf_xdp_attach((int)if_nametoindex(interface), bpf_program__fd(bpf_object__next_program(o, NULL)), XDP_FLAGS_UPDATE_IF_NOEXIST, NULL);
}

static void
test_life_on_interface(void **state)
{
	struct steer s;
	struct filter f = {.given = true};
	uint64_t c[STEER_COUNT];
	char said[512];
	assert_int_equal(steer_prepare("lo", said, sizeof said), 0);
	assert_string_equal(said, "");
	assert_int_equal(attached("lo"), 0);
	assert_int_equal(steer_open(&s, "lo", 0, said, sizeof said), -ENOENT);
	assert_non_null(strstr(said, "has not attached"));
	assert_int_equal(attach_as_driver("lo"), 0);
	assert_int_equal(steer_open(&s, "lo", 0, said, sizeof said), 0);
	assert_non_null(strstr(said, "generic")); /* the loopback's driver knows no XDP */
	steer_filter(&s, &f);
	steer_counters(&s, c);
	assert_true(attached("lo") != 0);
	/* one dataplane at a time */
	assert_int_equal(steer_prepare("lo", said, sizeof said), -EBUSY);
	assert_non_null(strstr(said, "another dataplane"));
	steer_close(&s);
	assert_int_equal(attached("lo"), 0);
	steer_close(&s);
	assert_int_equal(steer_prepare("none0", said, sizeof said), -ENODEV);
	assert_non_null(strstr(said, "no such interface"));
}

static void
test_what_is_left_behind(void **state)
{
	char said[512];
	assert_int_equal(attach_as_driver("lo"), 0);
	assert_true(attached("lo") != 0);
	assert_int_equal(steer_prepare("lo", said, sizeof said), 0);
	assert_non_null(strstr(said, "gone"));
	assert_int_equal(attached("lo"), 0);
}

static void
test_others_program(void **state)
{
	static const struct bpf_insn pass[] = {{.code = 0xb7, .imm = XDP_PASS}, {.code = 0x95}};
	char said[512];
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "somebodys", "GPL", pass, 2, NULL);
	assert_true(fd >= 0);
	int lo = (int)if_nametoindex("lo");
	assert_int_equal(bpf_xdp_attach(lo, fd, 0, NULL), 0);
	assert_int_equal(steer_prepare("lo", said, sizeof said), -EBUSY);
	assert_non_null(strstr(said, "somebodys"));
	assert_non_null(strstr(said, "ip link set dev lo xdp off"));
	assert_true(attached("lo") != 0);
	assert_int_equal(bpf_xdp_detach(lo, 0, NULL), 0);
	close(fd);
}

/* A dataplane that is killed leaves nothing on the interface. */
static void
test_killed(void **state)
{
	int ready[2];
	char byte, said[512];
	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct steer s;
		close(ready[0]);
		if (attach_as_driver("lo") != 0 || steer_open(&s, "lo", 0, said, sizeof said) != 0) {
			fprintf(stderr, "%s\n", said);
			_exit(1);
		}
		(void)!write(ready[1], "x", 1);
		pause();
		_exit(0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_true(attached("lo") != 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	for (unsigned i = 0; i < 500 && attached("lo") != 0; i++)
		usleep(10000); /* the kernel lets go of a link a moment after its last descriptor */
	assert_int_equal(attached("lo"), 0);
	close(ready[0]);
}

static void
test_why(void **state)
{
	for (int e = 1; e < 134; e++)
		assert_true(strlen(bpf_why(e)) > 3);
	assert_string_equal(bpf_why(-ENOSYS), bpf_why(ENOSYS));
	assert_non_null(strstr(bpf_why(EPERM), "CAP_BPF"));
}

int
main(void)
{
	if (geteuid() != 0) {
		print_message("not root: BPF is out of reach\n");
		return 77;
	}
	if (unshare(CLONE_NEWNET) != 0) /* with a loopback of its own, which ends with this program */
		return 1;
	on_one_cpu();
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_oracle), cmocka_unit_test(test_before_and_without), cmocka_unit_test(test_own),
		cmocka_unit_test(test_own_read), cmocka_unit_test(test_read_back),
		cmocka_unit_test(test_life_on_interface), cmocka_unit_test(test_what_is_left_behind), cmocka_unit_test(test_others_program),
		cmocka_unit_test(test_killed), cmocka_unit_test(test_why)};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	while (n_kept > 0)
		bpf_object__close(kept[--n_kept]);
	cpu_set_t all;
	memset(&all, 0xff, sizeof all);
	sched_setaffinity(0, sizeof all, &all); /* one CPU judges while another writes */
	const struct CMUnitTest parallel[] = {cmocka_unit_test(test_no_half_filter)};
	return failed + cmocka_run_group_tests(parallel, NULL, NULL);
}
