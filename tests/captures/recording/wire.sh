# SPDX-License-Identifier: BSD-3-Clause
# A wire to record on, for the record.sh of each feed: two network namespaces, $client (192.0.2.1) and $server (192.0.2.2), tcpdump between,
# and $work, a folder for what is under way. Needs root, tcpdump, ethtool. Source it; all it started ends with the script.
work=$(mktemp -d)
client=wc$$ server=ws$$
server_pid='' dump_pid=''
clean() {
	[ -z "$dump_pid" ] || kill "$dump_pid" 2>/dev/null || true
	[ -z "$server_pid" ] || kill "$server_pid" 2>/dev/null || true
	wait 2>/dev/null || true
	ip netns del "$client" 2>/dev/null || true
	ip netns del "$server" 2>/dev/null || true
	rm -rf "$work"
}
trap clean EXIT

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

serve() { # COMMAND...: until it says that it is listening
	rm -f "$work/server.log"
	ip netns exec "$server" "$@" >"$work/server.log" 2>&1 &
	server_pid=$!
	wait_for listening "$work/server.log"
}

dump() { # NAME PORT: into $work/NAME.pcap
	rm -f "$work/tcpdump.log"
	ip netns exec "$server" tcpdump -i "$server" -s 0 -B 65536 -n -U --immediate-mode -Z root -w "$work/$1.pcap" tcp port "$2" \
		2>"$work/tcpdump.log" &
	dump_pid=$!
	wait_for 'listening on' "$work/tcpdump.log"
}

talk() { # COMMAND...: what the client does
	timeout 120 ip netns exec "$client" "$@" || { cat "$work/server.log" >&2; exit 1; }
}

dump_end() { # nothing may have been dropped
	sleep 0.7
	kill -INT "$dump_pid"
	wait "$dump_pid" || true
	dump_pid=''
	kill "$server_pid"
	wait "$server_pid" 2>/dev/null || true
	server_pid=''
	grep -q '^0 packets dropped' "$work/tcpdump.log"
}
