// SPDX-License-Identifier: BSD-3-Clause
// Compares calls_of with ethers' ABI coder: calls put into one another at random, in every form, encoded by ethers, must come out as they were put in.
// usage: node calls_diff.mjs --dump EXE [--count 2000] [--seed 1] 
// With --vectors FILE it compares nothing, but writes inputs and what should come out, hashed (tests/unit/eth/vectors/calls.txt.gz: --count 90 --seed 11).
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import {
	AbiCoder, Interface, concat, getBytes, getCreate2Address, getCreateAddress, hexlify, keccak256, toBeHex, zeroPadValue,
} from "ethers";

const { values: options } = parseArgs({
	options: { dump: { type: "string" }, count: { type: "string", default: "2000" }, seed: { type: "string", default: "1" }, vectors: { type: "string" } },
});
const coder = AbiCoder.defaultAbiCoder();

// ---- seeded randomness (sfc32) ----

const rng = Uint32Array.of(0x9e3779b9, Number(options.seed) >>> 0, 7, 1);
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
const chance = (percent) => below(100) < percent;
const pick = (list) => list[below(list.length)];
const random = (n) => hexlify(Uint8Array.from({ length: n }, () => below(256)));
const address = () => random(20);
const word = (value) => zeroPadValue(toBeHex(value), 32);
const amount = () => BigInt(random(2 + below(14))) | 257n; // neither a flag nor an offset

// ---- forms: the names of the arguments tell what they are (to, value, data, op; of parallel arrays tos, values, datas; calls: tuples; selves: bytes[]
// of the same contract; code, salt, init) ----

const PLAIN = 0, SELF = 1, DELEGATE = 2, CREATE = 3, CREATE2 = 4;
const forms = [
	["multicall(bytes[] selves)"], ["multicall(uint256 a, bytes[] selves)"], ["multicall(bytes32 a, bytes[] selves)"], ["multicall(bytes[] selves, bool a)"],
	["batch(bytes[] selves, bool a)"], ["batch(bytes[] selves)"],
	["permitBatchAndCall((address,address,uint256,uint256,uint256)[] a, bytes[] b, ((address,uint160,uint48,uint48)[],address,uint256) c, bytes d, bytes[] selves)"],
	["aggregate((address to, bytes data)[] calls)"], ["tryAggregate(bool a, (address to, bytes data)[] calls)"],
	["blockAndAggregate((address to, bytes data)[] calls)"], ["tryBlockAndAggregate(bool a, (address to, bytes data)[] calls)"],
	["aggregate3((address to, bool a, bytes data)[] calls)"], ["aggregate3Value((address to, bool a, uint256 value, bytes data)[] calls)"],
	["multicall((address to, uint256 gas, bytes data)[] calls)"], ["multicall((address to, bytes data)[] calls)"],
	["multicall(address[] tos, bytes[] datas)"], ["multicall((address to, bytes data, uint256 value, bool a, bytes32 b)[] calls)"],
	["batch((address to, address a, uint256 value, bytes data)[] calls)"], ["call(address to, address a, uint256 value, bytes data)"],
	["batchDispatch((bool a, address to, bytes data)[] calls, address[] b)"],
	["execTransaction(address to, uint256 value, bytes data, uint8 op, uint256 a, uint256 b, uint256 c, address d, address e, bytes f)"],
	["execTransactionFromModule(address to, uint256 value, bytes data, uint8 op)"],
	["execTransactionFromModuleReturnData(address to, uint256 value, bytes data, uint8 op)"],
	["execTransactionWithRole(address to, uint256 value, bytes data, uint8 op, bytes32 a, bool b)"],
	["executeNextTx(address to, uint256 value, bytes data, uint8 op)"], ["executeUserOp(address to, uint256 value, bytes data, uint8 op)"],
	["setup(address[] a, uint256 b, address to, bytes data, address c, address d, uint256 e, address f)", { delegate: true }],
	["createProxyWithNonce(address a, bytes data, uint256 b)", { untold: true }],
	["submitTransaction(address to, uint256 value, bytes data)"],
	["execute(address to, uint256 value, bytes data)"], ["execute(address to, uint256 value, bytes data, uint8 op)"],
	["execute_ncC(address to, uint256 value, bytes data)"], ["executeDelegateCall(address to, bytes data)", { delegate: true }],
	["executeBatch(address[] tos, bytes[] datas)"], ["executeBatch(address[] tos, uint256[] values, bytes[] datas)"],
	["executeBatch_y6U(address[] tos, uint256[] values, bytes[] datas)"], ["executeBatch((address to, uint256 value, bytes data)[] calls)"],
	["execute((address to, uint256 value, bytes data)[] calls)"], ["execute((address to, uint256 value, bytes data)[] calls, bytes a)"],
	["executeBySender((address to, uint256 value, bytes data)[] calls)"], ["multiCall(address a, (address to, uint256 value, bytes data)[] calls)"],
	["execute((bool op, bool a, uint256 b, address to, uint256 value, bytes data)[] calls, uint256 c, bytes d)"],
	["selfExecute((bool op, bool a, uint256 b, address to, uint256 value, bytes data)[] calls)"],
	["execute(address[] tos, bytes[] datas)"], ["execute(address[] tos, uint256[] values, bytes[] datas)"],
	["execute((address a, address to, uint256 value, uint256 b, uint256 c, bytes data) call, bytes d)"],
	["execute((address a, address to, uint256 value, uint256 b, uint48 c, bytes data, bytes d) call)"],
	["executeBatch((address a, address to, uint256 value, uint256 b, uint48 c, bytes data, bytes d)[] calls, address e)"],
	["execute(address to, bytes data)", { delegate: true }], ["exec(address to, bytes32 a, bytes data, uint256 b)", { delegate: true }],
	["cast(string[] a, bytes[] datas, address b)", { delegate: true, untold: true }], ["cast(address[] tos, bytes[] datas, address b)", { delegate: true }],
	["batchExec(address[] tos, bytes32[] a, bytes[] datas)", { delegate: true }],
	["execute(address to, uint256 value, bytes data, bytes32 a, bytes32 b)"],
	["executeBatch(address[] tos, uint256[] values, bytes[] datas, bytes32 a, bytes32 b)"],
	["schedule(address to, uint256 value, bytes data, bytes32 a, bytes32 b, uint256 c)"],
	["execute(address[] tos, uint256[] values, bytes[] datas, bytes32 a)"], ["propose(address[] tos, uint256[] values, bytes[] datas, string a)"],
	["relay(address to, uint256 value, bytes data)"], ["execute(address a, bytes data, uint256 b, bytes c, uint256 d, uint256 e, address f, address g)", { self: true }],
	["deployCreate(bytes code)"], ["deployCreate2(bytes32 salt, bytes code)"], ["deployCreate2(bytes code)"], ["deployCreate3(bytes32 salt, bytes code)", { create3: true }],
	["deployCreateAndInit(bytes code, bytes init, (uint256,uint256) amounts)"],
	["deployCreate2AndInit(bytes32 salt, bytes code, bytes init, (uint256,uint256) amounts, address b)"],
	["safeCreate2(bytes32 salt, bytes code)"], ["deploy(bytes code)"], ["deploy(bytes32 salt, bytes code)"], ["deploy(bytes code, bytes32 salt)"],
	["deploy(uint256 value, bytes32 salt, bytes code)"], ["create2(uint256 value, bytes32 salt, bytes code)"], ["performCreate(uint256 value, bytes code)"],
	["performCreate2(uint256 value, bytes code, bytes32 salt)"],
	["executeTransaction(address to, uint256 value, string empty, bytes data, uint256 a)"],
];
// Of functions with names that no table knows.
const guessed = [
	"(address to, bytes data)", "(address to, uint256 value, bytes data)", "(address[] tos, bytes[] datas)", "(address[] tos, uint256[] values, bytes[] datas)",
	"((address to, uint256 value, bytes data)[] calls)", "((address to, bytes data)[] calls)", "((address to, bool a, bytes data)[] calls, uint256 b)", "(bytes[] selves)",
	"(uint256 a, address to, uint256 value, bytes data)", "(address[] tos, bytes[] datas, uint256 b)", "(uint256 a, address[] tos, uint256[] values, bytes[] datas)",
	"(bool a, (address to, uint256 value, bytes data)[] calls)",
];

// ---- values ----

function anything(p) {
	if (p.baseType === "array") {
		const n = p.arrayLength < 0 ? below(4) : p.arrayLength;
		return Array.from({ length: n }, () => anything(p.arrayChildren));
	}
	if (p.baseType === "tuple") return p.components.map(anything);
	if (p.baseType === "address") return address();
	if (p.baseType === "bool") return chance(50);
	if (p.baseType === "bytes") return random(below(70));
	if (p.baseType === "string") return "x".repeat(below(40));
	if (p.baseType.startsWith("bytes")) return random(Number(p.baseType.slice(5)));
	const bits = Number(p.baseType.replace(/^u?int/, ""));
	return BigInt(random(bits / 8)) >> BigInt(below(bits));
}

const created = (deployer, salt, code, create3) => {
	const createx = deployer === "0xba5ed099633d3b313e4d5f7bdc1305d3c28ba5ed";
	if (createx && getBytes(salt)[20] <= 1) return undefined; // the caller may be in it
	const used = createx ? keccak256(salt) : salt;
	if (!create3) return getCreate2Address(deployer, used, keccak256(code)).toLowerCase();
	const proxy = getCreate2Address(deployer, used, keccak256("0x67363d3d37363d34f03d5260086018f3"));
	return getCreateAddress({ from: proxy, nonce: 1 }).toLowerCase();
};

// ---- nodes: {kind, to, value, salt, created, data, inside: [nodes]} ----

// Nothing is in these, nor looks so.
function leaf(kind, to, value) {
	const data = pick([() => concat(["0xa9059cbb", word(BigInt(address())), word(amount())]), () => concat([random(4), ...Array.from({ length: below(4) }, () => word(amount()))]), () => random(4 + below(60))])();
	return { kind, to, value, data, inside: [] };
}

// self: in whose name whoever deploys acts
function node(kind, to, value, levels, self) {
	if (levels <= 0 || to === undefined && chance(50)) return leaf(kind, to, value);
	self = kind === DELEGATE || kind === SELF ? self : to;
	const [data, inside] = pick([known, known, known, guess, special, special])(to, levels - 1, self);
	return { kind, to, value, data, inside };
}

function scope(inputs, flags, to, levels, self, inside) {
	const names = inputs.map((p) => p.name), more = {};
	const kind = flags.delegate ? DELEGATE : PLAIN, count = 1 + below(3);
	const child = () => (chance(60) ? 0 : levels);
	const one = (value) => node(flags.self ? SELF : kind, flags.self ? to : flags.untold ? undefined : address(), value, child(), self);
	if (names.includes("data")) {
		const op = names.includes("op") && chance(30);
		const n = one(names.includes("value") ? amount() : undefined);
		if (op) n.kind = DELEGATE, Object.assign(n, node(DELEGATE, n.to, n.value, child(), self));
		inside.push(n);
		Object.assign(more, { to: n.to, value: n.value, data: n.data, op });
	}
	if (names.includes("datas")) {
		const list = Array.from({ length: count }, () => one(names.includes("values") ? amount() : undefined));
		inside.push(...list);
		Object.assign(more, { tos: list.map((n) => n.to), values: list.map((n) => n.value), datas: list.map((n) => n.data) });
	}
	if (names.includes("selves")) {
		let list = Array.from({ length: count }, () => node(SELF, to, undefined, child(), self));
		if (flags.guess) list = list.filter((n) => getBytes(n.data).length % 32 === 4 && !n.data.startsWith("0x000000"));
		inside.push(...list);
		more.selves = list.map((n) => n.data);
	}
	if (names.includes("code")) {
		const code = random(1 + below(100)), n = { kind: CREATE, data: code, inside: [] };
		if (names.includes("value") || names.includes("amounts")) n.value = more.value = amount();
		if (names.includes("salt")) {
			n.kind = CREATE2;
			n.salt = more.salt = random(32);
			n.created = self === undefined ? undefined : created(self, n.salt, code, flags.create3);
		}
		more.code = code;
		inside.push(n);
	}
	if (names.includes("init")) {
		const n = leaf(PLAIN, undefined, undefined);
		more.init = n.data;
		inside.push(n);
	}
	more.empty = "";
	return inputs.map((p) => {
		if (p.name === "calls") return Array.from({ length: 1 + below(3) }, () => scope(p.arrayChildren.components, flags, to, levels, self, inside));
		if (p.name === "amounts") return [more.value, amount()];
		if (p.name === "call") return scope(p.components, flags, to, levels, self, inside);
		if (p.name === "op") return p.baseType === "bool" ? more.op : more.op ? 1 : 0;
		return p.name in more ? more[p.name] : anything(p);
	});
}

function call(signature, flags, to, levels, self) {
	const f = new Interface(["function " + signature]), inside = [];
	const fragment = f.fragments[0];
	return [f.encodeFunctionData(fragment, scope(fragment.inputs, flags, to, levels, self, inside)), inside];
}

function known(to, levels, self) {
	const [signature, flags] = pick(forms);
	return call(signature, flags ?? {}, to, levels, self);
}

function guess(to, levels, self) {
	return call("f" + random(6).slice(2) + pick(guessed), { guess: true }, to, levels, self);
}

const userOp = "(address sender,uint256 nonce,bytes initCode,bytes callData,bytes32 a,uint256 b,bytes32 c,bytes d,bytes e)";
const userOp06 = "(address sender,uint256 nonce,bytes initCode,bytes callData,uint256 a,uint256 b,uint256 c,uint256 d,uint256 e,bytes f,bytes g)";
const some = (make) => Array.from({ length: 1 + below(3) }, make);
const encode = (signature, values) => new Interface(["function " + signature]).encodeFunctionData(signature.split("(")[0], values);

function special(to, levels, self) {
	const inside = [];
	const child = (kind, target, value) => {
		const n = node(kind, target, value, chance(60) ? 0 : levels, self);
		inside.push(n);
		return n;
	};
	const op = (last) => () => {
		const init = chance(30) ? child(PLAIN, address()) : undefined, n = child(PLAIN, address());
		return [n.to, amount(), init ? concat([init.to, init.data]) : "0x", n.data, ...last()];
	};
	const last07 = () => [random(32), amount(), random(32), random(40), random(65)], last06 = () => [1n, 2n, 3n, 4n, 5n, random(20), random(65)];
	const executions = (selves = true) => coder.encode(["tuple(address,uint256,bytes)[]"], [some(() => {
		const own = selves && to !== undefined && chance(20), n = child(PLAIN, own ? to : address(), amount());
		return [own ? "0x" + "0".repeat(40) : n.to, n.value, n.data];
	})]);
	const mode = (head) => concat([head, "0x" + "00".repeat(32 - getBytes(head).length)]);
	const nameless = () => "f" + random(6).slice(2);
	const one = (make) => {
		const n = child(PLAIN, address(), amount());
		return make(n);
	};
	const whole = () => { // the sort of calldata that tells by its length what it is
		for (;;) {
			const n = node(PLAIN, address(), undefined, chance(60) ? 0 : levels, self);
			if (getBytes(n.data).length % 32 === 4 && !n.data.startsWith("0x000000")) return inside.push(n), n;
		}
	};
	const encoded = (n) => coder.encode(["address", "uint256", "bytes"], [n.to, n.value, n.data]);
	switch (below(14)) {
	case 9: return [encode(`${nameless()}(bytes[] a)`, [some(() => one(encoded))]), inside];
	case 10: return [encode(`${nameless()}(bytes a)`, [one(encoded)]), inside];
	case 11: return [encode(`${nameless()}(bytes[] a)`, [some(() => { const n = whole(); return concat([n.to, n.data]); })]), inside];
	case 12: return [encode("flashLoanSimple(address a, address b, uint256 c, bytes d, uint16 e)", [address(), address(), amount(), executions(false), 0]), inside];
	case 13: return [encode(`${nameless()}(bytes a)`, [concat(some(() => one((n) => concat([n.to, word(n.value), toBeHex(getBytes(n.data).length, 4), n.data]))))]), inside];
	case 0: return [encode(`handleOps(${userOp}[] o, address b)`, [some(op(last07)), address()]), inside];
	case 1: return [encode(`handleOps(${userOp06}[] o, address b)`, [some(op(last06)), address()]), inside];
	case 2: return [encode(`handleAggregatedOps((${userOp}[] o, address a, bytes s)[] g, address b)`,
		[some(() => [some(op(last07)), address(), random(65)]), address()]), inside];
	case 3: {
		const packed = some(() => {
			const delegate = chance(30), n = child(delegate ? DELEGATE : PLAIN, address(), amount());
			return concat([delegate ? "0x01" : "0x00", n.to, word(n.value), word(getBytes(n.data).length), n.data]);
		});
		return [encode("multiSend(bytes a)", [concat(packed)]), inside];
	}
	case 4: {
		const n = child(PLAIN, address(), amount());
		return [encode("execute(bytes32 m, bytes e)", [mode("0x00"), concat([n.to, word(n.value), n.data])]), inside];
	}
	case 5: return [encode("executeFromExecutor(bytes32 m, bytes e)", [mode("0x0100"), executions()]), inside];
	case 6: {
		const n = child(DELEGATE, address());
		return [encode("execute(bytes32 m, bytes e)", [mode("0xff"), concat([n.to, n.data])]), inside];
	}
	case 7: return [encode("execute(bytes32 m, bytes e)", [mode("0x01000000000078210002"), coder.encode(["bytes[]"], [some(() => executions())])]), inside];
	default: {
		const datas = [], actions = some(() => {
			if (chance(30)) return datas.push(random(64)), 5;
			const n = child(PLAIN, address());
			datas.push(coder.encode(["address", "bytes", "bool", "bool", "uint8"], [n.to, n.data, false, false, 0]));
			return 30;
		});
		return [encode("cook(uint8[] a, uint256[] v, bytes[] d)", [actions, actions.map(() => 0n), datas]), inside];
	}
	}
}

// ---- what should come out: breadth first ----

const hex = (v) => (v === undefined || v === "0x" ? "-" : v.slice(2).toLowerCase());
const LONGEST = 64, DEEPEST = 8;

function expected(root) {
	const list = [{ ...root, depth: 0, parent: 0 }];
	let bytes = 0;
	for (let i = 0; i < list.length; i++) {
		for (const n of list[i].inside) {
			list.push({ ...n, depth: list[i].depth + 1, parent: i });
			bytes += getBytes(n.data).length;
		}
	}
	if (list.length > LONGEST || list.some((n) => n.depth > DEEPEST) || bytes > 4 * getBytes(root.data).length) return undefined;
	return `${list.length} 0 ` + list.map((n) => [n.kind, n.depth, n.parent, hex(n.to), n.value === undefined ? "-" : hex(word(n.value)), hex(n.salt),
		hex(n.created), hex(n.data)].join(",")).join(" ");
}

const input = [], wanted = [];
let calls = 0, deepest = 0;
for (let i = 0; input.length < Number(options.count); i++) {
	const to = chance(10) ? "0xba5ed099633d3b313e4d5f7bdc1305d3c28ba5ed" : address();
	let root;
	if (chance(3)) {
		const deployer = "0x4e59b44847b379578588920ca78fbf26c0b4956c", salt = random(32), code = random(1 + below(300));
		root = { kind: PLAIN, to: deployer, data: concat([salt, code]), inside: [{ kind: CREATE2, salt, created: created(deployer, salt, code), data: code, inside: [] }] };
	} else {
		// every form in its turn, so that none is left to chance
		const [data, inside] = i < forms.length ? call(forms[i][0], forms[i][1] ?? {}, to, 1, to) : pick([known, guess, special])(to, below(6), to);
		root = { kind: PLAIN, to, data, inside };
	}
	const line = expected(root);
	if (line === undefined) continue;
	input.push(`${hex(to === root.to ? to : root.to)} ${hex(root.data)}`);
	wanted.push(line);
	calls += Number(line.split(" ")[0]);
	deepest = Math.max(deepest, ...line.split(" ").slice(2).map((c) => Number(c.split(",")[1])));
}
if (options.vectors) {
	writeFileSync(options.vectors, input.map((line, i) => `${line} ${createHash("sha256").update(wanted[i]).digest("hex")}\n`).join(""));
	process.exit(0);
}
const got = execFileSync(options.dump, { input: input.join("\n") + "\n", maxBuffer: 1 << 30 }).toString().trimEnd().split("\n");
let wrong = 0;
for (let i = 0; i < input.length; i++) {
	if (got[i] === wanted[i]) continue;
	const w = wanted[i].split(" "), g = got[i].split(" "), k = w.findIndex((c, j) => c !== g[j]);
	if (++wrong <= 5) console.error(`input:  ${input[i]}\nwanted: ${w[0]} ${w[k]}\ngot:    ${g[0]} ${g[k]}\n`);
}
console.log(`${input.length} transactions, ${calls} calls, ${deepest} deep: ${wrong} wrong`);
process.exit(wrong ? 1 : 0);
