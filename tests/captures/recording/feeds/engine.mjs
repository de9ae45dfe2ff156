// SPDX-License-Identifier: BSD-3-Clause
// A consensus client and its execution client: the engine API on 8551. Both are stand-ins that speak the JSON of the real ones
// (execution-apis, src/engine, Prague); the submissions beside them go to a real node. Block hashes are made up, transactions are not.
import http from 'node:http'
import { createHmac } from 'node:crypto'
import axios from 'axios'
import { Transaction, keccak256 } from 'ethers'
import { zeroBlob } from '../blob.mjs'
import { withoutBlobs } from '../crossings.mjs'
import { CHAIN, account, bytes, everyday, priced, rnd } from '../txs.mjs'

const GWEI = 10n ** 9n
const ENGINE = 8551
const SECRET = Buffer.alloc(32, 7)
const hex = n => '0x' + BigInt(n).toString(16)
const made = text => keccak256(Buffer.from(text))
const kinds = ['plain', 'transfer', 'approve', 'deposit'].map(k => everyday[k]) // small ones, there are many

function token () { // as every consensus client makes it anew for each request
  const part = o => Buffer.from(JSON.stringify(o)).toString('base64url')
  const text = part({ typ: 'JWT', alg: 'HS256' }) + '.' + part({ iat: Math.floor(Date.now() / 1000) })
  return text + '.' + createHmac('sha256', SECRET).update(text).digest('base64url')
}

let blockCount = 0
function payload (parent, raws, extra) {
  const number = parent.number + 1
  const hash = made(`block ${blockCount++}`)
  return {
    number, hash, raws, execution: {
      parentHash: parent.hash, feeRecipient: '0x' + bytes(20), stateRoot: '0x' + bytes(32), receiptsRoot: '0x' + bytes(32), logsBloom: '0x' + bytes(256),
      prevRandao: '0x' + bytes(32), blockNumber: hex(number), gasLimit: hex(36000000), gasUsed: hex(21000 * raws.length), timestamp: hex(1893456000 + 12 * number),
      extraData: '0x' + Buffer.from(extra ?? 'made by hand').toString('hex'), baseFeePerGas: hex(7n * GWEI), blockHash: hash, transactions: raws,
      withdrawals: [{ index: hex(number), validatorIndex: '0x539', address: '0x' + bytes(20), amount: '0xbebc20' }],
      blobGasUsed: '0x0', excessBlobGas: '0x0'
    }
  }
}

// The execution client: verdicts and payloads are told to it by the script, past the capture.
function server ({ listen, control }) {
  const verdicts = new Map(); const built = new Map()
  let next = null
  const answers = {
    engine_exchangeCapabilities: () => ['engine_newPayloadV4', 'engine_forkchoiceUpdatedV3', 'engine_getPayloadV4', 'engine_getBlobsV1'],
    engine_getClientVersionV1: () => [{ code: 'XX', name: 'stand-in', version: 'v1', commit: '0x00000000' }],
    engine_newPayloadV4: ([p]) => verdicts.get(p.blockHash) ?? { status: 'VALID', latestValidHash: p.blockHash, validationError: null },
    engine_forkchoiceUpdatedV3: ([state, attributes]) => {
      const payloadId = attributes ? '0x' + bytes(8) : null
      if (payloadId) built.set(payloadId, next)
      return { payloadStatus: { status: 'VALID', latestValidHash: state.headBlockHash, validationError: null }, payloadId }
    },
    engine_getPayloadV4: ([id]) => built.get(id),
    eth_syncing: () => false
  }
  listen(http.createServer(async (req, res) => {
    let text = ''
    for await (const p of req) text += p
    const [head, body, mac] = (req.headers.authorization ?? '').replace('Bearer ', '').split('.')
    if (createHmac('sha256', SECRET).update(`${head}.${body}`).digest('base64url') !== mac) { res.writeHead(401).end(); return }
    const { id, method, params } = JSON.parse(text)
    const answer = JSON.stringify({ jsonrpc: '2.0', id, result: answers[method](params) })
    res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(answer) })
    res.end(answer)
  }), ENGINE)
  listen(http.createServer(async (req, res) => {
    let text = ''
    for await (const p of req) text += p
    const told = JSON.parse(text)
    if (told.next) next = told.next
    if (told.verdict) verdicts.set(...told.verdict)
    res.end()
  }), control)
}

// The consensus client, and the users who submit to its node.
class Script {
  constructor ({ truth, url, host, control }) {
    const keepAlive = () => ({ httpAgent: new http.Agent({ keepAlive: true, maxSockets: 1 }), proxy: false })
    const [ours, users] = [keepAlive(), keepAlive()]
    let id = 1
    this.truth = truth
    this.tell = o => axios.post(control, o, { proxy: false })
    this.engine = async (method, params) => (await axios.post(`http://${host}:${ENGINE}`, { method, params, jsonrpc: '2.0', id: id++ },
      { ...ours, headers: { Authorization: `Bearer ${token()}`, Accept: 'application/json', 'User-Agent': 'stand-in/v1' } })).data.result
    this.node = async (method, params) => (await axios.post(url, { jsonrpc: '2.0', id: id++, method, params }, users)).data
    this.nonces = Array(10).fill(0)
    this.genesis = { hash: made('genesis'), number: 0 }
    this.chain = [this.genesis]
    Object.assign(this, { blocks: [], refused: [] })
  }

  get top () { return this.chain.at(-1) }
  hash (raw) { return this.truth.sign(raw) }

  async sign (w, more = {}) {
    const i = rnd(1000)
    const request = { ...priced(kinds[i % kinds.length](), i), nonce: this.nonces[w]++, ...more }
    if (request.type > 1) delete request.gasPrice
    return (await account(w).signTransaction(request)).toLowerCase()
  }

  async submit (raw) {
    const { error, result } = await this.node('eth_sendRawTransaction', [this.truth.sent(raw)])
    if (error) { this.refused.push(this.hash(raw)); this.truth.failed('submit', error) } else this.truth.heard('http', 'eth_sendRawTransaction', result)
    return raw
  }

  // n of users whose wallets are 0 to 4, submitted to the node; n of those from 5 on, who go to builders, past the wire
  async open (n) { const out = []; while (out.length < n) out.push(await this.submit(await this.sign((out.length + blockCount) % 5))); return out }
  async hidden (n) { const out = []; while (out.length < n) out.push(await this.sign(5 + (out.length + blockCount) % 5)); return out }

  crossed (p, carrier, direction, kind, status) {
    p.raws.forEach((raw, index) => this.truth.add(this.hash(raw), raw, raw, carrier, direction, false, { block: p.hash, index }))
    this.blocks.push({ number: p.number, hash: p.hash, parent: p.execution.parentHash, kind, status, transactions: p.raws.map(r => this.hash(r)) })
  }

  async newPayload (p, status = 'VALID') {
    this.crossed(p, 'engine-newpayload', 'c2s', 'new', status)
    const versioned = p.raws.flatMap(r => Transaction.from(r).blobVersionedHashes ?? [])
    const requests = p.number % 4 === 1 ? ['0x00' + bytes(192)] : [] // bytes too: a deposit
    await this.engine('engine_newPayloadV4', [p.execution, versioned, made('beacon' + p.number), requests])
  }

  forkchoice (attributes = null) {
    const state = { headBlockHash: this.top.hash, safeBlockHash: (this.chain.at(-2) ?? this.genesis).hash, finalizedBlockHash: this.genesis.hash }
    return this.engine('engine_forkchoiceUpdatedV3', [state, attributes])
  }

  async follow (p) {
    this.chain = [...this.chain.slice(0, this.chain.findIndex(b => b.hash === p.execution.parentHash) + 1), p]
    await this.forkchoice()
  }

  async add (raws, parent = this.top) {
    const p = payload(parent, raws)
    await this.newPayload(p)
    await this.follow(p)
  }

  // The node builds a block; used or not.
  async built (raws, value) {
    const p = payload(this.top, raws, 'the node\'s own')
    await this.tell({ next: { executionPayload: p.execution, blockValue: hex(value), blobsBundle: { commitments: [], proofs: [], blobs: [] }, executionRequests: [], shouldOverrideBuilder: false } })
    const { payloadId } = await this.forkchoice({ timestamp: p.execution.timestamp, prevRandao: p.execution.prevRandao, suggestedFeeRecipient: p.execution.feeRecipient,
      withdrawals: p.execution.withdrawals, parentBeaconBlockRoot: made('beacon' + p.number) })
    this.crossed(p, 'engine-getpayload', 's2c', 'offered', null)
    await this.engine('engine_getPayloadV4', [payloadId])
    return p
  }
}
const mix = (a, b) => { const out = [...a]; for (const x of b) out.splice(rnd(out.length + 1), 0, x); return out }

const withBlob = s => s.sign(0, { ...zeroBlob(), to: account(1).address, maxFeePerGas: 60n * GWEI, maxPriorityFeePerGas: GWEI, chainId: CHAIN })
async function replacement (s) {
  const fees = n => ({ type: 2, maxFeePerGas: 30n * n * GWEI, maxPriorityFeePerGas: n * GWEI })
  const old = await s.submit(await s.sign(1, fees(1n)))
  s.nonces[1]--
  return [old, await s.submit(await s.sign(1, fees(3n)))]
}

async function firstHalf (s, kept) {
  await s.add(mix(await s.open(4), await s.hidden(2))) // 1
  await s.add(mix(await s.open(4), await s.hidden(2))) // 2
  const blob = await s.submit(await withBlob(s))
  await s.add(mix([...await s.open(3), withoutBlobs(blob)], await s.hidden(2))) // 3: the blob is left out
  const [old, better] = await replacement(s)
  await s.add(mix([...await s.open(3), better], await s.hidden(2))) // 4
  const own = await s.built(mix(await s.open(4), await s.hidden(2)), 10n ** 16n)
  await s.newPayload(own) // 5
  await s.follow(own)
  const [waiting, unused] = [await s.open(3), await s.hidden(1)]
  await s.built(mix(waiting, unused), 10n ** 15n) // built, and another is taken
  await s.add(mix([...waiting, ...await s.open(1)], await s.hidden(2))) // 6
  Object.assign(kept, { old, better, unused })
}

async function secondHalf (s, kept) {
  await s.add(mix(await s.open(4), await s.hidden(2))) // 7
  const [eight, secret] = [await s.open(4), await s.hidden(2)]
  await s.add(mix(eight, secret)) // 8, and the sibling that takes its place
  await s.add(mix([...eight.slice(0, 2), ...await s.open(1)], [secret[0], ...await s.hidden(1)]), s.chain.at(-2))
  await s.add(mix([eight[2], ...await s.open(3)], [secret[1], ...await s.hidden(1)])) // 9; eight[3] is not taken up again
  await s.add(mix(await s.open(4), await s.hidden(2))) // 10
  const [eleven, never] = [await s.open(4), await s.hidden(2)]
  const invalid = payload(s.top, mix(eleven, never))
  await s.tell({ verdict: [invalid.hash, { status: 'INVALID', latestValidHash: s.top.hash, validationError: 'invalid merkle root' }] })
  await s.newPayload(invalid, 'INVALID')
  await s.forkchoice()
  await s.add(mix(eleven, await s.hidden(2))) // 11
  const last = await s.built(mix(await s.open(4), await s.hidden(2)), 10n ** 16n)
  await s.newPayload(last) // 12
  await s.follow(last)
  await s.open(3) // pending at the end
  await s.submit(await s.sign(4, { value: 10n ** 30n })) // no such funds
  kept.never = never
}

// What became of them, as the script lived it.
function lives ({ truth, chain, blocks, refused, top }, { old, better, unused, never }) {
  const h = raw => truth.sign(raw)
  const submitted = new Set(truth.transactions.filter(t => t.pending).map(t => t.hash))
  const ever = new Set(blocks.filter(b => b.kind === 'new' && b.status === 'VALID').flatMap(b => b.transactions))
  const ends = new Map([...submitted, ...ever].map(hash => [hash, 'pending']))
  for (const b of chain.slice(1)) for (const raw of b.raws) ends.set(h(raw), 'included')
  ends.set(h(old), 'replaced')
  Object.assign(truth.more, {
    lives: Object.fromEntries(ends),
    included: ever.size, // transactions of blocks that were the head, also of the one that did not stay
    never_seen: [...ever].filter(hash => !submitted.has(hash)).length,
    reorged: [...ever].filter(hash => ends.get(hash) !== 'included'),
    replaced_by: { [h(old)]: h(better) },
    refused, invalid: never.map(h), offered: unused.map(h), head: top.hash, blocks
  })
}

async function client (way) {
  const s = new Script(way); const kept = {}
  await axios.post(way.elsewhere, { jsonrpc: '2.0', id: 1, method: 'evm_setAutomine', params: [false] }, { proxy: false })
  await s.engine('engine_exchangeCapabilities', [['engine_newPayloadV4', 'engine_forkchoiceUpdatedV3', 'engine_getPayloadV4']])
  await s.engine('engine_getClientVersionV1', [{ code: 'XX', name: 'stand-in', version: 'v1', commit: '0x00000000' }])
  await s.forkchoice()
  await firstHalf(s, kept)
  await secondHalf(s, kept)
  if (s.chain.length !== 13) throw new Error('the script lost count')
  lives(s, kept)
}

export const engine = {
  engine: { description: '12 blocks between a consensus and an execution client: a third of the transactions never pending before; a replacement, a reorg of one block, ' +
    'an INVALID payload, a payload that was built and not used, a blob, a refused submission', reader: 'engine', direct: true, client, server }
}
