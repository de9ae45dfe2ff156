#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# usage: subscribe_anvil.sh BUILD_FOLDER SENTINELCTL
# Installs anvil into a folder of the build (never into the source tree) and runs subscribe_anvil.py with it. Exit 77 (skipped) if
# there is no npm, no way to the package registry, or no anvil for this machine.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$1/subscribe_anvil
ctl=$(realpath "$2")
command -v npm >/dev/null || { echo "no npm: skipped"; exit 77; }
# The binary's package by its own name: as an optional part of another, npm leaves it out where Node.js is older than 20.
[ "$(uname -m)" = x86_64 ] || { echo "no anvil for this machine: skipped"; exit 77; }
mkdir -p "$folder"
cp "$here/package.json" "$here/package-lock.json" "$folder/"
cd "$folder"
if ! cmp -s package-lock.json installed.json; then
	if ! npm ci --ignore-scripts --no-audit --no-fund --prefer-offline --fetch-retries 1 >npm.log 2>&1; then
		cat npm.log
		grep -Eq 'ENOTFOUND|ECONNREFUSED|ECONNRESET|EAI_AGAIN|ETIMEDOUT|ENETUNREACH|network' npm.log && exit 77
		exit 1
	fi
	cp package-lock.json installed.json
fi
exec python3 "$here/subscribe_anvil.py" "$ctl" node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil
