/* SPDX-License-Identifier: BSD-3-Clause */
/* usage: stamp SOCKET CONSUMER OUT [--realtime]
 * A consumer of sentinel-control's socket that does nothing but note when it holds each alert: it subscribes to what comes from now on, prints
 * "ready" once that is so, acknowledges as it reads, and, when its standard input ends, writes a line per alert to OUT:
 * transaction hash, ns since the Unix epoch. */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define MAX 200000
#define HASH_CHARS 66
#define BUFFER (1u << 20)

struct stamp {
	char hash[HASH_CHARS + 1];
	uint64_t ns;
};

static struct stamp stamps[MAX];
static unsigned n_stamps;
static char buffer[BUFFER];
static size_t held;

static int
fail(const char *what)
{
	fprintf(stderr, "stamp: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
say(int fd, const char *text)
{
	for (size_t n = strlen(text); n > 0;) {
		ssize_t w = send(fd, text, n, MSG_NOSIGNAL);
		if (w <= 0)
			fail("send");
		text += w;
		n -= (size_t)w;
	}
}

/* The value behind `key`, up to n characters of it. */
static bool
find(const char *line, const char *key, char *out, size_t n)
{
	const char *p = strstr(line, key);
	if (p == NULL)
		return false;
	p += strlen(key);
	size_t k = 0;
	for (; k < n && p[k] != '"' && p[k] != '\0'; k++)
		out[k] = p[k];
	out[k] = '\0';
	return k > 0;
}

/* Acks the last of what has come. */
static void
take_lines(int fd, uint64_t now_ns)
{
	char cursor[64] = "", ack[128], *line = buffer, *end;
	buffer[held] = '\0';
	while ((end = memchr(line, '\n', held - (size_t)(line - buffer))) != NULL) {
		*end = '\0';
		if (strstr(line, "\"error\"") != NULL) {
			fprintf(stderr, "stamp: refused: %s\n", line);
			exit(1);
		}
		if (n_stamps < MAX && strstr(line, "sentinel.alert.v1") != NULL && find(line, "\"hash\":\"", stamps[n_stamps].hash, HASH_CHARS))
			stamps[n_stamps++].ns = now_ns;
		find(line, "\"cursor\":\"", cursor, sizeof cursor - 1);
		line = end + 1;
	}
	held -= (size_t)(line - buffer);
	memmove(buffer, line, held);
	if (cursor[0] == '\0')
		return;
	snprintf(ack, sizeof ack, "{\"op\":\"ack\",\"cursor\":\"%s\"}\n", cursor);
	say(fd, ack);
}

static void
receive(int fd)
{
	struct timespec ts;
	ssize_t n = recv(fd, buffer + held, BUFFER - 1 - held, 0);
	clock_gettime(CLOCK_REALTIME, &ts);
	if (n <= 0)
		fail("sentinel-control has hung up");
	held += (size_t)n;
	if (held == BUFFER - 1)
		fail("a line is too long");
	take_lines(fd, (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec);
}

int
main(int argc, char **argv)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	char hello[256], word[256];
	if (argc < 4 || strlen(argv[1]) >= sizeof a.sun_path)
		return 2;
	strcpy(a.sun_path, argv[1]);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) != 0)
		fail("connect");
	if (argc > 4 && strcmp(argv[4], "--realtime") == 0 && sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 6}) != 0)
		fprintf(stderr, "stamp: no real-time priority\n");
	if (mlockall(MCL_CURRENT) != 0)
		fprintf(stderr, "stamp: memory is not locked\n");
	snprintf(hello, sizeof hello, "{\"op\":\"subscribe\",\"consumer\":\"%s\",\"since\":\"now\",\"min_grade\":\"watch\"}\n", argv[2]);
	say(fd, hello);
	puts("ready");
	fflush(stdout);
	for (;;) {
		struct pollfd p[2] = {{fd, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			fail("poll");
		if (p[0].revents != 0)
			receive(fd);
		else if (p[1].revents != 0 && read(STDIN_FILENO, word, sizeof word) <= 0)
			break;
	}
	FILE *out = fopen(argv[3], "w");
	if (out == NULL)
		fail(argv[3]);
	for (unsigned i = 0; i < n_stamps; i++)
		fprintf(out, "%s %llu\n", stamps[i].hash, (unsigned long long)stamps[i].ns);
	return fclose(out) == 0 ? 0 : fail(argv[3]);
}
