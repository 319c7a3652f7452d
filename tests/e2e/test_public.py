"""The public listener: what strangers may ask, and nothing else."""
import http.client
import os
import re
import socket
import time
import unittest

import harness
import procs
from harness import LabCase



def admin_routes():
    """Every path that a table of admin routes in the source names."""
    found = set()
    for name in os.listdir(os.path.join(harness.ROOT, "spoa")):
        if name.endswith(".c") and name != "public.c":
            with open(os.path.join(harness.ROOT, "spoa", name)) as f:
                found |= set(re.findall(r'\{"(?:GET|POST)", "(/[^"]*)"', f.read()))
    return found


class Public(LabCase):
    @classmethod
    def make(cls):
        cls.port = procs.free_port()
        cls.agent = cls.lab.agent(bpf="off", setup=False,
                                  more=f"public: {{tcp: '127.0.0.1:{cls.port}'}}")

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()

    def test_no_admin_route(self):
        """Health is there; each administrative route is 404, whatever the method."""
        self.assertEqual(self.ask("GET", "/health"), 200)
        routes = admin_routes()
        self.assertGreaterEqual(len(routes), 4)
        for path in routes:
            for method in "GET", "POST", "PUT", "DELETE":
                with self.subTest(f"{method} {path}"):
                    self.assertEqual(self.ask(method, path), 404)
        self.assertEqual(self.agent.status()["ready"], True)

    def test_bounds(self):
        """A crowd that says one byte a second is let go; the admin socket does not notice."""
        crowd = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(100)]
        try:
            for s in crowd:
                s.sendall(b"G")
            start = time.monotonic()
            self.agent.metrics()
            self.assertLess(time.monotonic() - start, 2)
            # They were idle for too long; after that strangers are served again.
            procs.eventually(lambda: self._served(), 20, every=0.5, what="served again")
        finally:
            for s in crowd:
                s.close()

    def _served(self):
        try:
            return self.ask("GET", "/health") == 200
        except OSError:
            return False


if __name__ == "__main__":
    unittest.main()
