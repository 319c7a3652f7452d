"""
The identity on the way to the application, in a network namespace: the mark on
the SYN as the kernel kept it (tcp_fwmark_accept gives it to the accepted
socket), and the role's source address. examples/haproxy.cfg as it stands.
"""
import os
import subprocess
import sys
import unittest

import harness
import procs
from harness import HAPROXY, LabCase, run

MARKED, OTHER = 70001, 379646  # cilium.md 4.1; cilium-verified.md 4: cluster 5
MARKS = {MARKED: 0x11710B01, OTHER: 0xCAFE0B05}
ADMIN, READER = "10.77.9.1", "10.77.9.2"

ROLES = f"""\
  - {{name: admin, provider: corp, when: [{{claim: [roles], any: [admin]}}], \
labels: ["k8s:role=admin"], number: {MARKED}, number_from: crd, srcaddr: [{ADMIN}, "fd77:9::1"]}}
  - {{name: reader, provider: corp, when: [{{claim: scope, any: [read]}}], \
labels: ["k8s:role=reader"], number: {OTHER}, number_from: etcd, srcaddr: {READER}}}
  - {{name: nobody, provider: corp, labels: ["k8s:role=nobody"]}}
"""

# For each request: where the connection came from and its mark; "seen N" at /seen.
APPLICATION = """
import http.server, socket
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen = 0
    def do_GET(self):
        if self.path != "/seen":
            Handler.seen += 1
        mark = self.connection.getsockopt(socket.SOL_SOCKET, socket.SO_MARK)
        body = f"{self.client_address[0]} {self.client_address[1]} {mark & 0xffffffff} {Handler.seen}"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("127.0.0.1", 8081), Handler).serve_forever()
"""

# One kept connection; for each token on stdin (or "-") a request: status and body.
CLIENT = """
import http.client, sys
port, path = int(sys.argv[1]), sys.argv[2]
c = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
for line in sys.stdin:
    token = line.strip()
    c.request("GET", path, headers={"Authorization": "Bearer " + token} if token != "-" else {})
    a = c.getresponse()
    print(a.status, a.read().decode().splitlines()[:1] if a.status == 200 else "", flush=True)
"""


class Reach(LabCase):
    @classmethod
    def make(cls):
        cls.ns = f"identityd-reach{os.getpid()}"
        run("ip", "netns", "add", cls.ns)
        cls.addClassCleanup(subprocess.run, ["ip", "netns", "del", cls.ns], check=False)
        for words in ("link set lo up", f"addr add {ADMIN}/32 dev lo", f"addr add {READER}/32 dev lo"):
            run("ip", "-n", cls.ns, *words.split())
        run(*cls.inside("sysctl", "-qw", "net.ipv4.tcp_fwmark_accept=1"))
        cls.agent = cls.lab.agent(roles=ROLES)
        cls.lab.start("application", cls.inside(sys.executable, "-c", APPLICATION))
        cls.tokens = [cls.provider.token(), cls.provider.token("reader"),
                      cls.provider.token("reader", scope="")]

    @classmethod
    def inside(cls, *argv):
        return ["ip", "netns", "exec", cls.ns, *argv]

    def haproxy(self, carry, port, unprivileged=False, text=None):
        """HAProxy in the namespace; unprivileged: started as its user, without a capability."""
        path = os.path.join(harness.ROOT, "examples", "haproxy.cfg")
        if text:
            path = os.path.join(self.lab.dir, f"{carry}-{port}.cfg")
            with open(path, "w") as f:
                f.write(text)
        socket = os.path.join(self.lab.dir, f"haproxy-{port}")
        os.mkdir(socket)
        os.chmod(socket, 0o777)
        become = ["setpriv", "--reuid", "haproxy", "--regid", "haproxy", "--clear-groups"]
        env = {"IDENTITYD_CARRY": carry, "IDENTITYD_BIND": f"127.0.0.1:{port}",
               "IDENTITYD_SPOE_CONFIG": os.path.join(harness.ROOT, "examples", "spoe-identity.cfg"),
               "IDENTITYD_HAPROXY_SOCKET": os.path.join(socket, "admin.sock")}
        for name in "AGENT_1", "AGENT_2":
            env[f"IDENTITYD_{name}"] = "unix@" + self.agent.unix
        for name in "ADMIN", "READER":
            env[f"IDENTITYD_BACKEND_{name}"] = "127.0.0.1:8081"
        proxy = self.lab.start(f"haproxy-{port}", self.inside(
            *become * unprivileged, *HAPROXY, "-db", "-f", path), env=env)
        procs.eventually(lambda: not proxy.alive() or os.path.exists(f"{socket}/admin.sock"), 10,
                         what="HAProxy listens")
        if proxy.alive():
            procs.eventually(lambda: self.ask(port, self.tokens[0])[0][0] in (200, 503)
                             and self.answered(proxy), 10, what="the keys are there")
        return proxy

    @staticmethod
    def answered(proxy):
        return " reason=ok " in proxy.text()

    def ask(self, port, *tokens, path="/"):
        """Requests on one connection: [(status, address, port, mark, seen)...]."""
        done = subprocess.run(self.inside(sys.executable, "-c", CLIENT, str(port), path),
                              input="".join(f"{t}\n" for t in tokens), capture_output=True,
                              text=True, check=True, timeout=60)
        found = []
        for line in done.stdout.splitlines():
            status, _, body = line.partition(" ")
            words = body.strip("[]'").split()
            found.append((int(status), *(words[:1] + [int(w) for w in words[1:]])))
        return found

    def seen(self):
        """How many requests the application has got."""
        code = "import urllib.request as u;print(u.urlopen('http://127.0.0.1:8081/seen').read().decode())"
        return int(run(*self.inside(sys.executable, "-c", code)).stdout.split()[3])

    def refused(self, port, token, status=503):
        before = self.seen()
        self.assertEqual(self.ask(port, token)[0][0], status)
        self.assertEqual(self.seen(), before)

    def test_srcaddr(self):
        """
        Each role's own address, on connections that no other role uses; a role
        without one, and a caller without a token, reach nothing. 2.6 does it
        without any capability.
        """
        old = harness.haproxy_version() < (3, 0)
        self.haproxy("srcaddr", 8091, unprivileged=old)
        admin, reader, nobody = self.tokens
        found = self.ask(8091, admin, reader, admin, reader, admin)
        self.assertEqual([f[:2] for f in found],
                         [(200, ADMIN), (200, READER), (200, ADMIN), (200, READER), (200, ADMIN)])
        self.assertEqual((len({f[2] for f in found}), found[0][2], found[1][2]),
                         (2, found[2][2], found[3][2]))
        self.refused(8091, nobody)
        self.refused(8091, "-", 401)

    def test_mark(self):
        """The SYN carries the mark that Cilium decodes; without a mark, no request."""
        if harness.haproxy_version() < (3, 0):
            proxy = self.haproxy("mark", 8092)
            procs.eventually(lambda: not proxy.alive(), what="it refuses to start")
            self.assertIn("needs HAProxy 3.0 or later", proxy.text())
            return
        self.haproxy("mark", 8092)
        admin, reader, nobody = self.tokens
        found = self.ask(8092, admin, reader, admin, reader)
        self.assertEqual([f[3] for f in found], [MARKS[MARKED], MARKS[OTHER]] * 2)
        self.assertEqual(len({f[2] for f in found}), 2)
        self.refused(8092, nobody)
        self.refused(8092, "-", 401)
        haproxy = self.agent.status()["haproxy"]
        self.assertTrue(haproxy["marks"])
        self.assertIn(True, [p["can_mark"] for p in haproxy["processes"]])

    def test_without_capability(self):
        """
        HAProxy that cannot set marks: with "user" it does not start; without, it
        would send packets unmarked, but is found out, gets no mark, and refuses.
        """
        with open(os.path.join(harness.ROOT, "examples", "haproxy.cfg")) as f:
            text = f.read()
        if harness.haproxy_version() < (3, 0):  # no marks; "user" and "usesrc" exclude each other
            text = text.replace('.if !streq("$IDENTITYD_CARRY",srcaddr) ||', ".if true ||")
            self.assertFalse(self.haproxy("srcaddr", 8093, text=text).alive())
            return
        self.assertFalse(self.haproxy("mark", 8093, unprivileged=True).alive())
        for word in "user  haproxy", "group haproxy", "setcap cap_net_admin":
            self.assertIn(word, text)
            text = text.replace(word, "")
        self.haproxy("any", 8094, unprivileged=True, text=text)
        self.assertEqual(self.ask(8094, self.tokens[0])[0][3], 0)  # what "mark" is there for
        proxy = self.haproxy("mark", 8095, unprivileged=True, text=text)
        self.refused(8095, self.tokens[0])
        peer = f"unix:pid={proxy.pid},uid="
        said = [e for e in self.agent.process.events(event="haproxy_cannot_mark")
                if e["peer"].startswith(peer)]
        self.assertEqual(len(said), 1)
        self.assertIn({"pid": proxy.pid, "can_mark": False},
                      [{k: p[k] for k in ("pid", "can_mark")}
                       for p in self.agent.status()["haproxy"]["processes"]])
        self.assertGreaterEqual(self.agent.metric("^identityd_haproxy_without_marks$"), 1)
        done = run(harness.CTL, "status", "--socket", self.agent.admin, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"HAPROXY CANNOT MARK, process {proxy.pid}", done.stdout)


if __name__ == "__main__":
    unittest.main()
