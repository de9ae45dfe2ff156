// SPDX-License-Identifier: BSD-3-Clause
// What the devp2p peers of the recordings share.
import { Common, Mainnet } from '@ethereumjs/common'
import { pk2id } from '@ethereumjs/devp2p'
import { RLP } from '@ethereumjs/rlp'
import { secp256k1 } from 'ethereum-cryptography/secp256k1.js'
import { HDNodeWallet, Mnemonic, Transaction, getBytes, hexlify, keccak256 } from 'ethers'
import { createConnection } from 'node:net'

export const PORT = 30303
export const KEYS_PORT = 30399
export const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))
export const hex = b => Buffer.from(b).toString('hex')
export const staticKey = name => getBytes(keccak256(Buffer.from('sentinel recording ' + name)))
export const idOf = name => pk2id(secp256k1.getPublicKey(staticKey(name), false))
export const genesis = getBytes('0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3')
export const status = { td: getBytes('0x0c70d815d562d3cfa955'), bestHash: getBytes(keccak256('0x01')), genesisHash: genesis }

let seed = 0x71b
function rnd (n) {
  seed ^= seed << 13; seed >>>= 0
  seed ^= seed >>> 17
  seed ^= seed << 5; seed >>>= 0
  return seed % n
}
export const random = n => '0x' + hex(Uint8Array.from({ length: n }, () => rnd(256)))
// the keys of the well-known test mnemonic
const root = HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase('test test test test test test test test test test test junk'), "m/44'/60'/0'/0")
export const wallets = [0, 1, 2, 3].map(i => root.deriveChild(i))
export async function signed (n, nonce, bytes) {
  const out = []
  for (let i = 0; i < n; i++) {
    const type = [2, 0, 1, 2, 4][i % 5]
    const wallet = wallets[i % 4]
    const tx = { type, chainId: 1, nonce: nonce + i, to: i % 7 === 3 && type !== 4 ? null : random(20), data: random(bytes ?? 4 + rnd(300)), value: BigInt(rnd(1e9)), gasLimit: 900000n }
    if (type < 2) tx.gasPrice = 30000000000n
    else Object.assign(tx, { maxFeePerGas: 40000000000n, maxPriorityFeePerGas: 1000000000n })
    if (type === 1) tx.accessList = [{ address: random(20), storageKeys: [random(32)] }]
    if (type === 4) tx.authorizationList = [await wallet.authorize({ address: random(20), nonce: nonce + i, chainId: 1 })]
    out.push(await wallet.signTransaction(tx))
  }
  return out
}
// in a list: legacy nested, typed as a string
export const item = raw => { const b = getBytes(raw); return b[0] >= 0xc0 ? RLP.decode(b) : b }
export const rawOf = it => it instanceof Uint8Array ? hexlify(it) : hexlify(RLP.encode(it))
export const hashOf = raw => Transaction.from(raw).hash
export const common = () => new Common({ chain: Mainnet, hardfork: 'cancun' })

export function secrets (peer, initiator) {
  const e = peer._eciesSession
  const cat = (...parts) => '0x' + parts.map(hex).join('')
  const nonces = initiator ? [e._remoteNonce, e._nonce] : [e._nonce, e._remoteNonce]
  const shared = keccak256(cat(e._ephemeralSharedSecret, getBytes(keccak256(cat(...nonces)))))
  const aes = keccak256(cat(e._ephemeralSharedSecret, getBytes(shared)))
  const mac = keccak256(cat(e._ephemeralSharedSecret, getBytes(aes)))
  const s = peer._socket
  return { local: `${s.localAddress}:${s.localPort}`, remote: `${s.remoteAddress}:${s.remotePort}`, aes: aes.slice(2), mac: mac.slice(2), nonce: hex(e._nonce) }
}

// The sessions as the keys' file lists them; both sides must have the same secrets.
export async function sessions (keys, address) {
  const theirs = JSON.parse(await new Promise((resolve, reject) => {
    let text = ''
    createConnection(KEYS_PORT, address).on('data', d => { text += d }).on('end', () => resolve(text)).on('error', reject)
  }))
  return keys.map(({ local, remote, aes, mac, nonce, ...more }) => {
    const t = theirs.find(x => x.remote === local)
    if (t?.aes !== aes || t?.mac !== mac) throw new Error('the two sides disagree on ' + local)
    return { client: local, server: remote, aesSecret: aes, macSecret: mac, initiator: { nonce }, recipient: { nonce: t.nonce }, ...more }
  })
}
