// SPDX-License-Identifier: BSD-3-Clause
// Requests that are encoded, or odd but taken.
import http from 'node:http'
import { connect } from 'node:net'
import zlib from 'node:zlib'
import axios from 'axios'
import { Transaction } from 'ethers'
import { account, everyday, flashLoans, mixed, priced, rnd } from '../txs.mjs'

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))
const rpc = (raw, id = 1) => JSON.stringify({ jsonrpc: '2.0', id, method: 'eth_sendRawTransaction', params: [raw] })
const JSON_TYPE = { 'Content-Type': 'application/json' }
async function body (req) {
  const parts = []
  for await (const p of req) parts.push(p)
  return Buffer.concat(parts)
}
function reply (res, text, status = 200) {
  res.writeHead(status, { ...JSON_TYPE, 'Content-Length': Buffer.byteLength(text) })
  res.end(text)
}

const decoders = { gzip: zlib.gunzipSync, deflate: b => (b[0] & 15) === 8 ? zlib.inflateSync(b) : zlib.inflateRawSync(b), br: zlib.brotliDecompressSync }
// Decodes what it is sent, as nodes do whose operator allows it, and asks the node behind.
function decoding ({ node, listen }) {
  listen(http.createServer(async (req, res) => {
    const sent = await body(req)
    const decode = decoders[req.headers['content-encoding'] ?? ''] ?? (b => b)
    reply(res, JSON.stringify((await axios.post(node, decode(sent), { headers: JSON_TYPE, proxy: false })).data))
  }), 8545)
}

function post (url, agent, data, headers, pieces) {
  return new Promise((resolve, reject) => {
    const req = http.request(url, { method: 'POST', agent, headers: { ...JSON_TYPE, ...headers, ...(pieces ? {} : { 'Content-Length': data.length }) } }, res => {
      body(res).then(b => resolve({ status: res.statusCode, text: b.toString() }), reject)
    })
    req.on('error', reject)
    req.setNoDelay(true)
    const write = async () => {
      for (let at = 0; pieces && at < data.length;) { const n = 1 + rnd(pieces); req.write(data.subarray(at, at + n)); at += n; await sleep(1) }
      req.end(pieces ? undefined : data)
    }
    write()
  })
}

async function encoding ({ truth, url, behind }) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  const encoders = { gzip: b => zlib.gzipSync(b), deflate: b => zlib.deflateSync(b), raw: b => zlib.deflateRawSync(b), br: b => zlib.brotliCompressSync(b) }
  let nonce = 0
  const sign = async make => account(0).signTransaction({ ...priced(make ? make() : mixed(nonce), nonce), nonce: nonce++ })
  const send = async (where, kind, pieces, n = 1, make) => {
    const raws = []
    for (let i = 0; i < n; i++) raws.push(await sign(make))
    for (const raw of raws) {
      if (kind === 'br') truth.may.add(truth.sign(raw))
      else truth.sent(raw, 'http-jsonrpc', { encoding: kind }, make ? 'flash_loan' : undefined)
    }
    const text = Buffer.from(n === 1 ? rpc(raws[0]) : '[' + raws.map((raw, i) => rpc(raw, i)).join(',') + ']')
    const headers = kind === 'identity' ? {} : { 'Content-Encoding': kind === 'raw' ? 'deflate' : kind }
    const { status, text: told } = await post(where, agent, kind === 'identity' ? text : encoders[kind](text), headers, pieces)
    const answers = status === 200 ? [JSON.parse(told)].flat() : []
    for (const a of answers) if (a.result) truth.heard('http', 'eth_sendRawTransaction', a.result); else truth.failed(kind, a.error)
    if (status !== 200) truth.failed(kind, new Error(`${status} ${told.slice(0, 50)}`))
  }
  for (const kind of ['gzip', 'identity', 'deflate', 'raw']) {
    await send(url, kind)
    await send(url, kind, 60)
    await send(url, kind, 0, 5)
    await send(url, kind, 400, 4)
  }
  await send(url, 'gzip', 0, 1, flashLoans.morpho)
  await send(url, 'br') // counted, not read
  await send(url, 'identity')
  for (const kind of ['gzip', 'deflate']) await send(behind, kind) // the node itself does not decode
  await send(behind, 'identity')
}

// What the server takes it says itself: that is what crossed. The rest may be taken by others.
function lenient ({ listen, note }) {
  const server = http.createServer({ insecureHTTPParser: true, requireHostHeader: false }, async (req, res) => {
    const text = (await body(req)).toString()
    const { id, params } = text ? JSON.parse(text) : {}
    if (req.method === 'POST') note({ odd: id, hash: Transaction.from(params[0]).hash })
    if (req.method === 'HEAD') { res.writeHead(200, { ...JSON_TYPE, 'Content-Length': 4711 }); res.end() } else if (req.method === 'OPTIONS') { res.writeHead(204, { 'Access-Control-Allow-Methods': 'POST' }); res.end() }
    else reply(res, JSON.stringify({ jsonrpc: '2.0', id, result: Transaction.from(params[0]).hash }))
  })
  server.on('clientError', (e, socket) => { note({ refused: e.code }); socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n') })
  listen(server, 8545)
}
const chunks = (text, ...sizes) => {
  let out = ''
  for (let at = 0, i = 0; at < text.length; i++) { const n = sizes[i % sizes.length]; const part = text.slice(at, at + n); out += part.length.toString(16) + '\r\n' + part + '\r\n'; at += n }
  return out + '0\r\n\r\n'
}
const odd = {
  'absolute-form': t => `POST http://192.0.2.2:8545/ HTTP/1.1\r\nHost: 192.0.2.2:8545\r\nContent-Length: ${t.length}\r\n\r\n${t}`,
  'query and fragment': t => `POST /v1/?key=a#b HTTP/1.1\r\nHost: a\r\nContent-Length: ${t.length}\r\n\r\n${t}`,
  'HTTP/1.0 kept alive': t => `POST / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: ${t.length}\r\n\r\n${t}`,
  'HTTP/1.0 with chunks': t => `POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n${chunks(t, 100)}`,
  'folded value': t => `POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json;\r\n charset=utf-8\r\nX-Long: a\r\n\t b\r\n  c\r\nContent-Length: ${t.length}\r\n\r\n${t}`,
  'folded length': t => `POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n ${t.length}\r\n\r\n${t}`,
  'bare LF': t => `POST / HTTP/1.1\nHost: a\nContent-Type: application/json\nContent-Length: ${t.length}\n\n${t}`,
  'bare LF in the middle': t => `POST / HTTP/1.1\r\nHost: a\nContent-Type: application/json\r\nContent-Length: ${t.length}\n\r\n${t}`,
  'length and chunks': t => `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n${chunks(t, 90, 1, 33)}`,
  'chunks and length': t => `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 100000\r\n\r\n${chunks(t, 50)}`,
  'chunk extensions, a trailer': t => `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n000${t.length.toString(16).toUpperCase()};a=b;c="d"\r\n${t}\r\n00\r\nX-After: ${'f'.repeat(64)}\r\n\r\n`,
  'empty lines before': t => `\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${t.length}\r\n\r\n${t}`,
  'the same length twice': t => `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${t.length}\r\nContent-Length: ${t.length}\r\n\r\n${t}`,
  'no host': t => `POST / HTTP/1.1\r\nContent-Length: ${t.length}\r\n\r\n${t}`,
  'no space, many spaces': t => `POST / HTTP/1.1\r\nHost:a\r\nContent-Length:${t.length}   \r\nX:  \t y\t\r\n\r\n${t}`,
  'space before a colon': t => `POST / HTTP/1.1\r\nHost : a\r\nContent-Length: ${t.length}\r\n\r\n${t}`,
  'two lengths': t => `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${t.length}\r\nContent-Length: 7\r\n\r\n${t}`,
  'small letters': t => `post / http/1.1\r\nhost: a\r\ncontent-length: ${t.length}\r\n\r\n${t}`,
  'HEAD and OPTIONS before': t => `HEAD / HTTP/1.1\r\nHost: a\r\n\r\nOPTIONS * HTTP/1.1\r\nHost: a\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${t.length}\r\n\r\n${t}`
}
const UNREAD = 'HTTP/1.0 with chunks' // Go reads no body there, hyper refuses it: it need not be reported

// One connection a case, and at the end the taken ones on one connection.
function exchange (host, port, texts) {
  return new Promise((resolve, reject) => {
    let told = ''
    const s = connect(port, host, async () => { for (const t of texts) { s.write(t); await sleep(15) } })
    s.setNoDelay(true)
    s.on('data', d => { told += d })
    s.on('error', reject)
    s.on('close', () => resolve(told))
    setTimeout(() => s.end(), 60 + 15 * texts.length)
    setTimeout(() => s.destroy(), 400 + 15 * texts.length)
  })
}
async function oddClient ({ truth, host, port, noted }) {
  let nonce = 0
  const sent = []
  const make = async name => {
    const raw = await account(0).signTransaction({ ...priced((nonce % 2 ? everyday.transfer : everyday.v3)(), nonce), nonce: nonce++ })
    sent.push({ name, raw, id: sent.length, hash: truth.sign(raw) })
    return rpc(raw, sent.length - 1)
  }
  for (const [name, form] of Object.entries(odd)) await exchange(host, port, [form(await make(name))])
  const ids = new Set(noted().filter(n => n.hash).map(n => n.odd))
  const taken = sent.filter(s => ids.has(s.id)).map(s => s.name).filter(n => n !== UNREAD)
  const texts = []
  for (const name of taken) texts.push(odd[name](await make(name + ', on one connection')))
  await exchange(host, port, texts)
  const accounts = noted()
  for (const { name, raw, id, hash } of sent) {
    const yes = accounts.some(n => n.odd === id && n.hash === hash)
    if (yes && name !== UNREAD) { truth.sent(raw, 'http-jsonrpc', { odd: name }); truth.mention(hash, 'http-jsonrpc-result') } else truth.may.add(hash)
  }
  truth.more.odd = Object.fromEntries(sent.map(s => [s.name, accounts.some(n => n.odd === s.id) ? 'taken' : 'refused']))
}

export const requests = {
  'request-encoding': { description: 'requests with Content-Encoding: gzip and deflate (with zlib\'s header and without), to a server that decodes them and to a node that does not; br may be left out',
    reader: 'answers', client: encoding, server: decoding },
  'http-odd': { description: 'requests that are odd: absolute-form, HTTP/1.0, folding, bare LF, length and chunks and more; `odd` says which of them the server (node, lenient) took',
    reader: 'http', client: oddClient, server: lenient }
}
