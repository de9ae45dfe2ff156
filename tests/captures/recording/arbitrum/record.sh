#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Records tests/captures/arbitrum.pcap anew: a feed relay in one network namespace, a client in another. Needs root, node, npm, tcpdump, ethtool.
# usage: record.sh [FOLDER]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$(cd "${1:-$here/../..}" && pwd)
[ -d "$here/../node_modules" ] || npm --prefix "$here/.." ci --no-audit --no-fund
. "$here/../wire.sh"

cd "$here"
serve node feed.mjs relay 192.0.2.2 9642 "$work"
dump arbitrum 9642
talk node feed.mjs client ws://192.0.2.2:9642 "$work"
dump_end
mv "$work/arbitrum.pcap" "$work/arbitrum.expected.json" "$out/"
