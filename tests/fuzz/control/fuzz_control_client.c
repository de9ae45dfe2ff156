/* SPDX-License-Identifier: BSD-3-Clause */
/* A connection of the control socket: whatever bytes come, in whatever pieces, every line that goes out is a
 * JSON object, nothing is sent after an error, and the events of a run have cursors without holes. The first
 * byte says how the rest is cut. */
#include "abi/alert.h"
#include "control/deliver/client.h"
#include "control/journal_private.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[] = "/tmp/sentinel-XXXXXX";
static struct control control;
static struct client_service service;

static void
clean(void)
{
	static const char *const names[] = {
		"journal-000001.db", "journal-000001.db-wal", "journal-000001.db-shm", "front", "lock"};
	char path[128];
	journal_reader_free(service.reader);
	journal_close(control.journal);
	profile_desk_free(control.profile);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		unlink(path);
	}
	rmdir(dir);
}

static void
start(void)
{
	static const uint8_t epoch[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	char err[512];
	assert(mkdtemp(dir) != NULL);
	struct journal_options o = {.dir = dir, .file_bytes = 64 << 20, .keep_bytes = 64 << 20};
	struct batch b;
	control.opt.source_name = "urn:fuzz";
	control.opt.channel = "nowhere";
	drain_init(&control.drain);
	control.journal = journal_open(&o, err, sizeof err);
	control.profile = profile_desk_new();
	assert(control.profile != NULL && control.journal != NULL && batch_new(&b) == 0);
	for (uint64_t i = 1; i <= 40; i++) {
		struct entry *e = batch_entry(&b, epoch, 0);
		e->from = e->to = i;
		e->record = (struct alert_record){.seq = i,
			.kind = 1,
			.grade = (uint8_t)(1 + i % 3),
			.severity = 1,
			.class_ = 1,
			.carrier = 1};
	}
	assert(journal_commit(control.journal, &b, 1) == 0);
	batch_free(&b);
	control.journal->id = 0; /* so that the corpus can name cursors */
	service = (struct client_service){
		.c = &control, .reader = journal_reader_new(control.journal), .clients = 1};
	atexit(clean);
}

struct check {
	bool errored;
	char rest[1 << 20];
	size_t n;
};

static void
check_line(struct check *c, const char *line, size_t n)
{
	json_error_t e;
	json_t *o = json_loadb(line, n, JSON_REJECT_DUPLICATES, &e);
	assert(json_is_object(o));
	assert(!c->errored);
	c->errored = json_object_get(o, "error") != NULL;
	assert(c->errored || json_object_get(o, "event") != NULL ||
		json_object_get(o, "specversion") != NULL);
	json_decref(o);
}

static void
take_output(struct check *c, int fd)
{
	ssize_t n;
	while ((n = recv(fd, c->rest + c->n, sizeof c->rest - c->n, MSG_DONTWAIT)) > 0) {
		c->n += (size_t)n;
		char *end;
		while ((end = memchr(c->rest, '\n', c->n)) != NULL) {
			size_t len = (size_t)(end - c->rest);
			check_line(c, c->rest, len);
			c->n -= len + 1;
			memmove(c->rest, end + 1, c->n);
		}
	}
}

static bool
turn(struct client *k, uint64_t now_ns)
{
	bool more = true;
	for (unsigned i = 0; i < 40 && more; i++) {
		if (!client_receive(k, &service, now_ns) || !client_send(k, &service, now_ns))
			return false;
		more = client_fill(k, &service, now_ns);
		assert(k->in_n <= sizeof k->in && k->out_at <= k->out_n && k->out_n <= k->out_cap);
	}
	return client_send(k, &service, now_ns);
}

/* What the drain does; no dataplane is there that would take a profile. */
static void
settle(struct batch *none, uint64_t now_ns)
{
	struct attach nobody = {.fd = -1};
	profile_turn(control.profile, &nobody, control.journal, now_ns);
	assert(journal_commit(control.journal, none, now_ns) == 0);
	profile_turn(control.profile, &nobody, control.journal, now_ns);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct check c;
	static struct client k;
	static struct batch none;
	int pair[2];
	if (control.journal == NULL)
		start();
	if (size < 1 || size > 1 << 16)
		return 0;
	size_t piece = 1u << (data[0] % 14);
	assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
	c.errored = false;
	c.n = 0;
	client_start(&k, pair[0], 1);
	bool alive = true;
	uint64_t now_ns = 1;
	for (size_t at = 1; at < size && alive; now_ns += 2000000000u) {
		size_t n = size - at < piece ? size - at : piece;
		ssize_t sent = send(pair[1], data + at, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		at += sent > 0 ? (size_t)sent : 0;
		alive = turn(&k, now_ns);
		take_output(&c, pair[1]);
		settle(&none, 2);
	}
	shutdown(pair[1], SHUT_WR);
	for (unsigned i = 0; i < 20 && alive; i++) {
		alive = turn(&k, now_ns);
		take_output(&c, pair[1]);
		settle(&none, 2);
	}
	client_end(&k, &service);
	close(pair[1]);
	/* names made here do not pile up */
	struct journal_consumer all[JOURNAL_CONSUMERS_MAX];
	unsigned n = journal_consumers(control.journal, all, JOURNAL_CONSUMERS_MAX);
	for (unsigned i = 0; i < n; i++) {
		assert(journal_name_ok(all[i].name) && all[i].acked <= journal_head(control.journal));
		assert(journal_forget(control.journal, all[i].name) == 0);
	}
	assert(journal_commit(control.journal, &none, 3) == 0);
	return 0;
}
