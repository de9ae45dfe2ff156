#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# usage: calls_diff.sh BUILD_FOLDER CALLS_DUMP [OPTION OF calls_diff.mjs AND calls_recall.mjs...]
# As ethers_diff.sh, whose folder and ethers it shares not, since tests run side by side.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$1/calls_diff
dump=$(realpath "$2")
shift 2
for tool in node npm; do
	command -v $tool >/dev/null || { echo "no $tool: skipped"; exit 77; }
done
mkdir -p "$folder"
cp "$here/package.json" "$here/package-lock.json" "$here/calls_diff.mjs" "$here/calls_recall.mjs" "$folder/"
cd "$folder"
if ! cmp -s package-lock.json installed.json; then
	if ! npm ci --ignore-scripts --no-audit --no-fund --prefer-offline --fetch-retries 1 >npm.log 2>&1; then
		cat npm.log
		grep -Eq 'ENOTFOUND|ECONNREFUSED|ECONNRESET|EAI_AGAIN|ETIMEDOUT|ENETUNREACH|network' npm.log && exit 77
		exit 1
	fi
	cp package-lock.json installed.json
fi
node calls_diff.mjs --dump "$dump" "$@"
node calls_recall.mjs --dump "$dump" "$@"
