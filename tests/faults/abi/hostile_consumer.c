/* SPDX-License-Identifier: BSD-3-Clause */
/* A consumer in a process of its own gets the three fds of a ring over the channel and turns on the producer: first every
 * call that could make ring or evidence writable, then, while the producer publishes, every harm to the cursor page.
 * Once as the same user and, when root, once as nobody. Fails if a call that must not be is let through, a byte of the
 * ring changes, the producer dies, or a good consumer is not served afterwards. */
#include "abi/channel.h"
#include "abi/ring.h"
#include "attacks.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SLOTS 16u
#define PAGE 4096u
#define NOBODY 65534u
#define CURSOR_ROUNDS 300u
#define PATIENCE_S 60u

static void
must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "failed: %s (%s)\n", what, strerror(errno));
	exit(1);
}

static struct alert_record
plain(void)
{
	struct alert_record r;
	memset(&r, 0, sizeof r);
	r.kind = ALERT_KIND_ALERT;
	r.grade = GRADE_WATCH;
	r.severity = SEVERITY_INFO;
	r.class_ = CLASS_SWAP;
	r.carrier = CARRIER_HTTP_JSONRPC;
	return r;
}

/* ---- the consumer ---- */

static void
become_nobody(void)
{
	must(setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0,
		"become nobody");
	/* or /proc/self would be root's, and half the attacks would fail for that reason */
	must(prctl(PR_SET_DUMPABLE, 1) == 0, "dumpable");
}

static void
receive(const char *path, int fds[3])
{
	struct channel_msg hello = {.type = CHANNEL_HELLO}, m;
	unsigned n = 0;
	int fd, rc;
	while ((fd = channel_connect(path)) < 0)
		usleep(1000);
	hello.u.hello.version_min = CHANNEL_VERSION_MIN;
	hello.u.hello.version_max = CHANNEL_VERSION_MAX;
	must(channel_send(fd, &hello, NULL, 0) == 0, "hello");
	while ((rc = channel_recv(fd, &m, fds, 3, &n)) == 0)
		usleep(1000);
	must(rc == 1 && m.type == CHANNEL_RING && n == 3, "ring message");
	close(fd);
}

static struct target
look_at(int fd, bool writable)
{
	struct stat st;
	must(fstat(fd, &st) == 0, "fstat");
	struct target t = {fd, (size_t)st.st_size, NULL};
	int prot = writable ? PROT_READ | PROT_WRITE : PROT_READ;
	t.map = mmap(NULL, t.bytes, prot, MAP_SHARED, fd, 0);
	must(t.map != MAP_FAILED, "map");
	return t;
}

static unsigned
attack(const char *what, const struct target *t, const struct attack *list, unsigned n)
{
	unsigned through = 0;
	uint8_t *before = malloc(t->bytes);
	must(before != NULL, "memory");
	memcpy(before, t->map, t->bytes);
	for (unsigned i = 0; i < n; i++) {
		bool bad = list[i].worked(t);
		bool changed = memcmp(before, t->map, t->bytes) != 0;
		if (bad || changed) {
			fprintf(stderr, "%s: let through%s: %s\n", what, changed ? ", CONTENT CHANGED" : "", list[i].name);
			through++;
		}
	}
	printf("  %-8s %u attacks, %u let through\n", what, n, through);
	free(before);
	return through;
}

/* The attacks must be real ones: on a file without seals they go through. */
static void
attacks_bite(void)
{
	for (unsigned i = 0; i < attacks_oneway_n; i++) {
		if (attacks_oneway[i].never)
			continue;
		struct target t = {.fd = memfd_create("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
		must(t.fd >= 0 && ftruncate(t.fd, 4 * PAGE) == 0, "unsealed file");
		t.bytes = 4 * PAGE;
		t.map = mmap(NULL, t.bytes, PROT_READ, MAP_SHARED, t.fd, 0);
		must(t.map != MAP_FAILED, "map");
		must(attacks_oneway[i].worked(&t), attacks_oneway[i].name);
		munmap(t.map, t.bytes);
		close(t.fd);
	}
}

/* The page is the consumer's own: all of this is allowed, none of it may matter. */
static void
torment_cursor(const struct target *t, const struct ring_header *h)
{
	struct ring_cursor *c = (struct ring_cursor *)t->map;
	for (unsigned i = 0; i < CURSOR_ROUNDS; i++) {
		fallocate(t->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE);
		for (uint64_t k = 0; k < 200; k++) {
			atomic_store(&c->consumed, k % 2 ? UINT64_MAX - k : k * 0x9e3779b97f4a7c15u);
			atomic_store(&c->consumed, atomic_load(&h->head) - k % 3); /* a lie that looks right */
		}
		madvise(t->map, PAGE, MADV_REMOVE);
		memset(t->map, (int)i, PAGE);
		must(pwrite(t->fd, &i, sizeof i, (off_t)(i % 1000)) == sizeof i, "write to the cursor");
		fallocate(t->fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 0, PAGE);
		mprotect(t->map, PAGE, PROT_READ);
		mprotect(t->map, PAGE, PROT_READ | PROT_WRITE);
		madvise(t->map, PAGE, 21); /* MADV_PAGEOUT */
	}
	memset(t->map, 0xff, PAGE);
}

static int
consumer(const char *path, bool nobody, int done_fd)
{
	int fds[3];
	alarm(PATIENCE_S);
	receive(path, fds);
	if (nobody)
		become_nobody();
	attacks_bite();
	struct target ring = look_at(fds[0], false), evidence = look_at(fds[1], false), cursor = look_at(fds[2], true);
	unsigned through = attack("ring", &ring, attacks_oneway, attacks_oneway_n);
	through += attack("evidence", &evidence, attacks_oneway, attacks_oneway_n);
	through += attack("cursor", &cursor, attacks_size, attacks_size_n);
	fflush(stdout);
	must(write(done_fd, "", 1) == 1, "tell");
	torment_cursor(&cursor, (const struct ring_header *)ring.map);
	return through > 0;
}

/* ---- the producer ---- */

static void
serve(int listener, const struct ring_producer *p)
{
	struct channel_msg m;
	int fd, rc, none[3];
	unsigned n;
	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) < 0)
		usleep(1000);
	while ((rc = channel_recv(fd, &m, none, 3, &n)) == 0)
		usleep(1000);
	must(rc == 1 && m.type == CHANNEL_HELLO, "hello");
	const int fds[3] = {p->ring_fd, p->evidence_fd, p->cursor_fd};
	m = (struct channel_msg){.type = CHANNEL_RING};
	must(channel_send(fd, &m, fds, 3) == 0, "send the ring");
	close(fd);
}

static void
fill(struct ring_producer *p, unsigned n)
{
	static uint8_t bytes[3000];
	for (unsigned i = 0; i < n; i++) {
		struct alert_record r = plain();
		memset(bytes, (int)i, sizeof bytes);
		must(ring_publish(p, &r, (struct span){bytes, sizeof bytes}) == 0, "publish");
	}
}

/* Publishes for as long as the consumer rages and once more on what it left; what it did is in *status. */
static void
publish_through(struct ring_producer *p, pid_t pid, int *status)
{
	static const uint8_t bytes[5000];
	uint64_t ok = p->head, lost = 0;
	pid_t ended;
	do {
		ended = waitpid(pid, status, WNOHANG);
		for (unsigned i = 0; i < 64; i++) {
			struct alert_record r = plain();
			int rc = ring_publish(p, &r, (struct span){bytes, (uint32_t)(ok * 37 % sizeof bytes)});
			ok += rc == 0;
			lost += rc != 0;
			must(p->consumed <= p->head && p->head - p->consumed <= SLOTS, "bounds");
		}
	} while (ended == 0);
	must(ended == pid, "wait");
	must(p->head == ok && p->h->lost[LOSS_RING_FULL] == lost, "every record counted");
	must(p->cursor_bad > 0, "the garbage was noticed");
	printf("  producer %llu published, %llu lost, %llu bad cursors\n", (unsigned long long)ok, (unsigned long long)lost,
		(unsigned long long)p->cursor_bad);
}

static void
good_consumer_is_served(struct ring_producer *p)
{
	static uint8_t buf[RING_EVIDENCE_ONE_MAX];
	struct ring_consumer c;
	struct alert_record r = plain();
	uint32_t len;
	must(ring_attach(&c, p->ring_fd, p->evidence_fd, p->cursor_fd) == 0, "attach after the hostile one");
	while (ring_read(&c, &r, buf, &len) != 0)
		;
	ring_release(&c, c.next);
	r = plain();
	must(ring_publish(p, &r, (struct span){(const uint8_t *)"abc", 3}) == 0, "publish for the good one");
	uint64_t seq = r.seq;
	must(ring_read(&c, &r, buf, &len) == 1 && r.seq == seq && len == 3 && memcmp(buf, "abc", 3) == 0, "read it");
	ring_detach(&c);
}

static void
round_of(const char *path, bool nobody)
{
	int listener = channel_listen(path), done[2];
	must(listener >= 0 && pipe2(done, O_CLOEXEC) == 0, "listen");
	printf("consumer as %s:\n", nobody ? "nobody" : "the same user");
	fflush(stdout);
	/* Forked before there is a ring: the consumer must not inherit a mapping. */
	pid_t pid = fork();
	must(pid >= 0, "fork");
	if (pid == 0) {
		close(listener);
		_exit(consumer(path, nobody, done[1]));
	}
	close(done[1]);
	static const uint8_t epoch[8] = {1};
	struct ring_producer p;
	must(ring_create(&p, epoch, 0, LANE_CRITICAL, SLOTS, RING_EVIDENCE_MIN) == 0, "ring");
	fill(&p, 5);
	uint8_t *ring = malloc(p.ring_map_bytes), *evidence = malloc(p.evidence_bytes), byte;
	must(ring != NULL && evidence != NULL, "memory");
	memcpy(ring, p.h, p.ring_map_bytes);
	memcpy(evidence, p.evidence, p.evidence_bytes);
	serve(listener, &p);
	ssize_t told = read(done[0], &byte, 1);
	must(memcmp(ring, p.h, p.ring_map_bytes) == 0, "the ring is as it was");
	must(memcmp(evidence, p.evidence, p.evidence_bytes) == 0, "the evidence is as it was");
	int status = 0;
	must(told == 1, "the consumer lived to the end of its attacks");
	publish_through(&p, pid, &status);
	must(WIFEXITED(status) && WEXITSTATUS(status) == 0, "nothing was let through");
	good_consumer_is_served(&p);
	ring_destroy(&p);
	free(ring);
	free(evidence);
	close(done[0]);
	close(listener);
	unlink(path);
}

int
main(void)
{
	char dir[] = "/tmp/sentinel-hostile-XXXXXX", path[64];
	alarm(2 * PATIENCE_S);
	must(mkdtemp(dir) != NULL, "folder");
	snprintf(path, sizeof path, "%s/channel", dir);
	round_of(path, false);
	if (geteuid() == 0)
		round_of(path, true);
	else
		printf("not root: the round as nobody is left out\n");
	rmdir(dir);
	return 0;
}
