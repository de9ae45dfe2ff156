// SPDX-License-Identifier: BSD-3-Clause
// Requests over plaintext HTTP/2 by prior knowledge, all on one connection, the end of each after the beginnings of all.
// usage: http2.mjs URL < BODIES    a JSON-RPC request a line; prints the answers. The capture is tcpdump's of the node's port.
import fs from 'node:fs'
import http2 from 'node:http2'

const bodies = fs.readFileSync(0, 'utf8').split('\n').filter(Boolean)
const session = http2.connect(process.argv[2])
let left = bodies.length
bodies.forEach((body, i) => {
	const stream = session.request({ ':method': 'POST', ':path': '/', 'content-type': 'application/json' })
	let answer = ''
	stream.on('data', (d) => (answer += d))
	stream.on('end', () => {
		console.log(answer)
		if (--left === 0) session.close()
	})
	stream.write(body.slice(0, 40 + i))
	setTimeout(() => stream.end(body.slice(40 + i)), 30 * (bodies.length - i))
})
