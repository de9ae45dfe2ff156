#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Records tests/captures/grpc-erigon.pcap and grpc-midstream.pcap anew: a gRPC server and its client in two network namespaces. Needs root, node,
# npm, tcpdump, ethtool.
# usage: record.sh [FOLDER]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$(cd "${1:-$here/../..}" && pwd)
[ -d "$here/node_modules" ] || npm --prefix "$here" ci --no-audit --no-fund --ignore-scripts
. "$here/../wire.sh"

cd "$here"
serve node peers.mjs server 192.0.2.2
dump grpc-erigon 9090
talk node peers.mjs client 192.0.2.2 "$work"
dump_end
mv "$work/grpc-erigon.pcap" "$work/grpc-erigon.expected.json" "$out/"
node cut.mjs grpc-midstream grpc-erigon 0.35 "$out"
