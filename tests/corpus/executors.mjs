// SPDX-License-Identifier: BSD-3-Clause
// Attacks as calldata: what is sent to an executor contract that stands on chain already, in the forms in which wallets,
// multicalls, account abstraction and private bots carry lists of calls. One of the calls asks a provider for a flash loan, with
// the steps of the attack as its data.
import { AbiCoder, Interface, concat, dataLength, toBeHex, zeroPadValue, solidityPacked } from "ethers";
import { PROVIDERS } from "./attacks/providers.mjs";
import { Random } from "./random.mjs";

const coder = AbiCoder.defaultAbiCoder();
const encode = (signature, args) =>
	new Interface([`function ${signature}`]).encodeFunctionData(signature.slice(0, signature.indexOf("(")), args);
const callsOf = (list) => list.map((s) => [s.to, s.value ?? 0n, s.data]);

// ---- what a provider is asked ----

const ASK = [
	[
		/^aave_v1$|^maker$|^maker_old$|^gho$|^crvusd$|^weth10$/,
		(p, a) => encode("flashLoan(address,address,uint256,bytes)", [a.receiver, p.asset, a.amount, a.data]),
	],
	[
		/^aave_v2$|^aave_v3$|^aave_v3_etherfi$/,
		(p, a) =>
			encode("flashLoan(address,address[],uint256[],uint256[],address,bytes,uint16)", [
				a.receiver,
				[p.asset],
				[a.amount],
				[0],
				a.receiver,
				a.data,
				0,
			]),
	],
	[
		/^aave_v3_|^spark$/,
		(p, a) => encode("flashLoanSimple(address,address,uint256,bytes,uint16)", [a.receiver, p.asset, a.amount, a.data, 0]),
	],
	[
		/^balancer_v2$/,
		(p, a) => encode("flashLoan(address,address[],uint256[],bytes)", [a.receiver, [p.asset], [a.amount], a.data]),
	],
	[/^balancer_v3$/, (p, a) => encode("unlock(bytes)", [concat([a.selector, coder.encode(["bytes"], [a.data])])])],
	[/^uniswap_v4$/, (p, a) => encode("unlock(bytes)", [a.data])],
	[/^pancake_infinity$/, (p, a) => encode("lock(bytes)", [a.data])],
	[/_v3_flash$/, (p, a) => encode("flash(address,uint256,uint256,bytes)", [a.receiver, 0, a.amount, a.data])],
	[
		/_v3_swap$/,
		(p, a) => encode("swap(address,bool,int256,uint160,bytes)", [a.receiver, true, a.amount, 4295128740n, a.data]),
	],
	[
		/^dydx$/,
		(p, a) =>
			encode(
				"operate((address,uint256)[],(uint8,uint256,(bool,uint8,uint8,uint256),uint256,uint256,address,uint256,bytes)[])",
				[
					[[a.receiver, 1]],
					[
						[1, 0, [false, 0, 0, a.amount], 0, 0, a.receiver, 0, "0x"],
						[8, 0, [false, 0, 0, 0], 0, 0, a.receiver, 0, a.data],
						[0, 0, [true, 0, 0, a.amount + 2n], 0, 0, a.receiver, 0, "0x"],
					],
				],
			),
	],
	[/^maker_vat$/, (p, a) => encode("vatDaiFlashLoan(address,uint256,bytes)", [a.receiver, a.amount, a.data])],
	[/^morpho$|^moolah$/, (p, a) => encode("flashLoan(address,uint256,bytes)", [p.asset, a.amount, a.data])],
	[/^cream$/, (p, a) => encode("flashLoan(address,uint256,bytes)", [a.receiver, a.amount, a.data])],
	[
		/^bentobox$/,
		(p, a) =>
			encode("flashLoan(address,address,address,uint256,bytes)", [a.receiver, a.receiver, p.asset, a.amount, a.data]),
	],
	[
		/^bentobox_batch$/,
		(p, a) =>
			encode("batchFlashLoan(address,address[],address[],uint256[],bytes)", [
				a.receiver,
				[a.receiver],
				[p.asset],
				[a.amount],
				a.data,
			]),
	],
	[/^dodo_/, (p, a) => encode("flashLoan(uint256,uint256,address,bytes)", [a.amount, 0, a.receiver, a.data])],
	[/^euler_/, (p, a) => encode("flashLoan(uint256,bytes)", [a.amount, a.data])],
	[
		/^bzx$/,
		(p, a) =>
			encode("flashBorrow(uint256,address,address,string,bytes)", [
				a.amount,
				a.receiver,
				a.receiver,
				"",
				concat([a.selector, a.data]),
			]),
	],
	[/./, (p, a) => encode("swap(uint256,uint256,address,bytes)", [0, a.amount, a.receiver, a.data])], // pairs
];

export function ask(provider, random, receiver, steps) {
	const a = {
		receiver,
		amount: BigInt(1 + random.below(90000)) * 10n ** 18n,
		data: stepsData(steps, random),
		selector: random.selector(),
	};
	return { to: provider.lender, data: ASK.find(([id]) => id.test(provider.id))[1](provider, a) };
}

// ---- the attack's own steps ----

export function attackSteps(provider, random) {
	const victim = random.address(),
		pool = random.address(),
		other = random.address(),
		self = random.address();
	const approve = { to: provider.asset, data: encode("approve(address,uint256)", [victim, 2n ** 256n - 1n]) };
	const push = [
		{ to: provider.asset, data: encode("transfer(address,uint256)", [pool, 10n ** 21n]) },
		{ to: pool, data: encode("swap(uint256,uint256,address,bytes)", [0, 10n ** 20n, self, "0x"]) },
	];
	const bodies = {
		pair_price: [...push, approve, { to: victim, data: encode("borrow(address,uint256)", [other, 10n ** 22n]) }],
		donation: [
			approve,
			{ to: victim, data: encode("mint(uint256)", [1]) },
			{ to: provider.asset, data: encode("transfer(address,uint256)", [victim, 10n ** 23n]) },
			{ to: other, data: encode("borrow(uint256)", [10n ** 21n]) },
		],
		governance: [
			approve,
			{ to: victim, data: encode("deposit(address,uint256)", [provider.asset, 10n ** 24n]) },
			{ to: victim, data: encode("vote(uint32)", [18]) },
			{ to: victim, data: encode("emergencyCommit(uint32)", [18]) },
		],
		liquidation: [
			...push,
			approve,
			{ to: victim, data: encode("liquidateBorrow(address,uint256,address)", [random.address(), 10n ** 21n, other]) },
		],
		snapshot: [
			approve,
			{ to: victim, data: encode("stake(uint256)", [10n ** 22n]) },
			{ to: victim, data: encode("getReward()", []) },
			{ to: victim, data: encode("withdraw(uint256)", [10n ** 22n]) },
		],
	};
	const family = random.pick(Object.keys(bodies));
	return { family, steps: bodies[family] };
}

const packed = (list) =>
	concat(
		list.map((s) =>
			solidityPacked(["address", "uint96", "uint16", "bytes"], [s.to, s.value ?? 0n, dataLength(s.data), s.data]),
		),
	);

function stepsData(steps, random) {
	switch (random.below(4)) {
		case 0:
			return coder.encode(["tuple(address,uint256,bytes)[]"], [callsOf(steps)]);
		case 1:
			return coder.encode(["address[]", "bytes[]"], [steps.map((s) => s.to), steps.map((s) => s.data)]);
		case 2:
			return coder.encode(["bytes"], [packed(steps)]);
		default:
			return packed(steps);
	}
}

// ---- how a list of calls is sent: (list, random) -> { to, input } ----

const MULTI_SEND = "0x40A2aCCbd92BCA938b02010E17A5b8929b49130D";
const ENTRY_6 = "0x5FF137D4b0FDCD49DcA30c7CF57E578a026d2789",
	ENTRY_7 = "0x0000000071727De22E5E9d8BAf0edAc6f37da032";
const gas = (random) => BigInt(100000 + random.below(9000000));
const execute = (s) => encode("execute(address,uint256,bytes)", [s.to, s.value ?? 0n, s.data]);
const executeBatch = (list) => encode("executeBatch((address,uint256,bytes)[])", [callsOf(list)]);
const BATCH_MODE = "0x01" + "00".repeat(31),
	SINGLE_MODE = "0x" + "00".repeat(32);
const execute7579 = (list) =>
	encode("execute(bytes32,bytes)", [BATCH_MODE, coder.encode(["tuple(address,uint256,bytes)[]"], [callsOf(list)])]);

function multiSend(list) {
	return encode("multiSend(bytes)", [
		concat(
			list.map((s) =>
				solidityPacked(
					["uint8", "address", "uint256", "uint256", "bytes"],
					[0, s.to, s.value ?? 0n, dataLength(s.data), s.data],
				),
			),
		),
	]);
}

function safe(to, data, operation, random) {
	return encode("execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)", [
		to,
		0,
		data,
		operation,
		0,
		0,
		0,
		"0x" + "00".repeat(20),
		"0x" + "00".repeat(20),
		concat([random.hex(32), random.hex(32), "0x1b"]),
	]);
}

function handle6(callData, random, initCode = "0x") {
	return encode("handleOps((address,uint256,bytes,bytes,uint256,uint256,uint256,uint256,uint256,bytes,bytes)[],address)", [
		[
			[
				random.address(),
				random.below(99),
				initCode,
				callData,
				gas(random),
				gas(random),
				gas(random),
				30n * 10n ** 9n,
				10n ** 9n,
				"0x",
				concat([random.hex(32), random.hex(32), "0x1c"]),
			],
		],
		random.address(),
	]);
}

function handle7(callData, random) {
	const two = () => concat([zeroPadValue(toBeHex(gas(random)), 16), zeroPadValue(toBeHex(gas(random)), 16)]);
	return encode("handleOps((address,uint256,bytes,bytes,bytes32,uint256,bytes32,bytes,bytes)[],address)", [
		[
			[
				random.address(),
				random.below(99),
				"0x",
				callData,
				two(),
				gas(random),
				two(),
				"0x",
				concat([random.hex(32), random.hex(32), "0x1b"]),
			],
		],
		random.address(),
	]);
}

const own = (types, values) => (list, r) => ({ input: concat([r.selector(), coder.encode(types, values(list, r))]) });
const pairsOf = (list) => list.map((s) => [s.to, s.data]);

// forms that take one call only get the last of the list: the loan
export const EXECUTOR_FORMS = {
	execute: (l) => ({ input: encode("execute(address,bytes)", [l.at(-1).to, l.at(-1).data]) }),
	execute_value: (l) => ({ input: execute(l.at(-1)) }),
	batch_tuples: (l) => ({ input: executeBatch(l) }),
	batch_two_lists: (l) => ({ input: encode("executeBatch(address[],bytes[])", [l.map((s) => s.to), l.map((s) => s.data)]) }),
	batch_three_lists: (l) => ({
		input: encode("executeBatch(address[],uint256[],bytes[])", [l.map((s) => s.to), l.map(() => 0n), l.map((s) => s.data)]),
	}),
	multicall: (l) => ({ input: encode("multicall(bytes[])", [l.map(execute)]) }),
	multicall_deadline: (l) => ({ input: encode("multicall(uint256,bytes[])", [1900000000n, l.map(execute)]) }),
	multicall_batch: (l) => ({ input: encode("multicall(bytes[])", [[executeBatch(l)]]) }),
	aggregate: (l) => ({ input: encode("aggregate((address,bytes)[])", [pairsOf(l)]) }),
	try_aggregate: (l) => ({ input: encode("tryAggregate(bool,(address,bytes)[])", [true, pairsOf(l)]) }),
	aggregate3: (l) => ({ input: encode("aggregate3((address,bool,bytes)[])", [l.map((s) => [s.to, false, s.data])]) }),
	aggregate3_value: (l) => ({
		input: encode("aggregate3Value((address,bool,uint256,bytes)[])", [l.map((s) => [s.to, false, 0n, s.data])]),
	}),
	safe_single: (l, r) => ({ input: safe(l.at(-1).to, l.at(-1).data, 0, r) }),
	safe_multi_send: (l, r) => ({ input: safe(MULTI_SEND, multiSend(l), 1, r) }),
	multi_send: (l) => ({ to: MULTI_SEND, input: multiSend(l) }),
	ops_v06: (l, r) => ({ to: ENTRY_6, input: handle6(execute(l.at(-1)), r) }),
	ops_v06_batch: (l, r) => ({
		to: ENTRY_6,
		input: handle6(encode("executeBatch(address[],bytes[])", [l.map((s) => s.to), l.map((s) => s.data)]), r),
	}),
	ops_v07: (l, r) => ({ to: ENTRY_7, input: handle7(execute(l.at(-1)), r) }),
	ops_v07_7579: (l, r) => ({ to: ENTRY_7, input: handle7(execute7579(l), r) }),
	erc7579_batch: (l) => ({ input: execute7579(l) }),
	erc7579_single: (l) => ({
		input: encode("execute(bytes32,bytes)", [
			SINGLE_MODE,
			solidityPacked(["address", "uint256", "bytes"], [l.at(-1).to, 0, l.at(-1).data]),
		]),
	}),
	erc7821_opdata: (l) => ({
		input: encode("execute(bytes32,bytes)", [
			"0x01000000000078210001" + "00".repeat(22),
			coder.encode(["tuple(address,uint256,bytes)[]", "bytes"], [callsOf(l), "0x"]),
		]),
	}),
	own_tuples: own(["tuple(address,uint256,bytes)[]"], (l) => [callsOf(l)]),
	own_pairs: own(["uint256", "tuple(address,bytes)[]"], (l, r) => [r.below(1000), pairsOf(l)]),
	own_lists: own(["address[]", "bytes[]"], (l) => [l.map((s) => s.to), l.map((s) => s.data)]),
	own_lists_value: own(["address[]", "uint256[]", "bytes[]", "bool"], (l) => [
		l.map((s) => s.to),
		l.map(() => 0n),
		l.map((s) => s.data),
		true,
	]),
	own_one: own(["address", "bytes", "uint256"], (l) => [l.at(-1).to, l.at(-1).data, 0n]),
	own_packed: own(["bytes"], (l) => [packed(l)]),
	packed: (l) => ({ input: packed(l) }),
	packed_selector: (l, r) => ({ input: concat([r.selector(), packed(l)]) }),
	safe_batch: (l, r) => ({
		input: safe(r.address(), encode("executeBatch(address[],bytes[])", [l.map((s) => s.to), l.map((s) => s.data)]), 0, r),
	}),
	proxy_target: (l, r) => ({ input: encode("execute(address,bytes)", [r.address(), executeBatch(l)]) }),
	forward: (l, r) => ({ input: encode("exec(address,bytes,uint256)", [l.at(-1).to, l.at(-1).data, 0n]) }),
	timelock: (l, r) => ({
		input: encode("executeBatch(address[],uint256[],bytes[],bytes32,bytes32)", [
			l.map((s) => s.to),
			l.map(() => 0n),
			l.map((s) => s.data),
			r.hex(32),
			r.hex(32),
		]),
	}),
	aa_in_multicall: (l, r) => ({
		input: encode("multicall(bytes[])", [
			[encode("execute(address,uint256,bytes)", [ENTRY_7, 0, handle7(execute7579(l), r)])],
		]),
	}),
};

export function executorRecords() {
	const out = [],
		forms = Object.entries(EXECUTOR_FORMS);
	PROVIDERS.forEach((provider, p) => {
		for (let k = 0; k < 7; k++) {
			const [form, send] = forms[(p * 7 + k + Math.floor(p / 5)) % forms.length];
			const id = `${provider.id}-${form}`,
				random = new Random(`executor/${id}`);
			const executor = random.address();
			const { family, steps } = attackSteps(provider, random);
			const loan = ask(provider, random, executor, steps);
			const before = random.chance(50)
				? [{ to: provider.asset, data: encode("approve(address,uint256)", [provider.lender, 2n ** 255n]) }]
				: [];
			const sent = send([...before, loan], random);
			out.push({
				id,
				provider: provider.id,
				family,
				form,
				to: sent.to ?? executor,
				input: sent.input,
				blind: true,
				label: "flash",
			});
		}
	});
	return out;
}

// constructor arguments of attacks/step_runner.sol: a list of calls that begins with the loan
export function runnerArguments(provider) {
	const random = new Random(`runner/${provider.id}`);
	const { family, steps } = attackSteps(provider, random);
	const loan = ask(provider, random, random.address(), [
		{ to: provider.asset, data: encode("balanceOf(address)", [random.address()]) },
	]);
	const list = [loan, ...steps];
	return { family, arguments: coder.encode(["address[]", "bytes[]"], [list.map((s) => s.to), list.map((s) => s.data)]) };
}
