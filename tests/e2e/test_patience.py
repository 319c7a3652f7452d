"""Descriptors run out; peers that flood, stall or talk nonsense; what the others notice of it."""
import os
import socket
import time
import unittest
import unittest.mock

import harness
from harness import LabCase
from test_spop import HELLO, NOTIFY, QUESTION, frame


def ticks(pid):
    """CPU time of a process, in seconds."""
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Descriptors(LabCase):
    asks_haproxy = False

    @classmethod
    def make(cls):
        few = os.path.join(cls.lab.dir, "few")
        with open(few, "w") as f:
            f.write(f'#!/bin/bash\nulimit -n 64\nexec {harness.IDENTITYD} "$@"\n')
        os.chmod(few, 0o755)
        with unittest.mock.patch.object(harness, "IDENTITYD", few):
            cls.agent = cls.lab.agent(bpf="off", setup=False)

    def test_none_left(self):
        """Without descriptors accepting stops without spinning, and goes on when there are some."""
        pid = self.agent.process.pid
        peers = []
        try:
            while not self.agent.process.events(event="accept_failed"):
                peers.append(socket.socket(socket.AF_UNIX))
                peers[-1].settimeout(10)
                peers[-1].connect(self.agent.unix)
                peers[-1].sendall(HELLO)
                self.assertLess(len(peers), 64)
                time.sleep(0.02)
            start = ticks(pid)
            time.sleep(2)
            self.assertLess(ticks(pid) - start, 0.3)
            last = peers.pop()
        finally:
            for peer in peers:
                peer.close()
        self.assertTrue(last.recv(100), "it is served after all")
        last.close()


class BadNeighbours(LabCase):
    asks_haproxy = False

    @classmethod
    def make(cls):
        cls.agent = cls.lab.agent(bpf="off", setup=False, workers=1)

    def median(self, peer, rounds=200):
        """The middle of the times that one request and its answer take."""
        times = []
        for _ in range(rounds):
            start = time.monotonic()
            peer.sendall(frame(NOTIFY, QUESTION, 1, 1))
            peer.recv(4096)
            times.append(time.monotonic() - start)
        return sorted(times)[rounds // 2]

    def test_flood(self):
        """Floods of tiny requests, silence and halves of frames: a neighbour's answers stay prompt."""
        others = []
        with socket.socket(socket.AF_UNIX) as good:
            good.settimeout(10)
            good.connect(self.agent.unix)
            good.sendall(HELLO)
            good.recv(4096)
            for say in b"", HELLO[:7], HELLO + b"\0\0\0\x40", b"garbage\r\n\r\n":
                other = socket.socket(socket.AF_UNIX)
                other.connect(self.agent.unix)
                other.sendall(say)
                others.append(other)
            flood = socket.socket(socket.AF_UNIX)
            flood.setblocking(False)
            flood.connect(self.agent.unix)
            flood.send(HELLO)
            others.append(flood)
            many = frame(NOTIFY, QUESTION, 1, 1) * 2000
            sent = 0
            times = []
            for _ in range(200):
                try:
                    sent += flood.send(many)
                    flood.recv(1 << 20)
                except BlockingIOError:
                    pass
                times.append(self.median(good, 3))
            self.assertGreater(sent, len(many))
            self.assertLess(sorted(times)[100], 0.01)
        for other in others:
            other.close()


if __name__ == "__main__":
    unittest.main()
