/* SPDX-License-Identifier: BSD-3-Clause */
/* sentinelctl subscribe: a subscription to a node's pending transactions, so that they cross the wire that the box reads. */
#include "sentinelctl/commands.h"
#include "sentinelctl/tool.h"
#include "sentinelctl/ws_client.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define BACKOFF_MIN_MS 200
#define BACKOFF_MAX_MS 10000
#define STEADY_MS 10000 /* a subscription that held as long ends the backoff */
#define PATIENCE_MS 10000
#define FULL 1 /* ids of our requests */
#define HASHES 2

static const char usage_text[] =
	"usage: sentinelctl subscribe ws://HOST:PORT[/PATH] [--hashes] [--wait] [--json] [--quiet]\n"
	"                             [--every SECONDS] [--silence SECONDS]\n"
	"Keeps a subscription to all pending transactions of your own node open for ever. Nothing is handed to the box: it reads this\n"
	"connection off the wire like any other, so run this where its packets pass the box's interface. What comes is counted and dropped.\n"
	"  --hashes           ask for hashes only; without it whole transactions, and hashes where the node refuses those\n"
	"  --wait             wait for a node that is not there yet, instead of ending with 1 when the first connection fails\n"
	"  --json             the status as one JSON object a line on stdout, integers as decimal strings\n"
	"  --quiet            no status line; only what goes wrong\n"
	"  --every SECONDS    between status lines (default 60)\n"
	"  --silence SECONDS  drop a connection that has been silent for so long; pings go out three times in it (default 45)\n"
	"Ctrl-C or SIGTERM ends it with status 0. Once subscribed it connects again for as long as it takes.\n"
	"examples:\n"
	"  sentinelctl subscribe ws://127.0.0.1:8546\n"
	"  sentinelctl subscribe ws://[fd00::5]:8546 --wait --json --every 10 >>subscriber.ndjson\n";

struct options {
	const char *url_text, *every_text, *silence_text;
	struct ws_url url;
	int64_t every_ms, silence_ms;
	bool hashes, wait, json, quiet;
};

struct subscriber {
	const struct options *o;
	struct ws_client c;
	int asked;			       /* FULL or HASHES, 0: no connection */
	bool subscribed, full, ever, told_hashes, strange; /* strange: this connection has brought something else */
	enum ws_result answer;		       /* WS_DONE until the node has refused */
	uint64_t received, hashes, other, bytes, reconnects;
	int64_t last_ms, subscribed_ms, report_ms; /* last_ms: of the last transaction, 0 before any; report_ms: when the next is due */
	unsigned failures;
	char refusal[WS_WHY]; /* what answer was */
	char told[WS_WHY];    /* the failure that was told of last, "" since it was well */
};

/* ---- command line ---- */

static const struct tool_command command = {"subscribe", usage_text, .surplus = "one node at a time; unexpected argument"};

/* A number of seconds from 1 to a day; false if it is not. */
static bool
seconds(const char *text, int64_t *ms)
{
	if (text == NULL)
		return true;
	size_t n = strspn(text, "0123456789");
	unsigned long v = n > 0 && n < 6 && text[n] == '\0' ? strtoul(text, NULL, 10) : 0;
	*ms = (int64_t)v * 1000;
	return v >= 1 && v <= 86400;
}

static int
check_options(struct options *o)
{
	o->every_ms = 60000;
	o->silence_ms = 45000;
	if (o->url_text == NULL)
		return tool_bad(&command, "needs the address of a node, ws://HOST:PORT", NULL);
	const char *why = ws_url_parse(o->url_text, &o->url);
	if (why != NULL) {
		fprintf(stderr, "sentinelctl subscribe: %s: %s\n", o->url_text, why);
		return 2;
	}
	if (!seconds(o->every_text, &o->every_ms))
		return tool_bad(&command, "--every takes whole seconds from 1 to 86400", o->every_text);
	if (!seconds(o->silence_text, &o->silence_ms))
		return tool_bad(&command, "--silence takes whole seconds from 1 to 86400", o->silence_text);
	return TOOL_GO_ON;
}

static int
parse_options(int argc, char **argv, struct options *o)
{
	*o = (struct options){0};
	const struct tool_option known[] = {{NULL, .value = &o->url_text}, {"--hashes", .set = &o->hashes}, {"--wait", .set = &o->wait}, {"--json", .set = &o->json},
		{"--quiet", .set = &o->quiet}, {"--every", .value = &o->every_text}, {"--silence", .value = &o->silence_text}};
	int rc = tool_options(argc, argv, &command, known, sizeof known / sizeof known[0]);
	return rc == TOOL_GO_ON ? check_options(o) : rc;
}

/* ---- what it says ---- */

static json_t *
number(uint64_t v)
{
	char text[24];
	snprintf(text, sizeof text, "%" PRIu64, v);
	return json_string(text);
}

static int
report_json(struct subscriber *s, const char *event, int64_t now_ms)
{
	json_t *age = s->last_ms ? number((uint64_t)(now_ms - s->last_ms)) : json_null();
	const char *form = !s->subscribed ? NULL : s->full ? "full" : "hashes";
	json_t *o = json_pack("{s:s,s:s,s:b,s:s?,s:o,s:o,s:o,s:o,s:o,s:o}", "event", event, "url", s->o->url_text, "connected", s->subscribed,
		"subscription", form, "received", number(s->received), "hashes", number(s->hashes), "other", number(s->other), "bytes",
		number(s->bytes), "reconnects", number(s->reconnects), "last_message_age_ms", age);
	int rc = o == NULL || json_dumpf(o, stdout, JSON_COMPACT) != 0 || putchar('\n') == EOF || fflush(stdout) != 0 ? 1 : 0;
	json_decref(o);
	if (rc != 0)
		fprintf(stderr, "sentinelctl subscribe: cannot write to stdout: %s\n", strerror(errno));
	return rc;
}

static void
report_text(struct subscriber *s, const char *event, int64_t now_ms)
{
	fprintf(stderr, "sentinelctl subscribe: %s", event);
	if (strcmp(event, "connected") == 0)
		fprintf(stderr, " to %s (%s), %s", s->o->url_text, s->c.address, s->full ? "whole transactions" : "hashes only");
	else if (!s->subscribed && strcmp(event, "status") == 0)
		fprintf(stderr, ": not connected");
	fprintf(stderr, ": %" PRIu64 " received", s->received);
	if (s->hashes > 0)
		fprintf(stderr, " (%" PRIu64 " as hashes)", s->hashes);
	fprintf(stderr, ", %.1f MB, %" PRIu64 " reconnects, ", (double)s->bytes / 1e6, s->reconnects);
	if (s->last_ms)
		fprintf(stderr, "last %.1f s ago\n", (double)(now_ms - s->last_ms) / 1e3);
	else
		fprintf(stderr, "none yet\n");
}

/* 0, or 1: the output is gone. */
static int
report(struct subscriber *s, const char *event)
{
	int64_t now_ms = ws_now_ms();
	s->bytes = s->c.wire_bytes;
	if (s->o->json)
		return report_json(s, event, now_ms);
	if (!s->o->quiet)
		report_text(s, event, now_ms);
	return 0;
}

static int
report_if_due(struct subscriber *s)
{
	int64_t now_ms = ws_now_ms();
	if (now_ms < s->report_ms)
		return 0;
	/* after a long stop (a suspended machine) one line, not one for each that was missed */
	s->report_ms += (1 + (now_ms - s->report_ms) / s->o->every_ms) * s->o->every_ms;
	return report(s, "status");
}

/* The same failure again and again is told once. */
static void
tell_failure(struct subscriber *s, const char *then)
{
	if (strcmp(s->told, s->c.why) == 0)
		return;
	snprintf(s->told, sizeof s->told, "%s", s->c.why);
	fprintf(stderr, "sentinelctl subscribe: %s: %s%s\n", s->o->url_text, s->c.why, then);
}

/* ---- what the node says ---- */

static void
ask(struct subscriber *s, int what)
{
	s->asked = what;
	if (what == FULL)
		ws_client_text(&s->c, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_subscribe\",\"params\":[\"newPendingTransactions\",true]}");
	else
		ws_client_text(&s->c, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"eth_subscribe\",\"params\":[\"newPendingTransactions\"]}");
}

static void
on_refusal(struct subscriber *s, const json_t *error)
{
	char said[128];
	const char *message = json_string_value(json_object_get(error, "message"));
	ws_printable(said, sizeof said, message ? message : "no reason given", message ? strlen(message) : 15);
	if (s->asked == HASHES) {
		snprintf(s->refusal, sizeof s->refusal,
			"the node refuses eth_subscribe (\"%s\"): does it serve the eth API over WebSocket (geth: --ws.api eth)?", said);
		s->answer = WS_REFUSED;
		return;
	}
	if (!s->told_hashes)
		fprintf(stderr,
			"sentinelctl subscribe: %s: the node refuses whole transactions (\"%s\"); subscribing to hashes. The box then learns when a "
			"transaction was announced, but not what it does: a newer node sends whole ones\n",
			s->o->url_text, said);
	s->told_hashes = true;
	ask(s, HASHES);
}

/* An answer: {"id":N,"result":"0x..."} or {"id":N,"error":{...}}. False: something else. */
static bool
take_answer(struct subscriber *s, const uint8_t *text, size_t n)
{
	json_t *o = json_loadb((const char *)text, n, 0, NULL);
	const json_t *id = json_object_get(o, "id"), *error = json_object_get(o, "error"), *result = json_object_get(o, "result");
	/* a server that could not read a request answers with the id null */
	bool ours = json_is_integer(id) ? json_integer_value(id) == s->asked : json_is_null(id) && json_is_object(error);
	if (s->subscribed || !ours || (!json_is_object(error) && !json_is_string(result))) {
		ours = false;
	} else if (json_is_object(error)) {
		on_refusal(s, error);
	} else {
		s->subscribed = true;
		s->full = s->asked == FULL;
		s->subscribed_ms = ws_now_ms();
	}
	json_decref(o);
	return ours;
}

/* Whether params.result of a notification is a string, the form of a hash. */
static bool
is_hash(const uint8_t *text, size_t n)
{
	static const char key[] = "\"result\"";
	const uint8_t *end = text + n, *p = memmem(text, n, key, sizeof key - 1);
	if (p == NULL)
		return false;
	for (p += sizeof key - 1; p < end && (isspace(*p) || *p == ':'); p++)
		;
	return p < end && *p == '"';
}

static void
on_message(void *user, const uint8_t *head, size_t head_bytes, uint64_t bytes)
{
	struct subscriber *s = user;
	static const char method[] = "\"eth_subscription\"";
	/* no answer to us is longer than a head: that is a notification whose method comes last */
	if (memmem(head, head_bytes, method, sizeof method - 1) == NULL && bytes <= head_bytes) {
		if (!take_answer(s, head, head_bytes)) {
			s->other++;
			s->strange = true;
		}
		return;
	}
	s->received++;
	s->last_ms = ws_now_ms();
	if (!is_hash(head, head_bytes))
		return;
	s->hashes++;
	if (s->full && !s->told_hashes)
		fprintf(stderr,
			"sentinelctl subscribe: %s: the node took the wish for whole transactions but sends hashes. The box then learns when a "
			"transaction was announced, but not what it does: a newer node sends whole ones\n",
			s->o->url_text);
	s->told_hashes |= s->full;
	s->full = false;
}

/* ---- staying connected ---- */

/* Why the connection can not go on as it is, WS_DONE: nothing. */
static enum ws_result
out_of_time(struct subscriber *s, int64_t now_ms, int64_t answer_ms)
{
	if (now_ms >= s->c.heard_ms + s->o->silence_ms)
		snprintf(s->c.why, sizeof s->c.why, "the node has said nothing for %d s, not even to a ping", (int)(s->o->silence_ms / 1000));
	else if (!s->subscribed && now_ms >= answer_ms)
		snprintf(s->c.why, sizeof s->c.why, "no answer to eth_subscribe%s", s->strange ? ", but something else: is this an Ethereum node?" : "");
	else
		return WS_DONE;
	return WS_LOST;
}

static int64_t
sooner(int64_t a_ms, int64_t b_ms)
{
	return a_ms < b_ms ? a_ms : b_ms;
}

/* Until the connection is over, for the reason in s->c.why, or stop. 1: the output is gone. */
static int
serve(struct subscriber *s, enum ws_result *r)
{
	const struct options *o = s->o;
	int64_t ping_ms = ws_now_ms() + o->silence_ms / 3, answer_ms = ws_now_ms() + s->c.patience_ms;
	bool told_up = false;
	ask(s, o->hashes ? HASHES : FULL);
	for (;;) {
		int64_t next_ms = sooner(sooner(ping_ms, s->c.heard_ms + o->silence_ms), s->report_ms);
		*r = ws_client_poll(&s->c, s->subscribed ? next_ms : sooner(next_ms, answer_ms));
		/* the node may have answered and hung up at once: what it said counts */
		if (s->answer != WS_DONE) {
			*r = s->answer;
			snprintf(s->c.why, sizeof s->c.why, "%s", s->refusal);
		}
		if (s->subscribed && !told_up) {
			s->reconnects += s->ever;
			s->ever = told_up = true;
			s->told[0] = '\0';
			if (report(s, "connected") != 0)
				return 1;
		}
		int64_t now_ms = ws_now_ms();
		if (*r == WS_DONE)
			*r = out_of_time(s, now_ms, answer_ms);
		if (*r != WS_DONE)
			return 0;
		if (report_if_due(s) != 0)
			return 1;
		if (now_ms >= ping_ms) {
			ws_client_ping(&s->c);
			ping_ms = now_ms + o->silence_ms / 3;
		}
	}
}

/* Half to one and a half of 0.2 s, 0.4 s ... 10 s: many subscribers must not come back to a restarted node at once. */
static int64_t
backoff_ms(unsigned failures)
{
	uint16_t dice = 0;
	int64_t ms = failures < 6 ? (int64_t)BACKOFF_MIN_MS << failures : BACKOFF_MAX_MS;
	if (getrandom(&dice, sizeof dice, 0) != sizeof dice)
		dice = UINT16_MAX / 2;
	ms = ms / 2 + ms * dice / UINT16_MAX;
	return ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS;
}

static int
back_off(struct subscriber *s)
{
	int64_t until_ms = ws_now_ms() + backoff_ms(s->failures);
	s->failures++;
	while (!tool_stop && ws_now_ms() < until_ms) {
		if (report_if_due(s) != 0)
			return 1;
		ws_sleep_until(until_ms < s->report_ms ? until_ms : s->report_ms, &tool_stop);
	}
	return 0;
}

/* One connection, from its first packet to its last. 1: the output is gone. */
static int
connection(struct subscriber *s, enum ws_result *r)
{
	int rc = 0;
	s->asked = 0;
	s->subscribed = false;
	s->strange = false;
	s->answer = WS_DONE;
	*r = ws_client_connect(&s->c);
	if (*r == WS_DONE) {
		rc = serve(s, r);
		ws_client_close(&s->c, *r == WS_STOPPED || *r == WS_REFUSED);
	}
	if (s->subscribed && ws_now_ms() - s->subscribed_ms >= STEADY_MS)
		s->failures = 0;
	return rc;
}

static int
stay(struct subscriber *s)
{
	enum ws_result r;
	s->report_ms = ws_now_ms() + s->o->every_ms;
	while (!tool_stop) {
		if (connection(s, &r) != 0)
			return 1;
		if (r == WS_STOPPED || tool_stop)
			break;
		s->subscribed = false;
		if (!s->ever && (r == WS_REFUSED || !s->o->wait)) {
			tell_failure(s, "");
			return 1;
		}
		tell_failure(s, s->ever ? "; connecting again" : "; waiting for it");
		if (back_off(s) != 0)
			return 1;
	}
	s->subscribed = false;
	return report(s, "end");
}

int
cmd_subscribe(int argc, char **argv)
{
	struct options o;
	int rc = parse_options(argc, argv, &o);
	if (rc != TOOL_GO_ON)
		return rc;
	sigset_t ours;
	sigemptyset(&ours);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGTERM);
	sigprocmask(SIG_BLOCK, &ours, NULL); /* let in where the client waits */
	/* a second one ends it at once */
	tool_catch((int)SA_RESETHAND);
	struct subscriber s = {.o = &o};
	s.c = (struct ws_client){.url = &o.url, .stop = &tool_stop, .on_message = on_message, .user = &s, .fd = -1};
	s.c.patience_ms = (int)(o.silence_ms < PATIENCE_MS ? o.silence_ms : PATIENCE_MS);
	return stay(&s);
}
