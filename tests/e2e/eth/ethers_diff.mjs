// SPDX-License-Identifier: BSD-3-Clause
// Compares `tx decode` with ethers: random transactions of every type, field by field, then mutations of them, accepted or
// refused. usage: node ethers_diff.mjs --txdecode EXE [--count 2000] [--mutations COUNT] [--seed 1]
import { spawn } from "node:child_process";
import { parseArgs } from "node:util";
import {
	SigningKey, Transaction, computeAddress, concat, decodeRlp, encodeRlp, getBytes, getCreateAddress, hexlify, keccak256, sha256,
	toBeArray, toBeHex, zeroPadValue,
} from "ethers";

const { values: options } = parseArgs({
	options: {
		txdecode: { type: "string" }, count: { type: "string", default: "2000" }, mutations: { type: "string" },
		seed: { type: "string", default: "1" },
	},
});
const count = Number(options.count), mutations = Number(options.mutations ?? options.count);

const U64 = (1n << 64n) - 1n, U256 = (1n << 256n) - 1n;
const N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

// ---- seeded randomness (sfc32) ----

const rng = Uint32Array.of(0x9e3779b9, Number(BigInt(options.seed) & 0xffffffffn), Number(BigInt(options.seed) >> 32n), 1);
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
function randomBytes(n) {
	const out = new Uint8Array(n);
	for (let i = 0; i < n; i++) out[i] = below(256);
	return out;
}
// Any length of bytes with any value, and the extremes more often than chance would have them.
function randomUint(bits) {
	const max = (1n << BigInt(bits)) - 1n;
	switch (below(8)) {
	case 0: return 0n;
	case 1: return max;
	case 2: return pick([1n, 0x7fn, 0x80n, 0xffn, 0x100n, max - 1n, max >> 1n, (max >> 1n) + 1n]);
	default: {
		const n = 1 + below(bits / 8);
		return BigInt(hexlify(randomBytes(n)));
	}
	}
}
const address = () => hexlify(chance(10) ? new Uint8Array(20) : randomBytes(20));

// ---- transactions ----

function randomData() {
	const n = pick([0, 0, 1, 3, 4, 5, 36, 55, 56, 68, 100, 255, 256, 300, 1000, 5000]);
	const data = n === 1 && chance(50) ? new Uint8Array([pick([0, 0x7f, 0x80])]) : randomBytes(n);
	if (chance(50))
		for (let i = 0; i < n; i++)
			if (i % 32 < 16) data[i] = 0;
	return hexlify(data);
}
function randomAccessList() {
	if (chance(50)) return [];
	return Array.from({ length: pick([1, 1, 2, 3, 10]) }, () => [address(),
		Array.from({ length: pick([0, 1, 2, 5]) }, () => hexlify(randomBytes(32)))]);
}
function randomAuthorizations() {
	return Array.from({ length: pick([0, 1, 1, 2, 5]) }, () => {
		const key = new SigningKey(hexlify(randomBytes(32)));
		const a = { chainId: randomUint(256), address: address(), nonce: randomUint(64) };
		const sig = key.sign(keccak256(concat(["0x05", encodeRlp([int(a.chainId), a.address, int(a.nonce)])])));
		return { ...a, yParity: BigInt(sig.yParity), r: BigInt(sig.r), s: BigInt(sig.s) };
	});
}
const int = (n) => toBeArray(n);

function randomTx() {
	const type = below(5);
	const t = {
		type, nonce: randomUint(64), gas: chance(60) ? 21000n + BigInt(below(16000000)) : randomUint(64),
		to: type < 3 && chance(25) ? null : address(), value: randomUint(256), data: chance(1) ? hexlify(randomBytes(60000)) : randomData(),
		chainId: chance(50) ? 1n : randomUint(type === 0 ? 240 : 256),
	};
	t.price = chance(60) ? randomUint(64) : randomUint(256);
	t.tip = type >= 2 ? (chance(70) ? t.price / BigInt(1 + below(5)) : randomUint(256)) : t.price;
	if (type === 0 && chance(30)) t.chainId = null; // before EIP-155
	else if (type === 0 && t.chainId === 0n) t.chainId = 1n;
	if (type > 0) t.accessList = randomAccessList();
	if (type === 3) {
		t.blobFee = randomUint(256);
		t.blobHashes = Array.from({ length: pick([0, 1, 1, 2, 6, 7]) },
			() => hexlify(concat([chance(95) ? "0x01" : hexlify(randomBytes(1)), randomBytes(31)])));
		if (chance(4)) addSidecar(t);
	}
	if (type === 4) t.authorizations = randomAuthorizations();
	return t;
}
// Blobs of zeros, commitments that are none: what is checked without KZG is their number, length and hash.
function addSidecar(t) {
	const n = pick([1, 2]);
	t.wrapper = pick([0, 1]);
	t.commitments = Array.from({ length: n }, () => hexlify(randomBytes(48)));
	t.blobHashes = t.commitments.map((c) => "0x01" + sha256(c).slice(4));
	t.proofs = Array.from({ length: t.wrapper ? 128 * n : n }, () => hexlify(randomBytes(48)));
}
const blob = new Uint8Array(131072);

function unsignedFields(t) {
	const to = t.to ?? "0x";
	if (t.type === 0) return [int(t.nonce), int(t.price), int(t.gas), to, int(t.value), t.data];
	const f = [int(t.chainId), int(t.nonce)];
	if (t.type >= 2) f.push(int(t.tip));
	f.push(int(t.price), int(t.gas), to, int(t.value), t.data, t.accessList);
	if (t.type === 3) f.push(int(t.blobFee), t.blobHashes);
	if (t.type === 4)
		f.push(t.authorizations.map((a) => [int(a.chainId), a.address, int(a.nonce), int(a.yParity), int(a.r), int(a.s)]));
	return f;
}
const prefix = (t) => (t.type ? toBeHex(t.type) : "0x");

// Signs and serialises with ethers' RLP, keccak and curve, which take every value of every field.
function seal(t) {
	const key = new SigningKey(hexlify(randomBytes(32)));
	const f = unsignedFields(t), protect = t.type === 0 && t.chainId !== null;
	const sig = key.sign(keccak256(concat([prefix(t), encodeRlp(protect ? [...f, int(t.chainId), "0x", "0x"] : f)])));
	t.v = t.type ? BigInt(sig.yParity) : protect ? 35n + 2n * t.chainId + BigInt(sig.yParity) : 27n + BigInt(sig.yParity);
	t.r = BigInt(sig.r);
	t.s = BigInt(sig.s);
	t.from = computeAddress(key.publicKey).toLowerCase();
	const signed = [...f, int(t.v), int(t.r), int(t.s)];
	const plain = concat([prefix(t), encodeRlp(signed)]);
	t.hash = keccak256(plain);
	t.rawLen = (plain.length - 2) / 2;
	if (t.wrapper === undefined) t.raw = plain;
	else {
		const sidecar = [t.commitments.map(() => blob), t.commitments, t.proofs];
		t.raw = concat([prefix(t), encodeRlp(t.wrapper ? [signed, "0x01", ...sidecar] : [signed, ...sidecar])]);
	}
	return t;
}

// ethers' own Transaction, where its numbers are wide enough: it must agree with what was built here.
function agreesWithTransaction(t) {
	if (t.nonce > BigInt(Number.MAX_SAFE_INTEGER)) return false;
	if (t.tip > t.price) return false; // ethers refuses to look at it
	const e = Transaction.from(t.raw);
	const same = e.hash === t.hash && e.from.toLowerCase() === t.from && e.type === t.type && BigInt(e.nonce) === t.nonce &&
		e.gasLimit === t.gas && (e.to?.toLowerCase() ?? null) === t.to && e.value === t.value && e.data === t.data &&
		(t.type === 0 ? (t.chainId ?? 0n) : t.chainId) === e.chainId && (t.type >= 2 ? e.maxFeePerGas : e.gasPrice) === t.price;
	if (!same) throw new Error("this script and ethers disagree about " + t.raw);
	return true;
}

// The stateless rules, written a second time.
function expectedValid(t, chain) {
	const data = getBytes(t.data), zeros = data.filter((b) => b === 0).length, others = data.length - zeros;
	const words = Math.ceil(data.length / 32), list = t.accessList ?? [];
	let least = 21000 + 4 * zeros + 16 * others + list.reduce((n, [, keys]) => n + 2400 + 1900 * keys.length, 0);
	if (t.to === null) least += 32000 + 2 * words;
	if (t.type === 4) least = Math.max(least + 25000 * t.authorizations.length, 21000 + 10 * (zeros + 4 * others));
	if (chain && t.chainId !== null && t.chainId !== chain) return false;
	if (t.nonce === U64 || t.tip > t.price || t.gas * t.price > U256 || t.gas < BigInt(least)) return false;
	if (t.to === null && data.length > 49152) return false;
	if (t.type === 4 && t.authorizations.length === 0) return false;
	return t.type !== 3 ||
		(t.blobHashes.length > 0 && t.blobHashes.length <= 6 && t.blobHashes.every((h) => h.startsWith("0x01")));
}

function expected(t, chain) {
	const dec = (n) => (n === undefined || n === null ? null : n.toString());
	const typed = t.type > 0, dynamic = t.type >= 2;
	return {
		ok: true, hash: t.hash, from: t.from, sender: t.from, valid: expectedValid(t, chain), error: null,
		created: t.to === null ? getCreateAddress({ from: t.from, nonce: t.nonce }).toLowerCase() : null,
		type: dec(t.type), chain_id: dec(t.chainId), nonce: dec(t.nonce), gas: dec(t.gas), to: t.to, value: dec(t.value), input: t.data,
		gas_price: dynamic ? null : dec(t.price), max_fee_per_gas: dynamic ? dec(t.price) : null,
		max_priority_fee_per_gas: dynamic ? dec(t.tip) : null,
		selector: t.to !== null && t.data.length >= 10 ? t.data.slice(0, 10) : null,
		access_list: typed ? t.accessList.map(([a, keys]) => ({ address: a, storage_keys: keys })) : null,
		max_fee_per_blob_gas: dec(t.blobFee), blob_hashes: t.blobHashes ?? null,
		sidecar_version: dec(t.wrapper), sidecar_blobs: dec(t.commitments?.length),
		authorizations: t.authorizations?.map((a) => ({
			address: a.address, chain_id: dec(a.chainId), nonce: dec(a.nonce), y_parity: dec(a.yParity), r: dec(a.r), s: dec(a.s),
		})) ?? null,
		v: dec(t.v), r: dec(t.r), s: dec(t.s), raw_len: dec(t.rawLen),
		swaps: [], swaps_over: false, // nothing here is a swap
	};
}

// ---- mutations ----

function mutate(hex) {
	let b = getBytes(hex);
	const at = chance(50) ? below(Math.min(b.length, 60)) : below(b.length);
	switch (below(9)) {
	case 0: b = Uint8Array.from(b); b[at] ^= 1 << below(8); break;
	case 1: b = Uint8Array.from(b); b[at] = pick([0, 1, 0x7f, 0x80, 0x81, 0xb7, 0xb8, 0xc0, 0xf7, 0xf8, 0xff]); break;
	case 2: b = b.slice(0, below(b.length)); break;
	case 3: b = getBytes(concat([b, randomBytes(1 + below(3))])); break;
	case 4: b = getBytes(concat([b.slice(0, at), randomBytes(1), b.slice(at)])); break;
	case 5: b = getBytes(concat([b.slice(0, at), b.slice(at + 1)])); break;
	case 6: b = Uint8Array.from(b); b[0] = pick([0, 1, 2, 3, 4, 5, 0x7f, 0x80, 0xc0, 0xf8]); break;
	default: return restructure(b);
	}
	return hexlify(b);
}
// Good RLP of other fields: one left out, doubled, made a list, a string, longer, given leading zeros, in a long header.
function restructure(b) {
	const typed = b[0] < 0x80, fields = decodeRlp(typed ? b.slice(1) : b);
	let inner = fields;
	if (Array.isArray(fields[0]) && chance(80)) inner = fields[0];
	const i = below(inner.length), f = inner[i];
	const text = Array.isArray(f) ? "0x01" : f;
	switch (below(8)) {
	case 0: inner.splice(i, 1); break;
	case 1: inner.splice(i, 0, f); break;
	case 2: inner[i] = [f]; break;
	case 3: inner[i] = text; break;
	case 4: inner[i] = concat([text, randomBytes(pick([1, 12, 32]))]); break;
	case 5: inner[i] = concat(["0x00", text]); break;
	case 6: inner[i] = hexlify(toBeArray(randomUint(pick([8, 64, 256])))); break;
	default: return longHeader(typed ? b.slice(0, 1) : new Uint8Array(0), inner, i);
	}
	return concat([typed ? b.slice(0, 1) : "0x", encodeRlp(fields)]);
}
function longHeader(type, fields, i) {
	const parts = fields.map((f) => encodeRlp(f)), p = getBytes(parts[i]), n = p[0] & 0x3f;
	if (p[0] >= 0x80 && n < 56) parts[i] = concat([Uint8Array.of(p[0] >= 0xc0 ? 0xf8 : 0xb8, n), p.slice(1)]);
	else if (p[0] < 0x80) parts[i] = concat(["0x81", p]);
	const payload = getBytes(concat(parts)), size = toBeArray(payload.length);
	return concat([type, Uint8Array.of(0xf7 + size.length), size, payload]);
}

// Does ethers take it for a signed transaction, and in this very encoding? (Its RLP reader lets non-canonical forms pass.)
function ethersAccepts(hex) {
	try {
		const e = Transaction.from(hex);
		return e.signature !== null && e.serialized === hex;
	} catch {
		return false;
	}
}

function ethersSender(hex) {
	try {
		const e = Transaction.from(hex);
		return BigInt(e.signature._s) > N / 2n ? null : e.from.toLowerCase(); // EIP-2, which ethers does not hold legacy ones to
	} catch {
		return null; // r is on no point of the curve
	}
}

// The field of a transaction, network form or not, whose index depends on the type.
function fieldOf(hex, indexes) {
	const typed = hex < "0x8", fields = decodeRlp(typed ? "0x" + hex.slice(4) : hex);
	return (Array.isArray(fields[0]) ? fields[0] : fields)[indexes[typed ? Number(hex.slice(0, 4)) : 0]];
}

// Where the two differ by intention. Each says whether it explains a case; `ours` is the answer of tx decode.
const differences = {
	"we decode what has a bad signature and call it invalid; ethers refuses it": (ours) =>
		ours.ok && ours.from === null && ours.valid === false,
	"ethers' nonces end at 2^53 - 1": (ours) => ours.ok && BigInt(ours.nonce) > BigInt(Number.MAX_SAFE_INTEGER),
	"ethers refuses a tip above the fee cap; we call it invalid": (ours) =>
		ours.ok && !ours.valid && BigInt(ours.max_priority_fee_per_gas ?? 0) > BigInt(ours.max_fee_per_gas ?? 0),
	"an authorization's signature is the node's business, not the decoder's; ethers refuses it": (ours) =>
		ours.ok && ours.type === "4" && ours.authorizations.some((a) => BigInt(a.y_parity) > 1n || BigInt(a.s) > N / 2n ||
			BigInt(a.r) >= N || BigInt(a.r) === 0n || BigInt(a.s) === 0n),
	"ethers knows no EIP-155 chain 0": (ours) => ours.ok && ours.type === "0" && ours.chain_id === "0",
	"ethers wants as many commitments and proofs as blobs; we decode and call it invalid": (ours) =>
		ours.ok && ours.sidecar_blobs !== null && !ours.valid,
	"ethers lets gas have 256 bits": (ours, hex) =>
		!ours.ok && ours.error === "a field is longer than its type" && fieldOf(hex, [2, 3, 4, 4, 4])?.length > 2 + 2 * 8,
	"ethers lets type 4 create; EIP-7702 does not": (ours, hex) =>
		ours.error === "the recipient is not an address" && hex.startsWith("0x04") && fieldOf(hex, [3, 4, 5, 5, 5]) === "0x",
	"ethers does not look at the lengths of blobs, commitments and proofs": (ours) =>
		!ours.ok && ours.error === "malformed blob sidecar",
};

// ---- running ----

function decode(lines, args) {
	return new Promise((resolve, reject) => {
		const child = spawn(options.txdecode, args, { stdio: ["pipe", "pipe", "inherit"] });
		const out = [];
		child.stdout.on("data", (d) => out.push(d));
		child.on("error", reject);
		child.on("close", (code, signal) => {
			const answers = Buffer.concat(out).toString().split("\n").slice(0, -1).map((l) => JSON.parse(l));
			if (code !== 0 || answers.length !== lines.length)
				reject(new Error(`exit ${code ?? signal}, ${answers.length} answers to ${lines.length} lines`));
			resolve(answers);
		});
		child.stdin.end(lines.map((l) => l + "\n").join(""));
	});
}

let bad = 0;
function disagree(...what) {
	if (++bad <= 10) console.log("DISAGREE", ...what);
}

const txs = Array.from({ length: count }, () => seal(randomTx()));
const seen = { valid: 0, invalid: 0, checked_by_Transaction: 0, sidecars: 0, types: [0, 0, 0, 0, 0] };
for (const chain of [null, 1n]) {
	const answers = await decode(txs.map((t) => t.raw), chain ? ["--chain", chain.toString()] : []);
	txs.forEach((t, i) => {
		const want = expected(t, chain), got = { ...answers[i] };
		if ((got.invalid_reason === null) !== got.valid) disagree("valid without or invalid with a reason", t.raw.slice(0, 400));
		delete got.invalid_reason;
		for (const k of new Set([...Object.keys(want), ...Object.keys(got)]))
			if (JSON.stringify(want[k]) !== JSON.stringify(got[k]))
				disagree(k, "want", want[k], "got", got[k], answers[i].invalid_reason, t.raw.slice(0, 400));
		seen[want.valid ? "valid" : "invalid"]++;
	});
}
for (const t of txs) {
	t.checked = agreesWithTransaction(t);
	seen.checked_by_Transaction += t.checked;
	seen.sidecars += t.wrapper !== undefined;
	seen.types[t.type]++;
}
console.log(`${count} transactions (seed ${options.seed}), on any chain and on chain 1:`, JSON.stringify(seen));

// Mostly of what ethers accepts as it is: elsewhere its answer says nothing.
const small = txs.filter((t) => (t.raw.length < 20000 || chance(5)) && (t.checked || chance(5)));
const mutants = Array.from({ length: mutations }, () => mutate(pick(small).raw));
const explained = {};
let accepted = 0;
(await decode(mutants, [])).forEach((ours, i) => {
	const theirs = ethersAccepts(mutants[i]);
	accepted += ours.ok;
	if (ours.ok === theirs) {
		if (theirs && (ours.hash !== keccak256(mutants[i]) || ours.from !== ethersSender(mutants[i])) &&
			ours.sidecar_version === null)
			disagree("hash or sender of a mutant", mutants[i].slice(0, 400));
		return;
	}
	const why = Object.keys(differences).find((d) => differences[d](ours, mutants[i]));
	if (why) explained[why] = (explained[why] ?? 0) + 1;
	else disagree("mutant: we", ours.ok, ours.error, "ethers", theirs, mutants[i].slice(0, 600));
});
console.log(`${mutations} mutants, ${accepted} of them decode; differences by intention:`, JSON.stringify(explained, null, 1));
if (bad > 0) console.log(`${bad} disagreements`);
process.exitCode = bad > 0 || accepted === 0 || accepted === mutations ? 1 : 0;
