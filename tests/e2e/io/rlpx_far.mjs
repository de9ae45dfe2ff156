// SPDX-License-Identifier: BSD-3-Clause
// usage: node rlpx_far.mjs server ADDRESS | client ADDRESS KEY_LOG [BYTES]
// Two ends of a session for live_rlpx.py that is long before its secrets are told: handshake packets of random bytes, then frames as rlpx.md has them,
// without MACs that anybody could check. The client prints what it sent, one JSON object a line, sends as many again when told more, and obeys the lines on its standard input.
import { RLP } from '@ethereumjs/rlp'
import { keccak256 } from 'ethers'
import { createCipheriv, randomBytes } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { createInterface } from 'node:readline'
import * as snappy from 'snappyjs'
import { PORT, item, signed, sleep } from './lib.mjs'

const [role, address, log, bytes] = process.argv.slice(2)
const FAR_BYTES = bytes ? Number(bytes) : 80 * 1024 * 1024
const BULK_BYTES = 300 * 1000 // longer than what is kept of a direction
const TRANSACTIONS = 60
const [ETH, TX, BLOCK_BODIES] = [0x10, 2, 6]
const secret = randomBytes(32)

const say = o => process.stdout.write(JSON.stringify(o) + '\n')
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const told = async what => { const { value } = await lines.next(); if (value !== what) process.exit(value === undefined ? 0 : 1) }
const handshake = n => Buffer.concat([Buffer.from([n >> 8, n & 255, 4]), randomBytes(n - 1)])

function writer (socket, key) {
  const aes = createCipheriv('aes-256-ctr', key, Buffer.alloc(16))
  return async (id, payload) => {
    const body = Buffer.concat([Buffer.from(RLP.encode(id)), payload])
    const header = Buffer.alloc(16)
    header.writeUIntBE(body.length, 0, 3)
    header.set([0xc2, 0x80, 0x80], 3)
    const padded = Buffer.concat([body, Buffer.alloc(-body.length & 15)])
    const frame = Buffer.concat([aes.update(header), randomBytes(16), aes.update(padded), randomBytes(16)])
    if (!socket.write(frame)) await new Promise(resolve => socket.once('drain', resolve))
  }
}
const packed = value => Buffer.from(snappy.compress(RLP.encode(value)))
const hello = () => Buffer.from(RLP.encode([5, 'stand-in', [['eth', 68]], 0, randomBytes(64)]))

async function server () {
  createServer(async socket => {
    socket.on('error', () => {})
    socket.resume()
    await new Promise(resolve => socket.once('data', resolve))
    socket.write(handshake(380))
  }).listen(PORT, address, () => say({ listening: true }))
  await told('end')
}

async function client () {
  let txs = await signed(TRANSACTIONS, 0)
  const socket = createConnection(PORT, address)
  await new Promise(resolve => socket.once('connect', resolve))
  const frame = writer(socket, secret)
  socket.write(handshake(420))
  await new Promise(resolve => socket.once('data', resolve))
  await frame(0, hello())
  const bulk = Buffer.concat([packed([1, []]), randomBytes(BULK_BYTES)])
  while (socket.bytesWritten < FAR_BYTES) await frame(ETH + BLOCK_BODIES, bulk)
  say({ bytes: socket.bytesWritten })
  await told('key')
  appendFileSync(log, `rlpx ${secret.toString('hex')} - ${socket.localAddress}:${socket.localPort} ${socket.remoteAddress}:${socket.remotePort}\n`)
  say({ keyAtMs: Date.now() })
  for (let round = 1; ; round++) {
    for (const raw of txs) {
      await frame(ETH + TX, packed([item(raw)]))
      say({ sent: keccak256(raw) })
      await sleep(20)
    }
    txs = await signed(TRANSACTIONS, 1000 * round)
    say(round === 1 ? { done: true } : { round })
    const { value } = await lines.next()
    if (value !== 'more') break
  }
  process.exit(0)
}

await (role === 'server' ? server() : client())
