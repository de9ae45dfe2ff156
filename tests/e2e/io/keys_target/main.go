// SPDX-License-Identifier: BSD-3-Clause

// A node's stand-in for sentinel-keys: a line "AES MAC [dialed] [metered] [LISTENER]" on standard input is a session that it has made, with secrets
// in hex ("-": none), which go the way that a node's go. With an address a connection to it is opened, and is the session's. It answers each line
// with "LOCAL REMOTE" ("- -" without a connection).
package main

import (
	"bufio"
	"crypto/ecdsa"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/ethereum/go-ethereum/p2p/rlpx"
)

// A node that keeps metrics wraps its connections like this.
type meteredConn struct{ net.Conn }

func secret(word string) []byte {
	b, err := hex.DecodeString(strings.Trim(word, "-"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return b
}

func main() {
	var sum byte
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		words := strings.Fields(in.Text())
		if len(words) < 2 {
			os.Exit(1)
		}
		var conn net.Conn
		var dialed *ecdsa.PublicKey
		metered := false
		ends := "- -"
		for _, w := range words[2:] {
			if w == "dialed" {
				dialed = &ecdsa.PublicKey{}
			} else if w == "metered" {
				metered = true
			} else if c, err := net.Dial("tcp", w); err == nil {
				conn = c
				ends = c.LocalAddr().String() + " " + c.RemoteAddr().String()
			} else {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		}
		if metered {
			conn = &meteredConn{conn}
		}
		c := rlpx.NewConn(conn, dialed)
		c.InitWithSecrets(rlpx.Secrets{AES: secret(words[0]), MAC: secret(words[1])})
		sum += c.Sum()
		fmt.Println(ends)
	}
	os.Exit(int(sum) & 0)
}
