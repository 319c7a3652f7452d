"""The goals, each as a ratio within this run, and what became of them."""
import over_spop

FLOOR = 0.85
LIMIT = "floor, all variables"


def add(rows, what, value, at_least=None, at_most=None, unit="", beside=None):
    """beside: (what, value) of this run that says what can be had at all."""
    if value is None:
        return
    met = (at_least is None or value >= at_least) and (at_most is None or value <= at_most)
    rows.append({"what": what, "value": value, "unit": unit, "met": met,
                 "goal": f">= {at_least}" if at_least is not None else f"<= {at_most}",
                 "beside": {"what": beside[0], "value": beside[1]} if beside else None})


def of_spop(rows, found):
    get = found.get
    for kind in over_spop.KINDS:
        def rate(what, conns, depth, field="rate"):
            return get(over_spop.name(what, kind, conns, depth), field)

        add(rows, f"{kind} 16 x 1: cached token / floor", rate("one token", 16, 1) / rate("floor", 16, 1),
            at_least=FLOOR)
        add(rows, f"{kind} 4 x 32: cached token / best peer (scaled)",
            rate("one token", 4, 32) / over_spop.peer(found, kind, 4, 32), at_least=6)
        add(rows, f"{kind} 4 x 32: CPU for each message", rate("one token", 4, 32, "server_us"),
            at_most=1.3, unit="us")
        add(rows, f"{kind} 1 x 1: p50 / floor's",
            rate("one token", 1, 1, "p50_us") / rate("floor", 1, 1, "p50_us"), at_most=1.1)
    add(rows, "two workers / one (tokens verified each time)",
        get("workers, 2", "rate") / get("workers, 1", "rate"), at_least=1.8)
    add(rows, "resident memory, idle", get("memory", "idle_kib") / 1024, at_most=12, unit="MiB")
    add(rows, "resident memory, each idle connection", get("memory", "connection_kib"), at_most=20,
        unit="KiB")
    add(rows, f"resident memory, grown over {get('memory', 'messages') / 1e6:.0f} M messages",
        get("memory", "grown_kib"), at_most=256, unit="KiB")


def of_http(rows, found):
    cases = (("agent, one token", "native RS256", {"2.6": 2.8, "3.2": 2.1}),
             ("agent, 10 k tokens", "native RS256", {"2.6": 2.2, "3.2": 2.1}),
             ("agent, 10 k tokens", "native ES256", {"2.6": 4.5, "3.2": 4.5}),
             ("agent, all tokens new", "native RS256", {"2.6": 1.2, "3.2": 1.2}))
    for version in ("2.6", "3.2"):
        for ours, native, goal in cases:
            if f"{version}: {ours}" not in found.found:
                continue
            rate = {case: found.get(f"{version}: {case}", "rate") for case in (ours, native, LIMIT)}
            add(rows, f"HAProxy {version}: {ours} / {native}", rate[ours] / rate[native],
                at_least=goal[version], beside=(LIMIT, rate[LIMIT] / rate[native]))


def of_decide(rows, decide):
    for alg in ("RS256", "ES256"):
        bound = 1.35 * decide[f"{alg}: OpenSSL alone"] + decide[f"{alg}: parsing alone"]
        add(rows, f"cold {alg} / (1.35 x OpenSSL alone + parsing alone)",
            decide[f"{alg}: cold decide"] / bound, at_most=1)
    for what in ("cold RS256", "cached decide"):
        add(rows, f"{what}: two threads / one", decide[f"{what}, two threads against one"], at_least=1.9,
            beside=("arithmetic alone", decide["arithmetic, two threads against one"]))
    add(rows, "cached decide, hot tokens", decide["cached decide, hot tokens"], at_most=1.2, unit="us")
    add(rows, "cached decide, 1 k tokens by their hash", decide["cached decide, 1 k tokens"], at_most=1.2,
        unit="us")
    largest = next((n for n in ("1 M", "100 k") if f"cached decide, {n} tokens" in decide))
    add(rows, f"lookup at {largest} / at 1 k",
        decide[f"cached decide, {largest} tokens"] / decide["cached decide, 1 k tokens"], at_most=2)
    add(rows, f"memory for each of {largest} tokens", decide[f"bytes for each of {largest} tokens"],
        at_most=450, unit="bytes")


def judge(found, decide):
    rows = []
    of_decide(rows, decide)
    of_spop(rows, found)
    of_http(rows, found)
    return rows
