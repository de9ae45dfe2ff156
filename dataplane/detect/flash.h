/* SPDX-License-Identifier: BSD-3-Clause */
/* flash: who lends within one transaction, by selector and by address. One table, keyed by abi/alert.h's enum alert_provider; every selector stands
 * beside its signature, and a test hashes them all. Read-only from before main on: any thread may ask at any time. */
#ifndef DETECT_FLASH_H
#define DETECT_FLASH_H

#include "abi/alert.h"
#include "abi/span.h"

#include <stdbool.h>
#include <stdint.h>

enum flash_role {
	FLASH_ENTRY,	    /* what borrows */
	FLASH_CALLBACK,	    /* what the lender calls */
	FLASH_HELPER,	    /* called within the loan; of a lender that calls back with whatever it is told, it stands for the callback */
	FLASH_SWAP_ENTRY,   /* a pool's swap that pays out before it is paid: any swapper calls it, so it is weaker evidence */
	FLASH_SWAP_CALLBACK,
	FLASH_ROLES
};

struct flash_selector {
	uint32_t selector;
	uint32_t families;	       /* bits: providers that share an interface are one family (Aave's three, all ERC-3156 lenders) */
	uint64_t providers[FLASH_ROLES]; /* masks of 1 << enum alert_provider */
};

/* flash_selector: what a selector (its 4 bytes as a big-endian number) means to whom; NULL: nothing. O(1). Static lifetime. */
const struct flash_selector *flash_selector(uint32_t selector);

/* flash_address: providers at this address (singletons: vaults, pools, managers; not the pools of a factory, nor its address). O(1). */
uint64_t flash_address(const uint8_t address[20]);

/* flash_address_at: as flash_address, of the bytes at p: an address as code holds it, whose leading zero bytes may be missing. `left`: bytes that can be
 * read. Needs at least 15 equal bytes. O(1). */
uint64_t flash_address_at(const uint8_t *p, uint32_t left);

/* flash_addresses_in: flash_address_at of every place in it. About a nanosecond a byte. */
uint64_t flash_addresses_in(struct span bytes);

/* flash_takes: of `entries` called and `helpers` called beside `callbacks` served (masks of providers): those a loan can be taken from. */
uint64_t flash_takes(uint64_t entries, uint64_t callbacks, uint64_t helpers);

/* flash_any_callback: providers that call back with whatever they are told. */
uint64_t flash_any_callback(void);

/* For tests and docs: the rows as written, NULL behind the last. */
struct flash_row {
	const char *signature;
	uint32_t selector;
	uint8_t role; /* enum flash_role */
	uint8_t family;
	uint64_t providers;
};
const struct flash_row *flash_row(unsigned i);
struct flash_place {
	uint8_t address[20];
	uint8_t provider;
};
const struct flash_place *flash_place(unsigned i);

#endif
