#!/usr/bin/env python3
"""
make bench: everything that docs/PERFORMANCE.md speaks of, in one run.

  tests/bench/run.py [PART...]     decide spop http (default: all)

BENCH=quick takes some two minutes. Prints tables, and writes all figures to
build/bench/results.json. As root: identityd gives up its rights.
"""
import json
import os
import platform
import sys
import time

import goals
import lab as l
import over_http
import over_spop


def decide():
    largest = 100000 if l.QUICK else 1000000
    rows = json.loads(l.run([l.tool("decide"), l.ROUNDS, largest], timeout=600))
    return {row["name"]: row["value"] for row in rows}


def print_decide(rows):
    l.say("\nIn memory, one thread                                            ")
    for name, value in rows.items():
        l.say(f"  {name:<44} {value:>10.2f}")


def print_spop(found):
    l.say("\nSPOP, one worker on a core of its own: messages/s, agent CPU us each, p50 and p99 us")
    for kind in over_spop.KINDS:
        for conns, depth in over_spop.SHAPES:
            l.say(f"  {kind}, {conns} connections x {depth} in flight")
            for what in ("raw bytes", "floor", "one token", "10 k tokens", "all tokens new"):
                key = over_spop.name(what, kind, conns, depth)
                if key not in found.found:
                    continue
                get = found.get
                l.say(f"    {what:<16} {get(key, 'rate'):>10.0f} {get(key, 'server_us'):>8.2f}"
                      f" {get(key, 'p50_us'):>9.1f} {get(key, 'p99_us'):>9.1f}"
                      f"   load generator busy {get(key, 'generator_busy'):.0%}")
            scaled = over_spop.peer(found, kind, conns, depth)
            if scaled:
                l.say(f"    {'best peer':<16} {scaled:>10.0f}   (not run: its ratio to the floor, elsewhere,"
                      " times this floor)")


def print_growth(found):
    l.say("\nHow cost grows: messages/s, agent CPU us each")
    for key in found.found:
        if key.startswith(("connections,", "lookups,", "workers,")):
            l.say(f"  {key:<24} {found.get(key, 'rate'):>10.0f} {found.get(key, 'server_us'):>8.2f}"
                  f"   load generator busy {found.get(key, 'generator_busy'):.0%}")
        elif key.startswith("tokens,"):
            l.say(f"  {key:<24} {found.get(key, 'bytes_each'):>10.0f} bytes of memory each")
    get = found.get
    l.say(f"  memory: {get('memory', 'idle_kib') / 1024:.1f} MiB idle, "
          f"{get('memory', 'connection_kib'):.1f} KiB for each idle connection, "
          f"{get('memory', 'grown_kib'):.0f} KiB more after {get('memory', 'messages') / 1e6:.0f} M messages")


def errors(results):
    failed, asked = (sum(r[field] for r in results) for field in ("errors", "n"))
    return f"   {failed} of {asked} were not answered 200" if failed else ""


def print_http(found):
    l.say(f"\nHTTP, one HAProxy thread, {over_http.CONNECTIONS} connections: requests/s, p50 and p99 us, "
          "CPU us each of HAProxy and agent")
    for key in found.found:
        if ": " in key and key[0].isdigit():
            l.say(f"  HAProxy {key:<40} {found.get(key, 'rate'):>10.0f} {found.get(key, 'p50_us'):>8.0f}"
                  f" {found.get(key, 'p99_us'):>8.0f} {found.get(key, 'haproxy_us'):>8.1f}"
                  f" {found.get(key, 'agent_us'):>6.1f}" + errors(found.found[key]))


def beside(what):
    return f"; {what['what']} {what['value']:.2f}" if what else ""


def print_goals(rows):
    l.say("\nGoals")
    for row in rows:
        l.say(f"  {'met   ' if row['met'] else 'MISSED'} {row['what']:<64} {row['value']:>8.2f} {row['unit']:<5}"
              f" (goal {row['goal']}{beside(row['beside'])})")


def measure(parts, found):
    started = time.monotonic()
    rows = {}
    lab = l.Lab()
    try:
        if "decide" in parts:
            rows = decide()
            print_decide(rows)
            l.clock("decide", started)
        lab.tokens(RS256=10000, ES256=10000)
        with open(lab.path("RS256.tokens")) as f, open(lab.path("one.tokens"), "w") as one:
            one.write(f.readline())
        if "http" in parts:
            over_http.measure(lab, found)
            print_http(found)
            l.clock("http", started)
        if "spop" in parts:
            tokens = lab.path("RS256.tokens")
            agent = over_spop.shapes(lab, tokens, lab.path("one.tokens"), found)
            over_spop.workers(lab, tokens, found)
            over_spop.connections(agent, tokens, found)
            over_spop.memory(lab, tokens, found)
            over_spop.cached_tokens(lab, found)
            print_spop(found)
            print_growth(found)
            l.clock("spop", started)
    finally:
        lab.close()
    return rows


def main():
    parts = sys.argv[1:] or ["decide", "http", "spop"]
    if os.cpu_count() < 2:
        raise SystemExit("bench: needs two cores, one for the server and one for the load")
    found = l.Medians()
    rows = measure(parts, found)
    done = goals.judge(found, rows) if set(parts) >= {"decide", "http", "spop"} else []
    if done:
        print_goals(done)
    with open(os.path.join(l.BUILD, "results.json"), "w") as f:
        json.dump({"machine": platform.uname()._asdict(), "cpus": os.cpu_count(), "quick": l.QUICK,
                   "load": os.getloadavg(), "decide": rows, "measured": found.table(), "goals": done}, f,
                  indent=1)
    l.say(f"\nall figures: {os.path.join(l.BUILD, 'results.json')}")


if __name__ == "__main__":
    main()
