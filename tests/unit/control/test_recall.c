/* SPDX-License-Identifier: BSD-3-Clause */
/* What is armed and which incidents live, as events tell it: what comes in, what goes, in which order when
 * there is no room; and that the file gives back what was put in. */
#include "fixture.h"

#include "control/control.h"
#include "control/recall.h"
#include "control/recall_pool.h"

#include <errno.h>

static const uint64_t SEED[2] = {0x1234567, 0x89abcdef};
static const uint64_t DAY = 86400 * SECOND;

static struct journal_event
event_of(uint64_t seq, uint64_t now_ns)
{
	struct journal_event e = {
		.ring_id = 1, .t_journaled_ns = now_ns, .record = record_of(seq, GRADE_PAGE)};
	memcpy(e.epoch, EPOCH_A, 8);
	e.record.t_wire_ns = e.record.t_emitted_ns = now_ns;
	memset(e.record.hash, 0, 32);
	e.record.hash[0] = (uint8_t)seq;
	e.record.hash[1] = (uint8_t)(seq >> 8);
	return e;
}

static struct journal_event
arming(uint64_t seq, uint64_t now_ns, uint32_t which)
{
	struct journal_event e = event_of(seq, now_ns);
	e.record.class_ = CLASS_FLASH_DEPLOY;
	e.record.has |= HAS_ARMED | HAS_CHAIN_ID | HAS_SCORE | HAS_FROM;
	e.record.chain_id = 1;
	e.record.score = 600;
	memcpy(e.record.armed, &which, 4);
	e.record.armed[19] = 1;
	return e;
}

static const struct memory_armed *
find(const struct recall_table *t, uint32_t which)
{
	uint8_t a[20] = {[19] = 1};
	memcpy(a, &which, 4);
	return recall_table_armed(t, a, 1);
}

static void
check_page(const struct recall_table *t)
{
	size_t bytes;
	void *page = recall_table_page(t, 1, 1, &bytes);
	assert_non_null(page);
	assert_int_equal(memory_check(page, bytes), 0);
	free(page);
}

static void
lives(void **state)
{
	struct recall_table t;
	assert_int_equal(recall_table_new(&t, 8, 8, SEED), 0);
	struct journal_event e = arming(1, 100, 7);
	e.record.n_protocols = 2;
	e.record.touches[1] = TOUCH(CODE);
	memset(e.record.protocols[1], 0x77, 20);
	recall_table_take(&t, &e);
	const struct memory_armed *a = find(&t, 7);
	assert_non_null(a);
	assert_int_equal(a->flags, 0);
	assert_int_equal(a->score, 600);
	assert_int_equal(a->since_ns, 100);
	assert_int_equal(a->n_protected, 1);
	assert_memory_equal(a->protected_[0], e.record.protocols[1], 20);
	assert_memory_equal(a->deploy_hash, e.record.hash, 32);
	/* used, included, reorged, included again */
	struct journal_event use = arming(2, 500, 7);
	use.record.class_ = CLASS_ARMED_CALL;
	recall_table_take(&t, &use);
	assert_int_equal(find(&t, 7)->since_ns, 100);
	assert_int_equal(find(&t, 7)->last_ns, 500);
	assert_memory_equal(find(&t, 7)->deploy_hash, e.record.hash, 32);
	e.record.ending = ENDING_INCLUDED;
	recall_table_take(&t, &e);
	assert_int_equal(find(&t, 7)->flags, MEMORY_INCLUDED);
	e.record.ending = ENDING_REORGED;
	recall_table_take(&t, &e);
	assert_int_equal(find(&t, 7)->flags, 0);
	e.record.ending = ENDING_OPEN;
	e.record.ending = ENDING_INCLUDED;
	recall_table_take(&t, &e);
	assert_int_equal(find(&t, 7)->flags, MEMORY_INCLUDED);
	/* somebody else's claim to it takes nothing from it */
	struct journal_event other = arming(3, 600, 7);
	other.record.score = 1;
	recall_table_take(&t, &other);
	assert_int_equal(find(&t, 7)->score, 600);
	other.record.ending = ENDING_DROPPED;
	recall_table_take(&t, &other);
	assert_non_null(find(&t, 7));
	/* its own end does */
	e.record.ending = ENDING_REPLACED;
	recall_table_take(&t, &e);
	assert_null(find(&t, 7));
	assert_int_equal(t.dropped, 1);
	struct journal_event retracted = arming(4, 700, 8);
	recall_table_take(&t, &retracted);
	assert_non_null(find(&t, 8));
	retracted.record.kind = ALERT_KIND_RETRACT;
	recall_table_take(&t, &retracted);
	assert_null(find(&t, 8));
	check_page(&t);
	recall_table_free(&t);
}

static void
what_says_nothing(void **state)
{
	struct recall_table t;
	assert_int_equal(recall_table_new(&t, 4, 4, SEED), 0);
	struct journal_event e = arming(1, 1, 1);
	e.loss = true;
	recall_table_take(&t, &e);
	e.loss = false;
	e.vet.node = VET_NO;
	recall_table_take(&t, &e);
	e.vet.node = VET_NONE;
	e.record.kind = ALERT_KIND_DRILL;
	recall_table_take(&t, &e);
	assert_int_equal(t.armed_pool.count[RECALL_FREE], 4);
	assert_int_equal(t.live_pool.count[RECALL_FREE], 4);
	e.record.kind = ALERT_KIND_ALERT;
	memset(e.record.armed, 0, 20);
	recall_table_take(&t, &e);
	e = arming(1, 1, 1);
	e.record.class_ = CLASS_ARMED_CALL; /* a call alone arms nothing */
	recall_table_take(&t, &e);
	e = arming(1, 1, 1);
	e.record.has &= ~(uint32_t)HAS_ARMED;
	recall_table_take(&t, &e);
	assert_int_equal(t.armed_pool.count[RECALL_FREE], 4);
	assert_int_equal(t.live_pool.count[RECALL_FREE], 3);
	e = arming(1, 1, 1);
	e.record.class_ = CLASS_FLASH_LOAN;
	e.record.reasons = REASON(DELEGATION);
	e.record.t_wire_ns = UINT64_MAX; /* whatever a record says of its time */
	recall_table_take(&t, &e);
	assert_int_equal(find(&t, 1)->flags, MEMORY_DELEGATION);
	check_page(&t);
	recall_table_free(&t);
}

static void
no_room(void **state)
{
	struct recall_table t;
	uint8_t a[20] = {9};
	assert_int_equal(recall_table_new(&t, 6, 4, SEED), 0);
	assert_int_equal(recall_table_watch(&t, a, 1), 0);
	for (uint32_t i = 0; i < 5; i++) {
		struct journal_event e = arming(i, 10 + i, i);
		e.record.ending = i < 2 ? ENDING_INCLUDED : ENDING_OPEN;
		recall_table_take(&t, &e);
	}
	/* 0 and 1 are included, 2 is the longest silent of the others; used, it is 3 */
	struct journal_event use = arming(2, 20, 2);
	use.record.class_ = CLASS_ARMED_CALL;
	recall_table_take(&t, &use);
	for (uint32_t i = 100; i < 200; i++) {
		struct journal_event e = arming(i, i, i);
		recall_table_take(&t, &e);
		assert_non_null(find(&t, 0));
		assert_non_null(find(&t, 1));
		assert_non_null(recall_table_armed(&t, a, 0));
		assert_int_equal(find(&t, 3) != NULL, false);
		assert_int_equal(find(&t, 2) != NULL, i < 102);
	}
	assert_int_equal(t.evicted, 100);
	assert_int_equal(t.evicted_included, 0);
	/* included ones take the place of what is not, then of the longest silent included */
	for (uint32_t i = 300; i < 304; i++) {
		struct journal_event e = arming(i, i, i);
		e.record.ending = ENDING_INCLUDED;
		recall_table_take(&t, &e);
		assert_int_equal(find(&t, 0) != NULL, i < 303);
	}
	assert_int_equal(t.evicted_included, 1);
	struct journal_event e = arming(400, 400, 400);
	recall_table_take(&t, &e);
	assert_null(find(&t, 400));
	assert_int_equal(t.refused, 1);
	assert_non_null(recall_table_armed(&t, a, 0));
	assert_int_equal(t.live_pool.count[RECALL_PENDING], 4);
	assert_int_equal(t.live_evicted, 6 + 100 + 4 + 1 - 4 - 1 + 0);
	check_page(&t);
	recall_table_free(&t);
}

static void
ages(void **state)
{
	struct recall_table t;
	uint8_t a[20] = {9};
	assert_int_equal(recall_table_new(&t, 8, 8, SEED), 0);
	recall_table_watch(&t, a, 1);
	for (uint32_t i = 0; i < 4; i++) {
		struct journal_event e = arming(i, DAY, i);
		e.record.ending = i % 2 ? ENDING_INCLUDED : ENDING_OPEN;
		e.record.t_wire_ns = 5; /* of an old capture: its age is counted from when it was heard of */
		recall_table_take(&t, &e);
	}
	recall_table_age(&t, DAY + 3600 * SECOND, 100);
	assert_int_equal(t.live_pool.count[RECALL_PENDING], 4);
	recall_table_age(&t, DAY + 3600 * SECOND + 1, 3);
	assert_int_equal(t.live_pool.count[RECALL_PENDING], 1);
	recall_table_age(&t, 2 * DAY, 100);
	assert_int_equal(t.live_aged, 4);
	assert_non_null(find(&t, 0));
	struct journal_event use = arming(2, 2 * DAY, 2);
	use.record.class_ = CLASS_ARMED_CALL;
	recall_table_take(&t, &use);
	recall_table_age(&t, 2 * DAY + 1, 100);
	assert_null(find(&t, 0));
	assert_non_null(find(&t, 2));
	recall_table_age(&t, 31 * DAY, 100);
	assert_null(find(&t, 2));
	assert_non_null(find(&t, 1));
	recall_table_age(&t, 31 * DAY + 1, 100);
	assert_null(find(&t, 1));
	assert_int_equal(t.aged, 4);
	recall_table_age(&t, 0, 100); /* a clock that jumps back */
	recall_table_age(&t, UINT64_MAX, 100);
	assert_non_null(recall_table_armed(&t, a, 0));
	recall_table_free(&t);
}

static void
incidents(void **state)
{
	struct recall_table t;
	assert_int_equal(recall_table_new(&t, 4, 2, SEED), 0);
	uint8_t key[32] = {1};
	for (uint64_t i = 1; i <= 6; i++) {
		struct journal_event e = event_of(i, i);
		memcpy(e.record.dedupekey, key, 32);
		e.record.grade = (uint8_t)(1 + i % 3);
		recall_table_take(&t, &e);
	}
	struct journal_event again = event_of(4, 7);
	memcpy(again.record.dedupekey, key, 32);
	again.record.ending = ENDING_INCLUDED;
	recall_table_take(&t, &again);
	const struct memory_incident *i = recall_table_incident(&t, key);
	assert_non_null(i);
	assert_int_equal(i->seq, 4);
	assert_int_equal(i->ending, ENDING_INCLUDED);
	assert_int_equal(i->n_hashes, 4);
	static const uint8_t order[] = {4, 6, 5, 3};
	for (unsigned k = 0; k < 4; k++)
		assert_int_equal(i->hashes[k][0], order[k]);
	assert_memory_equal(i->epoch, EPOCH_A, 8);
	for (uint64_t n = 20; n < 22; n++) {
		struct journal_event e = event_of(n, n);
		recall_table_take(&t, &e);
	}
	assert_null(recall_table_incident(&t, key));
	assert_int_equal(t.live_evicted, 1);
	recall_table_free(&t);
}

static void
operators(void **state)
{
	struct recall_table t;
	uint8_t a[20] = {0};
	assert_int_equal(recall_table_new(&t, RECALL_WATCH_MAX + 2, 4, SEED), 0);
	for (uint32_t i = 0; i < RECALL_WATCH_MAX; i++) {
		memcpy(a, &i, 4);
		a[19] = 1;
		assert_int_equal(recall_table_watch(&t, a, 5), 0);
		assert_int_equal(recall_table_watch(&t, a, 6), -EEXIST);
	}
	a[18] = 1;
	assert_int_equal(recall_table_watch(&t, a, 5), -ENOSPC);
	assert_int_equal(recall_table_unwatch(&t, a), -ENOENT);
	a[18] = 0;
	assert_int_equal(recall_table_unwatch(&t, a), 0);
	assert_int_equal(recall_table_unwatch(&t, a), -ENOENT);
	/* one that is both: either goes by itself */
	struct journal_event e = arming(1, 9, 3);
	e.record.has &= ~(uint32_t)HAS_CHAIN_ID;
	recall_table_take(&t, &e);
	uint32_t three = 3;
	memcpy(a, &three, 4);
	assert_int_equal(recall_table_armed(&t, a, 0)->flags, MEMORY_OPERATOR);
	e.record.ending = ENDING_DROPPED;
	recall_table_take(&t, &e);
	assert_int_equal(recall_table_armed(&t, a, 0)->flags, MEMORY_OPERATOR);
	e.record.ending = ENDING_OPEN;
	recall_table_take(&t, &e);
	assert_int_equal(recall_table_unwatch(&t, a), 0);
	assert_int_equal(recall_table_armed(&t, a, 0)->flags, 0);
	check_page(&t);
	recall_table_free(&t);
}

/* Random events against the invariants; what is put into the file comes out of it the same. */
static void
kept(void **state)
{
	char *dir = folder_new(), err[256];
	static struct recall_watch watch[RECALL_WATCH_MAX], watch_again[RECALL_WATCH_MAX];
	static struct recall_kept k;
	struct recall_table t, again;
	struct recall_store s;
	uint64_t rng = 7;
	k = (struct recall_kept){.watch = watch};
	assert_int_equal(recall_table_new(&t, 64, 32, SEED), 0);
	assert_int_equal(recall_store_open(&s, dir, &t, &k, err, sizeof err), 0);
	for (unsigned turn = 0; turn < 400; turn++) {
		for (unsigned i = 0; i < 20; i++) {
			rng = rng * 6364136223846793005u + 1442695040888963407u;
			struct journal_event e =
				arming(rng >> 40 & 0xff, SECOND * (turn + 1) * 3000, rng >> 20 & 0x7f);
			e.record.ending = rng >> 50 & 7 ? (rng >> 53) % 5 : 0;
			e.record.class_ = rng >> 60 & 1 ? CLASS_FLASH_DEPLOY : CLASS_ARMED_CALL;
			recall_table_take(&t, &e);
			if (i == 3)
				recall_table_watch(&t, e.record.armed, 5 + turn);
			if (i == 4)
				recall_table_unwatch(&t, e.record.armed);
		}
		recall_table_age(&t, SECOND * (turn + 1) * 3000, 10);
		k.cursor += 20;
		assert_int_equal(recall_store_write(&s, &t, &k, turn % 50 == 0), 0);
	}
	k.journal_id = 99;
	k.n_watch = 1;
	watch[0] = (struct recall_watch){.address = {1, 2, 3}, .note = "why", .added_ns = 4, .uid = 5};
	recall_table_watch(&t, watch[0].address, 4);
	k.watch_changed = true;
	k.untold[0] = (struct recall_untold){.n = 7, .time_ns = 8, .kind = "watch_added", .detail = "{}"};
	k.n_untold = 1;
	k.last_untold = 7;
	assert_int_equal(recall_store_write(&s, &t, &k, true), 0);
	assert_true(k.untold[0].kept && !k.watch_changed);
	recall_store_close(&s);
	static struct recall_kept k_again;
	k_again = (struct recall_kept){.watch = watch_again};
	assert_int_equal(
		recall_table_new(&again, 64, 32, (uint64_t[2]){55, 66}), 0); /* another seed every time */
	assert_int_equal(recall_store_open(&s, dir, &again, &k_again, err, sizeof err), 0);
	assert_int_equal(k_again.cursor, 8000);
	assert_int_equal(k_again.journal_id, 99);
	assert_int_equal(k_again.n_watch, 1);
	assert_memory_equal(&watch_again[0], &watch[0], sizeof watch[0]);
	assert_int_equal(k_again.n_untold, 1);
	assert_string_equal(k_again.untold[0].kind, "watch_added");
	assert_int_equal(k_again.last_untold, 7);
	for (uint32_t i = 0; i < 64; i++) {
		assert_int_equal(again.armed_pool.list[i], t.armed_pool.list[i]);
		if (t.armed_pool.list[i] != RECALL_FREE)
			assert_memory_equal(&again.armed[i], &t.armed[i], sizeof t.armed[i]);
	}
	for (unsigned l = RECALL_PENDING; l < RECALL_LISTS; l++)
		assert_int_equal(again.armed_pool.count[l], t.armed_pool.count[l]);
	assert_int_equal(again.live_pool.count[RECALL_PENDING], t.live_pool.count[RECALL_PENDING]);
	check_page(&again);
	recall_store_close(&s);
	recall_table_free(&t);
	recall_table_free(&again);
	folder_free(dir);
}

/* ---- with a journal ---- */

static void
follows(void **state)
{
	char *dir = folder_new(), err[256];
	struct journal *j = journal_of(dir, 64 << 20, 64 << 20);
	struct batch b;
	struct recall_status s;
	uint64_t number, bytes, version, now_ns = control_steady_ns(); /* what is old is forgotten meanwhile */
	assert_int_equal(batch_new(&b), 0);
	struct recall *r = recall_start(j, dir, err, sizeof err);
	assert_non_null(r);
	for (uint64_t i = 1; i <= 300; i++) {
		struct entry *e = batch_entry(&b, EPOCH_A, 1);
		struct journal_event a = arming(i, i, (uint32_t)i);
		e->record = a.record;
		e->from = e->to = i;
		e->record.seq = i;
		e->record.dedupekey[8] = (uint8_t)(i >> 8);
	}
	assert_int_equal(journal_commit(j, &b, now_ns), 0);
	recall_want_page(r);
	int fd = -1;
	while ((fd = recall_page(r, &number, &bytes)) < 0)
		usleep(1000);
	size_t n;
	const struct memory_page *page = memory_map(fd, &n);
	assert_non_null(page);
	assert_int_equal(n, bytes);
	assert_int_equal(page->number, number);
	assert_int_equal(page->n_armed, 300);
	memory_unmap(page, n);
	close(fd);
	assert_int_equal(recall_page(r, &number, &bytes), -1);
	/* an operator's change is kept, and waits for the writer to have it in the trail */
	uint8_t a[20] = {5};
	assert_int_equal(recall_watch_add(r, (uint8_t[20]){0}, "", 1, 2, &version), -EINVAL);
	assert_int_equal(recall_watch_add(r, a, "note", 1, 2, &version), 0);
	for (unsigned i = 0; i < 50; i++) {
		assert_int_equal(recall_settled(r, version), 0);
		usleep(1000);
	}
	while (!journal_wants(j, now_ns + 100))
		usleep(1000);
	assert_int_equal(journal_commit(j, &b, now_ns + 100), 0);
	while (recall_settled(r, version) == 0)
		usleep(1000);
	assert_int_equal(recall_settled(r, version), 1);
	recall_status_get(r, &s);
	assert_int_equal(s.armed, 300);
	assert_int_equal(s.operators, 1);
	assert_int_equal(s.incidents, 300);
	recall_stop(r);
	journal_close(j);
	batch_free(&b);
	folder_free(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(lives), cmocka_unit_test(what_says_nothing),
		cmocka_unit_test(no_room), cmocka_unit_test(ages), cmocka_unit_test(incidents),
		cmocka_unit_test(operators), cmocka_unit_test(kept), cmocka_unit_test(follows)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
