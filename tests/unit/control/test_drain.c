/* SPDX-License-Identifier: BSD-3-Clause */
#include "fixture.h"

#include "abi/channel.h"
#include "abi/ring.h"
#include "abi/shm.h"
#include "abi/stats.h"
#include "control/attach.h"
#include "control/drain.h"

#include <errno.h>
#include <sys/socket.h>

#define BIG (64ull << 20)
#define SLOTS 8

/* Two rings in this process, and what attaches to them. */
struct box {
	struct ring_producer p[2];
	struct stats_page *stats;
	int stats_fd;
	char *dir;
	struct journal *j;
	struct drain n;
	struct batch b;
};

static void
offer(struct box *x, struct dataplane *d)
{
	*d = (struct dataplane){.pid = 1, .n_rings = 2};
	memcpy(d->epoch, x->p[0].h->epoch, 8);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(
			ring_attach(&d->ring[i], x->p[i].ring_fd, x->p[i].evidence_fd, x->p[i].cursor_fd), 0);
	d->stats = stats_attach(x->stats_fd);
	assert_non_null(d->stats);
}

static void
make_rings(struct box *x, const uint8_t epoch[8])
{
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(ring_create(&x->p[i], epoch, 10 + i, (enum ring_lane)i, SLOTS, 0), 0);
}

static void
attach_again(struct box *x)
{
	struct dataplane d;
	offer(x, &d);
	drain_attach(&x->n, &d, x->j);
}

static void
start(struct box *x)
{
	*x = (struct box){.dir = folder_new()};
	x->j = journal_of(x->dir, BIG, BIG);
	drain_init(&x->n);
	assert_int_equal(batch_new(&x->b), 0);
	x->stats = stats_create(&x->stats_fd);
	assert_non_null(x->stats);
	make_rings(x, EPOCH_A);
	attach_again(x);
}

static void
end(struct box *x)
{
	drain_end(&x->n);
	batch_free(&x->b);
	journal_close(x->j);
	for (unsigned i = 0; i < 2; i++)
		ring_destroy(&x->p[i]);
	stats_detach(x->stats);
	close(x->stats_fd);
	folder_free(x->dir);
}

static int
publish(struct box *x, unsigned ring, unsigned grade)
{
	static const uint8_t evidence[] = "evidence";
	struct alert_record r = record_of(0, grade);
	return ring_publish(&x->p[ring], &r, (struct span){evidence, sizeof evidence});
}

static void
is_entry(const struct batch *b, uint32_t i, uint32_t ring, uint64_t from, uint64_t to, const char *reason)
{
	assert_true(i < b->n);
	assert_int_equal(b->e[i].ring_id, ring);
	assert_int_equal(b->e[i].from, from);
	assert_int_equal(b->e[i].to, to);
	assert_int_equal(b->e[i].loss, reason != NULL);
	if (reason != NULL)
		assert_string_equal(b->e[i].reason, reason);
}

static void
commit(struct box *x)
{
	assert_int_equal(journal_commit(x->j, &x->b, SECOND), 0);
	drain_release(&x->n);
}

static void
test_critical_first(void **state)
{
	(void)state;
	struct box x;
	start(&x);
	assert_int_equal(drain_turn(&x.n, &x.b), 0);
	publish(&x, 1, GRADE_WATCH);
	publish(&x, 1, GRADE_WATCH);
	publish(&x, 0, GRADE_PAUSE);
	assert_int_equal(drain_turn(&x.n, &x.b), 3);
	is_entry(&x.b, 0, 10, 1, 1, NULL);
	is_entry(&x.b, 1, 11, 1, 1, NULL);
	is_entry(&x.b, 2, 11, 2, 2, NULL);
	assert_memory_equal(x.b.evidence + x.b.e[2].evidence_at, "evidence", 9);
	/* nothing is given back before it is durable */
	assert_int_equal(x.p[1].cursor->consumed, 0);
	commit(&x);
	assert_int_equal(x.p[1].cursor->consumed, 2);
	assert_int_equal(x.p[0].cursor->consumed, 1);
	assert_true(x.p[0].cursor->heartbeat > 0);
	end(&x);
}

static void
test_ring_full(void **state)
{
	(void)state;
	struct box x;
	start(&x);
	for (unsigned i = 0; i < SLOTS; i++)
		assert_int_equal(publish(&x, 0, GRADE_PAUSE), 0);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(publish(&x, 0, GRADE_PAUSE), -ENOBUFS);
	/* the records, then what was lost behind them, without waiting for the next record */
	assert_int_equal(drain_turn(&x.n, &x.b), SLOTS + 1);
	is_entry(&x.b, SLOTS, 10, 9, 11, LOSS_NAME_RING_FULL);
	commit(&x);
	assert_int_equal(drain_turn(&x.n, &x.b), 0);
	/* the next one says lost_before = 3: told already */
	assert_int_equal(publish(&x, 0, GRADE_PAUSE), 0);
	assert_int_equal(drain_turn(&x.n, &x.b), 1);
	is_entry(&x.b, 0, 10, 12, 12, NULL);
	assert_int_equal(x.b.n, 1);
	commit(&x);
	struct journal_progress p;
	journal_ring(x.j, EPOCH_A, 10, &p);
	assert_int_equal(p.last_seq, 12);
	assert_int_equal(p.journaled, 9);
	assert_int_equal(p.lost, 3);
	end(&x);
}

static void
test_hole_before_a_record(void **state)
{
	(void)state;
	struct box x;
	start(&x);
	for (unsigned i = 0; i < SLOTS + 2; i++)
		publish(&x, 1, GRADE_WATCH);
	/* room again, and a record behind the hole, before control looks */
	struct ring_consumer *c = &x.n.d.ring[1];
	struct alert_record r;
	uint8_t buf[RING_EVIDENCE_ONE_MAX];
	uint32_t len;
	assert_int_equal(ring_read(c, &r, buf, &len), 1);
	x.n.ring[1].last_seq = 1;
	ring_release(c, 1);
	assert_int_equal(publish(&x, 1, GRADE_WATCH), 0);
	assert_int_equal(drain_turn(&x.n, &x.b), SLOTS);
	is_entry(&x.b, SLOTS - 1, 11, 9, 10, LOSS_NAME_RING_FULL);
	is_entry(&x.b, SLOTS, 11, 11, 11, NULL);
	end(&x);
}

static void
test_corrupt_slots(void **state)
{
	(void)state;
	struct box x;
	start(&x);
	for (unsigned i = 0; i < 6; i++)
		publish(&x, 0, GRADE_PAUSE);
	x.p[0].slots[1].record.grade = 77;
	x.p[0].slots[3].commit = 99;
	x.p[0].slots[4].record.evidence_len = RING_EVIDENCE_ONE_MAX + 1;
	assert_int_equal(drain_turn(&x.n, &x.b), 6);
	assert_int_equal(x.b.n, 5);
	is_entry(&x.b, 0, 10, 1, 1, NULL);
	is_entry(&x.b, 1, 10, 2, 2, LOSS_NAME_CORRUPT);
	is_entry(&x.b, 2, 10, 3, 3, NULL);
	is_entry(&x.b, 3, 10, 4, 5, LOSS_NAME_CORRUPT);
	is_entry(&x.b, 4, 10, 6, 6, NULL);
	commit(&x);
	/* the last one of all */
	publish(&x, 0, GRADE_PAUSE);
	x.p[0].slots[6].record.kind = 0;
	assert_int_equal(drain_turn(&x.n, &x.b), 2);
	is_entry(&x.b, 0, 10, 7, 7, LOSS_NAME_CORRUPT);
	commit(&x);
	/* a seq from nowhere, ahead or behind, is no record */
	publish(&x, 0, GRADE_PAUSE);
	publish(&x, 0, GRADE_PAUSE);
	publish(&x, 0, GRADE_PAUSE);
	x.p[0].slots[7].record.seq = 1ull << 62;
	x.p[0].slots[0].record.seq = UINT64_MAX;
	assert_int_equal(drain_turn(&x.n, &x.b), 3);
	is_entry(&x.b, 0, 10, 8, 9, LOSS_NAME_CORRUPT);
	is_entry(&x.b, 1, 10, 10, 10, NULL);
	assert_int_equal(x.n.ring[0].corrupt_all, 6);
	end(&x);
}

static void
test_resume_and_new_epoch(void **state)
{
	(void)state;
	struct box x;
	start(&x);
	for (unsigned i = 0; i < 5; i++)
		publish(&x, 0, GRADE_PAUSE);
	assert_int_equal(drain_turn(&x.n, &x.b), 5);
	assert_int_equal(journal_commit(x.j, &x.b, SECOND), 0);
	/* dies before the release; the next control reads them again and tells them by the journal */
	drain_detach(&x.n);
	attach_again(&x);
	publish(&x, 0, GRADE_PAUSE);
	assert_int_equal(drain_turn(&x.n, &x.b), 6);
	assert_int_equal(x.b.n, 1);
	is_entry(&x.b, 0, 10, 6, 6, NULL);
	commit(&x);
	assert_int_equal(journal_head(x.j), 6);
	/* dies after reading and before the commit: they come again */
	publish(&x, 0, GRADE_PAUSE);
	assert_int_equal(drain_turn(&x.n, &x.b), 1);
	x.b.n = x.b.evidence_n = 0;
	drain_detach(&x.n);
	attach_again(&x);
	assert_int_equal(drain_turn(&x.n, &x.b), 1);
	is_entry(&x.b, 0, 10, 7, 7, NULL);
	commit(&x);
	/* while this control lives it knows what it has read, even if no journal does */
	publish(&x, 0, GRADE_PAUSE);
	assert_int_equal(drain_turn(&x.n, &x.b), 1);
	drain_release(&x.n);
	attach_again(&x);
	publish(&x, 0, GRADE_PAUSE);
	assert_int_equal(drain_turn(&x.n, &x.b), 1);
	is_entry(&x.b, 1, 10, 9, 9, NULL);
	assert_int_equal(x.b.n, 2);
	commit(&x);
	/* another epoch begins at 1 */
	for (unsigned i = 0; i < 2; i++)
		ring_destroy(&x.p[i]);
	make_rings(&x, EPOCH_B);
	attach_again(&x);
	publish(&x, 0, GRADE_PAUSE);
	assert_int_equal(drain_turn(&x.n, &x.b), 1);
	is_entry(&x.b, 0, 10, 1, 1, NULL);
	assert_memory_equal(x.b.e[0].epoch, EPOCH_B, 8);
	commit(&x);
	end(&x);
}

/* Somebody else emptied the ring before, into another journal. */
static void
test_not_in_this_journal(void **state)
{
	(void)state;
	struct box x;
	start(&x);
	for (unsigned i = 0; i < 5; i++)
		publish(&x, 0, GRADE_PAUSE);
	publish(&x, 1, GRADE_WATCH);
	drain_turn(&x.n, &x.b);
	x.b.n = x.b.evidence_n = 0;
	drain_release(&x.n);
	drain_detach(&x.n);
	attach_again(&x);
	publish(&x, 0, GRADE_PAUSE);
	assert_int_equal(drain_turn(&x.n, &x.b), 2);
	is_entry(&x.b, 0, 10, 1, 5, LOSS_NAME_ELSEWHERE);
	is_entry(&x.b, 1, 10, 6, 6, NULL);
	is_entry(&x.b, 2, 11, 1, 1, LOSS_NAME_ELSEWHERE);
	end(&x);
}

static void
test_turn_is_bounded(void **state)
{
	(void)state;
	struct box x;
	start(&x);
	ring_destroy(&x.p[1]);
	assert_int_equal(ring_create(&x.p[1], EPOCH_A, 11, LANE_NORMAL, 2048, 1 << 20), 0);
	attach_again(&x);
	for (unsigned i = 0; i < 2000; i++)
		publish(&x, 1, GRADE_WATCH);
	assert_int_equal(drain_turn(&x.n, &x.b), DRAIN_NORMAL_TURN);
	unsigned turns = 1;
	while (drain_turn(&x.n, &x.b) > 0)
		turns++;
	/* it stops when the batch is full, not at the end of the ring */
	assert_true(x.b.n <= BATCH_ENTRIES && x.b.n > BATCH_ENTRIES - 8);
	assert_true(turns < 20);
	commit(&x);
	assert_int_equal(drain_turn(&x.n, &x.b), DRAIN_NORMAL_TURN);
	end(&x);
}

/* ---- the channel ---- */

struct channel {
	char *dir, path[256];
	int listen_fd, fd;
	struct attach a;
	struct dataplane d;
	struct ring_producer p[2];
	struct stats_page *stats;
	int stats_fd, bundle_fd;
	uint64_t now_ns;
};

static void
channel_start(struct channel *c)
{
	*c = (struct channel){.dir = folder_new(), .fd = -1, .now_ns = SECOND};
	snprintf(c->path, sizeof c->path, "%s/d", c->dir);
	assert_int_equal(attach_init(&c->a, c->path), 0);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(ring_create(&c->p[i], EPOCH_A, i, (enum ring_lane)(1 - i), SLOTS, 0), 0);
	c->stats = stats_create(&c->stats_fd);
	c->bundle_fd = shm_create_fixed("bundle", "x", 1);
	/* nobody there: it tries again, and again */
	for (unsigned i = 0; i < 5; i++) {
		c->now_ns += SECOND;
		assert_int_equal(attach_poll(&c->a, c->now_ns, &c->d), ATTACH_NOTHING);
		assert_int_equal(c->a.last_errno, ENOENT);
	}
	c->listen_fd = channel_listen(c->path);
	assert_true(c->listen_fd >= 0);
}

static void
channel_end(struct channel *c)
{
	attach_end(&c->a);
	for (unsigned i = 0; i < 2; i++)
		ring_destroy(&c->p[i]);
	stats_detach(c->stats);
	close(c->stats_fd);
	close(c->bundle_fd);
	close(c->listen_fd);
	if (c->fd >= 0)
		close(c->fd);
	folder_free(c->dir);
}

static void
greet(struct channel *c)
{
	struct channel_msg m;
	unsigned n;
	if (c->fd >= 0)
		close(c->fd);
	c->now_ns += SECOND;
	assert_int_equal(attach_poll(&c->a, c->now_ns, &c->d), ATTACH_NOTHING);
	c->fd = accept(c->listen_fd, NULL, NULL);
	assert_true(c->fd >= 0);
	assert_int_equal(channel_recv(c->fd, &m, NULL, 0, &n), 1);
	assert_int_equal(m.type, CHANNEL_HELLO);
}

static void
tell(struct channel *c, const char *what)
{
	struct channel_msg m = {0};
	for (; *what != '\0'; what++) {
		const struct ring_producer *p = &c->p[*what == 'r'];
		const int ring[3] = {p->ring_fd, p->evidence_fd, p->cursor_fd};
		memset(&m, 0, sizeof m);
		switch (*what) {
		case 'w':
		case 'v':
		case 'W':
			m.type = CHANNEL_WELCOME;
			m.u.welcome.version = *what == 'w' ? 1 : *what == 'W' ? CHANNEL_VERSION_MEMORY : 9;
			m.u.welcome.n_rings = 2;
			memcpy(m.u.welcome.epoch, EPOCH_A, 8);
			assert_int_equal(channel_send(c->fd, &m, NULL, 0), 0);
			break;
		case 'e':
			m.type = CHANNEL_WELCOME;
			m.u.welcome.version = 1;
			m.u.welcome.n_rings = 2;
			assert_int_equal(channel_send(c->fd, &m, NULL, 0), 0);
			break;
		case 'r':
		case 'R':
			m.type = CHANNEL_RING;
			m.u.ring.ring_id = p->h->ring_id;
			m.u.ring.lane = p->h->lane;
			assert_int_equal(channel_send(c->fd, &m, ring, 3), 0);
			break;
		case 's':
		case 'S':
			m.type = CHANNEL_STATS;
			assert_int_equal(
				channel_send(c->fd, &m, *what == 's' ? &c->stats_fd : &c->bundle_fd, 1), 0);
			break;
		case 'b':
			m.type = CHANNEL_BUNDLE_META;
			m.u.bundle.generation = 3;
			assert_int_equal(channel_send(c->fd, &m, &c->bundle_fd, 1), 0);
			break;
		case 'x':
			assert_int_equal(send(c->fd, "garbage", 7, 0), 7);
			break;
		}
	}
}

static void
test_offer(void **state)
{
	(void)state;
	struct channel c;
	channel_start(&c);
	greet(&c);
	tell(&c, "wRr");
	assert_int_equal(attach_poll(&c.a, c.now_ns, &c.d), ATTACH_NOTHING);
	tell(&c, "sb");
	assert_int_equal(attach_poll(&c.a, c.now_ns, &c.d), ATTACH_CAME);
	assert_int_equal(c.d.n_rings, 2);
	assert_memory_equal(c.d.epoch, EPOCH_A, 8);
	assert_int_equal(c.d.generation, 3);
	/* critical first, whatever came first */
	assert_int_equal(c.d.ring[0].lane, LANE_CRITICAL);
	assert_int_equal(c.d.ring[1].lane, LANE_NORMAL);
	tell(&c, "b");
	assert_int_equal(attach_poll(&c.a, c.now_ns, &c.d), ATTACH_BUNDLE);
	close(c.fd);
	c.fd = -1;
	assert_int_equal(attach_poll(&c.a, c.now_ns, &c.d), ATTACH_GONE);
	/* the mappings stay */
	assert_int_equal(ring_tail(&c.d.ring[0]), 1);
	dataplane_free(&c.d);
	/* and again */
	greet(&c);
	tell(&c, "wRrsb");
	assert_int_equal(attach_poll(&c.a, c.now_ns, &c.d), ATTACH_CAME);
	/* anything but a bundle is the end */
	tell(&c, "w");
	assert_int_equal(attach_poll(&c.a, c.now_ns, &c.d), ATTACH_GONE);
	dataplane_free(&c.d);
	channel_end(&c);
}

/* Memory goes to whoever speaks of it, once everything is offered, and to nobody else. */
static void
test_memory(void **state)
{
	(void)state;
	struct channel c;
	struct channel_msg m;
	int fds[CHANNEL_FDS_MAX];
	unsigned n;
	channel_start(&c);
	assert_int_equal(attach_remember(&c.a, c.bundle_fd, 1, 2), -ENOTCONN);
	greet(&c);
	tell(&c, "wRrs");
	assert_int_equal(attach_poll(&c.a, c.now_ns, &c.d), ATTACH_NOTHING);
	assert_false(attach_takes_memory(&c.a));
	tell(&c, "b");
	assert_int_equal(attach_poll(&c.a, c.now_ns, &c.d), ATTACH_CAME);
	assert_false(attach_takes_memory(&c.a)); /* the first version knows nothing of it */
	assert_int_equal(attach_remember(&c.a, c.bundle_fd, 1, 2), -ENOTCONN);
	assert_int_equal(channel_recv(c.fd, &m, fds, CHANNEL_FDS_MAX, &n), 0);
	dataplane_free(&c.d);
	close(c.fd);
	c.fd = -1;
	assert_int_equal(attach_poll(&c.a, c.now_ns, &c.d), ATTACH_GONE);
	greet(&c);
	tell(&c, "WRrs");
	assert_int_equal(attach_poll(&c.a, c.now_ns, &c.d), ATTACH_NOTHING);
	assert_false(attach_takes_memory(&c.a));
	tell(&c, "b");
	assert_int_equal(attach_poll(&c.a, c.now_ns, &c.d), ATTACH_CAME);
	assert_true(attach_takes_memory(&c.a));
	assert_int_equal(attach_remember(&c.a, c.bundle_fd, 7, 99), 0);
	assert_int_equal(channel_recv(c.fd, &m, fds, CHANNEL_FDS_MAX, &n), 1);
	assert_int_equal(m.type, CHANNEL_MEMORY);
	assert_int_equal(m.u.memory.number, 7);
	assert_int_equal(m.u.memory.bytes, 99);
	assert_int_equal(n, 1);
	close(fds[0]);
	int rc = 0;
	for (unsigned i = 0; rc == 0 && i < 100000; i++)
		rc = attach_remember(&c.a, c.bundle_fd, i, 1);
	assert_int_equal(rc, -EAGAIN); /* it does not read */
	dataplane_free(&c.d);
	channel_end(&c);
}

static void
test_bad_offers(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"x", "v", "ww", "r", "s", "b", "wb", "wrs", "wrr", "wrRr", "wrRS", "wrRb", "eRr", "wrRsx"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct channel c;
		channel_start(&c);
		greet(&c);
		tell(&c, bad[i]);
		assert_int_equal(attach_poll(&c.a, c.now_ns, &c.d), ATTACH_REFUSED);
		assert_string_not_equal(c.a.why, "");
		/* said once; and a good one is taken afterwards */
		greet(&c);
		tell(&c, bad[i]);
		assert_int_equal(attach_poll(&c.a, c.now_ns, &c.d), ATTACH_NOTHING);
		greet(&c);
		tell(&c, "wrRsb");
		assert_int_equal(attach_poll(&c.a, c.now_ns, &c.d), ATTACH_CAME);
		dataplane_free(&c.d);
		channel_end(&c);
	}
}

static void
test_silence(void **state)
{
	(void)state;
	struct channel c;
	channel_start(&c);
	greet(&c);
	tell(&c, "wr");
	assert_int_equal(attach_poll(&c.a, c.now_ns + 30 * SECOND, &c.d), ATTACH_NOTHING);
	assert_int_equal(attach_poll(&c.a, c.now_ns + 61 * SECOND, &c.d), ATTACH_REFUSED);
	assert_int_equal(c.a.fd, -1);
	channel_end(&c);
}

/* A dataplane listens before it has its memory and its ports: one that ends in between is not said to be of another release, and the next one that does
 * greet, and then ends, is. */
static void
test_ends_while_starting(void **state)
{
	(void)state;
	struct channel c;
	channel_start(&c);
	for (unsigned i = 0; i < 2; i++) {
		greet(&c);
		close(c.fd);
		c.fd = -1;
		assert_int_equal(attach_poll(&c.a, c.now_ns, &c.d), i == 0 ? ATTACH_REFUSED : ATTACH_NOTHING); /* said once */
		assert_non_null(strstr(c.a.why, "it ended while it started"));
		assert_true(strlen(c.a.why) + 1 < sizeof c.a.why);
	}
	/* it ends before it has taken the connection */
	c.now_ns += SECOND;
	assert_int_equal(attach_poll(&c.a, c.now_ns, &c.d), ATTACH_NOTHING);
	close(c.listen_fd);
	assert_int_equal(attach_poll(&c.a, c.now_ns, &c.d), ATTACH_NOTHING);
	assert_non_null(strstr(c.a.why, "it ended while it started"));
	assert_int_equal(c.a.fd, -1);
	c.listen_fd = channel_listen(c.path);
	assert_true(c.listen_fd >= 0);
	greet(&c);
	tell(&c, "wr");
	close(c.fd);
	c.fd = -1;
	assert_int_equal(attach_poll(&c.a, c.now_ns, &c.d), ATTACH_REFUSED);
	assert_non_null(strstr(c.a.why, "same release"));
	channel_end(&c);
}

/* One that is killed still listens when its connection is closed already: who connects in that moment is not told of a start that failed. */
static void
test_ends_while_attached(void **state)
{
	(void)state;
	struct channel c;
	channel_start(&c);
	greet(&c);
	tell(&c, "wrRsb");
	assert_int_equal(attach_poll(&c.a, c.now_ns, &c.d), ATTACH_CAME);
	dataplane_free(&c.d);
	close(c.fd);
	c.fd = -1;
	assert_int_equal(attach_poll(&c.a, c.now_ns, &c.d), ATTACH_GONE);
	for (unsigned i = 0; i < 2; i++) {
		greet(&c); /* a second later */
		close(c.fd);
		c.fd = -1;
		assert_int_equal(attach_poll(&c.a, c.now_ns - SECOND / 2, &c.d), i == 0 ? ATTACH_NOTHING : ATTACH_REFUSED); /* later it is one that cannot start */
	}
	channel_end(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_critical_first),
		cmocka_unit_test(test_ring_full),
		cmocka_unit_test(test_hole_before_a_record),
		cmocka_unit_test(test_corrupt_slots),
		cmocka_unit_test(test_resume_and_new_epoch),
		cmocka_unit_test(test_not_in_this_journal),
		cmocka_unit_test(test_turn_is_bounded),
		cmocka_unit_test(test_offer),
		cmocka_unit_test(test_memory), cmocka_unit_test(test_bad_offers),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_ends_while_starting),
		cmocka_unit_test(test_ends_while_attached),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
