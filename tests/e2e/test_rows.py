"""
What docs/HAPROXY.md says an agent must do, row by row, told by a scripted
HAProxy; each test names its rows. test_fragments.py has the fragments,
test_engine.py what the real engines do.
"""
import socket
import struct
import time
import unittest

import procs
import spop
from harness import LabCase
from spop import ABORT, FIN, Bin, Bool, Int, IPv4, IPv6, Null, Str

RESERVED = 0xfffffffc
VERDICTS = Str("allow"), Str("deny"), Str("error")


class Scripted(LabCase):
    """One agent without a kernel; its provider answers."""

    asks_haproxy = False

    @classmethod
    def make(cls):
        cls.agent = cls.lab.agent(bpf="off", setup=False, more="exports: [email]")

    def peer(self, **hello):
        """A connection on which HELLO was exchanged."""
        h = spop.FakeHaproxy(self.agent.unix)
        self.addCleanup(h.close)
        h.hello(**hello)
        return h

    def raw(self):
        h = spop.FakeHaproxy(self.agent.unix)
        self.addCleanup(h.close)
        return h

    def goodbye(self, h):
        """The status of the DISCONNECT that comes next, with which the agent closes."""
        frame = h.recv_frame()
        self.assertEqual((frame.type, frame.flags, frame.stream_id, frame.frame_id),
                         (spop.AGENT_DISCONNECT, FIN, 0, 0))
        status, message = spop.decode_disconnect(frame.payload)
        self.assertTrue(message)
        self.assertTrue(h.expect_closed())
        return status


class Handshake(Scripted):
    def test_answer(self):
        """HAPROXY.md 1.8.3, 1.8.5, 2.6.15: version, HAProxy's own size where ours is larger, FIN."""
        for offered, agreed in (16380, 16380), (65532, 16380), (8188, 8188), (256, 256):
            h = self.raw()
            h.send_frame(spop.HAPROXY_HELLO, spop.encode_hello(offered, engine_id="e" * 36))
            frame = h.recv_frame()
            self.assertEqual(frame[:4], (spop.AGENT_HELLO, FIN, 0, 0))
            hello = spop.decode_hello(frame.payload, agent=True)
            self.assertEqual((hello["version"], hello["max_frame_size"]), ("2.0", agreed))
            self.assertEqual(hello["capabilities"], ["pipelining", "fragmentation"])

    def test_keys(self):
        """HAPROXY.md 1.8.3: HAProxy knows keys by their beginnings, so there are the three, once."""
        h = self.raw()
        h.send_frame(spop.HAPROXY_HELLO, spop.encode_hello())
        keys = [key for key, _ in spop.decode_kv(h.recv_frame().payload)]
        self.assertEqual(keys, ["version", "max-frame-size", "capabilities"])

    def test_unknown_words(self):
        """HAPROXY.md 1.8.8: capabilities and keys that we do not know change nothing."""
        h = self.peer(capabilities="pipelining, teleport,async")
        self.assertEqual(h.agent["capabilities"], ["pipelining", "fragmentation"])
        h = self.raw()
        h.send_frame(spop.HAPROXY_HELLO, spop.encode_hello() + spop.encode_kv(
            [("new-key", Bin(b"\0\1")), ("", Null()), ("engine-id", Str("x"))]))
        self.assertEqual(h.recv_frame().type, spop.AGENT_HELLO)

    def test_no_pipelining(self):
        """HAPROXY.md 1.8.3: what HAProxy does not offer is not announced."""
        self.assertEqual(self.peer(capabilities="").agent["capabilities"], ["fragmentation"])

    def test_one_piece(self):
        """HAPROXY.md 2.6.13: the whole AGENT-HELLO is there with its first byte, over TCP too."""
        for address in [self.agent.unix, self.agent.tcp] * 25:
            with spop.FakeHaproxy(address) as h:
                h.send_frame(spop.HAPROXY_HELLO, spop.encode_hello())
                frame, used = spop.decode_frame(first := h.sock.recv(65536))
                self.assertEqual((frame.type, used), (spop.AGENT_HELLO, len(first)))

    def test_refused_late(self):
        """
        HAPROXY.md 1.8.2, 1.8.4, 1.8.10, 2.6.7: what is not a good HELLO gets a DISCONNECT
        and the end, but half a second later, also when it is asked by many at once.
        """
        peers = [self.raw() for _ in range(60)]
        start = time.monotonic()
        for i, h in enumerate(peers):
            if i % 2:
                h.send_frame(spop.HAPROXY_HELLO, spop.encode_hello(versions="1.0"))
            else:
                h.send_frame(spop.NOTIFY, spop.encode_message("identify", {}), 1, 1)
        good = self.peer()
        self.assertEqual(good.ask("identify", {})["reason"], Str("no_token"))
        self.assertLess(time.monotonic() - start, 0.4, "nobody else waits")
        for i, h in enumerate(peers):
            self.assertEqual(self.goodbye(h), 8 if i % 2 else 4)
        self.assertGreater(time.monotonic() - start, 0.45)
        self.assertLess(time.monotonic() - start, 3)

    def test_rate(self):
        """HAPROXY.md 2.6.7: one who comes back at once comes twice a second, not thousands."""
        start, times = time.monotonic(), 0
        while time.monotonic() - start < 1.4:
            with self.assertRaises(spop.Bad), spop.FakeHaproxy(self.agent.unix) as h:
                h.hello(versions="1.0")
            times += 1
        self.assertLessEqual(times, 3)

    def test_health_check(self):
        """
        HAPROXY.md 1.8.11, 2.8.1, 2.8.2, 2.8.3, 2.8.4: HAProxy's own 82 bytes get one HELLO
        with a frame size that every tune.bufsize takes, and nothing behind it.
        """
        check = spop.encode_frame(spop.HAPROXY_HELLO, spop.encode_hello(
            capabilities="", healthcheck=True))
        self.assertEqual(len(check), 82)
        for more in b"", spop.encode_frame(spop.NOTIFY, b"", 1, 1), b"\0" * 9:
            h = self.raw()
            h.send_raw(check + more)
            frame = h.recv_frame()
            self.assertEqual(frame[:4], (spop.AGENT_HELLO, FIN, 0, 0))
            hello = spop.decode_hello(frame.payload, agent=True)
            self.assertLessEqual(hello["max_frame_size"], 1024)
            self.assertEqual(hello["capabilities"], [])
            self.assertTrue(h.expect_closed())


class Frames(Scripted):
    def test_lengths(self):
        """HAPROXY.md 1.8.1, 2.6.16: a length of 0 to 6 is status 4, one above the agreed 3."""
        for length, status in (0, 4), (6, 4), (1025, 3), (2**32 - 1, 3):
            h = self.peer(max_frame_size=1024)
            h.send_raw(struct.pack(">I", length) + b"\3\0\0\0\1\1\1")
            self.assertEqual(self.goodbye(h), status)

    def test_flags(self):
        """HAPROXY.md 1.8.8: ABORT and reserved flags on a whole NOTIFY change nothing."""
        h = self.peer()
        for flags in FIN | ABORT, FIN | RESERVED, 0xffffffff:
            h.send_frame(spop.NOTIFY, spop.encode_message("identify", {}), 5, 6, flags)
            self.assertEqual(h.recv_ack()[:2], (5, 6))

    def test_arguments(self):
        """HAPROXY.md 1.8.8: NULL, unnamed and unknown arguments are accepted; addresses mapped."""
        got = self.peer().ask("identify", [
            ("token", Null()), ("", Str("x")), ("", Null()), ("new", Bool(True)), ("src", Null()),
            ("dst", IPv4("192.0.2.1")), ("client", IPv6("::ffff:192.0.2.1")), ("sport", Int(-5)),
            ("path", Str("")), ("headers", Bin(b"\0" * 99))])
        self.assertIn(got["reason"], (Str("no_token"), Str("request_malformed")))

    def test_one_ack_each(self):
        """
        HAPROXY.md 1.8.7, 1.8.14, 2.6.2, 2.6.8, 2.6.9: one ACK for each NOTIFY, with its own
        ids, stream 0 included; nothing else follows.
        """
        h = self.peer()
        ids = [(0, 1), (0, 2), (1, 1), (3, 1), (2**64 - 1, 2**63), (70000, 300)]
        for stream, number in ids:
            h.notify("identify", {}, stream, number)
        self.assertEqual(sorted(h.recv_ack()[:2] for _ in ids), sorted(ids))
        with self.assertRaises(TimeoutError):
            h.recv_frame(0.3)

    def test_per_connection(self):
        """HAPROXY.md 1.8.7: ids belong to a connection; the ACK comes where the NOTIFY came."""
        peers = [self.peer(engine_id="the same") for _ in range(4)]
        for h in peers:
            h.notify("identify", {"path": Str("/")}, 1, 1)
        for h in reversed(peers):
            self.assertEqual(h.recv_ack()[:2], (1, 1))

    def test_never_empty(self):
        """
        HAPROXY.md 2.6.1: every ACK says something, whatever was asked, and the
        verdict last, so that an answer cut anywhere is no answer.
        """
        token = self.provider.token()
        for name, args in (("identify", {}), ("identify", {"token": Str("x")}), ("other", {}),
                           ("identify", {"token": Int(1)}), ("identify", {"token": Str(token)})):
            h = self.peer()
            h.notify(name, args)
            actions = spop.decode_ack(h.recv_frame().payload)
            self.assertEqual(actions[-1].name, "verdict")
            self.assertIn(actions[-1].value, VERDICTS)
            self.assertEqual(len({a.name for a in actions}), len(actions))

    def test_names(self):
        """
        HAPROXY.md 1.5.1, 2.12.1: names fit HAProxy's 63 bytes with "txn.ident." before
        them, and no variable outlives its request: all are in scope txn.
        """
        h = self.peer()
        h.notify("identify", {"token": Str(self.provider.token())})
        actions = spop.decode_ack(h.recv_frame().payload)
        self.assertIn("claim_email", [a.name for a in actions])
        for action in actions:
            self.assertEqual(action.scope, spop.TXN)
            self.assertLessEqual(len("txn.ident." + action.name), 63)

    def test_too_long(self):
        """
        HAPROXY.md 1.8.6: an answer that the agreed frame cannot hold becomes an
        error that it can, with no identity in it.
        """
        # 256 bytes hold the error alone, without the variables that are unset.
        for size in 256, 280:
            h = self.peer(max_frame_size=size)
            h.notify_fragmented("identify", {"token": Str(self.provider.token())},
                                [200] * 5)
            frame = h.recv_frame()
            got = spop.variables(frame.payload)
            self.assertEqual((got["verdict"], got["reason"], got["status"].value),
                             (Str("error"), Str("answer_too_long"), 503))
            self.assertIsNone(got.get("id"))
            self.assertLessEqual(len(frame.payload) + 7, size)

    def test_split(self):
        """HAPROXY.md 1.8.1: a session means the same when every byte of it comes alone."""
        h = self.raw()
        h.send_raw(spop.encode_frame(spop.HAPROXY_HELLO, spop.encode_hello()) +
                   spop.encode_frame(spop.NOTIFY, spop.encode_message("identify", {}), 8, 9),
                   chunk=1)
        self.assertEqual(h.recv_frame().type, spop.AGENT_HELLO)
        self.assertEqual(h.recv_ack()[:2], (8, 9))


class Goodbyes(Scripted):
    def test_disconnect(self):
        """HAPROXY.md 1.8.9, 1.8.10: DISCONNECT is answered by one and the end; what follows is ignored."""
        for more in b"", spop.encode_frame(spop.NOTIFY, spop.encode_message("identify", {}), 1, 1):
            h = self.peer()
            h.send_raw(spop.encode_frame(spop.HAPROXY_DISCONNECT, spop.encode_disconnect()) + more)
            self.assertEqual(self.goodbye(h), 0)

    def warnings(self):
        return len([e for e in self.agent.process.events(event="disconnect")
                    if e["level"] in ("warning", "error")])

    def closed_by_peer(self):
        return self.agent.metric('^identityd_spop_closed_total.*by="peer"')

    def end(self, how):
        h = spop.FakeHaproxy(self.agent.unix)
        h.hello()
        if isinstance(how, int):
            h.disconnect(how, "as HAProxy says it")
        elif how == "in flight":
            h.notify("identify", {})
        elif how == "reset":
            h.notify("identify", {})  # an answer that nobody reads resets a unix socket
            time.sleep(0.05)
        h.close()

    def test_normal_ends(self):
        """
        HAPROXY.md 1.8.12: end of stream, reset, an end in flight and DISCONNECT 0, 1, 2
        are counted as the peer's; none is a warning. Its complaint about us is one.
        """
        self.peer().close()
        warnings = self.warnings()
        for how in "eof", "reset", "in flight", 0, 1, 2:
            before = self.closed_by_peer()
            self.end(how)
            procs.eventually(lambda: self.closed_by_peer() > before, what=f"{how} is counted")
        self.assertEqual(self.warnings(), warnings)
        self.end(10)
        procs.eventually(lambda: self.warnings() == warnings + 1, what="10 is a warning")


class Silent(Scripted):
    """One agent whose provider takes connections and says nothing."""

    deadline = "150ms"

    @classmethod
    def make(cls):
        cls.idp = socket.create_server(("127.0.0.1", 0), backlog=64)
        cls.addClassCleanup(cls.idp.close)
        cls.agent = cls.lab.agent(
            bpf="off", setup=False, issuer="http://127.0.0.1:%d" % cls.idp.getsockname()[1],
            more="spop: {deadline: %s}" % cls.deadline)
        cls.token = cls.provider.token()


class Deadline(Silent):
    def test_deadline(self):
        """
        HAPROXY.md 2.6.10: a NOTIFY that waits for keys gets its error at the deadline:
        before HAProxy's 200 ms are over, and not much sooner.
        """
        h, times = self.peer(), []
        for _ in range(7):
            start = time.monotonic()
            got = h.ask("identify", {"token": Str(self.token)})
            times.append(time.monotonic() - start)
            self.assertEqual((got["verdict"], got["reason"]),
                             (Str("error"), Str("keys_unavailable")))
        self.assertGreater(min(times), 0.12)
        # Now and then this test itself is slow on a busy machine.
        self.assertLess(sorted(times)[2], 0.195, times)

    def test_out_of_order(self):
        """HAPROXY.md 2.6.11: who can be answered does not wait for who cannot."""
        h = self.peer()
        h.notify("identify", {"token": Str(self.token)}, 1, 1)
        h.notify("identify", {}, 3, 1)
        h.notify("identify", {"token": Str(self.token)}, 5, 1)
        self.assertEqual([h.recv_ack()[0] for _ in range(3)], [3, 1, 5])


class Waiting(Silent):
    """There is time to look at what waits."""

    deadline = "950ms"

    def parked(self):
        return self.agent.metric("^identityd_spop_parked_total")

    def owed(self):
        """A connection with a NOTIFY that waits."""
        before, h = self.parked(), self.peer()
        h.notify("identify", {"token": Str(self.token)}, 1, 1)
        procs.eventually(lambda: self.parked() > before, what="it waits")
        return h

    def test_hello_at_once(self):
        """HAPROXY.md 2.6.12: a HELLO is answered at once, whatever waits."""
        busy = self.peer()
        for stream in range(1, 41, 2):
            busy.notify("identify", {"token": Str(self.token)}, stream, 1)
        start = time.monotonic()
        self.peer()
        self.assertLess(time.monotonic() - start, 0.5)

    def test_peer_gone(self):
        """HAPROXY.md 1.8.12: who leaves while its NOTIFYs wait takes them with it."""
        answered = self.agent.metric('^identityd_decisions_total.*"keys_unavailable"')
        self.owed().close()
        time.sleep(1.1)
        self.assertEqual(self.agent.metric("^identityd_spop_waiting"), 0)
        self.assertEqual(
            self.agent.metric('^identityd_decisions_total.*"keys_unavailable"'), answered)

    def test_drain(self):
        """
        HAPROXY.md 2.6.3, 2.6.4, 2.6.5, 2.6.6, 9.1, 9.2: SIGTERM closes no connection that
        is owed an ACK; who is owed none gets DISCONNECT 0 and the end.
        """
        idle, owed = self.peer(), self.owed()
        self.agent.process.signal(15)
        try:
            self.assertEqual(self.goodbye(idle), 0)
            self.assertEqual(owed.recv_ack()[:2], (1, 1))
            self.assertEqual(self.goodbye(owed), 0)
            self.assertEqual(self.agent.process.child.wait(5), 0)
        finally:
            self.agent.start()


if __name__ == "__main__":
    unittest.main()
