/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/status_json.h"

#include <inttypes.h>
#include <stdio.h>

json_t *
status_json_num(uint64_t v)
{
	char s[24];
	snprintf(s, sizeof s, "%" PRIu64, v);
	return json_string(s);
}

json_t *
status_json_signed(int64_t v)
{
	char s[24];
	snprintf(s, sizeof s, "%" PRId64, v);
	return json_string(s);
}

void
status_json_set(json_t *o, const char *key, uint64_t v)
{
	json_object_set_new(o, key, status_json_num(v));
}

void
status_json_set_hex(json_t *o, const char *key, const uint8_t *p, size_t n)
{
	char s[80];
	for (size_t i = 0; i < n && 2 * i + 3 <= sizeof s; i++)
		snprintf(s + 2 * i, 3, "%02x", p[i]);
	json_object_set_new(o, key, json_string(s));
}
