/* SPDX-License-Identifier: BSD-3-Clause */
/* status_json: integers as the status has them, decimal strings: many do not fit into what JSON readers take for a number. New references, or NULL
 * if there is no memory; members that cannot be set for that reason are left out. */
#ifndef CONTROL_STATUS_JSON_H
#define CONTROL_STATUS_JSON_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

json_t *status_json_num(uint64_t v);
json_t *status_json_signed(int64_t v);
void status_json_set(json_t *o, const char *key, uint64_t v);
/* n <= 38 bytes */
void status_json_set_hex(json_t *o, const char *key, const uint8_t *p, size_t n);

#endif
