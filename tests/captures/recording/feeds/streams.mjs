// SPDX-License-Identifier: BSD-3-Clause
// A node's Unix socket, carried over TCP as socat does: JSON values one after the other and nothing between them.
import { connect, createServer } from 'node:net'
import { account, flashLoans, large, mixed, priced, rnd } from '../txs.mjs'

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))

function server ({ listen, socket }) {
  listen(createServer(c => {
    const up = connect(socket)
    c.pipe(up).pipe(c)
    c.on('error', () => up.destroy())
    up.on('error', () => c.destroy())
  }), 8545)
}

// Splits what comes into JSON values: by counting brackets outside of strings.
function values (sink) {
  let text = ''; let at = 0; let depth = 0; let quoted = false
  return data => {
    for (text += data; at < text.length; at++) {
      const c = text[at]
      if (quoted) { if (c === '\\') at++; else if (c === '"') quoted = false } else if (c === '"') quoted = true
      else if (c === '{' || c === '[') depth++
      else if ((c === '}' || c === ']') && --depth === 0) {
        sink(JSON.parse(text.slice(0, at + 1)))
        text = text.slice(at + 1)
        at = -1
      }
    }
  }
}

async function client ({ truth, host, port }) {
  const socket = connect(port, host)
  socket.setNoDelay(true)
  await new Promise((resolve, reject) => { socket.on('connect', resolve); socket.on('error', reject) })
  const asked = new Map(); let answers = 0
  socket.on('data', values(value => {
    for (const m of [value].flat()) {
      if (m.method) truth.heardNotification('ipc', m)
      else { answers++; if (m.error) truth.failed('ipc', m.error); else truth.heard('ipc', asked.get(m.id), m.result) }
    }
  }))
  let id = 1
  const message = (method, params) => { asked.set(id, method); return { jsonrpc: '2.0', id: id++, method, params } }
  const raws = []
  for (let nonce = 0; nonce < 26; nonce++) {
    const request = nonce === 9 ? flashLoans.gho() : nonce === 14 ? large(6000) : mixed(nonce)
    raws.push(await account(0).signTransaction({ ...priced(request, nonce), nonce }))
  }
  const submit = i => message('eth_sendRawTransaction', [truth.sent(raws[i], 'ipc-jsonrpc', {}, i === 9 ? 'flash_loan' : undefined)])
  const wait = async () => { for (let i = 0; i < 300 && answers < asked.size; i++) await sleep(10); await sleep(60) }
  const texts = list => list.map(m => JSON.stringify(m)).join('')

  socket.write(JSON.stringify(message('eth_subscribe', ['newPendingTransactions'])) + JSON.stringify(message('eth_subscribe', ['newPendingTransactions', true])))
  await wait()
  socket.write(JSON.stringify(submit(0))) // one, then several at once, then cut anywhere, then as lines and with white space
  await wait()
  socket.write(texts([1, 2, 3, 4, 5, 6].map(submit)))
  await wait()
  const long = texts([7, 8, 9, 10, 11, 12, 13, 14].map(submit))
  for (let at = 0; at < long.length;) { const n = 1 + rnd(700); socket.write(long.slice(at, at + n)); at += n; await sleep(2) }
  await wait()
  socket.write([15, 16, 17].map(i => JSON.stringify(submit(i))).join('\n') + '\n')
  await wait()
  socket.write([18, 19].map(i => JSON.stringify(submit(i), null, 2)).join(' \t\r\n'))
  await wait()
  socket.write(JSON.stringify([20, 21, 22].map(submit)) + JSON.stringify(submit(23))) // a batch
  await wait()
  socket.write(texts([message('eth_getTransactionByHash', [truth.sign(raws[3])]), message('eth_getRawTransactionByHash', [truth.sign(raws[4])]), message('eth_blockNumber', [])]) + texts([24, 25].map(submit)))
  await wait()
  if (answers !== asked.size) truth.failed('ipc', new Error(`${answers} of ${asked.size} answers`))
  socket.end()
}

export const streams = {
  ipc: { description: 'a node\'s IPC socket over TCP: JSON values back to back, cut anywhere; subscriptions and answers likewise', reader: 'ipc', ipc: true, client, server }
}
