"""
The command lines of the documents, and who runs each of them. A command line is a line
of an indented or fenced block that begins with one of the words below, or a .Dl line of
a man page; "# ends with N" behind it says its exit status.
"""
import glob
import os
import re
import textwrap
from typing import NamedTuple

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DOCUMENTS = ("docs/OPERATIONS.md", "README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/*.md",
             "docs/man/*.[1-8]")

WORDS = """identityd identityd-setup identityctl make cmake ctest ninja haproxy bpftool curl jq hubble
cilium kubectl podman docker kustomize etcdctl openssl systemctl systemd-run systemd-sysusers
systemd-analyze systemd-nspawn journalctl logrotate promtool prometheus apt apt-get dpkg groupadd
useradd adduser usermod install mkdir cp mv ln rm chown chmod mount umount head cat echo printf kill
ip ss nft tc sysctl getcap setcap lua5.3 luacheck mandoc man git sudo python3 bash sh
setfacl logger watch tar socat nc wrk""".split()
PATHS = ("scripts/", "tests/", "build/", "examples/", "packaging/", "./")

LAB, DAEMON, MAKE = "lab", "daemon", "make"
# Who runs a line that matches: LAB (tests/e2e/test_commands.py runs it as it stands), DAEMON
# (the same, and it goes on running), MAKE (the target is there, with what it needs), or
# "FILE (WORDS)": that test, in which these words stand.
TABLE = [
    (r"identityd --config \S+ --user identityd$", DAEMON),
    (r"identityd --config \S+ --user identityd --replace$", "tests/e2e/loss.py (launch(replace=True))"),
    (r"identityd --check ", LAB),
    (r"identityd-setup --config \S+( --remove)?$", LAB),
    (r"identityctl policy (check|explain|diff|simulate) ", "tests/policy/documents.py (POLICY.md)"),
    (r"identityctl ", LAB),
    (r"(groupadd|useradd|install) ", LAB),
    (r"haproxy -c -f /etc/haproxy/haproxy.cfg$", LAB),
    (r"scripts/install-deps build$", LAB),
    (r"systemctl enable --now identityd-cilium-map.path ", "tests/systemd/packaged (identityd-cilium-map.path)"),
    (r"systemctl restart haproxy$", "tests/systemd/packaged (\"restart\", \"haproxy\")"),
    # docs/INSTALL.md, whose sections these run as they stand (tests/packages/document.py).
    (r"apt install ./identityd_\*.deb$", "tests/packages/chroot (follow(\"Install the package\")"),
    (r"apt install --allow-downgrades ", "tests/packages/chroot (follow(\"Go back to the version before\")"),
    (r"apt (remove|purge) identityd$", "tests/packages/chroot (follow(\"Remove the package\")"),
    (r"(cp|mkdir -p|echo) .*(/etc/haproxy/|/etc/default/haproxy|haproxy.service.d/?)$",
     "tests/systemd/packaged (follow(\"Start it\")"),
    (r"systemctl (enable --now identityd-setup.service|restart haproxy.service)",
     "tests/systemd/packaged (follow(\"Start it\")"),
    (r"systemctl (reload|restart) \S+.service$", "tests/systemd/packaged (follow(\"Day by day\")"),
    # docs/UPGRADE.md, with the package of an older commit (make packages-test).
    (r"(cp|mv|rm) .* ?/var/lib/identityd/state.db", "tests/systemd/packaged (\"Going back\", \"docs/UPGRADE.md\")"),
    (r"systemctl (stop|start|reset-failed) identityd.service", "tests/systemd/packaged (\"Going back\", \"docs/UPGRADE.md\")"),
    (r"(packaging/oci/build$|podman (load|run) )", "tests/packages/image (commands(\"Container image\")"),
    (r"systemctl daemon-reload$", "tests/systemd/packaged (follow(\"Start it\")"),
    (r"systemd-(sysusers|tmpfiles --create)$", "tests/packages/source (commands(\"From source\")"),
    (r"bpftool map dump pinned /run/identityd/bpf/flows$", LAB),
    (r"curl --unix-socket /run/identityd/admin.sock ", LAB),
    (r"jq .* /var/log/identityd/audit.log$", LAB),
    (r"promtool test rules ", "tests/monitoring/run (\"test\", \"rules\")"),
    (r"make demo$", "tests/CMakeLists.txt (examples/demo/run)"),
    (r"(\w+=\w+ )?make ", MAKE),
    (r"tests/run checks dev$", ".ci/run (make test)"),
    (r"build/dev/tests/unit_token$", "tests/unit/token/room.cmake (unit(token)"),
    (r"build/dev/tests/replay_frame tests/fuzz/corpus/frame$", "tests/CMakeLists.txt (NAME replay_)"),
    (r"(BUILD=\S+ |HAPROXY=\S+ \S+\) )?tests/e2e/run.py", "tests/run (tests/e2e/run.py)"),
    (r"tests/bench/run.py spop$", "Makefile (tests/bench/run.py)"),
    (r"tests/policy/compare.py ", "tests/unit/policy/room.cmake (compare.py)"),
]


class Line(NamedTuple):
    where: str  # FILE:LINE
    text: str
    status: int  # the exit status that the document promises


def _code_of_markdown(text):
    """(number, line) of what stands in code blocks, as it is."""
    fence, before, inside = False, "", False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fence = not fence
        elif fence:
            yield number, line
        elif re.match(r" {4,}\S", line) and (inside or not before.strip()):
            inside = True
            yield number, line
        elif line.strip():
            inside = False
        before = line


def _lines_of_markdown(text):
    return ((number, line.strip()) for number, line in _code_of_markdown(text))


def pieces(sections, root=ROOT):
    """(where, text) of each piece of a configuration: a block that begins with one of its sections."""
    found = []
    for path, text in documents(root):
        blocks, last = [], 0
        for number, line in _code_of_markdown(text) if path.endswith(".md") else ():
            if number != last + 1:
                blocks.append((number, []))
            blocks[-1][1].append(line)
            last = number
        for number, lines in blocks:
            dedent = textwrap.dedent("\n".join(lines)) + "\n"
            if set(re.findall(r"^([a-z_]+):", dedent, re.M)[:1]) & set(sections):
                found.append((f"{path}:{number}", dedent))
    return found


def _lines_of_man(text):
    literal = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith((".Bd -literal", ".Ed")):
            literal = line.startswith(".Bd")
        elif literal or line.startswith(".Dl "):
            yield number, line.removeprefix(".Dl ")


def _whole(lines):
    """Lines that end in a backslash go on with the next one."""
    first, text = 0, ""
    for number, line in lines:
        first = first or number
        if line.endswith("\\"):
            text += line[:-1]
            continue
        yield first, text + line
        first, text = 0, ""


def is_command(text):
    word = re.match(r"(?:[A-Z_]+=(?:\$\([^)]*\)|\S+) )*(\S+)", text)
    return bool(word) and (word[1] in WORDS or word[1].startswith(PATHS))


def of_document(path, text):
    """The command lines of one document."""
    lines = _lines_of_man(text) if re.search(r"\.\d$", path) else _lines_of_markdown(text)
    found = []
    for number, line in _whole(lines):
        status = re.search(r"# .*\bends with (\d)", line)
        line = re.sub(r"\s+# .*", "", line)
        if is_command(line):
            found.append(Line(f"{path}:{number}", re.sub(r"\s+", " ", line),
                              int(status[1]) if status else 0))
    return found


def documents(root=ROOT):
    seen = []
    for pattern in DOCUMENTS:
        for path in sorted(glob.glob(os.path.join(root, pattern))):
            if path not in seen:
                seen.append(path)
    return [(os.path.relpath(path, root), open(path, encoding="utf-8").read()) for path in seen]


def of_tree(root=ROOT):
    return [line for path, text in documents(root) for line in of_document(path, text)]


def who_runs(line, table=None):
    """The table's word for this line, or None."""
    for pattern, how in TABLE if table is None else table:
        if re.match(pattern, line.text):
            return how
    return None
