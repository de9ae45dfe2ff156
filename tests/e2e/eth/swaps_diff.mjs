// SPDX-License-Identifier: BSD-3-Clause
// Compares the swaps that are read from calldata with what ethers encoded: random calls of every form, whole and nested, field by field; then the same with
// bytes changed, which must not hurt. usage: node swaps_diff.mjs --dump EXE [--count 4000] [--seed 1] [--print]
import { spawn } from "node:child_process";
import { parseArgs } from "node:util";
import { AbiCoder, Interface, concat, dataLength, getCreate2Address, hexlify, keccak256, solidityPacked, toBeHex, zeroPadValue } from "ethers";

const { values: options } = parseArgs({
	options: {
		dump: { type: "string" }, count: { type: "string", default: "4000" }, seed: { type: "string", default: "1" },
		print: { type: "boolean", default: false },
	},
});

// ---- seeded randomness (mulberry32) ----

let state = Number(options.seed) >>> 0;
function random32() {
	state = (state + 0x6d2b79f5) >>> 0;
	let t = state;
	t = Math.imul(t ^ (t >>> 15), t | 1);
	t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
	return (t ^ (t >>> 14)) >>> 0;
}
const below = (n) => random32() % n;
const pick = (list) => list[below(list.length)];
const chance = (percent) => below(100) < percent;
const bytes = (n) => hexlify(Uint8Array.from({ length: n }, () => below(256)));
const address = () => "0x" + (1 + below(254)).toString(16).padStart(2, "0") + bytes(19).slice(2);
const MAX = (1n << 256n) - 1n;
// never zero nor 2^255, which some routers take for something else
const amount = (bits = 256) => {
	const n = BigInt(bytes(1 + below(bits / 8)));
	return n === 0n || n === 1n << 255n ? 1n : n;
};
const deadline = () => (chance(10) ? amount() : 1600000000n + BigInt(below(1 << 30)));
const clamp = (n) => (n > (1n << 64n) - 1n ? (1n << 64n) - 1n : n);
const sorted = (a, b) => (BigInt(a) < BigInt(b) ? [a, b] : [b, a]);
const coder = AbiCoder.defaultAbiCoder();
const ETHER = "0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee", NONE = "0x" + "0".repeat(40);
const WETH = "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2";

// ---- pools ----

const FACTORIES = {
	"uniswap-v2": ["0x5C69bEe701ef814a2B6a3EDD4B1652CB9cc5aA6f", "0x96e8ac4277198ff8b6f785478aa9a39f403cb768dd02cbee326c3e7da348845f"],
	sushiswap: ["0xC0AEe478e3658e2610c5F7A4A2E1777cE9e4f2Ac", "0xe18a34eb0e04b04f7a0ac29a6e80748dca96319b42c54d679cb821dca90c6303"],
	shibaswap: ["0x115934131916C8b277DD010Ee02de363c09d037c", "0x65d1a3b1e46c6e4f1be1ad5f99ef14dc488ae0549dc97db9b30afe2241ce1c7a"],
	"pancake-v2": ["0x1097053Fd2ea711dad45caCcc45EfF7548fCB362", "0x57224589c67f3f30a6b0d7a1b54cf3153ab84563bc609ef41dfb34f8b2974d2d"],
	"uniswap-v3": ["0x1F98431c8aD98523631AE4a59f267346ea31F984", "0xe34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54"],
	"pancake-v3": ["0x41ff9AA7e16B8B1a8a8dc4f0eFacd93D02d071c9", "0x6ce8eb472fa82df5469c6ab6d485f17c3ad13c8cd7af59b3d4a8026c5ce0f7e2"],
};
const create2 = (venue, salt) => getCreate2Address(FACTORIES[venue][0], salt, FACTORIES[venue][1]).toLowerCase();
const pool2 = (venue, a, b) => create2(venue, keccak256(solidityPacked(["address", "address"], sorted(a, b))));
const pool3 = (venue, a, b, fee) => create2(venue, keccak256(coder.encode(["address", "address", "uint24"], [...sorted(a, b), fee])));
const pool4 = (key) => keccak256(coder.encode(["address", "address", "uint24", "int24", "address"], key)).slice(0, 42);

// ---- what is expected ----

// tokens: of a path; pools: of its hops. terms: exact ("in" or "out"), amount, limit, to, deadline: undefined where not known.
function hops(router, venue, tokens, pools, terms) {
	const out = terms.exact === "out", n = pools.length;
	return pools.map((pool, i) => {
		const first = i === 0, last = i === n - 1;
		const hop = {
			router, venue, pool: pool ?? null, token_in: tokens[i] ?? null, token_out: tokens[i + 1] ?? null,
			amount_in: !out && first ? terms.amount : undefined, amount_out: out && last ? terms.amount : undefined,
			limit: (out ? first : last) ? terms.limit : undefined, recipient: last ? terms.to : undefined,
			deadline: terms.deadline === undefined ? undefined : clamp(terms.deadline), exact: terms.exact, hop: BigInt(i), hops: BigInt(n),
		};
		for (const k of Object.keys(hop))
			hop[k] = typeof hop[k] === "bigint" ? hop[k].toString() : hop[k] ?? null;
		hop.direction = hop.token_in && hop.token_in === hop.token_out ? null : hop.token_in && hop.token_out ? (BigInt(hop.token_in) < BigInt(hop.token_out) ? "0-1" : "1-0") : terms.directions?.[i] ?? null;
		return hop;
	});
}
const path = (n = 2 + below(3)) => Array.from({ length: n }, address);
const pools2 = (venue, tokens) => tokens.slice(1).map((t, i) => (FACTORIES[venue] ? pool2(venue, tokens[i], t) : null));
const FEES = [100, 500, 2500, 3000, 10000];
const fees = (tokens) => tokens.slice(1).map(() => pick(FEES));
const pools3 = (venue, tokens, f) => f.map((fee, i) => (FACTORIES[venue] ? pool3(venue, tokens[i], tokens[i + 1], fee) : null));
function packPath(tokens, f, backwards) {
	const t = backwards ? [...tokens].reverse() : tokens, g = backwards ? [...f].reverse() : f;
	return concat(t.flatMap((x, i) => (i < g.length ? [x, toBeHex(g[i], 3)] : [x])));
}

// ---- the forms: each gives { to, value, data, want } ----

const call = (signature, args) => new Interface(["function " + signature]).encodeFunctionData(signature.split("(")[0], args);
const raw = (abi, fragment, args) => abi.encodeFunctionData(fragment, args);

const V2 = [
	["uniswap-v2-router02", "0x7a250d5630B4cF539739dF2C5dAcb4c659F2488D", "uniswap-v2"],
	["sushiswap-router", "0xd9e1cE17f2641f24aE83637ab66a2cca9C378B9F", "sushiswap"],
	["shibaswap-router", "0x03f7724180AA6b939894B5Ca4314783B0b36b329", "shibaswap"],
	["pancakeswap-v2-router", "0xEfF92A263d31888d860bD50809A8D171709b7b1c", "pancake-v2"],
	["v2-fork", null, "unknown"],
];
function v2() {
	const [router, at, venue] = pick(V2), tokens = path(), a = amount(), b = amount(), to = address(), d = deadline(), value = amount();
	const want = (terms) => hops(router, venue, tokens, pools2(venue, tokens), { to, deadline: d, ...terms });
	const fee = pick(["", "SupportingFeeOnTransferTokens"]);
	const [data, w, v] = pick([
		() => [call(`swapExactETHForTokens${fee}(uint256,address[],address,uint256)`, [a, tokens, to, d]),
			want({ exact: "in", amount: value, limit: a }), value],
		() => [call("swapETHForExactTokens(uint256,address[],address,uint256)", [a, tokens, to, d]),
			want({ exact: "out", amount: a, limit: value }), value],
		() => [call(`${pick(["swapExactTokensForTokens", "swapExactTokensForETH"])}${fee}(uint256,uint256,address[],address,uint256)`,
			[a, b, tokens, to, d]), want({ exact: "in", amount: a, limit: b }), 0n],
		() => [call(`${pick(["swapTokensForExactTokens", "swapTokensForExactETH"])}(uint256,uint256,address[],address,uint256)`,
			[a, b, tokens, to, d]), want({ exact: "out", amount: a, limit: b }), 0n],
	])();
	return { to: at ?? address(), value: v, data, want: w };
}

const V3 = [
	["uniswap-v3-router", "0xE592427A0AEce92De3Edee1F18E0157C05861564", "uniswap-v3"],
	["pancakeswap-v3-router", "0x1b81D678ffb9C0263b24A97847620C99d213eB14", "pancake-v3"],
	["v3-fork", null, "unknown"],
];
const V3_02 = [
	["uniswap-v3-router02", "0x68b3465833fb72A70ecDF485E0e4C7bD8665Fc45", "uniswap-v3", "uniswap-v2"],
	["pancakeswap-smart-router", "0x13f4EA83D0bd40E75C8222255bc855a974568Dd4", "pancake-v3", "pancake-v2"],
	["v3-fork02", null, "unknown", "unknown"],
];
function v3call(router, at, venue, withDeadline) {
	const out = chance(50), single = chance(50), tokens = path(single ? 2 : undefined), f = fees(tokens), a = amount(), b = amount();
	const d = withDeadline ? deadline() : undefined, d_ = withDeadline ? [d] : [], t_ = withDeadline ? "uint256," : "";
	const me = !withDeadline ? 2n : 0n, self = at && chance(20), sender = !withDeadline && chance(20);
	const recipient = self ? zeroPadValue(toBeHex(me), 20) : sender ? zeroPadValue("0x01", 20) : address();
	const want = hops(router, venue, tokens, pools3(venue, tokens, f), {
		exact: out ? "out" : "in", amount: a, limit: b, deadline: d, to: self ? at.toLowerCase() : sender ? undefined : recipient,
	});
	const name = `exact${out ? "Output" : "Input"}`;
	const data = single
		? call(`${name}Single((address,address,uint24,address,${t_}uint256,uint256,uint160))`,
			[[...tokens, f[0], recipient, ...d_, a, b, amount(160)]])
		: call(`${name}((bytes,address,${t_}uint256,uint256))`, [[packPath(tokens, f, out), recipient, ...d_, a, b]]);
	return { data, want };
}
function v3() {
	const [router, at, venue] = pick(V3);
	return { to: at ?? address(), value: 0n, ...v3call(router, at, venue, true) };
}
function v2in02(router, venue) {
	const tokens = path(), a = amount(), b = amount(), to = address(), out = chance(50);
	const name = out ? "swapTokensForExactTokens" : "swapExactTokensForTokens";
	return {
		data: call(`${name}(uint256,uint256,address[],address)`, [a, b, tokens, to]),
		want: hops(router, venue, tokens, pools2(venue, tokens), { exact: out ? "out" : "in", amount: a, limit: b, to }),
	};
}
function v3_02() {
	const [router, at, v3venue, v2venue] = pick(V3_02);
	const one = () => {
		if (chance(60)) return v3call(router, at, v3venue, false);
		return v2in02(at ? router : "v2-fork", v2venue);
	};
	if (chance(40)) return { to: at ?? address(), value: 0n, ...one() };
	const calls = Array.from({ length: 1 + below(3) }, one), datas = calls.map((c) => c.data), d = deadline(), form = below(3);
	const data = form === 0 ? call("multicall(bytes[])", [datas])
		: form === 1 ? call("multicall(uint256,bytes[])", [d, datas]) : call("multicall(bytes32,bytes[])", [bytes(32), datas]);
	const want = calls.flatMap((c) => c.want);
	if (form === 1) for (const w of want) w.deadline = clamp(d).toString();
	return { to: at ?? address(), value: 0n, data, want };
}

const UNIVERSAL = [
	["universal-router-v1", "0xEf1c6E67703c7BD7107eed8303Fbe6EC2554BF6B", false],
	["universal-router-v1.2", "0x3fC91A3afd70395Cd496C647d5a6CC9D4B2b7FAD", false],
	["universal-router-v2", "0x66a9893cC07D91D95644AEDD05D03f95e1dBA8Af", false],
	["universal-router-v2.1.1", "0x4C82D1fBFe28C977cBB58D8C7FF8FCF9F70a2cCA", true],
	["universal-router-v2.1.2", "0x23617e59A5925b2A4Bf75d73ff6711cD0b29De85", true],
	["universal-router-v2.2", "0xab863E752Bf67D8DCDD929EaAe9Be9dc83Fb3BbB", true],
	["universal-router-fork", null, undefined],
];
const KEY = "tuple(address,address,uint24,int24,address)", PATH_KEY = "tuple(address,uint24,int24,address,bytes)[]";
function v4action(router, prices, d) {
	const out = chance(50), single = chance(50), a = amount(128), b = amount(128), open = chance(15);
	const exact = out ? "out" : "in", terms = { exact, amount: open ? undefined : a, limit: b, deadline: d }, shown = open ? 0n : a;
	const prop = () => [pick(FEES), pick([1, 10, 60, -60]), chance(70) ? NONE : address()];
	if (single) {
		const [lower, upper] = sorted(chance(20) ? NONE : address(), address()), rest = prop(), down = chance(50);
		const key = [lower, upper, ...rest], p = prices ? ["uint256"] : [];
		const data = coder.encode([`tuple(${[KEY, "bool", "uint128", "uint128", ...p, "bytes"].join(",")})`],
			[[key, down, shown, b, ...(prices ? [amount()] : []), bytes(below(40))]]);
		return { action: out ? 8 : 6, data,
			want: hops(router, "uniswap-v4", down ? [lower, upper] : [upper, lower], [pool4(key)], terms) };
	}
	const tokens = path(), props = tokens.slice(1).map(prop);
	const pools = props.map((p, i) => pool4([...sorted(tokens[i], tokens[i + 1]), ...p]));
	const keys = props.map((p, i) => [out ? tokens[i] : tokens[i + 1], ...p, bytes(below(40))]);
	const data = coder.encode([`tuple(address,${PATH_KEY},${prices ? "uint256[]," : ""}uint128,uint128)`],
		[[out ? tokens.at(-1) : tokens[0], keys, ...(prices ? [[amount()]] : []), shown, b]]);
	return { action: out ? 9 : 7, data, want: hops(router, "uniswap-v4", tokens, pools, terms) };
}
function v4input(router, prices, d) {
	const actions = Array.from({ length: 1 + below(2) }, () => v4action(router, prices, d));
	const others = [{ action: 0x0c, data: coder.encode(["address", "uint256"], [address(), amount()]), want: [] },
		{ action: 0x0f, data: coder.encode(["address", "uint256"], [address(), amount()]), want: [] }];
	const all = [...actions, ...others];
	return { command: 0x10, data: coder.encode(["bytes", "bytes[]"], [Uint8Array.from(all.map((x) => x.action)), all.map((x) => x.data)]),
		want: all.flatMap((x) => x.want) };
}
function command(router, at, prices, d, depth) {
	const kind = below(8), known = at !== null;
	if (kind === 0) return { command: 0x0b, data: coder.encode(["address", "uint256"], [address(), amount()]), want: [] };
	if (kind === 1) return { command: 0x0a, data: bytes(96), want: [] };
	if (kind === 2) return v4input(router, prices, d);
	if (kind === 3 && depth < 3) {
		const p = plan(router, at, prices, d, depth + 1);
		return { command: 0x21, data: coder.encode(["bytes", "bytes[]"], [p.commands, p.inputs]), want: p.want };
	}
	const v3 = chance(50), out = chance(50), tokens = path(), f = fees(tokens), b = amount(), to = below(5);
	const balance = !out && chance(15), a = balance ? 1n << 255n : amount();
	const recipient = to < 2 ? zeroPadValue(toBeHex(to + 1), 20) : address();
	const terms = { exact: out ? "out" : "in", amount: balance ? undefined : a, limit: b, deadline: d,
		to: to === 0 ? undefined : to === 1 ? at.toLowerCase() : recipient };
	const types = ["address", "uint256", "uint256", v3 ? "bytes" : "address[]", "bool"], more = prices ? [["uint256[]"], [[amount()]]] : [[], []];
	const data = coder.encode([...types, ...more[0]], [recipient, a, b, v3 ? packPath(tokens, f, out) : tokens, chance(50), ...more[1]]);
	const venue = !known ? "unknown" : v3 ? "uniswap-v3" : "uniswap-v2";
	return { command: (v3 ? 0 : 8) + (out ? 1 : 0), data,
		want: hops(router, venue, tokens, v3 ? pools3(venue, tokens, f) : pools2(venue, tokens), terms) };
}
function plan(router, at, prices, d, depth) {
	const all = Array.from({ length: 1 + below(3) }, () => command(router, at, prices, d, depth));
	return { commands: Uint8Array.from(all.map((c) => c.command | (chance(20) ? 0x80 : 0))), inputs: all.map((c) => c.data),
		want: all.flatMap((c) => c.want) };
}
function universal() {
	const [router, known, p] = pick(UNIVERSAL), at = (known ?? address()).toLowerCase(), prices = p ?? chance(50);
	const d = chance(70) ? deadline() : undefined, to = at;
	const made = planAt(router, to, known !== null, prices, d);
	const data = d === undefined ? call("execute(bytes,bytes[])", [made.commands, made.inputs])
		: call("execute(bytes,bytes[],uint256)", [made.commands, made.inputs, d]);
	return { to, value: 0n, data, want: made.want };
}
function planAt(router, to, known, prices, d) {
	const made = plan(router, to, prices, d, 0);
	if (!known) // a fork: tokens, and no pool of a CREATE2 factory
		for (const w of made.want)
			if (w.venue !== "uniswap-v4") [w.venue, w.pool] = ["unknown", null];
	return made;
}

const INCH = { v3: "0x11111112542d85b3ef69ae05771c2dccff4faa26", v4: "0x1111111254fb6c44bAC0beD2854e76F90643097d",
	v5: "0x1111111254EEB25477B68fb85Ed929f73A960582", v6: "0x111111125421cA6dc452d289314280a0f8842A65" };
const asEther = (t) => (t === ETHER || t === NONE ? WETH : t);
function oneinch() {
	const a = amount(), b = amount(), src = chance(20) ? NONE : address(), to = address(), n = 1 + below(3);
	const pools = Array.from({ length: n }, address), reverse = pools.map(() => chance(50)), unwrap = chance(30);
	const directions = reverse.map((r) => (r ? "1-0" : "0-1"));
	const terms = { exact: "in", amount: a, limit: b, directions };
	const word = (p, i, unwrapBit) => (BigInt(p) | (reverse[i] ? 1n << 255n : 0n) | (unwrap && i === n - 1 ? 1n << BigInt(unwrapBit) : 0n));
	const tokens = (first) => [first, ...Array(n - 1).fill(undefined), unwrap ? WETH : undefined];
	return pick([
		() => ({ at: pick(["v3", "v4"]), data: call("unoswap(address,uint256,uint256,bytes32[])",
			[src, a, b, pools.map((p, i) => toBeHex(word(p, i, 254) | (0x3b6d0340n << 160n), 32))]), venue: "unknown", terms, t: tokens(asEther(src)) }),
		() => ({ at: "v5", data: call("unoswap(address,uint256,uint256,uint256[])", [src, a, b, pools.map((p, i) => word(p, i, 254))]),
			venue: "unknown", terms, t: tokens(asEther(src)) }),
		() => ({ at: "v5", data: call("unoswapTo(address,address,uint256,uint256,uint256[])", [to, src, a, b, pools.map((p, i) => word(p, i, 254))]),
			venue: "unknown", terms: { ...terms, to }, t: tokens(asEther(src)) }),
		() => ({ at: "v5", data: call("uniswapV3Swap(uint256,uint256,uint256[])", [a, b, pools.map((p, i) => word(p, i, 253))]),
			venue: "uniswap-v3", terms, t: tokens(undefined) }),
		() => ({ at: "v4", data: call("uniswapV3SwapTo(address,uint256,uint256,uint256[])", [to, a, b, pools.map((p, i) => word(p, i, 253))]),
			venue: "uniswap-v3", terms: { ...terms, to }, t: tokens(WETH), value: a }),
	].map((f) => () => finishInch(f(), n, pools)))();
}
function finishInch(f, n, pools) {
	return { to: INCH[f.at], value: f.value ?? 0n, data: f.data,
		want: hops("1inch-" + f.at, f.venue, f.t, pools, f.terms).map((h, i) => ({ ...h, direction: f.terms.directions[i] })) };
}
function oneinch6() {
	const n = 1 + below(3), ether = chance(40), withTo = chance(40), src = ether ? WETH : address(), a = amount(), b = amount(), to = address();
	const kinds = Array.from({ length: n }, () => below(3)), pools = kinds.map(address), down = kinds.map(() => chance(50)), unwrap = chance(30);
	const dex = pools.map((p, i) => BigInt(p) | (BigInt(kinds[i]) << 253n) | (down[i] ? 1n << 247n : 0n) | (unwrap && i === n - 1 ? 1n << 252n : 0n));
	const name = `${ether ? "ethUnoswap" : "unoswap"}${withTo ? "To" : ""}${n > 1 ? n : ""}`;
	const args = [...(withTo ? [BigInt(to)] : []), ...(ether ? [] : [BigInt(src), a]), b, ...dex];
	const tokens = [src, ...Array(n - 1).fill(undefined), unwrap ? WETH : undefined];
	const want = hops("1inch-v6", "", tokens, pools, { exact: "in", amount: a, limit: b, to: withTo ? to : undefined });
	want.forEach((h, i) => {
		h.venue = ["unknown", "uniswap-v3", "curve"][kinds[i]];
		h.direction = kinds[i] < 2 ? (down[i] ? "0-1" : "1-0") : h.direction;
	});
	return { to: INCH.v6, value: ether ? a : 0n, data: call(`${name}(${args.map(() => "uint256").join(",")})`, args), want };
}
function oneinchDescription() {
	const form = pick(["v4", "v5", "v6"]), a = amount(), b = amount(), to = chance(30) ? NONE : address(), partial = chance(20);
	const [src, dst] = pick([[address(), ETHER], [ETHER, address()], [address(), address()]]);
	const desc = [src, dst, address(), to, a, b, partial ? 1n : 4n], D = "address,address,address,address,uint256,uint256,uint256";
	const data = form === "v4" ? call(`swap(address,(${D},bytes),bytes)`, [address(), [...desc, bytes(below(60))], bytes(below(300))])
		: form === "v5" ? call(`swap(address,(${D}),bytes,bytes)`, [address(), desc, "0x", bytes(below(300))])
		: call(`swap(address,(${D}),bytes)`, [address(), desc, bytes(below(300))]);
	const terms = { exact: "in", amount: partial ? undefined : a, limit: partial ? undefined : b, to: to === NONE ? undefined : to };
	return { to: INCH[form], value: 0n, data, want: hops("1inch-" + form, "unknown", [asEther(src), asEther(dst)], [null], terms) };
}

const ZEROX = "0xDef1C0ded9bec7F1a1670819833240f027b25EfF";
function zerox() {
	const a = amount(), b = amount(), sushi = chance(50), tokens = path(), to = chance(30) ? NONE : address();
	if (chance(40)) tokens[pick([0, tokens.length - 1])] = ETHER;
	const real = tokens.map(asEther), venue = sushi ? "sushiswap" : "uniswap-v2", plain = path();
	const v3terms = { exact: "in", limit: b, to: to === NONE ? undefined : to }, w3 = (terms) => hops("0x-proxy", "uniswap-v3", plain, pools3("uniswap-v3", plain, fees3), terms);
	const fees3 = fees(plain), packed = packPath(plain, fees3, false);
	return { to: ZEROX, value: 0n, ...pick([
		() => ({ data: call("sellToUniswap(address[],uint256,uint256,bool)", [tokens, a, b, sushi]),
			want: hops("0x-proxy", venue, real, pools2(venue, real), { exact: "in", amount: a, limit: b }) }),
		() => ({ data: call("sellEthForTokenToUniswapV3(bytes,uint256,address)", [packed, b, to]), value: a, want: w3({ ...v3terms, amount: a }) }),
		() => ({ data: call(`${pick(["sellTokenForEthToUniswapV3", "sellTokenForTokenToUniswapV3"])}(bytes,uint256,uint256,address)`, [packed, a, b, to]),
			want: w3({ ...v3terms, amount: a }) }),
		() => ({ data: call("transformERC20(address,address,uint256,uint256,(uint32,bytes)[])", [tokens[0], tokens.at(-1), chance(20) ? MAX : a, b, [[1, bytes(70)]]]), }),
	].map((x) => () => finishZerox(x(), tokens, real, b)))() };
}
function finishZerox(made, tokens, real, b) {
	if (made.want) return made;
	const word = BigInt("0x" + made.data.slice(10 + 128, 10 + 192));
	return { data: made.data, want: hops("0x-proxy", "unknown", [real[0], real.at(-1)], [null],
		{ exact: "in", amount: word === MAX ? undefined : word, limit: b }) };
}
function settler() {
	const token = address(), a = amount(), buy = address(), b = amount(), to = address(), kind = below(3), p = address(), down = chance(50);
	const v3 = path(), f = fees(v3), actions = new Interface([
		"function UNISWAPV2(address,address,uint256,address,uint24,uint256)", "function UNISWAPV3(address,uint256,bytes,uint256)",
		"function BASIC(address,uint256,address,uint256,bytes)"]);
	const settlerPath = concat(v3.flatMap((t, i) => (i < f.length ? [t, "0x00", toBeHex(f[i], 3), bytes(20)] : [t])));
	const action = [
		() => raw(actions, "UNISWAPV2", [to, token, 10000, p, (30 << 8) | (down ? 1 : 0), b]),
		() => raw(actions, "UNISWAPV3", [to, 10000, settlerPath, b]),
		() => raw(actions, "BASIC", [token, 10000, address(), 4, bytes(100)])][kind]();
	const inner = call("execute((address,address,uint256),bytes[],bytes32)", [[to, buy, b], [action], bytes(32)]);
	const outer = chance(60), router = outer ? "0x-allowance-holder" : "0x-settler";
	const data = outer ? call("exec(address,address,uint256,address,bytes)", [address(), token, a, address(), inner]) : inner;
	const want = [
		() => hops(router, "unknown", [token], [p], { exact: "in", directions: [down ? "0-1" : "1-0"] }),
		() => hops(router, "uniswap-v3", v3, pools3("uniswap-v3", v3, f), { exact: "in" }),
		() => hops(router, "unknown", [outer ? token : undefined, buy], [null], { exact: "in", amount: outer ? a : undefined, limit: b, to })][kind]();
	return { to: outer ? "0x0000000000001fF3684f28c67538d4D072C22734" : address(), value: 0n, data, want };
}

function metamask() {
	const inner = chance(70) ? oneinchV3() : null, from = inner ? inner.src : address(), out = address(), a = amount(), b = amount();
	const args = coder.encode(["address", "address", "address", "uint256", "uint256", "bytes", "uint256", "address", "bool"],
		[address(), from, out, inner ? inner.amount : a, b, inner ? inner.data : bytes(60), amount(), address(), chance(50)]);
	const data = call("swap(string,address,uint256,bytes)", [inner ? "oneInchV3FeeDynamic" : "airswapV3FeeDynamic", from, amount(), "0x" + args.slice(66)]);
	return { to: "0x881D40237659C251811CEC9c364ef91dC08D300C", value: 0n, data,
		want: inner ? inner.want : hops("metamask-swap", "unknown", [from, out], [null], { exact: "in", amount: a, limit: b }) };
}
function oneinchV3() {
	const src = address(), a = amount(), b = amount(), p = address();
	return { src, amount: a, data: call("unoswap(address,uint256,uint256,bytes32[])", [src, a, b, [zeroPadValue(p, 32)]]),
		want: hops("1inch-v3", "unknown", [src], [p], { exact: "in", amount: a, limit: b, directions: ["0-1"] }) };
}
function kyber() {
	const [src, dst] = [address(), chance(50) ? ETHER : address()], a = amount(), b = amount(), to = address();
	const D = "(address,address,address[],uint256[],address[],uint256[],address,uint256,uint256,uint256,bytes)";
	const desc = [src, dst, [address()], [a], [], [], to, a, b, 0n, bytes(below(50))];
	const data = chance(50) ? call(`swap((address,address,bytes,${D},bytes))`, [[address(), address(), bytes(90), desc, bytes(20)]])
		: call(`swapSimpleMode(address,${D},bytes,bytes)`, [address(), desc, bytes(90), bytes(20)]);
	return { to: "0x6131B5fae19EA4f9D964eAc0408E4408b66337b5", value: 0n, data,
		want: hops("kyberswap", "unknown", [src, asEther(dst)], [null], { exact: "in", amount: a, limit: b, to }) };
}

function paraswap() {
	const [src, dst] = [address(), address()], a = amount(), b = amount(), to = address(), d = deadline(), buy = chance(50), exact = buy ? "out" : "in";
	const generic = (router, more) => hops(router, "unknown", [src, dst], [null], { exact, amount: buy ? b : a, limit: buy ? a : b, to, ...more });
	const at5 = "0xDEF171Fe48CF0115B1d80b88dc8eAB59176FEe57", at6 = "0x6A000F20005980200259B80c5102003040001068";
	const S = "(address,address,uint256,uint256,uint256,address[],bytes,uint256[],uint256[],address,address,uint256,bytes,uint256,bytes16)";
	const inner = chance(60) ? v2() : null, calldata = inner ? inner.data : bytes(40);
	const A = "(address,uint256,uint256,(uint256,address,uint256,bytes,uint256)[])[]", tokens = path();
	const v6 = [src, dst, a, b, amount(), bytes(32), to], D6 = "address,address,uint256,uint256,uint256,bytes32,address";
	return { value: 0n, ...pick([
		() => ({ to: at5, data: call(`${buy ? "simpleBuy" : "simpleSwap"}(${S})`, [[src, dst, a, b, amount(), [inner?.to ?? address()], calldata,
			[0, dataLength(calldata)], [inner?.value ?? 0n], to, address(), 0, "0x", d, bytes(16)]]),
			want: inner ? inner.want : generic("paraswap-v5", { deadline: d }) }),
		() => ({ to: at5, data: call(`multiSwap((address,uint256,uint256,uint256,address,(address,uint256,${A})[],address,uint256,bytes,uint256,bytes16))`,
			[[src, a, b, amount(), to, [[address(), 0, []], [dst, 0, []]], address(), 0, "0x", d, bytes(16)]]),
			want: hops("paraswap-v5", "unknown", [src, dst], [null], { exact: "in", amount: a, limit: b, to, deadline: d }) }),
		() => ({ to: at5, data: call(`${buy ? "buyOnUniswap" : "swapOnUniswap"}(uint256,uint256,address[])`, [a, b, tokens]),
			want: hops("paraswap-v5", "uniswap-v2", tokens, pools2("uniswap-v2", tokens), { exact, amount: buy ? b : a, limit: buy ? a : b }) }),
		() => ({ to: at6, data: call(`${buy ? "swapExactAmountOut" : "swapExactAmountIn"}(address,(${D6}),uint256,bytes,bytes)`,
			[address(), v6, amount(), "0x", bytes(80)]), want: generic("paraswap-v6") }),
		() => ({ to: at6, data: call(`swapExactAmount${buy ? "Out" : "In"}OnUniswap${pick(["V2", "V3"])}((${D6},bytes),uint256,bytes)`,
			[[...v6, bytes(64)], amount(), "0x"]), want: generic("paraswap-v6") }),
	])() };
}
function cow() {
	const tokens = path(4), inner = v2(), buy = chance(50), partial = chance(30), s = amount(), b = amount(), to = chance(30) ? NONE : address(), e = amount();
	const until = below(1 << 30), i = below(4), j = (i + 1 + below(3)) % 4, I = "(address,uint256,bytes)[]";
	const trade = [i, j, to, s, b, until, bytes(32), 0, (buy ? 1 : 0) | (partial ? 2 : 0), e, bytes(65)];
	const data = call(`settle(address[],uint256[],(uint256,uint256,address,uint256,uint256,uint32,bytes32,uint256,uint256,uint256,bytes)[],${I}[3])`,
		[tokens, tokens.map(() => amount()), [trade], [[], [[inner.to, inner.value, inner.data]], []]]);
	return { to: "0x9008D19f58AAbD9eD0D60971565AA8510560ab41", value: 0n, data, want: [...inner.want,
		...hops("cow-settlement", "unknown", [tokens[i], tokens[j]], [null], { exact: buy ? "out" : "in", to: to === NONE ? undefined : to,
			amount: partial ? e : buy ? b : s, limit: partial ? undefined : buy ? s : b, deadline: BigInt(until) })] };
}

function curve() {
	const to = address(), a = amount(), b = amount(), i = below(3), j = (i + 1 + below(2)) % 3, who = address();
	const want = (more) => hops("curve-pool", "curve", [], [to], { exact: "in", amount: a, limit: b,
		directions: [i + j === 1 ? (i === 0 ? "0-1" : "1-0") : null], ...more });
	return { to, value: 0n, ...pick([
		() => ({ data: call("exchange(int128,int128,uint256,uint256)", [i, j, a, b]), want: want() }),
		() => ({ data: call("exchange(int128,int128,uint256,uint256,address)", [i, j, a, b, who]), want: want({ to: who }) }),
		() => ({ data: call("exchange_underlying(int128,int128,uint256,uint256)", [i, j, a, b]), want: want({ directions: [null] }) }),
		() => ({ data: call("exchange(uint256,uint256,uint256,uint256)", [i, j, a, b]), want: want() }),
		() => ({ data: call("exchange(uint256,uint256,uint256,uint256,bool)", [i, j, a, b, true]), want: want() }),
		() => ({ data: call("exchange(uint256,uint256,uint256,uint256,bool,address)", [i, j, a, b, false, who]), want: want({ to: who }) }),
	])() };
}
function curveRouter() {
	const n = 1 + below(4), tokens = path(n + 1), pools = Array.from({ length: n }, address), a = amount(), b = amount(), to = address();
	const old = chance(30), size = old ? 4 : 5, words = old ? 3 : pick([4, 5]), kinds = pools.map(() => 1 + below(old ? 5 : 8));
	const route = Array.from({ length: 2 * size + 1 }, (_, i) => (i > 2 * n ? NONE : i % 2 ? pools[(i - 1) / 2] : tokens[i / 2]));
	const params = Array.from({ length: size }, (_, i) => (i < n ? [0, 1, kinds[i], 1, 2].slice(0, words) : Array(words).fill(0)));
	const form = below(3), lists = `address[${2 * size + 1}],uint256[${words}][${size}],uint256,uint256`;
	const more = [["", []], [`,address[${size}]`, [Array(size).fill(NONE)]], [`,address[${size}],address`, [Array(size).fill(NONE), to]]][form];
	const data = call(`${old ? "exchange_multiple" : "exchange"}(${lists}${more[0]})`, [route, params, a, b, ...more[1]]);
	const router = old ? "curve-router" : "curve-router-ng";
	return { to: old ? "0x99a58482BD75cbab83b27EC03CA68fF489b5788f" : "0x16C6521Dff6baB339122a0FE25a9116693265353", value: 0n, data,
		want: hops(router, "curve", tokens, pools.map((p, i) => (kinds[i] <= (old ? 3 : 2) ? p : null)), { exact: "in", amount: a, limit: b, to: form === 2 ? to : undefined }) };
}

const VAULT = "0xBA12222222228d8Ba445958a75a0704d566BF2C8", FUNDS = "(address,bool,address,bool)";
function balancer() {
	const id = bytes(32), tokens = path(), a = amount(), b = amount(128), d = deadline(), to = address(), out = chance(50), exact = out ? "out" : "in";
	const funds = [address(), false, to, false], terms = { exact, amount: a, limit: b, to, deadline: d };
	if (chance(50))
		return { to: VAULT, value: 0n, data: call(`swap((bytes32,uint8,address,address,uint256,bytes),${FUNDS},uint256,uint256)`,
			[[id, out ? 1 : 0, tokens[0], tokens[1], a, "0x"], funds, b, d]),
			want: hops("balancer-vault", "balancer", tokens.slice(0, 2), [id.slice(0, 42)], terms) };
	const n = tokens.length, ids = tokens.slice(1).map(() => bytes(32));
	let steps = ids.map((x, i) => [x, i, i + 1, 0n, "0x"]);
	if (out) steps = [...steps].reverse();
	steps[0][3] = a;
	const limits = tokens.map((_, i) => (i === (out ? 0 : n - 1) ? (out ? b : -b) : 0n));
	return { to: VAULT, value: 0n, data: call(`batchSwap(uint8,(bytes32,uint256,uint256,uint256,bytes)[],address[],${FUNDS},int256[],uint256)`,
		[out ? 1 : 0, steps, tokens, funds, limits, d]),
		want: hops("balancer-vault", "balancer", tokens, ids.map((x) => x.slice(0, 42)), terms) };
}
function sushi() {
	const tokens = path(), pools = tokens.slice(1).map(address), down = pools.map(() => chance(50)), a = amount(), b = amount(), to = address(), feeBehind = chance(50);
	const program = concat(pools.flatMap((p, i) => {
		const v3 = chance(40), head = i === 0 ? ["0x02", tokens[0], "0x01", "0xffff"] : ["0x04", tokens[i]];
		return [...head, v3 ? "0x01" : "0x00", p, down[i] ? "0x01" : "0x00", address(), ...(!v3 && feeBehind ? ["0x000bb8"] : [])];
	}));
	const want = hops("sushi-route-processor", "unknown", tokens, pools, { exact: "in", amount: a, limit: b, to });
	want.forEach((h, i) => { h.direction = down[i] ? "0-1" : "1-0"; });
	return { to: address(), value: 0n, data: call("processRoute(address,uint256,address,uint256,address,bytes)", [tokens[0], a, tokens.at(-1), b, to, program]), want };
}
function direct() {
	const to = address(), who = address(), a = amount(248), down = chance(50), out = chance(50), b = amount();
	return { to, value: 0n, ...pick([
		() => ({ data: call("swap(uint256,uint256,address,bytes)", [down ? 0n : a, down ? a : 0n, who, bytes(below(50))]),
			want: hops("pool", "unknown", [], [to], { exact: "out", amount: a, to: who, directions: [down ? "0-1" : "1-0"] }) }),
		() => ({ data: call("swap(address,bool,int256,uint160,bytes)", [who, down, out ? -a : a, amount(160), bytes(below(50))]),
			want: hops("pool", "unknown", [], [to], { exact: out ? "out" : "in", amount: a, to: who, directions: [down ? "0-1" : "1-0"] }) }),
		() => {
			const t = path(2);
			return { data: call(`swapExactAmount${out ? "Out" : "In"}(address,uint256,address,uint256,uint256)`, [t[0], out ? b : a, t[1], out ? a : b, amount()]),
				want: hops("pool", "balancer", t, [to], { exact: out ? "out" : "in", amount: a, limit: b }) };
		},
	])() };
}

// Seldom used forms of the routers above.
function multiplex() {
	const a = amount(), b = amount(), tokens = path(), f = fees(tokens), part = chance(30), share = amount(248), sushi = chance(50);
	const v2data = coder.encode(["address[]", "bool"], [tokens, sushi]), isV3 = chance(50), named = chance(80), id = !named ? 1 : isV3 ? 4 : 3;
	const sub = isV3 ? packPath(tokens, f, false) : v2data, ether = pick(["", "in", "out"]);
	const venue = isV3 ? "uniswap-v3" : sushi ? "sushiswap" : "uniswap-v2", [src, dst] = [address(), address()];
	const pools = isV3 ? pools3(venue, tokens, f) : pools2(venue, tokens);
	const ends = [ether === "in" ? WETH : src, ether === "out" ? WETH : dst], value = ether === "in" ? a : 0n;
	const name = { "": "TokenForToken", in: "EthForToken", out: "TokenForEth" }[ether];
	if (chance(50)) {
		const lists = [...(ether === "in" ? [] : [src]), ...(ether === "out" ? [] : [dst])], sell = part ? share | (1n << 255n) : share;
		const args = [...lists, [[id, sell, sub]], ...(ether === "in" ? [] : [a]), b];
		const types = [...lists.map(() => "address"), "(uint8,uint256,bytes)[]", ...args.slice(lists.length + 1).map(() => "uint256")];
		return { to: ZEROX, value, data: call(`multiplexBatchSell${name}(${types.join(",")})`, args),
			want: named ? hops("0x-proxy", venue, tokens, pools, { exact: "in", amount: part ? undefined : share })
				: hops("0x-proxy", "unknown", ends, [null], { exact: "in", amount: a, limit: b }) };
	}
	const args = [ends, [[id, sub]], ...(ether === "in" ? [] : [a]), b], types = ["address[]", "(uint8,bytes)[]", ...args.slice(2).map(() => "uint256")];
	return { to: ZEROX, value, data: call(`multiplexMultiHopSell${name}(${types.join(",")})`, args),
		want: named ? hops("0x-proxy", venue, tokens, pools, { exact: "in", amount: a, limit: b })
			: hops("0x-proxy", "unknown", ends, [null], { exact: "in", amount: a, limit: b }) };
}
function seldom() {
	const [x, y, z, who] = path(4), a = amount(), b = amount(), d = deadline(), exact = { exact: "in", amount: a, limit: b }, ps = path();
	const A = "(address,uint256,uint256,(uint256,address,uint256,bytes,uint256)[])[]", M = `(uint256,(address,uint256,${A})[])[]`, permit = bytes(65);
	const buy = chance(50), swap = { exact: buy ? "out" : "in", amount: buy ? b : a, limit: buy ? a : b };
	const DESC = "(address,address,address,address,uint256,uint256,uint256,bytes)", r32 = () => bytes(32);
	const v1 = (h) => h.map((k, i) => ({ ...k, direction: "0-1", hop: i.toString() })), five = INCH.v5, para = "0xDEF171Fe48CF0115B1d80b88dc8eAB59176FEe57";
	const plain = ps.map((p) => BigInt(p)), signed = planAt("universal-router-v2.1.1", UNIVERSAL[3][1].toLowerCase(), true, true, d);
	const first = (router, venue, t, more) => v1(hops(router, venue, [t], ps, { ...exact, ...more }));
	const undirected = (h) => h.map((k) => ({ ...k, direction: null }));
	return { value: 0n, ...pick([
		() => [ZEROX, "sellToLiquidityProvider(address,address,address,address,uint256,uint256,bytes)", [x, ETHER, z, who, a, b, permit],
			hops("0x-proxy", "unknown", [x, WETH], [null], { ...exact, to: who })],
		() => [INCH.v4, "clipperSwap(address,address,uint256,uint256)", [x, y, a, b], hops("1inch-v4", "unknown", [x, y], [null], exact)],
		() => [five, "clipperSwap(address,address,address,uint256,uint256,uint256,bytes32,bytes32)", [z, x, y, a, b, d, r32(), r32()],
			hops("1inch-v5", "unknown", [x, y], [z], exact)],
		() => [five, "clipperSwapTo(address,address,address,address,uint256,uint256,uint256,bytes32,bytes32)", [z, who, x, y, a, b, d, r32(), r32()],
			hops("1inch-v5", "unknown", [x, y], [z], { ...exact, to: who })],
		() => [INCH.v6, "clipperSwap(address,uint256,address,uint256,uint256,uint256,bytes32,bytes32)", [z, BigInt(x), y, a, b, d, r32(), r32()],
			hops("1inch-v6", "unknown", [x, y], [z], exact)],
		() => [INCH.v6, "clipperSwapTo(address,address,uint256,address,uint256,uint256,uint256,bytes32,bytes32)",
			[z, who, BigInt(x), y, a, b, d, r32(), r32()], hops("1inch-v6", "unknown", [x, y], [z], { ...exact, to: who })],
		() => [INCH.v4, "unoswapWithPermit(address,uint256,uint256,bytes32[],bytes)", [x, a, b, ps.map((p) => zeroPadValue(p, 32)), permit],
			first("1inch-v4", "unknown", x)],
		() => [five, "unoswapToWithPermit(address,address,uint256,uint256,uint256[],bytes)", [who, x, a, b, plain, permit],
			first("1inch-v5", "unknown", x, { to: who })],
		() => [five, "uniswapV3SwapToWithPermit(address,address,uint256,uint256,uint256[],bytes)", [who, x, a, b, plain, permit],
			first("1inch-v5", "uniswap-v3", x, { to: who })],
		() => [INCH.v3, `discountedSwap(address,${DESC},bytes)`, [z, [x, y, z, who, a, b, 0n, "0x"], permit],
			hops("1inch-v3", "unknown", [x, y], [null], { ...exact, to: who })],
		() => [para, `megaSwap((address,uint256,uint256,uint256,address,${M},address,uint256,bytes,uint256,bytes16))`,
			[[x, a, b, amount(), who, [[10000, [[z, 0, []], [y, 0, []]]]], z, 0, "0x", d, bytes(16)]],
			hops("paraswap-v5", "unknown", [x, y], [null], { ...exact, to: who, deadline: d })],
		() => [para, "swapOnUniswapFork(address,bytes32,uint256,uint256,address[])", [z, r32(), a, b, ps],
			hops("paraswap-v5", "unknown", ps, pools2("unknown", ps), exact)],
		() => [para, `${buy ? "buy" : "swap"}OnUniswapV2Fork(address,uint256,uint256,address,uint256[])`, [x, a, b, WETH, plain],
			undirected(hops("paraswap-v5", "unknown", [x], ps, swap))],
		() => [address(), "exchange(address,address,address,uint256,uint256)", [z, x, y, a, b], hops("curve-pool", "curve", [x, y], [z], exact)],
		() => [address(), "exchange(address,address,address,uint256,uint256,address)", [z, x, ETHER, a, b, who],
			hops("curve-pool", "curve", [x, WETH], [z], { ...exact, to: who })],
		() => [UNIVERSAL[3][1], "executeSigned(bytes,bytes[],bytes32,bytes32,bool,bytes32,bytes,uint256)",
			[signed.commands, signed.inputs, r32(), r32(), true, r32(), permit, d], signed.want],
		() => [address(), "executeMetaTxn((address,address,uint256),bytes[],bytes32,address,bytes)", [[who, y, b], [], r32(), z, permit],
			hops("0x-settler", "unknown", [undefined, y], [null], { exact: "in", limit: b, to: who })],
	].map((f) => () => {
		const [to, signature, args, want] = f();
		return { to, data: call(signature, args), want };
	}))() };
}

const FORMS = { v2, v3, v3_02, universal, oneinch, oneinch6, oneinchDescription, zerox, settler, metamask, kyber, paraswap, cow, curve, curveRouter,
	balancer, sushi, direct, multiplex, seldom };

// ---- running ----

function ask(cases) {
	return new Promise((resolve, reject) => {
		const child = spawn(options.dump, { stdio: ["pipe", "pipe", "inherit"] });
		const out = [];
		child.stdout.on("data", (d) => out.push(d));
		child.on("error", reject);
		child.on("close", (code, signal) => {
			const answers = Buffer.concat(out).toString().split("\n").slice(0, -1).map((l) => JSON.parse(l));
			if (code !== 0 || answers.length !== cases.length) reject(new Error(`exit ${code ?? signal}, ${answers.length} answers of ${cases.length}`));
			resolve(answers);
		});
		child.stdin.end(cases.map((c) => `${c.to} ${toBeHex(c.value)} ${c.data}\n`).join(""));
	});
}
function mutate(c) {
	const b = Buffer.from(c.data.slice(2), "hex");
	for (let k = 1 + below(3); k > 0; k--) b[chance(60) ? 4 + 32 * below(Math.max(1, (b.length - 4) >> 5)) + 31 : below(b.length)] = pick([0, 1, 0x1f, 0x20, 0x80, 0xff, below(256)]);
	return { ...c, data: hexlify(chance(20) ? b.subarray(0, 4 + below(b.length)) : b) };
}

const names = Object.keys(FORMS), cases = Array.from({ length: Number(options.count) }, (_, i) => ({ name: names[i % names.length], ...FORMS[names[i % names.length]]() }));
if (options.print) {
	for (const c of cases) console.log(c.name, c.to.toLowerCase(), c.data);
	process.exit(0);
}
const seen = {};
let bad = 0, swaps = 0;
(await ask(cases)).forEach((answer, i) => {
	const c = cases[i], want = c.want.slice(0, 16);
	seen[c.name] = (seen[c.name] ?? 0) + 1;
	swaps += want.length;
	const got = answer.swaps.map(({ call: _, ...s }) => s);
	const differ = got.length !== want.length ? `${got.length} swaps, want ${want.length}`
		: want.flatMap((w, k) => Object.keys({ ...w, ...got[k] }).filter((f) => w[f] !== got[k][f]).map((f) => `swap ${k} ${f}: got ${got[k][f]}, want ${w[f]}`))[0];
	const over = answer.swaps_over !== (c.want.length > 16) && c.want.length > 16;
	if ((differ || over) && ++bad <= 10) console.log("DISAGREE", c.name, differ ?? "swaps_over", c.to, c.value, c.data.slice(0, 1500));
});
console.log(`${cases.length} calls, ${swaps} swaps (seed ${options.seed}):`, JSON.stringify(seen));
const answers = await ask(cases.map(mutate));
console.log(`${answers.length} mutants answered, ${answers.filter((a) => a.swaps.length > 0).length} of them with swaps`);
if (bad > 0) console.log(`${bad} disagreements`);
process.exitCode = bad > 0 || swaps === 0 ? 1 : 0;
