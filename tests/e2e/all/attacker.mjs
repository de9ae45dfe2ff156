// SPDX-License-Identifier: BSD-3-Clause
// usage: node attacker.mjs URL
// Signs with ethers and submits over the wire, as it is told on its standard input, a JSON object a line; its answer is a JSON line with the same `id`.
// {"do":"send","key":N,"to":ADDRESS|null,"data":HEX,"nonce":N,"value":DECIMAL,"url":URL}: hash, raw bytes, or the node's error. {"do":"ask","method":...,"params":[...]}: result.
import { HDNodeWallet, JsonRpcProvider, Mnemonic, Network, getCreateAddress } from 'ethers'
import { createInterface } from 'node:readline'

const [usual] = process.argv.slice(2)
const CHAIN = 31337n
const GWEI = 10n ** 9n
const phrase = Mnemonic.fromPhrase('test test test test test test test test test test test junk')
const wallet = key => HDNodeWallet.fromMnemonic(phrase, `m/44'/60'/0'/0/${key}`)
const providers = new Map()
function provider (url) {
  if (!providers.has(url)) providers.set(url, new JsonRpcProvider(url, CHAIN, { staticNetwork: Network.from(CHAIN), batchMaxCount: 1, cacheTimeout: -1 }))
  return providers.get(url)
}

async function send ({ key, to = null, data = '0x', nonce, value = '0', gas = 3000000, fee = 10, url = usual }) {
  const from = wallet(key)
  const raw = await from.signTransaction({ type: 2, chainId: CHAIN, nonce, gasLimit: gas, maxFeePerGas: BigInt(fee) * GWEI, maxPriorityFeePerGas: GWEI, to, data, value: BigInt(value) })
  const told = { raw, from: from.address.toLowerCase(), created: to === null ? getCreateAddress({ from: from.address, nonce }).toLowerCase() : null }
  try {
    return { ...told, hash: (await provider(url).broadcastTransaction(raw)).hash }
  } catch (e) {
    return { ...told, error: e.shortMessage ?? e.message }
  }
}

const todo = {
  send,
  ask: async ({ method, params, url = usual }) => ({ result: await provider(url).send(method, params) })
}
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line)
  console.log(JSON.stringify({ id: order.id, ...await todo[order.do](order) }))
}
process.exit(0)
