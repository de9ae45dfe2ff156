/* SPDX-License-Identifier: BSD-3-Clause */
/* client: one connection of the control socket, without the socket's poll loop. What is to be sent comes out
 * of the journal a little at a time: a client that does not read costs one bounded buffer and resumes where
 * it was. */
#ifndef CONTROL_DELIVER_CLIENT_H
#define CONTROL_DELIVER_CLIENT_H

#include "control/control.h"
#include "control/deliver/line.h"
#include "control/journal_read.h"

#include <stdbool.h>
#include <sys/types.h>

#define CLIENT_FILL_EVENTS 64
#define CLIENT_FILL_BYTES (64u << 10)
#define CLIENT_OUT_MAX (1u << 20) /* beyond this much that it has not read, a client gets no answers */

enum client_state {
	CLIENT_IDLE,	   /* says what it wants */
	CLIENT_REGISTERED, /* subscribed; its place is not durable yet */
	CLIENT_STREAM,
	CLIENT_ALERTS, /* a bounded run of events */
	CLIENT_PROFILE, /* its profile is not answered yet */
	CLIENT_WATCH,  /* its change of the watch list is not kept yet */
	CLIENT_CLOSING /* what is in the buffer, then the end */
};

struct client {
	int fd; /* -1: free */
	enum client_state state;
	bool eof; /* it will say nothing more */
	char name[JOURNAL_CONSUMER_NAME_MAX];
	bool contiguous; /* it started at or before its acked place: what its grade passes over counts as
			    acked */
	unsigned min_grade;
	uint64_t at;   /* cursor it has been sent everything up to */
	uint64_t sent; /* cursor of the last event sent */
	uint64_t acked;
	uint64_t passed_ns; /* when passed-over events were last acked for it */
	uint64_t left;	    /* CLIENT_ALERTS: events still to send */
	uint64_t watch_version; /* CLIENT_WATCH: what it waits for */
	uint8_t watch_address[20];
	bool watch_added;
	char *profile; /* what it has sent of one; NULL: nothing */
	size_t profile_n;
	uint64_t profile_ticket;
	uint64_t live_from; /* events behind this one came while it was listening */
	struct latency_follow follow;
	unsigned told;	    /* announced alerts that it has been sent */
	uint64_t quiet_ns;  /* monotonic: since when it has neither said a whole line nor taken anything */
	char in[LINE_BYTES_MAX];
	size_t in_n;
	char *out;
	size_t out_at, out_n, out_cap;
};

/* What clients are served from. */
struct client_service {
	struct control *c;
	struct journal_reader *reader;
	unsigned clients;
	uint64_t dropped; /* clients that were in the way of others and were let go */
};

void client_start(struct client *k, int fd, uint64_t now_ns);
void client_end(struct client *k, struct client_service *s);

/* client_receive reads what has come and acts on whole lines. false: the connection is to be ended now. */
bool client_receive(struct client *k, struct client_service *s, uint64_t now_ns);
/* client_fill puts more of the journal into an empty buffer. true: there is more in the journal already. */
bool client_fill(struct client *k, struct client_service *s, uint64_t now_ns);
/* client_send writes what it can. false: the connection is at its end. */
bool client_send(struct client *k, struct client_service *s, uint64_t now_ns);
/* client_announce: an alert that is in no journal. false: not now, the client has more to read than fits, or
 * wants none. */
bool client_announce(struct client *k, struct client_service *s, const struct journal_event *e);
bool client_wants_input(const struct client *k);

#endif
