/* SPDX-License-Identifier: BSD-3-Clause */
/* shm: memory files (memfd) sealed the ways the contracts want. */
#ifndef ABI_SHM_H
#define ABI_SHM_H

#include <stddef.h>
#include <stdint.h>

/* shm_create_oneway makes a memory file of `bytes`, maps it read-write for the caller and then seals it
 * FUTURE_WRITE|SHRINK|GROW|SEAL: whoever gets the fd can map it read-only and nothing else. Returns the
 * mapping and *fd, or NULL + errno. */
void *shm_create_oneway(const char *name, size_t bytes, int *fd);
/* shm_create_shared: the same, but others may map it read-write (SHRINK|GROW|SEAL). */
void *shm_create_shared(const char *name, size_t bytes, int *fd);
/* shm_create_fixed copies `data` into a memory file and seals it whole (WRITE|SHRINK|GROW|SEAL). fd or
 * -errno. */
int shm_create_fixed(const char *name, const void *data, size_t bytes);
/* shm_has_seals: 0 if fd is a memory file with all of `seals`, else -EPROTO. */
int shm_has_seals(int fd, unsigned seals);
/* shm_map_fixed maps a wholly sealed file read-only, 1 <= size <= max. Mapping + *bytes, or NULL + errno
 * (EPROTO: not wholly sealed, its content could still change). */
const void *shm_map_fixed(int fd, size_t max, size_t *bytes);

#endif
