/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/status.h"

#include "abi/identity.h"
#include "abi/ring.h"
#include "control/status_json.h"
#include "control/status_latency.h"
#include "control/status_nodes.h"
#include "control/status_ports.h"

#include <ctype.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t
control_wall_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t
control_monotonic_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t
control_steady_ns(void)
{
	static _Atomic uint64_t apart_ns; /* 0: not called yet */
	uint64_t apart = atomic_load_explicit(&apart_ns, memory_order_relaxed), none = 0;
	if (apart == 0) {
		apart = control_wall_ns() - control_monotonic_ns();
		if (!atomic_compare_exchange_strong(&apart_ns, &none, apart))
			apart = none;
	}
	return control_monotonic_ns() + apart;
}

static uint64_t
magnitude(int64_t v)
{
	return v < 0 ? -(uint64_t)v : (uint64_t)v;
}

static uint64_t
load(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

/* Milliseconds since a wall-clock stamp; null if there is none. */
static json_t *
age_ms(uint64_t now_ns, uint64_t then_ns)
{
	if (then_ns == 0)
		return json_null();
	return status_json_num(now_ns > then_ns ? (now_ns - then_ns) / 1000000u : 0);
}

/* ---- the dataplane's page; under the drain's lock ---- */

static json_t *
lcores(const struct stats_page *s, uint64_t now_ns)
{
	static const char *const roles[] = {"none", "main", "worker", "correlator"};
	json_t *list = json_array();
	uint32_t n = __atomic_load_n(&s->lcores, __ATOMIC_RELAXED);
	for (uint32_t i = 0; i < n && i < STATS_LCORES_MAX; i++) {
		const struct stats_lcore *l = &s->lcore[i];
		uint32_t role = __atomic_load_n(&l->role, __ATOMIC_RELAXED);
		uint64_t loops = load(&l->c[CTR_LOOPS]), idle = load(&l->c[CTR_LOOPS_IDLE]);
		json_t *o = json_object();
		status_json_set(o, "lcore", __atomic_load_n(&l->lcore, __ATOMIC_RELAXED));
		json_object_set_new(o, "role",
			json_string(role < sizeof roles / sizeof roles[0] ? roles[role] : "unknown"));
		json_object_set_new(o, "heartbeat_age_ms",
			age_ms(now_ns,
				atomic_load_explicit(&((struct stats_lcore *)(uintptr_t)l)->heartbeat_ns,
					memory_order_relaxed)));
		status_json_set(o, "generation", load(&l->generation));
		status_json_set(o, "loops", loops);
		status_json_set(o, "loops_idle", idle);
		json_array_append_new(list, o);
	}
	return list;
}

/* A name of the page, which may lack its end. */
static json_t *
page_name(const char from[32])
{
	char name[33] = "";
	memcpy(name, from, 32);
	for (char *c = name; *c != '\0'; c++)
		*c = isprint((unsigned char)*c) ? *c : '?';
	return json_string(name);
}

/* null of a port that is not steered */
static json_t *
steer(const struct stats_steer *s)
{
	static const char *const names[] = {
#define _(id, name, help) name,
		STEER_COUNTERS(_)
#undef _
	};
	if (load(&s->on) == 0)
		return json_null();
	json_t *o = json_object();
	for (unsigned i = 0; i < STEER_COUNT; i++)
		status_json_set(o, names[i], load(&s->c[i]));
	return o;
}

static json_t *
ports(const struct stats_page *s)
{
	json_t *list = json_array();
	uint32_t n = __atomic_load_n(&s->ports, __ATOMIC_ACQUIRE), lcores = __atomic_load_n(&s->lcores, __ATOMIC_RELAXED);
	uint32_t workers = lcores > 2 ? lcores - 2 : 0; /* but the main lcore and the correlator */
	for (uint32_t i = 0; i < n && i < STATS_PORTS_MAX; i++) {
		const struct stats_port *p = &s->port[i];
		json_t *o = json_object();
		json_object_set_new(o, "name", page_name(p->name));
		status_json_set(o, "wire", load(&p->wire));
		status_json_set(o, "delivered", load(&p->delivered));
		status_json_set(o, "missed", load(&p->missed));
		status_json_set(o, "errors", load(&p->errors));
		status_json_set(o, "no_mbuf", load(&p->no_mbuf));
		json_object_set_new(o, "steer", steer(&s->steer[i]));
		status_port_info(o, &s->port_info[i], workers);
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *
protocols(const struct stats_page *s)
{
	json_t *list = json_array();
	uint32_t n = __atomic_load_n(&s->protocols, __ATOMIC_ACQUIRE);
	for (uint32_t i = 0; i < n && i < STATS_PROTOCOLS_MAX; i++) {
		const struct stats_protocol *p = &s->protocol[i];
		json_t *o = json_object();
		json_object_set_new(o, "name", page_name(p->name));
		status_json_set(o, "included", load(&p->included));
		status_json_set(o, "announced_only", load(&p->announced_only));
		status_json_set(o, "never_seen", load(&p->never_seen));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *
counters(const struct stats_page *s)
{
	json_t *o = json_object();
	for (unsigned i = 0; i < CTR_COUNT; i++) {
		char name[64];
		size_t n = 0;
		for (const char *c = counter_infos[i].name; *c != '\0' && n + 1 < sizeof name; c++)
			name[n++] = (char)tolower((unsigned char)*c);
		name[n] = '\0';
		status_json_set(o, name, stats_sum(s, (enum sentinel_counter)i));
	}
	return o;
}

/* What the drain knows and the journal does not yet is in flight; of that, control's lost_untold will be
 * journaled as lost. */
static json_t *
identities(const struct drain *n, const struct journal_progress *durable, uint64_t *sum)
{
	struct identity id[IDENTITIES];
	struct identity_delivery d = {.journaled = durable->journaled, .lost = durable->lost};
	uint64_t offered = 0;
	for (uint32_t i = 0; i < n->d.n_rings; i++)
		offered += atomic_load_explicit(&n->d.ring[i].h->next_seq, memory_order_acquire) - 1;
	d.in_flight = offered > durable->last_seq ? offered - durable->last_seq : 0;
	identities_evaluate(n->d.stats, &d, id);
	json_t *o = json_object();
	*sum = 0;
	for (unsigned i = 0; i < IDENTITIES; i++) {
		json_t *one = json_object();
		status_json_set(one, "left", id[i].left);
		status_json_set(one, "right", id[i].right);
		json_object_set_new(one, "residual", status_json_signed(id[i].residual));
		json_object_set_new(o, id[i].name, one);
		*sum += magnitude(id[i].residual);
	}
	return o;
}

static json_t *
rings(struct control *c)
{
	const struct drain *n = &c->drain;
	json_t *list = json_array();
	for (uint32_t i = 0; n->attached && i < n->d.n_rings; i++) {
		const struct ring_consumer *r = &n->d.ring[i];
		const struct drain_ring *k = &n->ring[i];
		struct journal_progress p;
		journal_ring(c->journal, n->d.epoch, r->ring_id, &p);
		json_t *o = json_object();
		status_json_set(o, "ring", r->ring_id);
		json_object_set_new(o, "lane", json_string(r->lane == LANE_CRITICAL ? "critical" : "normal"));
		status_json_set(o, "slots", r->slots_n);
		status_json_set(o, "head", atomic_load_explicit(&r->h->head, memory_order_acquire));
		status_json_set(o, "consumed", atomic_load_explicit(&r->cursor->consumed, memory_order_relaxed));
		status_json_set(o, "journaled", p.journaled);
		status_json_set(o, "lost", p.lost);
		status_json_set(o, "corrupt_slots", k->corrupt_all);
		json_array_append_new(list, o);
	}
	return list;
}

static void
add_dataplane(struct control *c, json_t *root)
{
	struct drain *n = &c->drain;
	struct journal_progress durable;
	json_t *d = json_object();
	uint64_t residual = 0, now_ns = control_wall_ns();
	pthread_mutex_lock(&n->lock);
	json_object_set_new(d, "attached", json_boolean(n->attached && n->alive));
	if (n->attached) {
		const struct stats_page *s = n->d.stats;
		journal_epoch(c->journal, n->d.epoch, &durable);
		status_json_set_hex(d, "epoch", n->d.epoch, sizeof n->d.epoch);
		status_json_set(d, "pid", n->d.pid);
		status_json_set(d, "generation", load(&s->generation));
		status_json_set_hex(d, "bundle_digest", s->bundle_digest, sizeof s->bundle_digest);
		status_json_set(d, "started_ns", load(&s->started_ns));
		status_json_set(d, "ready_ns", load(&s->ready_ns));
		json_object_set_new(d, "profile", profile_status(s));
		json_object_set_new(
			d, "source_done", json_boolean(__atomic_load_n(&s->source_done, __ATOMIC_ACQUIRE)));
		json_object_set_new(root, "lcores", lcores(s, now_ns));
		json_object_set_new(root, "ports", ports(s));
		json_object_set_new(root, "protocols", protocols(s));
		json_object_set_new(root, "counters", counters(s));
		json_object_set_new(root, "identities", identities(n, &durable, &residual));
	}
	json_object_set_new(root, "rings", rings(c));
	pthread_mutex_unlock(&n->lock);
	json_object_set_new(root, "dataplane", d);
	status_json_set(root, "residual", residual);
}

/* ---- control's own ---- */

static json_t *
journal_part(const struct journal_status *s)
{
	char cursor[POSITION_TEXT_MAX];
	json_t *o = json_object();
	position_cursor(s->id, s->head, cursor);
	json_object_set_new(o, "head", json_string(cursor));
	position_cursor(s->id, s->floor, cursor);
	json_object_set_new(o, "floor", json_string(cursor));
	status_json_set(o, "files", s->files);
	status_json_set(o, "file", s->file_no);
	status_json_set(o, "bytes", s->bytes);
	status_json_set(o, "events", s->events);
	status_json_set(o, "commits", s->commits);
	status_json_set(o, "last_commit_us", s->last_commit_us);
	status_json_set(o, "max_commit_us", s->max_commit_us);
	status_json_set(o, "rotations", s->rotations);
	status_json_set(o, "duplicates", s->duplicates);
	status_json_set(o, "held_files", s->held_files);
	json_object_set_new(o, "held_for", s->held_for[0] ? json_string(s->held_for) : json_null());
	json_object_set_new(o, "failed", json_boolean(s->down));
	status_json_set(o, "failures", s->failures);
	json_object_set_new(o, "failure", s->failure[0] ? json_string(s->failure) : json_null());
	return o;
}

static json_t *
consumers_part(
	const struct journal_consumer *list, unsigned n, const struct journal_status *s, uint64_t *residual)
{
	json_t *all = json_array();
	for (unsigned i = 0; i < n; i++) {
		const struct journal_consumer *c = &list[i];
		char cursor[POSITION_TEXT_MAX];
		uint64_t journaled = s->events > c->start_rows ? s->events - c->start_rows : 0;
		uint64_t acked = c->acked - c->start - c->expired, pending = s->head - c->acked;
		int64_t rest = (int64_t)(journaled - acked - pending - c->expired);
		json_t *o = json_object();
		json_object_set_new(o, "name", json_string(c->name));
		position_cursor(s->id, c->acked, cursor);
		json_object_set_new(o, "cursor", json_string(cursor));
		status_json_set(o, "journaled", journaled);
		status_json_set(o, "acked", acked);
		status_json_set(o, "pending", pending);
		status_json_set(o, "expired", c->expired);
		status_json_set(o, "dead_lettered", 0);
		json_object_set_new(o, "residual", status_json_signed(rest));
		*residual += magnitude(rest);
		json_array_append_new(all, o);
	}
	return all;
}

/* null: no node is configured. */
static json_t *
vet_part(struct control *c)
{
	struct vet_status s;
	if (c->vet == NULL || !vet_has_nodes(c->vet))
		return json_null();
	vet_status_get(c->vet, &s);
	json_t *o = json_object();
	status_json_set(o, "nodes", s.nodes);
	status_json_set(o, "deadline_ms", s.deadline_ms);
	status_json_set(o, "asked", s.asked);
	status_json_set(o, "yes", s.yes);
	status_json_set(o, "no", s.no);
	status_json_set(o, "unknown", s.unknown);
	status_json_set(o, "waiting", s.waiting);
	status_json_set(o, "running", s.running);
	status_json_set(o, "not_asked", s.not_asked);
	status_json_set(o, "verdicts_shed", atomic_load_explicit(&c->verdicts_shed, memory_order_relaxed));
	status_json_set(o, "requests", s.requests);
	status_json_set(o, "failures", s.failures);
	status_json_set(o, "last_us", s.last_us);
	status_json_set(o, "max_us", s.max_us);
	return o;
}

static json_t *
memory_part(struct control *c)
{
	struct recall_status s;
	if (c->recall == NULL)
		return json_null();
	recall_status_get(c->recall, &s);
	json_t *o = json_object();
	status_json_set(o, "armed", s.armed);
	status_json_set(o, "armed_included", s.included);
	status_json_set(o, "watched", s.operators);
	status_json_set(o, "incidents", s.incidents);
	status_json_set(o, "evicted", s.evicted);
	status_json_set(o, "evicted_included", s.evicted_included);
	status_json_set(o, "refused", s.refused);
	status_json_set(o, "aged", s.aged);
	status_json_set(o, "dropped", s.dropped);
	status_json_set(o, "incidents_evicted", s.incidents_evicted);
	status_json_set(o, "incidents_aged", s.incidents_aged);
	status_json_set(o, "pages", s.pages);
	status_json_set(o, "behind", journal_head(c->journal) - s.cursor);
	status_json_set(o, "failures", s.failures);
	json_object_set_new(o, "failure", s.failure[0] ? json_string(s.failure) : json_null());
	return o;
}

json_t *
status_build(struct control *c, unsigned clients)
{
	static _Thread_local struct journal_consumer list[JOURNAL_CONSUMERS_MAX];
	struct journal_status s;
	uint64_t residual = 0;
	json_t *root = json_object();
	json_t *self = json_object();
	if (root == NULL || self == NULL) {
		json_decref(root);
		json_decref(self);
		return NULL;
	}
	json_object_set_new(root, "event", json_string("status"));
	add_dataplane(c, root);
	/* In this order: nobody has acked beyond a head that is read afterwards. */
	unsigned n = journal_consumers(c->journal, list, JOURNAL_CONSUMERS_MAX);
	journal_status_get(c->journal, &s);
	json_object_set_new(root, "journal", journal_part(&s));
	json_object_set_new(root, "consumers", consumers_part(list, n, &s, &residual));
	status_json_set(root, "consumers_residual", residual);
	status_json_set(self, "uptime_ms", (control_monotonic_ns() - c->started_ns) / 1000000u);
	status_json_set(self, "clients", clients);
	status_json_set(self, "attachments", atomic_load_explicit(&c->attachments, memory_order_relaxed));
	status_json_set(self, "lost_untold", atomic_load_explicit(&c->lost_untold, memory_order_relaxed));
	status_json_set(self, "not_durable", atomic_load_explicit(&c->undurable, memory_order_relaxed));
	status_json_set(self, "not_told", atomic_load_explicit(&c->untold, memory_order_relaxed));
	json_object_set_new(self, "channel", json_string(c->opt.channel));
	json_object_set_new(self, "source", json_string(c->opt.source_name));
	json_object_set_new(root, "control", self);
	json_object_set_new(root, "vet", vet_part(c));
	json_object_set_new(root, "memory", memory_part(c));
	json_object_set_new(root, "blind", c->blind.page != NULL ? blind_status(&c->blind) : json_null());
	json_object_set_new(root, "latency", status_latency(c, false));
	json_object_set_new(root, "nodes", status_nodes(c));
	json_object_set_new(root, "clock", status_clock(c));
	status_json_set(root, "time_ns", control_wall_ns());
	return root;
}
