// SPDX-License-Identifier: BSD-3-Clause
// usage: node record.mjs NAME URL FOLDER: runs the clients of a recording and writes FOLDER/NAME.expected.json.
import * as demo from './demo.mjs'
import { run, special } from './special.mjs'
import { Truth } from './truth.mjs'

const [name, url, folder] = process.argv.slice(2)
const truth = new Truth(name, name === 'demo' ? demo.description : special[name][1])
if (name === 'demo') await demo.run(url, truth)
else await run(name, url, truth)
truth.write(folder)
process.exit(0)
