// SPDX-License-Identifier: BSD-3-Clause
// usage: node feed.mjs relay HOST PORT FOLDER | client URL FOLDER: an Arbitrum feed relay, and a node that listens to it. The relay makes the
// broadcasts and writes FOLDER/sent.json; the client reads them as nitro does, writes FOLDER/arbitrum.expected.json by its own
// understanding, and fails unless that is what was sent.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { Transaction, hexlify } from 'ethers'
import WebSocket, { WebSocketServer } from 'ws'
import { Truth } from '../truth.mjs'
import { account, bytes, everyday, flashLoans, large, priced, rnd, setSeed } from '../txs.mjs'

const CHAIN = 42161
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))
const random = n => Buffer.from(bytes(n), 'hex')
const word = v => Buffer.from(BigInt(v).toString(16).padStart(64, '0'), 'hex')

// ---- L2 messages ----

const UNSIGNED = 0, CONTRACT = 1, BATCH = 3, SIGNED = 4, HEARTBEAT = 6, COMPRESSED = 7
const l2 = (kind, ...parts) => Buffer.concat([Buffer.from([kind]), ...parts])
const segment = m => { const n = Buffer.alloc(8); n.writeBigUInt64BE(BigInt(m.length)); return Buffer.concat([n, m]) }
const batch = (...messages) => l2(BATCH, ...messages.map(segment))
const nested = (m, depth) => depth === 0 ? m : batch(nested(m, depth - 1))

// A node's reading of an L2 message: calls found(raw) for signed transactions, and counts the rest. Throws where a node refuses.
function read (m, found, count, depth = 0) {
  if (m.length === 0) throw new Error('empty')
  const [kind, rest] = [m[0], m.subarray(1)]
  if (kind === SIGNED) found(hexlify(rest))
  else if (kind === UNSIGNED || kind === CONTRACT) count('unsigned')
  else if (kind !== BATCH || depth >= 16) throw new Error(`kind ${kind}`)
  for (let at = 0; kind === BATCH && at + 8 <= rest.length;) {
    const n = rest.readBigUInt64BE(at)
    if (BigInt(rest.length - at - 8) < n) break
    read(rest.subarray(at + 8, at + 8 + Number(n)), found, count, depth + 1)
    at += 8 + Number(n)
  }
}

// ---- the relay ----

let sequence = 183_000_000
const element = (l2Msg, header = {}, more = {}) => ({
  sequenceNumber: sequence++,
  message: {
    message: {
      header: { kind: 3, sender: '0xa4b000000000000000000073657175656e636572', blockNumber: 19_000_000 + sequence % 1000, timestamp: 1_700_000_000 + sequence % 100_000, requestId: null, baseFeeL1: null, ...header },
      l2Msg: l2Msg.toString('base64')
    },
    delayedMessagesRead: 1_500_000
  },
  blockHash: '0x' + bytes(32),
  signatureV2: random(65).toString('base64'),
  ...more
})
const broadcast = (...messages) => JSON.stringify({ version: 1, messages }) + '\n'
const fromL1 = kind => ({ kind, sender: '0x' + bytes(20), requestId: '0x' + bytes(32), baseFeeL1: 12345678901 })

async function makeBroadcasts (sent) {
  const kinds = Object.values(everyday), nonces = {}
  let count = 0
  const sign = async (req, alert) => {
    const wallet = account(count % 7), nonce = nonces[count % 7] = (nonces[count % 7] ?? -1) + 1
    const old = count % 11 === 6 // before EIP-155
    const tx = { ...priced(req, count), nonce, chainId: CHAIN, ...(old ? { type: 0, chainId: 0, gasPrice: 10n ** 8n, maxFeePerGas: null, maxPriorityFeePerGas: null, accessList: null } : {}) }
    count++
    const raw = await wallet.signTransaction(tx)
    const { hash } = Transaction.from(raw)
    sent.crossings.push(hash)
    if (alert) sent.alerts[hash] = alert
    return l2(SIGNED, Buffer.from(raw.slice(2), 'hex'))
  }
  const usual = () => sign(kinds[count % kinds.length]())
  const several = async n => { const out = []; for (let i = 0; i < n; i++) out.push(await usual()); return out }
  const unsigned = () => l2(UNSIGNED, word(1_000_000), word(10n ** 8n), word(rnd(100)), word('0x' + bytes(20)), word(rnd(1000)), random(rnd(200)))
  const contract = () => l2(CONTRACT, word(1_000_000), word(10n ** 8n), word('0x' + bytes(20)), word(rnd(1000)), random(68))

  // what a client that comes is given first: the backlog, in one broadcast that is longer than 64 KiB
  const backlog = []
  for (let i = 0; i < 12; i++) backlog.push(element(i === 7 ? batch(...await several(5)) : i === 9 ? await sign(large(50000)) : await usual()))
  const live = []
  const add = (...elements) => live.push(broadcast(...elements))
  for (let i = 0; i < 14; i++) add(element(await usual()))
  for (let i = 2; i < 10; i++) add(element(batch(...await several(i))))
  add(element(await sign(flashLoans.aaveSimple(), 'flash_loan')))
  add(element(batch(await usual(), await sign(flashLoans.balancer(), 'flash_loan'), await usual())))
  for (const depth of [2, 5, 15, 16]) add(element(nested(await usual(), depth)))
  add(element(batch(await usual(), batch(...await several(3), batch(await usual(), batch()), await usual()), unsigned(), await usual())))
  add(element(batch()))
  add(element(Buffer.concat([batch(await usual()), Buffer.from('0000000000ffffff', 'hex')]))) // a rest that is no element
  for (let i = 0; i < 3; i++) add(element(unsigned()), element(contract(), fromL1(3)))
  for (const m of [l2(COMPRESSED, random(90)), l2(HEARTBEAT), l2(2, random(100)), l2(5), l2(200, random(40)), batch(l2(COMPRESSED, random(30)))]) add(element(m))
  add(element(nested(l2(HEARTBEAT), 17)), element(Buffer.alloc(0)))
  for (const kind of [6, 7, 8, 9, 10, 11, 12, 13, 255]) add(element(kind === 7 ? unsigned() : random(32 * 7), fromL1(kind), kind === 13 ? { blockMetadata: 'AAI=' } : {}))
  add(element(await usual()), element(batch(...await several(2))), element(unsigned()), element(await usual()))
  live.push(JSON.stringify({ version: 1, confirmedSequenceNumberMessage: { sequenceNumber: sequence - 3 } }) + '\n')
  live.push(JSON.stringify({ version: 1 }) + '\n')
  for (let i = 0; i < 8; i++) add(element(i % 2 ? batch(...await several(1 + rnd(4))) : await usual(), {}, { blockMetadata: random(2).toString('base64') }))
  // the same as any JSON writer may put it
  const odd = JSON.stringify({ version: 1, messages: [element(await usual())] }, null, 2).replace('l2Msg', 'L2\\u004dsg').replace('"kind"', '"Kind"').replaceAll('/', '\\/')
  live.push(odd)
  return { backlog: broadcast(...backlog), live }
}

// Some broadcasts in fragments, as a writer with a small buffer makes them, with a ping between.
function send (ws, text) {
  if (rnd(4)) { ws.send(text); return }
  for (let at = 0; at < text.length;) {
    const n = 1 + rnd(1 + rnd(4096))
    ws.send(text.slice(at, at + n), { fin: at + n >= text.length })
    if (rnd(3) === 0) ws.ping()
    at += n
  }
}

async function relay (host, port, folder) {
  setSeed(0xa4b1)
  const sent = { crossings: [], alerts: {} }
  const { backlog, live } = await makeBroadcasts(sent)
  const first = sent.crossings.slice(0, 16) // those of the backlog
  let clients = 0
  const server = new WebSocketServer({ host, port: Number(port), perMessageDeflate: false })
  server.on('headers', headers => headers.push('Arbitrum-Feed-Server-Version: 2', `Arbitrum-Chain-Id: ${CHAIN}`))
  server.on('connection', async ws => {
    if (clients++ === 0) {
      send(ws, backlog)
      for (const text of live) { await sleep(3 + rnd(8)); send(ws, text) }
    } else { // comes again, and is given the backlog again
      sent.crossings.push(...first)
      ws.send(backlog)
      writeFileSync(`${folder}/sent.json`, JSON.stringify({ ...sent, broadcasts: live.length + 2 }))
    }
    await sleep(200)
    ws.close(1000)
  })
  server.on('listening', () => console.log('listening'))
}

// ---- the client ----

async function listen (url, heard, from) {
  const headers = { 'Arbitrum-Feed-Client-Version': '2', 'Arbitrum-Requested-Sequence-number': String(from) }
  const ws = new WebSocket(url, { headers, perMessageDeflate: false })
  ws.on('message', data => heard(JSON.parse(data.toString())))
  await new Promise((resolve, reject) => { ws.on('close', resolve); ws.on('error', reject) })
}

async function client (url, folder) {
  const truth = new Truth('arbitrum', 'an Arbitrum sequencer feed by a relay: a backlog, then broadcasts of every kind; batches in batches, some in fragments; the backlog once more')
  const l2Counts = {}
  const order = []
  let broadcasts = 0, elements = 0
  const count = what => { l2Counts[what] = (l2Counts[what] ?? 0) + 1 }
  const heard = b => {
    broadcasts++
    for (const m of b.messages ?? []) {
      elements++
      const inner = Object.fromEntries(Object.entries(m.message.message).map(([k, v]) => [k.toLowerCase(), v]))
      const kind = inner.header.kind ?? inner.header.Kind
      const raws = []
      if (kind === 3) try { read(Buffer.from(inner.l2msg, 'base64'), raw => raws.push(raw), count) } catch { count('refused') } else count(`header ${kind}`)
      for (const raw of raws) { order.push(Transaction.from(raw).hash); truth.raw(raw, undefined, 'arbitrum-feed'); count('signed') }
    }
  }
  await listen(url, heard, 0)
  await listen(url, heard, 5)
  for (let i = 0; i < 50 && !existsSync(`${folder}/sent.json`); i++) await sleep(100)
  const sent = JSON.parse(readFileSync(`${folder}/sent.json`))
  if (JSON.stringify(order) !== JSON.stringify(sent.crossings) || broadcasts !== sent.broadcasts) throw new Error('heard something else than was sent')
  Object.assign(truth.alerts, sent.alerts)
  truth.write(folder)
  const path = `${folder}/arbitrum.expected.json`
  const out = { ...JSON.parse(readFileSync(path)), carrier: 'arbitrum-feed', direction: 's2c', pending: false, broadcasts, elements, l2: l2Counts }
  writeFileSync(path, JSON.stringify(out, null, 1) + '\n')
  console.log(`${broadcasts} broadcasts, ${elements} elements: ${JSON.stringify(l2Counts)}`)
}

const [role, ...rest] = process.argv.slice(2)
if (role === 'relay') await relay(...rest)
else if (role === 'client') { await client(...rest); process.exit(0) } else throw new Error('relay or client')
