"""main: the demo, step by step. Called by tools/demo with the variables of `devstack env`.

It is a client like any other: it uses the public API, and consignctl for the tenants. Every step
checks what it sees; the first thing that is not as it must be ends it with exit status 1.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import show
from export import check_rows, download, run_job
from guide import show_guide
from store import ingest_store
from tenants import OTHER_ORG, SANDBOXES, make_tenants
from walls import check_walls

SEED = pathlib.Path(__file__).resolve().parent.parent / "seed"
NEEDED = ("CONSIGN_URL", "CONSIGN_DIR", "CONSIGN_ORG", "CONSIGN_SANDBOX", "CONSIGN_CLIENT_ID", "CONSIGN_CLIENT_SECRET")
EVENTS_SHOWN = 3


def generate(folder):
    """Writes the store; what a client must see of it in the end."""
    started = time.monotonic()
    if subprocess.run([str(SEED), str(folder)], check=False).returncode != 0:
        raise show.Failure("tools/seed failed")
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    events = sum(p["events"] for p in expected["profiles"].values()) + expected["strayEvents"]
    size = sum(path.stat().st_size for path in folder.glob("*/*.json"))
    show.line(f"generated {len(expected['profiles']):,} profiles and {events:,} events, {size / 1e6:.0f} MB of JSON, "
              f"in {time.monotonic() - started:.1f} s")
    return expected


def show_rows(by_key, expected):
    """Three rows that say something: three systems disagree, two disagree, a visitor without a name."""
    said = {key: p["email"] for key, p in expected["profiles"].items() if 0 < p["events"] <= EVENTS_SHOWN}
    for systems, kind in ((3, "CRMID "), (2, "CRMID "), (0, "ECID ")):
        key = next((k for k, emails in said.items() if len(emails) == systems and k.startswith(kind)), None)
        show.require(key is not None, f"tools/seed made no {kind}with {systems} addresses")
        claims = [f"{system} says {address}" for system, address in said[key].items()]
        show.line(f"{key}: {', '.join(claims) or 'no system has an address'}")
        show.line("  " + json.dumps(by_key[key], ensure_ascii=False))


def show_counts(rows, by_key, expected):
    profiles = expected["profiles"]
    events = sum(p["events"] for p in profiles.values())
    argued = sum(1 for p in profiles.values() if len(p["email"]) > 1)
    show.line(f"{len(profiles):,} profiles and {events:,} events, each where it belongs")
    show.line(f"{argued:,} profiles whose systems disagree about the address; each has the one ingested last")
    show.line(f"{expected['strayEvents']:,} events of visitors without a profile are left out (no filter.emptyProfiles)")
    if len(by_key) > len(profiles):
        show.line(f"{len(rows) - len(profiles):,} further profiles that this sandbox held before")


def demo(env, folder):
    show.heading("Tenants")
    own, other = make_tenants(env)
    show.line(f"orgs {own.org} and {OTHER_ORG}, sandboxes {' and '.join(SANDBOXES)} in each, a client of either")

    show.heading(f"Ingest into {own.org}/{own.sandbox}")
    expected = generate(folder)
    ingest_store(own, folder, expected)

    show.heading("Export")
    job, request = run_job(own)
    show.heading("The job's request, and the job")
    show.line(json.dumps(request))
    show.document(job)

    show.heading("Download")
    rows, links = download(own, job["destination"]["batchId"])
    by_key = check_rows(rows, job, expected)
    show.heading("Three rows")
    show_rows(by_key, expected)
    show.heading("Counts")
    show_counts(rows, by_key, expected)

    show.heading("Walls")
    check_walls(own, other, job)
    show_guide(job, links[0], env.get("CONSIGN_DEMO_WHERE", ""))


def main():
    missing = [name for name in NEEDED if not os.environ.get(name)]
    if missing:
        sys.exit(f"demo: not set: {', '.join(missing)}; start it by tools/demo")
    try:
        with tempfile.TemporaryDirectory(prefix="consign-demo-") as scratch:
            demo(os.environ, pathlib.Path(scratch) / "store")
    except show.Failure as failure:
        sys.exit(f"\ndemo: {failure}")
    except KeyError as error:
        sys.exit(f"\ndemo: an answer lacks the member {error}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
