/* SPDX-License-Identifier: BSD-3-Clause */
#include "rules/compile.h"

#include <hs/hs.h>
#include <stdlib.h>

void
database_platform(const char *db, size_t n, char out[BUNDLE_PLATFORM_LEN])
{
	char *info = NULL;
	memset(out, 0, BUNDLE_PLATFORM_LEN);
	if (hs_serialized_database_info(db, n, &info) == HS_SUCCESS && info != NULL)
		strncpy(out, info, BUNDLE_PLATFORM_LEN - 1);
	free(info);
}

struct expressions {
	const char **p;
	size_t *len;
	unsigned *flags, *ids;
	uint32_t n;
};

static struct expressions
gather(const struct layout *l, uint32_t db)
{
	uint32_t n = l->n_windows;
	struct expressions e = {xalloc(n * sizeof *e.p), xalloc(n * sizeof *e.len),
		xalloc(n * sizeof *e.flags), xalloc(n * sizeof *e.ids), 0};
	for (uint32_t i = 0; i < n; i++) {
		const struct window *w = &l->windows[i];
		if (w->db != db)
			continue;
		e.p[e.n] = (const char *)w->p;
		e.len[e.n] = w->len;
		/* One report is enough only if nothing is left to confirm: bytes repeated to exhaust us then
		 * cost one callback. */
		e.flags[e.n] = w->whole ? HS_FLAG_SINGLEMATCH : 0;
		e.ids[e.n++] = i;
	}
	return e;
}

bool
database_compile(const struct layout *l, uint32_t db, char **out, size_t *n)
{
	/* No feature of this machine: the bytes are the same on all, and literal scans gain nothing from
	 * them. */
	const hs_platform_info_t any = {HS_TUNE_FAMILY_GENERIC, 0, 0, 0};
	struct expressions e = gather(l, db);
	hs_database_t *made = NULL;
	hs_compile_error_t *error = NULL;
	*out = NULL;
	*n = 0;
	bool ok = e.n == 0;
	if (!ok) {
		hs_error_t rc = hs_compile_lit_multi(
			e.p, e.flags, e.ids, e.len, e.n, HS_MODE_BLOCK, &any, &made, &error);
		if (rc == HS_SUCCESS)
			rc = hs_serialize_database(made, out, n);
		ok = rc == HS_SUCCESS;
		if (!ok) {
			int k = error != NULL ? error->expression : -1;
			struct place at = k >= 0 && (uint32_t)k < e.n ? l->windows[e.ids[k]].at
								      : (struct place){"rule set", 0, 0};
			diag_error(l->s, at, "Hyperscan refuses this pattern: %s",
				error != NULL ? error->message : "no reason given");
		}
	}
	hs_free_compile_error(error);
	hs_free_database(made);
	free(e.p);
	free(e.len);
	free(e.flags);
	free(e.ids);
	return ok;
}
