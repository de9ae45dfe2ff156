/* SPDX-License-Identifier: BSD-3-Clause */
/* The forms of calls in calldata, by selector, ascending (they are searched by halves; a test compares selectors and order with their signatures). Columns:
 * selector, signature, shape (calls_private.h), and which word of the arguments (in lists: of an item) is what: the list, the recipient, the value, the
 * data, and more: the operation (1 is a delegate call), a salt, or a count. NO: there is none. Sources: the contracts' published ABIs. */
#ifndef ETH_CALLS_FORMS_H
#define ETH_CALLS_FORMS_H

#define NO FORM_NO
#define SELF FORM_SELF
#define UNTOLD FORM_UNTOLD
#define DELEGATE FORM_DELEGATE

/* clang-format off */
#define CALL_FORMS(_) \
	_(0x0000189a, "execute_ncC(address,uint256,bytes)", ONE, NO, 0, 1, 2, NO) \
	_(0x00004680, "executeBatch_y6U(address[],uint256[],bytes[])", COLUMNS, NO, 0, 1, 2, NO) \
	_(0x00774360, "deploy(bytes)", CREATE, NO, NO, NO, 0, NO) \
	_(0x00d84acb, "deployCreate3AndInit(bytes32,bytes,bytes,(uint256,uint256))", CREATE3, 2, NO, 3, 1, 0) \
	_(0x01d5062a, "schedule(address,uint256,bytes,bytes32,bytes32,uint256)", ONE, NO, 0, 1, 2, NO) \
	_(0x022c0d9f, "swap(uint256,uint256,address,bytes)", PAYLOAD, NO, NO, NO, 3, NO) \
	_(0x07ed2379, "swap(address,(address,address,address,address,uint256,uint256,uint256),bytes)", NONE, NO, NO, NO, NO, NO) \
	_(0x0825f38f, "executeTransaction(address,uint256,string,bytes,uint256)", TIMELOCK, 2, 0, 1, 3, NO) \
	_(0x095ea7b3, "approve(address,uint256)", NONE, NO, NO, NO, NO, NO) \
	_(0x09b81346, "exactOutput((bytes,address,uint256,uint256))", NONE, NO, NO, NO, NO, NO) \
	_(0x128acb08, "swap(address,bool,int256,uint160,bytes)", PAYLOAD, NO, NO, NO, 4, NO) \
	_(0x12aa3caf, "swap(address,(address,address,address,address,uint256,uint256,uint256),bytes,bytes)", NONE, NO, NO, NO, NO, NO) \
	_(0x134008d3, "execute(address,uint256,bytes,bytes32,bytes32)", ONE, NO, 0, 1, 2, NO) \
	_(0x13d79a0b, "settle(address[],uint256[],(uint256,uint256,address,uint256,uint256,uint32,bytes32,uint256,uint256,uint256,bytes)[],(address,uint256,bytes)[][3])", TABLE, 3, 0, 1, 2, 3) \
	_(0x160cbed7, "queue(address[],uint256[],bytes[],bytes32)", COLUMNS, NO, 0, 1, 2, NO) \
	_(0x1688f0b9, "createProxyWithNonce(address,bytes,uint256)", ONE, NO, UNTOLD, NO, 1, NO) \
	_(0x168ccd67, "exec(address,bytes32,bytes,uint256)", ONE, NO, 0, NO, 2, DELEGATE) \
	_(0x1749e1e3, "multicall((address,uint256,bytes)[])", LIST, 0, 0, NO, 2, NO) \
	_(0x174dea71, "aggregate3Value((address,bool,uint256,bytes)[])", LIST, 0, 0, 2, 3, NO) \
	_(0x18cbafe5, "swapExactTokensForETH(uint256,uint256,address[],address,uint256)", NONE, NO, NO, NO, NO, NO) \
	_(0x18dfb3c7, "executeBatch(address[],bytes[])", COLUMNS, NO, 0, NO, 1, NO) \
	_(0x19c6989f, "permitBatchAndCall((address,address,address,uint256,uint256,uint256)[],bytes[],((address,uint160,uint48,uint48)[],address,uint256),bytes,bytes[])", SELVES, 4, NO, NO, NO, NO) \
	_(0x1cff79cd, "execute(address,bytes)", ONE, NO, 0, NO, 1, DELEGATE) \
	_(0x1e897afb, "batch(bytes[])", SELVES, 0, NO, NO, NO, NO) \
	_(0x1e9701d4, "multicall(bytes[],bool)", SELVES, 0, NO, NO, NO, NO) \
	_(0x1f0464d1, "multicall(bytes32,bytes[])", SELVES, 1, NO, NO, NO, NO) \
	_(0x1f6a1eb9, "execute(bytes,bytes)", CREATE, 1, NO, NO, 0, NO) \
	_(0x1f8b5215, "call(address,address,uint256,bytes)", ONE, NO, 0, 2, 3, NO) \
	_(0x1fad948c, "handleOps((address,uint256,bytes,bytes,uint256,uint256,uint256,uint256,uint256,bytes,bytes)[],address)", OPS, 0, NO, NO, NO, NO) \
	_(0x23b872dd, "transferFrom(address,address,uint256)", NONE, NO, NO, NO, NO, NO) \
	_(0x24856bc3, "execute(bytes,bytes[])", NONE, NO, NO, NO, NO, NO) \
	_(0x252dba42, "aggregate((address,bytes)[])", LIST, 0, 0, NO, 1, NO) \
	_(0x26307668, "deployCreate2(bytes32,bytes)", CREATE2, NO, NO, NO, 1, 0) \
	_(0x2656227d, "execute(address[],uint256[],bytes[],bytes32)", COLUMNS, NO, 0, 1, 2, NO) \
	_(0x26a32fc7, "deployCreate2(bytes)", CREATE, NO, NO, NO, 0, NO) \
	_(0x27fe1822, "deployCreate(bytes)", CREATE, NO, NO, NO, 0, NO) \
	_(0x2b99e506, "execTransactionWithRoleReturnData(address,uint256,bytes,uint8,bytes32,bool)", ONE, NO, 0, 1, 2, 3) \
	_(0x2eb2c2d6, "safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)", NONE, NO, NO, NO, NO, NO) \
	_(0x2f990e3f, "deployCreate3AndInit(bytes,bytes,(uint256,uint256))", CREATE, 1, NO, 2, 0, NO) \
	_(0x31a7c8c8, "deployCreateAndInit(bytes,bytes,(uint256,uint256))", CREATE, 1, NO, 2, 0, NO) \
	_(0x34fcd5be, "executeBatch((address,uint256,bytes)[])", LIST, 0, 0, 1, 2, NO) \
	_(0x3593564c, "execute(bytes,bytes[],uint256)", NONE, NO, NO, NO, NO, NO) \
	_(0x374f435d, "multicall((address,bytes,uint256,bool,bytes32)[])", LIST, 0, 0, 2, 1, NO) \
	_(0x38c5c08e, "batchExec(address[],bytes32[],bytes[])", COLUMNS, NO, 0, NO, 2, DELEGATE) \
	_(0x38ed1739, "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)", NONE, NO, NO, NO, NO, NO) \
	_(0x399542e9, "tryBlockAndAggregate(bool,(address,bytes)[])", LIST, 1, 0, NO, 1, NO) \
	_(0x3a66f901, "queueTransaction(address,uint256,string,bytes,uint256)", TIMELOCK, 2, 0, 1, 3, NO) \
	_(0x3f707e6b, "execute((address,uint256,bytes)[])", LIST, 0, 0, 1, 2, NO) \
	_(0x414bf389, "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))", NONE, NO, NO, NO, NO, NO) \
	_(0x41f188e1, "batchExec(address[],bytes32[],bytes[],uint256[])", COLUMNS, NO, 0, NO, 2, DELEGATE) \
	_(0x42b0b77c, "flashLoanSimple(address,address,uint256,bytes,uint16)", PAYLOAD, NO, NO, NO, 3, NO) \
	_(0x468721a7, "execTransactionFromModule(address,uint256,bytes,uint8)", ONE, NO, 0, 1, 2, 3) \
	_(0x46d2fbbb, "plot(address,bytes32,bytes,uint256)", NONE, NO, NO, NO, NO, NO) \
	_(0x47153f82, "execute((address,address,uint256,uint256,uint256,bytes),bytes)", TUPLE, 0, 1, 2, 5, NO) \
	_(0x47e1da2a, "executeBatch(address[],uint256[],bytes[])", COLUMNS, NO, 0, 1, 2, NO) \
	_(0x4824805e, "executeBatchWithoutRevert((address,uint256,bytes)[])", LIST, 0, 0, 1, 2, NO) \
	_(0x4847be6f, "performCreate2(uint256,bytes,bytes32)", CREATE2, NO, NO, 0, 1, 2) \
	_(0x48c89491, "unlock(bytes)", PAYLOAD, NO, NO, NO, 0, NO) \
	_(0x490e6cbc, "flash(address,uint256,uint256,bytes)", PAYLOAD, NO, NO, NO, 3, NO) \
	_(0x498eacbe, "deployContract(bytes32,bytes)", CREATE2, NO, NO, NO, 1, 0) \
	_(0x4a25d94a, "swapTokensForExactETH(uint256,uint256,address[],address,uint256)", NONE, NO, NO, NO, NO, NO) \
	_(0x4af63f02, "deploy(bytes,bytes32)", CREATE2, NO, NO, NO, 0, 1) \
	_(0x4b1d7cf5, "handleAggregatedOps(((address,uint256,bytes,bytes,uint256,uint256,uint256,uint256,uint256,bytes,bytes)[],address,bytes)[],address)", AGG_OPS, 0, NO, NO, NO, NO) \
	_(0x4c8c9ea1, "performCreate(uint256,bytes)", CREATE, NO, NO, 0, 1, NO) \
	_(0x51945447, "execute(address,uint256,bytes,uint8)", ONE, NO, 0, 1, 2, 3) \
	_(0x5229073f, "execTransactionFromModuleReturnData(address,uint256,bytes,uint8)", ONE, NO, 0, 1, 2, 3) \
	_(0x5296a431, "flashLoan(uint256,bytes)", PAYLOAD, NO, NO, NO, 1, NO) \
	_(0x541d63c8, "executeUserOpWithErrorString(address,uint256,bytes,uint8)", ONE, NO, 0, 1, 2, 3) \
	_(0x5ae401dc, "multicall(uint256,bytes[])", SELVES, 1, NO, NO, NO, NO) \
	_(0x5c11d795, "swapExactTokensForTokensSupportingFeeOnTransferTokens(uint256,uint256,address[],address,uint256)", NONE, NO, NO, NO, NO, NO) \
	_(0x5c38449e, "flashLoan(address,address[],uint256[],bytes)", PAYLOAD, NO, NO, NO, 3, NO) \
	_(0x5cffe9de, "flashLoan(address,address,uint256,bytes)", PAYLOAD, NO, NO, NO, 3, NO) \
	_(0x5f575529, "swap(string,address,uint256,bytes)", NONE, NO, NO, NO, NO, NO) \
	_(0x6171d1c9, "execute((address,uint256,bytes)[],bytes)", LIST, 0, 0, 1, 2, NO) \
	_(0x61c2926c, "selfExecute((bool,bool,uint256,address,uint256,bytes)[])", LIST, 0, 3, 4, 5, 0) \
	_(0x61ff715f, "deploy(uint256,bytes)", CREATE2, NO, NO, NO, 1, 0) \
	_(0x63fb0b96, "multicall(address[],bytes[])", COLUMNS, NO, 0, NO, 1, NO) \
	_(0x64e03087, "safeCreate2(bytes32,bytes)", CREATE2, NO, NO, NO, 1, 0) \
	_(0x656f3d64, "cook(uint8[],uint256[],bytes[])", COOK, 0, NO, NO, NO, NO) \
	_(0x66cfa057, "deploy(uint256,bytes32,bytes)", CREATE2, NO, NO, 0, 2, 1) \
	_(0x6769de82, "executeBySelf((address,uint256,bytes)[])", LIST, 0, 0, 1, 2, NO) \
	_(0x6928e74b, "execTransactionWithRole(address,uint256,bytes,uint8,uint16,bool)", ONE, NO, 0, 1, 2, 3) \
	_(0x6a761202, "execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)", ONE, NO, 0, 1, 2, 3) \
	_(0x6e0aacf7, "delegatecall(address,bytes)", ONE, NO, 0, NO, 1, DELEGATE) \
	_(0x6fadcf72, "forward(address,bytes)", ONE, NO, 0, NO, 1, NO) \
	_(0x74420f4c, "execute(address,uint256,bytes,uint256)", ONE, NO, 0, 1, 2, NO) \
	_(0x765e827f, "handleOps((address,uint256,bytes,bytes,bytes32,uint256,bytes32,bytes,bytes)[],address)", OPS, 0, NO, NO, NO, NO) \
	_(0x791ac947, "swapExactTokensForETHSupportingFeeOnTransferTokens(uint256,uint256,address[],address,uint256)", NONE, NO, NO, NO, NO, NO) \
	_(0x798133dd, "deployContract(bytes)", CREATE, NO, NO, NO, 0, NO) \
	_(0x7a9a1628, "execute((bool,bool,uint256,address,uint256,bytes)[],uint256,bytes)", LIST, 0, 3, 4, 5, 0) \
	_(0x7bb37428, "executeUserOp(address,uint256,bytes,uint8)", ONE, NO, 0, 1, 2, 3) \
	_(0x7c025200, "swap(address,(address,address,address,address,uint256,uint256,uint256,bytes),bytes)", NONE, NO, NO, NO, NO, NO) \
	_(0x7d5e81e2, "propose(address[],uint256[],bytes[],string)", COLUMNS, NO, 0, 1, 2, NO) \
	_(0x7d6f25ca, "deployDeterministic(bytes32,bytes)", CREATE2, NO, NO, NO, 1, 0) \
	_(0x7f565360, "deployCreate3(bytes)", CREATE, NO, NO, NO, 0, NO) \
	_(0x7ff36ab5, "swapExactETHForTokens(uint256,address[],address,uint256)", NONE, NO, NO, NO, NO, NO) \
	_(0x81548319, "lock(bytes)", PAYLOAD, NO, NO, NO, 0, NO) \
	_(0x81a5371f, "permitBatchAndCall((address,address,uint256,uint256,uint256)[],bytes[],((address,uint160,uint48,uint48)[],address,uint256),bytes,bytes[])", SELVES, 4, NO, NO, NO, NO) \
	_(0x82ad56cb, "aggregate3((address,bool,bytes)[])", LIST, 0, 0, NO, 2, NO) \
	_(0x8803dbee, "swapTokensForExactTokens(uint256,uint256,address[],address,uint256)", NONE, NO, NO, NO, NO, NO) \
	_(0x8c0b8db2, "create2(bytes,bytes32)", CREATE2, NO, NO, NO, 0, 1) \
	_(0x8d80ff0a, "multiSend(bytes)", PACKED, NO, NO, NO, 0, NO) \
	_(0x8dd7712f, "executeUserOp((address,uint256,bytes,bytes,bytes32,uint256,bytes32,bytes,bytes),bytes32)", TAIL, NO, NO, NO, NO, NO) \
	_(0x8f2a0bb0, "scheduleBatch(address[],uint256[],bytes[],bytes32,bytes32,uint256)", COLUMNS, NO, 0, 1, 2, NO) \
	_(0x90042baf, "createContract(bytes)", CREATE, NO, NO, NO, 0, NO) \
	_(0x9304c934, "cast(string[],bytes[],address)", COLUMNS, NO, UNTOLD, NO, 1, DELEGATE) \
	_(0x9881d195, "deployDeterministic(bytes,bytes32)", CREATE2, NO, NO, NO, 0, 1) \
	_(0x98e81077, "deployCreateAndInit(bytes,bytes,(uint256,uint256),address)", CREATE, 1, NO, 2, 0, NO) \
	_(0x9b17dd52, "create2(uint256,bytes32,bytes)", CREATE2, NO, NO, 0, 2, 1) \
	_(0x9c36a286, "deployCreate3(bytes32,bytes)", CREATE3, NO, NO, NO, 1, 0) \
	_(0x9c4ae2d0, "deploy(bytes,uint256)", CREATE2, NO, NO, NO, 0, 1) \
	_(0xa516a5bf, "execute(address[],uint256[],bytes[])", COLUMNS, NO, 0, 1, 2, NO) \
	_(0xa5efb235, "multiCall(address,(address,uint256,bytes)[])", LIST, 1, 0, 1, 2, NO) \
	_(0xa7db93f2, "deployCreate2AndInit(bytes32,bytes,bytes,(uint256,uint256),address)", CREATE2, 2, NO, 3, 1, 0) \
	_(0xa9059cbb, "transfer(address,uint256)", NONE, NO, NO, NO, NO, NO) \
	_(0xab9c4b5d, "flashLoan(address,address[],uint256[],uint256[],address,bytes,uint16)", PAYLOAD, NO, NO, NO, 5, NO) \
	_(0xabc5345e, "executeBySender((address,uint256,bytes)[])", LIST, 0, 0, 1, 2, NO) \
	_(0xac9650d8, "multicall(bytes[])", SELVES, 0, NO, NO, NO, NO) \
	_(0xb61d27f6, "execute(address,uint256,bytes)", ONE, NO, 0, 1, 2, NO) \
	_(0xb63e800d, "setup(address[],uint256,address,bytes,address,address,uint256,address)", ONE, NO, 2, NO, 3, DELEGATE) \
	_(0xb68df16d, "executeDelegateCall(address,bytes)", ONE, NO, 0, NO, 1, DELEGATE) \
	_(0xb6f9de95, "swapExactETHForTokensSupportingFeeOnTransferTokens(uint256,address[],address,uint256)", NONE, NO, NO, NO, NO, NO) \
	_(0xb858183f, "exactInput((bytes,address,uint256,uint256))", NONE, NO, NO, NO, NO, NO) \
	_(0xb88d4fde, "safeTransferFrom(address,address,uint256,bytes)", NONE, NO, NO, NO, NO, NO) \
	_(0xb9aaf526, "create2(bytes32,bytes)", CREATE2, NO, NO, NO, 1, 0) \
	_(0xb9b70ff5, "controlCollateral(address,address,uint256,bytes)", ONE, NO, 0, 2, 3, NO) \
	_(0xbae0fc03, "create2(uint256,bytes,bytes32)", CREATE2, NO, NO, 0, 1, 2) \
	_(0xbce38bd7, "tryAggregate(bool,(address,bytes)[])", LIST, 1, 0, NO, 1, NO) \
	_(0xc04b8d59, "exactInput((bytes,address,uint256,uint256,uint256))", NONE, NO, NO, NO, NO, NO) \
	_(0xc16ae7a4, "batch((address,address,uint256,bytes)[])", LIST, 0, 0, 2, 3, NO) \
	_(0xc28bc2fa, "relay(address,uint256,bytes)", ONE, NO, 0, 1, 2, NO) \
	_(0xc3077fa9, "blockAndAggregate((address,bytes)[])", LIST, 0, 0, NO, 1, NO) \
	_(0xc3fe107b, "deployCreate2AndInit(bytes,bytes,(uint256,uint256))", CREATE, 1, NO, 2, 0, NO) \
	_(0xc6427474, "submitTransaction(address,uint256,bytes)", ONE, NO, 0, 1, 2, NO) \
	_(0xc6fe8747, "execTransactionWithRole(address,uint256,bytes,uint8,bytes32,bool)", ONE, NO, 0, 1, 2, 3) \
	_(0xc8d18a45, "execute(address[],bytes[])", COLUMNS, NO, 0, NO, 1, NO) \
	_(0xcaa5c23f, "multicall((address,bytes)[])", LIST, 0, 0, NO, 1, NO) \
	_(0xccf96b4a, "executeBatch((address,address,uint256,uint256,uint48,bytes,bytes)[],address)", LIST, 0, 1, 2, 5, NO) \
	_(0xcdcb136e, "deploy3(bytes32,bytes)", CREATE3, NO, NO, NO, 1, 0) \
	_(0xcdcb760a, "deploy(bytes32,bytes)", CREATE2, NO, NO, NO, 1, 0) \
	_(0xcf4d6432, "deployAndInit(bytes,bytes32,bytes)", CREATE2, 2, NO, NO, 0, 1) \
	_(0xcf5ba53f, "create(bytes)", CREATE, NO, NO, NO, 0, NO) \
	_(0xd0a494e4, "flashLoan(uint256,uint256,address,bytes)", PAYLOAD, NO, NO, NO, 3, NO) \
	_(0xd2423b51, "batch(bytes[],bool)", SELVES, 0, NO, NO, NO, NO) \
	_(0xd691c964, "executeFromExecutor(bytes32,bytes)", MODE, NO, NO, NO, 1, 0) \
	_(0xd7f31eb9, "forward(address,uint256,bytes)", ONE, NO, 0, 1, 2, NO) \
	_(0xda95691a, "propose(address[],uint256[],string[],bytes[],string)", NONE, NO, NO, NO, NO, NO) \
	_(0xdbed18e0, "handleAggregatedOps(((address,uint256,bytes,bytes,bytes32,uint256,bytes32,bytes,bytes)[],address,bytes)[],address)", AGG_OPS, 0, NO, NO, NO, NO) \
	_(0xddda0acb, "deployCreate3AndInit(bytes32,bytes,bytes,(uint256,uint256),address)", CREATE3, 2, NO, 3, 1, 0) \
	_(0xdf905caf, "execute((address,address,uint256,uint256,uint48,bytes,bytes))", TUPLE, 0, 1, 2, 5, NO) \
	_(0xe0232b42, "flashLoan(address,uint256,bytes)", PAYLOAD, NO, NO, NO, 2, NO) \
	_(0xe0724b6e, "execute(address,bytes,uint256,bytes,uint256,uint256,address,address)", ONE, NO, SELF, NO, 1, NO) \
	_(0xe0e90acf, "cast(address[],bytes[],address)", COLUMNS, NO, 0, NO, 1, DELEGATE) \
	_(0xe38335e5, "executeBatch(address[],uint256[],bytes[],bytes32,bytes32)", COLUMNS, NO, 0, 1, 2, NO) \
	_(0xe437252a, "deployCreate2AndInit(bytes,bytes,(uint256,uint256),address)", CREATE, 1, NO, 2, 0, NO) \
	_(0xe6407ab8, "deploy2(bytes32,bytes)", CREATE2, NO, NO, NO, 1, 0) \
	_(0xe96deee4, "deployCreate2AndInit(bytes32,bytes,bytes,(uint256,uint256))", CREATE2, 2, NO, 3, 1, 0) \
	_(0xe9ae5c53, "execute(bytes32,bytes)", MODE, NO, NO, NO, 1, 0) \
	_(0xeb937aeb, "batchDispatch((bool,address,bytes)[],address[])", LIST, 0, 1, NO, 2, NO) \
	_(0xee072baf, "executeNextTx(address,uint256,bytes,uint8)", ONE, NO, 0, 1, 2, 3) \
	_(0xf242432a, "safeTransferFrom(address,address,uint256,uint256,bytes)", NONE, NO, NO, NO, NO, NO) \
	_(0xf28c0498, "exactOutput((bytes,address,uint256,uint256,uint256))", NONE, NO, NO, NO, NO, NO) \
	_(0xf5745aba, "deployCreate3AndInit(bytes,bytes,(uint256,uint256),address)", CREATE, 1, NO, 2, 0, NO) \
	_(0xf801a698, "schedule(address,bytes,uint48)", ONE, NO, 0, NO, 1, NO) \
	_(0xfb3bdb41, "swapETHForExactTokens(uint256,address[],address,uint256)", NONE, NO, NO, NO, NO, NO)
/* clang-format on */

#endif
