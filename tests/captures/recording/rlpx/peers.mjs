// SPDX-License-Identifier: BSD-3-Clause
// usage: node peers.mjs server ADDRESS | client ADDRESS FOLDER
// Two devp2p peers, sessions of eth/68, 67 and 66. The client writes FOLDER/rlpx.expected.json (each crossing, by the libraries' word) and, with what
// the server says on its standard output, FOLDER/rlpx.keys.json.
import * as devp2p from '@ethereumjs/devp2p'
import { Common, Mainnet } from '@ethereumjs/common'
import { RLP } from '@ethereumjs/rlp'
import { HDNodeWallet, Mnemonic, Transaction, getBytes, hexlify, keccak256 } from 'ethers'
import { writeFileSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'

const { ETH, RLPx, SNAP } = devp2p
const CODE = ETH.EthMessageCodes ?? devp2p.EthMessageCodes
const PORT = 30303
const KEYS_PORT = 30399
const [role, address, folder] = process.argv.slice(2)
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))
const hex = b => Buffer.from(b).toString('hex')
const staticKey = name => getBytes(keccak256(Buffer.from('sentinel recording ' + name)))
const genesis = getBytes('0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3')
const status = { td: getBytes('0x0c70d815d562d3cfa955'), bestHash: getBytes(keccak256('0x01')), genesisHash: genesis }

let seed = 0x71b
function rnd (n) {
  seed ^= seed << 13; seed >>>= 0
  seed ^= seed >>> 17
  seed ^= seed << 5; seed >>>= 0
  return seed % n
}
const random = n => '0x' + hex(Uint8Array.from({ length: n }, () => rnd(256)))
// the keys of the well-known test mnemonic
const root = HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase('test test test test test test test test test test test junk'), "m/44'/60'/0'/0")
const wallets = [0, 1, 2, 3].map(i => root.deriveChild(i))
async function signed (n, nonce, bytes) {
  const out = []
  for (let i = 0; i < n; i++) {
    const type = [2, 0, 1, 2, 4][i % 5]
    const wallet = wallets[i % 4]
    const tx = { type, chainId: 1, nonce: nonce + i, to: i % 7 === 3 && type !== 4 ? null : random(20), data: random(bytes ?? 4 + rnd(300)), value: BigInt(rnd(1e9)), gasLimit: 900000n }
    if (type < 2) tx.gasPrice = 30000000000n
    else Object.assign(tx, { maxFeePerGas: 40000000000n, maxPriorityFeePerGas: 1000000000n })
    if (type === 1) tx.accessList = [{ address: random(20), storageKeys: [random(32)] }]
    if (type === 4) tx.authorizationList = [await wallet.authorize({ address: random(20), nonce: nonce + i, chainId: 1 })]
    out.push(await wallet.signTransaction(tx))
  }
  return out
}
// in a list: legacy nested, typed as a string
const item = raw => { const b = getBytes(raw); return b[0] >= 0xc0 ? RLP.decode(b) : b }
const rawOf = it => it instanceof Uint8Array ? hexlify(it) : hexlify(RLP.encode(it))
const hashOf = raw => Transaction.from(raw).hash
const common = () => new Common({ chain: Mainnet, hardfork: 'cancun' })

function secrets (peer, initiator) {
  const e = peer._eciesSession
  const cat = (...parts) => '0x' + parts.map(hex).join('')
  const nonces = initiator ? [e._remoteNonce, e._nonce] : [e._nonce, e._remoteNonce]
  const shared = keccak256(cat(e._ephemeralSharedSecret, getBytes(keccak256(cat(...nonces)))))
  const aes = keccak256(cat(e._ephemeralSharedSecret, getBytes(shared)))
  const mac = keccak256(cat(e._ephemeralSharedSecret, getBytes(aes)))
  const s = peer._socket
  return { local: `${s.localAddress}:${s.localPort}`, remote: `${s.remoteAddress}:${s.remotePort}`, aes: aes.slice(2), mac: mac.slice(2), nonce: hex(e._nonce) }
}

async function server () {
  const known = []
  createServer(c => { c.end(JSON.stringify(known)) }).listen(KEYS_PORT, address)
  const pushed = await signed(10, 100)
  const r = new RLPx(staticKey('server'), { maxPeers: 20, common: common(), listenPort: PORT, remoteClientIdFilter: [], capabilities: [ETH.eth66, ETH.eth67, ETH.eth68, SNAP.snap] })
  r.events.on('error', e => console.error(e.message))
  r.events.on('peer:error', (p, e) => console.error(e.message))
  r.events.on('peer:added', peer => {
    known.push(secrets(peer, false))
    const eth = peer.getProtocols().find(p => p instanceof ETH)
    eth.sendStatus(status)
    eth.events.once('status', () => setTimeout(() => eth.sendMessage(CODE.TX, pushed.slice(0, 5).map(item)), 100))
    let request = 0x1000
    eth.events.on('message', (code, p) => {
      if (code === CODE.NEW_POOLED_TRANSACTION_HASHES) eth.sendMessage(CODE.GET_POOLED_TRANSACTIONS, [Buffer.from((++request).toString(16), 'hex'), eth._version >= 68 ? p[2] : p])
      if (code === CODE.GET_POOLED_TRANSACTIONS) eth.sendMessage(CODE.POOLED_TRANSACTIONS, [p[0], pushed.slice(5).map(item)])
      if (code === CODE.GET_BLOCK_BODIES) eth.sendMessage(CODE.BLOCK_BODIES, [p[0], [[pushed.slice(0, 3).map(item), [], []], [[], [], []]]])
    })
  })
  r.listen(PORT, address)
  console.log('listening')
}

async function client () {
  const transactions = []; const mentions = []; const keys = []
  const serverId = devp2p.pk2id((await import('ethereum-cryptography/secp256k1.js')).secp256k1.getPublicKey(staticKey('server'), false))
  function note (code, payload, direction, conn, version) {
    const lists = { [CODE.TX]: () => payload, [CODE.POOLED_TRANSACTIONS]: () => payload[1], [CODE.BLOCK_BODIES]: () => payload[1].flatMap(b => b[0]) }
    const carriers = { [CODE.TX]: 'rlpx-transactions', [CODE.POOLED_TRANSACTIONS]: 'rlpx-pooled', [CODE.BLOCK_BODIES]: 'rlpx-blockbody' }
    for (const it of lists[code]?.() ?? []) { const raw = rawOf(it); transactions.push({ hash: hashOf(raw), raw, carrier: carriers[code], conn, direction, eth: version }) }
    const hashes = { [CODE.NEW_POOLED_TRANSACTION_HASHES]: () => version >= 68 ? payload[2] : payload, [CODE.GET_POOLED_TRANSACTIONS]: () => payload[1] }[code]?.() ?? []
    for (const h of hashes) mentions.push({ hash: hexlify(h), carrier: code === CODE.GET_POOLED_TRANSACTIONS ? 'rlpx-getpooled' : 'rlpx-announce', conn, direction, eth: version })
  }
  async function session (version, capabilities) {
    const r = new RLPx(staticKey('client' + version), { maxPeers: 5, common: common(), capabilities, listenPort: 30304 })
    r.events.on('error', e => console.error(e.message))
    const added = new Promise(resolve => r.events.once('peer:added', resolve))
    await r.connect({ id: serverId, address, tcpPort: PORT })
    const peer = await added
    const own = secrets(peer, true)
    keys.push(own)
    const eth = peer.getProtocols().find(p => p instanceof ETH)
    const pool = new Map()
    const send = (code, payload) => { note(code, RLP.decode(RLP.encode(payload)), 'c2s', own.local, version); eth.sendMessage(code, payload) }
    eth.events.on('message', (code, p) => {
      note(code, p, 's2c', own.local, version)
      if (code === CODE.GET_POOLED_TRANSACTIONS) send(CODE.POOLED_TRANSACTIONS, [p[0], p[1].map(h => pool.get(hexlify(h))).filter(Boolean).map(item)])
    })
    const ready = new Promise(resolve => eth.events.once('status', resolve))
    eth.sendStatus(status)
    await ready
    const txs = await signed(36, version * 100)
    for (const raw of txs.slice(0, 5)) send(CODE.TX, [item(raw)])
    send(CODE.TX, txs.slice(5, 12).map(item))
    send(CODE.TX, [])
    peer._sendPing()
    await sleep(150)
    const announce = raws => {
      for (const raw of raws) pool.set(hashOf(raw), raw)
      const hashes = raws.map(raw => getBytes(hashOf(raw)))
      send(CODE.NEW_POOLED_TRANSACTION_HASHES, version < 68 ? hashes : [Uint8Array.from(raws.map(raw => Transaction.from(raw).type)), raws.map(raw => getBytes(raw).length), hashes])
    }
    announce(txs.slice(12, 13))
    await sleep(60)
    announce(txs.slice(13, 24))
    await sleep(150)
    send(CODE.GET_POOLED_TRANSACTIONS, [Buffer.from([0x99]), [getBytes(hashOf(txs[0]))]])
    send(CODE.GET_BLOCK_BODIES, [Buffer.from([0x42]), [genesis]])
    await sleep(150)
    const large = await signed(2, version * 100 + 50, version === 68 ? 20000 : 6000)
    const empty = await wallets[0].signTransaction({ type: 2, chainId: 1, nonce: 9, to: random(20), data: '0x' + '00'.repeat(90000), gasLimit: 9000000n, maxFeePerGas: 1n, maxPriorityFeePerGas: 1n })
    send(CODE.TX, [...large, empty].map(item)) // the last one compresses to next to nothing
    await sleep(200)
    for (const raw of txs.slice(24)) { send(CODE.TX, [item(raw)]); await sleep(5) }
    peer._sendPing()
    await sleep(200)
    peer.disconnect(0x08)
    await sleep(2300)
    r.destroy()
  }
  await session(68, [ETH.eth66, ETH.eth67, ETH.eth68, SNAP.snap])
  await session(67, [ETH.eth67])
  await session(66, [ETH.eth66])
  const theirs = JSON.parse(await new Promise((resolve, reject) => {
    let text = ''
    createConnection(KEYS_PORT, address).on('data', d => { text += d }).on('end', () => resolve(text)).on('error', reject)
  }))
  const sessions = keys.map(k => {
    const t = theirs.find(x => x.remote === k.local)
    if (t?.aes !== k.aes || t?.mac !== k.mac) throw new Error('the two sides disagree on ' + k.local)
    return { client: k.local, server: k.remote, aesSecret: k.aes, macSecret: k.mac, initiator: { nonce: k.nonce }, recipient: { nonce: t.nonce } }
  })
  writeFileSync(`${folder}/rlpx.keys.json`, JSON.stringify({ sessions }, null, 1) + '\n')
  // run.py wants every hash that crossed; the raw bytes are in the capture
  const hashes = [...new Set(transactions.map(t => t.hash))]
  const pending = [...new Set(transactions.filter(t => t.carrier !== 'rlpx-blockbody').map(t => t.hash))]
  const out = { name: 'rlpx', pcap: 'rlpx.pcap', description: 'devp2p sessions of eth/68, 67 and 66', clients: '@ethereumjs/devp2p 10.0.0', keys: 'rlpx.keys.json', crossings: transactions.length, hashes, pending, transactions: transactions.map(({ raw, ...t }) => t), mentions }
  writeFileSync(`${folder}/rlpx.expected.json`, JSON.stringify(out).replaceAll('},{', '},\n{') + '\n')
  console.log(`rlpx: ${transactions.length} crossings, ${hashes.length} transactions, ${mentions.length} hashes`)
  process.exit(0)
}

await (role === 'server' ? server() : client())
