// SPDX-License-Identifier: BSD-3-Clause
// Subscriptions in the forms of those who offer them, by a stand-in whose transactions are real ones.
import { createServer } from 'node:http'
import { Transaction, toQuantity } from 'ethers'
import WebSocket, { WebSocketServer } from 'ws'
import { account, bytes, everyday, flashLoans, large, mixed, priced } from '../txs.mjs'

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))
const q = x => x == null ? undefined : toQuantity(x)
const FORMS = { geth: 8, erigon: 10, alchemy: 10, bloxroute: 10, contents: 6, mevblocker: 8, hashes: 6 }

// The same on both sides: from the seed.
async function flow () {
  const out = {}
  for (const [w, [form, n]] of Object.entries(FORMS).entries()) {
    out[form] = []
    for (let i = 0; i < n; i++) {
      const make = i === 5 && w < 5 ? Object.values(flashLoans)[w] : i === 7 && w === 2 ? () => large(4000) : null
      const request = { ...(make ? priced(make(), i) : form === 'mevblocker' ? priced(everyday.swapEth(), 0) : mixed(i)), nonce: i }
      if (i === 4) {
        const authorizationList = [await account(9).authorize({ address: '0x' + bytes(20), nonce: w, chainId: 31337 })]
        Object.assign(request, { type: 4, to: account(9).address, maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 10n ** 9n, accessList: [], authorizationList })
      }
      out[form].push({ raw: await account(w).signTransaction(request), loan: Boolean(make) && i === 5 })
    }
  }
  return out
}

function object (raw) {
  const t = Transaction.from(raw)
  const { r, s, yParity } = t.signature
  const v = t.type === 0 ? t.chainId * 2n + 35n + BigInt(yParity) : BigInt(yParity)
  return {
    blockHash: null, blockNumber: null, from: t.from.toLowerCase(), gas: q(t.gasLimit), gasPrice: q(t.gasPrice ?? t.maxFeePerGas), maxFeePerGas: q(t.maxFeePerGas),
    maxPriorityFeePerGas: q(t.maxPriorityFeePerGas), hash: t.hash, input: t.data, nonce: q(t.nonce), to: t.to?.toLowerCase() ?? null, transactionIndex: null,
    value: q(t.value), type: q(t.type), ...(t.type ? { accessList: t.accessList ?? [] } : {}), chainId: q(t.chainId),
    ...(t.type === 4 ? { authorizationList: t.authorizationList.map(a => ({ address: a.address.toLowerCase(), chainId: q(a.chainId), nonce: q(a.nonce), r: q(BigInt(a.signature.r)), s: q(BigInt(a.signature.s)), yParity: q(a.signature.yParity) })) } : {}),
    v: q(v), r: q(BigInt(r)), s: q(BigInt(s)), ...(t.type ? { yParity: q(yParity) } : {})
  }
}
// by its documentation: numbers for some, data for input, no signature
function partial (raw) {
  const o = object(raw)
  return { chainId: 31337, to: o.to, value: o.value, data: o.input, ...(o.accessList?.length ? { accessList: o.accessList } : {}), nonce: o.nonce, maxPriorityFeePerGas: o.maxPriorityFeePerGas,
    maxFeePerGas: o.maxFeePerGas, gas: o.gas, type: Number(o.type), hash: o.hash, from: o.from }
}
const spaced = o => JSON.stringify(o, null, 1).replace(/\n */g, ' ')
const sub = result => ({ jsonrpc: '2.0', method: 'eth_subscription', params: { subscription: '0x' + '9ce59a13059e417087c02d3236a0b1cc', result } })
const blx = result => ({ jsonrpc: '2.0', id: null, method: 'subscribe', params: { subscription: '909e4bae-2c48-43f3-a007-f17d4c8a3ce8', result } })
const told = {
  geth: raw => JSON.stringify(sub({ ...object(raw), blockTimestamp: null })),
  erigon: raw => JSON.stringify(sub(object(raw))) + '\n',
  alchemy: raw => JSON.stringify(sub(object(raw))),
  bloxroute: raw => JSON.stringify(blx({ txHash: Transaction.from(raw).hash, localRegion: true, rawTx: raw })),
  contents: raw => { const { blockHash, blockNumber, transactionIndex, ...o } = object(raw); return JSON.stringify(blx({ txHash: o.hash, txContents: o })) },
  mevblocker: raw => spaced(sub(partial(raw))),
  hashes: raw => JSON.stringify(sub(Transaction.from(raw).hash))
}
function formOf ({ params: [name, options] }) {
  if (name === 'alchemy_pendingTransactions') return options?.hashesOnly ? 'hashes' : 'alchemy'
  if (name === 'newTxs') return options.include[0] === 'raw_tx' ? 'bloxroute' : 'contents'
  return { mevblocker_partialPendingTransactions: 'mevblocker', newPendingTransactionsWithBody: 'erigon', newPendingTransactions: 'geth' }[name]
}

async function server ({ listen }) {
  const all = await flow()
  const byHash = new Map(Object.values(all).flat().map(({ raw }) => [Transaction.from(raw).hash, raw]))
  const s = createServer()
  const serve = options => new WebSocketServer({ noServer: true, ...options }).on('connection', ws => ws.on('message', async data => {
    const m = JSON.parse(data)
    const reply = result => ws.send(JSON.stringify({ jsonrpc: '2.0', id: m.id, result }))
    if (m.method === 'eth_getTransactionByHash') reply(object(byHash.get(m.params[0])))
    else if (m.method === 'eth_sendRawTransaction') reply(Transaction.from(m.params[0]).hash)
    else if (m.method.endsWith('subscribe')) {
      const form = formOf(m)
      reply(sub(0).params.subscription)
      for (const { raw } of all[form]) { ws.send(told[form](raw)); await sleep(8) }
    }
  }))
  // nodes that compress with the context taken over both ways, and feeds that do not
  const [squeezed, plain] = [serve({ perMessageDeflate: { threshold: 0 } }), serve({ perMessageDeflate: false })]
  s.on('upgrade', (req, socket, head) => { const w = req.url === '/plain' ? plain : squeezed; w.handleUpgrade(req, socket, head, ws => w.emit('connection', ws, req)) })
  listen(s, 8545)
}

async function connect (url, truth, options) {
  const ws = new WebSocket(url, options)
  const waiting = new Map()
  const heard = []
  let id = 1
  ws.on('message', data => {
    const m = JSON.parse(data)
    if (m.method) { truth.heardNotification('ws', m); heard.push(m.params.result) } else waiting.get(m.id)(m.result)
  })
  await new Promise((resolve, reject) => { ws.on('open', resolve); ws.on('error', reject) })
  const ask = (method, ...params) => new Promise(resolve => { waiting.set(id, resolve); ws.send(JSON.stringify({ jsonrpc: '2.0', id: id++, method, params })) })
  const until = async n => { for (let i = 0; i < 500 && heard.length < n; i++) await sleep(10); if (heard.length !== n) throw new Error(`${heard.length} of ${n} heard`) }
  return { ws, ask, heard, until }
}

async function client ({ truth, ws: url }) {
  for (const { raw, loan } of Object.values(await flow()).flat()) {
    const hash = truth.sign(raw)
    if (loan) truth.alerts[hash] = 'flash_loan'
  }
  const squeezed = { perMessageDeflate: { threshold: 0 } }
  const a = await connect(url, truth, squeezed)
  await a.ask('eth_subscribe', 'newPendingTransactionsWithBody')
  await a.until(FORMS.erigon)
  for (let i = 0; i < 6; i++) { // among what it hears, its own
    const raw = await account(8).signTransaction({ ...mixed(i), nonce: i })
    truth.heard('ws', 'eth_sendRawTransaction', await a.ask('eth_sendRawTransaction', truth.sent(raw, 'ws-jsonrpc')))
    if (i === 2) { a.ask('eth_subscribe', 'newPendingTransactions', true) }
  }
  await a.until(FORMS.erigon + FORMS.geth)
  const b = await connect(url, truth, squeezed)
  await b.ask('eth_subscribe', 'alchemy_pendingTransactions', { toAddress: ['0x' + bytes(20)] })
  await b.until(FORMS.alchemy)
  await b.ask('eth_subscribe', 'alchemy_pendingTransactions', { hashesOnly: true })
  await b.until(FORMS.alchemy + FORMS.hashes)
  for (const hash of b.heard.slice(FORMS.alchemy)) truth.heard('ws', 'eth_getTransactionByHash', await b.ask('eth_getTransactionByHash', hash))
  const c = await connect(url + '/plain', truth, { perMessageDeflate: false, headers: { Authorization: 'bm9ib2R5' } })
  await c.ask('subscribe', 'newTxs', { include: ['raw_tx'] })
  await c.until(FORMS.bloxroute)
  await c.ask('subscribe', 'newTxs', { include: ['tx_hash', 'tx_contents'] })
  await c.until(FORMS.bloxroute + FORMS.contents)
  const d = await connect(url, truth, { perMessageDeflate: { threshold: 0, serverNoContextTakeover: true, clientNoContextTakeover: true } })
  await d.ask('eth_subscribe', 'mevblocker_partialPendingTransactions')
  await d.until(FORMS.mevblocker)
  for (const { ws } of [a, b, c, d]) ws.close()
  await sleep(100)
}

export const forms = {
  'ws-forms': { description: 'subscriptions with bodies as geth, Erigon (compressed, context taken over both ways), Alchemy, bloXroute (bytes, and members) and MEV Blocker ' +
    '(without signatures) send them', reader: 'ws', client, server }
}
