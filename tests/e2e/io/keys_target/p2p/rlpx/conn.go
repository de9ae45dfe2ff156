// SPDX-License-Identifier: BSD-3-Clause

// Package rlpx stands in for the node's package of this name: Conn and Secrets begin as a node's do, and InitWithSecrets is called as a node
// calls it, when a handshake is over.
package rlpx

import (
	"crypto/ecdsa"
	"hash"
	"net"
)

type Secrets struct {
	AES, MAC              []byte
	EgressMAC, IngressMAC hash.Hash
	remote                *ecdsa.PublicKey
}

type session struct{ sum byte }

type Conn struct {
	dialDest *ecdsa.PublicKey
	conn     net.Conn
	session  *session
}

func NewConn(conn net.Conn, dialDest *ecdsa.PublicKey) *Conn {
	return &Conn{dialDest: dialDest, conn: conn}
}

//go:noinline
func (c *Conn) InitWithSecrets(sec Secrets) {
	c.session = &session{}
	for _, b := range append(append([]byte{}, sec.AES...), sec.MAC...) {
		c.session.sum += b
	}
}

func (c *Conn) Sum() byte { return c.session.sum }
