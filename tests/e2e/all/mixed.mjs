// SPDX-License-Identifier: BSD-3-Clause
// usage: node mixed.mjs HTTP_URL COUNT [RATE]
// Clients of three libraries, each over HTTP and WebSocket, on connections of their own, for mixed.py and long.py. COUNT transactions, signed before it says
// {"ready"}; at the word "go" they are submitted, as fast as the node answers, or RATE a second whatever it answers (then COUNT is ignored, they are signed as
// they go, and it ends at the word "stop"). Prints one JSON object a line: {"sent": hash, "from": ms since 1970, "at": ms} when the node has told the hash,
// {"refused": hash, ..., "unsent": whether there was not even a connection, "why"} when it told something else, and last {"done": {...}}. Ends at the end of its standard input.
import { FetchRequest, HDNodeWallet, JsonRpcProvider, Mnemonic, Transaction, Wallet, WebSocketProvider, getBytes, hexlify, toQuantity } from 'ethers'
import { randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline'
import { createPublicClient, http as viemHttp, webSocket as viemWebSocket } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { anvil } from 'viem/chains'
import { Web3 } from 'web3'

const [url, count, rate] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4] ?? 0)]
const ws = url.replace('http:', 'ws:')
const CHAIN = 31337
const GWEI = 10n ** 9n
const KEYS_EACH = 4 // private keys of a client
const ABREAST = 8 // submissions of a client that wait for an answer
const LARGE = 60000 // bytes of calldata of one in so many:
const LARGE_EVERY = 128
const BLOB_EVERY = 512 // of ethers' clients
const BLOB_AT = 13
const SYNC_EVERY = 100 // by eth_sendRawTransactionSync, where a client has it
const REPEAT_EVERY = 50 // submitted once more, by another client
const TIMEOUT_MS = 60000
const UNSIGNED = rate ? 0 : 5 // signed by the node; their bytes are in what it tells subscribers

const say = o => process.stdout.write(JSON.stringify(o) + '\n')
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))
const root = HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase('test test test test test test test test test test test junk'), "m/44'/60'/0'/0")

let seed = 0x3a11 + count
function rnd (n) {
  seed ^= seed << 13; seed >>>= 0
  seed ^= seed >>> 17
  seed ^= seed << 5; seed >>>= 0
  return seed % n
}
const bytes = n => hexlify(randomBytes(n))

// What a transaction asks for, in ethers' words. types: those that the library can sign
function request (i, nonce, types) {
  const type = types[i % types.length]
  const large = i % LARGE_EVERY === 17
  const create = i % 23 === 11 && type < 3
  const tx = { type, chainId: CHAIN, nonce, value: BigInt(rnd(1000)), gasLimit: 3000000n,
    to: create ? null : bytes(20), data: large ? bytes(LARGE) : create ? '0x600a600c600039600a6000f3602a60005260206000f3' + bytes(rnd(900)).slice(2) : bytes(rnd(600)) }
  if (type < 2) tx.gasPrice = BigInt(20 + rnd(40)) * GWEI
  else Object.assign(tx, { maxFeePerGas: BigInt(20 + rnd(40)) * GWEI, maxPriorityFeePerGas: BigInt(1 + rnd(2)) * GWEI })
  if (type === 1) tx.accessList = [{ address: bytes(20), storageKeys: [bytes(32), bytes(32)] }]
  return tx
}

// The proof of a blob of zeros is the point at infinity, and so is its commitment.
const INFINITY = '0xc0' + '00'.repeat(47)
const ZEROS = { data: '0x' + '00'.repeat(131072), commitment: INFINITY, proof: INFINITY }

const authority = new Wallet(bytes(32)) // not a sender: an authorization takes a nonce of who gives it
async function signEthers (key, i, nonce) {
  const wallet = new Wallet(key)
  const blob = i % BLOB_EVERY === BLOB_AT
  const tx = request(i, nonce, [2, 0, 2, 1, 4])
  if (blob) Object.assign(tx, { type: 3, to: tx.to ?? bytes(20), data: '0x', maxFeePerGas: 50n * GWEI, maxPriorityFeePerGas: GWEI, maxFeePerBlobGas: GWEI, blobs: [ZEROS], gasPrice: undefined, accessList: undefined })
  else if (tx.type === 4) tx.authorizationList = [await authority.authorize({ address: bytes(20), nonce: i, chainId: CHAIN })]
  const raw = await wallet.signTransaction(tx)
  return { raw, hash: Transaction.from(raw).hash }
}

const VIEM_TYPES = { 0: 'legacy', 1: 'eip2930', 2: 'eip1559', 4: 'eip7702' }
async function signViem (key, i, nonce) {
  const account = privateKeyToAccount(key)
  const { type, gasLimit, ...tx } = request(i, nonce, [2, 0, 1, 2, 4])
  if (type === 4) tx.authorizationList = [await privateKeyToAccount(authority.privateKey).signAuthorization({ contractAddress: bytes(20), nonce: i, chainId: CHAIN })]
  const raw = await account.signTransaction({ ...tx, gas: gasLimit, type: VIEM_TYPES[type] })
  return { raw, hash: Transaction.from(raw).hash }
}

const accounts = new Web3(url).eth.accounts
async function signWeb3 (key, i, nonce) {
  const { gasLimit, ...tx } = request(i, nonce, [0, 2, 1])
  const plain = Object.fromEntries(Object.entries({ ...tx, gas: gasLimit }).filter(([, v]) => v != null))
  const signed = await accounts.signTransaction(plain, key)
  return { raw: signed.rawTransaction, hash: signed.transactionHash }
}

// A client: submit(raw) resolves with the hash that the node told; sync(raw), if it has one, with the hash in the receipt.
function ethersOf (provider) {
  return { sign: signEthers, submit: async raw => (await provider.broadcastTransaction(raw)).hash,
    sync: async raw => (await provider.send('eth_sendRawTransactionSync', [raw])).transactionHash, end: () => provider.destroy() }
}
function ethersHttp (options, header) {
  const request = new FetchRequest(url)
  if (header) request.setHeader(...header)
  return ethersOf(new JsonRpcProvider(request, CHAIN, { staticNetwork: true, polling: false, cacheTimeout: -1, ...options }))
}
function viemOf (transport, end = () => {}) {
  const client = createPublicClient({ chain: anvil, transport })
  return { sign: signViem, submit: raw => client.sendRawTransaction({ serializedTransaction: raw }),
    sync: async raw => (await client.request({ method: 'eth_sendRawTransactionSync', params: [raw] })).transactionHash, end: () => end(client) }
}
function web3Of (web3, receipts) {
  const submit = raw => new Promise((resolve, reject) => {
    const sent = web3.eth.sendSignedTransaction(raw, undefined, { checkRevertBeforeSending: false })
    sent.once('transactionHash', resolve)
    sent.catch(reject)
  })
  const bare = raw => web3.requestManager.send({ method: 'eth_sendRawTransaction', params: [raw] })
  let n = 0
  // waiting for a receipt costs a request a second each
  return { sign: signWeb3, submit: raw => n++ % receipts ? bare(raw) : submit(raw), end: () => web3.provider.supportsSubscriptions() && web3.provider.disconnect() }
}
function web3Batches () {
  const web3 = new Web3(url)
  let waiting = []
  const flush = () => {
    const batch = new web3.BatchRequest()
    for (const { raw, resolve, reject } of waiting) batch.add({ jsonrpc: '2.0', method: 'eth_sendRawTransaction', params: [raw] }).then(resolve, reject)
    waiting = []
    batch.execute({ timeout: TIMEOUT_MS }).catch(() => {})
  }
  const submit = raw => new Promise((resolve, reject) => {
    if (waiting.push({ raw, resolve, reject }) === 1) setTimeout(flush, 5)
  })
  return { sign: signWeb3, submit, end () {} }
}

const makers = {
  ethers_http: () => ethersHttp({ batchMaxCount: 1 }),
  ethers_close: () => ethersHttp({ batchMaxCount: 1 }, ['connection', 'close']),
  ethers_batch: () => ethersHttp({ batchMaxCount: 20, batchStallTime: 5 }),
  ethers_ws: () => ethersOf(new WebSocketProvider(ws, CHAIN, { staticNetwork: true })),
  viem_http: () => viemOf(viemHttp(url, { retryCount: 0, timeout: TIMEOUT_MS })),
  viem_batch: () => viemOf(viemHttp(url, { batch: { batchSize: 20, wait: 5 }, retryCount: 0, timeout: TIMEOUT_MS })),
  viem_ws: () => viemOf(viemWebSocket(ws, { retryCount: 0, timeout: TIMEOUT_MS }), async client => (await client.transport.getRpcClient()).close()),
  web3_http: () => web3Of(new Web3(url), 10),
  web3_batch: web3Batches,
  web3_ws: () => web3Of(new Web3(ws), 40)
}

// Somebody who is told of every pending transaction, bytes and all.
async function listener () {
  const provider = new WebSocketProvider(ws, CHAIN, { staticNetwork: true })
  const heard = new Set()
  await provider.send('eth_chainId', [])
  provider.websocket.addEventListener('message', e => { const h = JSON.parse(e.data.toString()).params?.result?.hash; if (h) heard.add(h) })
  await provider.send('eth_subscribe', ['newPendingTransactions', true])
  return { heard, end: () => provider.destroy() }
}

const totals = { submitted: 0, repeats: 0, sync: 0, unsigned: 0, refused: 0, heard: 0, clients: {} }
// No connection was made: nothing of it was on the wire.
function unsent (e) {
  for (; e; e = e.cause ?? e.innerError) if (/UND_ERR_CONNECT_TIMEOUT|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH/.test(e.code)) return true
  return false
}
async function put (client, { raw, hash }, i) {
  const sync = client.sync && i % SYNC_EVERY === 23
  const from = Date.now()
  totals.submitted++
  totals.sync += sync ? 1 : 0
  try {
    const told = sync ? await client.sync(raw) : await client.submit(raw)
    say(told === hash ? { sent: hash, from, at: Date.now() } : { refused: hash, from, at: Date.now(), why: 'told ' + told })
  } catch (e) {
    totals.refused++
    say({ refused: hash, from, at: Date.now(), unsent: unsent(e), why: String(e.shortMessage ?? e.message).slice(0, 300) })
  }
}
// The node has it already: what it says does not matter, that it crosses once more does.
async function repeat (client, { raw }) {
  totals.repeats++
  await client.submit(raw).catch(() => {})
}

const names = Object.keys(makers)
const clients = names.map((name, c) => ({ name, ...makers[name](), keys: Array.from({ length: KEYS_EACH }, (_, k) => root.deriveChild(c * KEYS_EACH + k).privateKey), made: 0 }))
const make = c => {
  const i = c.made++
  return c.sign(c.keys[i % KEYS_EACH], i, Math.floor(i / KEYS_EACH))
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const told = async () => (await lines.next()).value ?? process.exit(1)

async function closed (hears) {
  const own = []
  for (const [c, client] of clients.entries()) {
    own.push([])
    const n = Math.floor((count - UNSIGNED) / clients.length) + (c < (count - UNSIGNED) % clients.length ? 1 : 0)
    while (own[c].length < n) own[c].push(await make(client))
    totals.clients[client.name] = n
  }
  say({ ready: true })
  if (await told() !== 'go') process.exit(1)
  const start = Date.now()
  await Promise.all(clients.map(async (client, c) => {
    const others = clients[(c + 3) % clients.length]
    let next = 0
    await Promise.all(Array.from({ length: ABREAST }, async () => {
      while (next < own[c].length) {
        const i = next++
        await put(client, own[c][i], i)
        if (i % REPEAT_EVERY === 7 && i % BLOB_EVERY !== BLOB_AT) await repeat(others, own[c][i])
      }
    }))
  }))
  const from = root.deriveChild(clients.length * KEYS_EACH).address
  const plain = ethersHttp({ batchMaxCount: 1 })
  for (let i = 0; i < UNSIGNED; i++) {
    const { result } = await (await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: i, method: 'eth_sendTransaction', params: [{ from, to: bytes(20), value: toQuantity(i), gas: '0x5208' }] }) })).json()
    totals.unsigned++
    say({ sent: result, at: Date.now() })
  }
  plain.end()
  totals.ms = Date.now() - start
  for (const end = Date.now() + 10000; hears.heard.size < count - totals.refused && Date.now() < end;) await sleep(20)
}

async function open () {
  say({ ready: true })
  if (await told() !== 'go') process.exit(1)
  const start = Date.now()
  let stopped = false
  const word = told().then(() => { stopped = true })
  const under = new Set()
  for (let n = 0; !stopped; n++) {
    const wait = start + n * 1000 / rate - Date.now()
    if (wait > 0) await sleep(wait)
    const client = clients[n % clients.length]
    const i = client.made
    const p = make(client).then(tx => put(client, tx, i)).finally(() => under.delete(p))
    under.add(p)
  }
  await word
  await Promise.all(under)
  totals.ms = Date.now() - start
}

// web3 waits for receipts in promises that nobody holds; of a connection that a busy node resets it is enough that it is said.
if (rate) process.on('unhandledRejection', e => say({ stray: String(e?.message ?? e).slice(0, 300) }))
const hears = await listener()
await (rate ? open() : closed(hears))
totals.heard = hears.heard.size
say({ done: totals })
await lines.next()
for (const c of clients) await c.end()
hears.end()
process.exit(0)
