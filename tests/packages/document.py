"""Command lines of docs/INSTALL.md: what the tests run is what a reader runs."""
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def sections(path="docs/INSTALL.md"):
    """{title: command lines}: indented lines, joined where one ends with a backslash."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        text = f.read()
    found = {}
    for title, body in re.findall(r"^##+ (.*)\n((?:(?!##).*\n)*)", text, re.M):
        lines = "\n".join(re.findall(r"^    (.*)$", body, re.M)).replace("\\\n", " ")
        found[title] = [line for line in lines.splitlines() if not line.startswith("#")]
    return {title: lines for title, lines in found.items() if lines}


def commands(title, path="docs/INSTALL.md"):
    """Those of one section; there must be some."""
    return [re.sub(r"\s+# .*", "", line).strip() for line in sections(path)[title]]
