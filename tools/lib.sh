# SPDX-License-Identifier: BSD-3-Clause
# Shell functions that tools/setup, tools/run and tools/test share. To be sourced from bash.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

ticker_pid=

# ticker LABEL LOG: until stopped, tells how long LABEL has been going on and the last line of LOG; from the third
# second on a terminal, twice a minute elsewhere.
ticker_start() {
	local label=$1 log=$2 tty=0 wait=30
	[ -t 2 ] && tty=1 wait=2
	(
		trap '' INT
		exec {never}<> <(:)
		# `read -t` instead of sleep: no child that would outlive the ticker
		while ! read -r -t "$wait" -u "$never"; do
			line="  $label ${SECONDS}s  $(tail -c 4000 "$log" | tr '\r' '\n' | grep -v '^ *$' | tail -n 1 | cut -c 1-80)"
			if [ $tty = 1 ]; then printf '\r\033[K%s' "$line" >&2; else printf '%s\n' "$line" >&2; fi
		done
	) &
	ticker_pid=$!
}

ticker_stop() {
	[ -n "$ticker_pid" ] || return 0
	kill "$ticker_pid" 2>/dev/null || true
	wait "$ticker_pid" 2>/dev/null || true
	ticker_pid=
	if [ -t 2 ]; then printf '\r\033[K' >&2; fi
}

# quietly LABEL LOG COMMAND...: runs COMMAND with its output in LOG, showing progress; returns its status. On failure
# the end of LOG is printed.
quietly() {
	local label=$1 log=$2 rc=0 start=$SECONDS
	shift 2
	: >"$log"
	SECONDS=0
	ticker_start "$label" "$log"
	"$@" >"$log" 2>&1 </dev/null || rc=$?
	ticker_stop
	local took=$SECONDS
	SECONDS=$((start + took))
	if [ $rc -ne 0 ]; then
		say "$label: failed (status $rc) after ${took}s; the end of its output:" >&2
		tail -n 40 "$log" >&2
	fi
	return $rc
}

# build DIR [MESON OPTION...] [-- REGEX]: configures DIR and builds it, or the executables in it whose paths match REGEX.
# Several may be started at once: one after the other works in DIR.
build() {
	local dir=$1 lock rc=0
	local -a options=() targets=()
	shift
	while [ $# -gt 0 ] && [ "$1" != -- ]; do options+=("$1"); shift; done
	mkdir -p "$dir" || die "cannot write $dir"
	[ -w "$dir" ] || die "cannot write $dir"
	exec {lock}<"$dir"
	flock "$lock"
	if [ ! -f "$dir/build.ninja" ]; then
		quietly "configuring" "$dir/setup.log" meson setup "$dir" "$top" ${options[@]+"${options[@]}"} || rc=$?
	elif [ ! -d "$dir/tests/unit" ] && pkg-config --exists cmocka; then
		# configured before the packages of the tests were there
		quietly "configuring" "$dir/setup.log" meson setup --reconfigure "$dir" "$top" || rc=$?
	fi
	if [ $rc = 0 ] && [ $# -gt 0 ]; then
		mapfile -t targets < <(ninja -C "$dir" -t targets all | sed -n 's/: c[p]*_LINKER.*//p' | grep -E "$2")
		[ ${#targets[@]} -gt 0 ] || rc=1
	fi
	if [ $rc = 0 ]; then
		quietly "building" "$dir/build.log" ninja -C "$dir" -j "$(nproc)" ${targets[@]+"${targets[@]}"} || rc=$?
	fi
	exec {lock}<&-
	return $rc
}
