/* SPDX-License-Identifier: BSD-3-Clause */
/* `sentinelctl tx decode` alone: what the tests of it run, with the arguments that follow "decode". */
#include "txdecode/txdecode.h"

int
main(int argc, char **argv)
{
	return cmd_tx_decode(argc, argv);
}
