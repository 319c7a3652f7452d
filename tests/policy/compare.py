#!/usr/bin/env python3
"""
The engine against others: Cilium's own answers, the examples of its
documentation, and the reference evaluator.

  tests/policy/compare.py IDENTITYCTL VECTORS [SEEDS [FIRST]]

Both are asked the same questions; one answer that differs is a failure, and
so are vectors that are not there.
"""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import examples  # noqa: E402
import generate  # noqa: E402
import reference  # noqa: E402

ANSWERS = "expect", "l4", "l7"


def ask(identityctl, lines):
    """What identityctl says, with its own answers instead of those that are there."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as f:
        for line in lines:
            bare = [{k: v for k, v in case.items() if k not in ANSWERS} for case in line["cases"]]
            f.write(json.dumps({**line, "cases": bare}) + "\n")
        f.flush()
        done = subprocess.run([identityctl, "policy", "explain", "--batch", f.name], check=False,
                              capture_output=True, text=True, timeout=300)
    answers = [json.loads(text) for text in done.stdout.splitlines()]
    if len(answers) != len(lines):
        sys.exit(f"{len(lines)} lines asked, {len(answers)} answered: {done.stderr[-2000:]}")
    return answers


def answers_of(case):
    return {name: case[name] for name in ANSWERS if name in case}


def expected(answers):
    return {"expect": answers["expect"]}


def compare(title, lines, answered, wanted, of=answers_of):
    seen = wrong = 0
    for line, answers in zip(lines, answered, strict=True):
        for case, got in zip(line["cases"], answers["cases"], strict=True):
            seen += 1
            want = wanted(line, case)
            if of(got) == want:
                continue
            wrong += 1
            if wrong <= 5:
                print(f"{title}, seed {line['seed']}: {json.dumps(got)}\n  wanted {want}\n"
                      f"  policies {json.dumps(line['policies'])}")
    print(f"{title}: {seen} questions, {wrong} answers differ")
    return seen, wrong


def main():
    identityctl, vectors = sys.argv[1:3]
    seeds = int(sys.argv[3]) if len(sys.argv) > 3 else 150
    first = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    with open(os.path.join(vectors, "policy", "cases.jsonl"), encoding="utf-8") as f:
        cilium = [json.loads(text) for text in f]
    shown = examples.lines()
    made = [generate.line(seed) for seed in range(first, first + seeds)]
    answered = ask(identityctl, cilium)
    totals = [
        compare("engine and Cilium", cilium, answered, lambda _, case: answers_of(case)),
        compare("reference and Cilium", cilium, cilium,
                lambda line, case: reference.answer(line["policies"], case)),
        compare("engine and examples", shown, ask(identityctl, shown), lambda _, case: expected(case),
                of=expected),
        compare("reference and examples", shown, shown, lambda line, case: expected(
            reference.answer(line["policies"], case)), of=expected),
        compare("engine and reference", made, ask(identityctl, made),
                lambda line, case: reference.answer(line["policies"], case))]
    seen, wrong = (sum(column) for column in zip(*totals))
    print(f"100%: Checks: {seen}, Failures: {wrong}, Errors: 0")
    return 1 if wrong or not all(n for n, _ in totals) else 0


if __name__ == "__main__":
    sys.exit(main())
