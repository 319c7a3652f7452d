#!/usr/bin/env python3
"""
Runs what docs/POLICY.md tells its readers to run, on the files it shows.

  tests/policy/documents.py IDENTITYCTL

A command must end with 0, or with what stands behind it: `# ends with 1`.
"""
import os
import re
import shlex
import subprocess
import sys
import tempfile

DOCUMENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "POLICY.md")


def main():
    identityctl = os.path.abspath(sys.argv[1])
    with open(DOCUMENT, encoding="utf-8") as f:
        text = f.read()
    files = re.findall(r"^File `([^`]+)`.*?\n```yaml\n(.*?)^```", text, re.M | re.S)
    commands = re.findall(r"^    (identityctl policy .*?)(?: # ends with (\d))?$", text, re.M)
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files:
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as f:
                f.write(content)
        for command, status in commands:
            argv = [identityctl, *shlex.split(command)[1:]]
            done = subprocess.run(argv, cwd=folder, check=False, capture_output=True, text=True,
                                  timeout=60)
            if done.returncode != int(status or 0) or not done.stdout:
                failed += 1
                print(f"{command}\n  ended with {done.returncode}: {done.stderr or done.stdout}")
    if not files or not commands:
        failed += 1
        print("no files or no commands in the document")
    print(f"100%: Checks: {len(commands)}, Failures: {failed}, Errors: 0")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
