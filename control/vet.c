/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/vet.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define AGAIN_NS 20000000u /* until nodes are asked again what they did not know; twice as long each time */
#define IDLE_MS 1000
#define CONNECTIONS_KEPT 64

struct list {
	struct vet_job *first, **last;
	uint64_t n;
};

/* AGAIN: its answer may be another one later. OVER: it will not. */
enum ask_state { ASK_REST, ASK_FIRST, ASK_AGAIN, ASK_SIMULATION, ASK_OVER };

/* One alert before one node. */
struct ask {
	CURL *easy;
	enum ask_state state;
	bool in_multi;
	char *request, *body;
	size_t n, cap;
	unsigned node;
	struct lane *lane;
};

struct lane {
	struct vet_job *job; /* NULL: free */
	uint64_t since_ns;
	struct ask ask[VET_NODES_MAX];
};

struct vet {
	unsigned n_nodes;
	char url[VET_NODES_MAX][512], path[VET_NODES_MAX][108];
	uint64_t deadline_ns;
	CURLM *multi;
	struct curl_slist *headers;
	struct lane lane[VET_LANES];
	pthread_t thread;
	bool running;
	_Atomic bool stop;
	_Atomic uint64_t n_done;
	pthread_mutex_t lock; /* over what follows */
	struct list urgent, other, aside, done;
	uint64_t expire_at_ns; /* no job that waits or is put aside has an earlier deadline */
	uint64_t n_jobs, n_others, evidence_bytes;
	struct vet_status status;
};

static uint64_t
now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void
list_init(struct list *l)
{
	*l = (struct list){.last = &l->first};
}

static void
list_put(struct list *l, struct vet_job *j)
{
	j->next = NULL;
	*l->last = j;
	l->last = &j->next;
	l->n++;
}

static struct vet_job *
list_get(struct list *l)
{
	struct vet_job *j = l->first;
	if (j == NULL)
		return NULL;
	l->first = j->next;
	if (l->first == NULL)
		l->last = &l->first;
	l->n--;
	return j;
}

static void
earlier(uint64_t *at, uint64_t then)
{
	if (then < *at)
		*at = then;
}

/* ---- verdicts ---- */

static void
end_job(struct vet *v, struct vet_job *j, const struct vet_facts *f, unsigned late_fact)
{
	vet_conclude(f, &j->record, &j->vet);
	if (late_fact != VET_FACT_NOTHING) {
		j->vet.fact = (uint8_t)late_fact;
		if (j->record.grade > GRADE_PAGE)
			j->record.grade = GRADE_PAGE;
	}
	j->vet.took_us = (now_ns() - j->asked_ns) / 1000u;
	for (unsigned i = 0; i < VET_NODES_MAX; i++)
		vet_facts_clear(&j->facts[i]);
	pthread_mutex_lock(&v->lock);
	v->status.yes += j->vet.node == VET_YES;
	v->status.no += j->vet.node == VET_NO;
	v->status.unknown += j->vet.node == VET_UNKNOWN;
	v->status.last_us = j->vet.took_us;
	if (j->vet.took_us > v->status.max_us)
		v->status.max_us = j->vet.took_us;
	list_put(&v->done, j);
	atomic_fetch_add_explicit(&v->n_done, 1, memory_order_release);
	pthread_mutex_unlock(&v->lock);
}

/* ---- one request ---- */

static size_t
take_body(char *bytes, size_t one, size_t n, void *arg)
{
	struct ask *a = arg;
	n *= one;
	if (n > VET_ANSWER_BYTES_MAX - a->n)
		return 0;
	if (a->n + n > a->cap) {
		size_t cap = a->cap ? a->cap : 4096;
		while (cap < a->n + n)
			cap *= 2;
		char *more = realloc(a->body, cap);
		if (more == NULL)
			return 0;
		a->body = more;
		a->cap = cap;
	}
	memcpy(a->body + a->n, bytes, n);
	a->n += n;
	return n;
}

static void
rest(struct vet *v, struct ask *a, enum ask_state state)
{
	if (a->in_multi)
		curl_multi_remove_handle(v->multi, a->easy);
	a->in_multi = false;
	free(a->request);
	free(a->body);
	a->request = a->body = NULL;
	a->n = a->cap = 0;
	a->state = state;
}

/* Takes the body. */
static void
post(struct vet *v, struct ask *a, char *body, enum ask_state state)
{
	uint64_t now = now_ns(), until = a->lane->job->deadline_ns;
	rest(v, a, state);
	a->request = body;
	if (body == NULL || now >= until) {
		rest(v, a, ASK_OVER);
		return;
	}
	curl_easy_setopt(a->easy, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(a->easy, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
	curl_easy_setopt(a->easy, CURLOPT_TIMEOUT_MS, (long)((until - now) / 1000000u + 1));
	a->in_multi = curl_multi_add_handle(v->multi, a->easy) == CURLM_OK;
	if (!a->in_multi)
		rest(v, a, ASK_AGAIN);
	pthread_mutex_lock(&v->lock);
	v->status.requests++;
	pthread_mutex_unlock(&v->lock);
}

static CURL *
easy_new(struct vet *v, unsigned node, struct ask *a)
{
	CURL *e = curl_easy_init();
	if (e == NULL)
		return NULL;
	bool ok = curl_easy_setopt(e, CURLOPT_URL, v->url[node]) == CURLE_OK &&
		  curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http") == CURLE_OK &&
		  curl_easy_setopt(e, CURLOPT_PROXY, "") == CURLE_OK && /* whatever the environment says */
		  curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
		  curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
		  curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
		  curl_easy_setopt(e, CURLOPT_HTTPHEADER, v->headers) == CURLE_OK &&
		  curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
		  curl_easy_setopt(e, CURLOPT_WRITEDATA, a) == CURLE_OK &&
		  curl_easy_setopt(e, CURLOPT_PRIVATE, a) == CURLE_OK;
	if (ok && v->path[node][0] != '\0')
		ok = curl_easy_setopt(e, CURLOPT_UNIX_SOCKET_PATH, v->path[node]) == CURLE_OK;
	if (ok)
		return e;
	curl_easy_cleanup(e);
	return NULL;
}

/* ---- one alert ---- */

static void
free_lane(struct vet *v, struct lane *l)
{
	for (unsigned i = 0; i < v->n_nodes; i++)
		rest(v, &l->ask[i], ASK_REST);
	l->job = NULL;
}

/* How much a node's answer so far is worth, once no better one will come. */
static unsigned
worth(const struct vet_job *j, unsigned node)
{
	const struct vet_facts *f = &j->facts[node];
	if (!j->heard[node])
		return 0;
	if (!f->answered)
		return 1;
	if (f->other_chain)
		return 2;
	if (f->known)
		return 5;
	return vet_denies(f) ? 4 : 3;
}

static void
end_with_the_best(struct vet *v, struct vet_job *j)
{
	unsigned best = 0;
	for (unsigned i = 1; i < v->n_nodes; i++)
		if (worth(j, i) > worth(j, best))
			best = i;
	end_job(v, j, j->heard[best] ? &j->facts[best] : NULL, VET_FACT_NOTHING);
}

static void
finish(struct vet *v, struct lane *l, const struct vet_facts *f)
{
	struct vet_job *j = l->job;
	free_lane(v, l);
	end_job(v, j, f, VET_FACT_NOTHING);
}

static void
open_lane(struct vet *v, struct lane *l, struct vet_job *j)
{
	l->job = j;
	l->since_ns = now_ns();
	for (unsigned i = 0; i < v->n_nodes; i++) {
		if (j->facts[i].other_chain)
			l->ask[i].state = ASK_OVER;
		else
			post(v, &l->ask[i], vet_ask_first(&j->record), ASK_FIRST);
	}
}

static unsigned
asks_in(const struct vet *v, const struct lane *l, enum ask_state state)
{
	unsigned n = 0;
	for (unsigned i = 0; i < v->n_nodes; i++)
		n += l->ask[i].state == state;
	return n;
}

/* Others may have the lane until it is worth asking again. */
static void
put_aside(struct vet *v, struct lane *l)
{
	struct vet_job *j = l->job;
	free_lane(v, l);
	j->again_ns = now_ns() + ((uint64_t)AGAIN_NS << (j->rounds < 3 ? j->rounds : 3));
	j->rounds++;
	pthread_mutex_lock(&v->lock);
	list_put(&v->aside, j);
	earlier(&v->expire_at_ns, j->deadline_ns);
	pthread_mutex_unlock(&v->lock);
}

/* Nobody is being asked any more: later again, or never. */
static void
see_to_rest(struct vet *v, struct lane *l)
{
	if (l->job == NULL || asks_in(v, l, ASK_FIRST) + asks_in(v, l, ASK_SIMULATION) > 0)
		return;
	if (asks_in(v, l, ASK_AGAIN) > 0) {
		put_aside(v, l);
	} else {
		struct vet_job *j = l->job;
		free_lane(v, l);
		end_with_the_best(v, j);
	}
}

static void
answered_first(struct vet *v, struct ask *a)
{
	struct lane *l = a->lane;
	struct vet_job *j = l->job;
	struct vet_facts *f = &j->facts[a->node];
	j->heard[a->node] = true;
	vet_read_first(f, &j->record, a->body ? a->body : "", a->n);
	if (!vet_is_final(f, &j->record)) {
		rest(v, a, ASK_AGAIN);
	} else if (f->other_chain) {
		rest(v, a, ASK_OVER);
	} else if (vet_denies(f) || f->tx == NULL) {
		finish(v, l, f);
	} else {
		post(v, a, vet_ask_simulation(f), ASK_SIMULATION);
		if (a->state != ASK_SIMULATION)
			finish(v, l, f);
	}
}

static void
answered(struct vet *v, struct ask *a, CURLcode rc)
{
	long status = 0;
	struct lane *l = a->lane;
	curl_easy_getinfo(a->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_multi_remove_handle(v->multi, a->easy);
	a->in_multi = false;
	bool failed = rc != CURLE_OK || status != 200;
	if (failed) {
		pthread_mutex_lock(&v->lock);
		v->status.failures++;
		pthread_mutex_unlock(&v->lock);
	}
	if (a->state == ASK_SIMULATION) {
		struct vet_facts *f = &l->job->facts[a->node];
		if (!failed)
			vet_read_simulation(f, &l->job->record, a->body ? a->body : "", a->n);
		finish(v, l, f);
	} else if (failed) {
		rest(v, a, ASK_AGAIN);
	} else {
		answered_first(v, a);
	}
	see_to_rest(v, l);
}

/* ---- the thread ---- */

static struct lane *
lane_free(struct vet *v, unsigned *others)
{
	struct lane *l = NULL;
	*others = 0;
	for (unsigned i = 0; i < VET_LANES; i++) {
		if (v->lane[i].job == NULL)
			l = &v->lane[i];
		else
			*others += !v->lane[i].job->urgent;
	}
	return l;
}

/* The next that may be asked about. */
static struct vet_job *
next_job(struct vet *v, bool room_for_others)
{
	pthread_mutex_lock(&v->lock);
	struct vet_job *j = list_get(&v->urgent);
	if (j == NULL && room_for_others)
		j = list_get(&v->other);
	pthread_mutex_unlock(&v->lock);
	return j;
}

static void
start_jobs(struct vet *v)
{
	for (;;) {
		unsigned others;
		struct lane *l = lane_free(v, &others);
		struct vet_job *j = l != NULL ? next_job(v, others < VET_LANES_OTHER) : NULL;
		if (j == NULL)
			return;
		open_lane(v, l, j);
	}
}

/* Moves those for whom goes() holds to *out; the order of all stays. */
static void
sift(struct list *l, bool (*goes)(const struct vet_job *j, uint64_t now), uint64_t now, struct list *out)
{
	struct list rest;
	list_init(&rest);
	for (struct vet_job *j; (j = list_get(l)) != NULL;)
		list_put(goes(j, now) ? out : &rest, j);
	list_init(l);
	for (struct vet_job *j; (j = list_get(&rest)) != NULL;)
		list_put(l, j);
}

static bool
is_expired(const struct vet_job *j, uint64_t now)
{
	return now >= j->deadline_ns;
}

static bool
is_due(const struct vet_job *j, uint64_t now)
{
	return now >= j->again_ns;
}

/* Those that wait or are put aside, when their time is over. */
static void
see_to_deadlines(struct vet *v, uint64_t now)
{
	struct list expired, *const lists[] = {&v->urgent, &v->other, &v->aside};
	list_init(&expired);
	pthread_mutex_lock(&v->lock);
	bool look = now >= v->expire_at_ns;
	if (look)
		v->expire_at_ns = UINT64_MAX;
	for (unsigned i = 0; i < 3 && look; i++) {
		sift(lists[i], is_expired, now, &expired);
		for (const struct vet_job *j = lists[i]->first; j != NULL; j = j->next)
			earlier(&v->expire_at_ns, j->deadline_ns);
	}
	pthread_mutex_unlock(&v->lock);
	for (struct vet_job *j; (j = list_get(&expired)) != NULL;)
		end_with_the_best(v, j);
}

/* Those that are due go to where the others wait. */
static void
take_back(struct vet *v, uint64_t now)
{
	struct list due;
	list_init(&due);
	pthread_mutex_lock(&v->lock);
	sift(&v->aside, is_due, now, &due);
	for (struct vet_job *j; (j = list_get(&due)) != NULL;)
		list_put(j->urgent ? &v->urgent : &v->other, j);
	pthread_mutex_unlock(&v->lock);
}

static bool
somebody_waits(struct vet *v)
{
	pthread_mutex_lock(&v->lock);
	bool waits = v->urgent.first != NULL || v->other.first != NULL;
	pthread_mutex_unlock(&v->lock);
	return waits;
}

/* One node has answered, another does not: not worth a lane that somebody waits for. */
static bool
may_go_aside(const struct vet *v, const struct lane *l)
{
	return asks_in(v, l, ASK_AGAIN) > 0 && asks_in(v, l, ASK_SIMULATION) == 0;
}

static void
see_to_lanes(struct vet *v, uint64_t now)
{
	bool waits = somebody_waits(v);
	for (unsigned i = 0; i < VET_LANES; i++) {
		struct lane *l = &v->lane[i];
		if (l->job != NULL && now >= l->job->deadline_ns) {
			struct vet_job *j = l->job;
			free_lane(v, l);
			end_with_the_best(v, j);
		} else if (l->job != NULL && waits && now - l->since_ns >= AGAIN_NS && may_go_aside(v, l)) {
			put_aside(v, l);
		}
	}
}

static int
patience_ms(struct vet *v)
{
	uint64_t now = now_ns(), at = now + IDLE_MS * 1000000ull;
	pthread_mutex_lock(&v->lock);
	bool waits = v->urgent.first != NULL || v->other.first != NULL;
	earlier(&at, v->expire_at_ns);
	for (const struct vet_job *j = v->aside.first; j != NULL; j = j->next)
		earlier(&at, j->again_ns);
	pthread_mutex_unlock(&v->lock);
	for (unsigned i = 0; i < VET_LANES; i++) {
		const struct lane *l = &v->lane[i];
		if (l->job == NULL)
			continue;
		earlier(&at, l->job->deadline_ns);
		if (waits && may_go_aside(v, l))
			earlier(&at, l->since_ns + AGAIN_NS);
	}
	return at > now ? (int)((at - now + 999999u) / 1000000u) : 0;
}

static void *
asker(void *arg)
{
	struct vet *v = arg;
	while (!atomic_load_explicit(&v->stop, memory_order_relaxed)) {
		int running, left;
		start_jobs(v);
		curl_multi_perform(v->multi, &running);
		for (CURLMsg *m; (m = curl_multi_info_read(v->multi, &left)) != NULL;) {
			struct ask *a = NULL;
			CURLcode rc = m->data.result;
			curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&a);
			if (m->msg == CURLMSG_DONE && a->in_multi)
				answered(v, a, rc);
		}
		uint64_t now = now_ns();
		see_to_deadlines(v, now);
		see_to_lanes(v, now);
		take_back(v, now);
		start_jobs(v);
		/* What was added since the last perform makes this return at once; performing here instead
		 * could end a request that nobody looks at. */
		curl_multi_poll(v->multi, NULL, 0, patience_ms(v), NULL);
	}
	return NULL;
}

/* ---- from the drain's thread ---- */

static bool
submit(struct vet *v, const struct entry *e, const uint8_t *evidence, bool late)
{
	pthread_mutex_lock(&v->lock);
	uint32_t len = v->evidence_bytes + e->evidence_len > VET_EVIDENCE_BYTES ? 0 : e->evidence_len;
	bool urgent = e->record.grade == GRADE_PAUSE;
	bool room = v->n_jobs < VET_JOBS_MAX && (urgent || v->n_others < VET_JOBS_OTHER);
	struct vet_job *j = room ? malloc(sizeof *j + len) : NULL;
	if (j == NULL) {
		v->status.not_asked++;
		pthread_mutex_unlock(&v->lock);
		return false;
	}
	v->n_jobs++;
	v->n_others += !urgent;
	v->evidence_bytes += len;
	v->status.asked++;
	*j = (struct vet_job){
		.ring_id = e->ring_id, .record = e->record, .evidence_len = len, .asked_ns = now_ns()};
	memcpy(j->epoch, e->epoch, sizeof j->epoch);
	memcpy(j->rule_name, e->rule_name, sizeof j->rule_name);
	memcpy(j->evidence, evidence + e->evidence_at, len);
	if (len < e->evidence_len)
		j->record.trust |= TRUST_NO_EVIDENCE;
	j->urgent = urgent;
	j->deadline_ns = j->asked_ns + v->deadline_ns;
	if (!late && v->n_nodes > 0) {
		list_put(j->urgent ? &v->urgent : &v->other, j);
		earlier(&v->expire_at_ns, j->deadline_ns);
	}
	pthread_mutex_unlock(&v->lock);
	if (late || v->n_nodes == 0)
		end_job(v, j, NULL, late ? VET_FACT_TOO_LATE : VET_FACT_NOTHING);
	else
		curl_multi_wakeup(v->multi);
	return true;
}

bool
vet_submit(struct vet *v, const struct entry *e, const uint8_t *evidence)
{
	return submit(v, e, evidence, false);
}

bool
vet_submit_late(struct vet *v, const struct entry *e, const uint8_t *evidence)
{
	return submit(v, e, evidence, true);
}

struct vet_job *
vet_fetch(struct vet *v)
{
	if (atomic_load_explicit(&v->n_done, memory_order_acquire) == 0)
		return NULL;
	pthread_mutex_lock(&v->lock);
	struct vet_job *j = list_get(&v->done);
	if (j != NULL) {
		atomic_fetch_sub_explicit(&v->n_done, 1, memory_order_relaxed);
		v->n_jobs--;
		v->n_others -= !j->urgent;
		v->evidence_bytes -= j->evidence_len;
	}
	pthread_mutex_unlock(&v->lock);
	return j;
}

bool
vet_busy(struct vet *v)
{
	pthread_mutex_lock(&v->lock);
	bool busy = v->n_jobs > 0;
	pthread_mutex_unlock(&v->lock);
	return busy;
}

bool
vet_has_nodes(const struct vet *v)
{
	return v->n_nodes > 0;
}

void
vet_status_get(struct vet *v, struct vet_status *s)
{
	pthread_mutex_lock(&v->lock);
	*s = v->status;
	s->nodes = v->n_nodes;
	s->deadline_ms = v->deadline_ns / 1000000u;
	s->waiting = v->urgent.n + v->other.n + v->aside.n;
	s->running = v->n_jobs - s->waiting - v->done.n;
	pthread_mutex_unlock(&v->lock);
}

/* ---- start and end ---- */

/* An address may hold a password: it is not repeated. */
static int
take_node(struct vet *v, unsigned i, const char *text, char *err, size_t cap)
{
	const char *path = strncmp(text, "unix:", 5) == 0 ? text + 5 : NULL;
	const char *url = path != NULL ? "http://node/" : text;
	CURLU *u = curl_url();
	bool ok = u != NULL && strlen(url) < sizeof v->url[i] && strncmp(url, "http://", 7) == 0 &&
		  curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
		  (path == NULL || (path[0] == '/' && strlen(path) < sizeof v->path[i]));
	curl_url_cleanup(u);
	if (!ok) {
		snprintf(err, cap,
			"--node takes http://HOST:PORT/PATH, or unix:/PATH of a socket that speaks HTTP; for "
			"a node behind TLS run a proxy on this host");
		errno = EINVAL;
		return -EINVAL;
	}
	strcpy(v->url[i], url);
	strcpy(v->path[i], path != NULL ? path : "");
	return 0;
}

/* As libcurl reads it, which writes every way to give an IPv4 address as four numbers. */
static bool
is_named(const char *url)
{
	struct in6_addr address;
	char *host = NULL;
	CURLU *u = curl_url();
	bool named = u != NULL && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK && curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
		     host[0] != '[' && inet_pton(AF_INET, host, &address) != 1;
	curl_free(host);
	curl_url_cleanup(u);
	return named;
}

bool
vet_needs_names(const struct vet_options *o)
{
	bool named = false;
	for (unsigned i = 0; i < o->n_nodes; i++)
		named |= strncmp(o->node[i], "unix:", 5) != 0 && is_named(o->node[i]);
	return named;
}

static int
set_up(struct vet *v)
{
	v->headers = curl_slist_append(curl_slist_append(NULL, "Content-Type: application/json"), "Expect:");
	v->multi = curl_multi_init();
	if (v->headers == NULL || v->multi == NULL)
		return -ENOMEM;
	curl_multi_setopt(v->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
	for (unsigned i = 0; i < VET_LANES; i++) {
		for (unsigned k = 0; k < v->n_nodes; k++) {
			struct ask *a = &v->lane[i].ask[k];
			a->lane = &v->lane[i];
			a->node = k;
			a->easy = easy_new(v, k, a);
			if (a->easy == NULL)
				return -ENOMEM;
		}
	}
	return pthread_create(&v->thread, NULL, asker, v) == 0 ? 0 : -EAGAIN;
}

struct vet *
vet_start(const struct vet_options *o, char *err, size_t cap)
{
	struct vet *v = calloc(1, sizeof *v);
	if (v == NULL || o->n_nodes > VET_NODES_MAX || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		snprintf(err, cap, "no memory for asking nodes");
		free(v);
		errno = ENOMEM;
		return NULL;
	}
	pthread_mutex_init(&v->lock, NULL);
	list_init(&v->urgent);
	list_init(&v->other);
	list_init(&v->aside);
	v->expire_at_ns = UINT64_MAX;
	list_init(&v->done);
	v->deadline_ns = o->deadline_ms * 1000000u;
	v->n_nodes = o->n_nodes;
	int rc = 0;
	for (unsigned i = 0; i < o->n_nodes && rc == 0; i++)
		rc = take_node(v, i, o->node[i], err, cap);
	if (rc == 0 && v->n_nodes > 0) {
		rc = set_up(v);
		v->running = rc == 0;
		if (rc != 0)
			snprintf(err, cap, "cannot get ready to ask nodes: %s", strerror(-rc));
	}
	if (rc == 0)
		return v;
	vet_stop(v);
	errno = -rc;
	return NULL;
}

static void
drop_job(struct vet_job *j)
{
	for (unsigned i = 0; j != NULL && i < VET_NODES_MAX; i++)
		vet_facts_clear(&j->facts[i]);
	free(j);
}

static void
drop_all(struct list *l)
{
	for (struct vet_job *j; (j = list_get(l)) != NULL;)
		drop_job(j);
}

void
vet_stop(struct vet *v)
{
	if (v == NULL)
		return;
	atomic_store(&v->stop, true);
	if (v->running) {
		curl_multi_wakeup(v->multi);
		pthread_join(v->thread, NULL);
	}
	for (unsigned i = 0; i < VET_LANES; i++) {
		struct vet_job *j = v->lane[i].job;
		free_lane(v, &v->lane[i]);
		drop_job(j);
		for (unsigned k = 0; k < v->n_nodes; k++)
			curl_easy_cleanup(v->lane[i].ask[k].easy);
	}
	drop_all(&v->urgent);
	drop_all(&v->other);
	drop_all(&v->aside);
	drop_all(&v->done);
	curl_multi_cleanup(v->multi);
	curl_slist_free_all(v->headers);
	pthread_mutex_destroy(&v->lock);
	free(v);
	curl_global_cleanup();
}
