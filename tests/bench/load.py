"""What loads the request path and what that cost: wrk with wrk/requests.lua, pgbench with the pool's own statements.

Caller: request_path.py.
"""
import pathlib
import re
import subprocess

import meter
import population
from bed import BUILD

SCRIPT = pathlib.Path(__file__).resolve().parent / "wrk" / "requests.lua"
THREADS = 2
GROUPS = ("nginx", "pool", "postgres")


class Load:
    """One measurement: rate a second, p50 and p99 in ms (None: not told), errors, cpu {group: us a request}."""

    def __init__(self, count, seconds, p50=None, p99=None, errors=0, cpu=None):
        self.count, self.rate = count, count / seconds
        self.p50, self.p99, self.errors, self.cpu = p50, p99, errors, cpu or {}

    @property
    def tail(self):
        return self.p99 / self.p50


def middle(loads):
    """The one of the median rate, with the errors of all."""
    ordered = sorted(loads, key=lambda load: load.rate)
    found = ordered[len(ordered) // 2]
    found.errors = sum(load.errors for load in loads)
    return found


def measured(groups, command):
    """(Cost of the program, {group: CPU seconds meanwhile})."""
    before = meter.cpu_of(groups)
    cost = meter.run(command)
    after = meter.cpu_of(groups)
    return cost, {name: after[name] - before[name] for name in groups}


def told(cost, spent, count, seconds, **more):
    cpu = {name: value / max(count, 1) * 1e6 for name, value in {**spent, "load": cost.cpu}.items()}
    return Load(count, seconds, cpu=cpu, **more)


def wrk(groups, url, way, place, connections, seconds, first=population.FIRST_JOB, jobs=None):
    """place: what has .tokens, .walk (files of tokens) and .population. jobs: how many a tenant has from `first` on."""
    threads = min(THREADS, connections)
    tokens = place.walk if way.endswith("-walk") else place.tokens
    cost, spent = measured(groups, [
        "wrk", "-t", str(threads), "-c", str(connections), "-d", f"{seconds}s", "--timeout", "10s", "-s", str(SCRIPT), url,
        "--", way, str(tokens), str(threads), str(jobs or place.population.jobs), str(first), str(population.STEP_JOB)])
    found = re.search(r"^bench (.*)$", cost.text, re.M)
    if not found:
        raise RuntimeError(f"wrk: {cost.text[-300:]}")
    value = {name: int(number) for name, number in (word.split("=") for word in found[1].split())}
    return told(cost, spent, value["requests"], value["us"] / 1e6, p50=value["p50"] / 1000, p99=value["p99"] / 1000,
                errors=value["status"] + value["socket"])


HEAD = """\\set i random({first}, {last})
\\set n random({low}, {high})
\\set r random(1, 9007199254740991)
\\set job {first_job} + :n * {step}
\\startpipeline
SELECT set_config('consign.org', :i::text, true);
"""
TAIL = """\\endpipeline
"""
TENANT = (":i", ":i")
DATASET = "lpad(to_hex(:i::int), 24, '0')"
# The parameters of the statements of core/stmt_api.c, as the pool gives them.
PARAMS = {
    "get": (*TENANT, ":job"),
    "list": (*TENANT, "21", "0", "NULL"),
    "status": (*TENANT, "21", "0", ":job", "'SUCCEEDED'"),
    "create": (*TENANT, ":r", "md5(:r::text)", "consign.now_ms()", DATASET, "NULL", "0",
               "'identities.id,personalEmail.address'", "NULL", "NULL", "NULL", "'ups'", "md5(:r::text)", "'bench'", "NULL",
               "NULL", "NULL"),
}
# The rows of a job, and nothing else: no look at dataset, merge policy or quotas.
INSERTS = f"""INSERT INTO consign.batch (org, sandbox, batch, dataset, kind, status, created_ms, updated_ms, created_client)
  VALUES (:i, :i, md5(:r::text), {DATASET}, 'export', 'active', consign.now_ms(), consign.now_ms(), 'bench');
INSERT INTO consign.export_job (org, sandbox, job, status, dataset, batch, merge_policy, merge_policy_version, fields,
  profile_instance_id, request_id, created_client, created_ms, updated_ms)
  VALUES (:i, :i, :r, 'NEW', {DATASET}, md5(:r::text), 'timestampOrdered-none-mp', 1, 'identities.id,personalEmail.address',
  'ups', md5(:r::text), 'bench', consign.now_ms(), consign.now_ms());
INSERT INTO consign.work_queue (org, sandbox, kind, job, batch, created_ms)
  VALUES (:i, :i, 'export', :r, md5(:r::text), consign.now_ms());
"""


def statement(name):
    text = subprocess.run([str(BUILD / "bench" / "bench_statements"), name], stdout=subprocess.PIPE, text=True,
                          check=True).stdout.strip()
    return re.sub(r"\$(\d+)", lambda found: PARAMS[name][int(found[1]) - 1], text) + ";\n"


def pgbench(groups, place, what, tenants, clients, seconds):
    """what: a name of PARAMS, or "inserts". One transaction each, sent at once as the pool sends it, by its role."""
    jobs = place.population.jobs
    head = HEAD.format(first=population.FIRST_ORG, last=population.FIRST_ORG + tenants - 1, high=jobs - 1,
                       low=jobs * 3 // 4 if what == "status" else 0, first_job=population.FIRST_JOB, step=population.STEP_JOB)
    file = place.folder / f"{what}.sql"
    file.write_text(head + (INSERTS if what == "inserts" else statement(what)) + TAIL, encoding="utf-8")
    cost, spent = measured(groups, [
        "pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", str(THREADS), "-T", str(seconds), "-f", str(file),
        "-U", "consign_api", "-h", str(place.bed.stack.dir / "run" / "pg"), "consign"])
    value = dict(re.findall(r"^(number of transactions actually processed|number of failed transactions|latency average|tps)"
                            r"\s*[:=] ([\d.]+)", cost.text, re.M))
    if "tps" not in value:
        raise RuntimeError(f"pgbench: {cost.text[-400:]}")
    count = int(value["number of transactions actually processed"])
    return told(cost, spent, count, count / float(value["tps"]), p50=float(value["latency average"]),
                errors=int(value.get("number of failed transactions", 0)))
