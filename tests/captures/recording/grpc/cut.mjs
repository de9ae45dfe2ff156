// SPDX-License-Identifier: BSD-3-Clause
// usage: node cut.mjs NAME BASE SHARE FOLDER: joins FOLDER/BASE.pcap of gRPC in mid-stream. Leaves out the first SHARE (0..1) of its packets, and
// writes NAME.pcap and NAME.expected.json with the transactions of the messages whose DATA frame begins in a packet that is left.
import protobuf from 'protobufjs'
import { Transaction, hexlify } from 'ethers'
import { readFileSync, writeFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

const [name, base, share, folder] = process.argv.slice(2)
const data = readFileSync(`${folder}/${base}.pcap`)
const expected = JSON.parse(readFileSync(`${folder}/${base}.expected.json`))
const proto = protobuf.loadSync(new URL('txpool.proto', import.meta.url).pathname)
if (data.readUInt32LE(0) !== 0xa1b2c3d4) throw new Error('not a pcap of this kind')

const packets = []
for (let at = 24; at + 16 <= data.length;) {
  const n = data.readUInt32LE(at + 8)
  packets.push({ at, frame: data.subarray(at + 16, at + 16 + n) })
  at += 16 + n
}
const first = Math.floor(packets.length * Number(share))

// The stream of each direction: bytes, and in which packet each begins.
const flows = new Map()
packets.forEach(({ frame }, index) => {
  const ip = 14
  const tcp = ip + (frame[ip] & 15) * 4
  const from = tcp + (frame[tcp + 12] >> 4) * 4
  const to = ip + frame.readUInt16BE(ip + 2)
  const ports = [frame.readUInt16BE(tcp), frame.readUInt16BE(tcp + 2)]
  if (to <= from) return
  const key = ports.join('-')
  const seq = frame.readUInt32BE(tcp + 4)
  if (!flows.has(key)) flows.set(key, { base: seq, toServer: ports[1] === 9090, client: ports.find(p => p !== 9090), pieces: [] })
  const f = flows.get(key)
  if (f.pieces.some(p => p.seq === seq)) return // sent again
  f.pieces.push({ seq, off: (seq - f.base) >>> 0, bytes: frame.subarray(from, to), index })
})

function * frames (f) {
  f.pieces.sort((a, b) => a.off - b.off)
  const all = Buffer.concat(f.pieces.map(p => p.bytes))
  for (let at = f.toServer ? 24 : 0; at + 9 <= all.length;) {
    const n = all.readUIntBE(at, 3)
    yield { packet: f.pieces.findLast(p => p.off <= at).index, type: all[at + 3], stream: all.readUInt32BE(at + 5), payload: all.subarray(at + 9, at + 9 + n) }
    at += 9 + n
  }
}

// Of each stream its messages, each with the packet in which the DATA frame with its beginning begins.
function messages (f) {
  const streams = new Map()
  for (const { packet, type, stream, payload } of frames(f)) {
    if (type !== 0) continue
    if (!streams.has(stream)) streams.set(stream, { bytes: Buffer.alloc(0), begin: [] })
    const s = streams.get(stream)
    s.begin.push({ off: s.bytes.length, packet })
    s.bytes = Buffer.concat([s.bytes, payload])
  }
  return [...streams].flatMap(([stream, s]) => {
    const found = []
    for (let at = 0; at < s.bytes.length;) {
      const n = s.bytes.readUInt32BE(at + 1)
      const body = s.bytes.subarray(at + 5, at + 5 + n)
      found.push({ stream, packet: s.begin.findLast(b => b.off <= at).packet, body: s.bytes[at] ? gunzipSync(body) : body })
      at += 5 + n
    }
    return found
  })
}

// What each transaction is said to have crossed as, in order, tells which message its own is.
const transactions = []
const known = new Map()
for (const t of expected.transactions) known.set(t.hash, [...(known.get(t.hash) ?? []), t])
const raws = (method, body) => {
  const type = { OnAdd: 'OnAddReply', Add: 'AddRequest', All: 'AllReply' }[method]
  const m = proto.lookupType('txpool.' + type).decode(body)
  return method === 'All' ? m.txs.map(t => t.rlpTx) : method === 'Add' ? m.rlpTxs : m.rplTxs
}
function read (toServer, body) {
  for (const method of toServer ? ['Add'] : ['OnAdd', 'All']) {
    try {
      const found = raws(method, body).map(b => known.get(Transaction.from(hexlify(b)).hash).find(t => t.method === method))
      if (found.length && found.every(Boolean)) return found
    } catch { /* another method's message */ }
  }
  return []
}
for (const f of flows.values()) for (const m of messages(f)) if (m.packet >= first) transactions.push(...read(f.toServer, m.body))
const hashes = [...new Set(transactions.map(t => t.hash))]
writeFileSync(`${folder}/${name}.pcap`, Buffer.concat([data.subarray(0, 24), data.subarray(packets[first].at)]))
const out = { name, pcap: name + '.pcap', reader: 'grpc', description: `${base}, joined in mid-stream`, clients: expected.clients, crossings: transactions.length, byCarrier: { 'grpc-txpool': transactions.length }, hashes, transactions, decoys: [], alerts: {} }
writeFileSync(`${folder}/${name}.expected.json`, JSON.stringify(out).replaceAll('},{', '},\n{') + '\n')
console.log(`${name}: ${out.crossings} crossings, ${hashes.length} transactions`)
