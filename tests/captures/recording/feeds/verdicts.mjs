// SPDX-License-Identifier: BSD-3-Clause
// What a node says to submissions: taken, or why not.
import http from 'node:http'
import axios from 'axios'
import { Transaction } from 'ethers'
import WebSocket from 'ws'
import { account, everyday, priced, rnd } from '../txs.mjs'

const GWEI = 10n ** 9n
const small = ['transfer', 'swapEth', 'plain'].map(k => everyday[k])

// proto: http or ws; send takes a message or a batch and gives the answers.
class Submitter {
  constructor (truth, proto, send, wallet) {
    Object.assign(this, { truth, proto, send, wallet, nonce: 0, id: 1 })
    truth.more.verdicts ??= []
  }

  sign (more = {}) {
    const { gasPrice, ...request } = priced(small[this.nonce % 3](), 0)
    return account(this.wallet).signTransaction({ ...request, type: 2, maxFeePerGas: 40n * GWEI, nonce: this.nonce++, ...more })
  }

  message (raw, ids = this.id++) { return { jsonrpc: '2.0', id: ids, method: 'eth_sendRawTransaction', params: [this.truth.sent(raw, `${this.proto}-jsonrpc`)] } }

  judge (raw, answer) {
    const { error, result } = answer
    if (result) this.truth.heard(this.proto, 'eth_sendRawTransaction', result)
    this.truth.more.verdicts.push({ hash: this.truth.sign(raw), accepted: !error, ...(error ? { code: error.code, message: error.message } : {}) })
    return answer
  }

  async submit (raw, id) { return this.judge(raw, await this.send(this.message(raw, id))) }

  async batch (raws) {
    const messages = raws.map(raw => this.message(raw))
    const answers = await this.send(messages)
    for (const m of messages) this.judge(m.params[0], answers.find(a => a.id === m.id))
  }
}

async function all (s) {
  const first = await s.sign()
  await s.submit(first)
  await s.submit(first) // already known
  await s.submit(await s.sign(), 'text as id')
  s.nonce--
  await s.submit(await s.sign({ maxFeePerGas: 39n * GWEI, maxPriorityFeePerGas: 1n })) // a replacement that pays less
  s.nonce--
  await s.submit(await s.sign({ maxFeePerGas: 90n * GWEI, maxPriorityFeePerGas: 9n * GWEI })) // one that does
  await s.submit(await s.sign({ value: 10n ** 30n })) // no funds
  s.nonce--
  await s.submit(await s.sign({ chainId: 5 })) // another chain's
  s.nonce--
  await s.submit(await s.sign({ gasLimit: 100n })) // not enough to begin with
  s.nonce--
  await s.submit(await s.sign({ maxFeePerGas: 1n, maxPriorityFeePerGas: 1n })) // below the base fee
  s.nonce--
  await s.submit(await s.sign({ nonce: s.nonce + 50 })) // queued
  await s.mine()
  await s.submit(await s.sign({ nonce: 0, value: 1n })) // that nonce is in a block
  s.nonce--
  const raws = []
  for (let i = 0; i < 6; i++) raws.push(i % 3 === 2 ? await s.sign({ nonce: 0, value: BigInt(rnd(1000)) }) : await s.sign())
  await s.batch(raws)
  const cut = await s.sign()
  const { error } = await s.send({ jsonrpc: '2.0', id: s.id++, method: 'eth_sendRawTransaction', params: [cut.slice(0, -20)] }) // no transaction at all
  if (!error) throw new Error('the node took half of a transaction')
}

async function client ({ truth, url, ws: wsUrl, elsewhere }) {
  const aside = (method, ...params) => axios.post(elsewhere, { jsonrpc: '2.0', id: 1, method, params }, { proxy: false })
  await aside('evm_setAutomine', false)
  const mine = () => aside('evm_mine')
  const httpAgent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  const overHttp = new Submitter(truth, 'http', async m => (await axios.post(url, m, { httpAgent, proxy: false })).data, 0)
  await all(Object.assign(overHttp, { mine }))
  // an object that the node signs: a hash of which no bytes cross
  const { data } = await axios.post(url, { jsonrpc: '2.0', id: 99, method: 'eth_sendTransaction', params: [{ from: account(3).address.toLowerCase(), to: account(4).address, value: '0x1' }] }, { httpAgent, proxy: false })
  truth.heard('http', 'eth_sendTransaction', data.result)
  truth.more.unsigned = [data.result]

  const ws = new WebSocket(wsUrl, { perMessageDeflate: false })
  await new Promise((resolve, reject) => { ws.on('open', resolve); ws.on('error', reject) })
  const waiting = new Map()
  ws.on('message', text => { const m = JSON.parse(text); waiting.get([m].flat()[0].id)(m) })
  const send = m => new Promise(resolve => { for (const x of [m].flat()) waiting.set(x.id, resolve); ws.send(JSON.stringify(m)) })
  await all(Object.assign(new Submitter(truth, 'ws', send, 1), { mine }))
  ws.close()
  const hashes = new Set(truth.transactions.map(t => t.hash))
  for (const v of truth.more.verdicts) if (!hashes.has(v.hash) || (v.accepted && Transaction.from(truth.known.get(v.hash)).chainId !== 31337n)) throw new Error('a verdict on nothing')
}

export const verdicts = {
  'node-answers': { description: 'a node\'s answers to submissions over HTTP and WebSocket: taken, already known, underpriced, no funds, nonce too low, another chain, not a transaction; ' +
    'batches; one that the node signs itself. `verdicts`: one entry a submission, in order', reader: ['answers', 'ws'], direct: true, client }
}
