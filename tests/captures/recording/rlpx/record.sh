#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Records captures of devp2p sessions anew: two peers in two network namespaces. Needs root, node, npm, tcpdump, ethtool.
# usage: record.sh [FOLDER [NAME...]]; NAME: rlpx, or a recording of more.mjs. Default: all, and rlpx-midstream, a cut of rlpx-bsc.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$(cd "${1:-$here/../..}" && pwd)
shift $(($# > 0))
names=("$@")
[ ${#names[@]} -gt 0 ] || names=(rlpx rlpx-bsc rlpx-eth72 rlpx-chunked rlpx-opaque rlpx-late)
for folder in "$here" "$here/.."; do
	[ -d "$folder/node_modules" ] || npm --prefix "$folder" ci --no-audit --no-fund --ignore-scripts
done
. "$here/../wire.sh"

record() {
	local name=$1 script=more.mjs arguments=("$1" 192.0.2.2)
	if [ "$name" = rlpx ]; then script=peers.mjs arguments=(192.0.2.2); fi
	serve node "$script" server "${arguments[@]}"
	dump "$name" 30303
	talk node "$script" client "${arguments[@]}" "$work"
	dump_end
	if [ "$(wc -l <"$work/server.log")" -gt 1 ]; then cat "$work/server.log" >&2; fi
	mv "$work/$name.pcap" "$work/$name.expected.json" "$work/$name.keys.json" "$out/"
	if [ "$name" = rlpx-bsc ]; then python3 "$here/cut.py" rlpx-midstream rlpx-bsc 0.35 "$out"; fi
}
cd "$here"
for name in "${names[@]}"; do record "$name"; done
