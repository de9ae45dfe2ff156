#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# usage: ethers_diff.sh BUILD_FOLDER SCRIPT FLAG EXE [OPTION OF THE SCRIPT...]
# Installs ethers into a folder of the build (never into the source tree) and runs the comparison from there. Exit 77 (skipped)
# if there is no node or no way to the package registry.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$1/ethers_diff
script=$2
flag=$3
exe=$(realpath "$4")
shift 4
for tool in node npm; do
	command -v $tool >/dev/null || { echo "no $tool: skipped"; exit 77; }
done
mkdir -p "$folder"
cd "$folder"
exec 9>lock
flock 9 # several tests share what is installed
cp "$here/package.json" "$here/package-lock.json" "$here/$script" .
if ! cmp -s package-lock.json installed.json; then
	if ! npm ci --ignore-scripts --no-audit --no-fund --prefer-offline --fetch-retries 1 >npm.log 2>&1; then
		cat npm.log
		grep -Eq 'ENOTFOUND|ECONNREFUSED|ECONNRESET|EAI_AGAIN|ETIMEDOUT|ENETUNREACH|network' npm.log && exit 77
		exit 1
	fi
	cp package-lock.json installed.json
fi
flock -u 9
exec node "$script" "$flag" "$exe" "$@"
