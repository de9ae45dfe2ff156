#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# usage: with_npm.sh BUILD_FOLDER COMMAND...
# Installs the packages of this folder into one of the build (never into the source tree), puts the scripts that need them beside, and runs
# COMMAND with its name in NODE_FOLDER. Exit 77 (skipped) if not root, if there is no node or anvil, or no way to the package registry.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$1/live_npm
shift
if [ "$(id -u)" != 0 ]; then
	echo "not root: network namespaces are out of reach"
	exit 77
fi
for tool in node npm; do
	command -v $tool >/dev/null || { echo "no $tool: skipped"; exit 77; }
done
[ "$(uname -m)" = x86_64 ] || { echo "no anvil for this machine: skipped"; exit 77; }
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
cp "$here/package.json" "$here/package-lock.json" "$here"/*.mjs "$here/../../captures/recording/rlpx/lib.mjs" "$folder/"
# what another build has installed is good here too
for other in "$here"/../../../.build*/tests/e2e/io/live_npm; do
	if ! cmp -s "$folder/package-lock.json" "$folder/installed.json" && cmp -s "$folder/package-lock.json" "$other/installed.json"; then
		rm -rf "$folder/node_modules"
		cp -al "$other/node_modules" "$folder/" 2>/dev/null || { rm -rf "$folder/node_modules"; cp -a "$other/node_modules" "$folder/"; }
		cp "$folder/package-lock.json" "$folder/installed.json"
	fi
done
if ! cmp -s "$folder/package-lock.json" "$folder/installed.json"; then
	if ! npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --prefer-offline --fetch-retries 1 >"$folder/npm.log" 2>&1; then
		cat "$folder/npm.log"
		grep -Eq 'ENOTFOUND|ECONNREFUSED|ECONNRESET|EAI_AGAIN|ETIMEDOUT|ENETUNREACH|network' "$folder/npm.log" && exit 77
		exit 1
	fi
	cp "$folder/package-lock.json" "$folder/installed.json"
fi
NODE_FOLDER=$folder exec "$@"
