// SPDX-License-Identifier: BSD-3-Clause
// usage: node blocks.mjs node ADDRESS SOCKET | script ADDRESS SOCKET TRUTH.json
// The two hosts of live_blocks.py. node: an execution client's engine API on port 8551 of ADDRESS, a stand-in that speaks the JSON of the real ones, and
// SOCKET, a way past the wire to it and to anvil, which mines the blocks. script: users, who submit to anvil over the wire or past it, and the
// consensus client, which hands anvil's blocks to the engine API. It writes what became of every transaction, as it lived it.
import { HDNodeWallet, Mnemonic, keccak256, toBeHex } from 'ethers'
import { createHmac, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import http from 'node:http'
import { Lives } from './lives.mjs'

const [role, address, socketPath, truthPath] = process.argv.slice(2)
const [NODE, ENGINE] = [8545, 8551]
const SECRET = Buffer.alloc(32, 7)
const BLOCKS = 200
const GWEI = 10n ** 9n
const CHAIN = 31337

// ---- the execution client ----

async function bodyOf (stream) {
  const parts = []
  for await (const p of stream) parts.push(p)
  return JSON.parse(Buffer.concat(parts).toString())
}
function answer (res, value) {
  const text = JSON.stringify(value)
  res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) })
  res.end(text)
}
const sign = text => createHmac('sha256', SECRET).update(text).digest('base64url')

async function node () {
  const invalid = new Map(); const built = new Map()
  const anvil = caller({ host: '127.0.0.1', port: NODE })
  let next = null
  const methods = {
    engine_exchangeCapabilities: () => ['engine_newPayloadV4', 'engine_forkchoiceUpdatedV3', 'engine_getPayloadV4'],
    engine_newPayloadV4: ([p]) => invalid.has(p.blockHash)
      ? { status: 'INVALID', latestValidHash: p.parentHash, validationError: 'invalid merkle root' }
      : { status: 'VALID', latestValidHash: p.blockHash, validationError: null },
    engine_forkchoiceUpdatedV3: ([state, attributes]) => {
      const payloadId = attributes ? '0x' + randomBytes(8).toString('hex') : null
      if (payloadId) built.set(payloadId, next)
      return { payloadStatus: { status: 'VALID', latestValidHash: state.headBlockHash, validationError: null }, payloadId }
    },
    engine_getPayloadV4: ([id]) => built.get(id)
  }
  http.createServer(async (req, res) => {
    const { id, method, params } = await bodyOf(req)
    const [head, claims, mac] = (req.headers.authorization ?? '').replace('Bearer ', '').split('.')
    if (sign(`${head}.${claims}`) !== mac) res.writeHead(401).end()
    else answer(res, { jsonrpc: '2.0', id, result: methods[method](params) })
  }).listen(ENGINE, address)
  http.createServer(async (req, res) => {
    const { method, params } = await bodyOf(req)
    if (method === 'invalid') invalid.set(params[0], true)
    if (method === 'next') next = params[0]
    answer(res, /^(invalid|next)$/.test(method) ? {} : await anvil(method, params))
  }).listen(socketPath, () => console.log(JSON.stringify({ listening: true })))
  process.stdin.on('end', () => process.exit(0)).resume()
}

// ---- the consensus client and the users ----

// Calls with one kept connection; the whole answer.
function caller (where, headers = () => ({})) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  let id = 1
  return (method, params = []) => new Promise((resolve, reject) => {
    const text = JSON.stringify({ jsonrpc: '2.0', id: id++, method, params })
    const req = http.request({ ...where, method: 'POST', agent, headers: { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text), ...headers() } })
    req.on('response', res => bodyOf(res).then(resolve, reject))
    req.on('error', reject)
    req.end(text)
  })
}
const part = o => Buffer.from(JSON.stringify(o)).toString('base64url')
function token () { // made anew for each request, as every consensus client does
  const text = part({ typ: 'JWT', alg: 'HS256' }) + '.' + part({ iat: Math.floor(Date.now() / 1000) })
  return { Authorization: `Bearer ${text}.${sign(text)}` }
}
const wire = caller({ host: address, port: NODE })
const past = caller({ socketPath })
const engineCall = caller({ host: address, port: ENGINE }, token)
const result = async promise => { const { result, error } = await promise; if (error) throw new Error(JSON.stringify(error)); return result }
const hex = n => toBeHex(n, (n.toString(16).length + 1) >> 1).replace(/^0x0/, '0x')

const root = HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase('test test test test test test test test test test test junk'), "m/44'/60'/0'/0")
const wallets = Array.from({ length: 60 }, (_, i) => root.deriveChild(i))
const nonces = wallets.map(() => 0)
const [OPEN, HIDDEN, ONCE] = [0, 6, 10] // of the first users submit over the wire, of the next past it; from the last on each sends once
let once = ONCE
const lives = new Lives()
const raws = new Map() // hash -> raw
let made = 0

// Unless more says another: the next of that wallet. Replacements pay more.
async function make (w, { pays = 1n, ...more } = {}) {
  const type = [2, 0, 1][made++ % 3]
  const fees = type === 2 ? { maxFeePerGas: 3n * GWEI * pays, maxPriorityFeePerGas: GWEI * pays } : { gasPrice: 3n * GWEI * pays }
  const nonce = more.nonce ?? nonces[w]++
  const raw = await wallets[w].signTransaction({ type, chainId: CHAIN, nonce, to: wallets[made % 4].address, value: BigInt(made), gasLimit: 60000n,
    ...(type === 1 ? { accessList: [{ address: wallets[0].address, storageKeys: [] }] } : {}), ...fees, ...more })
  const hash = keccak256(raw)
  raws.set(hash, raw)
  lives.made(hash, wallets[w].address, nonce)
  return hash
}
async function submit (hash) {
  lives.pending(hash)
  if (await result(wire('eth_sendRawTransaction', [raws.get(hash)])) !== hash) throw new Error('another hash')
  lives.accepted++
  return hash
}
async function hide (hash) { await result(past('eth_sendRawTransaction', [raws.get(hash)])); return hash }
async function open (n) { const out = []; while (out.length < n) out.push(await submit(await make(OPEN + made % 6))); return out }
async function hidden (n) { const out = []; while (out.length < n) out.push(await hide(await make(HIDDEN + made % 4))); return out }

// What anvil mines next, which must be exactly these.
async function mine (hashes) {
  await result(past('evm_mine'))
  const b = await result(past('eth_getBlockByNumber', ['latest', false]))
  if (b.transactions.length !== hashes.length || !hashes.every(h => b.transactions.includes(h))) throw new Error(`block ${b.number} has other transactions`)
  return payload(b)
}
const payload = b => ({
  parentHash: b.parentHash, feeRecipient: b.miner, stateRoot: b.stateRoot, receiptsRoot: b.receiptsRoot, logsBloom: b.logsBloom, prevRandao: b.mixHash,
  blockNumber: b.number, gasLimit: b.gasLimit, gasUsed: b.gasUsed, timestamp: b.timestamp, extraData: b.extraData, baseFeePerGas: b.baseFeePerGas,
  blockHash: b.hash, transactions: b.transactions.map(h => raws.get(h)), withdrawals: b.withdrawals ?? [], blobGasUsed: b.blobGasUsed ?? '0x0', excessBlobGas: b.excessBlobGas ?? '0x0'
})
const hashesOf = p => p.transactions.map(raw => keccak256(raw))
// A block of the same parent that nobody mined.
const forged = (p, hashes) => ({ ...p, blockHash: keccak256(randomBytes(32)), stateRoot: keccak256(randomBytes(32)), transactions: hashes.map(h => raws.get(h)) })

const engine = (method, params) => result(engineCall(method, params))
const newPayload = p => engine('engine_newPayloadV4', [p, [], keccak256('0x01'), []])
const forkchoice = (head, attributes = null) => engine('engine_forkchoiceUpdatedV3', [{ headBlockHash: head, safeBlockHash: head, finalizedBlockHash: head }, attributes])
let head
async function follow (p) {
  await newPayload(p)
  lives.enter(p.blockHash, hashesOf(p))
  await forkchoice(head = p.blockHash)
}

// The node builds a block for a validator; it may be another that is taken.
async function offered (p) {
  await past('next', [{ executionPayload: p, blockValue: '0x1', blobsBundle: { commitments: [], proofs: [], blobs: [] }, executionRequests: [], shouldOverrideBuilder: false }])
  const { payloadId } = await forkchoice(head, { timestamp: p.timestamp, prevRandao: p.prevRandao, suggestedFeeRecipient: p.feeRecipient, withdrawals: [], parentBeaconBlockRoot: keccak256('0x02') })
  await engine('engine_getPayloadV4', [payloadId])
}
async function replacement (private_) {
  const w = OPEN + made % 6
  const nonce = nonces[w]++
  const old = await submit(await make(w, { nonce }))
  const better = await make(w, { nonce, pays: 3n })
  await (private_ ? hide(better) : submit(better))
  return { old, better }
}
async function refused () {
  const poor = await make(ONCE, { nonce: 1, value: 10n ** 30n + BigInt(made) })
  lives.pending(poor)
  if (!(await wire('eth_sendRawTransaction', [raws.get(poor)])).error) throw new Error('the node took what it should refuse')
  lives.refused++
}

async function invalidBlock (p) {
  const [rival, secret] = [await make(ONCE + 1, { nonce: 0, pays: 2n }), await make(ONCE + 2, { nonce: 0 })]
  const waiting = await submit(await make(ONCE + 1, { nonce: 0 }))
  const bad = forged(p, [...hashesOf(p).slice(0, 2), rival, secret])
  await past('invalid', [bad.blockHash])
  if ((await newPayload(bad)).status !== 'INVALID') throw new Error('the stand-in did not obey')
  lives.refusedBlock(hashesOf(bad))
  return [waiting]
}

// `depth` blocks leave for depth + 1 others with the same transactions, but for one that is replaced, and two of wallets that send no more.
async function reorg (depth) {
  const snapshot = await result(past('evm_snapshot'))
  const parent = head
  const { old, better } = await replacement(false)
  const left = [await submit(await make(once++)), await hide(await make(once++))]
  const gone = []
  for (let i = 0; i < depth; i++) {
    const hashes = [...(i ? [] : [better, ...left]), ...await open(4), ...await hidden(3)]
    gone.push(await mine(hashes))
    await follow(gone.at(-1))
  }
  await result(past('evm_revert', [snapshot]))
  await past('anvil_dropAllTransactions')
  const again = [old, ...gone.flatMap(hashesOf).filter(h => h !== better && !left.includes(h))]
  const come = []
  for (let i = 0; i <= depth; i++) {
    const some = i === depth ? again.splice(0) : again.splice(0, 3)
    // by nonce, or anvil has them wait
    for (const h of some) await hide(h)
    come.push(await mine(some))
    await newPayload(come.at(-1))
  }
  for (const p of [...gone].reverse()) lives.leave(p.blockHash, hashesOf(p))
  for (const p of come) lives.enter(p.blockHash, hashesOf(p))
  await forkchoice(head = come.at(-1).blockHash)
  return come.length
}

async function script () {
  const genesis = await result(past('eth_getBlockByNumber', ['0x0', false]))
  head = genesis.hash
  await engine('engine_exchangeCapabilities', [['engine_newPayloadV4']])
  await forkchoice(head)
  let waiting = []
  for (let n = 0; lives.blocks.length < BLOCKS; n++) {
    const hashes = [...waiting, ...await open(5 + 2 * (n % 3)), ...await hidden(3 + n % 3)]
    waiting = []
    if (n % 20 === 3) { const { better } = await replacement(n % 40 === 3); hashes.push(better) }
    const p = await mine(hashes)
    if (n % 10 === 1) await offered(n % 20 === 1 ? p : forged(p, [...hashes.slice(1), await make(once, { nonce: 7 })]))
    if (n === 100) waiting = await invalidBlock(p)
    await follow(p)
    if (n % 7 === 2) await newPayload(p) // told again
    if (n % 25 === 20) await reorg(1 + n % 3)
    if (n % 30 === 5) await refused()
    if (n % 9 === 4) { // what anybody may ask for changes nothing
      await result(wire('eth_getBlockByNumber', [hex(Math.max(1, n - 3)), true]))
      await result(wire('eth_getTransactionByHash', [hashes.at(-1)]))
    }
  }
  await submit(await make(once, { nonce: 9 })) // for ever pending
  writeFileSync(truthPath, JSON.stringify(lives))
  console.log(JSON.stringify({ done: true }))
  process.exit(0)
}

await (role === 'node' ? node() : script())
