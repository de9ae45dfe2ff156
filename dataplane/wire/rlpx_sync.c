/* SPDX-License-Identifier: BSD-3-Clause */
/* Which session a connection is, and where in its keystream each direction is. */
#include "wire/rlpx_private.h"

#include "wire/rlpx_ctr.h"

#include <string.h>

#define FRAME_MIN 64u	  /* header, MAC, one block, MAC */
#define FRAME_KEY_MIN 32u /* of which the keystream counts */
#define SEARCH_MIN 16u
#define FAR_FRESH 1024u /* bytes that a long search must have anew */
/* A header lost behind the last one known is found in a frame's length; after that the last one known is not
 * believed any more. */
#define LOST_MAX ((1u << 24) + (1u << 20))

/* ---- keys ---- */

static void
take_session(struct rlpx *r, struct rlpx_arena *a, const struct rlpx_session *s)
{
	r->key = s->key;
	r->aes = s->aes;
	r->has_key = true;
	a->counts[RLPX_N_SESSIONS]++;
}

static bool
opens(const struct rlpx_session *s, const uint8_t first[16])
{
	uint8_t plain[16];
	struct rlpx_frame f;
	for (unsigned i = 0; i < 16; i++)
		plain[i] = first[i] ^ s->first[i];
	return rlpx_frame_parse(plain, &f);
}

static bool
find_by_first(struct rlpx *r, struct rlpx_arena *a)
{
	for (unsigned dir = 0; dir < 2; dir++) {
		const struct rlpx_dir *d = &r->dir[dir];
		const struct rlpx_session *s = d->has_first ? rlpx_keys_of_first(a->keys, d->first) : NULL;
		if (s != NULL) {
			take_session(r, a, s);
			return true;
		}
	}
	return false;
}

/* Sessions of these endpoints whose first header is of an unusual form. */
static bool
find_by_ends(struct rlpx *r, struct rlpx_arena *a)
{
	uint32_t index[RLPX_KEYS_OF_MAX];
	uint32_t n = rlpx_keys_of_ends(a->keys, r->end, index);
	for (uint32_t i = 0; i < n; i++) {
		const struct rlpx_session *s = rlpx_keys_at(a->keys, index[i]);
		for (unsigned dir = 0; dir < 2; dir++) {
			if (r->dir[dir].has_first && opens(s, r->dir[dir].first)) {
				take_session(r, a, s);
				return true;
			}
		}
	}
	return false;
}

void
rlpx_sync_keys(struct rlpx *r, struct rlpx_arena *a)
{
	if (r->has_key || a->keys == NULL || r->keys_seen == rlpx_keys_end(a->keys))
		return;
	if (r->dir[0].has_first || r->dir[1].has_first) {
		if (!find_by_first(r, a))
			find_by_ends(r, a);
	}
	uint32_t index[RLPX_KEYS_OF_MAX];
	r->keys_seen = rlpx_keys_end(a->keys);
	if (rlpx_keys_of_ends(a->keys, r->end, index) > 0)
		r->attempts = 0;
}

/* ---- places ---- */

static void
init_mac(struct rlpx *r, unsigned dir, struct rlpx_arena *a)
{
	struct rlpx_dir *d = &r->dir[dir];
	d->mac_on = a->check_macs && r->key.has_mac && r->key.has_nonces && d->at == 0;
	/* a sender's MACs are seeded with its receiver's nonce */
	if (d->mac_on)
		rlpx_mac_init(&d->mac, r->key.mac, r->key.nonce[!dir], (struct span){NULL, 0});
}

static void
enter_at_start(struct rlpx *r, unsigned dir, struct rlpx_arena *a)
{
	struct rlpx_dir *d = &r->dir[dir];
	init_mac(r, dir, a);
	d->key_at = 0;
	d->confirmed = true;
	d->state = d->at < d->handshake ? DIR_HANDSHAKE : DIR_HEADER;
}

static void
enter_search(struct rlpx_dir *d)
{
	d->state = DIR_SEARCH;
	d->resync = true;
	d->confirmed = d->sync_pending = false;
	d->base_known = d->start_known && d->handshake > 0;
	d->base_at = d->handshake;
	d->base_block = 0;
	d->lost_at = d->tried_at = d->at;
}

static void
enter_found(struct rlpx_dir *d, struct rlpx_arena *a, struct framer_out *out)
{
	d->sync_pending = false;
	if (d->sync_at < d->at || d->sync_at - d->at > d->held) {
		/* gone by, but a place to reckon from */
		if (d->sync_at < d->at) {
			d->base_known = true;
			d->base_at = d->sync_at;
			d->base_block = d->sync_block;
		}
		return;
	}
	uint32_t before = (uint32_t)(d->sync_at - d->at);
	skip_bytes(out, before, FRAMER_SKIP_UNSYNCED);
	d->held -= before;
	d->at = d->sync_at;
	d->key_at = d->sync_block * 16;
	d->confirmed = false;
	d->resync = true;
	d->state = DIR_HEADER;
	a->counts[RLPX_N_RESYNCS]++;
}

void
rlpx_sync_enter(struct rlpx *r, unsigned dir, struct rlpx_arena *a, struct framer_out *out)
{
	struct rlpx_dir *d = &r->dir[dir];
	if (d->state == DIR_SEARCH && d->sync_pending)
		enter_found(d, a, out);
	if (!r->has_key || d->state == DIR_DEAD)
		return;
	if ((d->state == DIR_START || d->state == DIR_HOLD) && d->has_first && d->window != NULL &&
		d->at <= d->handshake)
		enter_at_start(r, dir, a);
	else if (d->state == DIR_HOLD)
		enter_search(d);
	if (d->state == DIR_SEARCH && d->base_known && d->base_at != d->handshake &&
		d->at - d->lost_at > LOST_MAX)
		enter_search(d);
}

/* ---- searches ---- */

/* The last header whose place is known. */
static bool
known_base(const struct rlpx_dir *d, uint64_t *at, uint64_t *block)
{
	bool start = !d->base_known && d->start_known && d->handshake > 0;
	*at = start ? d->handshake : d->base_at;
	*block = start ? 0 : d->base_block;
	return start || d->base_known;
}

/* Keystream blocks that a header in the window can have. */
static void
search_range(const struct rlpx_dir *d, uint64_t *first, uint64_t *end)
{
	uint64_t at, block;
	*first = 0;
	*end = RLPX_FAR_BLOCKS;
	if (!known_base(d, &at, &block))
		return;
	uint64_t from = d->at > at ? d->at - at : 0;
	uint64_t to = d->at + d->held > at ? d->at + d->held - at : 0;
	*first = block + from * FRAME_KEY_MIN / FRAME_MIN / 16;
	*end = block + to / 16 + 1;
}

/* As much of the window as a search takes, from `from` on; returns where it ends. */
static uint64_t
copy_window(const struct rlpx_dir *d, struct rlpx_arena *a, struct rlpx_search *s, uint64_t from)
{
	uint64_t at, block, left = d->at + d->held - from;
	uint32_t n = left < RLPX_SEARCH_BYTES ? (uint32_t)left : RLPX_SEARCH_BYTES;
	s->from = from;
	s->len = n;
	s->phase = known_base(d, &at, &block) ? (uint32_t)at & 15 : RLPX_ANY_PHASE;
	for (uint32_t done = 0; done < n;) {
		struct span run = rlpx_window_run(a->windows, d->window, s->from + done, n - done);
		memcpy(s->bytes + done, run.p, run.len);
		done += run.len;
	}
	rlpx_search_fill(s);
	return from + n;
}

static void
set_owner(struct rlpx_search *s, struct rlpx *r, unsigned dir)
{
	s->owner = r;
	s->owner_epoch = r->epoch;
	s->dir = dir;
}

static bool
owns(const struct rlpx_search *s, const struct rlpx *r, unsigned dir)
{
	return s->owner == r && s->owner_epoch == r->epoch && s->dir == dir;
}

void
rlpx_sync_cancel(struct rlpx *r, unsigned dir, struct rlpx_arena *a)
{
	if (a->search != NULL && owns(a->search, r, dir))
		a->search->owner = NULL;
}

static bool
begin_near(struct rlpx *r, unsigned dir, struct rlpx_arena *a)
{
	struct rlpx_dir *d = &r->dir[dir];
	struct rlpx_search *s = a->search;
	uint64_t first, end, fresh = d->at + d->held - d->tried_at;
	search_range(d, &first, &end);
	if (d->held < SEARCH_MIN || fresh < SEARCH_MIN || end - first > RLPX_NEAR_BLOCKS)
		return false;
	/* what is tried is paid for by what is new */
	if (!a->eager && d->tried_at > d->lost_at && fresh * 2 < end - first + d->held / 8)
		return false;
	/* the oldest first: what lies before the header that is found is not read */
	uint64_t tried = copy_window(d, a, s, d->tried_at > d->at ? d->tried_at : d->at);
	rlpx_search_add(s, &r->aes, first, end);
	rlpx_search_start(s);
	set_owner(s, r, dir);
	d->tried_at = tried - (SEARCH_MIN - 1); /* a header may lie across the end */
	return true;
}

void
rlpx_sync_search(struct rlpx *r, unsigned dir, struct rlpx_arena *a)
{
	struct rlpx_dir *d = &r->dir[dir];
	struct rlpx_search *s = a->search;
	if (s == NULL)
		return;
	if (d->state != DIR_SEARCH || d->window == NULL || d->sync_pending) {
		rlpx_sync_cancel(r, dir, a);
		return;
	}
	if (s->owner != NULL && !owns(s, r, dir))
		return;
	if (s->owner == NULL && !begin_near(r, dir, a))
		return;
	uint64_t before = s->blocks;
	enum rlpx_search_state state = rlpx_search_run(s, a->search_slice);
	a->counts[RLPX_N_SEARCHED] += s->blocks - before;
	if (state == RLPX_SEARCH_RUNNING)
		return;
	s->owner = NULL;
	if (state == RLPX_SEARCH_FOUND) {
		d->sync_pending = true;
		d->sync_at = s->found_at;
		d->sync_block = s->found_block;
	}
}

/* ---- searches elsewhere ---- */

/* Those of the same endpoints, now and then as far as a session of its own would be looked for: that takes a second, and mostly it is not needed.
 * Then others, not so far. */
static void
add_sessions(struct rlpx *r, struct rlpx_arena *a, struct rlpx_search *s, uint64_t first, uint64_t end)
{
	uint32_t index[RLPX_KEYS_OF_MAX];
	uint32_t n = rlpx_keys_of_ends(a->keys, r->end, index);
	bool far = r->attempts > 1 && (r->attempts & (r->attempts - 1)) == 0;
	if (!far && end - first > RLPX_TRIAL_BLOCKS)
		end = first + RLPX_TRIAL_BLOCKS;
	for (uint32_t i = 0; i < n; i++)
		rlpx_search_add(s, &rlpx_keys_at(a->keys, index[i])->aes, first, end);
	if (r->attempts > RLPX_ATTEMPTS_MAX)
		return;
	end = end - first > RLPX_TRIAL_BLOCKS ? first + RLPX_TRIAL_BLOCKS : end;
	for (uint32_t i = rlpx_keys_count(a->keys); i > 0; i--) {
		bool listed = false;
		for (uint32_t k = 0; k < n; k++)
			listed |= index[k] == i - 1;
		if (!listed && !rlpx_search_add(s, &rlpx_keys_at(a->keys, i - 1)->aes, first, end))
			break;
	}
}

/* A connection whose first headers were not seen can only be known by trial. */
static bool
may_try(const struct rlpx *r, const struct rlpx_dir *d, const struct rlpx_arena *a)
{
	if (d->window == NULL || d->sync_pending || r->out_for_search)
		return false;
	uint64_t fresh = d->at + d->held - d->tried_at;
	bool many = !r->has_key && r->attempts >= RLPX_ATTEMPTS_MAX;
	if (d->held < SEARCH_MIN || fresh < (many ? RLPX_SEARCH_BYTES : a->eager ? SEARCH_MIN : FAR_FRESH))
		return false;
	if (r->has_key)
		return d->state == DIR_SEARCH;
	if (d->state != DIR_HOLD || r->dir[0].has_first || r->dir[1].has_first || a->keys == NULL)
		return false;
	uint32_t index[RLPX_KEYS_OF_MAX];
	return !many || (r->attempts < RLPX_ATTEMPTS_OWN && rlpx_keys_of_ends(a->keys, r->end, index) > 0);
}

bool
rlpx_search_begin(struct rlpx *r, unsigned dir, struct rlpx_arena *a, struct rlpx_search *s)
{
	struct rlpx_dir *d = &r->dir[dir];
	uint64_t first, end;
	if (!may_try(r, d, a))
		return false;
	search_range(d, &first, &end);
	if (r->has_key && a->search != NULL && end - first <= RLPX_NEAR_BLOCKS)
		return false;
	/* the newest: a long search would be outrun */
	copy_window(d, a, s, d->at + d->held - (d->held < RLPX_SEARCH_BYTES ? d->held : RLPX_SEARCH_BYTES));
	if (r->has_key) {
		rlpx_search_add(s, &r->aes, first, end);
	} else {
		r->attempts++;
		add_sessions(r, a, s, first, end);
	}
	rlpx_search_start(s);
	set_owner(s, r, dir);
	d->tried_at = d->at + d->held - (SEARCH_MIN - 1);
	r->out_for_search = true;
	return true;
}

void
rlpx_search_end(struct rlpx *r, struct rlpx_arena *a, const struct rlpx_search *s)
{
	struct rlpx_dir *d = &r->dir[s->dir];
	if (s->owner != r || s->owner_epoch != r->epoch)
		return;
	r->out_for_search = false;
	if (s->state != RLPX_SEARCH_FOUND || in_step(d) || d->state == DIR_DEAD)
		return;
	if (r->has_key && memcmp(&r->aes, &s->aes[s->key], sizeof r->aes) != 0)
		return; /* its key came meanwhile, and is another */
	if (!r->has_key) {
		r->aes = s->aes[s->key];
		r->has_key = true;
		a->counts[RLPX_N_SESSIONS]++;
		for (unsigned i = 0; i < 2; i++) {
			if (r->dir[i].state == DIR_HOLD)
				enter_search(&r->dir[i]);
		}
	}
	if (d->state != DIR_SEARCH)
		return;
	d->sync_pending = true;
	d->sync_at = s->found_at;
	d->sync_block = s->found_block;
}
