// SPDX-License-Identifier: BSD-3-Clause
// Every crossing of a feed, by the word of the programs that sent or heard it: transactions one by one with the way they took, and
// hashes alone. Written beside the capture as NAME.expected.json.
import { existsSync, readFileSync, writeFileSync, appendFileSync } from 'node:fs'
import { Transaction } from 'ethers'
import { versions } from './truth.mjs'

const HASH = /^0x[0-9a-f]{64}$/i
const facts = raw => {
  const t = Transaction.from(raw)
  const data = (t.data.length - 2) / 2
  return { type: t.type, to: t.to?.toLowerCase() ?? null, selector: data >= 4 ? t.data.slice(0, 10) : null, from: t.from.toLowerCase(), nonce: t.nonce,
    value: t.value.toString(), gasLimit: t.gasLimit.toString(), dataLen: data, rawLen: (raw.length - 2) / 2, creation: t.to === null }
}

// As a block has it: without blobs.
export function withoutBlobs (raw) {
  const t = Transaction.from(raw)
  if (t.type !== 3) return raw
  t.blobs = null
  return t.serialized
}

// The transaction that an object with a signature says it is.
function rebuilt (o) {
  const q = x => x == null ? undefined : BigInt(x)
  const type = Number(o.type ?? 0)
  const dynamic = type >= 2
  const t = Transaction.from({ type, to: o.to, nonce: Number(o.nonce), gasLimit: q(o.gas), data: o.input ?? o.data, value: q(o.value), chainId: q(o.chainId),
    ...(dynamic ? { maxFeePerGas: q(o.maxFeePerGas), maxPriorityFeePerGas: q(o.maxPriorityFeePerGas) } : { gasPrice: q(o.gasPrice) }),
    ...(type ? { accessList: o.accessList ?? [] } : {}),
    ...(type === 3 ? { maxFeePerBlobGas: q(o.maxFeePerBlobGas), blobVersionedHashes: o.blobVersionedHashes } : {}),
    ...(type === 4 ? { authorizationList: o.authorizationList.map(a => ({ address: a.address, nonce: q(a.nonce), chainId: q(a.chainId), signature: { r: a.r, s: a.s, yParity: Number(a.yParity) } })) } : {}),
    signature: { r: o.r.replace(/^0x/, '0x' + '0'.repeat(66 - o.r.length)), s: o.s.replace(/^0x/, '0x' + '0'.repeat(66 - o.s.length)), v: Number(o.v ?? o.yParity) } })
  return t.hash
}

export class Crossings {
  constructor (name, { description, reader, clients = versions() }) {
    Object.assign(this, { name, description, reader, clients, transactions: [], mentions: [], decoys: new Set(), alerts: {}, may: new Set(), more: {}, failures: [] })
    this.known = new Map() // hash -> raw of what this program signed
  }

  // a transaction that may be met later; returns its hash
  sign (raw) {
    const hash = Transaction.from(raw.toLowerCase()).hash.toLowerCase()
    this.known.set(hash, raw.toLowerCase())
    return hash
  }

  add (hash, raw, own, carrier, direction, pending, more) {
    this.transactions.push({ hash, raw, ...(raw ? {} : { rawRebuilt: own }), ...facts(own), direction, carrier, pending, ...more })
  }

  // raw bytes that are about to be sent by the client; returns them
  sent (raw, carrier = 'http-jsonrpc', more = {}, alert) {
    const hash = this.sign(raw)
    this.add(hash, raw.toLowerCase(), raw.toLowerCase(), carrier, 'c2s', true, more)
    if (alert) this.alerts[hash] = alert
    return raw
  }

  // raw bytes that the client was told. pending: null if the answer does not say.
  heardRaw (raw, carrier, pending = null, more = {}) { this.add(this.sign(raw), raw.toLowerCase(), raw.toLowerCase(), carrier, 's2c', pending, more) }

  // a transaction object that the client was told, by its claimed hash: it must be one that was signed here
  heardObject (object, carrier, more = {}) {
    const hash = object.hash.toLowerCase()
    if (!this.known.has(hash)) throw new Error(`${this.name}: told of ${hash}, which nobody signed`)
    const own = withoutBlobs(this.known.get(hash))
    const partial = object.r === undefined
    if (!partial && rebuilt(object) !== hash) throw new Error(`${this.name}: the members of ${hash} do not make it`)
    this.add(hash, null, own, carrier, 's2c', !object.blockHash && !object.blockNumber, { ...more, ...(partial ? { partial } : {}) })
  }

  mention (hash, carrier, direction = 's2c', more = {}) { this.mentions.push({ hash: hash.toLowerCase(), carrier, direction, ...more }) }

  // a raw transaction in a place where nobody takes it for one that is pending
  decoy (raw) {
    this.decoys.add(Transaction.from(raw.toLowerCase()).hash.toLowerCase())
    return raw
  }

  // A message of a subscription, in the forms of nodes and of those who sell feeds.
  heardNotification (proto, m) {
    const x = m.params.result
    const more = { form: m.form }
    if (typeof x === 'string') this.mention(x, `${proto}-subscription-hash`)
    else if (x.rawTx) this.heardRaw(x.rawTx, `${proto}-subscription-raw`, true, more)
    else this.heardObject(x.txContents ?? x, `${proto}-subscription-full`, more)
  }

  // What an answer or a notification carries. proto: http, ws, ipc.
  heard (proto, method, result) {
    const more = { method }
    const object = o => this.heardObject(o, `${proto}-jsonrpc-txobject`, more)
    if (result == null) return
    if (/^(eth|mev)_send/.test(method)) {
      if (HASH.test(result)) this.mention(result, `${proto}-jsonrpc-result`)
    } else if (/^eth_getRaw/.test(method)) this.heardRaw(result, `${proto}-jsonrpc-raw`, null, more)
    else if (/^txpool_content/.test(method)) {
      for (const senders of Object.values(result)) for (const byNonce of Object.values(senders)) for (const o of Object.values(byNonce)) object(o)
    } else if (method === 'eth_getTransactionReceipt') this.mention(result.transactionHash, `${proto}-jsonrpc-receipt`)
    else if (Array.isArray(result.transactions)) {
      for (const t of result.transactions) typeof t === 'string' ? this.mention(t, `${proto}-jsonrpc-blockhash`) : object(t)
    } else if (Array.isArray(result)) {
      for (const t of result) if (typeof t === 'string' && HASH.test(t)) this.mention(t, `${proto}-jsonrpc-filter`); else if (t?.hash && t.nonce !== undefined) object(t)
    } else if (result.hash && result.nonce !== undefined && result.from) object(result)
  }

  failed (what, e) { this.failures.push(`${what}: ${e.shortMessage ?? e.message ?? e}`) }

  // A stand-in's own account: a line for each thing it sent, in a file that the client's side reads at the end.
  static note (folder, name, entry) { appendFileSync(`${folder}/${name}.server.ndjson`, JSON.stringify(entry) + '\n') }
  noted (folder) {
    const file = `${folder}/${this.name}.server.ndjson`
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').filter(Boolean).map(line => JSON.parse(line)) : []
  }

  write (folder) {
    const read = this.transactions.filter(t => !t.partial)
    const hashes = [...new Set(read.map(t => t.hash))]
    const partial = [...new Set(this.transactions.filter(t => t.partial).map(t => t.hash))].filter(h => !hashes.includes(h))
    const byCarrier = {}
    for (const { carrier } of [...this.transactions, ...this.mentions]) byCarrier[carrier] = (byCarrier[carrier] ?? 0) + 1
    const out = { name: this.name, pcap: this.name + '.pcap', description: this.description, reader: this.reader, clients: this.clients,
      crossings: this.transactions.length, byCarrier, hashes, pending: [...new Set(read.filter(t => t.pending !== false).map(t => t.hash))],
      ...(partial.length || this.may.size ? { may: [...partial, ...this.may] } : {}), decoys: [...this.decoys].filter(h => !hashes.includes(h)), alerts: this.alerts, ...this.more,
      transactions: this.transactions, mentions: this.mentions }
    writeFileSync(`${folder}/${this.name}.expected.json`, JSON.stringify(out).replace(/(\},)(?=\{"(?:hash|number)")/g, '$1\n').replace(/,"(transactions|mentions|hashes|pending|lives|blocks|bundles|odd)":/g, ',\n"$1":') + '\n')
    console.log(`${this.name}: ${this.transactions.length} crossings, ${hashes.length} transactions, ${this.mentions.length} hashes, ${this.failures.length} failures`)
    for (const f of this.failures.slice(0, 3)) console.log('  ' + f.slice(0, 150))
  }
}
