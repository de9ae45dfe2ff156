// SPDX-License-Identifier: BSD-3-Clause
// usage: node feed.mjs place|server|client NAME FOLDER. place: prints where the node is to listen. server: the stand-ins of a recording, and a
// way past the capture. client: its clients; writes FOLDER/NAME.expected.json.
import { createConnection, createServer } from 'node:net'
import { Crossings } from './crossings.mjs'
import { feeds } from './feeds/index.mjs'
import { setSeed } from './txs.mjs'

const [role, name, folder] = process.argv.slice(2)
const feed = feeds[name]
const host = '192.0.2.2'
const [PORT, BEHIND, ELSEWHERE, CONTROL] = [8545, 8546, 8599, 8598] // the capture has the first two and 8551
const node = feed.direct ? PORT : BEHIND
setSeed(0xfeed + name.length)

if (role === 'place') console.log(`${host} ${node}${feed.ipc ? ` --ipc ${folder}/node.ipc` : ''}`)
else if (role === 'server') {
  const listen = (server, port) => server.listen(port, host)
  listen(createServer(c => {
    const up = createConnection(node, host)
    c.pipe(up).pipe(c)
    c.on('error', () => up.destroy())
    up.on('error', () => c.destroy())
  }), ELSEWHERE)
  await feed.server?.({ node: `http://${host}:${node}`, listen, control: CONTROL, socket: `${folder}/node.ipc`, note: entry => Crossings.note(folder, name, entry) })
  console.log('listening')
} else {
  const truth = new Crossings(name, feed)
  const at = (proto, port) => `${proto}://${host}:${port}`
  await feed.client({ truth, url: at('http', PORT), ws: at('ws', PORT), behind: at('http', BEHIND), elsewhere: at('http', ELSEWHERE),
    control: at('http', CONTROL), host, port: PORT, noted: () => truth.noted(folder) })
  truth.write(folder)
  process.exit(0)
}
