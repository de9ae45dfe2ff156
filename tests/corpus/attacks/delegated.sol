// SPDX-License-Identifier: BSD-3-Clause
// provider: uniswap_v4
// family: pair_price
// contract: Delegate
// shows: entry callback address
// since: 0.8.4
// Code for an EIP-7702 delegation: the account itself borrows and answers.
pragma solidity ^0.8.4;

interface IPoolManager {
	struct PoolKey { address currency0; address currency1; uint24 fee; int24 tickSpacing; address hooks; }
	struct SwapParams { bool zeroForOne; int256 amountSpecified; uint160 sqrtPriceLimitX96; }
	function unlock(bytes calldata data) external returns (bytes memory);
	function take(address currency, address to, uint256 amount) external;
	function settle() external payable returns (uint256);
	function sync(address currency) external;
	function swap(PoolKey memory key, SwapParams memory params, bytes calldata hookData) external returns (int256);
}

contract Delegate {
	IPoolManager constant MANAGER = IPoolManager(0x000000000004444c5dc75cB358380D2e3dE08A90);
	struct Call { address to; uint256 value; bytes data; }

	function execute(address token, uint256 amount, Call[] calldata calls) external payable {
		require(msg.sender == address(this));
		MANAGER.unlock(abi.encode(token, amount, calls));
	}

	function unlockCallback(bytes calldata data) external returns (bytes memory) {
		require(msg.sender == address(MANAGER));
		(address token, uint256 amount, Call[] memory calls) = abi.decode(data, (address, uint256, Call[]));
		MANAGER.take(token, address(this), amount);
		for (uint256 i = 0; i < calls.length; i++) {
			(bool ok, ) = calls[i].to.call{value: calls[i].value}(calls[i].data);
			require(ok);
		}
		MANAGER.sync(token);
		(bool paid, ) = token.call(abi.encodeWithSignature("transfer(address,uint256)", address(MANAGER), amount));
		require(paid);
		MANAGER.settle();
		return "";
	}

	receive() external payable {}
}
