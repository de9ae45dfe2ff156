// SPDX-License-Identifier: BSD-3-Clause
// usage: node cut.mjs NAME BASE SHARE FOLDER: joins FOLDER/BASE.pcap of WebSocket in mid-stream. Leaves out the first SHARE (0..1) of its
// packets, and writes NAME.pcap and NAME.expected.json with what is in the messages that begin in a packet that is left.
import { readFileSync, writeFileSync } from 'node:fs'
import { Transaction } from 'ethers'

const [name, base, share, folder] = process.argv.slice(2)
const data = readFileSync(`${folder}/${base}.pcap`)
const expected = JSON.parse(readFileSync(`${folder}/${base}.expected.json`))
if (data.readUInt32LE(0) !== 0xa1b2c3d4) throw new Error('not a pcap of this kind')

const packets = []
for (let at = 24; at + 16 <= data.length;) {
  const n = data.readUInt32LE(at + 8)
  packets.push({ at, end: at + 16 + n, frame: data.subarray(at + 16, at + 16 + n) })
  at += 16 + n
}
const first = Math.floor(packets.length * Number(share))

// The stream of each direction: bytes, and in which packet each begins. The recordings have no retransmissions.
const streams = new Map()
packets.forEach(({ frame }, index) => {
  const ip = 14
  const tcp = ip + (frame[ip] & 15) * 4
  const from = tcp + (frame[tcp + 12] >> 4) * 4
  const to = ip + frame.readUInt16BE(ip + 2)
  const key = `${frame.readUInt16BE(tcp)}-${frame.readUInt16BE(tcp + 2)}`
  if (to <= from) return
  const seq = frame.readUInt32BE(tcp + 4)
  if (!streams.has(key)) streams.set(key, { base: seq, pieces: [] })
  const s = streams.get(key)
  s.pieces.push({ off: (seq - s.base) >>> 0, bytes: frame.subarray(from, to), index })
})

function * messages (s) {
  s.pieces.sort((a, b) => a.off - b.off)
  const all = Buffer.concat(s.pieces.map(p => p.bytes))
  const packetOf = off => s.pieces.findLast(p => p.off <= off).index
  let at = all.indexOf('\r\n\r\n') + 4
  let message = null
  while (at + 2 <= all.length) {
    const begin = at
    const [one, two] = [all[at], all[at + 1]]
    let n = two & 127
    at += 2
    if (n === 126) { n = all.readUInt16BE(at); at += 2 } else if (n === 127) { n = Number(all.readBigUInt64BE(at)); at += 8 }
    const mask = two & 128 ? all.subarray(at, at += 4) : null
    const payload = Buffer.from(all.subarray(at, at += n))
    if (mask) for (let i = 0; i < n; i++) payload[i] ^= mask[i & 3]
    if ((one & 15) >= 8) continue
    if ((one & 15) !== 0) message = { packet: packetOf(begin), parts: [] }
    message.parts.push(payload)
    if (one & 128) yield { packet: message.packet, text: Buffer.concat(message.parts).toString() }
  }
}

const hashes = new Set()
const byCarrier = {}
const count = (carrier, hash) => { byCarrier[carrier] = (byCarrier[carrier] ?? 0) + 1; if (hash) hashes.add(hash.toLowerCase()) }
for (const s of streams.values()) {
  for (const { packet, text } of messages(s)) {
    if (packet < first) continue
    for (const m of [JSON.parse(text)].flat()) {
      const x = m.params?.result ?? m.result
      if (m.method === 'eth_sendRawTransaction') count('ws-jsonrpc', Transaction.from(m.params[0]).hash)
      else if (m.method === 'eth_subscription') typeof x === 'object' ? count('ws-subscription-full', x.hash) : count('ws-subscription-hash')
      else if (typeof x === 'string' && /^0x[0-9a-f]{64}$/.test(x)) count('ws-jsonrpc-result')
    }
  }
}
writeFileSync(`${folder}/${name}.pcap`, Buffer.concat([data.subarray(0, 24), data.subarray(packets[first].at)]))
const alerts = Object.fromEntries(Object.entries(expected.alerts).filter(([h]) => hashes.has(h)))
const out = { name, pcap: name + '.pcap', description: `${base}, joined in mid-stream`, reader: 'ws', clients: expected.clients, crossings: (byCarrier['ws-jsonrpc'] ?? 0) + (byCarrier['ws-subscription-full'] ?? 0), byCarrier, hashes: [...hashes], decoys: [], alerts }
writeFileSync(`${folder}/${name}.expected.json`, JSON.stringify(out, null, 1) + '\n')
console.log(`${name}: ${out.crossings} crossings, ${hashes.size} transactions`)
