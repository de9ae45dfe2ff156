// SPDX-License-Identifier: BSD-3-Clause
import { mkdirSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { generated, records, tasksOf, written } from "./attacks.mjs";
import { executorRecords } from "./executors.mjs";
import { compileAll } from "./pool.mjs";

const { values: options } = parseArgs({ options: { out: { type: "string", default: "out" }, each: { type: "string", default: "3" }, only: { type: "string" }, threads: { type: "string", default: "2" } } });
mkdirSync(options.out, { recursive: true });
const lines = (file, list) => writeFileSync(`${options.out}/${file}`, list.map((r) => JSON.stringify(r) + "\n").join(""));

const sources = [...generated(), ...written(new URL("./attacks", import.meta.url).pathname)].filter((s) => !options.only || s.id.includes(options.only));
const tasks = tasksOf(sources, Number(options.each));
const codes = await compileAll(tasks, { threads: Number(options.threads), log: (l) => console.log(l) });
const { records: attacks, refused } = records(tasks, codes);
lines("attacks.ndjson", attacks);
const executors = executorRecords();
lines("executors.ndjson", executors);
console.log(`${executors.length} executor calls`);
for (const r of refused) console.log(`refused ${r.id}: ${r.why.slice(0, 900)}`);
console.log(`${sources.length} sources, ${attacks.length} init codes, ${refused.length} refused`);
