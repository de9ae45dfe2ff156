// SPDX-License-Identifier: BSD-3-Clause
// Builds the labelled corpora. Run it through build.sh, which installs what it needs into a folder of the build:
//   build.sh FOLDER [--out OUT] [--part attacks,executors,benign] [--each 3] [--only TEXT] [--threads 2]
//     --out      where the files go (FOLDER/corpus/out)
//     --each     compilers and settings that a generated source is compiled with
//     --only     only the attack sources whose id has TEXT in it
//   build.sh FOLDER --check SAMPLE: compiles the sources of a sample anew and compares byte by byte
//   build.sh FOLDER --sample SAMPLE: writes such a sample
// One JSON object a line:
//   attacks.ndjson    id, family, provider, style (plain, obfuscated), kind, form, encoding, dispatch, addresses, shows, solc,
//                     optimizer (false, 200, 1000000), via_ir, blind, label, init_code (with constructor arguments)
//                     kind: plain; open (names hidden, selectors still in the code); half (some of entry, callback, address
//                     hidden); hidden (all of them, from keys in storage: nothing to match); steps (the loan is calldata in the
//                     constructor's arguments); executor (label "executor": its code shows nothing of any provider)
//                     shows: whether the code has the entry's and the callback's selector and the provider's address
//   executors.ndjson  id, provider, family, form, to, input, blind, label
//   benign.ndjson     id, package, contract, list ("templates": gives known-good templates, "rest": gives none), label, init_code
//   hard.ndjson       id, package, contract, template, callbacks, protected (address), init_code, call { function, input }, calls
// blind: written from the providers' interfaces alone, without sight of a detector. The same run gives the same bytes.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { generated, records, tasksOf, written } from "./attacks.mjs";
import { benignRecords } from "./benign.mjs";
import { executorRecords } from "./executors.mjs";
import { compileAll } from "./pool.mjs";

const { values: options } = parseArgs({
	options: {
		out: { type: "string", default: "out" },
		each: { type: "string", default: "3" },
		only: { type: "string", default: "" },
		threads: { type: "string", default: "2" },
		part: { type: "string", default: "attacks,executors,benign" },
		check: { type: "string" },
		sample: { type: "string" },
		verbose: { type: "boolean", default: false },
	},
});
const threads = Number(options.threads);
const log = options.verbose ? (line) => console.log(line) : () => {};
const SAMPLE_MAX = 20,
	SAMPLE_CODE_MAX = 4200;

function write(name, list) {
	mkdirSync(options.out, { recursive: true });
	writeFileSync(join(options.out, name), list.map((r) => JSON.stringify(r) + "\n").join(""));
	console.log(`${name}: ${list.length}`);
}

const attackTasks = () =>
	tasksOf(
		[...generated(), ...written(new URL("./attacks", import.meta.url).pathname)].filter((s) => s.id.includes(options.only)),
		Number(options.each),
	);

async function attacks() {
	const tasks = attackTasks();
	const { records: made, refused } = records(tasks, await compileAll(tasks, { threads, log }));
	write("attacks.ndjson", made);
	for (const r of refused) console.log(`refused ${r.id}: ${r.why}`);
	return refused.length === 0;
}

async function benign() {
	const { benign: list, hard } = await benignRecords("packages", { threads: 1, log });
	write("benign.ndjson", list);
	write("hard.ndjson", hard);
	return true;
}

// every so many of the tasks, so that providers, kinds and compilers differ
async function sample() {
	const all = attackTasks().filter((t) => !t.via_ir),
		step = Math.floor(all.length / SAMPLE_MAX / 2);
	const tasks = all.filter((_, i) => i % step === 0);
	const { records: made } = records(tasks, await compileAll(tasks, { threads, log }));
	const kept = made.filter((r) => r.init_code.length / 2 < SAMPLE_CODE_MAX).slice(0, SAMPLE_MAX);
	writeFileSync(options.sample, kept.map((r) => JSON.stringify(r) + "\n").join(""));
	return kept.length === SAMPLE_MAX;
}

async function check() {
	const wanted = new Map(
		readFileSync(options.check, "utf8")
			.trim()
			.split("\n")
			.map((l) => [JSON.parse(l).id, l]),
	);
	const tasks = attackTasks().filter((t) => wanted.has(t.id));
	const { records: made } = records(tasks, await compileAll(tasks, { threads, log }));
	const same = made.filter((r) => wanted.get(r.id) === JSON.stringify(r)).length;
	console.log(`${same} of ${wanted.size} codes of the sample came out the same`);
	return same === wanted.size && same > 0;
}

let good;
if (options.check) good = await check();
else if (options.sample) good = await sample();
else {
	const parts = options.part.split(",");
	if (parts.includes("executors")) write("executors.ndjson", executorRecords());
	good = (
		await Promise.all([parts.includes("attacks") ? attacks() : true, parts.includes("benign") ? benign() : true])
	).every(Boolean);
}
process.exit(good ? 0 : 1);
