// SPDX-License-Identifier: BSD-3-Clause
// usage: node more.mjs server NAME ADDRESS | client NAME ADDRESS FOLDER
// Two devp2p peers again, with what peers.mjs has not. The client writes FOLDER/NAME.expected.json and FOLDER/NAME.keys.json.
import * as devp2p from '@ethereumjs/devp2p'
import { RLP } from '@ethereumjs/rlp'
import { concatBytes, intToBytes } from '@ethereumjs/util'
import { Transaction, getBytes, hexlify } from 'ethers'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import * as snappy from 'snappyjs'
import { zeroBlob } from '../blob.mjs'
import { Crossings } from '../crossings.mjs'
import { KEYS_PORT, PORT, common, genesis, hashOf, idOf, item, random, rawOf, secrets, sessions, signed, sleep, staticKey, status, wallets } from './lib.mjs'

const { ETH, RLPx, SNAP } = devp2p
const Protocol = Object.getPrototypeOf(ETH) // the library does not export it
const CODE = ETH.EthMessageCodes ?? devp2p.EthMessageCodes
const [role, name, address, folder] = process.argv.slice(2)

// A capability that sorts before eth and so moves its message ids, as BSC's does.
class BSC extends Protocol {
  constructor (version, peer, send) {
    super(peer, send, 'bsc', version, { CAP: 0, VOTES: 1 })
    clearTimeout(this._statusTimeoutId)
  }

  _handleMessage () {}
  say (code, payload) { this._send(code, snappy.compress(RLP.encode(payload))) }
}
const bsc = (version, length) => ({ name: 'bsc', version, length, constructor: BSC })

// Versions that the library does not know: the status is another one, announcements of eth/72 have one more field.
class EthNew extends ETH {
  _said = 0

  sendStatus () {
    clearTimeout(this._statusTimeoutId)
    const fork = [getBytes('0x' + this._forkHash.replace(/^0x/, '')), new Uint8Array()]
    const own = [intToBytes(this._version), intToBytes(1), genesis, fork, new Uint8Array(), intToBytes(20000000), status.bestHash]
    this._send(CODE.STATUS, snappy.compress(RLP.encode(own)))
    this.met()
  }

  // both have said their status
  met () { if (++this._said === 2) this.events.emit('status', {}) }
  _handleMessage (code, data) { if (code === CODE.STATUS) this.met(); else super._handleMessage(code, data) }
  rangeUpdate () { this._send(0x11, snappy.compress(RLP.encode([new Uint8Array(), intToBytes(20000001), status.bestHash]))) }
}
const ethNew = version => ({ name: 'eth', version, length: { 69: 18, 70: 18, 71: 20, 72: 22 }[version], constructor: EthNew })
const newer = [69, 70, 71, 72].map(ethNew)

// Frames as the first RLPx had them: a message longer than `size` in several, the first of which says how long it is. No client that is
// to be had sends them; ciphers and MACs are the library's, the splitting is ours, on both sides.
function splitting (peer, size) {
  const e = peer._eciesSession
  const whole = peer._sendMessage.bind(peer)
  let context = 0
  peer._sendMessage = (code, data) => {
    const message = concatBytes(RLP.encode(code), data)
    if (message.length <= size) return whole(code, data)
    context++
    for (let at = 0; at < message.length; at += size) {
      const part = message.subarray(at, at + size)
      const plain = new Uint8Array(16)
      plain.set([part.length >> 16, part.length >> 8 & 255, part.length & 255])
      plain.set(RLP.encode(at === 0 ? [0, context, message.length] : [0, context]), 3)
      const header = Uint8Array.from(e._egressAes.update(plain))
      e._egressMac.updateHeader(header)
      peer._socket.write(concatBytes(header, Uint8Array.from(e._egressMac.digest())))
      peer._socket.write(e.createBody(part))
    }
    return true
  }
  joining(peer, e)
}
function joining (peer, e) {
  const update = e._ingressAes.update.bind(e._ingressAes)
  const [parseBody, parseHeader, handleBody] = [e.parseBody.bind(e), e.parseHeader.bind(e), peer._handleBody.bind(peer)]
  let header = null; let parts = []; let left = 0
  e._ingressAes.update = data => { header = update(data); return header }
  e.parseHeader = data => {
    const n = parseHeader(data)
    const [, , total] = RLP.decode(Uint8Array.from(header.subarray(3)), true).data
    if (total) left = Number(hexlify(total))
    return n
  }
  peer._handleBody = () => {
    const n = peer._nextPacketSize
    const body = parseBody(peer._socketData.subarray(0, n))
    peer._socketData = peer._socketData.subarray(n)
    parts.push(body)
    left -= body.length
    Object.assign(peer, { _state: 'Header', _nextPacketSize: 32 })
    if (left > 0) return
    const message = concatBytes(...parts)
    parts = []; left = 0
    peer._nextPacketSize = 0
    e.parseBody = () => message
    handleBody()
  }
}

const old = [ETH.eth67, ETH.eth68]
const recordings = {
  'rlpx-bsc': { blob: 0, description: 'a capability before eth: shared (eth\'s ids move by 2), and in another version than the peer\'s (they do not)',
    server: [bsc(1, 2), ETH.eth68, SNAP.snap], sessions: [{ caps: [bsc(1, 2), bsc(2, 4), ...old, SNAP.snap] }, { caps: [bsc(2, 4), ...old] }] },
  'rlpx-eth72': { blob: 2, description: 'eth/69 to eth/72: messages, and status of these versions, made by hand over the library\'s sessions',
    server: [...newer, ETH.eth68, SNAP.snap], sessions: newer.map((_, i) => ({ caps: newer.slice(0, i + 1) })) },
  'rlpx-chunked': { description: 'messages in several frames (chunked framing, made by hand: no client sends it), both ways', split: [300, 4096],
    server: [ETH.eth68, SNAP.snap], sessions: [{ caps: old }, { caps: [ETH.eth68, SNAP.snap] }] },
  'rlpx-opaque': { description: 'two sessions, of the second of which no secrets are known', server: [ETH.eth68], sessions: [{ caps: old }, { caps: old, opaque: true }] },
  'rlpx-late': { description: 'the secrets of a session are told two seconds after its handshake: `exported`, by the clock of the capture', server: [ETH.eth68],
    sessions: [{ caps: old, late: 2000 }] }
}
const recording = recordings[name]
const ethOf = peer => peer.getProtocols().find(p => p instanceof ETH)
const bscOf = peer => peer.getProtocols().find(p => p instanceof BSC)
const send = (eth, code, payload) => eth._version > 68 ? eth._send(code, snappy.compress(RLP.encode(payload))) : eth.sendMessage(code, payload)
const announcement = (version, raws) => {
  const hashes = raws.map(raw => getBytes(hashOf(raw)))
  if (version < 68) return hashes
  const list = [Uint8Array.from(raws.map(raw => Transaction.from(raw).type)), raws.map(raw => getBytes(raw).length), hashes]
  return version >= 72 ? [...list, getBytes(random(16))] : list
}
const votes = () => [[getBytes(random(48)), getBytes(random(96)), [1, getBytes(random(32)), 2, getBytes(random(32))]]]
const header = raws => [genesis, getBytes(random(32)), getBytes(random(20)), ...[1, 2, 3].map(() => getBytes(random(32))), getBytes(random(256)), new Uint8Array(),
  intToBytes(20000001), intToBytes(36000000), intToBytes(21000 * raws.length), intToBytes(1893456000), new Uint8Array(), getBytes(random(32)), new Uint8Array(8), intToBytes(7)]

async function server () {
  const known = []
  let served = 0
  createServer(c => { c.end(JSON.stringify(known)) }).listen(KEYS_PORT, address)
  const r = new RLPx(staticKey('server'), { maxPeers: 20, common: common(), listenPort: PORT, remoteClientIdFilter: [], capabilities: recording.server })
  r.events.on('error', e => console.error(e.stack))
  r.events.on('peer:error', (p, e) => console.error(e.stack))
  r.events.on('peer:added', async peer => {
    known.push(secrets(peer, false))
    if (recording.split) splitting(peer, recording.split[served % 2])
    const eth = ethOf(peer)
    const own = await signed(14, 1000 + 100 * served++)
    const ready = new Promise(resolve => eth.events.once('status', resolve))
    let request = 0x1000
    eth.events.on('message', (code, p) => {
      if (code === CODE.NEW_POOLED_TRANSACTION_HASHES) send(eth, CODE.GET_POOLED_TRANSACTIONS, [intToBytes(++request), eth._version >= 68 ? p[2] : p])
      if (code === CODE.GET_POOLED_TRANSACTIONS) send(eth, CODE.POOLED_TRANSACTIONS, [p[0], own.filter(raw => p[1].some(h => hexlify(h) === hashOf(raw))).map(item)])
      if (code === CODE.GET_BLOCK_BODIES) send(eth, CODE.BLOCK_BODIES, [p[0], [[own.slice(0, 3).map(item), [], []], [[], [], []]]])
    })
    eth.sendStatus(status)
    await ready
    await sleep(100)
    bscOf(peer)?.say(0, [1, new Uint8Array([0x80])])
    send(eth, CODE.TX, own.slice(0, 5).map(item))
    send(eth, CODE.NEW_POOLED_TRANSACTION_HASHES, announcement(eth._version, own.slice(5, 11)))
    await sleep(200)
    bscOf(peer)?.say(1, [votes()])
    if (eth._version < 69) send(eth, CODE.NEW_BLOCK, [[header(own), own.slice(2, 4).concat(own.slice(11)).map(item), []], getBytes('0x0c70d815d562d3cfa956')])
  })
  r.listen(PORT, address)
  console.log('listening')
}

const carriers = { [CODE.TX]: 'rlpx-transactions', [CODE.POOLED_TRANSACTIONS]: 'rlpx-pooled', [CODE.BLOCK_BODIES]: 'rlpx-blockbody', [CODE.NEW_BLOCK]: 'rlpx-newblock' }
function noteInto (truth, conn, version) {
  return (code, payload, direction) => {
    const lists = { [CODE.TX]: () => payload, [CODE.POOLED_TRANSACTIONS]: () => payload[1], [CODE.BLOCK_BODIES]: () => payload[1].flatMap(b => b[0]), [CODE.NEW_BLOCK]: () => payload[0][1] }
    const mined = code === CODE.BLOCK_BODIES || code === CODE.NEW_BLOCK
    for (const it of lists[code]?.() ?? []) { const raw = rawOf(it); truth.add(truth.sign(raw), raw, raw, carriers[code], direction, !mined, { conn, eth: version }) }
    const hashes = { [CODE.NEW_POOLED_TRANSACTION_HASHES]: () => version >= 68 ? payload[2] : payload, [CODE.GET_POOLED_TRANSACTIONS]: () => payload[1] }[code]?.() ?? []
    for (const h of hashes) truth.mention(hexlify(h), code === CODE.GET_POOLED_TRANSACTIONS ? 'rlpx-getpooled' : 'rlpx-announce', direction, { conn, eth: version })
  }
}

async function talk (peer, own, note, k) {
  const eth = ethOf(peer)
  const version = eth._version
  const pool = new Map()
  const say = (code, payload) => { note(code, RLP.decode(RLP.encode(payload)), 'c2s'); send(eth, code, payload) }
  eth.events.on('message', (code, p) => {
    note(code, p, 's2c')
    if (code === CODE.GET_POOLED_TRANSACTIONS) say(CODE.POOLED_TRANSACTIONS, [p[0], p[1].map(h => pool.get(hexlify(h))).filter(Boolean).map(item)])
    if (code === CODE.NEW_POOLED_TRANSACTION_HASHES) say(CODE.GET_POOLED_TRANSACTIONS, [intToBytes(0x77), version >= 68 ? p[2] : p])
  })
  const ready = new Promise(resolve => eth.events.once('status', resolve))
  eth.sendStatus(status)
  await ready
  const txs = await signed(24, 100 * k)
  bscOf(peer)?.say(0, [1, new Uint8Array([0x80])])
  for (const raw of txs.slice(0, 3)) say(CODE.TX, [item(raw)])
  say(CODE.TX, txs.slice(3, 8).map(item))
  say(CODE.TX, [])
  await sleep(200)
  const big = await signed(1, 100 * k + 50, 9000)
  const blob = recording.blob === k ? [await wallets[1].signTransaction({ ...zeroBlob(), chainId: 1, nonce: 100 * k + 60, to: random(20), maxFeePerGas: 1n, maxPriorityFeePerGas: 1n, gasLimit: 90000n })] : []
  const announced = [...txs.slice(8, 16), ...big, ...blob]
  for (const raw of announced) pool.set(hashOf(raw), raw)
  say(CODE.NEW_POOLED_TRANSACTION_HASHES, announcement(version, announced))
  await sleep(250)
  bscOf(peer)?.say(1, [votes()])
  eth.rangeUpdate?.()
  say(CODE.GET_BLOCK_BODIES, [intToBytes(0x42), [genesis]])
  for (const raw of txs.slice(16)) { say(CODE.TX, [item(raw)]); await sleep(10) }
  peer._sendPing()
  await sleep(250)
}

async function session (k, { caps, opaque, late }, truth, keys) {
  const r = new RLPx(staticKey(name + k), { maxPeers: 5, common: common(), capabilities: caps, listenPort: 30304 })
  r.events.on('error', e => truth.failed('client', e))
  r.events.on('peer:error', (p, e) => truth.failed('client', e))
  const added = new Promise(resolve => r.events.once('peer:added', resolve))
  await r.connect({ id: idOf('server'), address, tcpPort: PORT })
  const peer = await added
  if (recording.split) splitting(peer, recording.split[(k + 1) % 2])
  const own = secrets(peer, true)
  if (!opaque) keys.push(own)
  const note = opaque ? () => {} : noteInto(truth, own.local, ethOf(peer)._version)
  await talk(peer, own, note, k)
  if (late) {
    await sleep(late - 700)
    own.exported = (performance.timeOrigin + performance.now()) / 1000
    send(ethOf(peer), CODE.TX, (await signed(4, 100 * k + 80)).map(raw => { note(CODE.TX, [item(raw)], 'c2s'); return item(raw) }))
    await sleep(100)
  }
  peer.disconnect(0x08)
  await sleep(2300)
  r.destroy()
}

async function client () {
  const { dependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url)))
  const clients = Object.entries(dependencies).map(([n, v]) => `${n} ${v}`).join(', ')
  const truth = new Crossings(name, { description: recording.description, reader: 'rlpx', clients })
  const keys = []
  for (const [k, s] of recording.sessions.entries()) await session(k, s, truth, keys)
  writeFileSync(`${folder}/${name}.keys.json`, JSON.stringify({ sessions: await sessions(keys, address) }, null, 1) + '\n')
  Object.assign(truth.more, { keys: `${name}.keys.json`, sessions: keys.length, opaque: recording.sessions.length - keys.length })
  truth.write(folder)
  process.exit(0)
}

await (role === 'server' ? server() : client())
