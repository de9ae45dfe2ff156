// SPDX-License-Identifier: BSD-3-Clause
// How many flash-loan calls are found inside of executors that nobody knows: functions with random names and, around what they execute, arguments of any
// type, encoded by ethers. usage: node calls_recall.mjs --dump EXE [--count 2000] [--seed 1] [--least 97 (percent that must be found with their recipients)]
import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { AbiCoder, Interface, concat, hexlify } from "ethers";

const { values: options } = parseArgs({
	options: { dump: { type: "string" }, count: { type: "string", default: "2000" }, seed: { type: "string", default: "1" }, least: { type: "string", default: "97" } },
});

// ---- seeded randomness (sfc32) ----

const rng = Uint32Array.of(0x9e3779b9, Number(options.seed) >>> 0, 3, 1);
function random32() {
	const t = (rng[0] + rng[1] + rng[3]) >>> 0;
	rng[3]++;
	rng[0] = rng[1] ^ (rng[1] >>> 9);
	rng[1] = rng[2] + (rng[2] << 3);
	rng[2] = ((rng[2] << 21) | (rng[2] >>> 11)) + t;
	return t;
}
for (let i = 0; i < 20; i++) random32();
const below = (n) => random32() % n;
const pick = (list) => list[below(list.length)];
const random = (n) => hexlify(Uint8Array.from({ length: n }, () => below(256)));

// ---- executors ----

const statics = ["uint256", "uint256", "address", "bool", "bytes32", "uint8", "int24", "address"], dynamics = ["string", "uint256[]", "address[]", "bytes", "bytes32[]"];
function any(type) {
	switch (type) {
	case "address": return random(20);
	case "bool": return below(2) === 1;
	case "bytes32": return random(32);
	case "uint8": return below(4);
	case "int24": return below(2000) - 1000;
	case "uint256": return pick([() => BigInt(random(1 + below(12))), () => 0n, () => (1n << 256n) - 1n, () => 1700000000n, () => BigInt(32 * below(20))])();
	case "string": return "x".repeat(below(50));
	case "bytes": return pick([() => "0x", () => random(65), () => random(below(200))])();
	default: return Array.from({ length: below(4) }, () => any(type.slice(0, -2)));
	}
}

const coder = AbiCoder.defaultAbiCoder();
const loan = () => pick([
	() => concat(["0xab9c4b5d", coder.encode(["address", "address[]", "uint256[]", "uint256[]", "address", "bytes", "uint16"],
		[random(20), [random(20)], [10n ** 20n], [0], random(20), random(below(100)), 0])]),
	() => concat(["0x5c38449e", coder.encode(["address", "address[]", "uint256[]", "bytes"], [random(20), [random(20)], [10n ** 20n], random(below(100))])]),
	() => concat(["0x490e6cbc", coder.encode(["address", "uint256", "uint256", "bytes"], [random(20), 1, 10n ** 20n, random(below(100))])]),
	() => concat(["0xe0232b42", coder.encode(["address", "uint256", "bytes"], [random(20), 10n ** 20n, random(below(300))])]),
])();

// The arguments that matter, as types and as values made of the calls; of `self` the recipient is not in the calldata.
const shapes = [
	{ types: ["address", "bytes"], values: (c) => [c[0].to, c[0].data], one: true },
	{ types: ["address", "uint256", "bytes"], values: (c) => [c[0].to, c[0].value, c[0].data], one: true },
	{ types: ["address[]", "bytes[]"], values: (c) => [c.map((x) => x.to), c.map((x) => x.data)] },
	{ types: ["address[]", "uint256[]", "bytes[]"], values: (c) => [c.map((x) => x.to), c.map((x) => x.value), c.map((x) => x.data)] },
	{ types: ["tuple(address,uint256,bytes)[]"], values: (c) => [c.map((x) => [x.to, x.value, x.data])] },
	{ types: ["tuple(address,bytes)[]"], values: (c) => [c.map((x) => [x.to, x.data])] },
	{ types: ["tuple(uint8,address,uint256,bytes)[]"], values: (c) => [c.map((x) => [below(2), x.to, x.value, x.data])] },
	{ types: ["tuple(bytes,address,uint256)[]"], values: (c) => [c.map((x) => [x.data, x.to, x.value])] },
	{ types: ["tuple(address,uint256,bytes)"], values: (c) => [[c[0].to, c[0].value, c[0].data]], one: true },
	{ types: ["bytes[]"], values: (c) => [c.map((x) => x.data)], self: true },
	{ types: ["bytes[]"], values: (c) => [c.map((x) => coder.encode(["address", "uint256", "bytes"], [x.to, x.value, x.data]))] },
	{ types: ["bytes"], values: (c) => [coder.encode(["address[]", "bytes[]"], [c.map((x) => x.to), c.map((x) => x.data)])] },
];

const rows = [];
for (let i = 0; i < Number(options.count); i++) {
	const shape = pick(shapes), types = [], values = [];
	const calls = Array.from({ length: shape.one ? 1 : 1 + below(3) }, () => ({ to: random(20), value: below(2) ? 0n : BigInt(random(8)), data: loan() }));
	const besides = () => {
		for (let k = below(3); k > 0; k--) {
			types.push(below(4) ? pick(statics) : pick(dynamics));
			values.push(any(types.at(-1)));
		}
	};
	besides();
	types.push(...shape.types);
	values.push(...shape.values(calls));
	besides();
	const f = new Interface([`function f${random(4).slice(2)}(${types.join(",")})`]);
	rows.push({ shape, calls, line: `${random(20).slice(2)} ${f.encodeFunctionData(f.fragments[0], values).slice(2)}` });
}

const out = execFileSync(options.dump, { input: rows.map((r) => r.line + "\n").join(""), maxBuffer: 1 << 30 }).toString().trimEnd().split("\n");
const tally = new Map(shapes.map((s) => [s, [0, 0, 0]]));
for (const [i, { shape, calls }] of rows.entries()) {
	const got = out[i].split(" ").slice(2).map((c) => c.split(","));
	const data = calls.every((c) => got.some((g) => g[7] === c.data.slice(2)));
	const whole = calls.every((c) => got.some((g) => g[7] === c.data.slice(2) && (shape.self || g[3] === c.to.slice(2))));
	const t = tally.get(shape);
	t[0]++, t[1] += data, t[2] += whole;
}
const sum = [0, 0, 0];
for (const [shape, t] of tally) {
	console.log(`${shape.types.join(", ")}: ${t[0]} transactions, ${t[1]} found, ${t[2]} with recipients`);
	t.forEach((v, k) => { sum[k] += v; });
}
const percent = (v) => ((100 * v) / sum[0]).toFixed(1);
console.log(`${sum[0]} transactions: ${percent(sum[1])} % found, ${percent(sum[2])} % with recipients`);
process.exit(100 * sum[2] < Number(options.least) * sum[0] ? 1 : 0);
