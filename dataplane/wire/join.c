/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/join.h"

#include <errno.h>
#include <string.h>

static uint32_t
n_buckets(uint32_t n)
{
	uint32_t k = 1;
	while (k < n)
		k *= 2;
	return k;
}

size_t
join_pool_bytes(uint32_t n)
{
	return ((size_t)n + 1) * sizeof(struct join_entry) + n_buckets(n) * sizeof(struct join_bucket);
}

void
join_pool_init(struct join_pool *p, void *mem, uint32_t n)
{
	memset(p, 0, sizeof *p);
	p->entries = mem;
	p->buckets = (struct join_bucket *)(p->entries + n + 1);
	p->n = n;
	p->mask = n_buckets(n) - 1;
	memset(mem, 0, join_pool_bytes(n));
	for (uint32_t i = n; i > 0; i--) {
		p->entries[i].next = p->free;
		p->free = i;
	}
}

static struct join_bucket *
bucket_of(const struct join_pool *p, const struct join *j, uint32_t message, struct json_id id)
{
	uint64_t x = (uintptr_t)j ^ (id.kind == JSON_ID_NONE ? (uint64_t)message << 40 : 0);
	x = (x ^ id.text) * 0x9e3779b97f4a7c15;
	x = (x ^ x >> 32 ^ id.kind) * 0xd6e8feb86659fd93;
	return &p->buckets[(x >> 32) & p->mask];
}

/* The oldest with this id. */
static uint32_t
find_id(const struct join_pool *p, const struct join *j, struct json_id id)
{
	uint32_t slot = bucket_of(p, j, 0, id)->first;
	while (slot != 0 && (p->entries[slot].owner != j || !json_id_same(p->entries[slot].id, id)))
		slot = p->entries[slot].behind;
	return slot;
}

/* The oldest with this id in this message; or (id NONE) what stands for the whole message. */
static uint32_t
find(const struct join_pool *p, const struct join *j, uint32_t message, struct json_id id)
{
	uint32_t slot = bucket_of(p, j, message, id)->first;
	for (; slot != 0; slot = p->entries[slot].behind) {
		const struct join_entry *e = &p->entries[slot];
		if (e->owner != j || !json_id_same(e->id, id))
			continue;
		if (e->message == message)
			break;
		if (e->message > message) /* so are those behind it */
			return 0;
	}
	return slot;
}

void
join_init(struct join *j, bool midstream)
{
	memset(j, 0, sizeof *j);
	j->lost = midstream ? JOIN_MIDSTREAM : JOIN_KNOWN;
	j->unaligned = j->doubt = midstream;
}

static void
release(struct join_pool *p, uint32_t slot)
{
	struct join_entry *all = p->entries, *e = &all[slot];
	struct join *j = e->owner;
	if (e->prev)
		all[e->prev].next = e->next;
	else
		j->first = e->next;
	if (e->next)
		all[e->next].prev = e->prev;
	else
		j->last = e->prev;
	all[e->older].younger = e->younger;
	all[e->younger].older = e->older;
	struct join_bucket *b = bucket_of(p, j, e->message, e->id);
	*(e->before ? &all[e->before].behind : &b->first) = e->behind;
	*(e->behind ? &all[e->behind].before : &b->last) = e->before;
	j->n--;
	e->owner = NULL;
	e->generation++;
	e->next = p->free;
	p->free = slot;
}

static void
evict(struct join_pool *p, uint32_t slot, unsigned why)
{
	p->entries[slot].owner->lost = JOIN_EVICTED;
	p->evicted[why]++;
	release(p, slot);
}

static struct join_entry *
add(struct join_pool *p, struct join *j, uint32_t message, struct json_id id, uint64_t now_ns)
{
	struct join_entry *all = p->entries;
	if (j->n >= JOIN_PER_CONN)
		evict(p, j->first, 1);
	if (p->free == 0)
		evict(p, all[0].younger, 0);
	uint32_t slot = p->free;
	struct join_entry *e = &all[slot];
	p->free = e->next;
	struct join_bucket *b = bucket_of(p, j, message, id);
	*e = (struct join_entry){.id = id,
		.t_ns = now_ns,
		.before = b->last,
		.prev = j->last,
		.older = all[0].older,
		.generation = e->generation,
		.message = message,
		.owner = j};
	if (j->last)
		all[j->last].next = slot;
	else
		j->first = slot;
	j->last = slot;
	all[e->older].younger = slot;
	all[0].older = slot;
	*(b->last ? &all[b->last].behind : &b->first) = slot;
	b->last = slot;
	j->n++;
	p->added++;
	return e;
}

/* The connection's oldest will not be answered any more. */
static void
give_up(struct join_pool *p, struct join *j)
{
	if (p->entries[j->first].id.kind == JSON_ID_NONE)
		p->unread++;
	else
		p->unanswered++;
	release(p, j->first);
}

void
join_clear(struct join_pool *p, struct join *j)
{
	while (j->n > 0)
		give_up(p, j);
}

uint32_t
join_http_request(struct join *j)
{
	j->requests++;
	if (j->unaligned) /* nearly nobody sends ahead of the answers: the next one is this one's */
		j->responses = j->requests - 1;
	j->unaligned = false;
	return j->requests;
}

uint32_t
join_http_response(struct join *j)
{
	if (j->unaligned || j->responses == j->requests)
		return 0;
	return ++j->responses;
}

/* No request up to this one will be answered any more. */
static void
give_up_to(struct join_pool *p, struct join *j, uint32_t message)
{
	while (j->n > 0 && p->entries[j->first].message <= message)
		give_up(p, j);
}

void
join_http_end(struct join_pool *p, struct join *j, uint32_t message)
{
	if (message == 0)
		return;
	if (j->doubt && j->matched != message) /* perhaps it answered another one */
		message = message > JOIN_DOUBT ? message - JOIN_DOUBT : 0;
	give_up_to(p, j, message);
}

void
join_http_over(struct join_pool *p, struct join *j, enum join_reason why)
{
	join_clear(p, j);
	j->lost = (uint8_t)why;
	j->hole = j->requests;
	j->unaligned = j->doubt = true;
}

void
join_http_lost(struct join_pool *p, struct join *j, enum join_reason why)
{
	if (j->ids != JOIN_IDS_TELL) {
		join_http_over(p, j, why);
		return;
	}
	j->lost = (uint8_t)why;
	j->hole = j->requests;
	j->doubt = true;
}

static void
look_at_id(const struct join_pool *p, struct join *j, struct json_id id)
{
	if (j->ids == JOIN_IDS_NONE) {
		j->ids = JOIN_IDS_ONE;
		j->first_id = id;
	} else if (json_id_same(id, j->first_id) || json_id_same(id, j->last_id) || find_id(p, j, id) != 0) {
		j->ids = JOIN_IDS_REPEAT;
	} else if (j->ids == JOIN_IDS_ONE) {
		j->ids = JOIN_IDS_TELL;
	}
	j->last_id = id;
}

struct join_ref
join_request(struct join_pool *p, struct join *j, uint32_t message, const struct jsonrpc_request *r,
	uint64_t now_ns)
{
	if (r->id.kind == JSON_ID_NONE)
		return (struct join_ref){0};
	if (message != 0 && j->ids != JOIN_IDS_REPEAT)
		look_at_id(p, j, r->id);
	struct join_entry *e = add(p, j, message, r->id, now_ns);
	e->kind = r->kind;
	e->subscription = r->subscription;
	return (struct join_ref){(uint32_t)(e - p->entries), e->generation};
}

void
join_unread(struct join_pool *p, struct join *j, uint32_t message, enum join_reason why, uint64_t now_ns)
{
	add(p, j, message, (struct json_id){0}, now_ns)->reason = (uint8_t)why;
}

static struct join_entry *
entry_of(struct join_pool *p, struct join_ref ref)
{
	if (ref.slot == 0 || ref.slot > p->n)
		return NULL;
	struct join_entry *e = &p->entries[ref.slot];
	return e->owner != NULL && e->generation == ref.generation ? e : NULL;
}

void
join_mark(struct join_pool *p, struct join_ref ref, uint64_t mark)
{
	struct join_entry *e = entry_of(p, ref);
	if (e != NULL)
		e->mark = mark;
}

int
join_set(struct join_pool *p, struct join_ref ref, uint8_t fate, const uint8_t *hash)
{
	struct join_entry *e = entry_of(p, ref);
	if (e == NULL)
		return -ENOENT;
	e->fate = fate;
	e->has_hash = hash != NULL;
	if (hash != NULL)
		memcpy(e->hash, hash, 32);
	return 0;
}

static void
subscribed(struct join *j, struct json_id id, uint8_t kind)
{
	if (id.kind == JSON_ID_NONE || id.len == 0)
		return;
	unsigned at = j->n_subs < JOIN_SUBSCRIPTIONS ? j->n_subs++ : JOIN_SUBSCRIPTIONS - 1u;
	if (at == JOIN_SUBSCRIPTIONS - 1u && j->subs[at].id.kind != JSON_ID_NONE)
		memmove(&j->subs[0], &j->subs[1], (JOIN_SUBSCRIPTIONS - 1) * sizeof j->subs[0]);
	j->subs[at].id = id;
	j->subs[at].kind = kind;
}

uint8_t
join_subscription(const struct join *j, struct json_id id)
{
	for (unsigned i = j->n_subs; i > 0 && id.kind != JSON_ID_NONE; i--)
		if (json_id_same(j->subs[i - 1].id, id))
			return j->subs[i - 1].kind;
	return JSONRPC_SUB_NONE;
}

static bool
is_submission(unsigned kind)
{
	return kind >= JSONRPC_RAW && kind <= JSONRPC_UNSIGNED;
}

static enum join_verdict
verdict_of(const struct join_entry *e, const struct answer_event *a)
{
	if (!is_submission(e->kind))
		return JOIN_OTHER;
	if (a->result == ANSWER_ERROR)
		return JOIN_REFUSED;
	if (a->result != ANSWER_IS_HASH)
		return JOIN_DONE;
	return e->has_hash && memcmp(e->hash, a->hash, 32) != 0 ? JOIN_ACCEPTED_OTHER : JOIN_ACCEPTED;
}

/* Which request the response answers is beyond doubt, or its body was not read. */
static bool
settled(const struct join_pool *p, const struct join *j, uint32_t message)
{
	return message != 0 && (j->matched == message || (!j->doubt && find(p, j, message, (struct json_id){0}) != 0));
}

/* The request that a response's answer belongs to, whose number may not be right: numbers follow. */
static uint32_t
find_http(struct join_pool *p, struct join *j, uint32_t message, struct json_id id)
{
	uint32_t slot = message != 0 ? find(p, j, message, id) : 0;
	if (slot == 0 && j->ids == JOIN_IDS_TELL && !settled(p, j, message))
		slot = find_id(p, j, id);
	if (slot == 0)
		return 0;
	uint32_t found = p->entries[slot].message;
	if (found == 0) /* it did not come as HTTP */
		return slot;
	if (found != message) {
		give_up_to(p, j, found - 1);
		j->responses = found;
	}
	j->matched = found;
	j->unaligned = false;
	j->doubt = j->doubt && found <= j->hole;
	return slot;
}

/* Nothing waits for it. Of what it has the reason is known if the whole message was not read. */
static struct join_outcome
answer_unknown(const struct join_pool *p, struct join *j, bool http, uint32_t message)
{
	struct join_outcome o = {.verdict = JOIN_UNKNOWN, .reason = j->lost, .message = message};
	uint32_t unread = find(p, j, message, (struct json_id){0});
	if (unread != 0) {
		o.reason = p->entries[unread].reason;
		o.t_ns = p->entries[unread].t_ns;
		return o;
	}
	if (http && message != 0 && j->doubt && j->matched != message) {
		j->responses = message - 1; /* to a request that was not seen: the next one is still to be answered */
		o.message = 0;
	} else if (o.reason == JOIN_KNOWN || (http && message != 0 && o.reason != JOIN_EVICTED)) {
		o.reason = JOIN_NO_SUCH_ID;
	}
	return o;
}

struct join_outcome
join_answer(struct join_pool *p, struct join *j, bool http, uint32_t message, const struct answer_event *a)
{
	uint32_t slot = 0;
	if (a->id.kind != JSON_ID_NONE)
		slot = http ? find_http(p, j, message, a->id) : find(p, j, message, a->id);
	if (slot == 0)
		return answer_unknown(p, j, http, message);
	const struct join_entry *e = &p->entries[slot];
	struct join_outcome o = {.verdict = verdict_of(e, a),
		.kind = e->kind,
		.subscription = e->subscription,
		.fate = e->fate,
		.has_hash = e->has_hash,
		.t_ns = e->t_ns,
		.mark = e->mark,
		.message = e->message};
	memcpy(o.hash, e->hash, 32);
	if (e->kind == JSONRPC_SUBSCRIBE && a->result == ANSWER_OTHER)
		subscribed(j, a->text, e->subscription);
	p->answered++;
	release(p, slot);
	return o;
}
