// SPDX-License-Identifier: BSD-3-Clause
// Seeded choices, the same in every build: each source and call has a stream of its own, named by its identity.
import { id, getAddress, dataSlice } from "ethers";

export class Random {
	constructor(seed) {
		this.seed = seed;
		this.at = 0;
	}
	hash() {
		return id(`${this.seed}/${this.at++}`);
	}
	below(n) {
		return Number(BigInt(this.hash()) % BigInt(n));
	}
	chance(percent) {
		return this.below(100) < percent;
	}
	pick(list) {
		return list[this.below(list.length)];
	}
	address() {
		return getAddress(dataSlice(this.hash(), 0, 20));
	}
	selector() {
		return dataSlice(this.hash(), 0, 4);
	}
	hex(bytes) {
		return dataSlice(this.hash(), 0, bytes);
	}
}
