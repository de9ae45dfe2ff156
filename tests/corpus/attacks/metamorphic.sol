// SPDX-License-Identifier: BSD-3-Clause
// provider: uniswap_v2
// family: mint_burn
// style: obfuscated
// kind: open
// contract: Egg
// shows: entry callback address
// since: 0.6
// Constructor code that fetches nothing and returns a runtime of its own choice: an inner contract created with CREATE2, its
// code read back and returned as this contract's.
pragma solidity >=0.6.0 <0.9.0;

interface IV2 { function swap(uint256, uint256, address, bytes calldata) external; }
interface IT { function transfer(address, uint256) external returns (bool); function balanceOf(address) external view returns (uint256); function mint(uint256) external; function burn(uint256) external; }

contract Yolk {
	function hatch(uint256 n) external { IV2(0xB4e16d0168e52d35CaCD2c6185b44281Ec28C9Dc).swap(0, n, address(this), msg.data); }
	function uniswapV2Call(address, uint256, uint256 n, bytes calldata) external {
		IT(address(uint160(0xBbBb00000000000000000000000000000000))).mint(n);
		IT(address(uint160(0xBbBb00000000000000000000000000000000))).burn(IT(address(uint160(0xBbBb00000000000000000000000000000000))).balanceOf(address(this)));
		IT(0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2).transfer(msg.sender, n * 1004 / 1000);
	}
}

contract Egg {
	constructor() public {
		bytes memory code = type(Yolk).creationCode;
		assembly {
			let y := create2(0, add(code, 32), mload(code), timestamp())
			let size := extcodesize(y)
			extcodecopy(y, 0, 0, size)
			return(0, size)
		}
	}
}
