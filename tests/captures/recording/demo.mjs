// SPDX-License-Identifier: BSD-3-Clause
// The demonstration: several client libraries at once, each on its own connections, an attack being prepared among everyday traffic.
import http from 'node:http'
import { execFileSync } from 'node:child_process'
import axios from 'axios'
import { FetchRequest, JsonRpcProvider, Wallet } from 'ethers'
import { Pool } from 'undici'
import { createWalletClient, http as viemHttp, keccak256 } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { anvil } from 'viem/chains'
import { Web3 } from 'web3'
import { account, deployments, flashLoans, harmlessDeployment, key, large, mixed, priced, setSeed } from './txs.mjs'

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))
let id = 1000
const body = (method, params) => ({ jsonrpc: '2.0', id: id++, method, params })

async function ethersClient (url, truth, log) {
  const request = new FetchRequest(url)
  const provider = new JsonRpcProvider(request, undefined, { polling: false, cacheTimeout: -1 })
  const wallets = [0, 1].map(i => new Wallet(key(i), provider))
  const nonces = [0, 0]
  const sendOne = async i => {
    const w = i % 2
    const raw = await wallets[w].signTransaction({ ...mixed(i), nonce: nonces[w]++ })
    log.push(truth.raw(raw))
    await provider.broadcastTransaction(raw).catch(e => truth.failed('ethers', e))
  }
  for (let i = 0; i < 24; i++) { await sendOne(i); await sleep(rndWait(i)) }
  for (let i = 24; i < 42; i += 6) await Promise.all([0, 1, 2, 3, 4, 5].map(k => sendOne(i + k))) // merged into batches by the library
  const auth = await wallets[0].authorize({ address: '0x' + '0a77ac'.padStart(40, '0'), nonce: nonces[0] + 1, chainId: 31337 })
  const set = await wallets[0].signTransaction({ ...priced({ to: wallets[0].address, data: '0x' }, 0), type: 4, authorizationList: [auth], nonce: nonces[0] })
  nonces[0] += 2
  await provider.broadcastTransaction(truth.raw(set)).catch(e => truth.failed('7702', e))
  for (let i = 0; i < 4; i++) { // the library fills in nonce, fees and gas, and waits
    const sent = await wallets[1].sendTransaction({ to: wallets[0].address, value: BigInt(i + 1) })
    truth.hash(sent.hash)
    await sent.wait(1, 5000)
  }
  provider.destroy()
}
const rndWait = i => 5 + (i * 37) % 40

async function viemClient (url, truth) {
  const client = createWalletClient({ account: privateKeyToAccount(key(2)), chain: anvil, transport: viemHttp(url) })
  for (let nonce = 0; nonce < 30; nonce++) {
    const { type, gasLimit, ...req } = mixed(nonce)
    const raw = await client.account.signTransaction({ ...req, gas: gasLimit, nonce, type: ['legacy', 'eip2930', 'eip1559'][type] })
    truth.hash(keccak256(raw))
    await client.sendRawTransaction({ serializedTransaction: raw }).catch(e => truth.failed('viem', e))
    await sleep(rndWait(nonce))
  }
}

async function web3Client (url, truth) {
  const web3 = new Web3(url)
  const account3 = web3.eth.accounts.privateKeyToAccount(key(3))
  for (let nonce = 0; nonce < 20; nonce++) {
    const { gasLimit, ...req } = mixed(nonce)
    const plain = Object.fromEntries(Object.entries({ ...req, gas: gasLimit, nonce }).filter(([, v]) => v != null))
    const signed = await web3.eth.accounts.signTransaction(plain, account3.privateKey)
    truth.hash(signed.transactionHash)
    await web3.eth.sendSignedTransaction(signed.rawTransaction, undefined, { checkRevertBeforeSending: false }).catch(e => truth.failed('web3', e))
    await sleep(rndWait(nonce))
  }
}

// Flash loans from an ordinary user, then an attacker deploys, and calls what he deployed.
async function axiosClient (url, truth, log) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 2 })
  const post = data => axios.post(url, data, { httpAgent: agent, proxy: false }).catch(e => truth.failed('axios', e))
  const [user, attacker] = [account(4), account(5)]
  let nonce = 0
  for (const make of Object.values(flashLoans)) {
    const raw = await user.signTransaction({ ...priced(make(), nonce), nonce: nonce++ })
    log.push(truth.raw(raw, 'flash_loan'))
    await post(body('eth_sendRawTransaction', [raw]))
    await sleep(60)
  }
  nonce = 0
  for (const make of [...Object.values(deployments), null]) {
    const raw = await attacker.signTransaction({ ...priced(make ? make() : harmlessDeployment(400), nonce), nonce: nonce++ })
    log.push(truth.raw(raw, make ? 'flash_deploy' : null))
    await post(body('eth_sendRawTransaction', [raw]))
    await sleep(60)
  }
  await sleep(300)
  for (const raw of log.slice(0, 10)) await post(body('eth_sendRawTransaction', [truth.raw(raw)])) // seen before
}

async function undiciClient (url, truth) {
  const pool = new Pool(url, { connections: 2 })
  const post = async data => {
    const answer = await pool.request({ path: '/', method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(data) })
    await answer.body.text()
  }
  const wallet = account(6)
  let nonce = 0
  const sign = async (req, alert) => truth.raw(await wallet.signTransaction({ ...priced(req, nonce), nonce: nonce++ }), alert)
  for (let round = 0; round < 3; round++) {
    const raws = []
    for (let i = 0; i < 4; i++) raws.push(await sign(mixed(i + round)))
    await post(raws.map(raw => body('eth_sendRawTransaction', [raw])))
    await sleep(150)
  }
  const bundle = []
  for (const i of [7, 8, 7]) {
    const w = account(i)
    bundle.push(truth.raw(await w.signTransaction({ ...priced(mixed(1), 0), nonce: bundle.length === 2 ? 1 : 0 })))
  }
  await post(body('eth_sendBundle', [{ txs: bundle, blockNumber: '0x10', minTimestamp: 0 }]))
  await post(body('eth_sendPrivateTransaction', [{ tx: await sign(flashLoans.balancer(), 'flash_loan'), maxBlockNumber: '0xffff' }]))
  await post(body('eth_sendRawTransaction', [await sign(large(30000))]))
  await pool.close()
}

async function curlClient (url, truth) {
  const wallet = account(9)
  for (let nonce = 0; nonce < 3; nonce++) {
    const raw = truth.raw(await wallet.signTransaction({ ...priced(mixed(nonce), nonce), nonce }))
    execFileSync('curl', ['-s', '-m', '10', '-H', 'Content-Type: application/json', '--data-binary', JSON.stringify(body('eth_sendRawTransaction', [raw])), url])
    await sleep(200)
  }
}

export const description = 'six client libraries at once on keep-alive connections: everyday calls, flash loans, attack-like deployments, batches, a bundle, repeats'
export async function run (url, truth) {
  const log = []
  setSeed(0xdec0de)
  await Promise.all([ethersClient(url, truth, log), viemClient(url, truth), web3Client(url, truth), axiosClient(url, truth, log),
    undiciClient(url, truth), curlClient(url, truth)])
}
