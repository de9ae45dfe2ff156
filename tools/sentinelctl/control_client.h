/* SPDX-License-Identifier: BSD-3-Clause */
/* control_client: speaks to sentinel-control over its socket (control/deliver/line.h): a line of JSON each
 * way. */
#ifndef SENTINELCTL_CONTROL_CLIENT_H
#define SENTINELCTL_CONTROL_CLIENT_H

#include <jansson.h>
#include <stddef.h>

#define CONTROL_SOCKET_DEFAULT "/run/sentinel/control.sock"
#define CONTROL_ANSWER_S 10 /* twice what control itself waits for a dataplane */

struct control_client {
	int fd;
	char *buf;
	size_t at, n, cap;
};

/* control_client_open: 0, or -errno with nothing printed. An answer is waited for CONTROL_ANSWER_S. */
int control_client_open(struct control_client *c, const char *path);
/* control_client_patient: from here on it is waited for as long as it takes; what comes are events, or what has to be looked for in a large journal. */
void control_client_patient(struct control_client *c);
void control_client_close(struct control_client *c);
/* control_client_complain prints to stderr why `path` could not be opened, and what to do. */
void control_client_complain(const char *path, int err);
/* control_client_silent prints to stderr why no answer came, by what control_client_line or _ask returned (0 or below), and what to do; nothing if tool_stop is why. */
void control_client_silent(const char *path, int rc);

/* control_client_ask sends one request; takes the reference. 0 or -errno. */
int control_client_ask(struct control_client *c, json_t *request);
/* control_client_line waits for a line; it is zero-terminated, without newline, valid until the next call. 1;
 * 0: control has hung up; -errno (-EINTR: a signal came; -EAGAIN: no answer in time; -EMSGSIZE: no event is that long). */
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
