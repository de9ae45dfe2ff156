// SPDX-License-Identifier: BSD-3-Clause
// The benign corpora: published artifacts (those of protocols that give templates apart from the rest) and the hard negatives,
// some of which packages ship as sources only.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path/posix";
import { artifactsOf, distinct, fetchPackages, sourcesOf } from "./artifacts.mjs";
import { hardRecords, isHard } from "./hard.mjs";
import { compileAll } from "./pool.mjs";

// packages that ship sources only: [package, file, contract, compiler]
const SHIPPED = [
	["@morpho-org/morpho-blue", "src/mocks/FlashBorrowerMock.sol", "FlashBorrowerMock", "0.8.19"],
	["erc3156", "contracts/reference/FlashLender.sol", "FlashLender", "0.8.10"],
	[
		"@uniswap/v4-core",
		"lib/openzeppelin-contracts/contracts/mocks/ERC3156FlashBorrowerMock.sol",
		"ERC3156FlashBorrowerMock",
		"0.8.24",
	],
	["@mstable/protocol", "contracts/masset/liquidator/Liquidator.sol", "Liquidator", "0.8.10"],
	["@mstable/protocol", "contracts/polygon/PLiquidator.sol", "PLiquidator", "0.8.10"],
	["@mstable/protocol", "contracts/z_mocks/masset/migrate2/MusdV2Rebalance.sol", "MusdV2Rebalance", "0.8.10"],
];

// what they import from elsewhere: prefix of the import, package and path there
const PROVIDES = [
	["@openzeppelin/contracts/", "@openzeppelin/contracts@4", ""],
	["contracts/interfaces/IERC20.sol", "@openzeppelin/contracts@4", "token/ERC20/IERC20.sol"],
];

export async function benignRecords(folder, { threads, log }) {
	const list = JSON.parse(readFileSync(new URL("./packages.json", import.meta.url), "utf8"));
	await fetchPackages(list, folder, log);
	const all = list.filter((p) => p.use !== "sources").flatMap((p) => artifactsOf(p, folder));
	const sources = await shipped(list, folder, threads, log);
	const seen = new Set();
	const hard = hardRecords(distinct([...all.filter(isHard), ...sources], seen));
	const benign = distinct(
		all.filter((a) => !isHard(a)),
		seen,
	).map((a) => ({
		id: `${a.package}/${a.path}`,
		package: a.package,
		contract: a.contract,
		list: a.use,
		label: "benign",
		blind: false,
		init_code: a.init_code,
	}));
	return { benign, hard };
}

async function shipped(list, folder, threads, log) {
	const texts = new Map();
	const textOf = (name, path) => {
		if (!texts.has(name))
			texts.set(
				name,
				sourcesOf(
					list.find((p) => p.package.startsWith(name.includes("@", 1) ? name : name + "@")),
					folder,
				),
			);
		return texts.get(name)[path];
	};
	const tasks = SHIPPED.map(([name, path, contract, solc]) => ({
		id: `${name}/${contract}`,
		contract,
		solc,
		runs: 200,
		via_ir: false,
		abi: true,
		name,
		main: path,
		files: closure(name, path, textOf),
	}));
	const codes = await compileAll(tasks, { threads, log });
	return tasks.flatMap((t) => {
		const made = codes.get(t.id);
		if (!made || made.refused || !made[t.contract]) {
			log(`${t.id}: ${made?.refused ?? "no output"}`);
			return [];
		}
		const { code, abi } = made[t.contract];
		return [
			{
				package: list.find((p) => p.package.startsWith(t.name + "@")).package,
				use: "sources",
				contract: t.contract,
				abi,
				init_code: "0x" + code.replace(/__.{38}/g, "0".repeat(40)),
			},
		];
	});
}

// a file and all that it imports; what other packages would bring is looked for in the packages at hand
function closure(name, main, textOf) {
	const out = {};
	const add = (path) => {
		if (out[path] !== undefined) return;
		const foreign = PROVIDES.find(([prefix]) => path.startsWith(prefix));
		out[path] = textOf(name, path) ?? (foreign && textOf(foreign[1], foreign[2] + path.slice(foreign[0].length)));
		if (out[path] === undefined) throw new Error(`${name}: no ${path}`);
		out[path] = out[path].replace(/^pragma solidity =?(\d+\.\d+\.\d+);/m, "pragma solidity ^$1;");
		for (const [, to] of out[path].matchAll(/^\s*import\s[^;"']*["']([^"']+)["']/gm))
			add(to.startsWith(".") ? join(dirname(path), to) : to);
	};
	add(main);
	return out;
}
