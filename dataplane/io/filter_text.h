/* SPDX-License-Identifier: BSD-3-Clause */
/* filter_text: a filter's elements as people write them: in the profile and on the command line of sentinel-tap. */
#ifndef IO_FILTER_TEXT_H
#define IO_FILTER_TEXT_H

#include "worker/filter.h"

#include <stddef.h>

/* An IPv4 or IPv6 address or prefix ("192.0.2.2", "10.0.0.0/8", "2001:db8::/32"). 0, or -EINVAL with what it must be in err (bits set behind
 * the prefix are refused: somebody meant something else). */
int filter_text_prefix(const char *text, struct filter_prefix *out, char *err, size_t err_cap);

/* Each adds one element to its list. 0, or -EINVAL (not one, or there already) or -E2BIG, with a sentence in err. */
int filter_text_port(struct filter *f, const char *text, char *err, size_t err_cap);
int filter_text_address(struct filter *f, const char *text, char *err, size_t err_cap);
int filter_text_vlan(struct filter *f, const char *text, char *err, size_t err_cap);
int filter_text_tunnel(struct filter *f, const char *text, char *err, size_t err_cap);

/* filter_text_list adds the elements of "a,b,c" by one of the above; the first that does not fit ends it. */
int filter_text_list(struct filter *f, const char *text, int (*add)(struct filter *, const char *, char *, size_t), char *err, size_t err_cap);

#define FILTER_TEXT_PREFIX 52u
/* filter_text_show writes a prefix as it would be given. */
void filter_text_show(const struct filter_prefix *p, char out[FILTER_TEXT_PREFIX]);

/* filter_text_print writes the filter in one line ("ports 8545 30303, addresses 192.0.2.2, any VLAN"). Cut to cap. */
void filter_text_print(const struct filter *f, char *out, size_t cap);

#endif
