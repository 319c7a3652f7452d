"""CiliumNetworkPolicy at the edge: HAProxy answers 403 by it, and it follows its files."""
import json
import os
import socket
import subprocess
import sys

import procs
import spop
import test_audit
from harness import CTL, LabCase, run

MORE = """\
audit: {{to: file, path: {dir}/a/audit.log, allowed: 1}}
policy: {{paths: [{dir}/policies], mode: {mode}}}
services:
  - {{name: be_admin, namespace: shop, labels: [app=admin], port: 8080}}
  - {{name: be_reader, namespace: shop, labels: [app=reader], port: 8080}}
"""

POLICY = """\
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {{name: web, namespace: shop}}
spec:
  endpointSelector: {{matchLabels: {{app: admin}}}}
  ingress:
    - fromEndpoints:
        - matchLabels: {{role: admin, k8s:io.kubernetes.pod.namespace: identity-edge}}
      toPorts:
        - ports: [{{port: "8080", protocol: TCP}}]
          rules: {{http: [{{method: GET, path: "{path}"}}]}}
"""


class Policy(LabCase):
    """One agent with a policy folder."""

    @classmethod
    def make(cls):
        cls.folder = os.path.join(cls.lab.dir, "policies")
        os.mkdir(cls.folder)
        os.chmod(cls.folder, 0o755)
        cls.write(POLICY.format(path="/open(/.*)?"))
        cls.agent = cls.lab.agent(more=MORE.format(dir=cls.lab.dir, mode="enforce"))
        cls.lab.haproxy(cls.agent.unix)
        cls.lab.until(200, path="/open", token=cls.provider.token("admin"))

    @classmethod
    def write(cls, text, name="web.yaml"):
        path = os.path.join(cls.folder, name)
        with open(path + ".new", "w") as f:
            f.write(text)
        os.rename(path + ".new", path)

    def setUp(self):
        self.write(POLICY.format(path="/open(/.*)?"))
        self.token = self.provider.token("admin")
        self.lab.until(200, path="/open", token=self.token)
        self.lab.until(403, path="/other", token=self.token)

    def ctl(self, *words, code=0):
        done = run(CTL, *words, "--socket", self.agent.admin, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout

    def test_l7_rule(self):
        """Only what the HTTP rule says is allowed; the log names the rule."""
        self.refused(403, "policy_denied", path="/closed", token=self.token)
        self.assertEqual(self.lab.get("/open/x", self.token).status, 200)
        said = self.agent.process.wait_event(event="decision", reason="policy_denied")
        self.assertEqual(said["policy"], "shop/web:ingress[0].toPorts[0]")
        flow = json.loads(self.ctl("tail", "--no-follow", "--verdict", "deny", "-o", "json").splitlines()[-1])["flow"]
        self.assertEqual(flow["ingress_denied_by"],
                         [{"name": "web", "namespace": "shop", "kind": "CiliumNetworkPolicy"}])
        for label in "k8s:app=admin", "k8s:io.kubernetes.pod.namespace=shop":
            self.assertIn(label, flow["destination"]["labels"])
        words = "policy", "test", "--role", "admin", "--service", "be_admin", "--method", "GET"
        self.assertIn("policy_denied, by shop/web:", self.ctl(*words, "--path", "/closed", code=1))
        self.assertIn("allow: ok, by shop/web:", self.ctl(*words, "--path", "/open/x"))

    def test_unselected_service(self):
        """A service that no policy selects is open."""
        self.assertEqual(self.lab.get("/any", self.provider.token("reader")).status, 200)

    def test_ambiguous_paths(self):
        """A path that a backend could read in another way never gets through: HAProxy stops it first."""
        for path in "/open/../closed", "/open/%2e%2e/closed", "/open//closed", "/open/%2fclosed":
            with self.subTest(path):
                self.assertIn(self.lab.get(path, self.token).status, (400, 403))

    def test_files_are_watched(self):
        """A change of the files is followed without a signal."""
        self.write(POLICY.format(path="/new"))
        self.lab.until(200, path="/new", token=self.token)
        self.refused(403, "policy_denied", path="/open", token=self.token)

    def test_mistake_changes_nothing(self):
        """A file with a mistake is named in the log, and the old policies stay."""
        self.write("apiVersion: cilium.io/v2\nkind: Wrong\nmetadata: {name: x}\nspec: {}\n", "x.yaml")
        try:
            said = procs.eventually(lambda: [
                e for e in self.agent.process.events(event="reload_mistake") if "x.yaml:2:7: kind" in e["text"]])
            self.assertTrue(said)
            self.assertEqual(self.lab.get("/open", self.token).status, 200)
            self.refused(403, "policy_denied", path="/closed", token=self.token)
            self.assertEqual(self.agent.reload()["level"], "error")
            self.assertEqual(self.lab.get("/open", self.token).status, 200)
        finally:
            os.unlink(os.path.join(self.folder, "x.yaml"))

    def test_audit_mode(self):
        """In audit mode the same request is allowed, logged as audit and counted."""
        before = self.agent.metric("identityd_policy_audited_total")
        self.agent.configure(more=MORE.format(dir=self.lab.dir, mode="audit"))
        self.agent.reload()
        try:
            self.lab.until(200, path="/closed", token=self.token)
            said = self.agent.process.wait_event(event="decision", verdict="audit")
            self.assertEqual(said["policy"], "shop/web:ingress[0].toPorts[0]")
            self.assertGreater(self.agent.metric("identityd_policy_audited_total"), before)
        finally:
            self.agent.configure(more=MORE.format(dir=self.lab.dir, mode="enforce"))
            self.agent.reload()

    def test_simulate(self):
        """The audit log of real requests can be judged again by other policies."""
        self.lab.get("/open/sim", self.token)
        self.lab.get("/closed/sim", self.token)
        log = os.path.join(self.agent.dir, "audit.log")

        def has_both():
            with open(log, encoding="utf-8") as f:
                text = f.read()
            return "/open/sim" in text and "/closed/sim" in text
        procs.eventually(has_both, what="the audit log has both")
        other = os.path.join(self.lab.dir, "next.yaml")
        with open(other, "w") as f:
            f.write(POLICY.format(path="/closed/.*"))
        done = run(CTL, "policy", "simulate", "--config", self.agent.config, "--audit-log", log,
                   "-o", "json", other, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        changes = {(c["identity"], c["request"]): c["change"] for c in json.loads(done.stdout)["changes"]}
        self.assertEqual(changes["admin", "GET /open/sim"], "allow -> deny")
        self.assertEqual(changes["admin", "GET /closed/sim"], "deny -> allow")


KERNEL_ROLES = """\
  - {name: admin, provider: corp, when: [{claim: [roles], any: [admin]}], \
labels: ["k8s:role=admin"], number: 300, route: be_admin}
  - {name: reader, provider: corp, when: [{claim: scope, any: [read]}], \
labels: ["k8s:role=reader"], number: 301, route: be_reader}
  - {name: team, provider: corp, when: [{claim: team, exists: true}], \
labels: ["team={claims.team}"], route: be_admin}
"""

# Beside POLICY, without a look at requests.
TEAM_POLICY = """\
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: team, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: admin}}
  ingress:
    - fromEndpoints:
        - matchExpressions: [{key: team, operator: In, values: [blue, green]}]
          matchLabels: {k8s:io.kubernetes.pod.namespace: identity-edge}
"""

# In the cgroup of HAProxy, with this mark: connect, and say how it went.
CONNECT = """\
import socket, sys
with open(sys.argv[1] + "/cgroup.procs", "w") as f:
    f.write("0")
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, int(sys.argv[2]))
try:
    s.connect(("127.0.0.1", int(sys.argv[3])))
    print("connected", flush=True)
except OSError as error:
    print(error.strerror)
for line in sys.stdin if len(sys.argv) > 4 else ():
    s.sendall(line.encode())
"""


class PolicyInKernel(LabCase):
    """The same policy, enforced by the kernel on marked sockets."""

    asks_haproxy = False

    @classmethod
    def make(cls):
        cls.listener = socket.create_server(("127.0.0.1", 0))
        cls.addClassCleanup(cls.listener.close)
        cls.port = cls.listener.getsockname()[1]
        cls.path = os.path.join(cls.lab.dir, "policy.yaml")
        cls.write("admin")
        more = "audit: {to: file, path: %s, node: default/edge1}\n" % os.path.join(cls.lab.dir, "a", "audit.log")
        more += f"policy: {{paths: [{cls.path}]}}\nservices:\n" \
               f"  - {{name: be_admin, namespace: shop, labels: [app=admin], port: {cls.port}, addresses: [127.0.0.1]}}\n" \
               f"  - {{name: be_reader, namespace: shop, labels: [app=reader], port: 1}}\n"
        cls.agent = cls.lab.agent(roles=KERNEL_ROLES, more=more)

    @classmethod
    def write(cls, role):
        with open(cls.path + ".new", "w") as f:
            f.write(POLICY.format(path="/.*").replace("8080", str(cls.port)).replace("role: admin", f"role: {role}"))
            f.write(TEAM_POLICY)
        os.rename(cls.path + ".new", cls.path)

    def connect(self, identity):
        """What a socket with the mark of this identity gets (cilium.md 4.1)."""
        return run(sys.executable, "-c", CONNECT, self.lab.cgroup, str(identity << 16 | 0x0B00),
                   str(self.port)).stdout.strip()

    def setUp(self):
        super().setUp()
        self.write("admin")
        procs.eventually(lambda: self.connect(300) == "connected", what="the first policy")

    def test_kernel_follows_policy(self):
        """Who may connect follows the policy's L3 and L4, also when its files change."""
        self.agent.process.wait_event(event="kernel_policy", state="in force")
        self.assertEqual(self.connect(300), "connected")
        self.assertEqual(self.connect(301), "Operation not permitted")
        self.write("reader")
        procs.eventually(lambda: self.connect(301) == "connected", what="the kernel has the new policy")
        self.assertEqual(self.connect(300), "Operation not permitted")

    def stopped(self, identity, summary):
        """The flow of the audit log that says so."""
        def found():
            flows = [line.get("flow", {}) for line in test_audit.read(os.path.join(self.agent.dir, "audit.log"))]
            return [flow for flow in flows if flow.get("Summary") == summary
                    and flow["source"]["identity"] == identity]
        return procs.eventually(found, what=f"{summary} of {identity} in the audit log")[0]

    def identity(self, team):
        """(verdict, number) for a member of that team: the first request of such an identity."""
        token = self.provider.sign(roles=[], team=team)
        with spop.FakeHaproxy(self.agent.unix) as haproxy:
            haproxy.hello()
            got = haproxy.ask("identify", {
                "token": spop.Str(token), "scheme": spop.Str("Bearer"), "service": spop.Str("be_admin"),
                "method": spop.Str("GET"), "path": spop.Str("/"), "host": spop.Str("h")})
        return got["verdict"], got["id"]

    def test_identity_that_appears(self):
        """An identity that comes up with a request: when the first answer says allow, the kernel knows it."""
        sets = len(self.agent.process.events(event="kernel_policy"))
        for team in "blue", "green":
            verdict, number = self.identity(team)
            self.assertEqual(verdict.value, "allow")
            self.assertNotIn(number.value, (300, 301))
            self.assertEqual(self.connect(number.value), "connected")  # at once, not eventually
        verdict, _ = self.identity("red")
        self.assertEqual(verdict.value, "deny")
        red = self.agent.process.events(event="identity_new")[-1]
        self.assertIn("team=red", red["labels"])
        self.assertEqual(self.connect(red["identity"]), "Operation not permitted")
        # Each was written alone: nothing was swapped, and others' rules are as they were.
        self.assertEqual(len(self.agent.process.events(event="kernel_policy")), sets)
        self.assertEqual(self.connect(300), "connected")
        self.assertEqual(self.connect(301), "Operation not permitted")

    def test_audit_of_what_is_stopped(self):
        """A connect that is refused and a packet that is dropped: who, from where to where, why."""
        self.assertEqual(self.connect(301), "Operation not permitted")
        flow = self.stopped(301, "TCP refused, no_rule_allows")
        self.assertEqual(flow["verdict"], "DROPPED")
        self.assertEqual(flow["IP"], {"destination": "127.0.0.1", "ipVersion": "IPv4"})
        self.assertEqual(flow["l4"], {"TCP": {"destination_port": self.port}})
        self.assertIn("k8s:role=reader", flow["source"]["labels"])
        self.assertIn("k8s:app=admin", flow["destination"]["labels"])
        self.assertEqual(flow["destination_service"]["name"], "be_admin")
        self.assertEqual(flow["event_type"], {"type": 1, "sub_type": 133})
        self.assertEqual(flow["drop_reason_desc"], "POLICY_DENIED")
        self.assertEqual(flow["traffic_direction"], "EGRESS")
        open_one = subprocess.Popen(
            [sys.executable, "-c", CONNECT, self.lab.cgroup, str(300 << 16 | 0x0B00), str(self.port),
             "stay"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(open_one.communicate)
        self.assertEqual(open_one.stdout.readline(), "connected\n")
        self.write("reader")
        procs.eventually(lambda: self.connect(301) == "connected", what="the second policy")
        open_one.stdin.write("into the void\n")
        open_one.stdin.flush()
        flow = self.stopped(300, "TCP dropped, no_rule_allows")
        self.assertEqual((flow["IP"]["source"], flow["IP"]["destination"]), ("127.0.0.1", "127.0.0.1"))
        self.assertEqual(flow["l4"]["TCP"]["destination_port"], self.port)
        self.assertGreater(flow["l4"]["TCP"]["source_port"], 0)
        self.assertGreater(int(flow["socket_cookie"]), 0)
