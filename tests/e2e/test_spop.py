"""The SPOP socket against peers that are not HAProxy (bytes written by hand from SPOE.txt)."""
import socket
import struct
import unittest

import harness
import procs
from harness import LabCase

HAPROXY_HELLO, HAPROXY_DISCONNECT, NOTIFY = 1, 2, 3
AGENT_HELLO, AGENT_DISCONNECT, ACK = 101, 102, 103
IO, TOO_BIG, INVALID, NO_VERSION, NO_SIZE, NO_CAPS, BAD_VERSION, BAD_SIZE = 1, 3, 4, 5, 6, 7, 8, 9


def varint(n):
    if n < 240:
        return bytes([n])
    out, n = [n & 15 | 240], (n - 240) >> 4
    while n >= 128:
        out.append(n & 127 | 128)
        n = (n - 128) >> 7
    return bytes(out + [n])


def text(s):
    return varint(len(s)) + s.encode()


def frame(kind, payload=b"", stream=0, number=0, flags=1):
    body = bytes([kind]) + struct.pack(">I", flags) + varint(stream) + varint(number) + payload
    return struct.pack(">I", len(body)) + body


VERSION = text("supported-versions") + b"\x08" + text("2.0")
SIZE = text("max-frame-size") + b"\x03" + varint(16380)
CAPS = text("capabilities") + b"\x08" + text("pipelining")
HELLO = frame(HAPROXY_HELLO, VERSION + SIZE + CAPS)
QUESTION = text("identify") + b"\x00"


class Peer:
    """A connection to the agent, from the peer's side."""

    def __init__(self, agent, say=b""):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(5)
        self.socket.connect(agent.unix)
        self.buffer = b""
        self.say(say)

    def say(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the agent may have hung up on the beginning already

    def _read(self, n):
        while len(self.buffer) < n:
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                return None
            self.buffer += data
        piece, self.buffer = self.buffer[:n], self.buffer[n:]
        return piece

    def frame(self):
        """(type, rest) of the next frame; None at the end of the connection."""
        head = self._read(4)
        if head is None:
            return None
        body = self._read(struct.unpack(">I", head)[0])
        return body[0], body[1:]

    def frames(self):
        """All frames up to the end of the connection."""
        found = []
        while (one := self.frame()) is not None:
            found.append(one)
        self.socket.close()
        return found

    def status(self):
        """The status of the DISCONNECT with which the agent ended the connection."""
        kind, rest = self.frames()[-1]
        assert kind == AGENT_DISCONNECT, kind
        at = rest.index(b"\x0bstatus-code") + 12
        assert rest[at] & 15 == 3, "status-code is an UINT32"
        assert b"\x07message" in rest
        return rest[at + 1]


class Malformed(LabCase):
    """Every malformed frame: DISCONNECT with the right status, then close; the daemon lives."""

    asks_haproxy = False

    CASES = {
        "first frame is not HELLO": (INVALID, frame(NOTIFY, QUESTION, 1, 1)),
        "garbage": (TOO_BIG, b"GET / HTTP/1.1\r\n\r\n"),
        "length below 7": (INVALID, struct.pack(">I", 6) + b"\x01" * 6),
        "length 0": (INVALID, struct.pack(">I", 0)),
        "length above the limit": (TOO_BIG, struct.pack(">I", 0x7fffffff)),
        "no version": (NO_VERSION, frame(HAPROXY_HELLO, SIZE + CAPS)),
        "no frame size": (NO_SIZE, frame(HAPROXY_HELLO, VERSION + CAPS)),
        "no capabilities": (NO_CAPS, frame(HAPROXY_HELLO, VERSION + SIZE)),
        "another version": (BAD_VERSION, frame(HAPROXY_HELLO, VERSION[:-3] + b"1.0" + SIZE + CAPS)),
        "a small frame size": (BAD_SIZE, frame(
            HAPROXY_HELLO, VERSION + text("max-frame-size") + b"\x03" + varint(255) + CAPS)),
        "HELLO cut short": (INVALID, frame(HAPROXY_HELLO, (VERSION + SIZE + CAPS)[:-1])),
        "HELLO of a wrong type": (INVALID, frame(
            HAPROXY_HELLO, text("supported-versions") + b"\x11" + SIZE + CAPS)),
        "HELLO with a stream": (INVALID, frame(HAPROXY_HELLO, VERSION + SIZE + CAPS, 1, 1)),
        "second HELLO": (INVALID, HELLO + HELLO),
        "NOTIFY above the negotiated size": (TOO_BIG, HELLO + struct.pack(">I", 16381)),
        "NOTIFY cut short": (INVALID, HELLO + frame(NOTIFY, text("identify") + b"\x01", 1, 1)),
        "endless id": (INVALID, HELLO + struct.pack(">I", 20) + b"\x03\0\0\0\x01" + b"\xff" * 15),
        "reserved type": (INVALID, HELLO + frame(
            NOTIFY, text("identify") + b"\x01" + text("token") + b"\x0a", 1, 1)),
        "text beyond the frame": (INVALID, HELLO + frame(
            NOTIFY, text("identify") + b"\x01" + text("token") + b"\x08\xf0\xff", 1, 1)),
    }

    @classmethod
    def make(cls):
        cls.agent = cls.lab.agent(bpf="off", setup=False)

    def test_statuses(self):
        """Each case by its name; all at once, since refusals of a HELLO come late."""
        peers = {name: Peer(self.agent, data) for name, (_, data) in self.CASES.items()}
        for name, (status, _) in self.CASES.items():
            with self.subTest(name):
                self.assertEqual(peers[name].status(), status)
        self.assertTrue(self.agent.process.alive())

    def test_byte_by_byte(self):
        """The same answers when every byte comes alone."""
        for name in "second HELLO", "NOTIFY cut short":
            with self.subTest(name):
                status, data = self.CASES[name]
                peer = Peer(self.agent)
                for i in range(len(data)):
                    peer.say(data[i:i + 1])
                self.assertEqual(peer.status(), status)

    def test_disconnect(self):
        """HAProxy's DISCONNECT is answered with one, status 0, and the end."""
        goodbye = frame(HAPROXY_DISCONNECT, text("status-code") + b"\x03\x00" +
                        text("message") + b"\x08" + text("normal"))
        self.assertEqual(Peer(self.agent, HELLO + goodbye).status(), 0)

    def test_health_check(self):
        """A health check gets HELLO and nothing after it."""
        check = frame(HAPROXY_HELLO, VERSION + SIZE + text("capabilities") + b"\x08\x00" +
                      text("healthcheck") + b"\x11")
        peer = Peer(self.agent, check)
        self.assertEqual(peer.frame()[0], AGENT_HELLO)
        peer.socket.shutdown(socket.SHUT_WR)
        self.assertEqual(peer.frames(), [])

    def test_one_ack_each(self):
        """Pipelined NOTIFYs get one ACK each, with their own ids and at least one action."""
        ids = [(0, 1), (1, 1), (3, 1), (70000, 300), (5, 9)]
        peer = Peer(self.agent, HELLO + b"".join(frame(NOTIFY, QUESTION, *i) for i in ids))
        self.assertEqual(peer.frame()[0], AGENT_HELLO)
        seen = []
        for _ in ids:
            kind, rest = peer.frame()
            self.assertEqual((kind, rest[:4]), (ACK, b"\0\0\0\1"))
            seen.append(next(i for i in ids if rest[4:].startswith(varint(i[0]) + varint(i[1]))))
            self.assertIn(b"\x07verdict", rest)
        self.assertEqual(sorted(seen), sorted(ids))
        peer.socket.close()

    def test_counted(self):
        """Malformed peers are counted, and the next one is served."""
        before = self.agent.metric("bad_frame")
        Peer(self.agent, self.CASES["length 0"][1]).status()
        self.assertGreater(self.agent.metric("bad_frame"), before)
        self.assertEqual(Peer(self.agent, HELLO).frame()[0], AGENT_HELLO)


class Memory(LabCase):
    """What peers that mean no good cost the agent, and the others."""

    PEERS = 300

    @classmethod
    def make(cls):
        cls.agent = cls.lab.agent(bpf="off", setup=False)
        cls.lab.haproxy("unix@" + cls.agent.unix)
        cls.lab.until(200, token=cls.provider.token())

    def rss(self):
        with open(f"/proc/{self.agent.process.pid}/status", encoding="ascii") as f:
            return next(int(line.split()[1]) << 10 for line in f if line.startswith("VmRSS"))

    def good(self, token):
        """
        A request in between is answered. On a slow machine, or under a sanitizer, the
        flood may cost one HAProxy's 200 ms, so it may be asked again.
        """
        self.lab.until(200, timeout=30, token=token)

    def test_bounded(self):
        """
        Frames that are begun, answers that nobody reads: memory stays below a frame
        for each peer, the two workers' 32 MiB, and a constant; HAProxy goes on being
        served; and who goes on like that is sent away.
        """
        token, before = self.provider.token(), self.rss()
        flood = frame(NOTIFY, QUESTION, stream=1, number=1) * 4000
        peers = [Peer(self.agent, HELLO) for _ in range(self.PEERS)]
        for number, peer in enumerate(peers):
            peer.frame()
            peer.socket.settimeout(0.2)
            try:
                peer.say(struct.pack(">I", 16380) + bytes(16000) if number % 2 else flood)
            except TimeoutError:
                pass  # the agent does not read from a peer that does not read
            if number % 50 == 0:
                self.good(token)
        grown = self.rss() - before
        # Sanitizers keep what was freed, and shadow what was not.
        bound = (self.PEERS * 16384 + (2 * 32 << 20) + (8 << 20)) * (
            1 if harness.BUILD.endswith(("dev", "release")) else 4)
        self.assertLess(grown, bound)
        self.good(token)
        procs.eventually(lambda: self.agent.metric(
            '^identityd_spop_closed_total.*why="(timeout|resources)"') >= self.PEERS, 20,
            what="they are sent away")
        self.good(token)
        for peer in peers:
            peer.socket.close()


if __name__ == "__main__":
    unittest.main()
