// SPDX-License-Identifier: BSD-3-Clause
// Compiles with a few worker threads. A task is { id, source, solc, runs, via_ir, bare }, or has
// files and main instead of its source; gives the map from its id to
// { contract: hex }, or to { refused: message }.
import { Worker } from "node:worker_threads";
import { render } from "./attacks/forms.mjs";

const BATCH = 24;

function batches(tasks) {
	const groups = new Map(),
		jobs = [];
	for (const t of tasks) {
		if (t.files) {
			// what brings its imports along is compiled alone
			jobs.push({ solc: t.solc, runs: t.runs, via_ir: t.via_ir, abi: t.abi, id: t.id, main: t.main, sources: t.files });
			continue;
		}
		const key = JSON.stringify([t.solc, t.runs, t.via_ir, t.bare]);
		if (!groups.has(key)) groups.set(key, []);
		groups.get(key).push(t);
	}
	for (const list of groups.values())
		for (let i = 0; i < list.length; i += BATCH) {
			const part = list.slice(i, i + BATCH),
				{ solc, runs, via_ir, bare } = part[0];
			jobs.push({
				solc,
				runs,
				via_ir,
				bare,
				sources: Object.fromEntries(part.map((t) => [t.id, render(t.source, solc)])),
			});
		}
	jobs.sort((a, b) => (a.solc < b.solc ? -1 : a.solc > b.solc ? 1 : 0));
	return jobs.map((job, index) => ({ ...job, index }));
}

export async function compileAll(tasks, { threads = 2, log = () => {} } = {}) {
	const jobs = batches(tasks),
		out = new Map();
	// each thread takes from its own end, so that each loads half of the compilers
	const take = (thread) => (thread % 2 ? jobs.pop() : jobs.shift());
	const work = (thread) =>
		new Promise((done, fail) => {
			const worker = new Worker(new URL("./compile.mjs", import.meta.url), {
				resourceLimits: { stackSizeMb: 32, maxOldGenerationSizeMb: 4096 },
			});
			let job;
			const next = () => {
				job = take(thread);
				if (!job) {
					worker.terminate();
					return done();
				}
				worker.postMessage(job);
			};
			worker.on("message", (m) => {
				for (const [id, codes] of Object.entries(m.codes)) out.set(id, codes);
				for (const [id, refused] of Object.entries(m.refused)) out.set(id, { refused });
				log(
					`${job.solc} runs ${job.runs}${job.via_ir ? " via-IR" : ""}: ${Object.keys(m.codes).length} compiled, ${Object.keys(m.refused).length} refused, ${m.ms} ms`,
				);
				next();
			});
			worker.on("error", fail);
			next();
		});
	await Promise.all(Array.from({ length: threads }, (_, i) => work(i)));
	return out;
}
