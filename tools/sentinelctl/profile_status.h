/* SPDX-License-Identifier: BSD-3-Clause */
/* profile_status: which profile a running box has, against the file on this machine's disk, and how long nobody looked: for `sentinelctl profile` and
 * `sentinelctl status`. */
#ifndef SENTINELCTL_PROFILE_STATUS_H
#define SENTINELCTL_PROFILE_STATUS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define PROFILE_FILE_MAX 65536u

/* What a restart of the dataplane would bring. */
enum profile_disk {
	PROFILE_DISK_SAME,    /* what runs */
	PROFILE_DISK_OTHER,   /* something else: an older profile, or one that was not applied yet */
	PROFILE_DISK_UNKNOWN, /* the file cannot be read from here */
	PROFILE_DISK_NONE     /* the dataplane was started without one */
};

/* profile_digest: SHA-256 in hex. */
void profile_digest(const char *text, size_t n, char out[65]);
/* profile_read: a file of at most PROFILE_FILE_MAX bytes; text[PROFILE_FILE_MAX + 1]. Its length, or -errno. */
long profile_read(const char *path, char *text);
/* profile_on_disk compares the file that the dataplane was started with, as `profile` (control's dataplane.profile) names it, with the text of this
 * digest; NULL: with what runs. */
enum profile_disk profile_on_disk(const json_t *profile, const char *digest);

/* profile_status_print, blind_status_print: a line or two of the screen, from control's status object; nothing if it has none. */
void profile_status_print(const json_t *status, FILE *out);
void blind_status_print(const json_t *status, FILE *out);

#endif
