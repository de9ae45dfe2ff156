// SPDX-License-Identifier: BSD-3-Clause
// The recordings of feed.mjs. Of each: description; reader (which part of the program reads it); direct: the node itself listens where the
// clients ask; ipc: it also has a socket; client and server.
import { answers } from './answers.mjs'
import { bundles } from './bundles.mjs'
import { engine } from './engine.mjs'
import { forms } from './forms.mjs'
import { libraries } from './libraries.mjs'
import { requests } from './requests.mjs'
import { streams } from './streams.mjs'
import { verdicts } from './verdicts.mjs'

export const feeds = { ...answers, ...engine, ...bundles, ...forms, ...requests, ...streams, ...libraries, ...verdicts }
