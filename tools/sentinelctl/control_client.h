/* SPDX-License-Identifier: BSD-3-Clause */
/* control_client: speaks to sentinel-control over its socket (control/deliver/line.h): a line of JSON each
 * way. */
#ifndef SENTINELCTL_CONTROL_CLIENT_H
#define SENTINELCTL_CONTROL_CLIENT_H

#include <jansson.h>
#include <stddef.h>

#define CONTROL_SOCKET_DEFAULT "/run/sentinel/control.sock"

struct control_client {
	int fd;
	char *buf;
	size_t at, n, cap;
};

/* control_client_open: 0, or -errno with nothing printed. */
int control_client_open(struct control_client *c, const char *path);
void control_client_close(struct control_client *c);
/* control_client_complain prints to stderr why `path` could not be opened, and what to do. */
void control_client_complain(const char *path, int err);

/* control_client_ask sends one request; takes the reference. 0 or -errno. */
int control_client_ask(struct control_client *c, json_t *request);
/* control_client_line waits for a line; it is zero-terminated, without newline, valid until the next call. 1;
 * 0: control has hung up; -errno (-EINTR: a signal came; -EMSGSIZE: no event is that long). */
int control_client_line(struct control_client *c, char **line);

/* control_client_once opens `path` (c is the caller's to close), asks (takes the reference) and waits for the answer, as control_client_line hands it over. 1, or
 * a value below it: after a sentence on stderr, unless tool_stop is why. */
int control_client_once(struct control_client *c, const char *path, json_t *request, char **line);

/* control_client_refused: if o is control's {"error":...}, prints it with what to do and returns 1, else 0.
 */
int control_client_refused(const json_t *o);

/* control_text: the string o.key, or `none`. */
const char *control_text(const json_t *o, const char *key, const char *none);

#endif
