/* SPDX-License-Identifier: BSD-3-Clause */
/* probes: the places in nodes where the secrets of an RLPx session pass, as a table; all that is known of them stands here.
 *
 * All nodes of this table are descendants of go-ethereum and have its package p2p/rlpx. When a handshake is over it calls
 *
 *   func (c *Conn) InitWithSecrets(sec Secrets)
 *
 *   type Conn struct {                       type Secrets struct {
 *       dialDest *ecdsa.PublicKey   at 0         AES, MAC              []byte      at 0, 24
 *       conn     net.Conn           at 8         EgressMAC, IngressMAC hash.Hash   at 48, 64
 *       session  *...               at 24        remote                *ecdsa.PublicKey
 *       ...                                  }
 *
 * once for every connection, before the first frame. It is too long to be inlined. Both secrets have 32 bytes. dialDest is nil where the other side
 * dialed. Since go-ethereum 1.9.23 (October 2020, when the package came to be); its only earlier name was p2p.(*rlpx), which no node runs any more.
 *
 * Its first instruction is met again when the goroutine's stack has to grow: a session may come twice.
 *
 * How the arguments come, at the first instruction (x86-64), by the Go that made the program:
 *   Go 1.17 and later (register ABI: src/cmd/compile/abi-internal.md): c is in RAX. Secrets has eleven words, two more than there are registers
 *     left, so it is on the stack whole, above the return address: AES.ptr at 8(SP), AES.len at 16(SP), MAC.ptr at 32(SP), MAC.len at 40(SP).
 *   Go before 1.17 (ABI0): c is at 8(SP), Secrets above it: AES.ptr at 16(SP), AES.len at 24(SP), MAC.ptr at 40(SP), MAC.len at 48(SP).
 *
 * The endpoints, where conn is a *net.TCPConn (or a *struct that begins with one such interface: a node that keeps metrics wraps its
 * connections like that): TCPConn{fd *netFD}; netFD{pfd poll.FD (56 bytes on Linux since Go 1.11); family int at 56; sotype int at 64;
 * isConnected bool at 72; net string at 80; laddr net.Addr at 96; raddr net.Addr at 112}; an interface's second word points to the
 * TCPAddr{IP []byte at 0; Port int at 24}. What does not look like this is no connection, and the session is told without endpoints. */
#ifndef IO_KEYS_PROBES_H
#define IO_KEYS_PROBES_H

#include <linux/types.h>

#define PROBES_SECRET_BYTES 32
#define PROBES_EVENT_MAGIC 0x59454b53u /* "SKEY" */

#define PROBES_USERS_MAX 16

#define PROBES_CONN_REGISTER 0 /* conn_at: in RAX */

/* Offsets from the stack pointer, by row. */
struct probes_layout {
	__u32 conn_at; /* or PROBES_CONN_REGISTER */
	__u32 aes_at, mac_at;
};

/* What a probe hands over. */
struct probes_event {
	__u32 magic;
	__u32 row;
	__u32 pid;
	__u8 dialed;  /* this side is the initiator */
	__u8 ends;    /* 1: local and remote are known */
	__u8 ip_n[2]; /* 4 or 16 */
	__u8 aes[PROBES_SECRET_BYTES], mac[PROBES_SECRET_BYTES];
	__u8 ip[2][16]; /* local, remote */
	__u32 port[2];
};

#define PROBES_CALL "p2p/rlpx.(*Conn).InitWithSecrets"

/* name, function, oldest and newest minor version of Go 1 (0: no end), where the connection, AES and MAC are. In the order in which they are tried. */
#define PROBES(_)                                                                                                            \
	_("go-ethereum and forks that keep its module's name (bor, BNB Smart Chain, op-geth, ...)", "github.com/ethereum/go-ethereum/" PROBES_CALL, 17, 0, \
		PROBES_CONN_REGISTER, 8, 32)                                                                                      \
	_("go-ethereum made by Go before 1.17", "github.com/ethereum/go-ethereum/" PROBES_CALL, 13, 16, 8, 16, 40)            \
	_("Erigon since 3.0", "github.com/erigontech/erigon/" PROBES_CALL, 17, 0, PROBES_CONN_REGISTER, 8, 32)                \
	_("Erigon 2", "github.com/ledgerwatch/erigon/" PROBES_CALL, 17, 0, PROBES_CONN_REGISTER, 8, 32)

#define PROBES_ROW(name, function, from, to, conn, aes, mac) +1
enum { PROBES_ROWS = 0 PROBES(PROBES_ROW) };
#undef PROBES_ROW

#endif
