// SPDX-License-Identifier: BSD-3-Clause
// Submissions and subscriptions over WebSocket.
import { WebSocketProvider } from 'ethers'
import WebSocket from 'ws'
import { account, bytes, everyday, flashLoans, large, priced, rnd } from './txs.mjs'

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))
const kinds = Object.values(everyday)
export async function signed (n, wallet, make = i => kinds[i % kinds.length](), nonce = 0) {
  const w = account(wallet)
  const out = []
  for (let i = 0; i < n; i++) out.push(await w.signTransaction({ ...priced(make(i), i), nonce: nonce + i }))
  return out
}
const alertFor = (list, i) => list.includes(i) ? 'flash_loan' : undefined

// What a server's message carries, by what the client library made of it.
function heard (truth, text) {
  for (const m of [JSON.parse(text)].flat()) {
    const x = m.params?.result ?? m.result
    if (m.method === 'eth_subscription') {
      if (typeof x === 'object' && x.hash) truth.hash(x.hash, 'ws-subscription-full')
      else truth.mention('ws-subscription-hash')
    } else if (typeof x === 'string' && /^0x[0-9a-f]{64}$/.test(x)) truth.mention('ws-jsonrpc-result')
  }
}

// A bare client: ask(method, params) resolves with the answer, or rejects with the node's error.
function client (url, truth, options, send = (ws, text) => ws.send(text)) {
  const ws = new WebSocket(url, options)
  const waiting = new Map()
  let id = 1
  ws.on('message', data => {
    heard(truth, data.toString())
    const m = JSON.parse(data.toString())
    waiting.get(m.id)?.(m)
    waiting.delete(m.id)
  })
  const ask = (method, params) => new Promise((resolve, reject) => {
    waiting.set(id, m => m.error ? reject(new Error(m.error.message)) : resolve(m.result))
    send(ws, JSON.stringify({ jsonrpc: '2.0', id: id++, method, params }))
  })
  const submit = (raw, alert) => ask('eth_sendRawTransaction', [truth.raw(raw, alert, 'ws-jsonrpc')]).catch(e => truth.failed('ws', e))
  return { ws, ask, submit, open: new Promise((resolve, reject) => { ws.on('open', resolve); ws.on('error', reject) }) }
}

async function ethersClient (url, truth) {
  const provider = new WebSocketProvider(url)
  provider.websocket.addEventListener('message', e => heard(truth, e.data.toString()))
  await provider.getNetwork()
  await provider.on('pending', () => {})
  await provider.send('eth_subscribe', ['newPendingTransactions', true])
  const loans = [flashLoans.aaveSimple, flashLoans.balancer]
  const raws = await signed(22, 0, i => i === 6 || i === 15 ? loans[i & 1]() : i === 10 ? large(3000) : kinds[i % kinds.length]())
  for (const [i, raw] of raws.entries()) {
    const p = provider.broadcastTransaction(truth.raw(raw, alertFor([6, 15], i), 'ws-jsonrpc')).catch(e => truth.failed('ethers', e))
    if (i % 4) await p
  }
  await sleep(300)
  await provider.destroy()
}

// Several connections, each with other parameters; the stand-in submits some of its own that only its subscribers see.
async function deflate (url, truth) {
  const variants = [{}, { serverNoContextTakeover: true, clientNoContextTakeover: true }, { serverMaxWindowBits: 10, clientMaxWindowBits: 9 }]
  for (const [k, v] of variants.entries()) {
    const c = client(url, truth, { perMessageDeflate: { threshold: 0, ...v } })
    await c.open
    await c.ask('eth_subscribe', ['newPendingTransactions', true])
    const raws = await signed(14, k, i => i === 5 ? flashLoans.aaveSimple() : i === 9 ? large(4000) : kinds[(i + k) % kinds.length]())
    for (const [i, raw] of raws.entries()) {
      const p = c.submit(raw, alertFor([5], i))
      if (i % 3) await p
    }
    await sleep(700)
    c.ws.close()
  }
}

// Requests in pieces of any size with pings and pongs between; the stand-in answers in the same way.
async function fragments (url, truth) {
  const inPieces = (ws, text) => {
    const binary = rnd(3) === 0
    const pieces = []
    for (let at = 0; at < text.length;) {
      const n = 1 + rnd(1 + rnd(400))
      pieces.push(text.slice(at, at + n))
      at += n
    }
    if (rnd(4) === 0) pieces.push('')
    pieces.forEach((p, i) => {
      ws.send(p, { fin: i === pieces.length - 1, binary })
      if (rnd(3) === 0) ws.ping(bytes(rnd(40)))
      if (rnd(5) === 0) ws.pong('{"jsonrpc":"2.0"}')
    })
  }
  const c = client(url, truth, { perMessageDeflate: false }, inPieces)
  await c.open
  await c.ask('eth_subscribe', ['newPendingTransactions'])
  await c.ask('eth_subscribe', ['newPendingTransactions', true])
  const raws = await signed(16, 0, i => i === 4 ? flashLoans.balancer() : i === 8 ? large(2500) : kinds[i % kinds.length]())
  for (const [i, raw] of raws.entries()) await c.submit(raw, alertFor([4], i))
  await sleep(300)
  c.ws.close()
}

export const websocket = {
  'ws-ethers': [ethersClient, 'ethers WebSocketProvider: raw submissions, pending transactions as hashes and as full objects'],
  'ws-deflate': [deflate, 'permessage-deflate with and without context takeover and with small windows; some transactions only pushed as full objects'],
  'ws-fragments': [fragments, 'messages in fragments of any size, pings and pongs between, both ways']
}
