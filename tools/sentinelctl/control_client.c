/* SPDX-License-Identifier: BSD-3-Clause */
#include "sentinelctl/control_client.h"

#include "sentinelctl/tool.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define LINE_MAX_BYTES (1u << 20)

static void
wait_at_most(struct control_client *c, time_t seconds)
{
	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_sec = seconds}, sizeof(struct timeval));
}

void
control_client_patient(struct control_client *c)
{
	wait_at_most(c, 0);
}

int
control_client_open(struct control_client *c, const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	*c = (struct control_client){.fd = -1};
	if (strlen(path) == 0 || strlen(path) >= sizeof a.sun_path)
		return -ENAMETOOLONG;
	strcpy(a.sun_path, path);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return -errno;
	if (connect(c->fd, (struct sockaddr *)&a, sizeof a) != 0) {
		int err = errno;
		control_client_close(c);
		return -err;
	}
	wait_at_most(c, CONTROL_ANSWER_S);
	return 0;
}

void
control_client_close(struct control_client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	free(c->buf);
	*c = (struct control_client){.fd = -1};
}

static void
complain_of_rights(const char *path)
{
	struct stat st;
	const struct group *g = stat(path, &st) == 0 ? getgrgid(st.st_gid) : NULL;
	if (g != NULL)
		fprintf(stderr, "It is open to its owner and to the group %s: run this as root, or join that group (usermod -aG %s USER, then log in anew).\n", g->gr_name, g->gr_name);
	else
		fprintf(stderr, "It is open to its owner and its group: run this as root, or join the group.\n");
}

void
control_client_complain(const char *path, int err)
{
	fprintf(stderr, "sentinelctl: cannot reach sentinel-control at %s: %s.\n", path, strerror(err));
	if (err == ENOENT || err == ECONNREFUSED || err == ENOTSOCK)
		fprintf(stderr,
			"Is sentinel-control running? Start it with: systemctl start sentinel-control, or by hand sentinel-control --socket %s (and "
			"--channel, --journal as you need); or name its socket with --socket.\n",
			path);
	else if (err == EACCES || err == EPERM)
		complain_of_rights(path);
	else if (err == EPROTOTYPE)
		fprintf(stderr, "That is another program's socket, perhaps the one between sentinel-dataplane and "
				"sentinel-control: name the one that sentinel-control was given with --socket.\n");
	else if (err == ENAMETOOLONG)
		fprintf(stderr, "The path of a socket has 1 to 107 characters.\n");
	else if (err == EAGAIN)
		fprintf(stderr, "It is running but takes no connections: is it stopped?\n");
}

void
control_client_silent(const char *path, int rc)
{
	if (tool_stop)
		return;
	if (rc == 0)
		fprintf(stderr, "sentinelctl: sentinel-control at %s hung up without an answer: it is ending, or has too many clients; try again\n", path);
	else if (rc == -EAGAIN)
		fprintf(stderr,
			"sentinelctl: sentinel-control at %s is there, but has not answered for %d s: is it stopped, or does the disk of its journal not answer? (ps -C "
			"sentinel-control -o stat,wchan: T is stopped, D waits for a disk.) Once it goes on it may still do what it was asked\n",
			path, CONTROL_ANSWER_S);
	else
		fprintf(stderr, "sentinelctl: cannot talk to sentinel-control: %s\n", strerror(-rc));
}

int
control_client_ask(struct control_client *c, json_t *request)
{
	char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
	json_decref(request);
	if (text == NULL)
		return -ENOMEM;
	size_t n = strlen(text), done = 0;
	text[n++] = '\n';
	while (done < n) {
		ssize_t w = send(c->fd, text + done, n - done, MSG_NOSIGNAL);
		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0) {
			free(text);
			return -errno;
		}
		done += (size_t)w;
	}
	free(text);
	return 0;
}

static int
read_more(struct control_client *c)
{
	if (c->at > 0) {
		memmove(c->buf, c->buf + c->at, c->n - c->at);
		c->n -= c->at;
		c->at = 0;
	}
	if (c->n == c->cap) {
		if (c->cap >= LINE_MAX_BYTES)
			return -EMSGSIZE;
		size_t cap = c->cap ? 2 * c->cap : 1u << 16;
		char *more = realloc(c->buf, cap);
		if (more == NULL)
			return -ENOMEM;
		c->buf = more;
		c->cap = cap;
	}
	ssize_t n = recv(c->fd, c->buf + c->n, c->cap - c->n, 0);
	if (n < 0)
		return errno == ECONNRESET ? 0 : -errno;
	c->n += (size_t)n;
	return n > 0;
}

int
control_client_line(struct control_client *c, char **line)
{
	size_t searched = 0;
	for (;;) {
		char *end = c->n > c->at ? memchr(c->buf + c->at + searched, '\n', c->n - c->at - searched)
					 : NULL;
		if (end != NULL) {
			*end = '\0';
			*line = c->buf + c->at;
			c->at = (size_t)(end + 1 - c->buf);
			return 1;
		}
		searched = c->n - c->at;
		int rc = read_more(c);
		if (rc <= 0)
			return rc;
	}
}

int
control_client_once(struct control_client *c, const char *path, json_t *request, char **line)
{
	int rc = control_client_open(c, path);
	if (rc != 0) {
		json_decref(request);
		control_client_complain(path, -rc);
		return rc;
	}
	rc = control_client_ask(c, request);
	if (rc == 0 || rc == -EPIPE) /* there may be a refusal to read */
		rc = control_client_line(c, line);
	if (rc <= 0)
		control_client_silent(path, rc);
	return rc;
}

int
control_client_refused(const json_t *o)
{
	const char *error = json_string_value(json_object_get(o, "error"));
	const char *next = json_string_value(json_object_get(o, "next"));
	if (error == NULL)
		return 0;
	fprintf(stderr, "sentinelctl: sentinel-control refuses: %s; %s\n", error, next ? next : "");
	return 1;
}

const char *
control_text(const json_t *o, const char *key, const char *none)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s ? s : none;
}
