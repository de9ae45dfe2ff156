// SPDX-License-Identifier: BSD-3-Clause
// usage: node liar.mjs ADDRESS PORT
// A node of the attacker's: it accepts whatever is submitted to it, and tells nobody.
import { keccak256 } from 'ethers'
import http from 'node:http'

const [address, port] = process.argv.slice(2)
http.createServer(async (req, res) => {
  const parts = []
  for await (const p of req) parts.push(p)
  const { id, method, params } = JSON.parse(Buffer.concat(parts).toString())
  const result = method === 'eth_sendRawTransaction' ? keccak256(params[0]) : '0x1'
  const text = JSON.stringify({ jsonrpc: '2.0', id, result })
  res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) })
  res.end(text)
}).listen(Number(port), address, () => console.log(JSON.stringify({ listening: true })))
process.stdin.on('end', () => process.exit(0)).resume()
