"""
The documents' command lines, as they stand there, one after the other, in a machine of
their own: mount and network namespaces in which this build is installed as README says.
"""
import os
import re
import shlex
import signal
import subprocess
import tempfile
import unittest

import commands
import harness
import kernel
import procs

CONFIG = """\
version: 1
listen:
  - {{unix: /run/identityd/spop.sock, group: haproxy}}
seccomp: {seccomp}
bpf: {{mode: required, cgroup: {cgroup}, ports: [8080]}}
audit: {{to: file, path: /var/log/identityd/audit.log}}
assertion: {{issuer: "https://edge.example.com"}}
providers:
  - {{name: corp, issuer: "https://idp.example.com", audiences: [api], jwks_file: /etc/identityd/corp.jwks}}
  - {{name: devices, trust_bundle: /etc/identityd/devices.pem}}
roles:
  - {{name: admin, provider: corp, when: [{{claim: groups, any: [admins]}}], labels: [role=admin], \
number: 300, route: be_admin}}
  - {{name: device, provider: devices, labels: [role=device]}}
"""

# The machine: its files may be changed at will, its network is its own.
MACHINE = """
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs {dir}
for d in etc usr var; do
	mkdir -p {dir}/$d/upper {dir}/$d/work
	mount -t overlay overlay -o lowerdir=/$d,upperdir={dir}/$d/upper,workdir={dir}/$d/work /$d
done
mount -t tmpfs tmpfs /run
mkdir -p {dir}/here /run/haproxy /var/log/identityd
ip link set lo up
ip addr add 192.0.2.1/32 dev lo
cmake --install {build}
"""

# What an operator has before the documents begin: a configuration, a key, a caller's files.
OPERATOR = """
set -e
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out ca.pem -subj /CN=ca -days 2 2>/dev/null
openssl req -newkey rsa:2048 -nodes -keyout client.key -out client.csr -subj /CN=client 2>/dev/null
printf 'basicConstraints=critical,CA:FALSE\nsubjectAltName=DNS:client.example\n' >client.ext
openssl x509 -req -in client.csr -CA ca.pem -CAkey key.pem -CAcreateserial -days 2 \
	-extfile client.ext -out client.pem 2>/dev/null
identityctl token jwk --key key.pem --kid k1 --set >/etc/identityd/corp.jwks
identityctl token mint --alg RS256 --key key.pem --kid k1 --iss https://idp.example.com --aud api \
	--sub alice --claims '{"groups": ["admins"]}' --ttl 5m >token.txt
cp ca.pem /etc/identityd/devices.pem
"""

# A caller whose connection stays open, and what stands behind HAProxy.
CALLER = """
import socket, sys, time
with open("token.txt") as f:
    token = f.read().strip()
for _ in range(100):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("192.0.2.1", int(sys.argv[1])))
    try:
        s.connect(("127.0.0.1", 8080))
        s.sendall(f"GET / HTTP/1.1\\r\\nHost: x\\r\\nAuthorization: Bearer {token}\\r\\n\\r\\n".encode())
        status = s.recv(4096).split()[1]
        if status == b"200":
            break
    except (OSError, IndexError):
        pass
    s.close()
    time.sleep(0.1)
print(status.decode(), flush=True)
sys.stdin.read()
"""


class Commands(unittest.TestCase):
    """Needs no HAProxy but the installed one, and nothing of a sanitizer's build is installed."""

    asks_haproxy = asks_identityd = False

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="identityd-commands-")
        self.addCleanup(os.rmdir, self.dir)
        self.cgroup = kernel.make_cgroup()
        self.addCleanup(kernel.remove_cgroup, self.cgroup)
        self.holder = subprocess.Popen(["unshare", "-m", "-n", "sleep", "1000"])
        self.addCleanup(self.holder.wait)
        self.addCleanup(self.holder.kill)
        self.children = []
        self.addCleanup(self.end)
        procs.eventually(lambda: os.readlink(f"/proc/{self.holder.pid}/ns/net") !=
                         os.readlink("/proc/self/ns/net"), what="a machine")
        self.run_line(MACHINE.format(dir=self.dir, build=harness.BUILD), cwd="/")

    def end(self):
        for child in reversed(self.children):
            child.send_signal(signal.SIGTERM)
        for child in reversed(self.children):
            child.wait(20)
        self.children = []

    def inside(self, text, cwd=None):
        cwd = cwd or f"{self.dir}/here"
        return ["nsenter", "-t", str(self.holder.pid), "-m", "-n", "bash", "-c",
                f"cd {shlex.quote(cwd)}\n{text}"]

    def run_line(self, text, status=0, cwd=None):
        done = subprocess.run(self.inside(text, cwd), capture_output=True, text=True, check=False,
                              timeout=60, env={**os.environ, "LC_ALL": "C.UTF-8"})
        self.assertEqual(done.returncode, status, f"{text}\n{done.stdout}{done.stderr}")
        return done.stdout

    def start(self, text, cwd=None, **how):
        child = subprocess.Popen(self.inside(f"exec {text}", cwd), text=True, **how)
        self.children.append(child)
        return child

    def before(self, text):
        """What the text around a line has told the operator to do by then."""
        if text.startswith("identityd --check") and not self.configured:
            self.configured = True
            self.run_line(OPERATOR)
            self.run_line("cat >/etc/identityd/identityd.yaml <<'EOF'\n" + CONFIG.format(
                cgroup=self.cgroup, seccomp=harness.SECCOMP) + "EOF")
            self.run_line("chown identityd: /var/log/identityd")
        if text == "identityctl revoke list":
            for n in range(7):
                self.run_line(f"identityctl revoke add --sub nobody{n} --issued-before now --ttl 1h")
        if "/run/identityd-b/" in text:
            self.run_line("ln -sfn /run/identityd /run/identityd-b")
        if text.endswith(" --remove"):
            self.end()
        if "kernel kill" in text or "map get" in text:
            self.caller()

    def after(self, line, how):
        if how == commands.DAEMON:
            procs.eventually(lambda: subprocess.run(self.inside("identityctl status"), check=False,
                                                    capture_output=True).returncode == 0, 20,
                             what="identityctl status is content")

    def restart_haproxy(self):
        """There is no systemd here (tests/systemd/packaged has one); once is enough."""
        if not self.haproxy:
            self.haproxy = True
            self.start("python3 -m http.server --bind 127.0.0.1 8081", stderr=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL)
            self.start(f"bash -c 'echo 0 >{self.cgroup}/cgroup.procs; exec haproxy -db -f "
                       "/etc/haproxy/haproxy.cfg'", stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
            self.caller()

    def caller(self):
        """192.0.2.1:40000 is connected; a former connection of it has ended."""
        for child in [c for c in self.children if c.stdin]:
            child.stdin.close()
            child.wait(10)
            self.children.remove(child)
        child = self.start(f"python3 -c {shlex.quote(CALLER)} 40000", stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE)
        self.assertEqual(child.stdout.readline(), "200\n")

    def test_lines(self):
        """Each line that the table gives to the lab ends as its document says."""
        self.configured = self.haproxy = False
        done = set()
        for line in commands.of_tree():
            how = commands.who_runs(line)
            if line.text == "systemctl restart haproxy":
                self.restart_haproxy()
            if how not in (commands.LAB, commands.DAEMON) or line.text in done:
                continue
            done.add(line.text)
            self.before(line.text)
            with self.subTest(line.where):
                cwd = harness.ROOT if "examples/" in line.text or "scripts/" in line.text else None
                if how == commands.DAEMON:
                    self.start(line.text, stderr=subprocess.DEVNULL)
                else:
                    self.run_line(line.text, line.status, cwd)
                self.after(line, how)
        self.assertGreater(len(done), 20)


class Pieces(unittest.TestCase):
    """Pieces of the configuration, as documents show them."""

    asks_haproxy = asks_identityd = False
    # What a piece leaves out.
    REST = {"version": "version: 1", "listen": "listen: [{unix: /run/identityd/spop.sock}]",
            "providers": 'providers: [{name: corp, issuer: "https://idp.example.com", audiences: [api]}]',
            "roles": "roles: [{name: any, provider: corp, labels: [role=any]}]"}
    # A mistake, and not only a file that is not on this machine.
    MISSING = re.compile(r"No such file or directory|:system lib$")

    def mistakes(self, piece):
        sections = re.findall(r"^([a-z_]+):", piece, re.M)
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as f:
            f.write("".join(f"{text}\n" for name, text in self.REST.items() if name not in sections))
            f.write(piece)
            f.flush()
            done = harness.run(harness.IDENTITYD, "--check", f.name, check=False)
        return [line for line in done.stderr.splitlines() if not self.MISSING.search(line)]

    def test_pieces(self):
        """identityd --check has nothing against any of them."""
        keys = harness.run(harness.IDENTITYD, "--keys").stdout
        sections = re.findall(r"^([a-z_]+)$", keys, re.M)
        pieces = commands.pieces(sections)
        for where, piece in pieces:
            with self.subTest(where):
                self.assertEqual(self.mistakes(piece), [])
        self.assertGreater(len(pieces), 15)

    def test_bites(self):
        """A key that is none is found."""
        self.assertTrue(self.mistakes("spop: {deadlin: 1s}\n"))


if __name__ == "__main__":
    unittest.main()
