/* SPDX-License-Identifier: BSD-3-Clause */
/* What becomes of transactions, case by case. */
#include "life_rig.h"

/* ---- announced, pending, judged ---- */

static void
announcement_meets_its_body(void **state)
{
	life_announced(life, tx_hash_of('a'), 2, 180, 100);
	life_announced(life, tx_hash_of('a'), 3, 999, 150); /* the first word stands */
	assert_int_equal(state_of('a'), LIFE_ANNOUNCED);
	assert_int_equal(n_events, 0);
	pend('a', 350);
	life_announced(life, tx_hash_of('a'), 2, 180, 400);
	pend('a', 500);
	const struct life_tx *t = tx('a');
	assert_int_equal(t->state, LIFE_PENDING);
	assert_int_equal(t->announced_ns, 100);
	assert_int_equal(t->pending_ns, 350);
	assert_int_equal(t->announced_type, 2);
	assert_int_equal(t->announced_size, 180);
	assert_int_equal(n[LIFE_N_ANNOUNCED], 1);
	assert_int_equal(n[LIFE_N_ANNOUNCED_JOINED], 1);
	assert_int_equal(n[LIFE_N_PENDING], 1);
	assert_int_equal(n_events, 1);
	assert_event(0, LIFE_EVENT_PENDING, 'a', 0);
	life_announced(life, tx_hash_of('b'), -1, 0, 100);
	assert_false(tx('b')->has & LIFE_HAS_TYPE);
	life_announced(life, tx_hash_of('b'), 0, 7, 101); /* told later: type 0 is a type */
	assert_true(tx('b')->has & LIFE_HAS_TYPE);
	assert_int_equal(tx('b')->announced_size, 7);
}

static void
time_ends_lives(void **state)
{
	life_announced(life, tx_hash_of('a'), -1, 0, MINUTE);
	pend('b', MINUTE);
	pend('c', 2 * MINUTE);
	assert_int_equal(life_age(life, 0, 10), 0); /* time may go back */
	assert_int_equal(life_age(life, 11 * MINUTE - 1, 10), 0);
	assert_int_equal(life_age(life, 11 * MINUTE, 10), 1);
	assert_int_equal(state_of('a'), -1);
	assert_int_equal(n[LIFE_N_ANNOUNCED_EXPIRED], 1);
	assert_int_equal(life_age(life, 181 * MINUTE, 10), 1);
	assert_int_equal(state_of('b'), LIFE_DROPPED);
	assert_int_equal(state_of('c'), LIFE_PENDING);
	assert_event(2, LIFE_EVENT_DROPPED, 'b', 0);
	pend('b', 182 * MINUTE); /* back again, for its whole time */
	assert_int_equal(state_of('b'), LIFE_PENDING);
	assert_event(3, LIFE_EVENT_PENDING, 'b', 0);
	assert_int_equal(n[LIFE_N_PENDING], 2);
	assert_int_equal(life_age(life, 360 * MINUTE, 10), 1);
	assert_int_equal(state_of('c'), LIFE_DROPPED);
	for (unsigned i = 0; i < 20; i++)
		pend(1000 + i, 400 * MINUTE);
	assert_int_equal(life_age(life, 600 * MINUTE, 8), 8); /* the budget */
	assert_int_equal(life_population(life, LIFE_PENDING), 13);
}

static void
a_nodes_word_is_kept(void **state)
{
	pend('a', 1);
	pend('b', 1);
	life_judged(life, tx_hash_of('a'), 0, true, 0, 5);
	life_judged(life, NULL, 1000 + 'b', false, 3, 6); /* by its bytes */
	life_judged(life, tx_hash_of('x'), 0, true, 0, 7);
	life_judged(life, NULL, 77, true, 0, 7);
	assert_int_equal(tx('a')->verdict, LIFE_ACCEPTED);
	assert_int_equal(tx('a')->judged_ns, 5);
	assert_int_equal(tx('b')->verdict, LIFE_REFUSED);
	assert_int_equal(tx('b')->reason, 3);
	assert_int_equal(state_of('x'), -1);
	life_judged(life, tx_hash_of('a'), 0, false, 9, 8); /* another node's */
	assert_int_equal(tx('a')->verdict, LIFE_ACCEPTED);
	assert_int_equal(tx('a')->reason, 0);
	life_judged(life, tx_hash_of('b'), 0, true, 0, 9);
	assert_int_equal(tx('b')->verdict, LIFE_ACCEPTED);
	assert_int_equal(n[LIFE_N_ACCEPTED], 2);
	assert_int_equal(n[LIFE_N_REFUSED], 1);
	assert_int_equal(n[LIFE_N_JUDGED_UNKNOWN], 2);
	assert_int_equal(state_of('b'), LIFE_PENDING);
	struct life_seen s = seen('c');
	s.fingerprint = 1000 + 'a'; /* another's: it stays the other's */
	life_pending(life, &s, 10);
	assert_int_equal(tx('c')->fingerprint, 0);
	s.fingerprint = 55;
	life_pending(life, &s, 10);
	s.fingerprint = 56;
	life_pending(life, &s, 10); /* the first stands */
	assert_int_equal(tx('c')->fingerprint, 55);
	life_judged(life, NULL, 55, false, 1, 11);
	life_judged(life, NULL, 56, true, 1, 11);
	assert_int_equal(tx('c')->verdict, LIFE_REFUSED);
}

/* ---- blocks ---- */

static void
inclusion_tells_what_was_seen(void **state)
{
	life_announced(life, tx_hash_of('a'), -1, 0, 1);
	pend('b', 2);
	block(LIFE_BLOCK_NEW, 1, 0, "abc", 10);
	assert_share(1, 1, 1);
	assert_int_equal(tx('a')->before, LIFE_ANNOUNCED_ONLY);
	assert_int_equal(tx('b')->before, LIFE_SEEN_PENDING);
	assert_int_equal(tx('c')->before, LIFE_NEVER_SEEN);
	assert_int_equal(tx('c')->included_ns, 10);
	assert_int_equal(life_block_of(life, tx('c'))->id.number, 1);
	assert_event(3, LIFE_EVENT_INCLUDED, 'c', 1);
	pend('c', 11); /* seen afterwards changes nothing */
	life_announced(life, tx_hash_of('c'), 2, 5, 11);
	assert_share(1, 1, 1);
	assert_int_equal(n_events, 4);
	assert_int_equal(tx('c')->has & (LIFE_HAS_PENDING | LIFE_HAS_ANNOUNCED), 0);
	assert_int_equal(n[LIFE_N_INCLUDED], 3);
	assert_int_equal(n[LIFE_N_BLOCKS], 1);
	block(LIFE_BLOCK_NEW, 2, 1, "", 20);
	assert_int_equal(life_top(life)->id.number, 2);
}

static void
a_block_told_twice_counts_once(void **state)
{
	for (unsigned i = 0; i < 3; i++)
		block(LIFE_BLOCK_NEW, 1, 0, "ab", 10 + i);
	block(LIFE_BLOCK_TOLD, 1, 0, "ab", 20);
	block(LIFE_BLOCK_OFFERED, 1, 0, "ab", 20);
	assert_share(0, 0, 2);
	assert_int_equal(n[LIFE_N_BLOCKS], 1);
	assert_int_equal(n[LIFE_N_BLOCKS_REPEATED], 4);
	assert_int_equal(n_events, 2);
	block(LIFE_BLOCK_NEW, 1, 0, "abc", 30); /* a copy that has more of it */
	assert_share(0, 0, 3);
	assert_int_equal(n_events, 3);
	assert_int_equal(life_top(life)->n_txs, 3);
}

static void
candidates_wait_for_a_forkchoice(void **state)
{
	block(LIFE_BLOCK_NEW, 10, 9, "a", 1);
	pend('b', 2);
	block(LIFE_BLOCK_OFFERED, 11, 10, "bx", 3);
	assert_int_equal(state_of('b'), LIFE_PENDING);
	assert_int_equal(state_of('x'), LIFE_CANDIDATE);
	block(LIFE_BLOCK_NEW, 12, 11, "c", 4); /* its parent is not the head */
	assert_int_equal(state_of('c'), LIFE_CANDIDATE);
	pend('x', 5); /* seen before its inclusion, though behind its block */
	head(12, 6);
	assert_int_equal(state_of('b'), LIFE_INCLUDED);
	assert_int_equal(state_of('c'), LIFE_INCLUDED);
	assert_int_equal(life_top(life)->id.number, 12);
	assert_share(2, 0, 2);
	head(12, 7);
	assert_int_equal(n[LIFE_N_BLOCKS], 3);
	assert_int_equal(n[LIFE_N_BLOCKS_REORGED], 0);
}

static void
a_head_may_come_before_its_block(void **state)
{
	block(LIFE_BLOCK_NEW, 10, 9, "a", 1);
	head(12, 2);
	block(LIFE_BLOCK_NEW, 12, 11, "c", 3); /* parent unknown: accepted as it is */
	assert_int_equal(state_of('c'), LIFE_INCLUDED);
	assert_int_equal(state_of('a'), LIFE_INCLUDED);
	block(LIFE_BLOCK_NEW, 11, 10, "b", 4); /* late: goes in between */
	assert_int_equal(state_of('b'), LIFE_INCLUDED);
	assert_int_equal(life_block_find(life, block_hash_of(11))->id.number, 11);
	assert_int_equal(life_top(life)->id.number, 12);
	assert_share(0, 0, 3);
}

static void
a_late_parent_shows_what_was_wrong(void **state)
{
	block(LIFE_BLOCK_NEW, 10, 9, "a", 1);
	head(212, 2);
	block(LIFE_BLOCK_NEW, 212, 211, "c", 3);
	block(LIFE_BLOCK_NEW, 211, 210, "b", 4); /* not upon 10 */
	assert_int_equal(state_of('b'), LIFE_INCLUDED);
	assert_int_equal(state_of('a'), LIFE_PENDING);
	assert_true(tx('a')->reorged);
}

static void
a_late_parent_far_below_is_settled(void **state)
{
	block(LIFE_BLOCK_NEW, 10, 9, "a", 1);
	head(12, 2);
	block(LIFE_BLOCK_NEW, 12, 11, "b", 3);
	head(90, 4);
	block(LIFE_BLOCK_NEW, 90, 89, "c", 5);
	block(LIFE_BLOCK_NEW, 11, 10, "d", 6);
	assert_int_equal(state_of('d'), LIFE_INCLUDED);
	assert_null(life_check(life));
	head(10, 7);
	assert_int_equal(state_of('d'), LIFE_PENDING);
	assert_int_equal(state_of('a'), LIFE_INCLUDED);
}

static void
reorg_undoes_and_does(void **state)
{
	pend('a', 1);
	block(LIFE_BLOCK_NEW, 1, 0, "z", 2);
	block(LIFE_BLOCK_NEW, 2, 1, "ab", 3);
	block(LIFE_BLOCK_NEW, 3, 2, "c", 3);
	n_events = 0;
	block(LIFE_BLOCK_NEW, 102, 1, "bd", 4); /* beside 2 */
	assert_int_equal(n_events, 0);
	head(102, 5);
	assert_int_equal(state_of('a'), LIFE_PENDING);
	assert_int_equal(state_of('b'), LIFE_INCLUDED);
	assert_int_equal(state_of('c'), LIFE_PENDING);
	assert_int_equal(state_of('d'), LIFE_INCLUDED);
	assert_event(0, LIFE_EVENT_REORGED, 'c', 3);
	assert_event(1, LIFE_EVENT_REORGED, 'a', 2);
	assert_event(2, LIFE_EVENT_REORGED, 'b', 2);
	assert_event(3, LIFE_EVENT_INCLUDED, 'b', 2);
	assert_event(4, LIFE_EVENT_INCLUDED, 'd', 2);
	assert_int_equal(n[LIFE_N_REORGED], 3);
	assert_int_equal(n[LIFE_N_BLOCKS_REORGED], 2);
	assert_share(1, 0, 4); /* first inclusions alone: a | z b c d */
	head(3, 6);	       /* and back */
	assert_int_equal(state_of('a'), LIFE_INCLUDED);
	assert_int_equal(state_of('c'), LIFE_INCLUDED);
	assert_int_equal(state_of('d'), LIFE_PENDING);
	assert_share(1, 0, 4);
	assert_int_equal(n[LIFE_N_BLOCKS], 4);
	head(1, 7); /* an ancestor: what stands above leaves */
	assert_int_equal(state_of('c'), LIFE_PENDING);
	assert_int_equal(life_top(life)->id.number, 1);
}

static void
invalid_is_as_if_never(void **state)
{
	pend('a', 1);
	life_announced(life, tx_hash_of('b'), -1, 0, 1);
	block(LIFE_BLOCK_NEW, 1, 0, "z", 2);
	block(LIFE_BLOCK_NEW, 2, 1, "abc", 3);
	block(LIFE_BLOCK_NEW, 3, 2, "d", 3);
	assert_share(1, 1, 3);
	life_block_judged(life, block_hash_of(2), true, 4);
	assert_share(1, 1, 3);
	life_block_judged(life, block_hash_of(2), false, 4);
	assert_share(0, 0, 1);
	assert_int_equal(state_of('a'), LIFE_PENDING);
	assert_false(tx('a')->reorged);
	assert_int_equal(state_of('b'), LIFE_ANNOUNCED);
	assert_int_equal(state_of('c'), -1);
	assert_int_equal(state_of('d'), -1); /* of its child */
	assert_int_equal(n[LIFE_N_TAKEN_BACK], 4);
	assert_int_equal(n[LIFE_N_BLOCKS_INVALID], 2);
	assert_int_equal(n[LIFE_N_REORGED], 0);
	assert_int_equal(life_top(life)->id.number, 1);
	life_block_judged(life, block_hash_of(2), false, 5);
	pend('c', 6); /* it can now be seen before its first inclusion */
	block(LIFE_BLOCK_NEW, 102, 1, "abc", 7);
	assert_share(2, 1, 1);
}

static void
invalid_counts_where_it_is_now(void **state)
{
	block(LIFE_BLOCK_NEW, 1, 0, "", 1);
	block(LIFE_BLOCK_NEW, 2, 1, "a", 2);
	block(LIFE_BLOCK_NEW, 102, 1, "a", 3);
	head(102, 4);
	life_block_judged(life, block_hash_of(2), false, 5); /* it had counted a; 102 has it now */
	assert_share(0, 0, 1);
	assert_int_equal(n[LIFE_N_INCLUDED], 2);
	assert_int_equal(n[LIFE_N_TAKEN_BACK], 1);
	life_block_judged(life, block_hash_of(102), false, 6);
	assert_share(0, 0, 0);
}

static void
void_and_lost_blocks_leave_nothing(void **state)
{
	pend('a', 1);
	life_block_open(life, 1, 2);
	struct life_seen s = seen('b');
	life_block_tx(life, 1, &s, 2);
	s = seen('a');
	life_block_tx(life, 1, &s, 2);
	assert_int_equal(state_of('b'), LIFE_CANDIDATE);
	life_block_close(life, 1, LIFE_BLOCK_NEW, NULL, 3);
	assert_int_equal(state_of('b'), -1);
	assert_int_equal(state_of('a'), LIFE_PENDING);
	assert_int_equal(n[LIFE_N_BLOCKS_VOID], 1);
	life_block_close(life, 1, LIFE_BLOCK_NEW, NULL, 3); /* not open */
	life_block_tx(life, 1, &s, 3);
	life_block_unread(life, 1);
	assert_int_equal(n[LIFE_N_BLOCKS_VOID], 1);
	for (unsigned i = 0; i < LIFE_OPEN_MAX + 3; i++) {
		s = seen('A' + i);
		life_block_open(life, i, 4);
		life_block_tx(life, i, &s, 4);
	}
	assert_int_equal(n[LIFE_N_BLOCKS_OPEN_LOST], 3);
	assert_int_equal(state_of('C'), -1);
	assert_int_equal(state_of('D'), LIFE_CANDIDATE);
	life_block_open(life, 5, 4); /* begun again */
	assert_int_equal(n[LIFE_N_BLOCKS_OPEN_LOST], 4);
	assert_int_equal(state_of('A' + 5), -1);
	struct life_block_id id = id_of(1, 0, 1);
	life_block_unread(life, 6);
	life_block_close(life, 6, LIFE_BLOCK_NEW, &id, 5);
	assert_int_equal(n[LIFE_N_UNREAD], 1);
	assert_share(0, 0, 1);
}

/* ---- what answers tell ---- */

static void
old_blocks_do_not_change_the_share(void **state)
{
	block(LIFE_BLOCK_NEW, 50, 49, "a", 1);
	pend('b', 2);
	block(LIFE_BLOCK_TOLD, 20, 19, "bc", 3);
	assert_int_equal(state_of('b'), LIFE_INCLUDED);
	assert_int_equal(state_of('c'), LIFE_INCLUDED);
	assert_share(0, 0, 1);
	assert_int_equal(n[LIFE_N_INCLUDED_UNCOUNTED], 2);
	assert_int_equal(life_top(life)->id.number, 50);
	block(LIFE_BLOCK_TOLD, 51, 50, "d", 4); /* new, but the engine counts */
	assert_int_equal(state_of('d'), LIFE_INCLUDED);
	assert_share(0, 0, 1);
	block(LIFE_BLOCK_NEW, 51, 50, "d", 5); /* which it does when its turn comes */
	assert_share(0, 0, 2);
	block(LIFE_BLOCK_NEW, 150, 49, "e", 6);
	block(LIFE_BLOCK_TOLD, 150, 49, "e", 7); /* a sibling that the engine has not chosen */
	block(LIFE_BLOCK_TOLD, 250, 49, "f", 7);
	assert_int_equal(state_of('e'), LIFE_CANDIDATE);
	assert_int_equal(state_of('f'), LIFE_CANDIDATE);
}

static void
without_an_engine_answers_count(void **state)
{
	block(LIFE_BLOCK_TOLD, 50, 49, "a", 1);
	block(LIFE_BLOCK_TOLD, 51, 50, "b", 2);
	block(LIFE_BLOCK_TOLD, 20, 19, "c", 3); /* an old one */
	assert_share(0, 0, 2);
	block(LIFE_BLOCK_TOLD, 151, 50, "d", 4); /* another of that height: who knows */
	assert_int_equal(state_of('d'), LIFE_CANDIDATE);
	block(LIFE_BLOCK_TOLD, 152, 151, "e", 5); /* now everybody */
	assert_int_equal(state_of('b'), LIFE_PENDING);
	assert_int_equal(state_of('d'), LIFE_INCLUDED);
	assert_share(0, 0, 4);
	block(LIFE_BLOCK_TOLD, 253, 252, "f", 6); /* its parent is not 152 */
	assert_int_equal(state_of('e'), LIFE_PENDING);
	assert_int_equal(state_of('d'), LIFE_INCLUDED);
}

static void
mined_by_a_nodes_word(void **state)
{
	struct life_seen a = seen('a'), b = seen('b'), c = seen('c');
	pend('a', 1);
	life_mined(life, &a, NULL, 2);
	life_mined(life, &b, block_hash_of(99), 2);
	assert_int_equal(state_of('a'), LIFE_INCLUDED);
	assert_int_equal(state_of('b'), LIFE_INCLUDED);
	assert_share(0, 0, 0);
	assert_int_equal(n[LIFE_N_INCLUDED_UNCOUNTED], 2);
	block(LIFE_BLOCK_NEW, 1, 0, "ab", 3); /* counted when the block comes */
	assert_share(1, 0, 1);
	assert_int_equal(life_block_of(life, tx('a'))->id.number, 1);
	c = seen('c');
	life_mined(life, &c, block_hash_of(1), 4); /* in a block that is known: it leaves with it */
	assert_int_equal(state_of('c'), LIFE_INCLUDED);
	assert_share(1, 0, 1);
	block(LIFE_BLOCK_NEW, 101, 0, "", 5);
	head(101, 5);
	assert_int_equal(state_of('c'), LIFE_PENDING);
	assert_int_equal(state_of('a'), LIFE_PENDING);
	struct life_seen d = seen('d');
	pend('d', 6);
	life_mined(life, &d, block_hash_of(1), 6); /* a block that is out */
	assert_int_equal(state_of('d'), LIFE_PENDING);
}

/* ---- one sender and nonce ---- */

static void
the_included_one_decides(void **state)
{
	pend_from('a', 1, 1);
	pend_from('b', 1, 2);
	pend_from('c', 2, 2); /* another sender */
	assert_int_equal(state_of('a'), LIFE_PENDING);
	assert_int_equal(state_of('b'), LIFE_PENDING);
	block(LIFE_BLOCK_NEW, 1, 0, "b", 3);
	assert_int_equal(state_of('a'), LIFE_REPLACED);
	assert_ptr_equal(life_replacement(life, tx('a')), tx('b'));
	assert_int_equal(state_of('c'), LIFE_PENDING);
	assert_event(3, LIFE_EVENT_INCLUDED, 'b', 1);
	assert_event(4, LIFE_EVENT_REPLACED, 'a', 1);
	pend_from('d', 1, 4); /* too late */
	assert_int_equal(state_of('d'), LIFE_REPLACED);
	pend('a', 5);
	assert_int_equal(state_of('a'), LIFE_REPLACED);
	assert_int_equal(n[LIFE_N_REPLACED], 2);
	block(LIFE_BLOCK_NEW, 101, 0, "a", 6); /* the reorg has the other one */
	n_events = 0;
	head(101, 7);
	assert_int_equal(state_of('a'), LIFE_INCLUDED);
	assert_int_equal(state_of('b'), LIFE_REPLACED);
	assert_int_equal(state_of('d'), LIFE_REPLACED);
	assert_ptr_equal(life_replacement(life, tx('d')), tx('a'));
	assert_int_equal(n[LIFE_N_RESTORED], 2);
	block(LIFE_BLOCK_NEW, 201, 0, "", 8);
	n_events = 0;
	head(201, 9); /* and another has neither */
	assert_int_equal(n_events, 3);
	for (unsigned i = 0; i < n_events; i++) {
		assert_int_equal(events[i].kind, LIFE_EVENT_REORGED);
		assert_int_equal(events[i].state, LIFE_PENDING);
	}
	assert_int_equal(state_of('a'), LIFE_PENDING);
	assert_int_equal(state_of('b'), LIFE_PENDING);
	assert_int_equal(state_of('d'), LIFE_PENDING);
}

static void
sender_and_nonce_may_be_learned_late(void **state)
{
	pend('a', 1);
	pend('b', 1);
	struct life_seen s = seen_from('b', 1);
	life_block_open(life, 1, 2);
	life_block_tx(life, 1, &s, 2);
	struct life_block_id id = id_of(1, 0, 1);
	life_block_close(life, 1, LIFE_BLOCK_NEW, &id, 2);
	assert_int_equal(state_of('a'), LIFE_PENDING);
	pend_from('a', 1, 3);
	assert_int_equal(state_of('a'), LIFE_REPLACED);
	pend_from('a', 9, 4); /* what is known stands */
	assert_int_equal(tx('a')->sender[0], 1);
	s = seen_from('a', 1);
	s.nonce = 6;
	life_pending(life, &s, 5);
	assert_int_equal(tx('a')->nonce, 5);
}

/* ---- shares by protocol ---- */

static void
protocols_have_their_own_share(void **state)
{
	life_block_open(life, 1, 1);
	for (unsigned i = 0; i < 12; i++) {
		struct life_seen s = seen(1000 + i);
		uint8_t other[20] = {'x'};
		s.to = i < 3	? addresses[0]
		       : i < 5	? addresses[1]
		       : i < 9	? addresses[2]
		       : i < 11 ? other
				: NULL;
		if (i == 0 || i == 8)
			life_pending(life, &s, 1);
		if (i == 3)
			life_announced(life, s.hash, -1, 0, 1);
		s.hash = tx_hash_of(1000 + i);
		life_block_tx(life, 1, &s, 1);
	}
	struct life_block_id id = id_of(1, 0, 1);
	life_block_close(life, 1, LIFE_BLOCK_NEW, &id, 1);
	const char *name;
	struct life_share s = life_share(life, 0, &name);
	assert_string_equal(name, "aave");
	assert_int_equal(s.included, 5); /* the address of both is the first one's */
	assert_int_equal(s.never_seen, 3);
	assert_int_equal(s.announced_only, 1);
	s = life_share(life, 1, &name);
	assert_string_equal(name, "curve");
	assert_int_equal(s.included, 4);
	assert_int_equal(s.never_seen, 3);
	assert_share(2, 1, 9);
	assert_int_equal(life_share(life, 2, &name).included, 0);
	life_block_judged(life, block_hash_of(1), false, 2);
	assert_int_equal(life_share(life, 0, NULL).included, 0);
	assert_int_equal(life_share(life, 1, NULL).never_seen, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(announcement_meets_its_body),
		T(time_ends_lives),
		T(a_nodes_word_is_kept),
		T(inclusion_tells_what_was_seen),
		T(a_block_told_twice_counts_once),
		T(candidates_wait_for_a_forkchoice),
		T(a_head_may_come_before_its_block),
		T(a_late_parent_shows_what_was_wrong),
		T(a_late_parent_far_below_is_settled),
		T(reorg_undoes_and_does),
		T(invalid_is_as_if_never),
		T(invalid_counts_where_it_is_now),
		T(void_and_lost_blocks_leave_nothing),
		T(old_blocks_do_not_change_the_share),
		T(without_an_engine_answers_count),
		T(mined_by_a_nodes_word),
		T(the_included_one_decides),
		T(sender_and_nonce_may_be_learned_late),
		T(protocols_have_their_own_share),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
