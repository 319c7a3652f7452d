"""Labels from claims: identities that come up with callers, through HAProxy, store and kernel."""
import json
import os
import signal
import socket
import sys

import harness
import procs
from harness import CTL, LabCase, run
from test_identities import SECRET, sign
from test_policy import CONNECT

ROLES = """\
  - {name: team, provider: legacy, when: [{claim: team, exists: true}], route: be_admin, \
labels: ["team={claims.team|lower}"], max_identities: 2}
  - {name: other, provider: legacy, labels: [role=other], route: be_admin}
"""

POLICY = """\
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: teams, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: admin}}
  ingress:
    - fromEndpoints:
        - matchLabels: {team: red, k8s:io.kubernetes.pod.namespace: identity-edge}
      toPorts: [{ports: [{port: "PORT", protocol: TCP}]}]
"""


class Teams(LabCase):
    @classmethod
    def make(cls):
        listener = socket.create_server(("127.0.0.1", 0))
        cls.addClassCleanup(listener.close)
        cls.port = listener.getsockname()[1]
        path = os.path.join(cls.lab.dir, "policy.yaml")
        with open(path, "w") as f:
            f.write(POLICY.replace("PORT", str(cls.port)))
        with open(os.path.join(cls.lab.dir, "secret"), "w") as f:
            f.write(SECRET + "\n")
        os.chmod(f.name, 0o640)
        os.chown(f.name, 0, harness.UID)
        cls.more = f"policy: {{paths: [{path}]}}\nservices:\n" \
            f"  - {{name: be_admin, namespace: shop, labels: [app=admin], port: {cls.port}, addresses: [127.0.0.1]}}\n"
        cls.agent = cls.lab.agent(setup=False, start=False, roles=ROLES, more=cls.more)
        cls.configure()
        cls.agent.setup()
        cls.agent.start()
        cls.lab.haproxy("unix@" + cls.agent.unix)

    @classmethod
    def configure(cls, more=""):
        """The lab's file with a provider of tokens that the tests make up, with any claims."""
        cls.agent.configure(more=cls.more + more)
        with open(cls.agent.config) as f:
            text = f.read()
        cls.agent.configure(text.replace("roles:\n", (
            '  - {name: legacy, issuer: "https://legacy.example", audiences: [api], algorithms: [HS256], '
            f"secret_file: {cls.lab.dir}/secret}}\nroles:\n")))

    def connect(self, identity):
        """What a socket with the mark of this identity gets from the kernel."""
        return run(sys.executable, "-c", CONNECT, self.lab.cgroup, str(identity << 16 | 0x0B00),
                   str(self.port)).stdout.strip()

    def numbers(self):
        return {i["labels"]: i["id"] for i in self.agent.status()["identities"]}

    def number_of(self, team):
        return next((n for labels, n in self.numbers().items() if f"k8s:team={team};" in labels), None)

    def ask(self, status, team):
        return self.lab.until(status, token=sign(team=team))

    def labels_of(self, number):
        return next(labels for labels, n in self.numbers().items() if n == number)

    def seen(self, team):
        """What the backend is told."""
        return dict((name.lower(), value) for name, value in json.loads(self.ask(200, team).body)["headers"])

    def id_of(self, team):
        seen = self.seen(team)
        self.assertEqual(seen["x-identity-role"], "team")
        return int(seen["x-identity-id"])

    def test_a_team_comes_and_stays(self):
        """First request, cap, a claim that is no label, kill -9, and what is unused is given up."""
        red = self.id_of("Red")
        self.assertEqual(self.connect(red), "connected")  # the kernel knew before we did
        self.refused(403, "policy_denied", token=sign(team="blue"))
        blue = self.number_of("blue")
        self.assertNotEqual(blue, red)
        self.assertEqual(self.connect(blue), "Operation not permitted")
        self.refused(503, "identity_limit", token=sign(team="green"))
        self.assertEqual(self.id_of("red"), red)

        self.refused(403, "policy_denied", token=sign(team="a b"))  # the role behind it
        self.assertGreaterEqual(self.agent.metric("identityd_unfit_claims_total"), 1)
        self.agent.process.wait_event(event="claim_unfit", role="team")
        said = run(CTL, "role", "test", "--socket", self.agent.admin, "--provider", "legacy",
                   "--claims", '{"team": "a b"}').stdout
        self.assertRegex(said, r"team +fails +label team=\{claims.team\|lower\}: the value must be")
        said = run(CTL, "role", "test", "--socket", self.agent.admin, "--provider", "legacy",
                   "--claims", '{"team": "RED"}').stdout
        self.assertRegex(said, rf"identity +{red} \(local\)")
        self.assertIn("k8s:team=red;", said)

        self.agent.process.signal(signal.SIGKILL)
        procs.eventually(lambda: not self.agent.process.alive(), what="it is dead")
        self.assertEqual(self.connect(red), "connected")  # the kernel alone
        self.agent.start()
        self.assertEqual((self.number_of("red"), self.number_of("blue")), (red, blue))
        self.assertEqual(self.connect(red), "connected")
        self.assertEqual(self.id_of("red"), red)

        self.configure("identity: {unused: 1s, quarantine: 1h}\n")
        self.assertIn("new configuration", self.agent.reload()["result"])
        procs.eventually(lambda: self.number_of("red") is None, 20, what="red is given up")
        procs.eventually(lambda: self.connect(red) == "Operation not permitted", what="the kernel forgot it")
        self.configure()
        self.agent.reload()
        self.assertEqual(self.id_of("red"), red)  # out of quarantine, as nobody else's
        self.assertEqual(self.connect(red), "connected")

        self.configure("roles_match: all\n")
        self.agent.reload()
        both = self.seen("red")
        self.assertEqual(both["x-identity-role"], "team,other")
        self.assertNotIn(int(both["x-identity-id"]), (red, blue))
        self.assertIn("k8s:role=other;k8s:team=red;", self.labels_of(int(both["x-identity-id"])))
        self.assertEqual(self.connect(int(both["x-identity-id"])), "connected")
