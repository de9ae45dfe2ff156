/* SPDX-License-Identifier: BSD-3-Clause */
/* A transaction object of any text: refused with a sentence, or consensus bytes that decode; an object without signature is claimed so. */
#include "io/txobj.h"

#include "eth/tx.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { CAP = 4096 };
	uint8_t *raw = malloc(CAP);
	struct claim c;
	struct tx t;
	char err[200];
	memset(err, 'x', sizeof err);
	int n = txobj_claimed((const char *)data, size, raw, CAP, &c, err, sizeof err);
	if (n > CAP || (n < 0 && memchr(err, 0, sizeof err) == NULL))
		abort();
	/* {"raw"} is handed on unread; what was built must decode, but for fields that the form itself does not allow */
	bool built = n > 0 && memmem(data, size, "raw", 3) == NULL && memmem(data, size, "\\u", 2) == NULL;
	if (built) {
		int rc = tx_decode((struct span){raw, (uint32_t)n}, &t);
		if (rc != 0 && rc != -TX_ERR_TO && rc != -TX_ERR_BLOB_HASHES && rc != -TX_ERR_AUTH_LIST && rc != -TX_ERR_FIELD_SIZE)
			abort();
		if (rc == 0 && (c.has & CLAIM_UNSIGNED) && (t.r.len == 0 || t.s.len == 0))
			abort();
	}
	free(raw);
	return 0;
}
