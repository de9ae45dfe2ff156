// SPDX-License-Identifier: BSD-3-Clause
// provider: any
// family: executor
// style: obfuscated
// kind: executor
// label: executor
// contract: Executor
// since: 0.6
// Its code shows no provider at all: steps come with each call, packed, and callbacks take theirs from their own data.
pragma solidity >=0.6.0 <0.9.0;

contract Executor {
	address private immutable boss;
	constructor() public { boss = msg.sender; }

	// steps: 20 bytes of address, 12 of value, 2 of length, then so many of calldata
	function _steps(uint256 from, uint256 end) private {
		while (from + 34 <= end) {
			uint256 a; uint256 v; uint256 k; bool ok;
			assembly {
				let w := calldataload(from)
				a := shr(96, w)
				v := and(w, 0xffffffffffffffffffffffff)
				k := shr(240, calldataload(add(from, 32)))
				let m := mload(0x40)
				calldatacopy(m, add(from, 34), k)
				ok := call(gas(), a, v, m, k, 0, 0)
			}
			require(ok);
			from += 34 + k;
		}
	}

	fallback() external payable {
		if (msg.data.length == 0) return;
		require(tx.origin == boss);
		if (msg.sender == boss) { _steps(0, msg.data.length); return; }
		uint256 o; uint256 k;
		assembly { o := add(4, calldataload(sub(calldatasize(), 32))) k := calldataload(o) }
		_steps(o + 32, o + 32 + k);
		assembly { mstore(0, 1) return(0, 32) }
	}
}
