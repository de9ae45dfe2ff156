/* SPDX-License-Identifier: BSD-3-Clause */
/* What drivers do through DPDK while the box runs, under the sandbox's filter: a thread is refused as an error, and what is said goes to stderr. The process lives. */
#include "io/eal.h"
#include "io/sandbox.h"

#include <rte_lcore.h>
#include <rte_log.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void *
nothing(void *arg)
{
	return arg;
}

/* As ixgbe looks at a fibre link that is down. */
static int
driver(void)
{
	struct topology t;
	pthread_t thread;
	char err[512];
	topology_default(&t);
	t.main_cpu = t.correlator_cpu = t.worker_cpu[0] = 0;
	t.memory_mb = 16;
	if (eal_start(&t, err, sizeof err) != 0 || confine_drop(NULL, err, sizeof err) != 0 || confine_calls(&sandbox_table, SANDBOX_PCI, err, sizeof err) != 0) {
		fprintf(stderr, "%s\n", err);
		return 1;
	}
	if (rte_ctrl_thread_create(&thread, "link-handler", NULL, nothing, NULL) != -EAGAIN)
		return 2;
	rte_log(RTE_LOG_ERR, RTE_LOGTYPE_USER1, "no thread for the link\n");
	return 0;
}

static void
test_drivers_go_on(void **state)
{
	int fd[2], status;
	char said[4096];
	size_t n = 0;
	(void)state;
	assert_int_equal(pipe(fd), 0);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(fd[1], STDERR_FILENO);
		close(fd[0]);
		close(fd[1]);
		_exit(driver());
	}
	close(fd[1]);
	for (ssize_t got; n < sizeof said - 1 && (got = read(fd[0], said + n, sizeof said - 1 - n)) > 0;)
		n += (size_t)got;
	said[n] = '\0';
	close(fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("%d: %s", status, said);
	assert_non_null(strstr(said, "no thread for the link\n"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_drivers_go_on)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
