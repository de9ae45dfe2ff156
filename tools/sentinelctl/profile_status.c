/* SPDX-License-Identifier: BSD-3-Clause */
#include "sentinelctl/profile_status.h"

#include "sentinelctl/status_coverage.h"

#include <errno.h>
#include <inttypes.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void
profile_digest(const char *text, size_t n, char out[65])
{
	struct sha256_ctx sha;
	uint8_t digest[SHA256_DIGEST_SIZE];
	sha256_init(&sha);
	sha256_update(&sha, n, (const uint8_t *)text);
	sha256_digest(&sha, sizeof digest, digest);
	for (unsigned i = 0; i < sizeof digest; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

long
profile_read(const char *path, char *text)
{
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return -errno;
	errno = 0;
	size_t n = fread(text, 1, PROFILE_FILE_MAX + 1, f);
	int rc = ferror(f) ? (errno != 0 ? -errno : -EIO) : 0;
	fclose(f);
	if (rc == 0 && n > PROFILE_FILE_MAX)
		rc = -EFBIG;
	return rc != 0 ? rc : (long)n;
}

static const char *
text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

enum profile_disk
profile_on_disk(const json_t *profile, const char *digest)
{
	static char text[PROFILE_FILE_MAX + 1];
	char there[65];
	const char *path = text_of(profile, "path"), *runs = digest != NULL ? digest : text_of(profile, "runs");
	if (path == NULL)
		return PROFILE_DISK_NONE;
	long n = profile_read(path, text);
	if (n < 0 || runs == NULL)
		return PROFILE_DISK_UNKNOWN;
	profile_digest(text, (size_t)n, there);
	return strcmp(there, runs) == 0 ? PROFILE_DISK_SAME : PROFILE_DISK_OTHER;
}

static void
print_when(const char *ns, FILE *out)
{
	char day[32] = "?";
	time_t t = (time_t)(strtoull(ns != NULL ? ns : "0", NULL, 10) / 1000000000u);
	struct tm tm;
	if (gmtime_r(&t, &tm) != NULL)
		strftime(day, sizeof day, "%Y-%m-%d %H:%M:%S", &tm);
	fputs(day, out);
}

void
profile_status_print(const json_t *status, FILE *out)
{
	const json_t *p = json_object_get(json_object_get(status, "dataplane"), "profile");
	const char *path = text_of(p, "path");
	bool changed = status_num(p, "applied_ns") != 0;
	if (!json_is_object(p) || (path == NULL && !changed))
		return;
	fprintf(out, "profile    %s, ", path != NULL ? path : "none at start");
	if (changed) {
		fputs("changed while running at ", out);
		print_when(text_of(p, "applied_ns"), out);
	} else {
		fputs("as at start", out);
	}
	if (status_num(p, "waiting") > 0)
		fprintf(out, "; %" PRIu64 " of its fields wait for a restart", status_num(p, "waiting"));
	fputc('\n', out);
	switch (profile_on_disk(p, NULL)) {
	case PROFILE_DISK_OTHER:
		fputs("           THE FILE DIFFERS from what runs: a restart of the dataplane would change the box (sentinelctl profile apply FILE)\n", out);
		break;
	case PROFILE_DISK_NONE:
		fputs("           A RESTART of the dataplane forgets it: it was started without --profile\n", out);
		break;
	case PROFILE_DISK_SAME:
	case PROFILE_DISK_UNKNOWN:
		break;
	}
}

static void
print_times(const json_t *blind, const char *who, const char *name, FILE *out)
{
	const json_t *t = json_object_get(blind, who);
	uint64_t n = status_num(t, "count"), total = status_num(t, "total_ms"), last = status_num(t, "last_ms");
	if (n == 0) {
		fprintf(out, "%s never", name);
		return;
	}
	fprintf(out, "%s %" PRIu64 " time%s, %" PRIu64 ".%03u s in all (last %" PRIu64 ".%03u s, at ", name, n, n == 1 ? "" : "s", total / 1000,
		(unsigned)(total % 1000), last / 1000, (unsigned)(last % 1000));
	print_when(text_of(t, "last_at_ns"), out);
	fputc(')', out);
}

void
blind_status_print(const json_t *status, FILE *out)
{
	const json_t *b = json_object_get(status, "blind");
	if (!json_is_object(b))
		return;
	fputs("away       ", out);
	print_times(b, "dataplane", "dataplane (nothing judged)", out);
	fputs("; ", out);
	print_times(b, "control", "control (alerts wait)", out);
	fputs(json_is_false(json_object_get(b, "kept")) ? "; NOT KEPT over restarts\n" : "\n", out);
}
