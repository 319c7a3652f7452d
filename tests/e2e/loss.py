"""
The scenarios in which no request may be lost, each for any number of requests:
tests/e2e/test_loss.py runs them briefly, tests/soak at length.
"""
import signal
import time

import procs
from load import Load

FROZEN_SECONDS = 2.5


def _settled(lab):
    """HAProxy's checks call every agent up; a dead one must not be the only one known."""
    procs.eventually(lab.agents_up, 15, what="HAProxy knows every agent")


def restart(lab, agent, load):
    """One agent, its sockets held by a service manager: stopped, then started."""
    status = agent.process.stop()
    agent.launch()
    assert status == 0, status
    agent.process.wait_event(event="ready", timeout=15)


def replace(lab, agent, load):
    """One agent, replaced by another that takes over its sockets."""
    old = agent.process
    agent.launch(replace=True)
    agent.process.wait_event(event="ready", timeout=15)
    procs.eventually(lambda: not old.alive(), 15, what="the old agent has drained")
    assert old.child.returncode == 0, old.child.returncode


def drain(lab, agent, load):
    """One of two agents is stopped and comes back."""
    status = agent.process.stop()
    assert status == 0, status
    load.more()
    agent.start()
    _settled(lab)


def kill(lab, agent, load):
    """One of two agents is killed with -9 and comes back."""
    agent.process.kill()
    load.more()
    agent.start()
    _settled(lab)


def freeze(lab, agent, load):
    """One of two agents stands still for seconds (SIGSTOP) and goes on."""
    agent.process.signal(signal.SIGSTOP)
    try:
        time.sleep(FROZEN_SECONDS)
        load.more()
    finally:
        agent.process.signal(signal.SIGCONT)
    _settled(lab)


def reload(lab, agent, load):
    """HAProxy is reloaded."""
    lab.reload_haproxy()


# Name: (what happens, number of agents, options of the agents).
SCENARIOS = {
    "restart": (restart, 1, {"activated": True}),
    "replace": (replace, 1, {}),
    "drain": (drain, 2, {}),
    "kill": (kill, 2, {}),
    "freeze": (freeze, 2, {}),
    "reload": (reload, 1, {}),
}


def prepare(lab, name):
    """The agents of a scenario and a HAProxy that asks them."""
    _, n, options = SCENARIOS[name]
    agents = [lab.agent("ab"[i], bpf="off", setup=False, **options) for i in range(n)]
    lab.haproxy(*("unix@" + agent.unix for agent in agents), master=True)
    return agents


def run(lab, agents, name, token, requests, times=1, clients=8):
    """
    The load for at least so many requests, during which it happens to each
    agent in turn at least so many times. The Load, with its counts.
    """
    happen = SCENARIOS[name][0]
    _settled(lab)
    with Load(lab.port, token, clients) as load:
        load.more()
        done = 0
        while done < times * len(agents) or load.seen < requests - 200:
            happen(lab, agents[done % len(agents)], load)
            load.more()
            done += 1
        load.more(max(0, requests - load.seen))
    load.happened = done
    return load
