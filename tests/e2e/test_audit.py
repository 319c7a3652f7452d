"""The audit log: one line for each decision, in the form of Hubble's flows."""
import json
import os
import re
import signal

import harness
import procs
import tokens
from harness import LabCase
from web import Connection

TRACE = "0af7651916cd43dd8448eb211c80319c"


def read(path):
    """The log so far; every line whole, valid JSON."""
    try:
        with open(path, encoding="utf-8") as f:
            return [json.loads(line) for line in f.read().splitlines()]
    except FileNotFoundError:
        return []


class AuditCase(LabCase):
    audit = ""  # keys beside to and path

    @classmethod
    def make(cls):
        cls.agent = cls.lab.agent(bpf="off", setup=False, start=False)
        cls.path = os.path.join(cls.agent.dir, "audit.log")
        cls.agent.configure(roles=harness.ROLES + f"audit: {{to: file, path: {cls.path}, "
                            f"node: default/edge1{cls.audit}}}\n")
        cls.agent.start()
        cls.lab.haproxy("unix@" + cls.agent.unix)
        cls.lab.until(200, token=cls.provider.token())

    def lines(self):
        return read(self.path)

    def line_of(self, **request):
        """Asks HAProxy; its answer, and the line of the request id that HAProxy logged for it."""
        def logged():
            return re.findall(r" reqid=(\S+)", self.lab.proxy.text())
        before = len(logged())
        answer = self.lab.get(**request)
        reqid = procs.eventually(lambda: logged()[before:], what="HAProxy logs")[0]
        found = procs.eventually(
            lambda: [line for line in self.lines() if header(line, "X-Request-Id") == reqid],
            what=f"audit of {reqid}")
        self.assertEqual(len(found), 1)
        return answer, found[0]


def header(line, name):
    """A header of the line's HTTP request, or None."""
    headers = line.get("flow", {}).get("l7", {}).get("http", {}).get("headers", [])
    return {h["key"]: h["value"] for h in headers}.get(name)


class Audit(AuditCase):
    def test_allowed(self):
        """An allowed request: who it was, where it went, what asked, which trace."""
        answer, line = self.line_of(
            path="/a%0ab?password=x", token=self.provider.token(),
            headers=[("traceparent", f"00-{TRACE}-b7ad6b7169203331-01")])
        self.assertEqual(answer.status, 200)
        flow = line["flow"]
        self.assertEqual(flow["verdict"], "FORWARDED")
        self.assertEqual(flow["source"]["identity"], int(answer.header("X-Identity-Id")[0]))
        self.assertIn("k8s:role=admin", flow["source"]["labels"])
        self.assertEqual(flow["l7"]["http"]["method"], "GET")
        self.assertRegex(flow["l7"]["http"]["url"],
                         r"^http://127\.0\.0\.1:\d+/a%0ab\?HUBBLE_REDACTED$")
        self.assertEqual(flow["destination_service"]["name"], "be_admin")
        self.assertEqual(flow["trace_context"]["parent"]["trace_id"], TRACE)
        self.assertEqual(flow["l4"]["TCP"]["destination_port"], self.lab.port)
        self.assertEqual(flow["IP"]["source"], "127.0.0.1")
        self.assertEqual(flow["event_type"], {"type": 129})
        self.assertEqual((line["node_name"], line["time"]), ("default/edge1", flow["time"]))

    def test_denied(self):
        """A denied one has the reason, and no identity; a failed one is ERROR."""
        answer, line = self.line_of()
        self.assertEqual(answer.status, 401)
        self.assertEqual(line["flow"]["verdict"], "DROPPED")
        self.assertEqual(header(line, "X-Identityd-Reason"), "no_token")
        self.assertNotIn("source", line["flow"])

    def test_no_secrets(self):
        """Nothing of any token is in the log."""
        self.lab.get(token=self.provider.token())
        procs.eventually(self.lines, what="lines")
        with open(self.path, encoding="utf-8") as f:
            text = f.read()
        self.assertTrue(tokens.secrets)
        self.assertEqual([part for part in tokens.secrets if part in text], [])

    def test_logrotate(self):
        """A renamed file and a SIGHUP: the next line is in a new file."""
        self.line_of()
        os.rename(self.path, self.path + ".moved")
        self.agent.process.signal(signal.SIGHUP)
        # A decision on its way when the signal came is still a line of the old file.
        procs.eventually(lambda: (self.lab.get(), os.path.exists(self.path))[1], what="a new file")
        self.line_of()

    def test_status(self):
        """Status and metrics count the lines."""
        self.line_of()
        self.assertEqual(self.agent.status()["audit"]["to"], "file")
        self.assertGreater(self.agent.status()["audit"]["written"], 0)
        self.assertGreater(self.agent.metric("^identityd_audit_lines_total"), 0)
        self.assertEqual(self.agent.metric("^identityd_audit_writable"), 1)


class Sampled(AuditCase):
    audit = ", allowed: 10"
    asks_haproxy = False

    def test_sampled(self):
        """Of ten allowed requests one is written; of denied ones all are."""
        before = [line["flow"]["verdict"] for line in self.lines()]
        token = self.provider.token()
        for _ in range(60):
            self.assertEqual(self.lab.get(token=token).status, 200)
        for _ in range(20):
            self.lab.get()

        def count(verdict):
            now = [line["flow"]["verdict"] for line in self.lines()]
            return now.count(verdict) - before.count(verdict)
        procs.eventually(lambda: count("DROPPED") == 20, what="20 denied")
        # Each of two workers counts for itself.
        self.assertIn(count("FORWARDED"), range(5, 9))


class Unwritable(LabCase):
    asks_haproxy = False

    @classmethod
    def make(cls):
        cls.agent = cls.lab.agent(bpf="off", setup=False, start=False)
        cls.folder = os.path.join(cls.lab.dir, "not-ours")
        os.mkdir(cls.folder)
        cls.agent.configure(roles=harness.ROLES + "audit: {to: file, "
                            f"path: {cls.folder}/audit.log, queue: 64KiB}}\n")
        cls.agent.start()
        cls.lab.haproxy("unix@" + cls.agent.unix)

    def test_loses_lines_not_requests(self):
        """A log that cannot be written costs lines, counted, never a request; then it goes on."""
        token = self.provider.token()
        self.lab.until(200, token=token)
        for _ in range(500):
            self.assertEqual(self.lab.get(token=token).status, 200)
        status = self.agent.status()["audit"]
        self.assertEqual(status["error"], "Permission denied")
        self.assertGreater(status["lost"], 100)
        self.assertIn("!! NO AUDIT LOG: Permission denied", harness.run(
            harness.CTL, "status", "--socket", self.agent.admin, check=False).stdout)
        self.assertEqual(len(self.agent.process.events(event="audit", state="cannot_write")), 1)
        os.chown(self.folder, harness.UID, harness.UID)
        procs.eventually(lambda: self.agent.status()["audit"]["error"] is None, what="writes again")
        with open(f"{self.folder}/audit.log", encoding="utf-8") as f:
            lines = [json.loads(line) for line in f]
        lost = sum(int(line["lost_events"]["num_events_lost"])
                   for line in lines if "lost_events" in line)
        self.assertEqual(lost, self.agent.status()["audit"]["lost"])
        self.assertEqual(lost + len([line for line in lines if "flow" in line]), 501)


class OfTheKernel(LabCase):
    """What the kernel stops, and what is done to it."""

    LOST = 5  # events a second that the kernel hands over

    @classmethod
    def make(cls):
        cls.agent = cls.lab.agent(start=False)
        cls.path = os.path.join(cls.agent.dir, "audit.log")
        cls.room = cls.agent.options["max_flows"]
        cls.agent.configure(max_flows=f"{cls.room}, events_per_second: {cls.LOST}",
                            more=f"audit: {{to: file, path: {cls.path}, node: default/edge1}}\n")
        cls.agent.start()
        cls.lab.haproxy("unix@" + cls.agent.unix)
        cls.lab.until(200, token=cls.provider.token())

    def wait(self, check, what):
        """The lines of the log for which check holds, as soon as there are some."""
        return procs.eventually(lambda: [line for line in read(self.path) if check(line)], what=what)

    def note(self, kind, words):
        return self.wait(lambda line: line.get("agent_event", {}).get("unknown", {}).get("type") == kind
                         and words in line["agent_event"]["unknown"]["notification"], f"a note: {words}")

    def kill(self):
        harness.run(harness.CTL, "kernel", "kill", "--identity", "200", "--socket", self.agent.admin)

    def test_kill(self):
        """Killed connections: whose, between which addresses; the operator; and how many more."""
        tunnels = [Connection(self.lab.port) for _ in range(4 * self.LOST)]
        for tunnel in tunnels:
            self.addCleanup(tunnel.close)
            self.assertEqual(tunnel.upgrade(self.provider.token("admin")), 101)
        clients = {tunnel.local[1] for tunnel in tunnels}
        self.kill()
        for tunnel in tunnels:
            self.assertIsNotNone(tunnel.ended(5))
        flow = self.wait(lambda line: line.get("flow", {}).get("Summary") == "TCP killed, revoked"
                         and line["flow"]["l4"]["TCP"]["source_port"] in clients, "a kill")[0]["flow"]
        self.assertEqual((flow["verdict"], flow["drop_reason_desc"]), ("DROPPED", "AUTH_REQUIRED"))
        self.assertEqual(flow["source"]["identity"], 200)
        self.assertIn("k8s:role=admin", flow["source"]["labels"])
        self.assertEqual(flow["IP"], {"source": "127.0.0.1", "destination": "127.0.0.1", "ipVersion": "IPv4"})
        self.assertEqual(flow["l4"]["TCP"]["destination_port"], self.lab.port)
        self.assertEqual(flow["traffic_direction"], "INGRESS")
        self.note("operator_kill", f"{len(tunnels)} connections of identity 200")
        lost = self.wait(lambda line: "lost_events" in line, "what was lost")[0]["lost_events"]
        self.assertEqual(lost["source"], "PERF_EVENT_RING_BUFFER")
        self.assertGreaterEqual(int(lost["num_events_lost"]), 1)

    def test_glass_and_modes(self):
        """Break-glass and other modes are notes, and what is only audited is AUDIT."""
        self.note("kernel_modes", f"{self.LOST} events a second; before ")
        with Connection(self.lab.port) as tunnel:
            self.assertEqual(tunnel.upgrade(self.provider.token("admin")), 101)
            harness.run(harness.CTL, "kernel", "break-glass", "--for", "1h", "--why", "INC-4711\n<b>",
                        "--socket", self.agent.admin)
            self.note("break_glass", "broken: the kernel only audits for 3600 seconds: INC-4711\n<b>")
            self.kill()
            flow = self.wait(lambda line: line.get("flow", {}).get("verdict") == "AUDIT", "AUDIT")[0]
            self.assertIn(" would be ", flow["flow"]["Summary"])
            self.assertTrue(tunnel.echo())
            harness.run(harness.CTL, "kernel", "break-glass", "--for", "0s", "--why", "done",
                        "--socket", self.agent.admin)
            self.note("break_glass", "mended: the kernel enforces again: done")
            self.assertIsNotNone(tunnel.ended(5))
        self.agent.configure(max_flows=f"{self.room}, events_per_second: {self.LOST}, connect: audit")
        self.agent.reload()
        self.note("kernel_modes", "now connect audit, packets enforce,")
