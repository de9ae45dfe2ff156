// SPDX-License-Identifier: BSD-3-Clause
// What is sent: transaction requests of every shape that matters here, from a fixed seed. Addresses and selectors are mainnet's.
import { AbiCoder, HDNodeWallet, Mnemonic, Wallet } from 'ethers'

export const CHAIN = 31337
const GWEI = 10n ** 9n
const abi = AbiCoder.defaultAbiCoder()

let seed = 0x5e471e1
export function setSeed (s) { seed = s >>> 0 || 1 }
export function rnd (n) {
  seed ^= seed << 13; seed >>>= 0
  seed ^= seed >>> 17
  seed ^= seed << 5; seed >>>= 0
  return seed % n
}
export function bytes (n) {
  const b = Buffer.alloc(n)
  for (let i = 0; i < n; i++) b[i] = rnd(256)
  return b.toString('hex')
}
const address = () => '0x' + bytes(20)
const amount = () => BigInt('0x' + bytes(8))

// the node's own test accounts: their keys are known to everybody
const root = HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase('test test test test test test test test test test test junk'), "m/44'/60'/0'/0")
export const key = i => root.deriveChild(i).privateKey
export const account = i => new Wallet(key(i))

export const TOKEN = {
  USDC: '0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48',
  USDT: '0xdac17f958d2ee523a2206206994597c13d831ec7',
  WETH: '0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2',
  DAI: '0x6b175474e89094c44da98b954eedeac495271d0f'
}
const ROUTER = {
  UNI2: '0x7a250d5630b4cf539739df2c5dacb4c659f2488d',
  UNI3: '0xe592427a0aece92de3edee1f18e0157c05861564',
  UNI: '0x66a9893cc07d91d95644aedd05d03f95e1dba8af'
}
const call = (to, selector, types, values) => ({ to, data: '0x' + selector + abi.encode(types, values).slice(2) })
const DEADLINE = 1893456000n

export const everyday = {
  plain: () => ({ to: address(), data: '0x', value: amount() / 1000n }),
  transfer: () => call(TOKEN.USDC, 'a9059cbb', ['address', 'uint256'], [address(), amount()]),
  approve: () => call(TOKEN.USDT, '095ea7b3', ['address', 'uint256'], [ROUTER.UNI2, (1n << 256n) - 1n]),
  deposit: () => ({ to: TOKEN.WETH, data: '0xd0e30db0', value: amount() / 1000n }),
  swapTokens: () => call(ROUTER.UNI2, '38ed1739', ['uint256', 'uint256', 'address[]', 'address', 'uint256'],
    [amount(), amount(), [TOKEN.USDC, TOKEN.WETH, TOKEN.USDT], address(), DEADLINE]),
  swapEth: () => ({ ...call(ROUTER.UNI2, '7ff36ab5', ['uint256', 'address[]', 'address', 'uint256'],
    [amount(), [TOKEN.WETH, TOKEN.DAI], address(), DEADLINE]), value: amount() / 1000n }),
  v3: () => call(ROUTER.UNI3, '414bf389', ['address', 'address', 'uint24', 'address', 'uint256', 'uint256', 'uint256', 'uint160'],
    [TOKEN.WETH, TOKEN.USDC, 500, address(), DEADLINE, amount(), amount(), 0]),
  universal: () => call(ROUTER.UNI, '3593564c', ['bytes', 'bytes[]', 'uint256'], ['0x0b00', ['0x' + bytes(64), '0x' + bytes(256)], DEADLINE]),
  multicall: () => call(ROUTER.UNI3, 'ac9650d8', ['bytes[]'], [Array.from({ length: 2 + rnd(4) }, () => '0x' + bytes(68 + rnd(190)))])
}
const MINE = '0x00000000000000000000000000000000000a77ac'
export const flashLoans = {
  aaveSimple: () => call('0x87870bca3f3fd6335c3f4ce8392d69350b4fa4e2', '42b0b77c', ['address', 'address', 'uint256', 'bytes', 'uint16'],
    [MINE, TOKEN.USDC, amount(), '0x' + bytes(96), 0]),
  aave: () => call('0x87870bca3f3fd6335c3f4ce8392d69350b4fa4e2', 'ab9c4b5d',
    ['address', 'address[]', 'uint256[]', 'uint256[]', 'address', 'bytes', 'uint16'],
    [MINE, [TOKEN.WETH, TOKEN.DAI], [amount(), amount()], [0, 0], MINE, '0x', 0]),
  aave2: () => call('0x7d2768de32b0b80b7a3454c06bdac94a69ddc7a9', 'ab9c4b5d',
    ['address', 'address[]', 'uint256[]', 'uint256[]', 'address', 'bytes', 'uint16'], [MINE, [TOKEN.USDT], [amount()], [0], MINE, '0x1234', 0]),
  balancer: () => call('0xba12222222228d8ba445958a75a0704d566bf2c8', '5c38449e', ['address', 'address[]', 'uint256[]', 'bytes'],
    [MINE, [TOKEN.WETH], [amount()], '0x' + bytes(40)]),
  morpho: () => call('0xbbbbbbbbbb9cc5e90e3b3af64bdaf62c37eeffcb', 'e0232b42', ['address', 'uint256', 'bytes'], [TOKEN.WETH, amount(), '0x' + bytes(32)]),
  maker: () => call('0x60744434d6339a6b27d73d9eda62b6f66a0a04fa', '5cffe9de', ['address', 'address', 'uint256', 'bytes'], [MINE, TOKEN.DAI, amount(), '0x']),
  gho: () => call('0xb639d208bcf0589d54fac24e655c79ec529762b8', '5cffe9de', ['address', 'address', 'uint256', 'bytes'], [MINE, TOKEN.DAI, amount(), '0x00'])
}

// A contract as a compiler lays it out: a dispatcher that compares callback selectors (PUSH4), calls with entry selectors (PUSH4, PUSH32 or
// shifted), provider addresses (PUSH20), and code in between; copied out by the init code before it.
function deployment (parts, filler) {
  const runtime = '6080604052600436106100' + '575f3560e01c' + parts.map(p => p + '00'.repeat(rnd(3)) + bytes(rnd(filler))).join('') + 'fe'
  return { to: null, data: '0x61' + (runtime.length / 2).toString(16).padStart(4, '0') + '80600c6000396000f3' + runtime }
}
const answer = selector => '8063' + selector + '1461' + bytes(2) + '57'
export const deployments = {
  aave: () => deployment([answer('1b11d0ff'), '6342b0b77c', '7387870bca3f3fd6335c3f4ce8392d69350b4fa4e2'], 300),
  aaveShifted: () => deployment([answer('1b11d0ff'), '6310ac2ddf60e21b', answer('920f5c84')], 900),
  balancer: () => deployment([answer('f04f2707'), '632e1c224f60e11b', '73ba12222222228d8ba445958a75a0704d566bf2c8'], 1200),
  morpho: () => deployment([answer('31f57072'), '7fe0232b42' + '00'.repeat(28)], 200),
  uniswap3: () => deployment([answer('e9cbafb0'), answer('fa461e33'), '6312439b2f60e11b', '63128acb08'], 2500),
  erc3156: () => deployment([answer('23e30c8b'), '635cffe9de', '7360744434d6339a6b27d73d9eda62b6f66a0a04fa'], 600)
}
export const harmlessDeployment = n => ({ to: null, data: '0x600a600c600039600a6000f3602a60005260206000f3' + bytes(n) })
export const large = n => ({ to: '0x00000000000000adc04c56bf30ac9d3c0aaf14dc', data: '0xfb0f3ee1' + bytes(n - 4) })

// The i-th request of a mixed stream with the fees of its type.
export function mixed (i) {
  const names = Object.keys(everyday)
  return priced(i % 13 === 5 ? harmlessDeployment(20 + rnd(2000)) : i % 17 === 9 ? large(1000 + rnd(5000)) : everyday[names[rnd(names.length)]](), i)
}
export function priced ({ to, data, value = 0n }, i) {
  const type = [2, 0, 2, 1, 2][i % 5]
  const fees = type === 2
    ? { maxFeePerGas: BigInt(20 + rnd(40)) * GWEI, maxPriorityFeePerGas: BigInt(1 + rnd(2)) * GWEI }
    : { gasPrice: BigInt(20 + rnd(40)) * GWEI }
  const list = type === 1 ? [{ address: to ?? TOKEN.WETH, storageKeys: ['0x' + bytes(32)] }] : undefined
  return { to, data, value, gasLimit: 2000000n, type, chainId: CHAIN, ...fees, ...(list ? { accessList: list } : {}) }
}
