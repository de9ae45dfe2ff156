// SPDX-License-Identifier: BSD-3-Clause
// Contracts as published: fetches the packages of packages.json (pinned by the hash of their archives) and reads the artifacts
// of Hardhat, Truffle, Foundry and the 0x tools in them.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { keccak256 } from "ethers";

const run = promisify(execFile);
const FILE_MAX = 8 << 20;
const folderOf = (folder, spec) => join(folder, spec.replace(/[/@]/g, "_"));

// fetches what is not there yet; a package that is not what was pinned is an error
export async function fetchPackages(list, folder, log = () => {}) {
	mkdirSync(folder, { recursive: true });
	const missing = list.filter((p) => !existsSync(folderOf(folder, p.package)));
	for (let i = 0; i < missing.length; i += 8) {
		const part = missing.slice(i, i + 8);
		const { stdout } = await run(
			"npm",
			["pack", "--json", "--ignore-scripts", "--pack-destination", folder, ...part.map((p) => p.package)],
			{ maxBuffer: 1 << 30 },
		);
		const packed = Object.values(JSON.parse(stdout));
		for (const p of part) {
			const at = packed.find((x) => `${x.name}@${x.version}` === p.package);
			const archive = join(folder, basename(at.filename)),
				made = folderOf(folder, p.package);
			const integrity = "sha512-" + createHash("sha512").update(readFileSync(archive)).digest("base64");
			if (integrity !== p.integrity) throw new Error(`${p.package}: ${integrity}, pinned ${p.integrity}`);
			rmSync(made + ".part", { recursive: true, force: true });
			mkdirSync(made + ".part");
			await run("tar", [
				"-xzf",
				archive,
				"--no-same-owner",
				"--strip-components=1",
				"-C",
				made + ".part",
				"--wildcards",
				...p.under.map((u) => `*/${u}/*`),
			]);
			renameSync(made + ".part", made);
			rmSync(archive);
			log(`fetched ${p.package}`);
		}
	}
}

function* files(folder, ending) {
	for (const e of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
		const path = join(folder, e.name);
		if (e.isDirectory()) yield* files(path, ending);
		else if (e.isFile() && e.name.endsWith(ending)) yield path;
	}
}

// bytecode of an artifact as hex with 0x, libraries' addresses as zeros; undefined where there is none
function codeOf(artifact) {
	const raw =
		typeof artifact.bytecode === "string"
			? artifact.bytecode
			: (artifact.bytecode?.object ?? artifact.compilerOutput?.evm?.bytecode?.object);
	if (typeof raw !== "string") return undefined;
	const hex = raw
		.replace(/^0x/, "")
		.replace(/__.{38}/g, "0".repeat(40))
		.toLowerCase();
	return /^([0-9a-f]{2}){8,}$/.test(hex) ? "0x" + hex : undefined;
}

// the same code whatever the hash of its sources and the libraries that it is linked with
export function normalised(code) {
	return keccak256(
		code
			.replace(/a264697066735822[0-9a-f]{68}/g, "")
			.replace(/a165627a7a72305820[0-9a-f]{64}0029/g, "")
			.replace(/a265627a7a72315820[0-9a-f]{64}/g, ""),
	);
}

export function artifactsOf(p, folder) {
	const top = folderOf(folder, p.package),
		out = [];
	for (const path of files(top, ".json")) {
		if (statSync(path).size > FILE_MAX) continue;
		const text = readFileSync(path, "utf8");
		if (!text.includes('"bytecode"') || /\.(s|t)\.sol\/|\.dbg\.json$/.test(path)) continue;
		let artifact;
		try {
			artifact = JSON.parse(text);
		} catch {
			continue;
		}
		const init_code = codeOf(artifact);
		if (!init_code) continue;
		const contract = artifact.contractName ?? basename(path, ".json").replace(/\..*$/, "");
		out.push({
			package: p.package,
			use: p.use,
			contract,
			init_code,
			abi: artifact.abi ?? artifact.compilerOutput?.abi ?? [],
			path: path.slice(top.length + 1),
		});
	}
	return out;
}

// every .sol of a package: { path: text }
export function sourcesOf(p, folder) {
	const top = folderOf(folder, p.package),
		out = {};
	for (const path of files(top, ".sol")) out[path.slice(top.length + 1)] = readFileSync(path, "utf8");
	return out;
}

export function distinct(list, seen = new Set()) {
	return list.filter((a) => {
		const hash = normalised(a.init_code);
		if (seen.has(hash)) return false;
		seen.add(hash);
		return true;
	});
}
