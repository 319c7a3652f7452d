"""Messages larger than a frame: HAProxy up to 3.0 sends them in fragments, later ones fail alone."""
import os
import unittest

import harness
import spop
from harness import LabCase
from spop import Str


class Oversize(LabCase):
    """HAProxy with its default, send-frag-payload, and a message that no frame holds."""

    @classmethod
    def make(cls):
        cls.agent = cls.lab.agent()
        spoe = os.path.join(cls.lab.dir, "spoe.cfg")
        with open(os.path.join(harness.ROOT, "examples", "spoe-identity.cfg")) as f:
            text = f.read()
        # As many headers as it takes, and HAProxy's own default.
        text = text.replace("no option  send-frag-payload", "")
        text = text.replace("args scheme=", "args headers=req.hdrs_bin again=req.hdrs_bin scheme=")
        with open(spoe, "w") as f:
            f.write(text)
        cls.lab.haproxy("unix@" + cls.agent.unix, spoe=spoe)
        cls.lab.until(200, token=cls.provider.token())

    def test_real(self):
        """
        HAPROXY.md 2.7.1, 2.7.2: 13 KiB of headers, sent twice, beside other requests. HAProxy
        up to 3.0 sends fragments and gets an answer; 3.1 and later refuse that
        request alone. No connection to the agent is lost either way.
        """
        token = self.provider.token()
        large = [("X-Filler", "f" * 6500), ("X-More", "m" * 6500)]
        before = self.agent.metric("^identityd_spop_connections_total")
        healthchecks = self.agent.metric("^identityd_spop_healthchecks_total")
        fragments = harness.haproxy_version() < (3, 1)
        for _ in range(5):
            self.assertEqual(self.lab.get(token=token).status, 200)
            answer = self.lab.get(token=token, headers=large)
            self.assertEqual(answer.status, 200 if fragments else 503)
        opened = self.agent.metric("^identityd_spop_connections_total") - before
        checks = self.agent.metric("^identityd_spop_healthchecks_total") - healthchecks
        self.assertLess(opened - checks, 10)
        self.assertEqual(self.agent.metric("^identityd_spop_fragmented_total"),
                         5 if fragments else 0)
        self.assertEqual(self.agent.metric('identityd_spop_closed_total.*"bad_frame"'), 0)


class Scripted(LabCase):
    """A scripted HAProxy."""

    asks_haproxy = False

    @classmethod
    def make(cls):
        cls.agent = cls.lab.agent(bpf="off", setup=False)

    def peer(self):
        return spop.FakeHaproxy(self.agent.unix)

    def test_reassembled(self):
        """HAPROXY.md 1.8.13: NOTIFY without FIN and UNSET frames are one message, one ACK."""
        with self.peer() as h:
            self.assertIn("fragmentation", h.hello()["capabilities"])
            for sizes in [], [0], [1] * 30, [16000, 16000]:
                text = Str("/" + "x" * 33000)
                h.notify_fragmented("identify", {"path": text}, [*sizes, 16300, 16300], 0, 7)
                self.assertEqual(h.recv_ack()[:2], (0, 7))

    def test_bound(self):
        """HAPROXY.md 2.7.2: beyond spop.max_message_size the answer is an error, not a goodbye."""
        with self.peer() as h:
            h.hello()
            h.notify_fragmented("identify", {"path": Str("x" * 200000)}, [16000] * 12, 4, 1)
            stream, number, got = h.recv_ack()
            self.assertEqual((stream, number, got["reason"], got["verdict"]),
                             (4, 1, Str("message_too_large"), Str("error")))
            self.assertEqual(h.ask("identify", {})["reason"], Str("no_token"))

    def test_abort(self):
        """HAPROXY.md 1.8.13: UNSET with FIN and ABORT cancels: no ACK, and the next is answered."""
        with self.peer() as h:
            h.hello()
            h.notify_fragmented("identify", {"path": Str("x" * 200)}, [100], 4, 1, cancel=True)
            self.assertEqual(h.ask("identify", {})["reason"], Str("no_token"))

    def test_interlaced(self):
        """HAPROXY.md 1.8.13: frames of two messages in turn are refused with status 11."""
        pieces = spop.fragments(spop.encode_message("identify", {"path": Str("x" * 200)}), [100])
        for other in (3, pieces[0]), (0, pieces[1]):
            with self.subTest(other[0]), self.peer() as h:
                h.hello()
                h.send_frame(spop.NOTIFY, pieces[0].payload, 1, 1, 0)
                h.send_frame(other[0], other[1].payload, 3, 1, spop.FIN)
                frame = h.recv_frame()
                self.assertEqual(spop.decode_disconnect(frame.payload)[0], 11)
                self.assertTrue(h.expect_closed())

    def test_not_for_checks(self):
        """HAPROXY.md 2.8.4: a health check's answer says nothing of fragments."""
        with self.peer() as h:
            self.assertEqual(h.hello(healthcheck=True, capabilities="")["capabilities"], [])


if __name__ == "__main__":
    unittest.main()
