// SPDX-License-Identifier: BSD-3-Clause
// How each flash-loan provider is asked and how it calls back, written from the providers' interfaces alone. A provider is
//   id, lender (address, or a list of pools), asset
//   entry      statements that ask for `n` of $asset; `c` is the Writer that renders calls in the source's style
//   callback   signature of what the provider calls; `head` where structs make it differ from that signature
//   names      names of the callback's parameters
//   open       statements of the callback before the attack (providers that lend inside the callback)
//   got, owe   amount lent and amount owed, in terms of the parameters; rawGot, rawOwe the same in terms of calldata words:
//              $at(offset) is the word of calldata at an offset
//   repay      statements that repay `owe`
//   returns    the callback's return type, gives its value; word its raw form ("bytes" for an empty byte string)
//   types      struct definitions; since the first compiler that takes the source ("0.4" unless told)
import { id } from "ethers";

const WETH = "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2";
const DAI = "0x6B175474E89094C44Da98b954EedeAC495271d0F";
const USDC = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48";
const GHO = "0x40D16FC0246aD3160Ccc09B8D0D3A2cD28aE6C2f";
const CRVUSD = "0xf939E0A03FB07F59A73314E73794Be0E57ac1b4E";
const WETH10 = "0xf4BB2e28688e89fCcE3c0580D37d36A7672E8A9F";
const WBNB = "0xbb4CdB9CBd36B01bD1cBaEBF2De08d9173bc095c";

const MAGIC_3156 = id("ERC3156FlashBorrower.onFlashLoan");
const MAGIC_VAT = id("VatDaiFlashBorrower.onVatDaiFlashLoan");

const approve = (c, owe) => c.call("$asset", "approve(address,uint256)", `$lender, ${owe}`);
const pay = (to) => (c, owe) => c.call("$asset", "transfer(address,uint256)", `${to}, ${owe}`);

// Aave V2, V3 and Spark with the list form of flashLoan
const aaveList = (id, lender, asset, mode = "0") => ({
	id,
	lender,
	asset,
	entry: (c) => `address[] memory a = new address[](1);
		uint256[] memory b = new uint256[](1);
		uint256[] memory m = new uint256[](1);
		a[0] = $asset; b[0] = n; m[0] = ${mode};
		${c.call("$lender", "flashLoan(address,address[],uint256[],uint256[],address,bytes,uint16)", "address(this), a, b, m, address(this), $data, uint16(0)")}`,
	callback: "executeOperation(address[],uint256[],uint256[],address,bytes)",
	names: ["a", "b", "f", "who", "p"],
	got: "b[0]",
	owe: "b[0] + f[0]",
	rawGot: "$at(36 + $at(36))",
	rawOwe: "$at(36 + $at(36)) + $at(36 + $at(68))",
	repay: approve,
	returns: "bool",
	gives: "true",
	word: "1",
});

const aaveSimple = (id, lender, asset) => ({
	id,
	lender,
	asset,
	entry: (c) =>
		c.call(
			"$lender",
			"flashLoanSimple(address,address,uint256,bytes,uint16)",
			"address(this), $asset, n, $data, uint16(0)",
		),
	callback: "executeOperation(address,uint256,uint256,address,bytes)",
	names: ["a", "b", "f", "who", "p"],
	got: "b",
	owe: "b + f",
	rawGot: "$at(36)",
	rawOwe: "$at(36) + $at(68)",
	repay: approve,
	returns: "bool",
	gives: "true",
	word: "1",
});

const erc3156 = (id, lender, asset, repay = approve) => ({
	id,
	lender,
	asset,
	entry: (c) => c.call("$lender", "flashLoan(address,address,uint256,bytes)", "address(this), $asset, n, $data"),
	callback: "onFlashLoan(address,address,uint256,uint256,bytes)",
	names: ["who", "t", "b", "f", "p"],
	got: "b",
	owe: "b + f",
	rawGot: "$at(68)",
	rawOwe: "$at(68) + $at(100)",
	repay,
	returns: "bytes32",
	gives: 'keccak256("ERC3156FlashBorrower.onFlashLoan")',
	word: MAGIC_3156,
});

// pairs of the Uniswap V2 kind: who forks them renames the callback
const pair = (id, lender, asset, callback, first, fee) => ({
	id,
	lender,
	asset,
	entry: (c) =>
		c.call(
			"$lender",
			"swap(uint256,uint256,address,bytes)",
			first ? "n, uint256(0), address(this), $data" : "uint256(0), n, address(this), $data",
		),
	callback: `${callback}(address,uint256,uint256,bytes)`,
	names: ["who", "x", "y", "p"],
	got: first ? "x" : "y",
	owe: `${first ? "x" : "y"} * ${fee} + 1`,
	rawGot: first ? "$at(36)" : "$at(68)",
	rawOwe: `${first ? "$at(36)" : "$at(68)"} * ${fee} + 1`,
	repay: pay("msg.sender"),
});

const v3Flash = (id, lender, asset, callback, first) => ({
	id,
	lender,
	asset,
	entry: (c) =>
		c.call(
			"$lender",
			"flash(address,uint256,uint256,bytes)",
			first ? "address(this), n, uint256(0), abi.encode(n)" : "address(this), uint256(0), n, abi.encode(n)",
		),
	callback: `${callback}(uint256,uint256,bytes)`,
	names: ["x", "y", "p"],
	got: "abi.decode(p, (uint256))",
	owe: `abi.decode(p, (uint256)) + ${first ? "x" : "y"}`,
	rawGot: "$at(36 + $at(68))",
	rawOwe: `$at(36 + $at(68)) + $at(${first ? 4 : 36})`,
	repay: pay("$lender"),
	since: "0.5",
});

const v3Swap = (id, lender, asset, callback) => ({
	id,
	lender,
	asset,
	entry: (c) =>
		c.call(
			"$lender",
			"swap(address,bool,int256,uint160,bytes)",
			"address(this), $up, int256(n), $up ? uint160(4295128740) : uint160(1461446703485210103287273052203988822378723970341), $data",
		),
	state: "bool $up = true;",
	callback: `${callback}(int256,int256,bytes)`,
	names: ["x", "y", "p"],
	got: "uint256(x < 0 ? -x : -y)",
	owe: "uint256(x > 0 ? x : y)",
	rawGot: "(int256($at(4)) < 0 ? uint256(-int256($at(4))) : uint256(-int256($at(36))))",
	rawOwe: "(int256($at(4)) > 0 ? $at(4) : $at(36))",
	repay: pay("msg.sender"),
});

const dodo = (id, lender, asset, callback) => ({
	id,
	lender,
	asset,
	entry: (c) =>
		c.call("$lender", "flashLoan(uint256,uint256,address,bytes)", "n, uint256(0), address(this), abi.encode(msg.sender)"),
	callback: `${callback}(address,uint256,uint256,bytes)`,
	names: ["who", "x", "y", "p"],
	got: "x",
	owe: "x",
	rawGot: "$at(36)",
	rawOwe: "$at(36)",
	repay: pay("$lender"),
});

const morpho = (id, lender, asset, callback) => ({
	id,
	lender,
	asset,
	entry: (c) => c.call("$lender", "flashLoan(address,uint256,bytes)", "$asset, n, $data"),
	callback: `${callback}(uint256,bytes)`,
	names: ["b", "p"],
	got: "b",
	owe: "b",
	rawGot: "$at(4)",
	rawOwe: "$at(4)",
	repay: approve,
});

// Balancer V3: the vault calls whatever its caller put into `unlock`
const balancerV3 = {
	id: "balancer_v3",
	lender: "0xbA1333333333a1BA1108E8412f11850A5C319bA9",
	asset: WETH,
	entry: (c) => c.call("$lender", "unlock(bytes)", "abi.encodeWithSelector($CALLBACK, n)"),
	callback: "$free(uint256)",
	names: ["b"],
	open: (c) => c.call("$lender", "sendTo(address,address,uint256)", "$asset, address(this), $b"),
	got: "b",
	owe: "b",
	rawGot: "$at(4)",
	rawOwe: "$at(4)",
	repay: (c, owe) => `${pay("$lender")(c, owe)}
		${c.call("$lender", "settle(address,uint256)", `$asset, ${owe}`)}`,
};

const locked = (id, lender, asset, entry, callback) => ({
	id,
	lender,
	asset,
	entry: (c) => c.call("$lender", `${entry}(bytes)`, "abi.encode(n)"),
	callback: `${callback}(bytes)`,
	names: ["p"],
	open: (c) => c.call("$lender", "take(address,address,uint256)", "$asset, address(this), $b"),
	got: "abi.decode(p, (uint256))",
	owe: "abi.decode(p, (uint256))",
	rawGot: "$at(36 + $at(4))",
	rawOwe: "$at(36 + $at(4))",
	repay: (c, owe) => `${c.call("$lender", "sync(address)", "$asset")}
		${pay("$lender")(c, owe)}
		${c.call("$lender", "settle()", "")}`,
	returns: "bytes memory",
	gives: "new bytes(0)",
	word: "bytes",
	since: "0.5",
});

const dydx = {
	id: "dydx",
	lender: "0x1E0447b19BB6EcFdAe1e4AE1694b0C3659614e4e",
	asset: WETH,
	since: "0.5",
	types: `struct AccountInfo { address owner; uint256 number; }
	struct AssetAmount { bool sign; uint8 denomination; uint8 ref; uint256 value; }
	struct ActionArgs { uint8 actionType; uint256 accountId; AssetAmount amount; uint256 primaryMarketId;
		uint256 secondaryMarketId; address otherAddress; uint256 otherAccountId; bytes data; }`,
	state: "uint256 $n;",
	entry: (c) => `$n = n;
		${c.call("$asset", "approve(address,uint256)", "$lender, ~uint256(0)")}
		AccountInfo[] memory a = new AccountInfo[](1);
		a[0] = AccountInfo(address(this), 1);
		ActionArgs[] memory s = new ActionArgs[](3);
		s[0] = ActionArgs(0x1, 0, AssetAmount(false, 0, 0, n), 0, 0, address(this), 0, "");
		s[1] = ActionArgs(8, 0, AssetAmount(false, 0, 0, 0), 0, 0, address(this), 0, abi.encode(n));
		s[2] = ActionArgs(0x0, 0, AssetAmount(true, 0, 0, n + 2), 0, 0, address(this), 0, "");
		${c.call(
			"$lender",
			"operate((address,uint256)[],(uint8,uint256,(bool,uint8,uint8,uint256),uint256,uint256,address,uint256,bytes)[])",
			"a, s",
			"operate(AccountInfo[] calldata a, ActionArgs[] calldata s)",
		)}`,
	callback: "callFunction(address,(address,uint256),bytes)",
	names: ["who", "acc", "p"],
	head: "callFunction(address who, AccountInfo memory acc, bytes memory p) public",
	got: "$n",
	owe: "$n + 2",
	rawGot: "$n",
	rawOwe: "$n + 2",
	repay: approve,
};

const vatDai = {
	id: "maker_vat",
	lender: "0x60744434d6339a6B27d73d9Eda62b6F66a0a04FA",
	asset: DAI,
	entry: (c) =>
		c.call("$lender", "vatDaiFlashLoan(address,uint256,bytes)", "address(this), n * 1000000000000000000000000000, $data"),
	callback: "onVatDaiFlashLoan(address,uint256,uint256,bytes)",
	names: ["who", "b", "f", "p"],
	open: (c) => c.call("0x9759A6Ac90977b93B58547b4A71c78317f391A28", "exit(address,uint256)", "address(this), $b"),
	got: "b / 1000000000000000000000000000",
	owe: "b / 1000000000000000000000000000",
	rawGot: "$at(36) / 1000000000000000000000000000",
	rawOwe: "$at(36) / 1000000000000000000000000000",
	repay: (c, owe) => `${c.call("$asset", "approve(address,uint256)", `0x9759A6Ac90977b93B58547b4A71c78317f391A28, ${owe}`)}
		${c.call("0x9759A6Ac90977b93B58547b4A71c78317f391A28", "join(address,uint256)", `$lender, ${owe}`)}`,
	returns: "bytes32",
	gives: 'keccak256("VatDaiFlashBorrower.onVatDaiFlashLoan")',
	word: MAGIC_VAT,
};

const bento = {
	...erc3156("bentobox", "0xF5BCE5077908a1b7370B9ae04AdC565EBd643966", WETH, pay("$lender")),
	entry: (c) =>
		c.call("$lender", "flashLoan(address,address,address,uint256,bytes)", "address(this), address(this), $asset, n, $data"),
	returns: undefined,
	gives: undefined,
	word: undefined,
};

const bentoBatch = {
	id: "bentobox_batch",
	lender: "0xF5BCE5077908a1b7370B9ae04AdC565EBd643966",
	asset: WETH,
	entry: (c) => `address[] memory r = new address[](1);
		address[] memory a = new address[](1);
		uint256[] memory b = new uint256[](1);
		r[0] = address(this); a[0] = $asset; b[0] = n;
		${c.call("$lender", "batchFlashLoan(address,address[],address[],uint256[],bytes)", "address(this), r, a, b, $data")}`,
	callback: "onBatchFlashLoan(address,address[],uint256[],uint256[],bytes)",
	names: ["who", "a", "b", "f", "p"],
	got: "b[0]",
	owe: "b[0] + f[0]",
	rawGot: "$at(36 + $at(68))",
	rawOwe: "$at(36 + $at(68)) + $at(36 + $at(100))",
	repay: pay("$lender"),
};

const balancerV2 = {
	id: "balancer_v2",
	lender: "0xBA12222222228d8Ba445958a75a0704d566BF2C8",
	asset: WETH,
	entry: (c) => `address[] memory a = new address[](1);
		uint256[] memory b = new uint256[](1);
		a[0] = $asset; b[0] = n;
		${c.call("$lender", "flashLoan(address,address[],uint256[],bytes)", "address(this), a, b, $data")}`,
	callback: "receiveFlashLoan(address[],uint256[],uint256[],bytes)",
	names: ["a", "b", "f", "p"],
	got: "b[0]",
	owe: "b[0] + f[0]",
	rawGot: "$at(36 + $at(36))",
	rawOwe: "$at(36 + $at(36)) + $at(36 + $at(68))",
	repay: pay("$lender"),
};

const aaveV1 = {
	id: "aave_v1",
	lender: "0x398eC7346DcD622eDc5ae82352F02bE94C62d119",
	asset: DAI,
	entry: (c) => c.call("$lender", "flashLoan(address,address,uint256,bytes)", "address(this), $asset, n, $data"),
	callback: "executeOperation(address,uint256,uint256,bytes)",
	names: ["a", "b", "f", "p"],
	got: "b",
	owe: "b + f",
	rawGot: "$at(36)",
	rawOwe: "$at(36) + $at(68)",
	repay: pay("0x3dfd23A6c5E8BbcFc9581d2E864a68feb6a076d3"),
};

const eulerV1 = {
	id: "euler_v1",
	lender: "0x84721A3dB22EB852233AEAE74f9bC8477F8bcc42",
	asset: DAI,
	state: "uint256 $n;",
	entry: (c) => `$n = n;
		${c.call("$lender", "flashLoan(uint256,bytes)", "n, $data")}`,
	callback: "onFlashLoan(bytes)",
	names: ["p"],
	got: "$n",
	owe: "$n",
	rawGot: "$n",
	rawOwe: "$n",
	repay: pay("$lender"),
};

const cream = {
	id: "cream",
	lender: "0xD06527D5e56A3495252A528C4987003b712860eE",
	asset: WETH,
	entry: (c) => c.call("$lender", "flashLoan(address,uint256,bytes)", "address(this), n, $data"),
	callback: "executeOperation(address,address,uint256,uint256,bytes)",
	names: ["who", "t", "b", "f", "p"],
	got: "b",
	owe: "b + f",
	rawGot: "$at(68)",
	rawOwe: "$at(68) + $at(100)",
	repay: pay("$lender"),
};

const bzx = {
	id: "bzx",
	lender: "0x77f973FCaF871459aa58cd81881Ce453759281bC",
	asset: WETH,
	entry: (c) =>
		c.call(
			"$lender",
			"flashBorrow(uint256,address,address,string,bytes)",
			'n, address(this), address(this), "", abi.encodeWithSelector($CALLBACK, n)',
		),
	callback: "$free(uint256)",
	names: ["b"],
	got: "b",
	owe: "b",
	rawGot: "$at(4)",
	rawOwe: "$at(4)",
	repay: pay("$lender"),
};

const PAIR_USDC_WETH = "0xB4e16d0168e52d35CaCD2c6185b44281Ec28C9Dc";
const PAIR_BNB = "0x58F876857a02D6762E0101bb5C46A8c1ED44Dc16";
const POOL_USDC_WETH = "0x88e6A0c2dDD26FEEb64F039a2c41296FcB3f5640";
const POOL_BNB = "0x36696169C63e42cd08ce11f5deeBbCeBae652050";

export const PROVIDERS = [
	aaveV1,
	aaveList("aave_v2", "0x7d2768dE32b0b80b7a3454c06BdAc94A69DDc7A9", WETH),
	aaveList("aave_v3", "0x87870Bca3F3fD6335C3F4ce8392D69350B4fA4E2", USDC),
	aaveSimple("aave_v3_simple", "0x87870Bca3F3fD6335C3F4ce8392D69350B4fA4E2", WETH),
	aaveSimple("aave_v3_prime", "0x4e033931ad43597d96D6bcc25c280717730B58B1", WETH),
	aaveList("aave_v3_etherfi", "0x0AA97c284e98396202b6A04024F5E2c65026F3c0", USDC),
	aaveSimple("spark", "0xC13e21B648A5Ee794902342038FF3aDAB66BE987", DAI),
	balancerV2,
	balancerV3,
	pair("uniswap_v2", PAIR_USDC_WETH, WETH, "uniswapV2Call", false, "1000 / 997"),
	pair("sushi", "0x397FF1542f962076d0BFE58eA045FfA2d347ACa0", WETH, "uniswapV2Call", false, "1000 / 997"),
	pair("shiba", "0x8faf958E36c6970497386118030e6297fFf8d275", WETH, "uniswapV2Call", true, "1000 / 997"),
	pair("pancake_v2", PAIR_BNB, WBNB, "pancakeCall", false, "10000 / 9975"),
	pair("biswap", PAIR_BNB, WBNB, "BiswapCall", true, "1000 / 999"),
	pair("hook_fork", PAIR_USDC_WETH, WETH, "hook", false, "1000 / 997"),
	pair("joe", PAIR_USDC_WETH, WETH, "joeCall", true, "1000 / 997"),
	pair("bscswap", PAIR_BNB, WBNB, "BSCswapCall", false, "1000 / 997"),
	pair("wault", PAIR_BNB, WBNB, "waultSwapCall", true, "1000 / 998"),
	pair("baby", PAIR_BNB, WBNB, "babyCall", false, "1000 / 998"),
	pair("jetswap", PAIR_BNB, WBNB, "jetswapCall", true, "1000 / 999"),
	pair("swap_v2_fork", PAIR_BNB, WBNB, "swapV2Call", false, "1000 / 998"),
	v3Flash("uniswap_v3_flash", POOL_USDC_WETH, WETH, "uniswapV3FlashCallback", false),
	v3Swap("uniswap_v3_swap", POOL_USDC_WETH, USDC, "uniswapV3SwapCallback"),
	v3Flash("pancake_v3_flash", POOL_BNB, WBNB, "pancakeV3FlashCallback", false),
	v3Swap("pancake_v3_swap", POOL_BNB, WBNB, "pancakeV3SwapCallback"),
	locked("pancake_infinity", "0x238a358808379702088667322f80aC48bAd5e6c4", WBNB, "lock", "lockAcquired"),
	locked("uniswap_v4", "0x000000000004444c5dc75cB358380D2e3dE08A90", WETH, "unlock", "unlockCallback"),
	dydx,
	erc3156("maker", "0x60744434d6339a6B27d73d9Eda62b6F66a0a04FA", DAI),
	erc3156("maker_old", "0x1EB4CF3A948E7D72A198fe073cCb8C7a948cD853", DAI),
	vatDai,
	erc3156("gho", "0xb639D208Bcf0589D54FaC24E655C79EC529762B8", GHO),
	erc3156("crvusd", "0x26dE7861e213A5351F6ED767d00e0839930e9eE1", CRVUSD, pay("$lender")),
	erc3156("weth10", WETH10, WETH10),
	morpho("morpho", "0xBBBBBbbBBb9cC5e90e3b3Af64bdAF62C37EEFFCb", WETH, "onMorphoFlashLoan"),
	morpho("moolah", "0x8F73b65B4caAf64FBA2aF91cC5D4a2A1318E5D8C", WBNB, "onMoolahFlashLoan"),
	bento,
	bentoBatch,
	dodo("dodo_dvm", "0x3058EF90929cb8180174D74C507176ccA6835D73", DAI, "DVMFlashLoanCall"),
	dodo("dodo_dpp", "0xFeAFe253802b77456B4627F8c2306a9CeBb5d681", WBNB, "DPPFlashLoanCall"),
	dodo("dodo_dsp", "0xD534fAE679f7F02364D177E9D44F1D15963c0Dd7", USDC, "DSPFlashLoanCall"),
	eulerV1,
	{ ...eulerV1, id: "euler_v2", lender: "0x797DD80692c3b2dAdabCe8e30C07fDE5307D48a9", asset: USDC },
	cream,
	bzx,
];
