#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# usage: build.sh FOLDER [OPTION OF build.mjs...]
# Installs the compilers into FOLDER/corpus (never into the source tree) and runs build.mjs from there. Exit 77 (skipped) if
# there is no node or no way to the package registry.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$1/corpus
shift
for tool in node npm tar; do
	command -v $tool >/dev/null || { echo "no $tool: skipped"; exit 77; }
done
offline() { grep -Eq 'ENOTFOUND|ECONNREFUSED|ECONNRESET|EAI_AGAIN|ETIMEDOUT|ENETUNREACH|network' "$1"; }
mkdir -p "$folder/attacks"
cp "$here"/*.mjs "$here"/*.json "$folder/"
rm -f "$folder"/attacks/*
cp "$here"/attacks/* "$folder/attacks/"
cd "$folder"
if ! cmp -s package-lock.json installed.json; then
	if ! npm ci --ignore-scripts --no-audit --no-fund --prefer-offline --fetch-retries 1 >npm.log 2>&1; then
		cat npm.log
		offline npm.log && exit 77
		exit 1
	fi
	cp package-lock.json installed.json
fi
status=0
node build.mjs "$@" 2>errors.log || status=$?
cat errors.log >&2
if [ $status -ne 0 ] && offline errors.log; then exit 77; fi
exit $status
