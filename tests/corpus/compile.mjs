// SPDX-License-Identifier: BSD-3-Clause
// A worker that compiles batches of sources with one compiler: { solc, runs, via_ir, bare, sources: { name: text } } in,
// { codes: { name: { contract: hex } }, refused: { name: message } } out. runs is false where the optimiser is off.
import { createRequire } from "node:module";
import { parentPort } from "node:worker_threads";

const require = createRequire(import.meta.url);
const compilers = new Map();

function compiler(version) {
	if (!compilers.has(version)) {
		compilers.clear(); // they are big, and jobs come sorted by version
		const listeners = process.listeners("unhandledRejection"),
			thrown = process.listeners("uncaughtException");
		const solc = require(`solc-${version}`);
		for (const l of process.listeners("unhandledRejection"))
			if (!listeners.includes(l)) process.off("unhandledRejection", l);
		for (const l of process.listeners("uncaughtException")) if (!thrown.includes(l)) process.off("uncaughtException", l);
		compilers.set(version, solc.compileStandardWrapper ?? solc.compile);
	}
	return compilers.get(version);
}

function compile(job, names) {
	const settings = {
		optimizer: job.runs === false ? { enabled: false } : { enabled: true, runs: job.runs },
		outputSelection: { "*": { "*": job.abi ? ["evm.bytecode.object", "abi"] : ["evm.bytecode.object"] } },
	};
	if (job.via_ir) settings.viaIR = true;
	if (job.bare) settings.metadata = { bytecodeHash: "none" };
	const sources = Object.fromEntries(names.map((n) => [n, { content: job.sources[n] }]));
	return JSON.parse(compiler(job.solc)(JSON.stringify({ language: "Solidity", sources, settings })));
}

// one bad source refuses its whole batch: leave out those that the errors name, else halve
function run(job, names, out) {
	if (!names.length) return;
	const result = compile(job, names);
	const errors = (result.errors ?? []).filter((e) => e.severity === "error");
	if (!errors.length) {
		for (const n of names) {
			out.codes[n] = {};
			for (const [c, v] of Object.entries(result.contracts[n] ?? {}))
				if (v.evm.bytecode.object) out.codes[n][c] = v.evm.bytecode.object;
		}
		return;
	}
	const bad = new Set(errors.map((e) => e.sourceLocation?.file).filter((f) => names.includes(f)));
	if (!bad.size && names.length === 1) bad.add(names[0]);
	for (const n of bad) out.refused[n] = (errors.find((e) => e.sourceLocation?.file === n) ?? errors[0]).formattedMessage;
	const rest = names.filter((n) => !bad.has(n));
	if (bad.size) return run(job, rest, out);
	run(job, rest.slice(0, rest.length / 2), out);
	run(job, rest.slice(rest.length / 2), out);
}

// one contract's file with all that it imports
function runAlone(job, out) {
	const result = compile(job, Object.keys(job.sources));
	const error = (result.errors ?? []).find((e) => e.severity === "error");
	if (error) out.refused[job.id] = error.formattedMessage;
	else
		out.codes[job.id] = Object.fromEntries(
			Object.entries(result.contracts[job.main]).map(([c, v]) => [c, { code: v.evm.bytecode.object, abi: v.abi }]),
		);
}

parentPort.on("message", (job) => {
	const out = { job: job.index, codes: {}, refused: {} };
	const from = Date.now();
	if (job.main) runAlone(job, out);
	else run(job, Object.keys(job.sources), out);
	parentPort.postMessage({ ...out, ms: Date.now() - from });
});
