"""examples/haproxy-mcp.cfg: an MCP endpoint for AI agents (RFC 9728, streamable HTTP)."""
import http.client
import http.server
import json
import os
import re
import threading
import time

import harness
import procs
import web
from harness import LabCase

EVENTS, PAUSE = 4, 0.3


class Tools(http.server.BaseHTTPRequestHandler):
    """An MCP server that answers a call with JSON, and a GET with a stream of events."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.server.seen = self.headers
        call = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps({"jsonrpc": "2.0", "id": call["id"], "result": {"tools": []}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for number in range(EVENTS):
            self.wfile.write(f"data: {number}\n\n".encode())
            self.wfile.flush()
            time.sleep(PAUSE)
        self.close_connection = True

    def log_message(self, *_):
        pass


class Mcp(LabCase):
    METADATA = "https://mcp.example.com/.well-known/oauth-protected-resource/mcp"

    @classmethod
    def make(cls):
        cls.server = http.server.ThreadingHTTPServer(("127.0.0.1", procs.free_port()), Tools)
        cls.server.daemon_threads = True
        threading.Thread(target=cls.server.serve_forever, args=(0.05,), daemon=True).start()
        cls.addClassCleanup(cls.server.server_close)
        cls.addClassCleanup(cls.server.shutdown)
        roles = """\
  - {name: agent, provider: corp, when: [{claim: scope, all: ["mcp:tools"]}], labels: [role=agent]}
"""
        more = f"""\
challenge:
  resources:
    - {{host: mcp.example.com, metadata: "{cls.METADATA}", scope: "mcp:tools"}}
assertion: {{issuer: "https://edge.example.com"}}
assertions:
  - {{name: mcp, audience: "https://mcp.internal", services: [be_mcp]}}
"""
        cls.agent = cls.lab.agent(bpf="off", setup=False, roles=roles, more=more)
        cls.lab.haproxy("unix@" + cls.agent.unix, config="haproxy-mcp.cfg", env={
            "IDENTITYD_BACKEND_MCP": f"127.0.0.1:{cls.server.server_port}",
            "IDENTITYD_MCP_METADATA": os.path.join(harness.ROOT, "examples",
                                                   "mcp-resource.json")})
        cls.token = cls.provider.sign(sub="assistant", scope="mcp:tools")
        procs.eventually(lambda: cls.call(cls.token).status == 200, 10)

    @classmethod
    def call(cls, token=None, path="/mcp", method="tools/list", **headers):
        """One JSON-RPC call."""
        connection = http.client.HTTPConnection("127.0.0.1", cls.lab.port, timeout=5)
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method})
        headers = {"Host": "mcp.example.com", "Content-Type": "application/json",
                   "Accept": "application/json, text/event-stream",
                   **{k.replace("_", "-"): v for k, v in headers.items()}}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        connection.request("POST", path, body, headers)
        answer = web.Answer(connection.getresponse())
        connection.close()
        return answer

    def test_finds_its_way(self):
        """An agent without a token is told where to look, and finds the provider there."""
        answer = self.call()
        self.assertEqual(answer.status, 401)
        challenge = answer.headers["WWW-Authenticate"]
        self.assertTrue(challenge.startswith("Bearer "), challenge)
        self.assertNotIn("error=", challenge)
        self.assertIn('scope="mcp:tools"', challenge)
        where = re.search(r'resource_metadata="https://mcp\.example\.com([^"]+)"', challenge)[1]
        metadata = web.get(self.lab.port, where)
        self.assertEqual(metadata.status, 200)
        self.assertEqual(metadata.headers["Content-Type"], "application/json")
        self.assertIn("https://idp.example.com",
                      json.loads(metadata.body)["authorization_servers"])

    def test_call(self):
        """With a token the call gets through; the token stays here, an assertion goes on."""
        answer = self.call(self.token)
        self.assertEqual(answer.status, 200)
        self.assertEqual(json.loads(answer.body)["result"], {"tools": []})
        seen = self.server.seen
        self.assertIsNone(seen["Authorization"])
        self.assertEqual(seen["X-Identity-Subject"], "assistant")
        self.assertEqual(seen["X-Identity-Assertion"].count("."), 2)

    def test_scope(self):
        """A token without the scope is a 403 that names it."""
        answer = self.call(self.provider.sign(sub="assistant", scope="other"))
        self.assertEqual(answer.status, 403)
        challenge = answer.headers["WWW-Authenticate"]
        self.assertIn('error="insufficient_scope"', challenge)
        self.assertIn('scope="mcp:tools"', challenge)
        self.assertIn(f'resource_metadata="{self.METADATA}"', challenge)

    def test_stream(self):
        """Events come through one by one, not when the stream ends."""
        connection = http.client.HTTPConnection("127.0.0.1", self.lab.port, timeout=5)
        connection.request("GET", "/mcp", headers={
            "Host": "mcp.example.com", "Accept": "text/event-stream",
            "Authorization": f"Bearer {self.token}"})
        answer = connection.getresponse()
        self.assertEqual(answer.status, 200)
        times = []
        while len(times) < EVENTS:
            if answer.readline().startswith(b"data: "):
                times.append(time.monotonic())
        connection.close()
        self.assertGreater(times[-1] - times[0], PAUSE * (EVENTS - 2))

    def test_refused(self):
        """Another site's page, a token in the query and other paths do not get through."""
        self.assertEqual(self.call(self.token, Origin="https://evil.example").status, 403)
        self.assertEqual(self.call(self.token, Origin="https://mcp.example.com").status, 200)
        self.assertEqual(self.call(path=f"/mcp?access_token={self.token}").status, 400)
        self.assertEqual(self.call(self.token, path="/other").status, 404)
