/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/keys/reader.h"

bool
reader_believe(struct reader_answer *a, const struct program_id *id)
{
	struct program *p = &a->program;
	a->err[sizeof a->err - 1] = p->go_version[sizeof p->go_version - 1] = p->format[sizeof p->format - 1] = 0;
	p->id = *id;
	if (a->rc != 0)
		return a->rc < 0 && a->err[0] != 0;
	if (p->row < 0)
		return p->row == -1 && a->err[0] != 0;
	return p->row < PROBES_ROWS && p->at.offset < id->size && (p->at.from == GOSYM_FROM_SYMTAB || p->at.from == GOSYM_FROM_PCLNTAB);
}
