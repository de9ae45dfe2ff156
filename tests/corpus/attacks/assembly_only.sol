// SPDX-License-Identifier: BSD-3-Clause
// provider: balancer_v2
// family: donation
// style: obfuscated
// kind: open
// contract: X
// shows: entry callback address
// since: 0.5
// Everything in one fallback of assembly, calldata built word by word.
pragma solidity >=0.5.5 <0.9.0;

contract X {
	fallback() external payable {
		assembly {
			let s := shr(224, calldataload(0))
			let weth := 0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2
			let vault := 0xBA12222222228d8Ba445958a75a0704d566BF2C8
			if iszero(eq(caller(), vault)) {
				if iszero(eq(origin(), 0x5555000000000000000000000000000000005555)) { revert(0, 0) }
				mstore(0x00, 0x5c38449e00000000000000000000000000000000000000000000000000000000)
				mstore(0x04, address())
				mstore(0x24, 0x80)
				mstore(0x44, 0xc0)
				mstore(0x64, 0x100)
				mstore(0x84, 1)
				mstore(0xa4, weth)
				mstore(0xc4, 1)
				mstore(0xe4, calldataload(0))
				mstore(0x104, 0)
				if iszero(call(gas(), vault, 0, 0, 0x124, 0, 0)) { returndatacopy(0, 0, returndatasize()) revert(0, returndatasize()) }
				stop()
			}
			if iszero(eq(s, 0xf04f2707)) { revert(0, 0) }
			let n := calldataload(add(0x24, calldataload(0x24)))
			let market := 0x6666000000000000000000000000000000006666
			mstore(0x00, shl(224, 0xa9059cbb))
			mstore(0x04, market)
			mstore(0x24, n)
			if iszero(call(gas(), weth, 0, 0, 0x44, 0, 0)) { revert(0, 0) }
			mstore(0x00, shl(224, 0xc5ebeaec))
			mstore(0x04, mul(n, 2))
			if iszero(call(gas(), market, 0, 0, 0x24, 0, 0)) { revert(0, 0) }
			mstore(0x00, shl(224, 0xa9059cbb))
			mstore(0x04, vault)
			mstore(0x24, n)
			if iszero(call(gas(), weth, 0, 0, 0x44, 0, 0)) { revert(0, 0) }
		}
	}
}
