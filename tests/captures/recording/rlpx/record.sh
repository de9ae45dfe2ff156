#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Records captures of devp2p sessions anew: two peers in two network namespaces, tcpdump between. Needs root, node, npm, tcpdump, ethtool.
# usage: record.sh [FOLDER [NAME...]]; NAME: rlpx, or a recording of more.mjs. Default: all, and rlpx-midstream, a cut of rlpx-bsc.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$(cd "${1:-$here/../..}" && pwd)
shift $(($# > 0))
names=("$@")
[ ${#names[@]} -gt 0 ] || names=(rlpx rlpx-bsc rlpx-eth72 rlpx-chunked rlpx-opaque rlpx-late)
work=$(mktemp -d)
client=xc$$ server=xs$$
server_pid= dump_pid=
clean() {
	[ -z "$dump_pid" ] || kill "$dump_pid" 2>/dev/null || true
	[ -z "$server_pid" ] || kill "$server_pid" 2>/dev/null || true
	wait 2>/dev/null || true
	ip netns del "$client" 2>/dev/null || true
	ip netns del "$server" 2>/dev/null || true
	rm -rf "$work"
}
trap clean EXIT
for folder in "$here" "$here/.."; do
	[ -d "$folder/node_modules" ] || npm --prefix "$folder" ci --no-audit --no-fund --ignore-scripts
done

# addresses of documentation, in namespaces without a way out; no offloads, so that the frames are as on a wire
ip netns add "$client"
ip netns add "$server"
ip link add "$client" netns "$client" mtu 1500 type veth peer name "$server" netns "$server"
i=1
for ns in "$client" "$server"; do
	ip -n "$ns" link set lo up
	ip -n "$ns" link set "$ns" address "02:00:00:00:77:0$i" mtu 1500
	ip netns exec "$ns" ethtool -K "$ns" tso off gso off gro off tx off rx off sg off >/dev/null
	ip -n "$ns" addr add "192.0.2.$i/24" dev "$ns"
	ip -n "$ns" link set "$ns" up
	i=$((i + 1))
done

wait_for() { # TEXT FILE
	for _ in $(seq 150); do
		if grep -q "$1" "$2" 2>/dev/null; then return 0; fi
		sleep 0.1
	done
	cat "$2" >&2
	exit 1
}
record() {
	local name=$1 script=more.mjs arguments=("$1" 192.0.2.2)
	if [ "$name" = rlpx ]; then script=peers.mjs arguments=(192.0.2.2); fi
	rm -f "$work"/*.log
	ip netns exec "$server" node "$script" server "${arguments[@]}" >"$work/server.log" 2>&1 &
	server_pid=$!
	wait_for listening "$work/server.log"
	ip netns exec "$server" tcpdump -i "$server" -s 0 -B 65536 -n -U --immediate-mode -Z root -w "$work/$name.pcap" tcp port 30303 \
		2>"$work/tcpdump.log" &
	dump_pid=$!
	wait_for 'listening on' "$work/tcpdump.log"
	timeout 120 ip netns exec "$client" node "$script" client "${arguments[@]}" "$work" || { cat "$work/server.log" >&2; exit 1; }
	sleep 0.7
	kill -INT "$dump_pid"
	wait "$dump_pid" || true
	kill "$server_pid"
	wait "$server_pid" 2>/dev/null || true
	dump_pid='' server_pid=''
	grep -q '^0 packets dropped' "$work/tcpdump.log"
	if [ "$(wc -l <"$work/server.log")" -gt 1 ]; then cat "$work/server.log" >&2; fi
	mv "$work/$name.pcap" "$work/$name.expected.json" "$work/$name.keys.json" "$out/"
	if [ "$name" = rlpx-bsc ]; then python3 "$here/cut.py" rlpx-midstream rlpx-bsc 0.35 "$out"; fi
}
cd "$here"
for name in "${names[@]}"; do record "$name"; done
