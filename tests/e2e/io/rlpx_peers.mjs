// SPDX-License-Identifier: BSD-3-Clause
// usage: node rlpx_peers.mjs server ADDRESS [late|steady|EACH] | client ADDRESS KEY_LOG [late|steady|patient|EACH]
// Two devp2p peers for live_rlpx.py, live_keys.py, mixed.py and long.py. Each prints what it sent, one JSON object a line, and obeys the lines on its standard
// input. The client appends the secrets of its sessions to KEY_LOG as they come up; a patient one gives somebody the time to bring them before it goes on.
import * as devp2p from '@ethereumjs/devp2p'
import { RLP } from '@ethereumjs/rlp'
import { concat, getBytes, hexlify, keccak256 } from 'ethers'
import { appendFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { PORT, common, idOf, item, random, secrets, signed, sleep, staticKey, status, wallets } from './lib.mjs'

const { ETH, RLPx } = devp2p
const CODE = ETH.EthMessageCodes ?? devp2p.EthMessageCodes
const [role, address, ...rest] = process.argv.slice(2)
const VERSIONS = [68, 67, 66, 68] // a session each, at the same time
const OPAQUE = VERSIONS.length // and one whose secrets nobody is told
const EACH = Number(rest.find(w => /^\d+$/.test(w)) ?? 125) // transactions of each side of a session, of which so many ...
const PUSHED = Math.min(60, EACH >> 1) // ... go in Transactions, the rest in PooledTransactions
const BLOBS = 2
const PATIENCE_MS = 500
const LATE_BYTES = 3e6
const LATE_DATA = 4000 // bytes of calldata each
const LATE_MORE = 50

const say = o => process.stdout.write(JSON.stringify(o) + '\n')
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const told = async what => { const { value } = await lines.next(); if (value !== what) process.exit(value === undefined ? 0 : 1) }

// With a sidecar, as pools send it: what is signed is the bytes without.
async function blob (nonce, fill) {
  const raw = await wallets[0].signTransaction({ type: 3, chainId: 1, nonce, to: random(20), data: '0x', gasLimit: 21000n, maxFeePerGas: 10n ** 10n,
    maxPriorityFeePerGas: 1n, maxFeePerBlobGas: 1n, blobVersionedHashes: ['0x01' + random(31).slice(2)] })
  const body = RLP.decode(getBytes(raw).slice(1))
  const wrapped = concat(['0x03', RLP.encode([body, [new Uint8Array(131072).fill(fill)], [getBytes(random(48))], [getBytes(random(48))]])])
  return { raw: wrapped, hash: keccak256(raw), size: getBytes(wrapped).length }
}
async function make (nonce) {
  const txs = (await signed(EACH - BLOBS, nonce)).map(raw => ({ raw, hash: keccak256(raw), size: getBytes(raw).length }))
  for (let i = 0; i < BLOBS; i++) txs.push(await blob(nonce + EACH + i, i ? 0x5a : 0))
  return txs
}

// One side of a session: announces all, sends some, gives the rest to who asks.
async function trade (eth, txs) {
  const pool = new Map(txs.slice(PUSHED).map(t => [t.hash, t]))
  const type = t => getBytes(t.raw)[0] < 0xc0 ? getBytes(t.raw)[0] : 0
  const send = (code, list, payload) => { for (const t of list) say({ sent: t.hash }); eth.sendMessage(code, payload) }
  let request = 0x100
  eth.events.on('message', (code, p) => {
    if (code === CODE.NEW_POOLED_TRANSACTION_HASHES) {
      eth.sendMessage(CODE.GET_POOLED_TRANSACTIONS, [getBytes('0x0' + (++request).toString(16)), eth._version >= 68 ? p[2] : p])
    } else if (code === CODE.GET_POOLED_TRANSACTIONS) {
      const found = p[1].map(h => pool.get(hexlify(h))).filter(Boolean)
      for (const t of found) pool.delete(t.hash)
      send(CODE.POOLED_TRANSACTIONS, found, [p[0], found.map(t => item(t.raw))])
    }
  })
  const ready = new Promise(resolve => eth.events.once('status', resolve))
  eth.sendStatus(status)
  await ready
  await sleep(50) // the other's handlers
  for (let at = 0, n = 1; at < txs.length; at += n, n = 1 + n * 3 % 17) {
    const some = txs.slice(at, at + n)
    const hashes = some.map(t => getBytes(t.hash))
    eth.sendMessage(CODE.NEW_POOLED_TRANSACTION_HASHES, eth._version < 68 ? hashes : [Uint8Array.from(some.map(type)), some.map(t => t.size), hashes])
    const pushed = some.filter((_, i) => at + i < PUSHED)
    if (pushed.length) send(CODE.TX, pushed, pushed.map(t => item(t.raw)))
    await sleep(5)
  }
}
// Both sides of two sessions send a transaction a second or so, until told to stop; the second session ends and begins anew now and then.
const STEADY_MS = 600
const RENEW_MS = 15000
let steadyNonce = Date.now() % 1e6
async function steady (eth, live) {
  const ready = new Promise(resolve => eth.events.once('status', resolve))
  eth.sendStatus(status)
  await ready
  await sleep(50)
  while (live()) {
    const [raw] = await signed(1, steadyNonce++)
    const hash = keccak256(raw)
    const from = Date.now()
    eth.sendMessage(CODE.TX, [item(raw)])
    say({ sent: hash, from, at: Date.now() })
    await sleep(STEADY_MS)
  }
}

async function steadyClient (log) {
  let stopped = false
  const word = told('stop').then(() => { stopped = true })
  const session = async (i, until) => {
    const peer = await connect(i, 68)
    append(log, peer)
    await steady(ethOf(peer), () => !stopped && !peer._closed && Date.now() < until)
    await sleep(500) // what is on its way
    const gone = new Promise(resolve => peer._socket.once('close', resolve))
    peer._socket.end()
    await gone
  }
  const first = session(0, Infinity)
  const second = (async () => { for (let i = 1; !stopped; i = i % 3 + 1) await session(i, Date.now() + RENEW_MS) })()
  await Promise.all([first, second, word])
  say({ done: true })
  await told('end')
  process.exit(0)
}

const ethOf = peer => peer.getProtocols().find(p => p instanceof ETH)

async function server (late) {
  const own = late || rest.includes('steady') ? [] : await Promise.all([...VERSIONS, 68].map((_, i) => make(100000 + 1000 * i)))
  const r = new RLPx(staticKey('server'), { maxPeers: 20, common: common(), listenPort: PORT, remoteClientIdFilter: [], capabilities: [ETH.eth66, ETH.eth67, ETH.eth68] })
  r.events.on('error', e => console.error(e.message))
  r.events.on('peer:error', (p, e) => console.error(e.message))
  r.events.on('peer:added', peer => {
    const eth = ethOf(peer)
    if (late) { eth.sendStatus(status); return }
    if (rest.includes('steady')) { steady(eth, () => !peer._closed); return }
    const i = [...VERSIONS, 68].findIndex((_, i) => hexlify(peer.getId()) === hexlify(idOf('client' + i)))
    trade(eth, own[i])
  })
  r.listen(PORT, address)
  say({ listening: true, opaque: own[OPAQUE]?.map(t => t.hash) })
  await told('end')
}

async function connect (i, version) {
  const r = new RLPx(staticKey('client' + i), { maxPeers: 5, common: common(), capabilities: [ETH['eth' + version]], listenPort: 30304 })
  r.events.on('error', e => console.error(e.message))
  r.events.on('peer:error', (p, e) => console.error(e.message))
  const added = new Promise(resolve => r.events.once('peer:added', resolve))
  await r.connect({ id: idOf('server'), address, tcpPort: PORT })
  return added
}
function append (log, peer) {
  const s = secrets(peer, true)
  appendFileSync(log, ['rlpx', s.aes, s.mac, s.local, s.remote, s.nonce, Buffer.from(peer._eciesSession._remoteNonce).toString('hex')].join(' ') + '\n')
}

async function client (log, patience) {
  const own = await Promise.all([...VERSIONS, 68].map((_, i) => make(1000 * i)))
  const sockets = []
  await Promise.all([...VERSIONS, 68].map(async (version, i) => {
    await sleep(150 * i)
    const peer = await connect(i, version)
    sockets[i] = peer._socket
    if (i !== OPAQUE) append(log, peer)
    await sleep(patience)
    await trade(ethOf(peer), own[i])
  }))
  say({ opaque: own[OPAQUE].map(t => t.hash) })
  await told('end')
  await Promise.all(sockets.map(s => new Promise(resolve => { s.once('close', resolve); s.end() })))
  say({ opaqueBytes: sockets[OPAQUE].bytesWritten + sockets[OPAQUE].bytesRead })
  process.exit(0)
}

async function lateClient (log) {
  const txs = await signed(LATE_BYTES / LATE_DATA + LATE_MORE, 0, LATE_DATA)
  const peer = await connect(0, 68)
  const socket = peer._socket
  const eth = ethOf(peer)
  const ready = new Promise(resolve => eth.events.once('status', resolve))
  eth.sendStatus(status)
  await ready
  const send = raw => {
    const at = socket.bytesWritten
    eth.sendMessage(CODE.TX, [item(raw)])
    say({ sent: keccak256(raw), at, end: socket.bytesWritten })
  }
  while (socket.bytesWritten < LATE_BYTES) { send(txs.shift()); await new Promise(resolve => setImmediate(resolve)) }
  say({ bytes: socket.bytesWritten })
  await told('key')
  say({ keyAt: socket.bytesWritten })
  append(log, peer)
  await told('more')
  for (const raw of txs.splice(0, LATE_MORE)) { send(raw); await sleep(5) }
  say({ done: true })
  await told('end')
  process.exit(0)
}

const late = rest.includes('late')
await (role === 'server' ? server(late) : late ? lateClient(rest[0]) : rest.includes('steady') ? steadyClient(rest[0])
  : client(rest[0], rest.includes('patient') ? PATIENCE_MS : 0))
