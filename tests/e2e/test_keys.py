"""The provider's keys: rotation, a provider that is not there, one that talks rubbish."""
import collections
import os
import threading
import time
import unittest

import harness
import procs
import tokens
from harness import LabCase


class OwnProvider(LabCase):
    """A provider that the tests of one class may break."""

    @classmethod
    def make(cls):
        cls.provider = tokens.Provider(os.path.join(cls.lab.dir, "idp.log"))
        cls.addClassCleanup(cls.provider.close)
        cls.agent = cls.lab.agent(issuer=cls.provider.issuer, bpf="off", setup=False)
        cls.lab.haproxy("unix@" + cls.agent.unix)
        cls.lab.until(200, token=cls.provider.token())


class Rotation(OwnProvider):
    def test_new_key(self):
        """
        A token signed by a key that appeared while everything runs is good: the
        first may have to wait for the fetch (503), none is ever called wrong (401).
        """
        for command in "rotate", "rotate-drop":
            with self.subTest(command):
                old = self.provider.token()
                self.provider.command(command)
                new = self.provider.token()
                self.assertNotEqual(tokens.kid(new), tokens.kid(old))
                seen = set()

                def answered():
                    seen.add(self.lab.get(token=new).status)
                    return 200 in seen

                procs.eventually(answered, 20, every=0.1)
                self.assertLessEqual(seen, {200, 503})
                if command == "rotate":
                    self.assertEqual(self.lab.get(token=old).status, 200)
                else:
                    self.assertEqual(self.lab.get(token=old).status, 401)

    def test_unknown_key(self):
        """A key id that nobody ever published is not good, and does not become a fetch storm."""
        made_up = self.provider.sign(header={"kid": "nobody"})
        before = self.provider.command("state")["seen"]["jwks"]
        statuses = {self.lab.get(token=made_up).status for _ in range(30)}
        self.assertLessEqual(statuses, {401, 503})
        self.assertLessEqual(self.provider.command("state")["seen"]["jwks"] - before, 3)


class RotationUnderLoad(OwnProvider):
    def test_no_false_reject(self):
        """
        Keys rotate three times while four clients ask with new and with older tokens: every
        single request of theirs is answered 200, none 401 and none 503.
        """
        stop = threading.Event()
        statuses, broken = collections.Counter(), []

        def client():
            held = []
            try:
                while not stop.is_set():
                    held = [*held[-3:], self.provider.token()]
                    for token in held:
                        statuses[self.lab.get(token=token).status] += 1
            except Exception as error:  # a thread's failure is the test's
                broken.append(error)

        clients = [threading.Thread(target=client) for _ in range(4)]
        for thread in clients:
            thread.start()
        rotations = []
        for _ in range(3):
            time.sleep(1.2)
            rotations.append(time.time())
            self.provider.command("rotate")
        time.sleep(1.2)
        stop.set()
        for thread in clients:
            thread.join(20)
        self.assertEqual(broken, [])
        fetches = [e["time"] for e in self.agent.process.events(event="keys_fetched")]
        refused = self.agent.process.events(event="decision", verdict="error")
        self.assertEqual(set(statuses), {200}, (statuses, fetches, refused[:1], rotations))
        self.assertGreater(statuses[200], 200)
        state = self.provider.command("state")
        print(f"(rotation under load: {statuses[200]} requests, "
              f"{state['seen']['jwks']} fetches of {state['published']} keys) ", end="")


class SameId(OwnProvider):
    def test_same_id(self):
        """A new key under the old key id: its tokens are good at once, forged ones stay wrong."""
        old = self.provider.token()
        self.provider.command("replace")
        new = self.provider.token()
        self.assertEqual(tokens.kid(new), tokens.kid(old))
        self.assertEqual(self.lab.get(token=new).status, 200)
        self.assertEqual(self.lab.get(token=old).status, 401)
        before = self.provider.command("state")["seen"]["jwks"]
        self.assertEqual({self.lab.get(token=old).status for _ in range(30)}, {401})
        self.assertLessEqual(self.provider.command("state")["seen"]["jwks"] - before, 1)


class ProviderBreaks(OwnProvider):
    def tearDown(self):
        self.provider.command("mode", mode="ok")

    def test_later(self):
        """A provider that hangs, fails or talks rubbish: the last good keys serve."""
        token = self.provider.token()
        strange = self.provider.sign(header={"kid": "nobody"})
        for mode in "hang", "error", "garbage":
            with self.subTest(mode):
                self.provider.command("mode", mode=mode)
                # Makes the agent ask the provider, which answers nothing good.
                self.assertIn(self.lab.get(token=strange).status, (401, 503))
                self.agent.reload()
                for _ in range(10):
                    self.assertEqual(self.lab.get(token=token).status, 200)

    def test_dead(self):
        """A provider that is gone: the last good keys serve, also after a restart of the agent."""
        token = self.provider.token()
        self.provider.close()
        try:
            self.assertEqual(self.lab.get(token=token).status, 200)
            self.agent.process.stop()
            self.agent.start()
            self.lab.until(200, token=token)
        finally:
            self.provider.start()
        # It came back with other keys, which a token of theirs makes the agent fetch.
        self.lab.until(200, timeout=20, token=self.provider.token())


class ProviderMissing(LabCase):
    """A provider that is not there when the agent starts."""

    @classmethod
    def make(cls):
        cls.provider = tokens.Provider(os.path.join(cls.lab.dir, "idp.log"))
        cls.addClassCleanup(cls.provider.close)
        cls.provider.command("mode", mode="error")
        cls.agent = cls.lab.agent(issuer=cls.provider.issuer, bpf="off", setup=False)
        cls.lab.haproxy("unix@" + cls.agent.unix)

    def test_missing_then_there(self):
        """503 keys_unavailable and seen in status until the provider is there; then 200."""
        self.provider.command("mode", mode="ok")
        token = self.provider.token()
        self.provider.command("mode", mode="error")
        self.refused(503, token=token)
        self.agent.process.wait_event(event="decision", reason="keys_unavailable")
        status = self.agent.status()
        self.assertFalse(status["ready"])
        self.assertEqual(status["providers"][0]["keys"], 0)
        self.assertTrue(status["providers"][0]["last_error"])
        self.assertEqual(self.agent.metric("^identityd_providers_without_keys"), 1)
        self.refused(401, "no_token")
        self.provider.command("mode", mode="ok")
        self.lab.until(200, timeout=20, token=token)
        self.assertTrue(self.agent.status()["ready"])
        self.assertEqual(self.agent.metric("^identityd_providers_without_keys"), 0)


if __name__ == "__main__":
    harness.tokens.npm_ready()
    unittest.main()
