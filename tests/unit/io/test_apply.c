/* SPDX-License-Identifier: BSD-3-Clause */
/* Another profile while workers run: which fields differ, what is taken up, what is refused, and that a worker takes it between two bursts. */
#include "bombs.h"

#include "abi/channel.h"
#include "io/apply.h"
#include "io/profile.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#define NODE_PORT 8545
#define PORTS "ports: [\"net_null0\"]\n"

static struct topology base;
static struct apply a;
static struct stats_profile page;
static char said[1008];

static void
parse(const char *text, struct topology *t)
{
	char err[512] = "";
	topology_default(t);
	if (profile_parse("box.yaml", text, strlen(text), t, err, sizeof err) != 0)
		fail_msg("%s", err);
}

static void
running(const char *text)
{
	struct topology is;
	memset(&page, 0, sizeof page);
	topology_default(&base);
	parse(text, &is);
	apply_init(&a, &base, &is, 4, NULL, &page);
}

static int
given(const char *text)
{
	memset(said, '#', sizeof said);
	int status = apply_profile(&a, text, strlen(text), said, sizeof said);
	assert_non_null(memchr(said, '\0', sizeof said));
	return status;
}

/* ---- the table ---- */

static void
covers_every_byte(void **state)
{
	static bool covered[sizeof(struct topology)];
	unsigned n, gap = 0;
	const struct profile_field *f = profile_fields(&n);
	for (unsigned i = 0; i < n; i++)
		for (unsigned r = 0; r < PROFILE_RANGES_MAX; r++)
			for (size_t b = 0; b < f[i].range[r].bytes; b++) {
				assert_false(covered[f[i].range[r].at + b]);
				covered[f[i].range[r].at + b] = true;
			}
	for (size_t b = 0; b < sizeof covered; b++) {
		gap = covered[b] ? 0 : gap + 1;
		if (gap >= 8) /* more than padding */
			fail_msg("byte %zu of struct topology is in no row of io/profile_diff.c", b);
	}
}

static void
names_what_differs(void **state)
{
	static const struct {
		const char *text, *field;
		bool live;
	} rows[] = {
		{"feeds: {http: off}", "feeds.http", true},
		{"feeds: {websocket: [8546]}", "feeds.websocket", true},
		{"feeds: {rlpx: [30304]}", "feeds.rlpx", true},
		{"feeds: {engine: [8551]}", "feeds.engine", true},
		{"feeds: {grpc: off}", "feeds.grpc", true},
		{"feeds: {arbitrum: [1]}", "feeds.arbitrum", true},
		{"chains: [1]", "chains", true},
		{"cores: {workers: [2, 3]}", "cores.workers", false},
		{"cores: {main: 1}", "cores.main", false},
		{"cores: {correlator: 2}", "cores.correlator", false},
		{"huge_pages: true", "huge_pages", false},
		{"memory_mb: 128", "memory_mb", false},
		{"idle: pause", "idle", false},
		{"mtu: 9000", "mtu", false},
		{"checksum: verify", "checksum", false},
		{"vxlan_port: 4790", "vxlan_port", false},
		{"flows: 1024", "flows", false},
		{"seen: 2048", "seen", false},
		{"pipe_mb: 8", "pipe_mb", false},
		{"ring: {slots: 8192}", "ring.slots", false},
		{"ring: {evidence_mb: 32}", "ring.evidence_mb", false},
		{"protocols: {a: [\"0x87870bca3f3fd6335c3f4ce8392d69350b4fa4e2\"]}", "protocols", false},
		{"rlpx_keys: /var/lib/k", "rlpx_keys", false},
		{"filter: {ports: [8545]}", "filter", false},
		{"nodes: {a: {addresses: [192.0.2.1]}}", "nodes", false},
	};
	char text[512], want[128];
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		running(PORTS);
		snprintf(text, sizeof text, PORTS "%s\n", rows[i].text);
		assert_int_equal(given(text), rows[i].live ? CHANNEL_OK : CHANNEL_PARTLY);
		snprintf(want, sizeof want, "%s=%s\n", rows[i].live ? "applied" : "restart", rows[i].field);
		assert_string_equal(said, want);
		assert_int_equal(page.waiting, !rows[i].live);
		/* once more: what was taken up is what runs; what was not still waits */
		assert_int_equal(given(text), rows[i].live ? CHANNEL_OK : CHANNEL_PARTLY);
		assert_string_equal(said, rows[i].live ? "" : want);
		assert_int_equal(given(PORTS), CHANNEL_OK);
		assert_string_equal(said, rows[i].live ? strcat(strcpy(text, "applied="), strchr(want, '=') + 1) : "");
	}
}

static void
ports_take_a_restart(void **state)
{
	running(PORTS);
	assert_int_equal(given("ports: [\"net_null0\", \"net_null1\"]\nfeeds: {grpc: off}\nchains: [1]\nmtu: 9000\n"), CHANNEL_PARTLY);
	assert_string_equal(said, "applied=feeds.grpc,chains\nrestart=ports,mtu\n");
	assert_int_equal(page.waiting, 2);
	assert_true(page.applied_ns > 0);
	assert_int_equal(page.changing % 2, 0);
}

/* ---- refusals: whole, and nothing has changed ---- */

static void
refused(const char *text, const char *why)
{
	static struct apply before;
	struct stats_profile told = page;
	before = a;
	assert_int_equal(given(text), CHANNEL_REFUSED);
	if (strstr(said, why) == NULL)
		fail_msg("%s: not said of: %s", why, said);
	assert_memory_equal(said, "error=", 6);
	assert_null(strchr(said, '\n'));
	assert_memory_equal(&before, &a, sizeof a);
	assert_memory_equal(&told, &page, sizeof page);
}

static void
refuses_whole(void **state)
{
	running(PORTS "feeds: {grpc: off}\n");
	refused(PORTS "feeds: {grpc: on}\nchains: [1]\n", "profile:2:15: feeds.grpc must be");
	refused(PORTS "chains: [1]\nmtv: 1500\n", "profile:3:1: unknown key mtv");
	refused(PORTS "chains: [1]\nmtu: 1\n", "mtu");
	refused(PORTS "chains: [1]\ncores: {workers: [9]}\n", "CPU 9");
	refused("chains: [1]\n", "names no ports");
	refused("", "names no ports");
	refused("\"\n\t\x01", "profile:");
	refused(PORTS "? [a\n", "profile:");
	char *big = malloc(PROFILE_BYTES_MAX + 2);
	memset(big, ' ', PROFILE_BYTES_MAX + 1);
	big[PROFILE_BYTES_MAX + 1] = '\0';
	refused(big, "at most 65536 bytes");
	free(big);
	a.from_file = true;
	refused(PORTS, "take the ports out");
}

static void
answers_fit(void **state)
{
	static const char all[] = "ports: [\"net_null1\"]\nmemory_mb: 128\nmtu: 9000\nflows: 1024\nchains: [1]\nfeeds: {http: off, grpc: off}\n";
	for (size_t cap = 8; cap < 120; cap++) {
		running(PORTS);
		memset(said, '#', sizeof said);
		assert_int_equal(apply_profile(&a, all, strlen(all), said, cap), CHANNEL_PARTLY);
		size_t n = strlen(said);
		assert_true(n < cap);
		assert_int_equal(said[cap], '#');
		assert_true(n == 0 || said[n - 1] == '\n');
	}
}

/* ---- other parts ---- */

struct part {
	int rc;
	unsigned asked, done;
	uint32_t mtu; /* that it shall see: what waits for a restart is as it was */
};

static int
take_part(void *ctx, const struct topology *want, bool commit, char *err, size_t cap)
{
	struct part *p = ctx;
	assert_int_equal(want->mtu, p->mtu);
	assert_int_equal(want->filter.ports, 1);
	if (commit)
		p->done++;
	else
		p->asked++;
	if (!commit && p->rc != 0)
		snprintf(err, cap, "no room for it");
	return commit ? 0 : p->rc;
}

/* One that cannot keeps everything from changing; without anybody for it, it takes a restart. */
static void
parts_are_asked_first(void **state)
{
	struct part p = {.mtu = 1500};
	running(PORTS);
	apply_with(&a, PROFILE_RESTART, take_part, &p); /* nobody is asked about those */
	assert_int_equal(given(PORTS "mtu: 9000\nfilter: {ports: [1]}\n"), CHANNEL_PARTLY);
	assert_string_equal(said, "restart=mtu,filter\n");
	assert_int_equal(p.asked + p.done, 0);
	apply_with(&a, PROFILE_FILTER, take_part, &p);
	p.rc = -ENOSPC;
	refused(PORTS "chains: [1]\nfilter: {ports: [1]}\n", "no room for it");
	assert_int_equal(p.asked, 1);
	assert_int_equal(p.done, 0);
	p.rc = 0;
	assert_int_equal(given(PORTS "mtu: 9000\nchains: [1]\nfilter: {ports: [1]}\n"), CHANNEL_PARTLY);
	assert_string_equal(said, "applied=chains,filter\nrestart=mtu\n");
	assert_int_equal(p.asked, 2);
	assert_int_equal(p.done, 1);
	assert_int_equal(given(PORTS "mtu: 9000\nfilter: {ports: [1]}\n"), CHANNEL_PARTLY);
	assert_int_equal(p.asked + p.done, 3);
}

/* ---- with a worker ---- */

static void
begin(struct scene *s)
{
	memset(s, 0, sizeof *s);
	rig_init(&s->g);
	rig_start(&s->g);
	running(PORTS);
	apply_worker(&a, s->g.w);
}

/* Nobody polls: it is published, a second one has to wait until the worker has it. */
static void
one_at_a_time(void **state)
{
	struct scene s;
	struct rig_flow f;
	begin(&s);
	rig_open(&s.g, &f, 1);
	assert_int_equal(given(PORTS "feeds: {http: off, engine: off}\n"), CHANNEL_OK);
	refused(PORTS, "has not taken up");
	submit(&s, &f);
	assert_int_equal(s.g.c[CTR_TX_SCANNED], 0);
	assert_int_equal(s.g.c[CTR_FEED_OFF], 2);
	assert_int_equal(given(PORTS), CHANNEL_OK);
	submit(&s, &f);
	assert_int_equal(s.g.c[CTR_TX_SCANNED], 1);
	rig_stop(&s.g);
}

struct changer {
	_Atomic bool stop;
	unsigned applied;
};

static void *
change(void *arg)
{
	struct changer *c = arg;
	char text[256], answer[1008];
	while (!atomic_load(&c->stop)) {
		snprintf(text, sizeof text, PORTS "feeds: {grpc: %s, websocket: [%u]}\nchains: [%u]\n", c->applied % 2 ? "off" : "true",
			1 + c->applied % 3, 1 + c->applied % 2 * 4);
		if (apply_profile(&a, text, strlen(text), answer, sizeof answer) == CHANNEL_OK)
			c->applied++;
	}
	return NULL;
}

/* Profiles come all the time; what stays wanted is all found, and nothing is left over. Chain 1 is now wanted and now not: each of these
 * transactions is either scanned or counted as another chain's. */
static void
nothing_is_lost_meanwhile(void **state)
{
	struct scene s;
	struct rig_flow f;
	struct changer c = {0};
	pthread_t thread;
	begin(&s);
	rig_open(&s.g, &f, 1);
	assert_int_equal(pthread_create(&thread, NULL, change, &c), 0);
	for (unsigned i = 0; i < 400; i++) {
		submit(&s, &f);
		usleep(20);
	}
	atomic_store(&c.stop, true);
	submit(&s, &f); /* takes what the changer may wait for */
	pthread_join(thread, NULL);
	assert_true(c.applied > 4);
	assert_int_equal(s.g.c[CTR_TX_SCANNED] + s.g.c[CTR_TX_UNSCANNED_CHAIN], 401);
	assert_int_equal(s.g.c[CTR_FEED_OFF], 0);
	rig_stop(&s.g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(covers_every_byte),
		cmocka_unit_test(names_what_differs),
		cmocka_unit_test(ports_take_a_restart),
		cmocka_unit_test(refuses_whole),
		cmocka_unit_test(answers_fit),
		cmocka_unit_test(parts_are_asked_first),
		cmocka_unit_test(one_at_a_time),
		cmocka_unit_test(nothing_is_lost_meanwhile),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
