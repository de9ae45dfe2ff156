// SPDX-License-Identifier: BSD-3-Clause
// Two more client libraries as they come, each with the node itself.
import { createPublicClient, webSocket } from 'viem'
import { sendRawTransaction, watchPendingTransactions } from 'viem/actions'
import { Web3 } from 'web3'
import { anvil } from 'viem/chains'
import { account, flashLoans, key, mixed, priced } from '../txs.mjs'

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))

async function overHttp ({ truth, url }) {
  const web3 = new Web3(url)
  const request = web3.currentProvider.request.bind(web3.currentProvider)
  web3.currentProvider.request = async (m, ...more) => {
    const answer = await request(m, ...more)
    for (const a of [answer].flat()) truth.heard('http', m.method, a.result)
    return answer
  }
  const wallet = web3.eth.accounts.privateKeyToAccount(key(0))
  for (let nonce = 0; nonce < 20; nonce++) {
    const { gasLimit, ...request } = priced(nonce === 12 ? flashLoans.aave() : mixed(nonce), nonce)
    const plain = Object.fromEntries(Object.entries({ ...request, gas: gasLimit, nonce }).filter(([, v]) => v != null))
    const { rawTransaction } = await web3.eth.accounts.signTransaction(plain, wallet.privateKey)
    truth.sent(rawTransaction, 'http-jsonrpc', {}, nonce === 12 ? 'flash_loan' : undefined)
    await web3.eth.sendSignedTransaction(rawTransaction, undefined, { checkRevertBeforeSending: false }).catch(e => truth.failed('web3', e))
  }
}

async function overWs ({ truth, ws }) {
  const client = createPublicClient({ chain: anvil, transport: webSocket(ws, { retryCount: 0 }) })
  const request = client.request
  client.request = async args => {
    const result = await request(args)
    truth.heard('ws', args.method, result)
    return result
  }
  const stop = watchPendingTransactions(client, { batch: false, poll: false, onTransactions: list => list.forEach(hash => truth.mention(hash, 'ws-subscription-hash')), onError: e => truth.failed('viem', e) })
  await sleep(200)
  const send = async i => {
    const raw = await account(1).signTransaction({ ...priced(i === 7 ? flashLoans.maker() : mixed(i), i), nonce: i })
    truth.sent(raw, 'ws-jsonrpc', {}, i === 7 ? 'flash_loan' : undefined)
    await sendRawTransaction(client, { serializedTransaction: raw }).catch(e => truth.failed('viem', e))
  }
  for (let i = 0; i < 12; i++) await send(i)
  await Promise.all([12, 13, 14, 15, 16, 17, 18, 19].map(send))
  await sleep(300)
  stop()
  await sleep(100)
}

export const libraries = {
  'web3-http': { description: 'web3 over HTTP: 20 transactions, each waited for', reader: 'http', direct: true, client: overHttp },
  'viem-ws': { description: 'viem over WebSocket: 20 transactions, pending hashes subscribed to', reader: 'ws', direct: true, client: overWs }
}
