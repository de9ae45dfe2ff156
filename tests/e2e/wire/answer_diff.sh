#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# usage: answer_diff.sh BUILD_FOLDER ANSWERDUMP [OPTION OF answer_diff.mjs...]
# Installs ethers into a folder of the build (never into the source tree) and runs the comparison from there. Exit 77 (skipped)
# if there is no node or no way to the package registry.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$1/answer_diff
answerdump=$(realpath "$2")
shift 2
for tool in node npm; do
	command -v $tool >/dev/null || { echo "no $tool: skipped"; exit 77; }
done
mkdir -p "$folder"
for file in package.json package-lock.json; do cp "$here/../eth/$file" "$folder/"; done
cp "$here/answer_diff.mjs" "$folder/"
cd "$folder"
if ! cmp -s package-lock.json installed.json; then
	if ! npm ci --ignore-scripts --no-audit --no-fund --prefer-offline --fetch-retries 1 >npm.log 2>&1; then
		cat npm.log
		grep -Eq 'ENOTFOUND|ECONNREFUSED|ECONNRESET|EAI_AGAIN|ETIMEDOUT|ENETUNREACH|network' npm.log && exit 77
		exit 1
	fi
	cp package-lock.json installed.json
fi
exec node answer_diff.mjs --answerdump "$answerdump" "$@"
