"""The seccomp profile for containers: complete, and enough for the daemon."""
import json
import os
import re
import unittest

from harness import ROOT


class Profile(unittest.TestCase):
    def test_covers_the_daemon(self):
        """Every system call of the daemon's own filter is in the containers' profile."""
        with open(os.path.join(ROOT, "spoa", "filter.c"), encoding="utf-8") as f:
            text = f.read()
        allowed = re.search(r"ALLOWED\[\] = {(.*?)^};", text, re.M | re.S)[1]
        wanted = set(re.findall(r'"(\w+)"', allowed))
        with open(os.path.join(ROOT, "packaging", "seccomp", "identityd.json"),
                  encoding="utf-8") as f:
            profile = json.load(f)
        self.assertEqual(profile["defaultAction"], "SCMP_ACT_ERRNO")
        names = {name for rule in profile["syscalls"] for name in rule["names"]
                 if rule["action"] == "SCMP_ACT_ALLOW"}
        self.assertIn("bpf", wanted)
        self.assertEqual(wanted - names, set())
        self.assertEqual({"mount", "ptrace", "init_module", "kexec_load"} & names, set())


if __name__ == "__main__":
    unittest.main()
