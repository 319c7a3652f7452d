"""What an operator does with identityctl on a live daemon, and one request followed by its id."""
import datetime
import json
import os
import pty
import re
import select
import signal
import subprocess
import time

import harness
import procs
import spop
import web
from harness import CTL, LabCase

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def hubble_line(source, destination, identity, when):
    """A flow as Cilium's own datapath exports it (cilium-verified.md 6)."""
    (src, sport), (dst, dport) = source, destination
    stamp = when.strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"
    flow = {"time": stamp, "verdict": "FORWARDED",
            "IP": {"source": src, "destination": dst, "ipVersion": "IPv4"},
            "l4": {"TCP": {"source_port": sport, "destination_port": dport, "flags": {"SYN": True}}},
            "source": {"identity": identity}, "destination": {"identity": 4242}, "Type": "L3_L4",
            "node_name": "default/lb1", "event_type": {"type": 4, "sub_type": 3},
            "traffic_direction": "EGRESS", "is_reply": False, "Summary": "TCP Flags: SYN"}
    return json.dumps({"flow": flow, "node_name": "default/lb1", "time": stamp}) + "\n"


class Operate(LabCase):
    @classmethod
    def make(cls):
        cls.agent = cls.lab.agent(start=False)
        cls.audit = os.path.join(cls.agent.dir, "audit.log")
        cls.agent.configure(more=f"audit: {{to: file, path: {cls.audit}}}\n")
        cls.agent.start()
        cls.lab.haproxy("unix@" + cls.agent.unix)
        cls.lab.until(200, token=cls.provider.token())

    def ctl(self, *words, code=0):
        done = harness.run(CTL, *words, "--socket", self.agent.admin, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout

    def ask(self, **request):
        """HAProxy's answer, and its own log line about it."""
        def logged():
            return [line for line in self.lab.proxy.text().splitlines() if " reqid=" in line]
        before = len(logged())
        answer = self.lab.get(**request)
        return answer, procs.eventually(lambda: logged()[before:], what="HAProxy logs")[0]

    def test_trace(self):
        """One live request, followed by its id through HAProxy, identityd and Cilium."""
        answer, line = self.ask(token=self.provider.token(),
                                headers=[("traceparent", f"00-{TRACE}-b7ad6b7169203331-01")])
        self.assertEqual(answer.status, 200)
        reqid = re.search(r"reqid=(\S+)", line)[1]
        identity = int(answer.header("X-Identity-Id")[0])
        ends = [(ip, int(port)) for ip, port in
                re.findall(r" (?:via|to)=([\d.]+):(\d+)", line)]
        self.assertEqual(len(ends), 2, line)
        procs.eventually(lambda: reqid in open(self.audit, encoding="utf-8").read(), what="audit")
        haproxy, hubble = (os.path.join(self.lab.dir, n) for n in ("traced.log", "flows.json"))
        with open(haproxy, "w") as f:
            f.write(self.lab.proxy.text())
        now = datetime.datetime.now(datetime.timezone.utc)
        with open(hubble, "w") as f:
            f.write(hubble_line(*ends, identity, now))
            f.write(hubble_line(ends[0], (ends[1][0], ends[1][1] + 1), identity, now))  # another's
            f.write(hubble_line(*ends, identity, now - datetime.timedelta(hours=1)))  # of the past
        argv = ["trace", reqid, "--haproxy-log", haproxy, "--audit", self.audit, "--hubble", hubble]
        story = json.loads(harness.run(CTL, *argv, "-o", "json").stdout)
        self.assertEqual([event["source"] for event in story], ["haproxy", "identityd", "hubble"])
        self.assertEqual(story[1]["flow"]["source"]["identity"], identity)
        self.assertEqual(story[1]["flow"]["trace_context"]["parent"]["trace_id"], TRACE)
        self.assertEqual((story[2]["found_by"], story[2]["other_identity"]),
                         ("backend connection", False))
        text = harness.run(CTL, *argv).stdout
        self.assertIn(f"id={identity}", text)
        self.assertIn("found by the backend connection\n", text)
        self.assertEqual(text.count("\n"), 4, text)

    def test_tail(self):
        """Decisions are shown as they happen, by verdict, identity and label."""
        token = self.provider.token()
        tails = {name: subprocess.Popen([CTL, "tail", "--lines", "0", "--socket", self.agent.admin,
                                         *words], stdout=subprocess.PIPE, text=True)
                 for name, words in {"deny": ["--verdict", "deny"], "id": ["--identity", "200"],
                                     "label": ["--label", "role=reader", "-o", "json"]}.items()}
        try:
            seen = {name: "" for name in tails}

            def read():
                self.lab.get()
                self.lab.get(token=token)
                self.lab.get(token=self.provider.token("reader"))
                for name, process in tails.items():
                    while select.select([process.stdout], [], [], 0)[0]:
                        seen[name] += os.read(process.stdout.fileno(), 65536).decode()
                return all(text.endswith("\n") for text in seen.values())
            procs.eventually(read, 20, every=0.2, what="all tails say something")
        finally:
            for process in tails.values():
                process.kill()
                process.communicate()
        self.assertEqual({line.split()[1] for line in seen["deny"].splitlines()}, {"deny"})
        self.assertTrue(all(" id=200 " in line for line in seen["id"].splitlines()), seen["id"])
        for line in seen["label"].splitlines():
            self.assertIn("k8s:role=reader", json.loads(line)["flow"]["source"]["labels"])

    def test_lists(self):
        """Providers, identities, flows; the identity's own connections; top."""
        self.assertRegex(self.ctl("provider", "list"), r"\ncorp +fresh +")
        self.assertRegex(self.ctl("identity", "list"), r"\n200 +fixed +admin +k8s:")
        with web.Connection(self.lab.port) as held:
            held.get(token=self.provider.token())
            flows = json.loads(self.ctl("flow", "list", "--identity", "200", "-o", "json"))
            self.assertEqual(flows["flows"][0]["identity"], 200)
            self.assertIn("1 of 1", self.ctl("identity", "show", "200"))
        self.ctl("identity", "show", "199", code=1)
        top = json.loads(self.ctl("top", "--count", "1", "--interval", "1", "-o", "json"))
        self.assertEqual((top["ready"], top["enforced"]), (1, 1))
        self.assertIn("connections", self.ctl("top", "--count", "1", "--interval", "1"))

    def test_orders(self):
        """Observe lets everybody in and ends by order; the level of the log; reload."""
        self.assertEqual(self.lab.get().status, 401)
        self.ctl("observe", "--for", "1h", "--why", "a test")
        self.assertEqual(self.lab.until(200).status, 200)
        self.assertEqual(self.agent.metric("^identityd_observe$"), 1)
        self.ctl("observe", "--for", "0", "--why", "done")
        self.lab.until(401)
        self.assertEqual([e["seconds"] for e in self.agent.process.events(event="observe")], [3600, 0])
        self.ctl("log-level", "debug")
        self.lab.get(token=self.provider.token())
        procs.eventually(lambda: self.agent.process.events(event="decision", verdict="allow"),
                         what="debug lines")
        self.ctl("log-level", "loud", code=1)
        self.assertIn("generation: ", self.ctl("reload"))
        good = open(self.agent.config).read()
        self.agent.configure(text=good + "nonsense: 1\n")
        done = harness.run(CTL, "reload", "--socket", self.agent.admin, check=False)
        self.agent.configure(text=good)
        self.assertEqual(done.returncode, 1)
        self.assertIn("nonsense", done.stderr)
        self.ctl("reload")


class Drain(LabCase):
    asks_haproxy = False

    @classmethod
    def make(cls):
        cls.agent = cls.lab.agent(bpf="off", setup=False)

    def test_colours(self):
        """Colours on a terminal; none in a pipe, nor when somebody wants none."""
        def status(env):
            ours, theirs = pty.openpty()
            try:
                # Nothing is enforced, so there is a line that begins with !!.
                subprocess.run([CTL, "tail", "--no-follow", "--socket", self.agent.admin], check=True,
                               stdout=theirs, env={**os.environ, "TERM": "xterm", **env}, timeout=30)
                os.write(theirs, b"end")
                text = b""
                while not text.endswith(b"end"):
                    text += os.read(ours, 65536)
                return text
            finally:
                os.close(ours)
                os.close(theirs)
        with spop.FakeHaproxy(self.agent.unix) as haproxy:
            haproxy.hello()
            haproxy.ask("identify", {})
        self.assertIn(b"\033[1;31mdeny", status({}))
        self.assertNotIn(b"\033", status({"NO_COLOR": "1"}))
        self.assertNotIn(b"\033", status({"TERM": "dumb"}))
        self.assertNotIn("\033", harness.run(CTL, "tail", "--no-follow", "--socket",
                                             self.agent.admin).stdout)

    def test_zz_drain(self):
        """Drain ends the process as SIGTERM does."""
        harness.run(CTL, "drain", "--socket", self.agent.admin)
        procs.eventually(lambda: not self.agent.process.alive(), 30, what="it ends")
        self.assertEqual(harness.run(CTL, "status", "--socket", self.agent.admin,
                                     check=False).returncode, 3)


class Completion(LabCase):
    """In real shells; the scripts are made by the program from its own table."""
    asks_haproxy = False

    @classmethod
    def make(cls):
        cls.scripts = {}
        for shell in "bash", "zsh":
            cls.scripts[shell] = os.path.join(cls.lab.dir, "_identityctl" if shell == "zsh" else shell)
            with open(cls.scripts[shell], "w") as f:
                f.write(harness.run(CTL, "completion", shell).stdout)

    def bash(self, *words):
        """What bash offers for the last of these words."""
        text = " ".join(f"'{word}'" for word in ("identityctl", *words))
        return harness.run("bash", "--norc", "-c", f"source {self.scripts['bash']}; "
                           f"COMP_WORDS=({text}); COMP_CWORD={len(words)}; _identityctl; "
                           "printf '%s\\n' \"${COMPREPLY[@]}\"").stdout.split()

    def test_bash(self):
        """Commands, their second words, options, and the words and files that follow those."""
        self.assertEqual(self.bash("stat"), ["status"])
        self.assertEqual(self.bash("revoke", ""), ["add", "list", "remove"])
        self.assertEqual(self.bash("tail", "--ver"), ["--verdict"])
        self.assertEqual(self.bash("tail", "--verdict", ""), ["allow", "deny", "error", "audit"])
        self.assertEqual(self.bash("log-level", "d"), ["debug"])
        self.assertEqual(self.bash("status", "-o", "j"), ["json"])
        self.assertIn(self.scripts["bash"], self.bash("trace", "r", "--audit", self.scripts["bash"][:-1]))
        self.assertEqual(self.bash("flow", "list", "--identity", ""), [])

    def test_zsh(self):
        """The same in an interactive zsh, which finds the script itself."""
        pid, fd = pty.fork()
        if not pid:
            os.chdir(self.lab.dir)
            os.execvpe("zsh", ["zsh", "-f", "-i"], {**os.environ, "TERM": "dumb", "PS1": "> ",
                                                    "HOME": self.lab.dir})

        def types(text, wanted):
            seen, end = b"", time.monotonic() + 60
            os.write(fd, text.encode())
            while wanted.encode() not in seen:
                self.assertLess(time.monotonic(), end, seen)
                if select.select([fd], [], [], 1)[0]:
                    seen += os.read(fd, 65536)
        try:
            types(f"fpath=({self.lab.dir} $fpath); autoload -U compinit; compinit -u -D; "
                  "echo rea''dy\n", "ready")
            types("identityctl stat\t", "identityctl status")
            types("\x15identityctl revoke rem\t", "identityctl revoke remove")
            types("\x15identityctl tail --verdict den\t", "--verdict deny")
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            os.close(fd)
