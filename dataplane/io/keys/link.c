/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/keys/link.h"

#include "abi/channel.h"
#include "abi/shm.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RETRY_MIN_MS 200u
#define RETRY_MAX_MS 5000u
#define LASTED_MS 10000u /* a link that holds so long was a good one */
#define ANSWER_MS 5000u

static void
say(struct link *l, const char *sentence)
{
	if (l->said != sentence)
		l->say(sentence);
	l->said = sentence;
}

void
link_init(struct link *l, const char *path, void (*tell)(const char *sentence))
{
	*l = (struct link){.path = path, .fd = -1, .patience_ms = RETRY_MIN_MS, .say = tell};
}

void
link_close(struct link *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	l->state = LINK_DOWN;
	l->waiting = false;
}

static void
hang_up(struct link *l, uint64_t now_ms, const char *why)
{
	bool good = l->state == LINK_READY && now_ms - l->since_ms >= LASTED_MS;
	link_close(l);
	l->patience_ms = good ? RETRY_MIN_MS : l->patience_ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : l->patience_ms * 2;
	l->retry_ms = now_ms + l->patience_ms;
	say(l, why);
}

/* Secrets are given to nobody who could not read them out of the node himself. Who listens counts, not who serves: a dataplane that root has started
 * listens before it becomes its own user. */
static bool
may_have_keys(int fd)
{
	struct ucred who;
	socklen_t n = sizeof who;
	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 && (who.uid == 0 || who.uid == geteuid());
}

static void
greet(struct link *l, uint64_t now_ms)
{
	struct channel_msg m = {.type = CHANNEL_HELLO};
	m.u.hello.version_min = CHANNEL_VERSION_ROLES;
	m.u.hello.version_max = CHANNEL_VERSION_MAX;
	m.u.hello.role = CHANNEL_ROLE_KEYS;
	l->fd = channel_connect(l->path);
	l->retry_ms = now_ms + RETRY_MIN_MS;
	if (l->fd < 0) {
		bool denied = l->fd == -EACCES || l->fd == -EPERM;
		l->fd = -1;
		say(l, denied ? "this user may not attach to the dataplane: run as root, or as the user who started it"
			      : "no dataplane answers on the channel yet; sessions are kept until one does");
		return;
	}
	l->since_ms = now_ms;
	l->state = LINK_GREETED;
	if (!may_have_keys(l->fd))
		hang_up(l, now_ms, "neither root nor this user listens on the channel: sessions are not for whoever that is; see who made that socket");
	else if (channel_send(l->fd, &m, NULL, 0) != 0)
		hang_up(l, now_ms, "the dataplane hung up");
}

static void
hand_over(struct link *l, const struct store *s, uint64_t now_ms)
{
	struct channel_msg m = {.type = CHANNEL_KEYS};
	size_t n;
	char *text = store_text(s, l->sent, &n, &l->next);
	if (text == NULL)
		return;
	int fd = shm_create_fixed("sentinel-keys", text, n);
	store_wipe(text, n);
	m.u.blob.number = ++l->number;
	m.u.blob.bytes = n;
	int rc = fd < 0 ? fd : channel_send(l->fd, &m, &fd, 1);
	if (fd >= 0)
		close(fd);
	if (rc != 0 && rc != -EAGAIN) {
		hang_up(l, now_ms, "the dataplane has gone; sessions are kept for the next one");
		return;
	}
	l->waiting = rc == 0;
	l->retry_ms = now_ms + ANSWER_MS;
}

static void
heed(struct link *l, const struct store *s, const struct channel_msg *m, uint64_t now_ms)
{
	if (l->state == LINK_GREETED && m->type == CHANNEL_WELCOME && m->u.welcome.version >= CHANNEL_VERSION_ROLES) {
		l->state = LINK_READY;
		l->since_ms = now_ms;
		l->sent = s->first;
		say(l, "attached to the dataplane");
	} else if (l->state == LINK_READY && l->waiting && m->type == CHANNEL_SAID && m->u.said.number == l->number) {
		uint64_t from = l->sent < s->first ? s->first : l->sent;
		l->waiting = false;
		l->refused += m->u.said.status != CHANNEL_OK;
		l->handed += m->u.said.status == CHANNEL_OK && l->next > from ? l->next - from : 0;
		l->sent = l->next;
		if (m->u.said.status != CHANNEL_OK)
			say(l, "the dataplane refused sessions: it is of another version, or broken");
	} else {
		hang_up(l, now_ms, "the dataplane says what it should not: it is of another version, or broken");
	}
}

void
link_turn(struct link *l, const struct store *s, uint64_t now_ms)
{
	struct channel_msg m;
	int fds[CHANNEL_FDS_MAX], rc = 0;
	unsigned n_fds = 0;
	if (l->fd < 0 && now_ms < l->retry_ms)
		return;
	if (l->fd < 0)
		greet(l, now_ms);
	while (l->fd >= 0 && (rc = channel_recv(l->fd, &m, fds, CHANNEL_FDS_MAX, &n_fds)) == 1) {
		while (n_fds > 0)
			close(fds[--n_fds]);
		heed(l, s, &m, now_ms);
	}
	if (l->fd < 0)
		return;
	if (rc < 0)
		hang_up(l, now_ms, l->state == LINK_READY ? "the dataplane hung up: it has gone, or another sentinel-keys took this one's place"
							  : "the dataplane hung up without a word: it ended while it started, and its own messages say why (journalctl -u sentinel-dataplane); or, if "
							    "it still runs, it refuses this user or is of another release: run as root, or as the user who started it");
	else if (l->state == LINK_GREETED && now_ms - l->since_ms > ANSWER_MS)
		hang_up(l, now_ms, "the dataplane does not answer");
	else if (l->waiting && now_ms > l->retry_ms)
		hang_up(l, now_ms, "the dataplane takes no sessions");
	else if (l->state == LINK_READY && !l->waiting && l->sent < s->end)
		hand_over(l, s, now_ms);
}
