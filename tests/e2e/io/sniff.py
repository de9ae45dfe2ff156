# SPDX-License-Identifier: BSD-3-Clause
"""What crosses an interface, as a pcap file with nanoseconds. Not tcpdump, which the tests do not have everywhere."""
import select
import socket
import struct
import threading

ETH_P_ALL = 3
SOL_PACKET, PACKET_STATISTICS = 263, 6
SO_TIMESTAMPNS, SO_RCVBUFFORCE = 35, 33


class Sniffer:
    def __init__(self, interface, path):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 128 << 20)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.bind((interface, ETH_P_ALL))
        self.file = open(path, "wb")
        self.file.write(struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 262144, 1))
        self.frames = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.work, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def work(self):
        while True:
            if not select.select([self.socket], [], [], 0.2)[0]:
                if self.over.is_set():
                    return
                continue
            frame, more, _, _ = self.socket.recvmsg(262144, 64)
            s, ns = struct.unpack("@qq", more[0][2])
            self.file.write(struct.pack("<IIII", s, ns, len(frame), len(frame)) + frame)
            self.frames += 1

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        _, lost = struct.unpack("@II", self.socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
        self.socket.close()
        self.file.close()
        assert lost == 0, f"the capture lost {lost} frames"
