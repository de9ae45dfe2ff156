// SPDX-License-Identifier: BSD-3-Clause
// usage: node peers.mjs server ADDRESS | client ADDRESS FOLDER
// Two devp2p peers, sessions of eth/68, 67 and 66. The client writes FOLDER/rlpx.expected.json (each crossing, by the libraries' word) and, with what
// the server says on its standard output, FOLDER/rlpx.keys.json.
import * as devp2p from '@ethereumjs/devp2p'
import { RLP } from '@ethereumjs/rlp'
import { Transaction, getBytes, hexlify } from 'ethers'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { KEYS_PORT, PORT, common, genesis, hashOf, idOf, item, random, rawOf, secrets, sessions, signed, sleep, staticKey, status, wallets } from './lib.mjs'

const { ETH, RLPx, SNAP } = devp2p
const CODE = ETH.EthMessageCodes ?? devp2p.EthMessageCodes
const [role, address, folder] = process.argv.slice(2)

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
  const serverId = idOf('server')
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
  writeFileSync(`${folder}/rlpx.keys.json`, JSON.stringify({ sessions: await sessions(keys, address) }, null, 1) + '\n')
  // run.py wants every hash that crossed; the raw bytes are in the capture
  const hashes = [...new Set(transactions.map(t => t.hash))]
  const pending = [...new Set(transactions.filter(t => t.carrier !== 'rlpx-blockbody').map(t => t.hash))]
  const out = { name: 'rlpx', pcap: 'rlpx.pcap', description: 'devp2p sessions of eth/68, 67 and 66', clients: '@ethereumjs/devp2p 10.0.0', keys: 'rlpx.keys.json', reader: 'rlpx', crossings: transactions.length, hashes, pending, transactions: transactions.map(({ raw, ...t }) => t), mentions }
  writeFileSync(`${folder}/rlpx.expected.json`, JSON.stringify(out).replaceAll('},{', '},\n{') + '\n')
  console.log(`rlpx: ${transactions.length} crossings, ${hashes.length} transactions, ${mentions.length} hashes`)
  process.exit(0)
}

await (role === 'server' ? server() : client())
