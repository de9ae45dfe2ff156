/* SPDX-License-Identifier: BSD-3-Clause */
/* log: what a program that runs for years says on stderr. One message, one line, one write; the name of the program before it; a
 * priority for journald when stderr is its stream; nothing in it that a terminal or a log reader would obey; and no kind of message
 * more often than its bucket allows, so that nobody on the wire can fill a disk by repeating himself. Thread-safe; not for workers. */
#ifndef ABI_LOG_H
#define ABI_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_LINE_MAX 1024u /* bytes, priority and line feed included; what is longer ends in ... */
#define LOG_BURST 10u	    /* messages of a kind at once */
#define LOG_EVERY_NS 6000000000ull /* and then one each so often */

/* As in syslog(3). */
enum log_weight { LOG_FAULT = 3, LOG_WARN = 4, LOG_NOTE = 5, LOG_TOLD = 6 };

/* A kind of message: of static storage, zeroed. */
struct log_kind {
	uint64_t filled_ns;
	uint32_t spent;
	uint64_t left_out; /* since the last line of this kind */
};

/* log_begin: program of static lifetime. Looks whether stderr is journald's (JOURNAL_STREAM). Without it messages have no name. */
void log_begin(const char *program);

/* log_say writes a line. kind NULL: always. A line after some that were left out says how many. */
__attribute__((format(printf, 3, 4))) void log_say(struct log_kind *kind, enum log_weight weight, const char *fmt, ...);

/* LOG: each place in the source is a kind of its own. */
#define LOG(weight, ...)                                                                                                              \
	do {                                                                                                                           \
		static struct log_kind log_kind_here;                                                                                  \
		log_say(&log_kind_here, weight, __VA_ARGS__);                                                                          \
	} while (0)

/* log_admit: may a message of this kind go out at this time (monotonic)? If so *left_out is how many before it did not. */
bool log_admit(struct log_kind *kind, uint64_t now_ns, uint64_t *left_out);

/* log_escape copies text so that it is one line of printable ASCII: a control character, DEL, a backslash before an x, or a byte
 * above 126 becomes \xHH. Returns the length written, at most cap - 1; what does not fit is replaced by "...". cap >= 8. */
size_t log_escape(char *out, size_t cap, const char *text);

#endif
