#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# usage: with_anvil.sh BUILD_FOLDER SCRIPT ARGUMENT...
# Installs anvil into a folder of the build (never into the source tree) and runs SCRIPT of this folder with the arguments and anvil's path behind
# them. Exit 77 (skipped) if there is no npm, no way to the package registry, or no anvil for this machine.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$1/anvil
script=$2
shift 2
command -v npm >/dev/null || { echo "no npm: skipped"; exit 77; }
# The binary's package by its own name: as an optional part of another, npm leaves it out where Node.js is older than 20.
[ "$(uname -m)" = x86_64 ] || { echo "no anvil for this machine: skipped"; exit 77; }
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
# one at a time: tests share the folder
exec 9>"$folder/lock"
flock 9
cp "$here/package.json" "$here/package-lock.json" "$folder/"
if ! cmp -s "$folder/package-lock.json" "$folder/installed.json"; then
	if ! npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --prefer-offline --fetch-retries 1 >"$folder/npm.log" 2>&1; then
		cat "$folder/npm.log"
		grep -Eq 'ENOTFOUND|ECONNREFUSED|ECONNRESET|EAI_AGAIN|ETIMEDOUT|ENETUNREACH|network' "$folder/npm.log" && exit 77
		exit 1
	fi
	cp "$folder/package-lock.json" "$folder/installed.json"
fi
flock -u 9
exec python3 "$here/$script" "$@" "$folder/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil" 9>&-
