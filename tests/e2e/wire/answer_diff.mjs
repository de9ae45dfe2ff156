// SPDX-License-Identifier: BSD-3-Clause
// Random transactions of every type, signed and serialised with ethers' RLP, curve and keccak, written as objects the way nodes
// write them, in every place where nodes put them: the bytes that the scanner rebuilds must be ethers', and an object with
// one member changed must be found out. usage: node answer_diff.mjs --answerdump EXE [--count 2000] [--seed 1]
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { SigningKey, computeAddress, concat, encodeRlp, hexlify, keccak256, toBeArray, toBeHex } from "ethers";

const { values: options } = parseArgs({
	options: { answerdump: { type: "string" }, count: { type: "string", default: "2000" }, seed: { type: "string", default: "1" } },
});
const count = Number(options.count);

const rng = Uint32Array.of(0x9e3779b9, Number(options.seed), 7, 1); // sfc32
function below(n) {
	const t = (rng[0] + rng[1] + rng[3]) >>> 0;
	rng[3]++;
	rng[0] = rng[1] ^ (rng[1] >>> 9);
	rng[1] = rng[2] + (rng[2] << 3);
	rng[2] = ((rng[2] << 21) | (rng[2] >>> 11)) + t;
	return t % n;
}
for (let i = 0; i < 20; i++) below(1);
const chance = (percent) => below(100) < percent;
const pick = (list) => list[below(list.length)];
const bytes = (n) => hexlify(Uint8Array.from({ length: n }, () => below(256)));
const address = () => chance(5) ? "0x" + "00".repeat(20) : bytes(20);
// Any length of bytes with any value, and the extremes more often than chance would have them.
function uint(bits) {
	const max = (1n << BigInt(bits)) - 1n;
	if (chance(30)) return pick([0n, 1n, 15n, 16n, 127n, 128n, 255n, 256n, max, max - 1n, max >> 1n]);
	return BigInt(bytes(1 + below(bits / 8)));
}
const quantity = (n) => "0x" + n.toString(16); // as geth's hexutil.Big

function accessList() {
	if (chance(40)) return [];
	return Array.from({ length: pick([1, 1, 2, 5, 30]) }, () => ({ address: address(), storageKeys: Array.from({ length: pick([0, 1, 2, 9]) },
		() => chance(10) ? "0x" + "00".repeat(32) : bytes(32)) }));
}
function authorization() {
	const sig = new SigningKey(bytes(32)).sign(bytes(32));
	return { chainId: uint(256), address: address(), nonce: uint(64), yParity: BigInt(sig.yParity), r: BigInt(sig.r), s: BigInt(sig.s) };
}

function transaction() {
	const type = below(5);
	const t = {
		type, nonce: uint(64), gas: uint(64), to: type < 3 && chance(25) ? null : address(), value: uint(256), fee: uint(256), tip: uint(256),
		input: bytes(pick([0, 0, 1, 3, 4, 36, 55, 56, 68, 255, 256, 1000, chance(5) ? 100000 : 2000])), list: accessList(), chainId: uint(type ? 256 : 200),
		blobFee: uint(256), blobs: Array.from({ length: 1 + below(6) }, () => "0x01" + bytes(31).slice(2)),
		auths: Array.from({ length: 1 + below(4) }, authorization),
	};
	if (type === 0 && (chance(40) || t.chainId === 0n)) t.chainId = null; // before EIP-155
	return t;
}
const int = (n) => toBeArray(n);
function fields(t) {
	const to = t.to ?? "0x";
	if (t.type === 0) return [int(t.nonce), int(t.fee), int(t.gas), to, int(t.value), t.input];
	return [int(t.chainId), int(t.nonce), ...(t.type > 1 ? [int(t.tip)] : []), int(t.fee), int(t.gas), to, int(t.value), t.input,
		t.list.map((e) => [e.address, e.storageKeys]), ...(t.type === 3 ? [int(t.blobFee), t.blobs] : []),
		...(t.type === 4 ? [t.auths.map((a) => [int(a.chainId), a.address, int(a.nonce), int(a.yParity), int(a.r), int(a.s)])] : [])];
}
function seal(t) {
	const key = new SigningKey(bytes(32)), f = fields(t), prefix = t.type ? toBeHex(t.type) : "0x";
	const sig = key.sign(keccak256(concat([prefix, encodeRlp(t.type === 0 && t.chainId !== null ? [...f, int(t.chainId), "0x", "0x"] : f)])));
	const v = t.type ? BigInt(sig.yParity) : t.chainId === null ? 27n + BigInt(sig.yParity) : 35n + 2n * t.chainId + BigInt(sig.yParity);
	t.raw = concat([prefix, encodeRlp([...f, int(v), int(BigInt(sig.r)), int(BigInt(sig.s))])]);
	t.hash = keccak256(t.raw);
	t.from = computeAddress(key);
	Object.assign(t, { v, r: BigInt(sig.r), s: BigInt(sig.s), yParity: BigInt(sig.yParity) });
	return t;
}

// go-ethereum internal/ethapi: RPCTransaction, in the order of its fields.
function rpcTransaction(t, mined) {
	const o = {
		blockHash: mined ? bytes(32) : null, blockNumber: mined ? quantity(uint(64)) : null, blockTimestamp: mined ? "0x5" : null, from: t.from, gas: quantity(t.gas),
		gasPrice: quantity(t.fee), ...(t.type > 1 ? { maxFeePerGas: quantity(t.fee), maxPriorityFeePerGas: quantity(t.tip) } : {}),
		...(t.type === 3 ? { maxFeePerBlobGas: quantity(t.blobFee) } : {}), hash: t.hash, input: t.input, nonce: quantity(t.nonce), to: t.to,
		transactionIndex: mined ? "0x0" : null, value: quantity(t.value), type: quantity(BigInt(t.type)), ...(t.type ? { accessList: t.list } : {}),
		...(t.chainId === null ? {} : { chainId: quantity(t.chainId) }), ...(t.type === 3 ? { blobVersionedHashes: t.blobs } : {}),
		...(t.type === 4 ? { authorizationList: t.auths.map((a) => ({ chainId: quantity(a.chainId), address: a.address, nonce: quantity(a.nonce),
			yParity: quantity(a.yParity), r: quantity(a.r), s: quantity(a.s) })) } : {}),
		v: quantity(t.v), r: quantity(t.r), s: quantity(t.s), ...(t.type ? { yParity: quantity(t.yParity) } : {}),
	};
	return chance(30) ? otherNode(o) : o;
}
// Members in another order, digits in upper case, leading zeros, no yParity, members that nobody knows.
function otherNode(o) {
	let entries = Object.entries(o);
	for (let i = entries.length - 1; i > 0; i--) {
		const k = below(i + 1);
		[entries[i], entries[k]] = [entries[k], entries[i]];
	}
	if (chance(30)) entries = entries.filter(([k]) => k !== "yParity");
	entries = entries.map(([k, v]) => [k, typeof v === "string" && v.length < 66 && chance(20) && /^(r|s|value|nonce)$/.test(k) ? "0x0" + v.slice(2) : v]);
	entries = entries.map(([k, v]) => [k, typeof v === "string" && chance(20) ? "0x" + v.slice(2).toUpperCase() : v]);
	if (chance(30)) entries.splice(below(entries.length), 0, [pick(["condition", "creates", "l1Fee"]), pick([null, {}, { hash: bytes(32) }, [[]], 5])]);
	return Object.fromEntries(entries);
}

const forms = [
	(o) => ({ jsonrpc: "2.0", id: 1, result: o }),
	(o) => [{ jsonrpc: "2.0", id: 1, result: null }, { jsonrpc: "2.0", result: o, id: "x" }],
	(o) => ({ jsonrpc: "2.0", method: "eth_subscription", params: { subscription: "0xc3b33aa549fb9a60e95d21862596617c", result: o } }),
	(o) => ({ jsonrpc: "2.0", method: "eth_subscription", params: { result: o, subscription: "0x1" } }),
	(o) => ({ jsonrpc: "2.0", id: 1, result: { pending: { [address()]: { 5: o } }, queued: {} } }),
	(o) => ({ jsonrpc: "2.0", id: 1, result: { number: "0x1", hash: bytes(32), nonce: "0x0000000000000000", parentHash: bytes(32), logsBloom: bytes(256), transactions: [o], uncles: [] } }),
	(o) => ({ jsonrpc: "2.0", id: null, method: "subscribe", params: { subscription: "a-b", result: { txHash: o.hash, txContents: o } } }),
	(o) => ({ jsonrpc: "2.0", id: 1, result: [o] }),
];

// Changes one member that is signed; what comes out is another transaction.
function forge(o) {
	const k = pick(Object.keys(o).filter((k) => /^(gas|nonce|input|value|r|s)$/.test(k)));
	return { ...o, [k]: k === "input" ? o.input + "00" : quantity((BigInt(o[k]) + 1n) & 0xffffffffffffffffn) };
}

const lines = [], expected = [];
for (let i = 0; i < count; i++) {
	const t = seal(transaction()), mined = chance(50), o = rpcTransaction(t, mined), lie = chance(15);
	lines.push(JSON.stringify(pick(forms)(lie ? forge(o) : o)));
	expected.push({ t, lie, want: `T 0 ${lie ? 2 : 0} ${mined ? "mined" : "pending"} ${t.hash.slice(2)} ${lie ? "-" : t.raw.slice(2)}` });
}
const types = new Map(), lies = expected.filter((e) => e.lie).length;
for (const piece of [[], ["1448"], ["61"]]) {
	const { stdout, status } = spawnSync(options.answerdump, piece, { input: lines.join("\n") + "\n", maxBuffer: 1 << 30 });
	if (status !== 0) throw new Error(`answerdump exits ${status}`);
	const answers = stdout.toString().split(/\n?^\. .*\n/m);
	for (const [i, e] of expected.entries()) {
		const got = answers[i].split("\n").map((l) => l.replace(/^N /, "")).filter((l) => l.startsWith("T "));
		// a quantity that was wrapped or a parity that other nodes would give may be refused in another way: never believed
		const fine = e.lie ? got.length === 1 && !/^T 0 [01] /.test(got[0]) && got[0].endsWith(" -") : got.length === 1 && got[0] === e.want;
		if (!fine) {
			console.error(`${lines[i].slice(0, 3000)}\ngave ${got.join("\n").slice(0, 3000)}\nwant ${e.want.slice(0, 3000)}`);
			process.exit(1);
		}
		if (piece.length === 0 && !e.lie) types.set(e.t.type, (types.get(e.t.type) ?? 0) + 1);
	}
}
if (types.size !== 5 || lies === 0) throw new Error("not every type was tried");
console.log(`${count} objects as ethers has them: ${[...types].sort().map(([t, n]) => `type ${t}: ${n}`).join(", ")}; ${lies} forged ones found out`);
