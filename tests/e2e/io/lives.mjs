// SPDX-License-Identifier: BSD-3-Clause
// What became of transactions, by the word of who sent and mined them. Slow and plain on purpose.
export class Lives {
  txs = new Map() // hash -> { sender, nonce, seen, state, block, by, first }
  blocks = [] // hashes of those that were canonical, each once
  accepted = 0
  refused = 0
  counts = { included: 0, included_pending: 0, never_seen: 0, replaced: 0, restored: 0, reorged: 0, blocks_reorged: 0, blocks_invalid: 0 }

  made (hash, sender, nonce) { this.txs.set(hash, { sender, nonce, seen: false, state: null, block: null, by: null, first: null }) }
  pending (hash) {
    const t = this.txs.get(hash)
    t.seen = true
    t.state ??= 'pending'
  }

  rivals (hash) {
    const { sender, nonce } = this.txs.get(hash)
    return [...this.txs].filter(([h, t]) => h !== hash && t.sender === sender && t.nonce === nonce).map(([, t]) => t)
  }

  enter (block, hashes) {
    if (!this.blocks.includes(block)) this.blocks.push(block)
    for (const hash of hashes) {
      const t = this.txs.get(hash)
      if (!t.first) {
        t.first = t.seen ? 'included_pending' : 'never_seen'
        this.counts.included++
        this.counts[t.first]++
      }
      Object.assign(t, { state: 'included', block, by: null })
      for (const r of this.rivals(hash)) if (r.state === 'pending') { Object.assign(r, { state: 'replaced', by: hash }); this.counts.replaced++ }
    }
  }

  leave (block, hashes) {
    this.counts.blocks_reorged++
    for (const hash of hashes) {
      Object.assign(this.txs.get(hash), { state: 'pending', block: null })
      this.counts.reorged++
      for (const r of this.rivals(hash)) if (r.by === hash) { Object.assign(r, { state: 'pending', by: null }); this.counts.restored++ }
    }
  }

  // A block that was never one: what it replaced comes back, and that is all.
  refusedBlock (hashes) {
    this.counts.blocks_invalid++
    for (const hash of hashes) for (const r of this.rivals(hash)) if (r.state === 'pending') { this.counts.replaced++; this.counts.restored++ }
  }

  toJSON () {
    const known = [...this.txs].filter(([, t]) => t.state)
    return { blocks: this.blocks.length, accepted: this.accepted, refused: this.refused, ...this.counts,
      pending: known.filter(([, t]) => t.seen).length, lives: Object.fromEntries(known.map(([h, { state, block, by, first }]) => [h, { state, block, by, never_seen: first === 'never_seen' }])) }
  }
}
