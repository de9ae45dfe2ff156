/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/deliver/client.h"

#include "abi/event.h"
#include "abi/log.h"
#include "control/status.h"
#include "control/status_latency.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PASS_EVERY_NS 1000000000u
#define READS_A_TURN 16 /* others wait too */

void
client_start(struct client *k, int fd, uint64_t now_ns)
{
	*k = (struct client){.fd = fd, .quiet_ns = now_ns};
}

void
client_end(struct client *k, struct client_service *s)
{
	if (k->state == CLIENT_PROFILE)
		profile_abandon(s->c->profile, k->profile_ticket);
	free(k->profile);
	close(k->fd);
	free(k->out);
	*k = (struct client){.fd = -1};
}

/* ---- the buffer ---- */

static size_t
unsent(const struct client *k)
{
	return k->out_n - k->out_at;
}

/* Room for n more bytes, or NULL. */
static char *
reserve(struct client *k, size_t n)
{
	if (k->out_at == k->out_n)
		k->out_at = k->out_n = 0;
	if (k->out_cap - k->out_n >= n)
		return k->out + k->out_n;
	size_t cap = k->out_cap ? k->out_cap : 4096;
	while (cap < k->out_n + n)
		cap *= 2;
	char *more = realloc(k->out, cap);
	if (more == NULL)
		return NULL;
	k->out = more;
	k->out_cap = cap;
	return k->out + k->out_n;
}

static void
put_line(struct client *k, const char *text, size_t n)
{
	char *p = reserve(k, n + 1);
	if (p == NULL) {
		k->state = CLIENT_CLOSING;
		return;
	}
	memcpy(p, text, n);
	p[n] = '\n';
	k->out_n += n + 1;
}

static void
refuse(struct client *k, const char *error, const char *next)
{
	json_t *o = json_pack("{s:s,s:s}", "error", error, "next", next);
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	if (text != NULL)
		put_line(k, text, strlen(text));
	free(text);
	json_decref(o);
	k->state = CLIENT_CLOSING;
}

bool
client_send(struct client *k, struct client_service *s, uint64_t now_ns)
{
	while (unsent(k) > 0) {
		ssize_t n = send(k->fd, k->out + k->out_at, unsent(k), MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK;
		k->out_at += (size_t)n;
		k->quiet_ns = now_ns;
		latency_written(&s->c->latency, &k->follow, k->out_at, control_wall_ns);
	}
	k->out_at = k->out_n = 0;
	if (k->out_cap > 2 * CLIENT_FILL_BYTES) {
		/* Evidence is rare: its room is not kept for every client. */
		free(k->out);
		k->out = NULL;
		k->out_cap = 0;
	}
	return k->state != CLIENT_CLOSING && !(k->eof && k->state == CLIENT_IDLE);
}

/* ---- events ---- */

static bool
put_event(struct client *k, struct client_service *s, const struct journal_event *e, bool durable)
{
	size_t cap = EVENT_BYTES_MAX - 2u * RING_EVIDENCE_ONE_MAX + 2u * e->evidence_len;
	char *p = reserve(k, cap + 1);
	if (p == NULL)
		return false;
	int n = journal_event_format(p, cap, e, s->c->opt.source_name, journal_id(s->c->journal), durable);
	if (n < 0)
		return false;
	p[n] = '\n';
	k->out_n += (size_t)n + 1;
	return true;
}

bool
client_announce(struct client *k, struct client_service *s, const struct journal_event *e)
{
	bool takes = k->state == CLIENT_STREAM || k->state == CLIENT_REGISTERED;
	return takes && unsent(k) < CLIENT_FILL_BYTES && put_event(k, s, e, false);
}

/* Events that this client has not had were retired: a hole that it must hear of. */
static void
put_expired(struct client *k, struct client_service *s, uint64_t floor)
{
	char line[640], cursor[POSITION_TEXT_MAX];
	position_cursor(journal_id(s->c->journal), floor, cursor);
	json_t *source = json_string(s->c->opt.source_name);
	char *quoted = json_dumps(source, JSON_ENCODE_ANY);
	int n = snprintf(line, sizeof line,
		"{\"specversion\":\"1.0\",\"type\":\"sentinel.loss.v1\",\"source\":%s,\"id\":\"%08" PRIx32
		"-expired-%" PRIu64 "-%" PRIu64
		"\",\"time\":null,\"datacontenttype\":\"application/"
		"json\",\"cursor\":\"%s\",\"data\":{\"ring\":null,\"from\":\"%" PRIu64 "\",\"to\":\"%" PRIu64
		"\",\"reason\":\"expired\"}}",
		quoted ? quoted : "null", journal_id(s->c->journal), k->at + 1, floor, cursor, k->at + 1,
		floor);
	free(quoted);
	json_decref(source);
	if (n > 0 && (size_t)n < sizeof line)
		put_line(k, line, (size_t)n);
	k->at = k->sent = floor;
}

/* What the client did not want counts as acked once all that it was sent is. */
static void
pass_over(struct client *k, struct client_service *s, uint64_t now_ns)
{
	if (k->name[0] == '\0' || !k->contiguous || k->acked < k->sent || k->at <= k->acked ||
		now_ns - k->passed_ns < PASS_EVERY_NS)
		return;
	k->passed_ns = now_ns;
	if (journal_ack(s->c->journal, k->name, k->at) == 0)
		k->acked = k->at;
}

static void
end_of_run(struct client *k, struct client_service *s)
{
	char line[128], cursor[POSITION_TEXT_MAX];
	position_cursor(journal_id(s->c->journal), k->at, cursor);
	int n = snprintf(line, sizeof line, "{\"event\":\"end\",\"cursor\":\"%s\"}", cursor);
	k->state = CLIENT_IDLE;
	put_line(k, line, (size_t)n);
}

/* 1: an event was put; 0: nothing, and the head is reached; 2: nothing yet; -1: the end. */
static int
put_next(struct client *k, struct client_service *s)
{
	static _Thread_local struct journal_event e;
	uint64_t before = k->at, at = k->at;
	int rc = journal_read(s->reader, &at, k->min_grade, &e);
	if (rc == -ESTALE) {
		put_expired(k, s, journal_floor(s->c->journal));
		return 1;
	}
	if (rc < 0) {
		refuse(k, "a file of the journal cannot be read",
			"see sentinel-control's messages; subscribe with a later cursor to go on behind it");
		return -1;
	}
	k->at = at;
	if (rc == 0)
		return at != before ? 2 : 0;
	k->sent = at;
	if (!put_event(k, s, &e, true)) {
		k->state = CLIENT_CLOSING;
		return -1;
	}
	if (k->state == CLIENT_STREAM && at > k->live_from && !e.loss && e.vet.node <= VET_ASKED)
		latency_put(&s->c->latency, &k->follow, at, &e.record, k->out_n);
	return 1;
}

static void
address_text(const uint8_t address[20], char out[43])
{
	strcpy(out, "0x");
	for (unsigned i = 0; i < 20; i++)
		snprintf(out + 2 + 2 * i, 3, "%02x", address[i]);
}

/* Takes o; NULL: no memory. */
static void
put_object(struct client *k, json_t *o)
{
	char *text = o != NULL ? json_dumps(o, JSON_COMPACT) : NULL;
	if (text != NULL)
		put_line(k, text, strlen(text));
	else
		k->state = CLIENT_CLOSING;
	free(text);
	json_decref(o);
}

/* What an operator is told is on disk and in the audit trail. */
static void
answer_watch(struct client *k, struct client_service *s)
{
	char address[43];
	int rc = recall_settled(s->c->recall, k->watch_version);
	if (rc == 0)
		return;
	k->state = CLIENT_IDLE;
	address_text(k->watch_address, address);
	if (rc == 1)
		put_object(k, json_pack("{s:s,s:s}", "event", k->watch_added ? "watched" : "unwatched", "address", address));
	else
		refuse(k, "the change holds now, but the watch list cannot be written",
			"see sentinel-control's messages; the list is as it was when it starts again, unless it can be written by then");
}

static void
answer_profile(struct client *k, struct client_service *s)
{
	json_t *o = profile_answer(s->c->profile, k->profile_ticket);
	if (o == NULL)
		return;
	k->state = CLIENT_IDLE;
	put_object(k, o);
}

bool
client_fill(struct client *k, struct client_service *s, uint64_t now_ns)
{
	if (k->state == CLIENT_PROFILE)
		answer_profile(k, s);
	if (k->state == CLIENT_WATCH)
		answer_watch(k, s);
	if (k->state == CLIENT_REGISTERED && journal_settled(s->c->journal, k->name))
		k->state = CLIENT_STREAM;
	if ((k->state != CLIENT_STREAM && k->state != CLIENT_ALERTS) || unsent(k) > 0)
		return false;
	int rc = 1;
	for (unsigned i = 0; rc > 0 && i < CLIENT_FILL_EVENTS && unsent(k) < CLIENT_FILL_BYTES; i++) {
		if (k->state == CLIENT_ALERTS && k->left == 0)
			rc = 0;
		else
			rc = put_next(k, s);
		if (rc == 1 && k->state == CLIENT_ALERTS)
			k->left--;
	}
	if (rc == 0 && k->state == CLIENT_ALERTS)
		end_of_run(k, s);
	if (rc == 0)
		pass_over(k, s, now_ns);
	return rc > 0;
}

/* ---- requests ---- */

/* Where a PLACE is. false: refused. */
static bool
resolve(struct client *k, struct client_service *s, const struct position *p, uint64_t acked, uint64_t *at)
{
	struct journal *j = s->c->journal;
	int rc = 0;
	switch (p->kind) {
	case POSITION_ACKED:
		*at = acked;
		return true;
	case POSITION_NOW:
		*at = journal_head(j);
		return true;
	case POSITION_START:
		*at = journal_floor(j);
		return true;
	case POSITION_CURSOR:
		*at = p->cursor;
		if (p->journal == journal_id(j) && p->cursor <= journal_head(j))
			return true;
		refuse(k,
			p->journal == journal_id(j) ? "the cursor lies ahead of the journal"
						    : "the cursor is of another journal",
			"use a cursor that this sentinel-control has sent, or \"start\" or \"now\"");
		return false;
	case POSITION_ID:
		rc = journal_find(s->reader, p, at);
		if (rc == 0)
			return true;
		refuse(k,
			rc == -ENOENT ? "no event with this id is kept"
				      : "a file of the journal cannot be read",
			"use a cursor, \"start\" or \"now\"");
		return false;
	}
	return false;
}

static struct ucred
who_asks(const struct client *k)
{
	struct ucred who = {0};
	socklen_t n = sizeof who;
	getsockopt(k->fd, SOL_SOCKET, SO_PEERCRED, &who, &n);
	return who;
}

static void
log_subscriber(const struct client *k, struct client_service *s)
{
	struct ucred who = who_asks(k);
	char detail[256];
	LOG(LOG_TOLD, "%s%s subscribed (pid %ld, uid %ld, gid %ld), from %s grade on",
		k->name[0] ? "consumer " : "a nameless consumer", k->name, (long)who.pid, (long)who.uid,
		(long)who.gid, alert_grade_name(k->min_grade));
	snprintf(detail, sizeof detail,
		"{\"consumer\":\"%s\",\"pid\":\"%ld\",\"uid\":\"%ld\",\"gid\":\"%ld\"}", k->name,
		(long)who.pid, (long)who.uid, (long)who.gid);
	if (k->name[0] != '\0')
		journal_note(s->c->journal, control_wall_ns(), "subscribed", detail);
}

static void
subscribe(struct client *k, struct client_service *s, const struct line_request *q)
{
	struct journal *j = s->c->journal;
	uint64_t at, acked = journal_head(j);
	if (!resolve(k, s, &q->since, acked, &at))
		return;
	if (q->consumer[0] != '\0') {
		int rc = journal_subscribe(j, q->consumer, at, control_wall_ns(), &acked);
		if (rc != 0) {
			refuse(k, "there are too many consumers already",
				"free a name: sentinelctl forget NAME");
			return;
		}
		if (q->since.kind == POSITION_ACKED)
			at = acked;
	}
	strcpy(k->name, q->consumer);
	k->min_grade = q->min_grade;
	k->at = k->sent = at;
	k->acked = acked;
	k->contiguous = at <= acked;
	k->live_from = journal_head(j);
	k->state = k->name[0] ? CLIENT_REGISTERED : CLIENT_STREAM;
	log_subscriber(k, s);
}

static void
ack(struct client *k, struct client_service *s, const struct line_request *q)
{
	const char *next = "ack with the \"cursor\" of an event that was delivered";
	if ((k->state != CLIENT_STREAM && k->state != CLIENT_REGISTERED) || k->name[0] == '\0') {
		refuse(k, "only a consumer with a name can ack", "subscribe with a \"consumer\" first");
		return;
	}
	int rc = q->journal == journal_id(s->c->journal) ? journal_ack(s->c->journal, k->name, q->cursor)
							 : -EXDEV;
	if (rc == 0 && q->cursor > k->acked)
		k->acked = q->cursor;
	if (rc == 0)
		latency_acked(&s->c->latency, &k->follow, q->cursor, control_wall_ns);
	if (rc == -EXDEV)
		refuse(k, "the cursor is of another journal", next);
	else if (rc == -ERANGE)
		refuse(k, "the cursor lies ahead of the journal", next);
	else if (rc != 0)
		refuse(k, "this consumer was forgotten meanwhile", "subscribe again");
}

static void
status(struct client *k, struct client_service *s, enum line_op op)
{
	json_t *o = op == LINE_STATUS ? status_build(s->c, s->clients) : status_latency_object(s->c);
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	if (text != NULL)
		put_line(k, text, strlen(text));
	free(text);
	json_decref(o);
}

static void
alerts(struct client *k, struct client_service *s, const struct line_request *q)
{
	if (!resolve(k, s, &q->since, journal_floor(s->c->journal), &k->at))
		return;
	k->min_grade = q->min_grade;
	k->left = q->limit ? q->limit : UINT64_MAX;
	k->state = CLIENT_ALERTS;
}

static void
forget(struct client *k, struct client_service *s, const struct line_request *q)
{
	if (journal_forget(s->c->journal, q->consumer) != 0) {
		refuse(k, "there is no consumer of this name", "sentinelctl status lists them");
		return;
	}
	struct ucred who = who_asks(k);
	char detail[160];
	snprintf(detail, sizeof detail, "{\"consumer\":\"%s\",\"pid\":\"%ld\",\"uid\":\"%ld\"}", q->consumer, (long)who.pid, (long)who.uid);
	journal_note(s->c->journal, control_wall_ns(), "forgotten", detail);
	put_line(k, "{\"event\":\"forgotten\"}", strlen("{\"event\":\"forgotten\"}"));
}

static void
watch(struct client *k, struct client_service *s, const struct line_request *q)
{
	struct ucred who = who_asks(k);
	k->watch_added = q->op == LINE_WATCH_ADD;
	memcpy(k->watch_address, q->address, sizeof k->watch_address);
	int rc = k->watch_added ? recall_watch_add(s->c->recall, q->address, q->note, who.uid, who.pid, &k->watch_version)
				: recall_watch_remove(s->c->recall, q->address, who.uid, who.pid, &k->watch_version);
	if (rc == 0)
		k->state = CLIENT_WATCH;
	else if (rc == -EEXIST)
		refuse(k, "this contract is watched already", "remove it first to change its note");
	else if (rc == -ENOENT)
		refuse(k, "this contract is not on the watch list", "sentinelctl watch list shows what is");
	else if (rc == -EAGAIN)
		refuse(k, "too many changes wait for the journal", "try again once the journal works (sentinelctl status)");
	else
		refuse(k, "the watch list is full", "remove a contract first");
}

static void
list_watch(struct client *k, struct client_service *s)
{
	static _Thread_local struct recall_watch list[RECALL_WATCH_MAX];
	uint32_t n = recall_watch_list(s->c->recall, list);
	char address[43], number[24], uid[16];
	for (uint32_t i = 0; i < n && k->state != CLIENT_CLOSING; i++) {
		address_text(list[i].address, address);
		snprintf(number, sizeof number, "%" PRIu64, list[i].added_ns);
		snprintf(uid, sizeof uid, "%" PRIu32, list[i].uid);
		put_object(k, json_pack("{s:s,s:s,s:s?,s:s,s:s}", "event", "watch", "address", address, "note", list[i].note[0] ? list[i].note : NULL,
				      "added_ns", number, "uid", uid));
	}
	snprintf(number, sizeof number, "%" PRIu32, n);
	if (k->state != CLIENT_CLOSING)
		put_object(k, json_pack("{s:s,s:s}", "event", "end", "count", number));
}

static void
profile(struct client *k, struct client_service *s, const struct line_request *q)
{
	struct ucred who = {.uid = (uid_t)-1};
	socklen_t n = sizeof who;
	if (getsockopt(k->fd, SOL_SOCKET, SO_PEERCRED, &who, &n) != 0 || !profile_may(who.uid)) {
		refuse(k, "this user may not change what the box sees", "run it as root, or as the user that sentinel-control runs as");
		return;
	}
	if (k->profile_n + q->text_n > PROFILE_TEXT_MAX) {
		refuse(k, "the profile is too long", "a profile has at most 65536 bytes");
		return;
	}
	if (k->profile == NULL)
		k->profile = malloc(PROFILE_TEXT_MAX);
	if (k->profile == NULL) {
		k->state = CLIENT_CLOSING;
		return;
	}
	memcpy(k->profile + k->profile_n, q->text, q->text_n);
	k->profile_n += q->text_n;
	if (q->more)
		return;
	int rc = profile_submit(s->c->profile, k->profile, k->profile_n, who.uid, who.pid, &k->profile_ticket);
	free(k->profile);
	k->profile = NULL;
	k->profile_n = 0;
	if (rc == 0)
		k->state = CLIENT_PROFILE;
	else if (rc == -EBUSY)
		refuse(k, "another profile is being applied", "try again");
	else
		refuse(k, "the profile is empty", "send its text");
}

static void
act(struct client *k, struct client_service *s, const char *line, size_t n)
{
	struct line_request q;
	const char *error, *next;
	if (line_parse(line, n, &q, &error, &next) != 0) {
		refuse(k, error, next);
		return;
	}
	if (q.op == LINE_ACK) {
		ack(k, s, &q);
	} else if ((q.op == LINE_STATUS || q.op == LINE_LATENCY) && unsent(k) > CLIENT_OUT_MAX) {
		refuse(k, "too much is waiting to be read", "read what was sent before asking for more");
	} else if (q.op == LINE_STATUS || q.op == LINE_LATENCY) {
		status(k, s, q.op);
	} else if (k->state != CLIENT_IDLE) {
		refuse(k, "this connection is subscribed already", "open another connection");
	} else if (q.op == LINE_SUBSCRIBE) {
		subscribe(k, s, &q);
	} else if (q.op == LINE_ALERTS) {
		alerts(k, s, &q);
	} else if (q.op == LINE_PROFILE && s->c->profile == NULL) {
		refuse(k, "profiles cannot be changed here", "see sentinel-control's messages");
	} else if (q.op == LINE_PROFILE) {
		profile(k, s, &q);
	} else if (q.op >= LINE_WATCH_ADD && s->c->recall == NULL) {
		refuse(k, "there is no watch list here", "see sentinel-control's messages");
	} else if (q.op == LINE_WATCH_LIST) {
		list_watch(k, s);
	} else if (q.op >= LINE_WATCH_ADD) {
		watch(k, s, &q);
	} else {
		forget(k, s, &q);
	}
}

/* Lines wait while the client has not read what it asked for before. */
static bool
takes_lines(const struct client *k)
{
	return k->state != CLIENT_CLOSING && k->state != CLIENT_ALERTS && k->state != CLIENT_WATCH && k->state != CLIENT_PROFILE &&
	       (k->state != CLIENT_IDLE || unsent(k) < CLIENT_FILL_BYTES);
}

bool
client_wants_input(const struct client *k)
{
	return !k->eof && k->in_n < sizeof k->in && takes_lines(k);
}

/* A line that does not come to its end is no sign of life: slow writers may not hold a place for ever. */
static void
act_on_lines(struct client *k, struct client_service *s, uint64_t now_ns)
{
	size_t done = 0;
	while (takes_lines(k)) {
		char *end = memchr(k->in + done, '\n', k->in_n - done);
		if (end == NULL)
			break;
		size_t n = (size_t)(end - (k->in + done));
		if (n > 0)
			act(k, s, k->in + done, n);
		done += n + 1;
	}
	if (done > 0)
		k->quiet_ns = now_ns;
	k->in_n -= done;
	memmove(k->in, k->in + done, k->in_n);
	if (k->in_n == sizeof k->in && takes_lines(k))
		refuse(k, "a line is too long", "a request has at most 4095 bytes and a newline");
}

bool
client_receive(struct client *k, struct client_service *s, uint64_t now_ns)
{
	act_on_lines(k, s, now_ns);
	for (unsigned i = 0; i < READS_A_TURN && client_wants_input(k); i++) {
		ssize_t n = recv(k->fd, k->in + k->in_n, sizeof k->in - k->in_n, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK;
		k->eof = n == 0;
		k->in_n += (size_t)n;
		act_on_lines(k, s, now_ns);
	}
	return true;
}
