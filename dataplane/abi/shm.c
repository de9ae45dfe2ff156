/* SPDX-License-Identifier: BSD-3-Clause */
#include "abi/shm.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#endif
#define SEALS_FIXED_SIZE (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

static int
close_with(int fd, int err)
{
	close(fd);
	return -err;
}

/* Memory is taken now: a page that cannot be had later would be a SIGBUS on a worker. */
static int
memfd_of(const char *name, size_t bytes)
{
	if (bytes == 0 || bytes > (size_t)INT64_MAX)
		return -EINVAL;
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
	if (fd < 0 && errno == EINVAL) /* a kernel before 6.3 */
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	int rc;
	do
		rc = fallocate(fd, 0, 0, (off_t)bytes);
	while (rc != 0 && errno == EINTR);
	if (rc != 0)
		return close_with(fd, errno);
	return fd;
}

static void *
create_mapped(const char *name, size_t bytes, int seals, int *fd_out)
{
	int fd = memfd_of(name, bytes);
	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	/* The writable mapping must exist before the seal: after it nobody gets one. Populated, so that
	 * the first write to a page does not enter the kernel. */
	void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (map == MAP_FAILED) {
		errno = -close_with(fd, errno);
		return NULL;
	}
	if (fcntl(fd, F_ADD_SEALS, seals) != 0) {
		int err = errno;
		munmap(map, bytes);
		errno = -close_with(fd, err);
		return NULL;
	}
	*fd_out = fd;
	return map;
}

void *
shm_create_oneway(const char *name, size_t bytes, int *fd)
{
	return create_mapped(name, bytes, F_SEAL_FUTURE_WRITE | SEALS_FIXED_SIZE, fd);
}

void *
shm_create_shared(const char *name, size_t bytes, int *fd)
{
	return create_mapped(name, bytes, SEALS_FIXED_SIZE, fd);
}

int
shm_create_fixed(const char *name, const void *data, size_t bytes)
{
	int fd = memfd_of(name, bytes);
	if (fd < 0)
		return fd;
	for (size_t done = 0; done < bytes;) {
		ssize_t n = write(fd, (const char *)data + done, bytes - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return close_with(fd, n < 0 ? errno : EIO);
		done += (size_t)n;
	}
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | SEALS_FIXED_SIZE) != 0)
		return close_with(fd, errno);
	return fd;
}

int
shm_has_seals(int fd, unsigned seals)
{
	int have = fcntl(fd, F_GET_SEALS);
	return have >= 0 && ((unsigned)have & seals) == seals ? 0 : -EPROTO;
}

const void *
shm_map_fixed(int fd, size_t max, size_t *bytes)
{
	struct stat st;
	if (shm_has_seals(fd, F_SEAL_WRITE | SEALS_FIXED_SIZE) != 0 || fstat(fd, &st) != 0) {
		errno = EPROTO;
		return NULL;
	}
	if (st.st_size < 1 || (uint64_t)st.st_size > max) {
		errno = EFBIG;
		return NULL;
	}
	/* Private: kernels before 6.7 refuse a shared mapping of a write-sealed file, even a read-only one. */
	void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (map == MAP_FAILED)
		return NULL;
	*bytes = (size_t)st.st_size;
	return map;
}
