// SPDX-License-Identifier: BSD-3-Clause
// What crossed, by the word of the client libraries: they sign, they hash. Written beside the capture as NAME.expected.json.
import { readFileSync, writeFileSync } from 'node:fs'
import { Transaction } from 'ethers'

export class Truth {
  constructor (name, description) {
    this.name = name
    this.description = description
    this.hashes = new Map() // hash -> crossings
    this.decoys = new Set()
    this.carriers = {} // where: count, where a recording has several
    this.alerts = {} // hash -> class of the alert that the shipped rules owe for it
    this.failures = []
  }

  // a raw transaction that is about to be sent; returns it
  raw (raw, alert, carrier) {
    const { hash } = Transaction.from(raw.toLowerCase())
    this.hash(hash, carrier)
    if (alert) this.alerts[hash.toLowerCase()] = alert
    return raw
  }

  hash (hash, carrier) {
    this.hashes.set(hash.toLowerCase(), (this.hashes.get(hash.toLowerCase()) ?? 0) + 1)
    if (carrier) this.mention(carrier)
  }

  // something that names a transaction, or carries it
  mention (carrier) { this.carriers[carrier] = (this.carriers[carrier] ?? 0) + 1 }

  // a raw transaction that crosses in a place where no node takes it for a submission
  decoy (raw) {
    this.decoys.add(Transaction.from(raw.toLowerCase()).hash.toLowerCase())
    return raw
  }

  failed (what, e) { this.failures.push(`${what}: ${e.shortMessage ?? e.message ?? e}`) }

  write (folder) {
    const crossed = [...this.hashes.values()].reduce((a, b) => a + b, 0)
    const decoys = [...this.decoys].filter(h => !this.hashes.has(h))
    const out = { name: this.name, pcap: this.name + '.pcap', description: this.description, ...(this.name.startsWith('ws-') ? { reader: 'ws' } : {}), clients: versions(), crossings: crossed, ...(Object.keys(this.carriers).length ? { byCarrier: this.carriers } : {}), hashes: [...this.hashes.keys()], decoys, alerts: this.alerts }
    writeFileSync(`${folder}/${this.name}.expected.json`, JSON.stringify(out, null, 1) + '\n')
    console.log(`${this.name}: ${crossed} crossings, ${this.hashes.size} transactions, ${this.failures.length} refused by the node`)
    for (const f of this.failures.slice(0, 3)) console.log('  ' + f.slice(0, 150))
  }
}

export function versions () {
  const own = JSON.parse(readFileSync(new URL('package.json', import.meta.url)))
  return Object.entries({ node: process.version.slice(1), ...own.dependencies }).map(([n, v]) => `${n} ${v}`).join(', ')
}
