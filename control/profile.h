/* SPDX-License-Identifier: BSD-3-Clause */
/* profile: the way of a profile from an operator to the dataplane and of its answer back. One at a time; the thread that serves clients hands the text
 * in, the drain's thread sends it as a sealed memory file (abi/channel.h), notes who asked for what and what became of it in the audit trail, and
 * the client is answered once that is durable, or the journal is down.
 *
 * Only root and the user that control runs as may change what a box sees: a pauser that is allowed to connect may not. */
#ifndef CONTROL_PROFILE_H
#define CONTROL_PROFILE_H

#include "abi/stats.h"
#include "control/attach.h"
#include "control/journal.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROFILE_TEXT_MAX 65536u
#define PROFILE_PATIENCE_NS 5000000000u /* for the dataplane's answer */

struct profile_desk;

/* profile_desk_new: NULL: no memory. */
struct profile_desk *profile_desk_new(void);
void profile_desk_free(struct profile_desk *d);

/* profile_may: whether a client of this user may send one. */
bool profile_may(uid_t uid);

/* profile_submit copies the text. 0 with *ticket; -EBUSY: another is under way; -EMSGSIZE: empty or too long. */
int profile_submit(struct profile_desk *d, const char *text, size_t n, uid_t uid, pid_t pid, uint64_t *ticket);
/* profile_answer: NULL: not yet; else what the client is told, and the desk is free for the next: {"event":"profile","status":"applied" | "partly" |
 * "refused" | "unknown","applied":[FIELD...],"restart":[FIELD...],"why":TEXT|null,"digest":HEX,"audited":BOOL}. profile_abandon: nobody waits for it any
 * more; the change itself takes its way. */
json_t *profile_answer(struct profile_desk *d, uint64_t ticket);
void profile_abandon(struct profile_desk *d, uint64_t ticket);

/* profile_turn: from the drain's thread, often; cheap when there is nothing to do. true: an answer is ready, wake its client. profile_said: the dataplane has answered (ATTACH_SAID). */
bool profile_turn(struct profile_desk *d, struct attach *a, struct journal *j, uint64_t now_ns);
void profile_said(struct profile_desk *d, const struct attach *a, const struct stats_page *page, struct journal *j);

/* profile_status: what the page says of the profile in use, or null: {"path","started","runs","applied_ns","waiting"}. */
json_t *profile_status(const struct stats_page *page);

#endif
