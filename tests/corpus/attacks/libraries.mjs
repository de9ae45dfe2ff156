// SPDX-License-Identifier: BSD-3-Clause
// Ordinary code that authors append to an attack to dilute it. Each piece is members of a contract.
export const LIBRARIES = {
	token: `
	mapping(address => uint256) public $bal;
	mapping(address => mapping(address => uint256)) public $allow;
	uint256 public $supply;
	event Transfer(address indexed from, address indexed to, uint256 value);
	event Approval(address indexed owner, address indexed spender, uint256 value);
	function transfer(address to, uint256 v) public returns (bool) { $move(msg.sender, to, v); return true; }
	function approve(address who, uint256 v) public returns (bool) {
		$allow[msg.sender][who] = v;
		emit Approval(msg.sender, who, v);
		return true;
	}
	function transferFrom(address from, address to, uint256 v) public returns (bool) {
		require($allow[from][msg.sender] >= v, "ERC20: insufficient allowance");
		$allow[from][msg.sender] = $allow[from][msg.sender] - v;
		$move(from, to, v);
		return true;
	}
	function increaseAllowance(address who, uint256 v) public returns (bool) {
		$allow[msg.sender][who] = $allow[msg.sender][who] + v;
		emit Approval(msg.sender, who, $allow[msg.sender][who]);
		return true;
	}
	function $move(address from, address to, uint256 v) internal {
		require(to != address(0), "ERC20: transfer to the zero address");
		require($bal[from] >= v, "ERC20: transfer amount exceeds balance");
		$bal[from] = $bal[from] - v;
		$bal[to] = $bal[to] + v;
		emit Transfer(from, to, v);
	}
	function balanceOf(address who) public view returns (uint256) { return $bal[who]; }
	function totalSupply() public view returns (uint256) { return $supply; }
	function decimals() public pure returns (uint8) { return 18; }
	function symbol() public pure returns (string memory) { return "SAFE"; }`,
	math: `
	function sqrt(uint256 y) public pure returns (uint256 z) {
		if (y > 3) {
			z = y;
			uint256 x = y / 2 + 1;
			while (x < z) { z = x; x = (y / x + x) / 2; }
		} else if (y != 0) { z = 1; }
	}
	function log2(uint256 x) public pure returns (uint256 r) {
		if (x >= 2 ** 128) { x = x / 2 ** 128; r = r + 128; }
		if (x >= 2 ** 64) { x = x / 2 ** 64; r = r + 64; }
		if (x >= 2 ** 32) { x = x / 2 ** 32; r = r + 32; }
		if (x >= 2 ** 16) { x = x / 2 ** 16; r = r + 16; }
		if (x >= 2 ** 8) { x = x / 2 ** 8; r = r + 8; }
		while (x >= 2) { x = x / 2; r = r + 1; }
	}
	function mulDiv(uint256 a, uint256 b, uint256 d) public pure returns (uint256) {
		require(d > 0, "division by zero");
		uint256 r = a * b;
		require(a == 0 || r / a == b, "multiplication overflow");
		return r / d;
	}
	function average(uint256 a, uint256 b) public pure returns (uint256) { return (a & b) + ((a ^ b) / 2); }
	function pow(uint256 a, uint256 e) public pure returns (uint256 r) {
		r = 1;
		while (e > 0) { if (e % 2 == 1) r = r * a; a = a * a; e = e / 2; }
	}
	function toText(uint256 v) public pure returns (string memory) {
		if (v == 0) return "0";
		uint256 k = v;
		uint256 digits;
		while (k != 0) { digits++; k = k / 10; }
		bytes memory out = new bytes(digits);
		while (v != 0) { digits = digits - 1; out[digits] = bytes1(uint8(48 + v % 10)); v = v / 10; }
		return string(out);
	}`,
	vesting: `
	struct Grant { uint256 amount; uint256 start; uint256 cliff; uint256 length; uint256 taken; bool revoked; }
	mapping(address => Grant) public $grants;
	mapping(bytes32 => mapping(address => bool)) public $roles;
	bool public $paused;
	event GrantAdded(address indexed who, uint256 amount);
	event GrantTaken(address indexed who, uint256 amount);
	event RoleGranted(bytes32 indexed role, address indexed account);
	function grantRole(bytes32 role, address who) public {
		require($roles[bytes32(0)][msg.sender], "AccessControl: sender must be an admin to grant");
		$roles[role][who] = true;
		emit RoleGranted(role, who);
	}
	function addGrant(address who, uint256 amount, uint256 cliff, uint256 length) public {
		require(!$paused, "Pausable: paused");
		require($grants[who].amount == 0 && length > cliff, "Vesting: bad grant");
		$grants[who] = Grant(amount, block.timestamp, block.timestamp + cliff, length, 0, false);
		emit GrantAdded(who, amount);
	}
	function vested(address who) public view returns (uint256) {
		Grant memory g = $grants[who];
		if (block.timestamp < g.cliff || g.revoked) return 0;
		if (block.timestamp >= g.start + g.length) return g.amount;
		return g.amount * (block.timestamp - g.start) / g.length;
	}
	function claim() public {
		uint256 due = vested(msg.sender) - $grants[msg.sender].taken;
		require(due > 0, "Vesting: nothing due");
		$grants[msg.sender].taken = $grants[msg.sender].taken + due;
		emit GrantTaken(msg.sender, due);
	}
	function setPaused(bool p) public { require($roles[bytes32(0)][msg.sender]); $paused = p; }`,
};
