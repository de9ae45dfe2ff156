// SPDX-License-Identifier: BSD-3-Clause
// The attack corpus: which sources are made, with which compilers, and the records of what comes out.
import { readdirSync, readFileSync } from "node:fs";
import { keccak256 } from "ethers";
import { FAMILIES } from "./attacks/families.mjs";
import { ADDRESSES, FORMS, atLeast, makeSource } from "./attacks/forms.mjs";
import { PROVIDERS } from "./attacks/providers.mjs";
import { DISPATCHES, ENCODINGS, OPEN_DISPATCHES, OPEN_ENCODINGS } from "./attacks/writer.mjs";
import { runnerArguments } from "./executors.mjs";
import { Random } from "./random.mjs";

export const COMPILERS = ["0.4.26", "0.5.17", "0.6.12", "0.7.6", "0.8.10", "0.8.19", "0.8.24", "0.8.28"];
const RUNS = [false, 200, 1000000];

// Sources of a provider: two plain, two that hide names but leave selectors in the code, one that hides some of entry, callback
// and address, and for every third provider one that hides all of them.
const KINDS = ["plain", "plain", "open", "open", "half", "hidden"];

function choose(kind, random, turn) {
	const outer = (form) => ["child", "proxy", "factory"].includes(form);
	const form = FORMS[turn % FORMS.length];
	if (kind === "plain") {
		const addresses = outer(form) ? "constant" : ["constant", "argument", "state", "late"][turn % 4];
		return { style: "plain", encoding: "interface", dispatch: "abi", form, addresses };
	}
	const hidden = kind === "hidden",
		half = kind === "half";
	const encodings = hidden
		? ENCODINGS.filter((e) => !OPEN_ENCODINGS.includes(e))
		: half
			? ENCODINGS.slice(1)
			: OPEN_ENCODINGS.slice(1);
	const dispatches = hidden ? ["key", "sender", "hash"] : half ? DISPATCHES : OPEN_DISPATCHES;
	let addresses = hidden ? "masked" : half ? ADDRESSES[turn % ADDRESSES.length] : ["constant", "state", "argument"][turn % 3];
	let dispatch = dispatches[turn % dispatches.length];
	if (half && turn % 2) dispatch = "abi";
	if (addresses === "late" && dispatch !== "abi") addresses = "masked";
	if (outer(form) && ["argument", "late"].includes(addresses)) addresses = "constant";
	const encoding = encodings[(turn + random.below(2)) % encodings.length];
	const library = random.chance(60) ? random.pick(["token", "math", "vesting"]) : undefined;
	const choice = { style: "obfuscated", encoding, dispatch, form, addresses, library, opaque: random.chance(60) };
	if (form !== "proxy") return choice;
	// a clone has none of what its implementation's constructor wrote
	if (["sender", "key"].includes(dispatch) || ["table", "xor_state"].includes(encoding) || addresses === "masked")
		return { ...choice, form: "two" };
	return { ...choice, addresses: "constant" };
}

export function generated() {
	const out = [];
	PROVIDERS.forEach((provider, p) => {
		KINDS.forEach((kind, k) => {
			if (kind === "hidden" && p % 3) return;
			const family = FAMILIES[(p * 3 + k) % FAMILIES.length];
			const id = `${provider.id}-${family.id}-${kind}${k}`;
			const choice = choose(kind, new Random(id), p + k * 5);
			out.push({
				id,
				provider: provider.id,
				family: family.id,
				kind,
				choice,
				...makeSource(id, provider, family, choice),
			});
		});
	});
	return out;
}

// attacks/*.sol: first lines `// provider: x`, `// family: y`, `// shows: entry callback address`, `// since: 0.8.4`
export function written(folder) {
	return files(folder).flatMap((s) => {
		if (s.kind !== "steps") return [s];
		return PROVIDERS.map((p) => ({
			...s,
			...runnerArguments(p),
			id: `runner-${p.id}`,
			provider: p.id,
			shows: { entry: true, callback: false, address: true },
		}));
	});
}

function files(folder) {
	return readdirSync(folder)
		.filter((f) => f.endsWith(".sol"))
		.map((file) => {
			const source = readFileSync(`${folder}/${file}`, "utf8");
			const field = (name) => source.match(new RegExp(`^// ${name}: *(.*)$`, "m"))?.[1];
			const shows = field("shows") ?? "";
			return {
				id: `written-${file.slice(0, -4)}`,
				provider: field("provider"),
				family: field("family"),
				kind: field("kind") ?? "plain",
				choice: {
					style: field("style") ?? "plain",
					form: field("form") ?? "two",
					encoding: "written",
					dispatch: "written",
					addresses: "written",
				},
				source,
				contract: field("contract"),
				arguments: field("arguments") ?? "0x",
				since: field("since") ?? "0.5",
				below: field("below"),
				shows: {
					entry: shows.includes("entry"),
					callback: shows.includes("callback"),
					address: shows.includes("address"),
				},
				label: field("label") ?? "flash",
			};
		});
}

// configurations of a source: a spread of compilers and settings that differs from source to source
export function tasksOf(sources, perSource) {
	const tasks = [];
	sources.forEach((s, turn) => {
		const compilers = COMPILERS.filter((v) => atLeast(v, s.since) && !(s.below && atLeast(v, s.below)));
		const count = s.id.startsWith("written-") ? compilers.length : s.kind === "steps" ? 1 : perSource;
		const seen = new Set();
		for (let i = 0; i < count * 2 && seen.size < count; i++) {
			const solc = compilers[(turn * 3 + i * (compilers.length % 3 ? 3 : 5)) % compilers.length];
			const runs = RUNS[(turn + i) % RUNS.length];
			const via_ir = atLeast(solc, "0.8.19") && runs !== false && !s.choice.library && (turn + i) % 2 === 0; // unoptimised, it runs out of stack
			const key = [solc, runs, via_ir].join("/");
			if (seen.has(key)) continue;
			seen.add(key);
			tasks.push({
				id: `${s.id}@${key}`,
				source: s.source,
				solc,
				runs,
				via_ir,
				bare: atLeast(solc, "0.6.0") && (turn + i) % 4 === 0,
				of: s,
			});
		}
	});
	return tasks;
}

export function records(tasks, codes) {
	const seen = new Set(),
		out = [],
		refused = [];
	for (const t of tasks) {
		const made = codes.get(t.id),
			s = t.of;
		if (!made || made.refused) {
			refused.push({ id: t.id, why: made?.refused ?? "no output" });
			continue;
		}
		const names = Object.keys(made);
		const name = names.find((n) => n === s.contract) ?? names.find((n) => n.endsWith(s.contract));
		if (!name) {
			refused.push({ id: t.id, why: `no contract ${s.contract} in ${names}` });
			continue;
		}
		const init_code = "0x" + made[name] + s.arguments.slice(2);
		const hash = keccak256(init_code);
		if (seen.has(hash)) continue;
		seen.add(hash);
		out.push({
			id: t.id,
			family: s.family,
			provider: s.provider,
			style: s.choice.style,
			kind: s.kind,
			form: s.choice.form,
			encoding: s.choice.encoding,
			dispatch: s.choice.dispatch,
			addresses: s.choice.addresses,
			shows: s.shows,
			solc: t.solc,
			optimizer: t.runs,
			via_ir: t.via_ir,
			blind: true,
			label: s.label ?? "flash",
			init_code,
		});
	}
	return { records: out, refused };
}
