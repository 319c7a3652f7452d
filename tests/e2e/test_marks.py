"""
Marked backend connections of a real HAProxy (3.0 or later), between network
namespaces: a client, the edge, two applications. No daemon runs: what setup
left in the kernel enforces alone. Policies are written by bpftool, byte by byte.
"""
import ipaddress
import json
import os
import struct
import subprocess
import unittest

import harness
import procs
from kernel import put as update
from harness import CTL, ROOT, run

FRIEND, FOE = 300, 70001
MARK = {FRIEND: 300 << 16 | 0x0B00, FOE: 0x11710B01}  # cilium.md 4.1
PORT, FRONT = 8080, 8443
AUDIT, ENFORCE = 1, 2

APPLICATION = """
import http.server, socket, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "1"); self.end_headers(); self.wfile.write(sys.argv[1].encode())
    def log_message(self, *_): pass
class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()
Server(("::", %d), Handler).serve_forever()
""" % PORT

HAPROXY = """
global
    log stdout format raw daemon
defaults
    mode http
    timeout connect 2s
    timeout client 5s
    timeout server 5s
    retries 0
frontend edge
    bind :::{front} v4v6
    http-request set-bc-mark req.hdr(x-mark),add(0) if {{ req.hdr(x-mark) -m found }}
    use_backend %[path,field(2,/)]
backend a4
    server s 10.77.2.2:{port}
backend a6
    server s [fd77:2::2]:{port}
backend am
    server s [::ffff:10.77.2.2]:{port}
backend b4
    server s 10.77.3.2:{port}
backend b6
    server s [fd77:3::2]:{port}
"""


# One connection with the mark argv[1]; for each line on stdin a request on it.
ASKER = """
import http.client, socket, sys
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, int(sys.argv[1]))
s.connect(("10.77.2.2", %d))
s.settimeout(1)
for line in sys.stdin:
    try:
        s.sendall(b"GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n")
        got = b""
        while not got.endswith(b"\\r\\n\\r\\na"):
            got += s.recv(4096)
        print(got.split()[1].decode(), flush=True)
    except TimeoutError:
        print("timeout", flush=True)
""" % PORT


class Net:
    """Namespaces in a star: the edge in the middle, a link to each other one."""

    def __init__(self, names):
        self.prefix = f"identityd{os.getpid()}"
        self.names = ["edge", *names]
        try:
            self.make(names)
        except AssertionError:
            self.close()
            raise

    def make(self, names):
        for name in self.names:
            run("ip", "netns", "add", self.ns(name))
            run("ip", "-n", self.ns(name), "link", "set", "lo", "up")
        for i, name in enumerate(names, 1):
            run("ip", "-n", self.ns("edge"), "link", "add", "dev", name, "type", "veth", "peer",
                "name", "edge", "netns", self.ns(name))
            for end, link, host in (("edge", name, 1), (name, "edge", 2)):
                ns = self.ns(end)
                run("ip", "-n", ns, "addr", "add", f"10.77.{i}.{host}/24", "dev", link)
                run("ip", "-n", ns, "addr", "add", f"fd77:{i}::{host}/64", "dev", link, "nodad")
                run("ip", "-n", ns, "link", "set", "dev", link, "up")

    def ns(self, name):
        return f"{self.prefix}-{name}"

    def inside(self, name, *argv):
        return ["ip", "netns", "exec", self.ns(name), *argv]

    def close(self):
        for name in self.names:
            subprocess.run(["ip", "netns", "del", self.ns(name)], check=False)


class Marks(unittest.TestCase):
    # The friend may reach service 1.
    RULE = struct.pack("=IIIIBB", 112 + 16, 1, 1, FRIEND, 0, 6) + struct.pack(">H", PORT)

    @classmethod
    def setUpClass(cls):
        cls.lab = harness.Lab("marks")
        cls.addClassCleanup(cls.lab.close)
        cls.net = Net(["client", "a", "b"])
        cls.addClassCleanup(cls.net.close)
        cls.agent = cls.lab.agent(start=False)
        cls.bpf = cls.agent.options["bpf_dir"]
        for name in "a", "b":
            cls.lab.start(name, cls.net.inside(name, "python3", "-c", APPLICATION, name))
        config = os.path.join(cls.lab.dir, "marks.cfg")
        with open(config, "w") as f:
            f.write(HAPROXY.format(front=FRONT, port=PORT))
        haproxy = run(os.path.join(ROOT, "scripts", "fetch-haproxy"), "3.2").stdout.strip()
        cls.proxy = cls.lab.start("haproxy", cls.net.inside("edge", haproxy, "-db", "-f", config),
                                  cgroup=cls.lab.cgroup)
        cls.write_policy()
        procs.eventually(lambda: cls.ask("a4") == "a" and cls.ask("b6") == "b", 10, every=0.2,
                         what="everybody is there")

    @classmethod
    def write_policy(cls):
        for service, network in (1, 2), (2, 3):
            for family, bits, text in ((1, 32, f"10.77.{network}.2"), (2, 128, f"fd77:{network}::2")):
                address = ipaddress.ip_address(text).packed
                update(f"{cls.bpf}/endpoints",
                       struct.pack("=IIBB", 64 + bits, 1, family, 6) + struct.pack(">H", PORT) +
                       address.ljust(16, b"\0"), struct.pack("=II", service, 0))
        update(f"{cls.bpf}/policy", cls.RULE, struct.pack("=I", 1))

    def control(self, mode, deny_unmarked):
        update(f"{self.bpf}/control", bytes(4), struct.pack(
            "=I4BQIB3x", 1, mode, mode, mode, mode, 0, 100, deny_unmarked))

    @classmethod
    def ask(cls, backend, mark=None, over="10.77.1.1"):
        """The application's name, or HAProxy's status."""
        headers = ["-H", f"x-mark: {mark}"] if mark is not None else []
        host = f"[{over}]" if ":" in over else over
        done = subprocess.run(cls.net.inside(
            "client", "curl", "-s", "-m", "4", "-w", "%{http_code}", *headers,
            f"http://{host}:{FRONT}/{backend}"), capture_output=True, text=True, check=False)
        return done.stdout[0] if done.stdout.endswith("200") else done.stdout[-3:]

    def packets(self, identity, verdict):
        lines = run(CTL, "map", "export", "stats", "--path", self.bpf).stdout.splitlines()
        return sum(int(s["packets"]) for s in map(json.loads, lines)
                   if s["identity"] == identity and s["verdict"] == verdict)

    def test_enforced(self):
        """The friend reaches A and not B, the foe and the unmarked neither."""
        self.control(ENFORCE, 1)
        passed = self.packets(FRIEND, "passed")
        for over in "10.77.1.1", "fd77:1::1":
            for a, b in ("a4", "b4"), ("a6", "b6"), ("am", "b4"):
                with self.subTest(over=over, a=a):
                    self.assertEqual(self.ask(a, MARK[FRIEND], over), "a")
                    self.assertEqual(self.ask(b, MARK[FRIEND], over), "503")
                    self.assertEqual(self.ask(a, MARK[FOE], over), "503")
                    self.assertEqual(self.ask(a, None, over), "503")
                    self.assertEqual(self.ask(b, None, over), "503")
        self.assertGreater(self.packets(FRIEND, "passed"), passed + 20)
        self.assertEqual(self.packets(FOE, "passed"), 0)

    def test_audited(self):
        """While it is an audit everybody gets everywhere, and the counters say who should not."""
        self.control(AUDIT, 1)
        before = self.packets(FOE, "audited")
        for mark in MARK[FRIEND], MARK[FOE], None:
            for backend in "a4", "b4", "a6", "b6":
                self.assertEqual(self.ask(backend, mark), backend[0])
        self.assertGreater(self.packets(FOE, "audited"), before)

    def test_unmarked_allowed(self):
        """The unmarked go where they went before, unless deny says otherwise."""
        self.control(ENFORCE, 0)
        self.assertEqual(self.ask("b4"), "b")
        self.assertEqual(self.ask("b4", MARK[FOE]), "503")
        self.assertEqual(self.ask("b4", 0x11710F01), "b")  # not our magic: no mark of ours

    def test_open_connections(self):
        """A rule that is withdrawn stops the packets of connections that are open."""
        self.control(ENFORCE, 0)

        def join():
            with open(os.path.join(self.lab.cgroup, "cgroup.procs"), "w") as f:
                f.write("0")

        with subprocess.Popen(self.net.inside("edge", "python3", "-c", ASKER, str(MARK[FRIEND])),
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                              preexec_fn=join) as asker:
            def answers():
                asker.stdin.write("ask\n")
                asker.stdin.flush()
                return asker.stdout.readline().strip()
            self.assertEqual(answers(), "200")
            stopped = self.packets(FRIEND, "stopped")
            run("bpftool", "map", "delete", "pinned", f"{self.bpf}/policy", "key", "hex",
                *[f"{b:02x}" for b in self.RULE])
            self.addCleanup(self.write_policy)
            self.assertEqual(answers(), "timeout")
            self.assertGreater(self.packets(FRIEND, "stopped"), stopped)
            asker.stdin.close()

    def test_flows(self):
        """An IPv4 client of the v4v6 bind is an IPv4 flow."""
        self.control(ENFORCE, 0)
        client = self.net.inside(
            "client", "python3", "-c",
            "import socket,sys;s=socket.create_connection(('10.77.1.1',%d));"
            "print(s.getsockname()[1],flush=True);sys.stdin.read()" % FRONT)
        with subprocess.Popen(client, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True) as process:
            port = int(process.stdout.readline())
            found = json.loads(run(CTL, "map", "get", f"10.77.1.2:{port}", "--path",
                                   self.bpf).stdout)
            self.assertEqual(found["local"], f"10.77.1.1:{FRONT}")
            process.stdin.close()
        procs.eventually(lambda: run(CTL, "map", "get", f"10.77.1.2:{port}", "--path", self.bpf,
                                     check=False).returncode == 1, what="the entry goes")


if __name__ == "__main__":
    unittest.main()
