// SPDX-License-Identifier: BSD-3-Clause
// Bundles for a builder, whose elements are transactions or hashes of transactions. The builder is a stand-in that takes everything.
import http from 'node:http'
import axios from 'axios'
import { Wallet, id as hashText, keccak256 } from 'ethers'
import WebSocket, { WebSocketServer } from 'ws'
import { account, everyday, flashLoans, key, priced } from '../txs.mjs'

const small = ['swapEth', 'transfer', 'v3', 'swapTokens', 'plain'].map(k => everyday[k])
const isHash = x => /^0x[0-9a-f]{64}$/.test(x)

// By the transaction's own hash for a submission, some hash for a bundle.
function answer ({ id, method, params }) {
  const raw = params[0]
  const result = method === 'eth_sendRawTransaction' ? keccak256(raw) : { bundleHash: hashText(JSON.stringify(params)) }
  return { jsonrpc: '2.0', id, result }
}
function server ({ listen }) {
  const s = http.createServer(async (req, res) => {
    let text = ''
    for await (const p of req) text += p
    const asked = JSON.parse(text)
    const told = JSON.stringify(Array.isArray(asked) ? asked.map(answer) : answer(asked))
    res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': told.length })
    res.end(told)
  })
  new WebSocketServer({ server: s, perMessageDeflate: false }).on('connection', ws => ws.on('message', data => ws.send(JSON.stringify(answer(JSON.parse(data))))))
  listen(s, 8545)
}

// Notes each bundle as it is sent: its elements in order.
class Searcher {
  constructor (truth, proto, send) {
    Object.assign(this, { truth, proto, send, id: 1, bundles: [], nonces: Array(10).fill(0) })
    truth.more.bundles = this.bundles
  }

  async tx (w, make = small[w % small.length]) { return account(w).signTransaction({ ...priced(make(), w), nonce: this.nonces[w]++ }) }
  message (method, ...params) { return { jsonrpc: '2.0', id: this.id++, method, params } }
  async submit (raw) { this.heard('eth_sendRawTransaction', await this.send(this.message('eth_sendRawTransaction', this.truth.sent(raw, `${this.proto}-jsonrpc`)))) }
  heard (method, { result }) { this.truth.heard(this.proto, method, result) }

  note (method, elements, level) {
    const bundle = this.bundles.length
    this.bundles.push({ method, elements: elements.map(e => isHash(e) ? { hash: e, raw: false } : { hash: this.truth.sign(e), raw: true }), ...(level ? { level } : {}) })
    elements.forEach((e, position) => {
      const more = { bundle, position, of: elements.length }
      if (isHash(e)) this.truth.mention(e, `${this.proto}-jsonrpc-bundlehash`, 'c2s', more)
      else this.truth.sent(/^0x/.test(e) ? e : '0x' + e, `${this.proto}-jsonrpc-bundle`, more)
    })
  }

  bundle (elements, more = {}) {
    this.note('eth_sendBundle', elements)
    return this.message('eth_sendBundle', { txs: elements, blockNumber: '0x1312d00', minTimestamp: 0, maxTimestamp: 1893456000, ...more })
  }

  mev (body, flat) {
    this.note('mev_sendBundle', flat, body.some(e => e.bundle) ? 2 : 1)
    return this.message('mev_sendBundle', { version: 'v0.1', inclusion: { block: '0x1312d00', maxBlock: '0x1312d04' }, body, validity: { refund: [{ bodyIdx: 0, percent: 90 }] }, privacy: { hints: ['calldata', 'hash'] } })
  }
}

async function search (s) {
  const victims = [await s.tx(0), await s.tx(1), await s.tx(0)]
  const hashes = victims.map(raw => s.truth.sign(raw))
  const never = await s.tx(2)
  const neverHash = s.truth.sign(never) // nobody ever sends it
  for (const raw of victims) await s.submit(raw)
  // a sandwich around a hash, one around bytes, a backrun of a hash, of what never comes
  await s.send(s.bundle([await s.tx(3, small[0]), hashes[0], await s.tx(3, small[3])]))
  await s.send(s.bundle([await s.tx(4, small[0]), victims[1], await s.tx(4, small[3])], { revertingTxHashes: [hashes[1]], replacementUuid: 'e3f1a8a2-5b2f-4c6e-9d5a-2f2c6a1b7c11' }))
  await s.send(s.bundle([hashes[2], await s.tx(5)]))
  await s.send(s.bundle([neverHash, await s.tx(5), hashes[1], await s.tx(5)]))
  // the hash first, its bytes after
  const later = await s.tx(6)
  await s.send(s.bundle([s.truth.sign(later), await s.tx(7)]))
  await s.submit(later)
  const loan = await s.tx(8, flashLoans.aaveSimple)
  s.truth.alerts[s.truth.sign(loan)] = 'flash_loan'
  await s.send(s.bundle([loan, hashes[0], await s.tx(8), await s.tx(9)], { builders: ['flashbots', 'Titan'], refundPercent: 80 }))
  // mev-share's form, flat and with a bundle in it
  const [a, b, c] = [await s.tx(3), await s.tx(4), await s.tx(5)]
  await s.send(s.mev([{ hash: hashes[2] }, { tx: a, canRevert: false }], [hashes[2], a]))
  await s.send(s.mev([{ tx: b, canRevert: true }, { bundle: { version: 'v0.1', inclusion: { block: '0x1312d00' }, body: [{ hash: hashes[1] }, { tx: c, canRevert: false }] } }], [b, hashes[1], c]))
  const many = []
  for (let i = 0; i < 20; i++) many.push(i % 5 === 2 ? hashes[i % 3] : await s.tx(i % 10))
  await s.send(s.bundle(many))
  await s.send(s.message('eth_cancelBundle', { replacementUuid: 'e3f1a8a2-5b2f-4c6e-9d5a-2f2c6a1b7c11' }))
  return hashes
}

async function overHttp ({ truth, url }) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  const signer = new Wallet(key(9))
  const send = async message => {
    const text = JSON.stringify(message)
    const signature = `${signer.address}:${signer.signMessageSync(hashText(text))}`
    return (await axios.post(url, text, { httpAgent: agent, proxy: false, headers: { 'Content-Type': 'application/json', 'X-Flashbots-Signature': signature } })).data
  }
  const s = new Searcher(truth, 'http', send)
  const hashes = await search(s)
  // two in a batch; the first form of all, without 0x and with the list itself
  await send([s.bundle([await s.tx(1), hashes[0]]), s.bundle([hashes[1], await s.tx(2)])])
  const bare = [(await s.tx(6)).slice(2), (await s.tx(7)).slice(2)]
  s.note('eth_sendBundle', bare.map(x => '0x' + x))
  await send(s.message('eth_sendBundle', bare, '0x1312d00', 0, 0))
  const secret = await s.tx(0)
  await send(s.message('eth_sendPrivateTransaction', { tx: truth.sent(secret, 'http-jsonrpc-private'), maxBlockNumber: '0x1312d10', preferences: { fast: true } }))
}

async function overWs ({ truth, ws: url }) {
  const ws = new WebSocket(url, { perMessageDeflate: false })
  await new Promise((resolve, reject) => { ws.on('open', resolve); ws.on('error', reject) })
  const waiting = new Map()
  ws.on('message', data => { const m = JSON.parse(data); waiting.get(m.id)(m) })
  const send = message => new Promise(resolve => { waiting.set(message.id, resolve); ws.send(JSON.stringify(message)) })
  await search(new Searcher(truth, 'ws', send))
  ws.close()
}

const about = 'bundles of transactions and hashes in order: known before, known after, never; eth_sendBundle and mev_sendBundle, also one in another'
export const bundles = {
  'http-bundle': { description: about + '; in a batch, and in the oldest form', reader: 'http', client: overHttp, server },
  'ws-bundle': { description: about, reader: 'ws', client: overWs, server }
}
