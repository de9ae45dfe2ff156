// SPDX-License-Identifier: BSD-3-Clause

//go:build shifted

package rlpx

import "os"

// Moves what comes behind it: another release of the same program.
func init() {
	if len(os.Args) > 100 {
		println(shift(len(os.Args)))
	}
}

//go:noinline
func shift(n int) (sum int) {
	for i := 0; i < n; i++ {
		sum = sum*31 + i ^ sum>>3
	}
	return sum
}
