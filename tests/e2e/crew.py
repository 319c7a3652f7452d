"""
A crew: processes that run test classes side by side, each class whole in one of them. A real
agent, provider or HAProxy is waited for most of the time, so that a crew is done much earlier.

Each member is `run.py --member N`: it reads names of classes, one a line, and answers each with a
line of JSON. Classes with `alone = True` are left to whoever called run().
"""
import json
import queue
import subprocess
import sys
import threading
import time

PORTS = 3000        # of 127.0.0.1 for each member, from FIRST_PORT; below the kernel's own choices
FIRST_PORT = 10000


def name_of(test):
    return f"{type(test).__module__}.{type(test).__qualname__}"


def member(answer_for):
    """The life of a member: answer_for(name) is (names of good tests, of bad ones, what was said)."""
    for line in sys.stdin:
        good, bad, said = answer_for(line.strip())
        json.dump([sorted(good), sorted(bad), said], sys.__stdout__)
        print(file=sys.__stdout__, flush=True)


def _lead(argv, number, todo, on_done):
    with subprocess.Popen([*argv, "--member", str(number)], text=True, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:
        while True:
            try:
                name = todo.get_nowait()
            except queue.Empty:
                break
            start = time.monotonic()
            process.stdin.write(name + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
            good, bad, said = json.loads(line) if line else ([], [name], "no answer\n")
            on_done(name, good, bad, f"== {name}, {time.monotonic() - start:.1f} s\n{said}")
            if not line:
                break


def run(argv, jobs, names, on_done):
    """Has names run by that many members; on_done(name, good, bad, said) is called for each."""
    todo, lock = queue.SimpleQueue(), threading.Lock()
    for name in names:
        todo.put(name)

    def done(*answer):
        with lock:
            on_done(*answer)

    leaders = [threading.Thread(target=_lead, args=(argv, n, todo, done)) for n in range(jobs)]
    for leader in leaders:
        leader.start()
    for leader in leaders:
        leader.join()
    while not todo.empty():  # every member died
        name = todo.get()
        on_done(name, [], [name], f"{name}: nobody left to run it\n")
