#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Records tests/captures/grpc-erigon.pcap and grpc-midstream.pcap anew: a gRPC server and its client in two network namespaces, tcpdump between. Needs root, node, npm, tcpdump, ethtool.
# usage: record.sh [FOLDER]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$(cd "${1:-$here/../..}" && pwd)
work=$(mktemp -d)
client=gc$$ server=gs$$
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
[ -d "$here/node_modules" ] || npm --prefix "$here" ci --no-audit --no-fund --ignore-scripts

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
cd "$here"
ip netns exec "$server" node peers.mjs server 192.0.2.2 >"$work/server.log" 2>&1 &
server_pid=$!
wait_for listening "$work/server.log"
ip netns exec "$server" tcpdump -i "$server" -s 0 -B 65536 -n -U --immediate-mode -Z root -w "$work/grpc-erigon.pcap" tcp port 9090 2>"$work/tcpdump.log" &
dump_pid=$!
wait_for 'listening on' "$work/tcpdump.log"
timeout 120 ip netns exec "$client" node peers.mjs client 192.0.2.2 "$work"
sleep 0.7
kill -INT "$dump_pid"
wait "$dump_pid" || true
dump_pid=
grep -q '^0 packets dropped' "$work/tcpdump.log"
mv "$work/grpc-erigon.pcap" "$work/grpc-erigon.expected.json" "$out/"
(cd "$here" && node cut.mjs grpc-midstream grpc-erigon 0.35 "$out")
