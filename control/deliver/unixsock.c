/* SPDX-License-Identifier: BSD-3-Clause */
/* The control socket: NDJSON both ways (line.h). One thread, one poll loop; a few fresh events the drain sends itself, while that thread waits, because a thread
 * that is woken sends them a tenth of a millisecond later. */
#include "control/deliver/client.h"
#include "control/deliver/outlet.h"
#include "control/realtime.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENTS_MAX 64
#define ANNOUNCED_KEPT 1024 /* for who connects later, though all others have them */
#define ANNOUNCED_MAX (ANNOUNCED_KEPT + BATCH_ENTRIES)
#define ANNOUNCED_EVIDENCE_BYTES (16u << 20) /* beyond this they go out without */
#define QUIET_NS 5000000000u		     /* a client that is in the way of another may be this quiet */
#define TURN_MS 500
#define HAND_OVER_CLIENTS 4 /* that the drain serves itself */

struct announced {
	struct journal_event event;
	uint8_t evidence[];
};

struct outlet_state {
	struct client_service service;
	int listen_fd, wake_fd;
	char path[108];
	pthread_mutex_t turn; /* over service and client: the thread's, but while it polls */
	struct client client[CLIENTS_MAX];
	pthread_t thread;
	bool running;
	_Atomic bool stop;
	_Atomic bool realtime;
	_Atomic uint64_t settled_at; /* head up to which all clients had everything, + 1; 0: not settled */
	pthread_mutex_t lock;
	struct announced *announced[ANNOUNCED_MAX]; /* since the journal went down; grows under the lock, read
						       by the server */
	_Atomic unsigned n_announced;
	size_t announced_evidence;
};

/* ---- the socket ---- */

static bool
answers(const struct sockaddr_un *a)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool yes = fd < 0 || connect(fd, (const struct sockaddr *)a, sizeof *a) == 0 || errno != ECONNREFUSED;
	if (fd >= 0)
		close(fd);
	return yes;
}

static int
bind_path(int fd, const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct stat st;
	if (strlen(path) >= sizeof a.sun_path)
		return -ENAMETOOLONG;
	strcpy(a.sun_path, path);
	/* The socket's own mode is what bind gives the file, so that it never is open to others. */
	if (fchmod(fd, 0600) != 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0) {
		if (errno != EADDRINUSE)
			return -errno;
		if (lstat(path, &st) != 0 || !S_ISSOCK(st.st_mode) || answers(&a))
			return -EADDRINUSE;
		if (unlink(path) != 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0)
			return -errno;
	}
	return chmod(path, 0660) != 0 || listen(fd, CLIENTS_MAX) != 0 ? -errno : 0;
}

static int
listen_on(struct outlet_state *s, const char *path, char *err, size_t cap)
{
	s->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int rc = s->listen_fd < 0 ? -errno : bind_path(s->listen_fd, path);
	if (path[0] == '\0')
		snprintf(err, cap, "--socket is empty; name the socket where consumers shall connect");
	else if (rc == -EADDRINUSE)
		snprintf(err, cap,
			"%s is taken: another sentinel-control answers there, or it is not a socket; stop "
			"that one or choose another --socket",
			path);
	else if (rc == -ENAMETOOLONG)
		snprintf(err, cap, "the socket path %s is longer than %zu characters", path,
			sizeof s->path - 1);
	else if (rc == -ENOENT)
		snprintf(err, cap,
			"cannot listen on %s: its folder does not exist; make it, or choose another --socket", path);
	else if (rc != 0)
		snprintf(err, cap,
			"cannot listen on %s: %s; make its folder writable for this user, or choose another "
			"--socket",
			path, strerror(-rc));
	if (rc == 0)
		strcpy(s->path, path);
	return rc;
}

static void
drop(struct outlet_state *s, struct client *k)
{
	client_end(k, &s->service);
	s->service.clients--;
}

/* A free place, if need be that of a client that hangs about or does not read. */
static struct client *
place_for(struct outlet_state *s, uint64_t now_ns)
{
	struct client *quiet = NULL;
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *k = &s->client[i];
		if (k->fd < 0)
			return k;
		bool idle = k->state == CLIENT_IDLE || k->state == CLIENT_CLOSING || k->out_n > k->out_at;
		if (idle && now_ns - k->quiet_ns > QUIET_NS &&
			(quiet == NULL || k->quiet_ns < quiet->quiet_ns))
			quiet = k;
	}
	if (quiet != NULL) {
		s->service.dropped++;
		drop(s, quiet);
	}
	return quiet;
}

static void
take_connections(struct outlet_state *s, uint64_t now_ns)
{
	static const char full[] =
		"{\"error\":\"there are too many clients\",\"next\":\"close one, or try again later\"}\n";
	int fd;
	while ((fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		struct client *k = place_for(s, now_ns);
		if (k == NULL) {
			(void)!send(fd, full, sizeof full - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
			close(fd);
			continue;
		}
		client_start(k, fd, now_ns);
		s->service.clients++;
	}
}

/* ---- alerts that are in no journal ---- */

static bool
announce(struct outlet_state *s, const struct entry *e, const uint8_t *evidence)
{
	pthread_mutex_lock(&s->lock);
	uint32_t len =
		s->announced_evidence + e->evidence_len > ANNOUNCED_EVIDENCE_BYTES ? 0 : e->evidence_len;
	unsigned n = atomic_load_explicit(&s->n_announced, memory_order_relaxed);
	struct announced *a = n < ANNOUNCED_MAX ? malloc(sizeof *a + len) : NULL;
	if (a != NULL) {
		a->event = (struct journal_event){.ring_id = e->ring_id,
			.from = e->from,
			.to = e->to,
			.record = e->record,
			.vet = e->vet,
			.evidence = a->evidence,
			.evidence_len = len};
		memcpy(a->event.epoch, e->epoch, sizeof a->event.epoch);
		memcpy(a->event.rule_name, e->rule_name, sizeof a->event.rule_name);
		memcpy(a->evidence, evidence + e->evidence_at, len);
		s->announced[n] = a;
		s->announced_evidence += len;
		atomic_store_explicit(&s->n_announced, n + 1, memory_order_release);
	}
	pthread_mutex_unlock(&s->lock);
	return a != NULL;
}

/* The first n go. Under both locks, or when nobody else is left. */
static void
forget_announced(struct outlet_state *s, unsigned n)
{
	unsigned rest = s->n_announced - n;
	for (unsigned i = 0; i < n; i++) {
		s->announced_evidence -= s->announced[i]->event.evidence_len;
		free(s->announced[i]);
	}
	memmove(s->announced, s->announced + n, rest * sizeof *s->announced);
	atomic_store(&s->n_announced, rest);
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		s->client[i].told -= s->client[i].told < n ? s->client[i].told : n;
}

/* How many of the first n all have that take them: n if nobody does. */
static unsigned
told_to_all(const struct outlet_state *s, unsigned n, bool *anybody)
{
	*anybody = false;
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		const struct client *k = &s->client[i];
		if (k->fd < 0 || (k->state != CLIENT_STREAM && k->state != CLIENT_REGISTERED))
			continue;
		*anybody = true;
		n = k->told < n ? k->told : n;
	}
	return n;
}

/* What was not durable is told to whoever is connected while the journal is down, whenever he came, as far as there is room for it. Once it
 * is up again and all have been told, the journal has the rest. */
static void
settle_announced(struct outlet_state *s)
{
	unsigned n = atomic_load_explicit(&s->n_announced, memory_order_acquire);
	struct journal_status j;
	if (n == 0)
		return;
	journal_status_get(s->service.c->journal, &j);
	bool anybody;
	unsigned told = told_to_all(s, n, &anybody), spare = n > ANNOUNCED_KEPT ? n - ANNOUNCED_KEPT : 0;
	pthread_mutex_lock(&s->lock);
	if (!j.down && told == n && s->n_announced == n)
		forget_announced(s, n);
	else if (anybody)
		forget_announced(s, told < spare ? told : spare);
	pthread_mutex_unlock(&s->lock);
}

/* As much as the client's buffer takes. */
static void
tell_announced(struct outlet_state *s, struct client *k)
{
	unsigned n = atomic_load_explicit(&s->n_announced, memory_order_acquire);
	while (k->told < n && client_announce(k, &s->service, &s->announced[k->told]->event))
		k->told++;
}

/* ---- the loop ---- */

/* true: there is more to do for it at once. */
static bool
serve(struct outlet_state *s, struct client *k, short revents, uint64_t now_ns)
{
	bool more = false;
	if ((revents & (POLLIN | POLLHUP)) && !client_receive(k, &s->service, now_ns)) {
		drop(s, k);
		return false;
	}
	if (revents & (POLLHUP | POLLERR | POLLNVAL)) {
		drop(s, k);
		return false;
	}
	/* As much as the socket takes, but no more than a buffer a turn: others wait too. */
	tell_announced(s, k);
	bool full = k->out_n - k->out_at >= CLIENT_FILL_BYTES; /* and so not all of it is told yet */
	bool alive = client_send(k, &s->service, now_ns);
	if (alive && k->out_n == k->out_at) {
		more = client_fill(k, &s->service, now_ns);
		alive = client_send(k, &s->service, now_ns);
		/* Requests behind the one that was just answered. */
		if (alive && k->in_n > 0 && k->state == CLIENT_IDLE && k->out_n == k->out_at)
			more |= memchr(k->in, '\n', k->in_n) != NULL &&
				client_receive(k, &s->service, now_ns);
	}
	if (!alive) {
		drop(s, k);
		return false;
	}
	return (more || full) && k->out_n == k->out_at;
}

static bool
all_settled(const struct outlet_state *s, uint64_t head)
{
	unsigned n = s->n_announced;
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		const struct client *k = &s->client[i];
		bool streams = k->state == CLIENT_REGISTERED || k->state == CLIENT_STREAM ||
			       k->state == CLIENT_ALERTS;
		if (k->fd >= 0 && (k->out_n > k->out_at || (streams && (k->at < head || k->told < n))))
			return false;
	}
	return true;
}

static unsigned
poll_set(struct outlet_state *s, struct pollfd *p, struct client **whose)
{
	unsigned n = 0;
	p[n++] = (struct pollfd){.fd = s->wake_fd, .events = POLLIN};
	p[n++] = (struct pollfd){.fd = s->listen_fd, .events = POLLIN};
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *k = &s->client[i];
		if (k->fd < 0)
			continue;
		whose[n] = k;
		p[n] = (struct pollfd){.fd = k->fd};
		if (client_wants_input(k))
			p[n].events |= POLLIN;
		if (k->out_n > k->out_at)
			p[n].events |= POLLOUT;
		n++;
	}
	return n;
}

/* true: there is more to do at once. */
static bool
serve_all(struct outlet_state *s, const struct pollfd *p, struct client **whose, unsigned n)
{
	bool more = false;
	pthread_mutex_lock(&s->turn);
	uint64_t now_ns = control_monotonic_ns(); /* not before what the drain has noted of a client */
	uint64_t head = journal_head(s->service.c->journal);
	for (unsigned i = 2; i < n; i++)
		if (whose[i]->fd >= 0)
			more |= serve(s, whose[i], p[i].revents, now_ns);
	if (p[1].revents != 0)
		take_connections(s, now_ns);
	settle_announced(s);
	atomic_store_explicit(&s->settled_at, all_settled(s, head) ? head + 1 : 0, memory_order_release);
	pthread_mutex_unlock(&s->turn);
	return more;
}

static void *
server(void *arg)
{
	struct outlet_state *s = arg;
	bool more = false;
	while (!atomic_load_explicit(&s->stop, memory_order_relaxed)) {
		struct pollfd p[CLIENTS_MAX + 2];
		struct client *whose[CLIENTS_MAX + 2];
		uint64_t woken;
		pthread_mutex_lock(&s->turn);
		unsigned n = poll_set(s, p, whose);
		pthread_mutex_unlock(&s->turn);
		if (poll(p, n, more ? 0 : TURN_MS) < 0 && errno != EINTR)
			break;
		if (p[0].revents != 0)
			(void)!read(s->wake_fd, &woken, sizeof woken);
		uint64_t began_ns = control_monotonic_ns();
		more = serve_all(s, p, whose, n);
		if (more && atomic_load_explicit(&s->realtime, memory_order_relaxed)) /* somebody catches up */
			realtime_leave_room(began_ns, control_monotonic_ns());
	}
	return NULL;
}

static void
wake(struct outlet_state *s)
{
	uint64_t one = 1;
	(void)!write(s->wake_fd, &one, sizeof one);
}

/* true: it has everything. Of one that lags the drain would have to read files. */
static bool
hand_to(struct outlet_state *s, struct client *k, uint64_t head, uint64_t now_ns)
{
	if (k->state != CLIENT_STREAM || k->out_n > k->out_at || k->told < s->n_announced || !journal_near(s->service.c->journal, k->at, head))
		return false;
	return !client_fill(k, &s->service, now_ns) && client_send(k, &s->service, now_ns) && k->out_n == k->out_at;
}

static void
hand_over(struct outlet_state *s)
{
	bool all = pthread_mutex_trylock(&s->turn) == 0;
	if (all) {
		uint64_t now_ns = control_monotonic_ns(), head = journal_head(s->service.c->journal);
		unsigned served = 0;
		for (unsigned i = 0; i < CLIENTS_MAX; i++) {
			struct client *k = &s->client[i];
			if (k->fd >= 0 && k->state != CLIENT_IDLE)
				all &= served++ < HAND_OVER_CLIENTS && hand_to(s, k, head, now_ns);
		}
		pthread_mutex_unlock(&s->turn);
	}
	if (!all)
		wake(s);
}

static bool
settled(struct outlet_state *s)
{
	return atomic_load_explicit(&s->settled_at, memory_order_acquire) ==
	       journal_head(s->service.c->journal) + 1;
}

static void
stop(struct outlet_state *s)
{
	atomic_store(&s->stop, true);
	if (s->running) {
		wake(s);
		pthread_join(s->thread, NULL);
	}
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (s->client[i].fd >= 0)
			client_end(&s->client[i], &s->service);
	forget_announced(s, s->n_announced);
	if (s->listen_fd >= 0)
		close(s->listen_fd);
	if (s->wake_fd >= 0)
		close(s->wake_fd);
	if (s->path[0] != '\0')
		unlink(s->path);
	journal_reader_free(s->service.reader);
	pthread_mutex_destroy(&s->lock);
	pthread_mutex_destroy(&s->turn);
	free(s);
}

static struct outlet_state *
start(struct control *c, char *err, size_t cap)
{
	struct outlet_state *s = calloc(1, sizeof *s);
	if (s == NULL) {
		snprintf(err, cap, "no memory");
		return NULL;
	}
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		s->client[i].fd = -1;
	s->listen_fd = -1;
	s->service.c = c;
	s->service.reader = journal_reader_new(c->journal);
	s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	realtime_mutex_init(&s->lock);
	realtime_mutex_init(&s->turn);
	int rc = s->service.reader != NULL && s->wake_fd >= 0 ? 0 : -ENOMEM;
	if (rc != 0)
		snprintf(err, cap, "no memory");
	else
		rc = listen_on(s, c->opt.socket, err, cap);
	if (rc == 0 && pthread_create(&s->thread, NULL, server, s) != 0) {
		snprintf(err, cap, "cannot start a thread");
		rc = -EAGAIN;
	}
	s->running = rc == 0;
	if (s->running && c->opt.realtime) /* the drain says if that cannot be had */
		atomic_store(&s->realtime, realtime_give(s->thread, REALTIME_DELIVER) == 0);
	if (rc != 0) {
		stop(s);
		return NULL;
	}
	return s;
}

const struct outlet outlet_unixsock = {"unixsock", start, wake, hand_over, announce, settled, stop};
