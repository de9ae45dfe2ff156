/* SPDX-License-Identifier: BSD-3-Clause */
/* The dataplane's end of the channel against controls of every kind: versions, memory pages, and what must
 * never be taken. */
#include "abi/channel.h"
#include "abi/memory.h"
#include "abi/shm.h"
#include "io/attach.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

struct box {
	char dir[64], path[80];
	struct ring_producer p;
	struct attach a;
	struct attach_offer offer;
	int fd; /* a control */
	uint64_t now_ns;
	unsigned taken, fds;
	uint64_t number;
	struct stats_page stats;
	int keys_answer, profile_answer;
	char text[64]; /* of the last keys or profile */
};

static unsigned
fds_open(void)
{
	unsigned n = 0;
	DIR *d = opendir("/proc/self/fd");
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static void
take(void *ctx, const struct memory_page *p, size_t bytes)
{
	struct box *x = ctx;
	assert_int_equal(memory_check(p, bytes), 0);
	x->taken++;
	x->number = p->number;
	memory_unmap(p, bytes);
}

static int
setup(void **state)
{
	struct box *x = calloc(1, sizeof *x);
	char err[256];
	static const uint8_t epoch[8] = {1};
	strcpy(x->dir, "/tmp/sentinel-channel-XXXXXX");
	assert_non_null(mkdtemp(x->dir));
	snprintf(x->path, sizeof x->path, "%s/d", x->dir);
	assert_int_equal(ring_create(&x->p, epoch, 0, LANE_NORMAL, 8, 0), 0);
	x->offer = (struct attach_offer){.rings = &x->p, .n_rings = 1, .memory = take, .memory_ctx = x};
	x->offer.stats_fd = x->offer.bundle_fd = shm_create_fixed("x", "x", 1);
	assert_int_equal(attach_open(&x->a, x->path, err, sizeof err), 0);
	x->fd = -1;
	x->now_ns = 1;
	x->fds = fds_open();
	*state = x;
	return 0;
}

static int
teardown(void **state)
{
	struct box *x = *state;
	close(x->fd);
	attach_close(&x->a);
	ring_destroy(&x->p);
	close(x->offer.stats_fd);
	assert_int_equal(rmdir(x->dir), 0);
	free(x);
	return 0;
}

static void
poll_some(struct box *x)
{
	for (unsigned i = 0; i < 5; i++)
		attach_poll(&x->a, &x->offer, x->now_ns);
}

static uint32_t
hello_as(struct box *x, uint32_t min, uint32_t max, uint32_t role)
{
	struct channel_msg m = {.type = CHANNEL_HELLO, .u.hello = {min, max, role}};
	uint32_t version = 0;
	int fds[CHANNEL_FDS_MAX], rc;
	unsigned n;
	if (x->fd >= 0)
		close(x->fd);
	x->fd = channel_connect(x->path);
	assert_true(x->fd >= 0);
	assert_int_equal(channel_send(x->fd, &m, NULL, 0), 0);
	poll_some(x);
	while ((rc = channel_recv(x->fd, &m, fds, CHANNEL_FDS_MAX, &n)) == 1) {
		if (m.type == CHANNEL_WELCOME)
			version = m.u.welcome.version;
		while (n > 0)
			close(fds[--n]);
	}
	assert_int_equal(rc, version != 0 ? 0 : -EPIPE);
	return version;
}

/* A control that says hello; the version it is welcomed with, 0: hung up. */
static uint32_t
hello(struct box *x, uint32_t min, uint32_t max)
{
	return hello_as(x, min, max, CHANNEL_ROLE_CONTROL);
}

static bool
is_there(struct box *x)
{
	struct channel_msg m;
	unsigned n;
	poll_some(x);
	return channel_recv(x->fd, &m, NULL, 0, &n) == 0;
}

static int
page_of(uint64_t number, uint32_t n_armed)
{
	struct {
		struct memory_page h;
		struct memory_armed armed[2];
	} p = {.h = {.magic = MEMORY_MAGIC,
		       .version = MEMORY_VERSION,
		       .header_bytes = sizeof p.h,
		       .armed_bytes = sizeof p.armed[0],
		       .incident_bytes = sizeof(struct memory_incident),
		       .n_armed = n_armed,
		       .number = number},
		.armed = {{.address = {1}}, {.address = {2}}}};
	int fd = shm_create_fixed("memory", &p, MEMORY_BYTES(2, 0));
	assert_true(fd >= 0);
	return fd;
}

static void
send_page(struct box *x, int fd)
{
	struct channel_msg m = {.type = CHANNEL_MEMORY};
	assert_int_equal(channel_send(x->fd, &m, &fd, 1), 0);
	close(fd);
}

static int
keys(void *ctx, const char *text, size_t n)
{
	struct box *x = ctx;
	snprintf(x->text, sizeof x->text, "%.*s", (int)n, text);
	return x->keys_answer;
}

static int
profile(void *ctx, const char *text, size_t n, char *said, size_t cap)
{
	struct box *x = ctx;
	snprintf(said, cap, "said of %.*s", (int)n, text);
	return x->profile_answer;
}

/* Sends a sealed text on `fd` and returns what is said of it; -1: hung up. */
static int
send_text(struct box *x, int fd, uint16_t type, uint64_t number, int blob)
{
	struct channel_msg m = {.type = type, .u.blob = {.number = number}};
	unsigned n;
	assert_int_equal(channel_send(fd, &m, &blob, 1), 0);
	close(blob);
	poll_some(x);
	int rc = channel_recv(fd, &m, NULL, 0, &n);
	if (rc != 1)
		return -1;
	assert_int_equal(m.type, CHANNEL_SAID);
	assert_true(m.u.said.number == number);
	return (int)m.u.said.status;
}

static int
text_of(const char *text)
{
	return shm_create_fixed("text", text, strlen(text));
}

static void
keys_beside_control(void **state)
{
	struct box *x = *state;
	x->offer.keys = keys;
	x->offer.keys_ctx = x;
	assert_int_equal(hello(x, 1, CHANNEL_VERSION_MAX), CHANNEL_VERSION_MAX);
	int control = x->fd;
	x->fd = -1;
	assert_int_equal(hello_as(x, 3, 3, CHANNEL_ROLE_KEYS), 3);
	assert_int_equal(send_text(x, x->fd, CHANNEL_KEYS, 7, text_of("rlpx 1")), CHANNEL_OK);
	assert_string_equal(x->text, "rlpx 1");
	x->keys_answer = -EINVAL;
	assert_int_equal(send_text(x, x->fd, CHANNEL_KEYS, 8, text_of("rlpx 2")), CHANNEL_REFUSED);
	/* one that could still change, or is none */
	assert_int_equal(send_text(x, x->fd, CHANNEL_KEYS, 9, memfd_create("open", MFD_ALLOW_SEALING)), CHANNEL_REFUSED);
	assert_int_equal(send_text(x, x->fd, CHANNEL_KEYS, 10, dup(STDERR_FILENO)), CHANNEL_REFUSED);
	assert_true(is_there(x));
	assert_int_equal(x->a.keys, 4);
	assert_int_equal(x->a.keys_refused, 3);
	/* what only control may send is the end of keys, not of control */
	assert_int_equal(send_text(x, x->fd, CHANNEL_PROFILE, 11, text_of("{}")), -1);
	assert_false(is_there(x));
	int gone = x->fd;
	x->fd = control;
	assert_true(is_there(x));
	/* and the other way round */
	assert_int_equal(send_text(x, x->fd, CHANNEL_KEYS, 12, text_of("rlpx 3")), -1);
	assert_false(is_there(x));
	close(gone);
	assert_string_equal(x->text, "rlpx 2");
}

static void
roles(void **state)
{
	struct box *x = *state;
	assert_int_equal(hello_as(x, 1, 2, CHANNEL_ROLE_KEYS), 0);
	assert_int_equal(hello_as(x, 1, 3, 2), 0);
	assert_int_equal(hello_as(x, 1, 3, UINT32_MAX), 0);
	x->a.uid = getuid() + 1;
	assert_int_equal(hello_as(x, 1, 3, CHANNEL_ROLE_KEYS), getuid() == 0 ? 3 : 0);
	assert_int_equal(hello(x, 1, 3), 3);
}

static void
profiles(void **state)
{
	struct box *x = *state;
	x->offer.profile = profile;
	x->offer.profile_ctx = x;
	x->offer.stats = &x->stats;
	assert_int_equal(hello(x, 1, 3), 3);
	for (int want = CHANNEL_OK; want <= CHANNEL_STATUS_MAX; want++) {
		x->profile_answer = want;
		assert_int_equal(send_text(x, x->fd, CHANNEL_PROFILE, 20 + (uint64_t)want, text_of("{a: b}")), want);
		assert_string_equal(x->stats.said.text, "said of {a: b}");
		assert_true(x->stats.said.number == 20 + (uint64_t)want);
		assert_int_equal(x->stats.said.status, want);
	}
	assert_int_equal(send_text(x, x->fd, CHANNEL_PROFILE, 30, memfd_create("open", MFD_ALLOW_SEALING)), CHANNEL_REFUSED);
	assert_non_null(strstr(x->stats.said.text, "sealed text"));
	x->offer.profile = NULL;
	assert_int_equal(send_text(x, x->fd, CHANNEL_PROFILE, 31, text_of("{}")), CHANNEL_REFUSED);
	assert_true(is_there(x));
	assert_int_equal(x->a.profiles, 5);
	assert_int_equal(x->a.profiles_refused, 3);
	assert_int_equal(hello(x, 1, 2), 2);
	assert_int_equal(send_text(x, x->fd, CHANNEL_PROFILE, 32, text_of("{}")), -1);
	assert_int_equal(fds_open(), x->fds + 1); /* the test's end of a connection that is over */
}

static void
versions(void **state)
{
	struct box *x = *state;
	assert_int_equal(hello(x, 1, 1), 1);
	assert_int_equal(hello(x, 1, 2), 2);
	assert_int_equal(hello(x, 2, 2), 2);
	assert_int_equal(hello(x, 1, UINT32_MAX), CHANNEL_VERSION_MAX);
	assert_int_equal(hello(x, 0, 1), 1);
	assert_int_equal(hello(x, CHANNEL_VERSION_MAX + 1, UINT32_MAX), 0);
	assert_int_equal(hello(x, 0, 0), 0);
	assert_int_equal(hello(x, 2, 1), 0);
}

static void
pages(void **state)
{
	struct box *x = *state;
	assert_int_equal(hello(x, 1, CHANNEL_VERSION_MAX), CHANNEL_VERSION_MAX);
	for (uint64_t i = 1; i <= 3; i++)
		send_page(x, page_of(i, 2));
	assert_true(is_there(x));
	assert_int_equal(x->taken, 3);
	assert_int_equal(x->number, 3);
	/* One that is not as it must be is left aside: that control still empties the rings. */
	send_page(x, page_of(0, 2));
	send_page(x, page_of(4, 1));
	send_page(x, memfd_create("open", MFD_ALLOW_SEALING));
	assert_true(is_there(x));
	send_page(x, dup(x->p.ring_fd)); /* what was given may come back */
	send_page(x, dup(STDERR_FILENO));
	assert_true(is_there(x));
	assert_int_equal(x->taken, 3);
	assert_int_equal(x->a.memories, 8);
	assert_int_equal(x->a.memories_refused, 5);
	send_page(x, page_of(5, 2));
	assert_true(is_there(x));
	assert_int_equal(x->number, 5);
	x->offer.memory = NULL; /* nobody wants it */
	send_page(x, page_of(6, 2));
	assert_true(is_there(x));
	assert_int_equal(x->number, 5);
	assert_int_equal(fds_open(), x->fds + 2); /* both ends of the connection */
}

static void
not_before_its_version(void **state)
{
	struct box *x = *state;
	assert_int_equal(hello(x, 1, 1), 1);
	send_page(x, page_of(1, 2));
	assert_false(is_there(x));
	assert_int_equal(x->taken, 0);
}

static void
anything_else_is_the_end(void **state)
{
	struct box *x = *state;
	const int fds[3] = {x->offer.stats_fd, x->offer.stats_fd, x->offer.stats_fd};
	const struct {
		uint16_t type;
		unsigned fds;
	} others[] = {{CHANNEL_HELLO, 0}, {CHANNEL_WELCOME, 0}, {CHANNEL_RING, 3}, {CHANNEL_STATS, 1},
		{CHANNEL_BUNDLE_META, 1}, {CHANNEL_KEYS, 1}, {CHANNEL_PROFILE, 1}, {CHANNEL_SAID, 0}};
	for (unsigned i = 0; i < sizeof others / sizeof others[0]; i++) {
		struct channel_msg m = {.type = others[i].type};
		assert_int_equal(hello(x, 1, 2), 2);
		assert_int_equal(channel_send(x->fd, &m, fds, others[i].fds), 0);
		assert_false(is_there(x));
	}
	assert_int_equal(hello(x, 1, 2), 2);
	assert_int_equal(send(x->fd, "garbage", 7, 0), 7);
	assert_false(is_there(x));
	/* and as the first thing */
	close(x->fd);
	x->fd = channel_connect(x->path);
	send_page(x, page_of(1, 2));
	assert_false(is_there(x));
	assert_int_equal(x->taken, 0);
	close(x->fd);
	x->fd = -1;
	poll_some(x);
	assert_int_equal(fds_open(), x->fds);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(versions), T(keys_beside_control), T(roles), T(profiles), T(pages), T(not_before_its_version), T(anything_else_is_the_end)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
