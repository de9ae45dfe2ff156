#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# with_huge_pages.sh N COMMAND...: runs COMMAND with at least N free huge pages of 2 MiB, and gives back what it reserved. Skips
# (77) where that takes a right that this user does not have.
want=$1
shift
free() { awk '/HugePages_Free/ { print $2 }' /proc/meminfo; }
had=$(cat /proc/sys/vm/nr_hugepages 2>/dev/null) || had=0
if [ "$(id -u)" != 0 ]; then
	echo "not root: network namespaces, AF_XDP and huge pages are out of reach"
	exit 77
fi
missing=$((want - $(free)))
if [ $missing -gt 0 ]; then
	echo $((had + missing)) >/proc/sys/vm/nr_hugepages
	trap 'echo "$had" >/proc/sys/vm/nr_hugepages' EXIT
	trap 'exit 130' INT TERM HUP
fi
[ "$(free)" -ge "$want" ] || { echo "the kernel has no $want free huge pages, even for root"; exit 1; }
"$@"
