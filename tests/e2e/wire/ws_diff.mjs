// SPDX-License-Identifier: BSD-3-Clause
// A server and a client of the ws library talk to each other with every combination of permessage-deflate's parameters, in messages
// whole and in fragments, pings between. What went over the line is cut up anew, at random, and ws_dump must read from it what they sent.
// usage: node ws_diff.mjs --dump WS_DUMP [--rounds N] [--seed N]
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import WebSocket, { WebSocketServer } from 'ws'

const options = { rounds: 1, seed: 1 }
for (let i = 2; i < process.argv.length; i += 2) options[process.argv[i].slice(2)] = process.argv[i + 1]
let seed = Number(options.seed) >>> 0 || 1
function rnd (n) {
  seed ^= seed << 13; seed >>>= 0
  seed ^= seed >>> 17
  seed ^= seed << 5; seed >>>= 0
  return seed % n
}

// JSON of the kind that repeats itself; now and then a long one.
function text () {
  if (rnd(12) === 0) return ''
  const hex = Array.from({ length: rnd(20) === 0 ? rnd(40000) : rnd(600) }, () => rnd(3) ? rnd(16).toString(16) : '0').join('')
  return JSON.stringify({ jsonrpc: '2.0', id: rnd(1000), method: 'eth_sendRawTransaction', params: ['0x' + hex] })
}

function say (ws, message) {
  const binary = rnd(4) === 0
  const compress = rnd(8) > 0
  if (rnd(2)) ws.ping('p'.repeat(rnd(30)))
  if (rnd(2)) { ws.send(message, { binary, compress }); return }
  for (let at = 0; ;) {
    const n = 1 + rnd(1 + rnd(2000))
    const fin = at + n >= message.length
    ws.send(message.slice(at, at + n), { binary, compress, fin })
    if (rnd(3) === 0) ws.ping('q')
    if (fin) return
    at += n
  }
}

// One connection through a relay that writes down the bytes. Resolves with what was sent and what crossed.
async function talk (perMessageDeflate, offer) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate })
  await new Promise(resolve => server.on('listening', resolve))
  const pieces = []
  const relay = net.createServer(a => {
    const b = net.connect(server.address().port, '127.0.0.1')
    a.on('data', d => { pieces.push([0, d]); b.write(d) })
    b.on('data', d => { pieces.push([1, d]); a.write(d) })
    for (const [x, y] of [[a, b], [b, a]]) { x.on('end', () => y.end()); x.on('error', () => y.destroy()) }
  })
  await new Promise(resolve => relay.listen(0, '127.0.0.1', resolve))
  const sent = [[], []]
  const heard = [[], []]
  const served = new Promise(resolve => server.on('connection', resolve))
  const client = new WebSocket(`ws://127.0.0.1:${relay.address().port}`, { perMessageDeflate: offer })
  client.on('message', d => heard[1].push(d.toString()))
  await new Promise((resolve, reject) => { client.on('open', resolve); client.on('error', reject) })
  const peer = await served
  peer.on('message', d => heard[0].push(d.toString()))
  for (let i = 0; i < 12; i++) {
    const dir = rnd(2)
    sent[dir].push(text())
    say(dir ? peer : client, sent[dir].at(-1))
    if (rnd(3) === 0) await new Promise(resolve => setTimeout(resolve, 1))
  }
  while (heard[0].length < sent[0].length || heard[1].length < sent[1].length) await new Promise(resolve => setTimeout(resolve, 1))
  client.terminate()
  server.close()
  relay.close()
  const head = Buffer.concat(pieces.filter(([dir]) => dir === 1).map(([, d]) => d)).toString('latin1').split('\r\n\r\n')[0]
  return { sent, pieces, extensions: /Sec-WebSocket-Extensions: (.*)/.exec(head)?.[1] ?? '' }
}

// The bytes in segments of other sizes, as a capture.
function capture (pieces) {
  const out = [Buffer.from('d4c3b2a1020004000000000000000000ffff000001000000', 'hex')]
  const next = [1, 1]
  for (const [dir, bytes] of pieces) {
    for (let at = 0; at < bytes.length;) {
      const part = bytes.subarray(at, at + 1 + rnd(rnd(2) ? 1448 : 9))
      const head = Buffer.alloc(16 + 54)
      head.writeUInt32LE(54 + part.length, 8)
      head.writeUInt32LE(54 + part.length, 12)
      head.writeUInt16BE(0x0800, 16 + 12)
      head[16 + 14] = 0x45
      head.writeUInt16BE(40 + part.length, 16 + 16)
      head.writeUInt16BE(dir ? 8545 : 40000, 16 + 34)
      head.writeUInt16BE(dir ? 40000 : 8545, 16 + 36)
      head.writeUInt32BE(next[dir], 16 + 38)
      head[16 + 46] = 0x50
      next[dir] = (next[dir] + part.length) >>> 0
      out.push(head, part)
      at += part.length
    }
  }
  for (const dir of [1, 0]) { // SYNs come first
    const syn = Buffer.alloc(16 + 54)
    syn.writeUInt32LE(54, 8)
    syn.writeUInt32LE(54, 12)
    syn.writeUInt16BE(0x0800, 16 + 12)
    syn[16 + 14] = 0x45
    syn.writeUInt16BE(40, 16 + 16)
    syn.writeUInt16BE(dir ? 8545 : 40000, 16 + 34)
    syn.writeUInt16BE(dir ? 40000 : 8545, 16 + 36)
    syn[16 + 46] = 0x50
    syn[16 + 47] = 2
    out.splice(1, 0, syn)
  }
  return Buffer.concat(out)
}

const folder = mkdtempSync(join(tmpdir(), 'ws-diff-'))
const file = join(folder, 'capture.pcap')
let messages = 0
const seen = new Set()
try {
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const serverNoContextTakeover of [false, true, null]) {
      for (const clientNoContextTakeover of [false, true]) {
        for (const serverMaxWindowBits of [undefined, 9, 12]) {
          for (const clientMaxWindowBits of [undefined, 9, 14]) {
            const offer = serverNoContextTakeover === null ? false
              : { threshold: 0, serverNoContextTakeover, clientNoContextTakeover, serverMaxWindowBits, clientMaxWindowBits }
            const level = rnd(10)
            const { sent, pieces, extensions } = await talk(offer && { ...offer, zlibDeflateOptions: { level } }, offer)
            seen.add(extensions)
            writeFileSync(file, capture(pieces))
            const got = [[], []]
            for (const line of execFileSync(options.dump, [file], { maxBuffer: 1 << 28 }).toString().split('\n')) {
              if (line) got[Number(line[0])].push(line.slice(2))
            }
            messages += sent[0].length + sent[1].length
            if (JSON.stringify(got) !== JSON.stringify(sent)) {
              console.log('differs', JSON.stringify(offer), 'negotiated', extensions, sent.map(s => s.length), got.map(s => s.length))
              process.exitCode = 1
            }
          }
        }
      }
    }
  }
} finally {
  rmSync(folder, { recursive: true })
}
console.log(`${messages} messages, ${seen.size} kinds of negotiation`)
if (messages === 0 || seen.size < 30) process.exitCode = 1
process.exit()
