// SPDX-License-Identifier: BSD-3-Clause
// Renders calls and callbacks of an attack source in an author's style: plain interfaces, or one of the ways in which authors
// hide what they call.
import { id, keccak256 } from "ethers";

export const selectorOf = (signature) => id(signature).slice(0, 10);
const word = (n) => "0x" + n.toString(16).padStart(8, "0");
const xor = (a, b) => word(Number(BigInt(a) ^ BigInt(b)));

// splits at the commas that are outside of brackets
export function splitTypes(list) {
	const out = [];
	let depth = 0,
		from = 0;
	for (let i = 0; i < list.length; i++) {
		if (list[i] === "(") depth++;
		else if (list[i] === ")") depth--;
		else if (list[i] === "," && depth === 0) {
			out.push(list.slice(from, i));
			from = i + 1;
		}
	}
	if (list.length) out.push(list.slice(from));
	return out;
}

export const typesOf = (signature) => splitTypes(signature.slice(signature.indexOf("(") + 1, -1));
const located = (type) => (/\]$|^bytes$|^string$/.test(type) ? `${type} calldata` : type);

// entry: how selectors are formed. The ones that need no state come first.
export const ENCODINGS = ["interface", "signature", "constant", "shl", "xor_constant", "less", "parts", "xor_state", "table"];
export const OPEN_ENCODINGS = ["interface", "signature", "constant", "shl", "table"]; // the selector stands in the code as it is

export class Writer {
	constructor(encoding, random) {
		this.encoding = encoding;
		this.random = random;
		this.key = random.selector();
		this.interface = new Map(); // signature -> declaration without what it returns
		this.returning = new Set();
		this.constants = new Map();
		this.table = [];
		this.boolish = random.chance(50);
	}

	call(target, signature, args, declaration) {
		if (this.encoding !== "interface") return `$do(${target}, ${this.pack(signature, args)});`;
		this.declare(signature, declaration);
		return `$Face(${target}).${signature.slice(0, signature.indexOf("("))}(${args});`;
	}

	get(target, signature, args) {
		if (this.encoding !== "interface") return `abi.decode($do(${target}, ${this.pack(signature, args)}), (uint256))`;
		this.declare(signature);
		this.returning.add(signature);
		return `$Face(${target}).${signature.slice(0, signature.indexOf("("))}(${args})`;
	}

	declare(signature, declaration) {
		this.interface.set(
			signature,
			declaration ?? `${signature.slice(0, signature.indexOf("("))}(${typesOf(signature).map(located).join(", ")})`,
		);
	}

	interfaceText() {
		const lines = [...this.interface].map(([signature, text]) => {
			const returns = this.returning.has(signature)
				? " returns (uint256)"
				: this.boolish && /^(transfer|approve)\(/.test(signature)
					? " returns (bool)"
					: "";
			return `\tfunction ${text} external${returns};`;
		});
		return lines.length ? `interface $Face {\n${lines.join("\n")}\n}\n` : "";
	}

	// calldata of a call as an expression
	pack(signature, args) {
		const selector = selectorOf(signature),
			rest = args ? `, ${args}` : "";
		switch (this.encoding) {
			case "interface":
			case "signature":
				return `abi.encodeWithSignature("${signature}"${rest})`;
			case "constant": {
				if (!this.constants.has(selector)) this.constants.set(selector, `$c${this.constants.size}`);
				return `abi.encodeWithSelector(${this.constants.get(selector)}${rest})`;
			}
			case "shl":
				return `$glue(${selector}, ${args ? `abi.encode(${args})` : "new bytes(0)"})`;
			case "less":
				return `$glue((${word(Number(BigInt(selector) / 3n))} + $zero) * 3 + ${Number(BigInt(selector) % 3n)}, ${args ? `abi.encode(${args})` : "new bytes(0)"})`;
			case "xor_constant":
				return `abi.encodeWithSelector(bytes4(${xor(selector, this.key)}) ^ bytes4(${this.key})${rest})`;
			case "xor_state":
				return `abi.encodeWithSelector(bytes4(${xor(selector, this.key)}) ^ $key${rest})`;
			case "parts": {
				const cut = 2 + this.random.below(signature.length - 3);
				return `abi.encodeWithSelector(bytes4(keccak256(abi.encodePacked("${signature.slice(0, cut)}", "${signature.slice(cut)}")))${rest})`;
			}
			default: {
				let at = this.table.indexOf(selector);
				if (at < 0) at = this.table.push(selector) - 1;
				return `abi.encodeWithSelector($tab[${at}]${rest})`;
			}
		}
	}

	state() {
		const lines = [...this.constants].map(([selector, name]) => `bytes4 constant ${name} = ${selector};`);
		if (this.encoding === "xor_state") lines.push(`bytes4 $key = ${this.key};`);
		if (this.encoding === "less") lines.push("uint256 $zero;");
		if (this.table.length) lines.push(`mapping(uint256 => bytes4) $tab;`);
		return lines.join("\n\t");
	}

	construct() {
		return this.table.map((selector, i) => `$tab[${i}] = ${selector};`).join("\n\t\t");
	}

	helpers() {
		if (this.encoding === "interface") return "";
		const glue = `
	function $glue(uint256 s, bytes memory tail) internal pure returns (bytes memory d) {
		d = new bytes(4 + tail.length);
		uint256 k = tail.length;
		assembly {
			mstore(add(d, 32), shl(224, s))
			for { let i := 0 } lt(i, k) { i := add(i, 32) } { mstore(add(add(d, 36), i), mload(add(add(tail, 32), i))) }
			mstore(0x40, add(mload(0x40), 64))
		}
	}`;
		return `
	function $do(address t, bytes memory d) internal returns (bytes memory) {
		(bool ok, bytes memory r) = t.call(d);
		require(ok);
		return r;
	}${this.encoding === "shl" || this.encoding === "less" ? glue : ""}`;
	}
}

// callback: how the source serves it. Those after "yul" hide the selector.
export const DISPATCHES = ["abi", "compare", "yul", "key", "sender", "hash"];
export const OPEN_DISPATCHES = ["abi", "compare", "yul"];

// statements that choose between the callback (`$serve`), the owner's start (`$run`) and nothing
export function dispatch(kind, callback, start, key) {
	switch (kind) {
		case "compare":
			return `uint256 s = $at(0) >> 224;
		if (s == ${callback}) $serve();
		else if (s == ${start}) $run($at(4));
		else revert();`;
		case "yul":
			return `uint256 k;
		assembly {
			switch shr(224, calldataload(0))
			case ${callback} { k := 1 }
			case ${start} { k := 2 }
			default { revert(0, 0) }
		}
		if (k == 1) $serve();
		else $run($at(4));`;
		case "key":
			return `uint256 s = ($at(0) >> 224) ^ $mask;
		if (s == ${xor(callback, key)}) $serve();
		else if (s == ${xor(start, key)}) $run($at(4));`;
		case "sender":
			return `if (msg.sender == $lender) $serve();
		else { require(tx.origin == $owner); $run($at(4)); }`;
		default:
			return `bytes32 h = keccak256(abi.encodePacked(msg.sig));
		if (h == ${keccak256(callback)}) $serve();
		else if (h == ${keccak256(start)}) $run($at(4));
		else revert();`;
	}
}
