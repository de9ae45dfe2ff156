/* SPDX-License-Identifier: BSD-3-Clause */
/* confine_lines: the short words of which a table for confine is written, for the one file that holds it: USUAL, SOME and RARE after how
 * often a line is needed (enum confine_need). Behind call and reason come the conditions, CONFINE_ARG and its like; none: with any arguments. */
#ifndef ABI_CONFINE_LINES_H
#define ABI_CONFINE_LINES_H

#include "abi/confine.h"

#define USUAL(call, why, ...) {call, 0, CONFINE_USUAL, 0, NULL, {__VA_ARGS__}, why}
#define SOME(call, why, ...) {call, 0, CONFINE_SOME, 0, NULL, {__VA_ARGS__}, why}
#define RARE(call, why, ...) {call, 0, CONFINE_RARE, 0, NULL, {__VA_ARGS__}, why}

#endif
