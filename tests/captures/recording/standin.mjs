// SPDX-License-Identifier: BSD-3-Clause
// usage: node standin.mjs deflate|fragments HOST PORT NODE: a WebSocket server in front of a node that speaks what the node itself
// does not: permessage-deflate, or answers in fragments. NODE: ws://...
import WebSocket, { WebSocketServer } from 'ws'
import { bytes, rnd, setSeed } from './txs.mjs'
import { signed } from './ws.mjs'

const [mode, host, port, node] = process.argv.slice(2)
setSeed(0xf4a6)

function send (ws, text) {
  if (mode === 'deflate') { ws.send(text); return }
  for (let at = 0; at < text.length;) {
    const n = 1 + rnd(1 + rnd(900))
    ws.send(text.slice(at, at + n), { fin: at + n >= text.length })
    if (rnd(3) === 0) ws.ping(bytes(rnd(20)))
    at += n
  }
}

// Order flow of its own, that crosses only as what subscribers are told.
let own = 0
async function submitOwn (upstream) {
  const wallet = 7 + own++
  for (const [i, raw] of (await signed(5, wallet)).entries()) {
    upstream.send(JSON.stringify({ jsonrpc: '2.0', id: `own${i}`, method: 'eth_sendRawTransaction', params: [raw] }))
  }
}

const perMessageDeflate = mode === 'deflate' ? { threshold: 0, zlibDeflateOptions: { level: 9 } } : false
new WebSocketServer({ host, port: Number(port), perMessageDeflate }).on('connection', ws => {
  const upstream = new WebSocket(node, { perMessageDeflate: false })
  const early = []
  upstream.on('open', () => { for (const text of early) upstream.send(text); early.length = 0 })
  upstream.on('message', data => {
    const text = data.toString()
    if (!text.includes('"id":"own')) send(ws, text)
  })
  ws.on('message', data => {
    const text = data.toString()
    if (upstream.readyState === WebSocket.OPEN) upstream.send(text)
    else early.push(text)
    if (mode === 'deflate' && text.includes('eth_subscribe')) setTimeout(() => submitOwn(upstream), 200)
  })
  ws.on('close', () => upstream.close())
})
