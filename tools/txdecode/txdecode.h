/* SPDX-License-Identifier: BSD-3-Clause */
/* txdecode: `sentinelctl tx decode`: transactions in hex, one a line, to JSON, one a line. */
#ifndef TOOLS_TXDECODE_H
#define TOOLS_TXDECODE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TXDECODE_LINE_MAX (2u * 2621440u + 64u) /* hex of the longest transaction, 0x, blanks */

/* txdecode_line decodes one line (blanks around it and 0x before it allowed) and prints one JSON object and a
 * newline:
 * {"ok":true, fields..., "hash", "from" (also as "sender"), "valid", "invalid_reason", "swaps" (put.h)} or
 * {"ok":false,"error":...}. chain 0: any. raw: room for TXDECODE_LINE_MAX / 2 bytes. Returns 0 if the line
 * decodes, else -EINVAL. */
int txdecode_line(const char *line, size_t len, uint64_t chain, uint8_t *raw, FILE *out);

/* cmd_tx_decode: argv[0] is "decode". Reads stdin, writes stdout; exit status 0 if all input could be read
 * and all output written (a line that does not decode is an answer, not a failure), 1 if not, 2 for a wrong
 * command line. */
int cmd_tx_decode(int argc, char **argv);

#endif
