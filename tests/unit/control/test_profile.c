/* SPDX-License-Identifier: BSD-3-Clause */
/* A profile's way through control, with this test as the client and as the dataplane; and the times in which nobody looked. */
#include "fixture.h"

#include "abi/channel.h"
#include "abi/shm.h"
#include "control/blind.h"
#include "control/profile.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define BIG (64ull << 20)

struct desk {
	char *dir;
	struct journal *j;
	struct profile_desk *d;
	struct attach a;
	struct stats_page *page;
	int page_fd, peer; /* the dataplane's end */
	struct batch none;
};

static void
start(struct desk *x, bool attached)
{
	int pair[2];
	memset(x, 0, sizeof *x);
	x->dir = folder_new();
	x->j = journal_of(x->dir, BIG, BIG);
	x->d = profile_desk_new();
	x->page = stats_create(&x->page_fd);
	x->a.fd = x->peer = -1;
	assert_non_null(x->page);
	if (!attached)
		return;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	x->a = (struct attach){.fd = pair[0], .whole = true, .version = CHANNEL_VERSION_MAX};
	x->peer = pair[1];
}

static void
end(struct desk *x)
{
	profile_desk_free(x->d);
	journal_close(x->j);
	stats_detach(x->page);
	close(x->page_fd);
	if (x->peer >= 0) {
		close(x->peer);
		close(x->a.fd);
	}
	folder_free(x->dir);
}

/* What the drain does in a turn. */
static void
turn(struct desk *x, uint64_t now_ns)
{
	profile_turn(x->d, &x->a, x->j, now_ns);
	journal_commit(x->j, &x->none, SECOND);
	profile_turn(x->d, &x->a, x->j, now_ns);
}

/* The dataplane takes what has come; *number: of the message. */
static void
takes(struct desk *x, const char *text, uint64_t *number)
{
	struct channel_msg m;
	int fds[CHANNEL_FDS_MAX];
	unsigned n_fds;
	size_t n;
	assert_int_equal(channel_recv(x->peer, &m, fds, CHANNEL_FDS_MAX, &n_fds), 1);
	assert_int_equal(m.type, CHANNEL_PROFILE);
	assert_int_equal(n_fds, 1);
	const void *p = shm_map_fixed(fds[0], CHANNEL_PROFILE_BYTES_MAX, &n);
	assert_non_null(p);
	assert_int_equal(n, strlen(text));
	assert_int_equal(m.u.blob.bytes, n);
	assert_memory_equal(p, text, n);
	munmap((void *)(uintptr_t)p, n);
	close(fds[0]);
	*number = m.u.blob.number;
}

static void
says(struct desk *x, uint64_t number, unsigned status, const char *text)
{
	memset(x->page->said.text, 0, sizeof x->page->said.text);
	memcpy(x->page->said.text, text, strnlen(text, sizeof x->page->said.text));
	x->page->said.number = number;
	x->a.said_number = number;
	x->a.said_status = status;
	profile_said(x->d, &x->a, x->page, x->j);
}

static void
answered(struct desk *x, uint64_t ticket, const char *want)
{
	json_t *o = profile_answer(x->d, ticket);
	assert_non_null(o);
	json_object_del(o, "digest");
	char *text = json_dumps(o, JSON_COMPACT);
	assert_string_equal(text, want);
	free(text);
	json_decref(o);
	assert_null(profile_answer(x->d, ticket));
}

static void
there_and_back(void **state)
{
	struct desk x;
	uint64_t ticket, number, other;
	start(&x, true);
	assert_int_equal(profile_submit(x.d, "chains: [1]\n", 12, 0, 7, &ticket), 0);
	assert_int_equal(profile_submit(x.d, "chains: [2]\n", 12, 0, 8, &other), -EBUSY);
	turn(&x, 1);
	takes(&x, "chains: [1]\n", &number);
	says(&x, number - 1, CHANNEL_OK, "applied=nothing\n"); /* of another time */
	turn(&x, 2);
	assert_null(profile_answer(x.d, ticket));
	says(&x, number, CHANNEL_PARTLY, "applied=chains,feeds.http\nrestart=ports\n");
	assert_null(profile_answer(x.d, ticket)); /* not noted yet */
	turn(&x, 3);
	assert_null(profile_answer(x.d, ticket + 1));
	answered(&x, ticket,
		"{\"event\":\"profile\",\"status\":\"partly\",\"applied\":[\"chains\",\"feeds.http\"],\"restart\":[\"ports\"],\"why\":null,\"audited\":true}");
	/* the next one */
	assert_int_equal(profile_submit(x.d, "mtu: 1\n", 7, 0, 7, &ticket), 0);
	turn(&x, 4);
	takes(&x, "mtu: 1\n", &other);
	assert_int_equal(other, number + 1);
	says(&x, other, CHANNEL_REFUSED, "error=profile:1:6: mtu is 1");
	turn(&x, 5);
	answered(&x, ticket,
		"{\"event\":\"profile\",\"status\":\"refused\",\"applied\":[],\"restart\":[],\"why\":\"profile:1:6: mtu is 1\",\"audited\":true}");
	end(&x);
}

static void
nobody_there(void **state)
{
	struct desk x;
	uint64_t ticket;
	start(&x, false);
	assert_int_equal(profile_submit(x.d, "", 0, 0, 1, &ticket), -EMSGSIZE);
	char *big = calloc(1, PROFILE_TEXT_MAX + 1);
	assert_int_equal(profile_submit(x.d, big, PROFILE_TEXT_MAX + 1, 0, 1, &ticket), -EMSGSIZE);
	assert_int_equal(profile_submit(x.d, big, PROFILE_TEXT_MAX, 0, 1, &ticket), 0);
	free(big);
	turn(&x, 1);
	answered(&x, ticket,
		"{\"event\":\"profile\",\"status\":\"refused\",\"applied\":[],\"restart\":[],\"why\":\"no dataplane is attached that takes a profile while it "
		"runs\",\"audited\":true}");
	end(&x);
}

/* It is not known whether it holds: that is said. */
static void
no_answer(void **state)
{
	for (unsigned gone = 0; gone < 2; gone++) {
		struct desk x;
		uint64_t ticket, number;
		start(&x, true);
		assert_int_equal(profile_submit(x.d, "mtu: 1500\n", 10, 0, 7, &ticket), 0);
		turn(&x, SECOND);
		takes(&x, "mtu: 1500\n", &number);
		turn(&x, SECOND + PROFILE_PATIENCE_NS - 1);
		assert_null(profile_answer(x.d, ticket));
		x.a.whole = !gone;
		turn(&x, SECOND + PROFILE_PATIENCE_NS - gone);
		json_t *o = profile_answer(x.d, ticket);
		assert_string_equal(json_string_value(json_object_get(o, "status")), "unknown");
		assert_non_null(strstr(json_string_value(json_object_get(o, "why")), gone ? "went away" : "not answered"));
		json_decref(o);
		says(&x, number, CHANNEL_OK, "applied=mtu\n"); /* too late: nobody waits, nothing breaks */
		assert_int_equal(profile_submit(x.d, "mtu: 1500\n", 10, 0, 7, &ticket), 0);
		end(&x);
	}
}

static void
abandoned(void **state)
{
	struct desk x;
	uint64_t ticket, number;
	start(&x, true);
	assert_int_equal(profile_submit(x.d, "mtu: 1500\n", 10, 0, 7, &ticket), 0);
	turn(&x, 1);
	profile_abandon(x.d, ticket);
	takes(&x, "mtu: 1500\n", &number);
	says(&x, number, CHANNEL_OK, "");
	turn(&x, 2);
	assert_null(profile_answer(x.d, ticket));
	assert_int_equal(profile_submit(x.d, "mtu: 1500\n", 10, 0, 7, &ticket), 0);
	end(&x);
}

/* The page is the dataplane's: what it says is not trusted to be an answer, to end, or to be text. */
static void
odd_answers(void **state)
{
	static char full[sizeof((struct stats_said *)0)->text + 1];
	memset(full, 'x', sizeof full - 1);
	const char *texts[] = {"applied", "applied=", "applied=,,\n=,\nrestart", "\n\n\n", "applied=\x01\xff\xfe,b\n", full, "error=", "\xc3", "a=b"};
	for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		for (unsigned status = 0; status <= CHANNEL_STATUS_MAX + 1; status++) {
			struct desk x;
			uint64_t ticket, number;
			start(&x, true);
			assert_int_equal(profile_submit(x.d, "mtu: 1500\n", 10, 0, 7, &ticket), 0);
			turn(&x, 1);
			takes(&x, "mtu: 1500\n", &number);
			says(&x, number, status, texts[i]);
			turn(&x, 2);
			json_t *o = profile_answer(x.d, ticket);
			assert_int_equal(o != NULL, status <= CHANNEL_STATUS_MAX);
			assert_true(o == NULL || json_is_array(json_object_get(o, "applied")));
			json_decref(o);
			end(&x);
		}
	}
}

static void
status_of_page(void **state)
{
	struct desk x;
	start(&x, false);
	memset(x.page->profile.path, 'p', sizeof x.page->profile.path);
	x.page->profile.runs[0] = 0xab;
	json_t *o = profile_status(x.page);
	assert_int_equal(json_string_length(json_object_get(o, "path")), sizeof x.page->profile.path - 1);
	assert_true(json_is_null(json_object_get(o, "started")));
	assert_memory_equal(json_string_value(json_object_get(o, "runs")), "ab00", 4);
	json_decref(o);
	x.page->profile.path[0] = (char)0xff;
	o = profile_status(x.page);
	assert_true(json_is_null(json_object_get(o, "path")));
	json_decref(o);
	x.page->profile.changing = 1; /* a writer that never ends */
	o = profile_status(x.page);
	assert_true(json_is_null(o));
	json_decref(o);
	end(&x);
}

/* ---- blind ---- */

static void
is_dataplane(struct stats_page *p, uint8_t epoch, uint64_t ready_ns)
{
	memset(p->epoch, epoch, sizeof p->epoch);
	p->ready_ns = ready_ns;
	p->ended_ns = 0;
	p->lcores = 4;
	for (unsigned i = 0; i < 4; i++) {
		p->lcore[i].role = i < 2 ? STATS_ROLE_CORRELATOR : STATS_ROLE_WORKER;
		p->lcore[i].heartbeat_ns = ready_ns;
	}
}

static uint64_t
of(const struct blind *b, enum blind_who who, uint64_t count, uint64_t last_ns, uint64_t total_ns)
{
	const struct blind_times *t = &b->page->who[who];
	assert_int_equal(t->count, count);
	assert_int_equal(t->last_ns, last_ns);
	assert_int_equal(t->total_ns, total_ns);
	return t->max_ns;
}

static void
dataplanes(void **state)
{
	struct desk x;
	struct blind b;
	start(&x, false);
	assert_int_equal(blind_open(&b, x.dir, 100), 0);
	assert_true(b.kept);
	is_dataplane(x.page, 1, 110);
	blind_came(&b, x.page, x.j, 120);
	of(&b, BLIND_DATAPLANE, 0, 0, 0); /* the first */
	/* the slowest worker says until when */
	x.page->lcore[2].heartbeat_ns = 200;
	x.page->lcore[3].heartbeat_ns = 190;
	blind_alive(&b, x.page, 205);
	blind_gone(&b, x.page);
	blind_came(&b, x.page, x.j, 207); /* the same once more: it was control's socket that broke */
	of(&b, BLIND_DATAPLANE, 0, 0, 0);
	is_dataplane(x.page, 2, 250);
	blind_came(&b, x.page, x.j, 300);
	of(&b, BLIND_DATAPLANE, 1, 60, 60);
	/* an orderly end has its own word */
	x.page->ended_ns = 400;
	blind_gone(&b, x.page);
	is_dataplane(x.page, 3, 410);
	blind_came(&b, x.page, x.j, 420);
	assert_int_equal(of(&b, BLIND_DATAPLANE, 2, 10, 70), 60);
	/* a clock that was set back */
	x.page->ended_ns = 500;
	blind_gone(&b, x.page);
	is_dataplane(x.page, 4, 450);
	blind_came(&b, x.page, x.j, 460);
	of(&b, BLIND_DATAPLANE, 3, 0, 70);
	of(&b, BLIND_CONTROL, 0, 0, 0);
	blind_close(&b);
	end(&x);
}

static void
controls(void **state)
{
	struct desk x;
	struct blind b;
	start(&x, false);
	assert_int_equal(blind_open(&b, x.dir, 100), 0);
	is_dataplane(x.page, 1, 110);
	blind_came(&b, x.page, x.j, 120);
	blind_alive(&b, x.page, 1000);
	blind_close(&b);
	/* the dataplane ran on: until it was attached to again */
	assert_int_equal(blind_open(&b, x.dir, 1500), 0);
	blind_came(&b, x.page, x.j, 1600);
	of(&b, BLIND_CONTROL, 1, 600, 600);
	of(&b, BLIND_DATAPLANE, 0, 0, 0);
	blind_alive(&b, x.page, 2000);
	blind_gone(&b, x.page);
	blind_close(&b);
	/* both were away, and the dataplane longer: it is not control that kept it waiting */
	assert_int_equal(blind_open(&b, x.dir, 2100), 0);
	x.page->ended_ns = 0;
	is_dataplane(x.page, 2, 5000);
	blind_came(&b, x.page, x.j, 5001);
	of(&b, BLIND_CONTROL, 2, 100, 700);
	assert_int_equal(b.page->who[BLIND_DATAPLANE].count, 1);
	json_t *o = blind_status(&b);
	assert_string_equal(json_string_value(json_object_get(json_object_get(o, "control"), "count")), "2");
	assert_true(json_is_true(json_object_get(o, "kept")));
	json_decref(o);
	blind_close(&b);
	end(&x);
}

static void
not_kept(void **state)
{
	struct desk x;
	struct blind b;
	char path[512];
	start(&x, false);
	assert_int_equal(blind_open(&b, "nowhere/at/all", 1), -ENOENT);
	is_dataplane(x.page, 1, 10);
	blind_came(&b, x.page, x.j, 20);
	blind_alive(&b, x.page, 30);
	is_dataplane(x.page, 2, 40);
	blind_came(&b, x.page, x.j, 50);
	of(&b, BLIND_DATAPLANE, 1, 30, 30);
	blind_close(&b);
	/* what is there is no such file: it begins anew */
	snprintf(path, sizeof path, "%s/blind", x.dir);
	FILE *f = fopen(path, "w");
	for (unsigned i = 0; i < 5000; i++)
		fputc('#', f);
	fclose(f);
	assert_int_equal(blind_open(&b, x.dir, 100), 0);
	blind_came(&b, x.page, x.j, 120);
	of(&b, BLIND_DATAPLANE, 0, 0, 0);
	of(&b, BLIND_CONTROL, 0, 0, 0);
	blind_close(&b);
	/* nor is a link followed */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("lock", path), 0);
	assert_int_equal(blind_open(&b, x.dir, 100), -ELOOP);
	end(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(nobody_there),
		cmocka_unit_test(no_answer),
		cmocka_unit_test(abandoned),
		cmocka_unit_test(odd_answers),
		cmocka_unit_test(status_of_page),
		cmocka_unit_test(dataplanes),
		cmocka_unit_test(controls),
		cmocka_unit_test(not_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
