// SPDX-License-Identifier: BSD-3-Clause
// A node's answers that carry transactions which were submitted elsewhere. Elsewhere is a port that the capture leaves out.
import http from 'node:http'
import zlib from 'node:zlib'
import axios from 'axios'
import { createPublicClient, http as viemHttp } from 'viem'
import { Web3 } from 'web3'
import { zeroBlob } from '../blob.mjs'
import { account, everyday, flashLoans, mixed, priced, rnd } from '../txs.mjs'

async function signed (n, wallet, truth, make = mixed, nonce = 0) {
  const out = []
  for (let i = 0; i < n; i++) {
    const request = { ...priced(make(i), i), nonce: nonce + i }
    if (i % 7 === 6) { // sets code
      const auth = await account(8).authorize({ address: '0x' + '0a77ac'.padStart(40, '0'), nonce: wallet * 10 + i, chainId: 31337 })
      Object.assign(request, { type: 4, to: account(8).address, maxFeePerGas: 60n * 10n ** 9n, maxPriorityFeePerGas: 10n ** 9n, gasPrice: undefined, authorizationList: [auth] })
    }
    const raw = await account(wallet).signTransaction(request)
    out.push({ raw, hash: truth.sign(raw) })
  }
  return out
}
const small = i => Object.values(everyday)[i % Object.keys(everyday).length]()

// Of which an object has all but the blob; anvil adds the blob's bytes to some, which only compression keeps small.
async function withBlob (truth) {
  const raw = await account(4).signTransaction({ ...zeroBlob(), to: account(5).address, nonce: 0, chainId: 31337, gasLimit: 90000n, maxFeePerGas: 9n * 10n ** 9n, maxPriorityFeePerGas: 10n ** 9n })
  return { raw, hash: truth.sign(raw) }
}

// The questions, in the order of a day: pool, block, after.
async function questions (ask, elsewhere, truth, n, blob = false) {
  const submit = async list => { for (const { raw } of list) await elsewhere('eth_sendRawTransaction', [raw]) }
  await elsewhere('evm_setAutomine', [false])
  const filter = await ask('eth_newPendingTransactionFilter', [])
  const a = await signed(n, 0, truth, i => i === 4 ? flashLoans.balancer() : mixed(i))
  truth.alerts[a[4].hash] = 'flash_loan'
  await submit(a)
  for (const { raw } of await signed(3, 1, truth, small)) await ask('eth_sendRawTransaction', [truth.sent(raw)])
  for (const { hash } of a.slice(0, 8)) await ask('eth_getTransactionByHash', [hash])
  await ask('eth_getTransactionByHash', ['0x' + 'ab'.repeat(32)])
  for (const { hash } of a.slice(6, 11)) await ask('eth_getRawTransactionByHash', [hash])
  await ask('eth_getFilterChanges', [filter])
  await ask('txpool_content', [])
  await elsewhere('evm_mine', [])
  const b = await signed(6, 2, truth, small)
  if (blob) b.push(await withBlob(truth))
  await submit(b)
  await ask('eth_getTransactionByHash', [b.at(-1).hash])
  await elsewhere('evm_mine', [])
  const first = await ask('eth_getBlockByNumber', ['0x1', false])
  await ask('eth_getBlockByNumber', ['0x1', true])
  const second = await elsewhere('eth_getBlockByNumber', ['0x2', false])
  await ask('eth_getBlockByHash', [second.hash, true])
  await ask('eth_getTransactionByBlockNumberAndIndex', ['0x1', '0x2'])
  await ask('eth_getTransactionByHash', [a[1].hash])
  await ask('eth_getRawTransactionByHash', [b[0].hash])
  await ask('eth_getTransactionReceipt', [first.transactions[0]])
  const c = await signed(6, 3, truth, small)
  await submit(c)
  await ask(c.map(({ hash }) => ['eth_getTransactionByHash', [hash]])) // a batch
}

const rpcOf = url => async (method, params) => {
  const { data } = await axios.post(url, { jsonrpc: '2.0', id: 1, method, params }, { proxy: false })
  if (data.error) throw new Error(`${method}: ${data.error.message}`)
  return data.result
}

// ask(method, params), or ask([[method, params], ...]) for a batch; send takes and gives JSON-RPC messages.
function asker (truth, send) {
  let id = 0
  return async (method, params) => {
    const batch = Array.isArray(method)
    const requests = (batch ? method : [[method, params]]).map(([method, params]) => ({ jsonrpc: '2.0', id: ++id, method, params }))
    const answers = [await send(batch ? requests : requests[0])].flat()
    for (const answer of answers) truth.heard('http', requests.find(r => r.id === answer.id).method, answer.result)
    return answers[0].result
  }
}
const post = (url, headers) => async message => (await (await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(message) })).json())

async function plain ({ url, elsewhere, truth }) {
  const client = createPublicClient({ transport: viemHttp(url, { retryCount: 0 }) })
  const send = async m => Array.isArray(m)
    ? await post(url, {})(m)
    : { id: m.id, result: await client.request({ method: m.method, params: m.params }).catch(e => { truth.failed(m.method, e); return null }) }
  await questions(asker(truth, send), rpcOf(elsewhere), truth, 14)
}
const encoded = accept => async ({ url, elsewhere, truth }) => questions(asker(truth, post(url, { 'accept-encoding': accept })), rpcOf(elsewhere), truth, 21, true)
async function chunked ({ url, elsewhere, truth }) {
  const web3 = new Web3(url)
  const send = m => Array.isArray(m) ? post(url, {})(m) : web3.currentProvider.request(m)
  await questions(asker(truth, send), rpcOf(elsewhere), truth, 10)
}

// A reverse proxy that encodes answers, as they stand before nodes: one way after the other.
const codings = {
  gzip: [['gzip', b => zlib.gzipSync(b)]],
  deflate: [['deflate', b => zlib.deflateSync(b)], ['deflate', b => zlib.deflateRawSync(b)]],
  chunked: [[null, b => b]]
}
const serve = way => ({ node, listen }) => {
  let turn = 0
  const server = http.createServer(async (req, res) => {
    const parts = []
    for await (const p of req) parts.push(p)
    const { data } = await axios.post(node, Buffer.concat(parts), { headers: { 'content-type': 'application/json' }, responseType: 'arraybuffer', transformRequest: x => x, proxy: false })
    const [name, encode] = codings[way][turn % codings[way].length]
    const inPieces = way === 'chunked' || turn++ % 4 >= 2
    const headers = { 'Content-Type': 'application/json', ...(name ? { 'Content-Encoding': name } : {}), Vary: 'Accept-Encoding' }
    if (inPieces && way === 'gzip') { // as a proxy does that encodes while it reads: flushed in the middle
      res.writeHead(200, headers)
      const stream = zlib.createGzip({ level: 6 })
      stream.pipe(res)
      const at = rnd(data.length)
      stream.write(data.subarray(0, at))
      stream.flush(() => { stream.end(data.subarray(at)) })
      return
    }
    const body = encode(data)
    if (!inPieces) { res.writeHead(200, { ...headers, 'Content-Length': body.length }); res.end(body); return }
    res.writeHead(200, headers)
    for (let at = 0; at < body.length;) {
      const n = 1 + rnd(1 + rnd(1500))
      res.write(body.subarray(at, at + n))
      at += n
      if (rnd(3) === 0) await new Promise(resolve => setTimeout(resolve, 1))
    }
    res.end()
  })
  listen(server, 8545)
}

const about = 'transactions that were submitted elsewhere, in a node\'s answers: by hash, raw, pool content, blocks, a batch'
export const answers = {
  'http-answers': { description: about, reader: 'answers', direct: true, client: plain },
  'http-answers-gzip': { description: about + '; gzip, with a length or in chunks', reader: 'answers', client: encoded('gzip'), server: serve('gzip') },
  'http-answers-deflate': { description: about + '; deflate with zlib\'s header and without, with a length or in chunks', reader: 'answers', client: encoded('deflate'), server: serve('deflate') },
  'http-answers-chunked': { description: about + '; in chunks of any size', reader: 'answers', client: chunked, server: serve('chunked') }
}
