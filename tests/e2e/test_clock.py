"""A wall clock that steps under the daemon: nobody is killed early, nobody comes back."""
import os
import time
import unittest

import harness
import spop
from harness import CTL, LabCase
from web import Connection

STEP = os.path.join(harness.BUILD, "tests", "libstep_clock.so")
HOUR = 3600
LEEWAY = 30  # seconds, the default of a provider


@unittest.skipIf(harness.SANITIZED, "a sanitizer's runtime and the clock cannot both be preloaded first")
class WallClock(LabCase):
    asks_haproxy = False

    @classmethod
    def make(cls):
        cls.offset = os.path.join(cls.lab.dir, "clock")
        cls.step(0)
        env = {"LD_PRELOAD": STEP, "IDENTITYD_TEST_CLOCK": cls.offset}
        cls.agent = cls.lab.agent(env=env)
        cls.lab.haproxy("unix@" + cls.agent.unix, env=env)  # it says when a request came
        cls.lab.until(200, token=cls.provider.token())

    @classmethod
    def step(cls, seconds):
        """In place: the daemon has the file mapped."""
        with open(cls.offset, "r+b" if os.path.exists(cls.offset) else "wb") as f:
            f.write(seconds.to_bytes(8, "little", signed=True))

    def setUp(self):
        super().setUp()
        self.addCleanup(self.step, 0)

    def open(self, token):
        connection = Connection(self.lab.port)
        self.addCleanup(connection.close)
        self.assertEqual(connection.upgrade(token), 101)
        self.assertTrue(connection.echo())
        return connection

    def dying(self, seconds):
        """A tunnel whose token is good for so many seconds, and when it ends (monotonic)."""
        exp = int(time.time()) - LEEWAY + seconds
        tunnel = self.open(self.provider.sign(exp=exp, iat=exp - 60, sub=f"dying-{seconds}"))
        return tunnel, time.monotonic() + exp + LEEWAY - time.time()

    def test_steps_do_not_end_or_extend(self):
        """An hour forth and back: tunnels go on, and end when their expiry was written to end."""
        lasting = self.open(self.provider.token("admin", ttl=600))
        tunnel, end = self.dying(5)
        self.step(HOUR)
        self.lab.until(401, token=self.provider.token("admin"))  # the daemon's clock did step
        self.agent.process.wait_event(event="decision", reason="expired")
        for connection in tunnel, lasting:
            self.assertTrue(connection.echo())
        self.step(-HOUR)
        self.lab.until(401, token=self.provider.token("admin"))
        self.agent.process.wait_event(event="decision", reason="issued_in_future")
        self.assertTrue(tunnel.echo())
        self.assertLess(time.monotonic(), end)  # else nothing was shown
        self.assertIsNotNone(tunnel.ended(10))  # an hour longer by the wall clock
        self.assertGreater(time.monotonic(), end - .1)
        self.step(HOUR)
        self.assertTrue(lasting.echo())

    def test_revoked_stays_revoked(self):
        """A revocation that a step puts into the past, then into the future, still holds."""
        token = self.provider.sign(sub="stepped", exp=int(time.time()) + 2 * HOUR)
        good = self.provider.sign(sub="other", exp=int(time.time()) + 2 * HOUR)
        tunnel = self.open(token)
        harness.run(CTL, "revoke", "add", "--sub", "stepped", "--ttl", "30m", "--socket", self.agent.admin)
        self.assertIsNotNone(tunnel.ended(5))
        self.lab.until(401, token=token)
        self.step(HOUR)
        # Others come, so that what has expired would be tidied away; and a restart.
        harness.run(CTL, "revoke", "add", "--sub", "nobody", "--socket", self.agent.admin)
        self.agent.process.stop()
        self.agent.start()
        self.step(0)
        self.lab.until(200, token=good)
        self.assertEqual(self.lab.get(token=token).status, 401)
        self.agent.process.wait_event(event="decision", reason="revoked")


if __name__ == "__main__":
    unittest.main()
