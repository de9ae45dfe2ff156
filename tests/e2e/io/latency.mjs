// SPDX-License-Identifier: BSD-3-Clause
// usage: node latency.mjs sign COUNT OUT | send ADDRESS RATE SIGNED | listen ADDRESS
// The people of latency.py. sign: so many transfers to so many addresses, from anvil's accounts in turn, a line each: hash and bytes. send: an ethers
// client that submits them at that rate whatever the answers take, to anvil's HTTP and WebSocket in turn. listen: what most watchers of a
// mempool do: an ethers WebSocketProvider that listens to 'pending' and fetches each transaction; on its standard input's end it prints when it held which.
import { HDNodeWallet, JsonRpcProvider, Mnemonic, Network, WebSocketProvider, getAddress } from 'ethers'
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'

const [role, ...args] = process.argv.slice(2)
const ACCOUNTS = 60
const CHAIN = 31337
const GWEI = 10n ** 9n
const network = Network.from(CHAIN)
const say = o => console.log(JSON.stringify(o))
const whenTold = f => process.stdin.on('end', f).resume()

async function sign (count, out) {
  const mnemonic = Mnemonic.fromPhrase('test test test test test test test test test test test junk')
  const wallets = Array.from({ length: ACCOUNTS }, (_, i) => HDNodeWallet.fromMnemonic(mnemonic, `m/44'/60'/0'/0/${i}`))
  const lines = []
  for (let i = 0; i < count; i++) {
    const raw = await wallets[i % ACCOUNTS].signTransaction({
      type: 2, chainId: CHAIN, nonce: Math.floor(i / ACCOUNTS), gasLimit: 21000, maxFeePerGas: 100n * GWEI, maxPriorityFeePerGas: GWEI,
      to: getAddress('0x' + randomBytes(20).toString('hex')), value: 1n
    })
    lines.push(raw)
  }
  writeFileSync(out, lines.join('\n') + '\n')
  say({ signed: count })
}

async function send (address, rate, signed) {
  const raws = readFileSync(signed, 'ascii').trim().split('\n')
  const ways = [new JsonRpcProvider(`http://${address}:8545`, network, { staticNetwork: network, batchMaxCount: 1 }),
    new WebSocketProvider(`ws://${address}:8545`, network, { staticNetwork: network })]
  for (const way of ways) await way.send('eth_chainId', [])
  const answers = []
  let refused = 0
  const start = performance.now() + 100
  await new Promise(resolve => {
    let i = 0
    const more = () => {
      for (; i < raws.length && performance.now() >= start + i * 1000 / rate; i++) {
        answers.push(ways[i % 2].send('eth_sendRawTransaction', [raws[i]]).catch(e => { refused++; say({ refused: String(e) }) }))
      }
      if (i < raws.length) setTimeout(more, Math.max(0, start + i * 1000 / rate - performance.now()))
      else resolve()
    }
    more()
  })
  await Promise.all(answers)
  say({ done: true, refused })
  whenTold(() => process.exit(0))
}

async function listen (address) {
  const provider = new WebSocketProvider(`ws://${address}:8545`, network, { staticNetwork: network })
  const held = []
  let missing = 0
  await provider.on('pending', async hash => {
    const tx = await provider.getTransaction(hash)
    if (tx === null) missing++
    else held.push([tx.hash, Math.round((performance.timeOrigin + performance.now()) * 1000)]) // microseconds
  })
  await provider.send('eth_chainId', []) // behind the subscription
  say({ ready: true })
  setInterval(() => say({ held_now: held.length }), 500).unref()
  whenTold(() => {
    const off = performance.timeOrigin + performance.now() - Date.now() // this clock does not follow the system's
    process.stdout.write(JSON.stringify({ off_ms: off, missing, held }) + '\n', () => process.exit(0))
  })
}

if (role === 'sign') await sign(Number(args[0]), args[1])
else if (role === 'send') await send(args[0], Number(args[1]), args[2])
else await listen(args[0])
