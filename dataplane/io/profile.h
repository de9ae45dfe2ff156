/* SPDX-License-Identifier: BSD-3-Clause */
/* profile: the box profile, YAML, into a topology. Only the keys below; an unknown or repeated key, a wrong kind or a number out of range is
 * refused with file:line:column and the key's name.
 *
 *   huge_pages: true            # default false
 *   memory_mb: 512              # packet buffers
 *   idle: spin                  # spin | pause | sleep
 *   checksum: trust             # trust | verify; a veth or an offloading host shows wrong ones that are none
 *   mtu: 1500
 *   cores: {main: 0, correlator: 1, workers: [2, 3]}
 *   ports: ["0000:03:00.0", "net_af_packet0,iface=eth1"]
 *                               # or as mappings:
 *   ports:
 *     - device: "0000:03:00.0"  # PCI address or virtual device
 *       args: "mprq_en=1"       # for its driver
 *       checksum: verify        # trust | verify, for this port; default: as above
 *       queues: 2               # 1 or one for each worker; default: as many as work
 *     - interface: eth1         # short for AF_XDP on it; needs huge_pages
 *       steer: true             # what is not the nodes' goes on to the kernel; default false
 *   flows: 1048576              # per worker
 *   seen: 4194304               # transactions remembered per worker, a power of two
 *   pipe_mb: 4                  # worker to correlator
 *   ring: {slots: 4096, evidence_mb: 16}
 *   feeds: {http: true, websocket: [8546], rlpx: [30303], engine: [8551], grpc: [9090], arbitrum: off}
 *                               # true or auto: by detection on any port (default); a list: only on these TCP ports; false or off: not read
 *   chains: [1, 8453]           # transactions of other chains are counted, and not scanned; default: any
 *   protocols: {aave-v3: ["0x87870bca3f3fd6335c3f4ce8392d69350b4fa4e2"], uniswap-v3: [...]}
 *                               # names and their contracts, for figures per protocol; letters in either case
 *   nodes:                      # beside the box, at most 16: figures and alarms of their own; all other connections are of node "other"
 *     geth-1: {addresses: ["192.0.2.2", "2001:db8::2"], silence_s: 60, feeds: [http, rlpx]}
 *     geth-2: {addresses: ["192.0.2.3:8545", "[2001:db8::3]:30303"]}
 *                               # an address with a port is the node for that port alone: of several nodes behind one address. Connections that
 *                               # such a node opens come from other ports and are not known to be its own. silence_s: when silence is told, 1 to
 *                               # 604800; default: as has turned out to be usual. feeds: whose silence is told; default: every one ever heard
 *   filter: {ports: [8545, 30303], addresses: ["192.0.2.2", "2001:db8::/32"], vlans: [100], tunnels: ["10.0.0.1"]}
 *                               # what of a steered port's frames is the nodes' (worker/filter.h); a list left out: any (tunnels: none).
 *                               # Without a filter: the addresses of the nodes if there are any, else all TCP and all tunnels
 *   rlpx_keys: FILE             # key log of RLPx sessions, see io/keylog.h; it is not opened here
 */
#ifndef IO_PROFILE_H
#define IO_PROFILE_H

#include "worker/topology.h"

#define PROFILE_BYTES_MAX 65536
#define PROFILE_DEPTH_MAX 32u /* brackets that may be open at once */

/* profile_load changes in *t what the file says. 0, or -errno with "file:line:column: ..." in err. */
int profile_load(const char *path, struct topology *t, char *err, size_t err_cap);
/* profile_parse: the same from memory; `name` stands for the file in messages. */
int profile_parse(const char *name, const char *text, size_t n, struct topology *t, char *err, size_t err_cap);

#endif
