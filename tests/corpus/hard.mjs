// SPDX-License-Identifier: BSD-3-Clause
// The hard negatives: published contracts that borrow, are called back, swap in callbacks or liquidate, and are no attacks; each
// with constructor arguments and sample calls, both against one protected protocol.
import { AbiCoder, FunctionFragment, Interface } from "ethers";
import { Random } from "./random.mjs";

// package (without its version): names of contracts
export const HARD = {
	"@aave/core-v3": /^Mock.*FlashLoan.*Receiver$/,
	"@aave/periphery-v3": /^ParaSwap.*Adapter$/,
	"@aave/protocol-v2": /^(MockFlashLoan|Uniswap|Flash).*(Receiver|Adapter)$/,
	"@uniswap/v2-periphery": /^ExampleFlashSwap$|^ExampleSwapToPrice$|^ExampleComputeLiquidityValue$/,
	"@uniswap/v3-periphery": /^(PairFlash|SwapRouter|Quoter|QuoterV2|V3Migrator|NonfungiblePositionManager)$/,
	"@uniswap/swap-router-contracts": /^(SwapRouter02|MixedRouteQuoterV1|TokenValidator|Quoter|QuoterV2)$/,
	"@uniswap/universal-router": /^UniversalRouter$/,
	"@uniswap/v4-core": /^(ActionsRouter|Pool\w*Test\w*|NestedActionExecutor|SwapRouterNoChecks|V3SwapTests)$/,
	"@uniswap/v4-periphery":
		/^(PositionManager|V4Quoter|MockV4Router|MockBaseActionsRouter|MockDeltaResolver|MockSafeCallback|TestRouter)$/,
	"@balancer-labs/v2-deployments": /^DoubleEntrypointFixRelayer$|^BatchRelayerLibrary$|^BalancerRelayer$/,
	"@setprotocol/set-protocol-v2":
		/^(AaveLeverageModule|CompoundLeverageModule|PerpV2LeverageModuleV2|PerpV2\w*Quoter|PerpV2Exchange|Quoter|SwapRouter)$/,
	"@uma/contracts-node":
		/^(ReserveCurrencyLiquidator|LiquidationWithdrawer|ReserveCurrencyDisputer|UniswapBroker|UniswapV3Broker|DSProxy)$/,
	"@0x/contracts-zero-ex":
		/^(UniswapV3Feature|UniswapFeature|PancakeSwapFeature|MultiplexFeature|FlashWallet|TransformERC20Feature|BatchFillNativeOrdersFeature)$/,
	"@pendle/core-v2":
		/^(.*Arb.*|.*Liquid.*|.*Flash.*|.*Reflect.*|.*Looping.*|PendleRouterV\d|Action(Callback|CrossChain|Misc|Swap).*)$/,
};

const nameOf = (spec) => spec.slice(0, spec.lastIndexOf("@"));
export const isHard = (a) => HARD[nameOf(a.package)]?.test(a.contract) ?? false;

// a value of an ABI type; addresses are the protected protocol or a token, in turn
function value(type, components, random, protect) {
	const array = type.match(/^(.*)\[(\d*)\]$/);
	if (array)
		return Array.from({ length: array[2] ? Number(array[2]) : 1 + random.below(2) }, () =>
			value(array[1], components, random, protect),
		);
	if (type === "tuple") return components.map((c) => value(c.type, c.components, random, protect));
	if (type === "address") return random.chance(60) ? protect : random.address();
	if (type === "bool") return random.chance(50);
	if (type === "string") return "sample";
	if (type === "bytes") return AbiCoder.defaultAbiCoder().encode(["address", "uint256"], [protect, random.below(1e6)]);
	if (type.startsWith("bytes")) return random.hex(Number(type.slice(5)));
	const bits = Number(type.replace(/^u?int/, "") || 256);
	return bits < 24
		? random.below(8)
		: bits < 64
			? random.below(1e6)
			: BigInt(1 + random.below(1e9)) * (bits >= 96 ? 10n ** 9n : 1n);
}

const CALLBACK = /callback$|Call$|^executeOperation$|^receiveFlashLoan$|^on\w*FlashLoan$|^callFunction$/i;
const ACTION = /flash|liquidat|arb|leverage|lever|swap|exec|unlock|redeem|multicall|reflect/i;
const rank = (f) => (CALLBACK.test(f.name) ? 1 : ACTION.test(f.name) ? 2 : 0);
const CALLS_MAX = 6;

// the functions that write, those that act first, then callbacks; a contract that has none gets a selector that it may forward
export function withCalls(a, id) {
	const random = new Random(`hard/${id}`),
		protect = random.address();
	const abi = new Interface(a.abi.filter((x) => ["function", "constructor"].includes(x.type)));
	const values = (inputs) => inputs.map((i) => value(i.type, i.components, random, protect));
	const constructor = a.abi.find((x) => x.type === "constructor");
	const args = constructor?.inputs?.length ? abi.encodeDeploy(values(constructor.inputs)) : "0x";
	const writes = a.abi
		.filter((f) => f.type === "function" && !["view", "pure"].includes(f.stateMutability) && !f.constant)
		.sort((x, y) => rank(y) - rank(x) || y.inputs.length - x.inputs.length);
	const calls = writes.slice(0, CALLS_MAX).map((f) => {
		const fragment = FunctionFragment.from(f);
		return { function: fragment.format("sighash"), input: abi.encodeFunctionData(fragment, values(f.inputs)) };
	});
	const forwarded = { function: "", input: random.selector() + random.hex(32).slice(2) };
	const callbacks = writes.filter((f) => rank(f) === 1).map((f) => f.name);
	return { init_code: a.init_code + args.slice(2), protected: protect, callbacks, call: calls[0] ?? forwarded, calls };
}

export function hardRecords(list) {
	return list.map((a) => {
		const id = `${a.package}/${a.path ?? a.contract}`;
		const { init_code, ...rest } = withCalls(a, id);
		return {
			id,
			package: a.package,
			contract: a.contract,
			template: a.use === "templates",
			label: "benign",
			blind: false,
			init_code,
			...rest,
		};
	});
}
