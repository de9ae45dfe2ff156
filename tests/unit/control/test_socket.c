/* SPDX-License-Identifier: BSD-3-Clause */
/* The control socket as its clients see it. */
#include "fixture.h"

#include "control/control.h"
#include "control/deliver/client.h"
#include "control/deliver/outlet.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#define BIG (64ull << 20)

struct box {
	char *dir, path[256], err[512];
	struct control c;
	struct outlet_state *s;
	pthread_t writer; /* commits what the clients changed, as the drain does */
	_Atomic bool stop, pause_writer;
	struct batch none;
};

static void *
writer(void *arg)
{
	struct box *x = arg;
	while (!x->stop) {
		if (!x->pause_writer && journal_wants(x->c.journal, SECOND)) {
			journal_commit(x->c.journal, &x->none, SECOND);
			outlet_unixsock.wake(x->s);
		}
		nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
	}
	return NULL;
}

static void
start_with(struct box *x, uint64_t file_bytes, uint64_t keep_bytes, unsigned records)
{
	memset(x, 0, sizeof *x);
	x->dir = folder_new();
	snprintf(x->path, sizeof x->path, "%s/c.sock", x->dir);
	x->c.opt = (struct control_options){
		.socket = x->path, .channel = "nowhere", .source_name = "urn:test:a:b"};
	x->c.journal = journal_of(x->dir, file_bytes, keep_bytes);
	drain_init(&x->c.drain);
	if (records > 0)
		commit_range(x->c.journal, EPOCH_A, 0, 1, records, 10, GRADE_WATCH, 20);
	x->s = outlet_unixsock.start(&x->c, x->err, sizeof x->err);
	assert_non_null(x->s);
	assert_int_equal(pthread_create(&x->writer, NULL, writer, x), 0);
}

static void
start(struct box *x, unsigned records)
{
	start_with(x, BIG, BIG, records);
}

static void
quiet_writer(struct box *x)
{
	x->stop = true;
	pthread_join(x->writer, NULL);
}

static void
end(struct box *x)
{
	if (!x->stop)
		quiet_writer(x);
	outlet_unixsock.stop(x->s);
	assert_int_equal(access(x->path, F_OK), -1);
	drain_end(&x->c.drain);
	journal_close(x->c.journal);
	folder_free(x->dir);
}

/* More events, from this thread: the other one must not write. */
static void
more(struct box *x, uint64_t from, uint64_t to, unsigned grade)
{
	assert_true(x->stop);
	commit_range(x->c.journal, EPOCH_A, 0, from, to, 10, grade, 20);
	outlet_unixsock.wake(x->s);
}

struct peer {
	int fd;
	char buf[1 << 17];
	size_t at, n;
};

static void
peer_open(struct peer *p, const struct box *x)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct timeval patience = {.tv_sec = 20};
	strcpy(a.sun_path, x->path);
	p->at = p->n = 0;
	p->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(setsockopt(p->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
	assert_int_equal(connect(p->fd, (struct sockaddr *)&a, sizeof a), 0);
}

static void
say(struct peer *p, const char *line)
{
	char buf[8192];
	int n = snprintf(buf, sizeof buf, "%s\n", line);
	assert_int_equal(send(p->fd, buf, (size_t)n, MSG_NOSIGNAL), n);
}

/* The next line, or NULL at the end of the connection. */
static json_t *
hear(struct peer *p)
{
	for (;;) {
		char *end = memchr(p->buf + p->at, '\n', p->n - p->at);
		if (end != NULL) {
			json_error_t e;
			json_t *o = json_loadb(
				p->buf + p->at, (size_t)(end - (p->buf + p->at)), JSON_REJECT_DUPLICATES, &e);
			assert_non_null(o);
			p->at = (size_t)(end + 1 - p->buf);
			return o;
		}
		memmove(p->buf, p->buf + p->at, p->n - p->at);
		p->n -= p->at;
		p->at = 0;
		assert_true(p->n < sizeof p->buf);
		ssize_t n = recv(p->fd, p->buf + p->n, sizeof p->buf - p->n, 0);
		if (n < 0 && errno == ECONNRESET)
			n = 0;
		assert_true(n >= 0);
		if (n == 0)
			return NULL;
		p->n += (size_t)n;
	}
}

static void
hears_error(struct peer *p, const char *about)
{
	json_t *o = hear(p);
	assert_non_null(o);
	const char *error = json_string_value(json_object_get(o, "error"));
	assert_non_null(error);
	assert_non_null(json_string_value(json_object_get(o, "next")));
	if (strstr(error, about) == NULL)
		fail_msg("\"%s\" is not about \"%s\"", error, about);
	json_decref(o);
	assert_null(hear(p));
	close(p->fd);
}

/* The next event has this place in the journal; returns its type's third letter from the dot, for what cares.
 */
static void
hears_event(struct peer *p, const struct box *x, uint64_t place, const char *type)
{
	char cursor[POSITION_TEXT_MAX];
	json_t *o = hear(p);
	assert_non_null(o);
	position_cursor(journal_id(x->c.journal), place, cursor);
	assert_string_equal(json_string_value(json_object_get(o, "cursor")), cursor);
	assert_string_equal(json_string_value(json_object_get(o, "type")), type);
	json_decref(o);
}

#define ALERT "sentinel.alert.v1"
#define LOSS "sentinel.loss.v1"

static void
test_bad_lines(void **state)
{
	(void)state;
	struct box x;
	struct peer p;
	start(&x, 10);
	static const struct {
		const char *line, *about;
	} bad[] = {
		{"garbage", "not a JSON object"},
		{"[]", "not a JSON object"},
		{"{\"op\":\"subscribe\"", "not a JSON object"},
		{"{\"op\":\"subscribe\",\"op\":\"status\"}", "not a JSON object"},
		{"{}", "op is missing"},
		{"{\"op\":7}", "op is missing"},
		{"{\"op\":\"subcribe\"}", "op is missing"},
		{"{\"op\":\"status\",\"x\":1}", "unknown"},
		{"{\"op\":\"status\",\"since\":null}", "does not belong"},
		{"{\"op\":\"subscribe\",\"consumer\":\"a b\"}", "consumer"},
		{"{\"op\":\"subscribe\",\"consumer\":\"a\\u0000b\"}", "JSON"},
		{"{\"op\":\"subscribe\",\"consumer\":\"\"}", "consumer"},
		{"{\"op\":\"subscribe\",\"since\":\"yesterday\"}", "since"},
		{"{\"op\":\"subscribe\",\"since\":5}", "since"},
		{"{\"op\":\"subscribe\",\"min_grade\":\"PAUSE\"}", "min_grade"},
		{"{\"op\":\"ack\"}", "missing"},
		{"{\"op\":\"ack\",\"cursor\":null}", "cursor"},
		{"{\"op\":\"ack\",\"cursor\":\"start\"}", "cursor"},
		{"{\"op\":\"alerts\",\"limit\":0}", "limit"},
		{"{\"op\":\"alerts\",\"limit\":1.5}", "limit"},
		{"{\"op\":\"alerts\",\"limit\":\"1\"}", "limit"},
		{"{\"op\":\"subscribe\",\"since\":\"00000000.1\"}", "another journal"},
		{"{\"op\":\"subscribe\",\"since\":\"ffffffffffffffff-0-1\"}", "no event with this id"},
		{"{\"op\":\"forget\",\"consumer\":\"nobody\"}", "no consumer"},
		{"{\"op\":\"forget\",\"consumer\":null}", "missing"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		peer_open(&p, &x);
		say(&p, bad[i].line);
		hears_error(&p, bad[i].about);
	}
	/* an ack needs a name */
	char line[128], cursor[POSITION_TEXT_MAX];
	position_cursor(journal_id(x.c.journal), 3, cursor);
	snprintf(line, sizeof line, "{\"op\":\"ack\",\"cursor\":\"%s\"}", cursor);
	peer_open(&p, &x);
	say(&p, line);
	hears_error(&p, "only a consumer with a name");
	peer_open(&p, &x);
	say(&p, "{\"op\":\"subscribe\"}");
	say(&p, line);
	hears_error(&p, "only a consumer with a name");
	/* ahead of the journal, as a start and as an ack */
	position_cursor(journal_id(x.c.journal), 11, cursor);
	snprintf(line, sizeof line, "{\"op\":\"subscribe\",\"consumer\":\"a\",\"since\":\"%s\"}", cursor);
	peer_open(&p, &x);
	say(&p, line);
	hears_error(&p, "ahead of the journal");
	snprintf(line, sizeof line, "{\"op\":\"ack\",\"cursor\":\"%s\"}", cursor);
	peer_open(&p, &x);
	say(&p, "{\"op\":\"subscribe\",\"consumer\":\"a\"}");
	say(&p, line);
	hears_error(&p, "ahead of the journal");
	peer_open(&p, &x);
	say(&p, "{\"op\":\"subscribe\",\"consumer\":\"a\"}");
	say(&p, "{\"op\":\"ack\",\"cursor\":\"00000000.1\"}");
	hears_error(&p, "another journal");
	/* twice */
	peer_open(&p, &x);
	say(&p, "{\"op\":\"subscribe\",\"consumer\":\"a\"}");
	say(&p, "{\"op\":\"subscribe\",\"consumer\":\"a\"}");
	hears_error(&p, "subscribed already");
	end(&x);
}

static void
test_long_lines(void **state)
{
	(void)state;
	struct box x;
	struct peer p;
	char line[5000];
	start(&x, 3);
	/* the longest that is taken: 4095 and a newline */
	memset(line, ' ', sizeof line);
	memcpy(line, "{\"op\":\"status\"}", 15);
	line[4095] = '\0';
	peer_open(&p, &x);
	say(&p, line);
	json_t *o = hear(&p);
	assert_string_equal(json_string_value(json_object_get(o, "event")), "status");
	json_decref(o);
	close(p.fd);
	line[4095] = ' ';
	line[4096] = '\0';
	peer_open(&p, &x);
	say(&p, line);
	hears_error(&p, "too long");
	/* a line in many pieces, and many in one */
	peer_open(&p, &x);
	for (const char *c = "{\"op\":\"alerts\",\"limit\":1}\n"; *c != '\0'; c++) {
		assert_int_equal(send(p.fd, c, 1, 0), 1);
		nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
	}
	hears_event(&p, &x, 1, ALERT);
	json_decref(hear(&p));
	say(&p, "\n{\"op\":\"alerts\",\"limit\":1}\n{\"op\":\"alerts\",\"since\":\"now\"}\n{\"op\":"
		"\"alerts\",\"limit\":2}\n{\"op\":\"status\"}");
	static const char *const ends[] = {NULL, "end", "end", NULL, NULL, "end", "status"};
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		o = hear(&p);
		const char *event = json_string_value(json_object_get(o, "event"));
		assert_true((event == NULL) == (ends[i] == NULL) &&
			    (event == NULL || strcmp(event, ends[i]) == 0));
		json_decref(o);
	}
	close(p.fd);
	end(&x);
}

static void
test_subscribe_ack_resume(void **state)
{
	(void)state;
	struct box x;
	struct peer p;
	char line[200], cursor[POSITION_TEXT_MAX];
	start(&x, 200);
	/* a new consumer starts now; from the start if it says so; and goes on behind what it acked */
	peer_open(&p, &x);
	say(&p, "{\"op\":\"subscribe\",\"consumer\":\"me\",\"since\":\"start\"}");
	for (unsigned i = 1; i <= 200; i++)
		hears_event(&p, &x, i, ALERT);
	position_cursor(journal_id(x.c.journal), 150, cursor);
	snprintf(line, sizeof line, "{\"op\":\"ack\",\"cursor\":\"%s\"}", cursor);
	say(&p, line);
	close(p.fd);
	peer_open(&p, &x);
	say(&p, "{\"op\":\"subscribe\",\"consumer\":\"me\"}");
	for (unsigned i = 151; i <= 200; i++)
		hears_event(&p, &x, i, ALERT);
	/* by cursor, and by id, without moving the ack */
	struct peer q;
	peer_open(&q, &x);
	snprintf(line, sizeof line, "{\"op\":\"subscribe\",\"consumer\":\"me\",\"since\":\"%s\"}",
		"aa01020304050607-0-198");
	say(&q, line);
	hears_event(&q, &x, 199, ALERT);
	hears_event(&q, &x, 200, ALERT);
	quiet_writer(&x);
	more(&x, 201, 203, GRADE_PAUSE);
	for (unsigned i = 201; i <= 203; i++) {
		hears_event(&p, &x, i, ALERT);
		hears_event(&q, &x, i, ALERT);
	}
	struct journal_consumer c;
	assert_int_equal(journal_consumers(x.c.journal, &c, 1), 1);
	assert_int_equal(c.acked, 150);
	close(p.fd);
	close(q.fd);
	end(&x);
}

static void
test_grades_and_passing_over(void **state)
{
	(void)state;
	struct box x;
	struct peer p;
	char line[200], cursor[POSITION_TEXT_MAX];
	struct journal_consumer c = {0};
	start(&x, 1000);
	quiet_writer(&x);
	more(&x, 1001, 1001, GRADE_PAUSE);
	struct batch b;
	assert_int_equal(batch_new(&b), 0);
	add_loss(&b, EPOCH_A, 0, 1002, 1010, LOSS_NAME_RING_FULL);
	assert_int_equal(journal_commit(x.c.journal, &b, SECOND), 0);
	batch_free(&b);
	more(&x, 1011, 1030, GRADE_PAGE);
	x.stop = false;
	assert_int_equal(pthread_create(&x.writer, NULL, writer, &x), 0);
	peer_open(&p, &x);
	say(&p, "{\"op\":\"subscribe\",\"consumer\":\"pauser\",\"since\":\"start\",\"min_grade\":\"pause\"}");
	hears_event(&p, &x, 1001, ALERT);
	hears_event(&p, &x, 1002, LOSS);
	position_cursor(journal_id(x.c.journal), 1002, cursor);
	snprintf(line, sizeof line, "{\"op\":\"ack\",\"cursor\":\"%s\"}", cursor);
	say(&p, line);
	/* what it did not want does not stay pending for ever */
	for (unsigned i = 0; i < 400 && c.acked < 1022; i++) {
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
		assert_int_equal(journal_consumers(x.c.journal, &c, 1), 1);
	}
	assert_int_equal(c.acked, 1022);
	close(p.fd);
	end(&x);
}

/* One event by the front, handed over, then into the database; the thread is not woken for it. */
static void
hand(struct box *x, struct batch *b, uint64_t seq)
{
	add_record(b, EPOCH_A, 0, seq, GRADE_WATCH, 20);
	assert_true(journal_front(x->c.journal, b, SECOND));
	outlet_unixsock.hand_over(x->s);
	assert_int_equal(journal_commit(x->c.journal, b, SECOND), 0);
}

/* Whoever waits at the head has it from the drain, whoever lags from the thread, more than the drain serves too: everybody everything, once and in order, while
 * both are at it. */
static void
test_handed_over(void **state)
{
	(void)state;
	struct box x;
	struct batch b;
	static struct peer peer[7];
	const unsigned n = sizeof peer / sizeof peer[0], there = 300, more_of_them = 700;
	start(&x, there);
	assert_int_equal(batch_new(&b), 0);
	quiet_writer(&x);
	peer_open(&peer[0], &x);
	say(&peer[0], "{\"op\":\"subscribe\",\"since\":\"start\"}");
	for (unsigned i = 1; i <= there; i++)
		hears_event(&peer[0], &x, i, ALERT);
	hand(&x, &b, there + 1);
	hears_event(&peer[0], &x, there + 1, ALERT);
	for (unsigned k = 1; k < n; k++) {
		peer_open(&peer[k], &x);
		say(&peer[k], k % 2 ? "{\"op\":\"subscribe\",\"since\":\"start\"}" : "{\"op\":\"subscribe\",\"since\":\"start\",\"min_grade\":\"watch\"}");
	}
	for (unsigned i = 2; i <= more_of_them; i++)
		hand(&x, &b, there + i);
	for (unsigned k = 0; k < n; k++) {
		for (unsigned i = k == 0 ? there + 2 : 1; i <= there + more_of_them; i++)
			hears_event(&peer[k], &x, i, ALERT);
		close(peer[k].fd);
	}
	batch_free(&b);
	end(&x);
}

static void
test_slow_reader(void **state)
{
	(void)state;
	struct box x;
	struct peer slow, fast;
	start(&x, 4000);
	peer_open(&slow, &x);
	say(&slow, "{\"op\":\"subscribe\",\"consumer\":\"slow\",\"since\":\"start\"}");
	peer_open(&fast, &x);
	say(&fast, "{\"op\":\"subscribe\",\"consumer\":\"fast\",\"since\":\"start\"}");
	for (unsigned i = 1; i <= 4000; i++)
		hears_event(&fast, &x, i, ALERT);
	assert_false(outlet_unixsock.settled(x.s));
	for (unsigned i = 1; i <= 4000; i++)
		hears_event(&slow, &x, i, ALERT);
	for (unsigned i = 0; i < 500 && !outlet_unixsock.settled(x.s); i++)
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	assert_true(outlet_unixsock.settled(x.s));
	close(slow.fd);
	close(fast.fd);
	end(&x);
}

static void
test_many_clients(void **state)
{
	(void)state;
	struct box x;
	static struct peer p[64], extra;
	start(&x, 0);
	char line[128];
	for (unsigned i = 0; i < 64; i++) {
		peer_open(&p[i], &x);
		snprintf(line, sizeof line, "{\"op\":\"subscribe\",\"consumer\":\"c%u\",\"since\":\"start\"}",
			i);
		say(&p[i], line);
	}
	/* all are in before the last may come */
	for (unsigned i = 0; i < 500; i++) {
		struct journal_consumer all[64];
		if (journal_consumers(x.c.journal, all, 64) == 64)
			break;
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	}
	peer_open(&extra, &x);
	hears_error(&extra, "too many clients");
	quiet_writer(&x);
	assert_int_equal(journal_commit(x.c.journal, &x.none, SECOND), 0);
	more(&x, 1, 30, GRADE_PAUSE);
	for (unsigned i = 0; i < 64; i++)
		for (unsigned k = 1; k <= 30; k++)
			hears_event(&p[i], &x, k, ALERT);
	close(p[0].fd);
	nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
	peer_open(&extra, &x);
	say(&extra, "{\"op\":\"status\"}");
	json_t *o = hear(&extra);
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(o, "control"), "clients")), "64");
	assert_string_equal(json_string_value(json_object_get(o, "consumers_residual")), "0");
	json_decref(o);
	close(extra.fd);
	for (unsigned i = 1; i < 64; i++)
		close(p[i].fd);
	end(&x);
}

/* A client that sends a byte now and then and never a line is as quiet as one that sends nothing. */
static void
test_dripping_client(void **state)
{
	(void)state;
	struct client k;
	struct client_service s = {0};
	int fd[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
	client_start(&k, fd[0], 1);
	for (uint64_t now = 2; now < 20; now++) {
		assert_int_equal(send(fd[1], "{", 1, 0), 1);
		assert_true(client_receive(&k, &s, now));
		assert_int_equal(k.quiet_ns, 1);
	}
	assert_int_equal(send(fd[1], "\n", 1, 0), 1);
	assert_true(client_receive(&k, &s, 20));
	assert_int_equal(k.quiet_ns, 20);
	assert_int_equal(k.state, CLIENT_CLOSING);
	client_end(&k, &s);
	close(fd[1]);
}

static void
test_half_closed(void **state)
{
	(void)state;
	struct box x;
	struct peer p;
	start(&x, 5);
	peer_open(&p, &x);
	say(&p, "{\"op\":\"alerts\"}");
	assert_int_equal(shutdown(p.fd, SHUT_WR), 0);
	for (unsigned i = 1; i <= 5; i++)
		hears_event(&p, &x, i, ALERT);
	json_decref(hear(&p));
	assert_null(hear(&p));
	close(p.fd);
	end(&x);
}

static void
test_not_durable(void **state)
{
	(void)state;
	struct box x;
	struct peer p;
	struct batch b;
	start(&x, 2);
	assert_int_equal(batch_new(&b), 0);
	add_record(&b, EPOCH_A, 0, 3, GRADE_PAUSE, 64);
	peer_open(&p, &x);
	say(&p, "{\"op\":\"subscribe\",\"consumer\":\"me\",\"since\":\"start\",\"min_grade\":\"pause\"}");
	nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
	outlet_unixsock.announce(x.s, &b.e[0], b.evidence);
	outlet_unixsock.wake(x.s);
	json_t *o = hear(&p);
	json_t *data = json_object_get(o, "data");
	assert_true(json_is_null(json_object_get(o, "cursor")));
	assert_true(json_is_false(json_object_get(data, "durable")));
	assert_string_equal(json_string_value(json_object_get(o, "id")), "aa01020304050607-0-3");
	assert_int_equal(strlen(json_string_value(json_object_get(data, "evidence"))), 2 + 2 * 64);
	assert_true(json_is_null(json_object_get(json_object_get(data, "times"), "journaled_ns")));
	json_decref(o);
	batch_free(&b);
	close(p.fd);
	end(&x);
}

/* No file may grow: the journal is down. */
static void
break_disk(struct box *x)
{
	struct batch b;
	quiet_writer(x);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){.rlim_cur = 4096, .rlim_max = RLIM_INFINITY}), 0);
	assert_int_equal(batch_new(&b), 0);
	add_record(&b, EPOCH_B, 0, 1, GRADE_WATCH, 0);
	assert_int_equal(journal_commit(x->c.journal, &b, SECOND), -EIO);
	batch_free(&b);
}

static void
mend_disk(void)
{
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY}), 0);
}

static bool
announce_one(struct box *x, struct batch *b, uint64_t seq)
{
	b->n = b->evidence_n = 0;
	add_record(b, EPOCH_A, 0, seq, GRADE_PAUSE, 64);
	return outlet_unixsock.announce(x->s, &b->e[0], b->evidence);
}

static void
hears_announced(struct peer *p, uint64_t seq)
{
	char id[64];
	json_t *o = hear(p);
	snprintf(id, sizeof id, "aa01020304050607-0-%" PRIu64, seq);
	assert_string_equal(json_string_value(json_object_get(o, "id")), id);
	assert_true(json_is_null(json_object_get(o, "cursor")));
	json_decref(o);
}

/* What finds no room behind alerts that nobody reads is said to have found none. */
static void
test_not_durable_unread(void **state)
{
	(void)state;
	struct box x;
	struct batch b;
	uint64_t seq = 0;
	start(&x, 0);
	assert_int_equal(batch_new(&b), 0);
	break_disk(&x);
	while (seq < 10000 && announce_one(&x, &b, seq + 1))
		seq++;
	assert_true(seq >= 1024 && seq < 10000);
	assert_false(announce_one(&x, &b, seq + 1));
	mend_disk();
	batch_free(&b);
	end(&x);
}

/* One after the other without end: what all have makes room, and the last thousand are there for who comes late. */
static void
test_not_durable_for_long(void **state)
{
	(void)state;
	struct box x;
	struct peer p, late;
	struct batch b;
	start(&x, 0);
	assert_int_equal(batch_new(&b), 0);
	break_disk(&x);
	peer_open(&p, &x);
	say(&p, "{\"op\":\"subscribe\"}");
	for (uint64_t seq = 1; seq <= 6000; seq++) {
		assert_true(announce_one(&x, &b, seq));
		if (seq % 500 == 0) {
			outlet_unixsock.wake(x.s);
			for (uint64_t heard = seq - 499; heard <= seq; heard++)
				hears_announced(&p, heard);
		}
	}
	peer_open(&late, &x);
	say(&late, "{\"op\":\"subscribe\",\"consumer\":\"late\"}");
	json_t *o = hear(&late);
	unsigned long first = strtoul(json_string_value(json_object_get(o, "id")) + strlen("aa01020304050607-0-"), NULL, 10);
	json_decref(o);
	assert_true(first > 1 && first <= 6000 - 1023);
	for (uint64_t seq = first + 1; seq <= 6000; seq++)
		hears_announced(&late, seq);
	mend_disk();
	batch_free(&b);
	close(p.fd);
	close(late.fd);
	end(&x);
}

static void
test_expired_is_told(void **state)
{
	(void)state;
	struct box x;
	struct peer p;
	char line[128], cursor[POSITION_TEXT_MAX];
	start_with(&x, 300000, 1000000, 2000);
	quiet_writer(&x);
	journal_tidy(x.c.journal, SECOND);
	uint64_t floor = journal_floor(x.c.journal);
	assert_true(floor > 10 && floor < 2000);
	position_cursor(journal_id(x.c.journal), 5, cursor);
	snprintf(line, sizeof line, "{\"op\":\"subscribe\",\"since\":\"%s\"}", cursor);
	peer_open(&p, &x);
	say(&p, line);
	json_t *o = hear(&p), *data = json_object_get(o, "data");
	assert_string_equal(json_string_value(json_object_get(o, "type")), LOSS);
	assert_string_equal(json_string_value(json_object_get(data, "reason")), "expired");
	assert_string_equal(json_string_value(json_object_get(data, "from")), "6");
	assert_int_equal(strtoull(json_string_value(json_object_get(data, "to")), NULL, 10), floor);
	json_decref(o);
	hears_event(&p, &x, floor + 1, ALERT);
	close(p.fd);
	end(&x);
}

static void
test_the_socket_file(void **state)
{
	(void)state;
	struct box x;
	struct stat st;
	char err[512] = "";
	start(&x, 0);
	assert_int_equal(stat(x.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_null(outlet_unixsock.start(&x.c, err, sizeof err));
	assert_non_null(strstr(err, "is taken"));
	assert_int_equal(access(x.path, F_OK), 0);
	end(&x);
	/* one that nobody answers any more is replaced; a file is not */
	start(&x, 0);
	char stale[300], plain[300];
	snprintf(stale, sizeof stale, "%s/stale", x.dir);
	snprintf(plain, sizeof plain, "%s/plain", x.dir);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	strcpy(a.sun_path, stale);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	close(fd);
	x.c.opt.socket = stale;
	struct outlet_state *s = outlet_unixsock.start(&x.c, err, sizeof err);
	assert_non_null(s);
	outlet_unixsock.stop(s);
	fclose(fopen(plain, "w"));
	x.c.opt.socket = plain;
	assert_null(outlet_unixsock.start(&x.c, err, sizeof err));
	assert_int_equal(access(plain, F_OK), 0);
	end(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_lines),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_subscribe_ack_resume),
		cmocka_unit_test(test_grades_and_passing_over),
		cmocka_unit_test(test_handed_over),
		cmocka_unit_test(test_slow_reader),
		cmocka_unit_test(test_many_clients),
		cmocka_unit_test(test_dripping_client),
		cmocka_unit_test(test_half_closed),
		cmocka_unit_test(test_not_durable),
		cmocka_unit_test(test_not_durable_unread),
		cmocka_unit_test(test_not_durable_for_long),
		cmocka_unit_test(test_expired_is_told),
		cmocka_unit_test(test_the_socket_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
