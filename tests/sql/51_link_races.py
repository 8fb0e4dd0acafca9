"""Two sessions that link identities of one sandbox at once: the second builds on what the first has committed."""

import random
import threading

import psycopg

from several import Session, Tap, Waiting, clean, kept

STAGE = ("CREATE TEMP TABLE ingest_stage (seq bigint, ns text, value text, event_id text, time_ms bigint, body text,"
         " link_ns text[], link_value text[]) ON COMMIT DROP")
PEOPLE = 60


def batch(number):
    """A complete batch of dataset 3 whose entry the attempt "a" holds."""
    kept("consign_api").tenant("SELECT tap.make_batch(1, 12, %s)", number)
    kept("consign_api").tenant("SELECT consign.batch_complete(1, 12, tap.b(%s))", number)
    kept().rows("UPDATE consign.work_queue SET attempt = 'a' WHERE sandbox = 12 AND batch = tap.b(%s)", number)


def load(session, number, records):
    """Loads records, each a list of identities with the primary one first, in the session's open transaction."""
    session.rows(STAGE)
    for seq, (primary, *links) in enumerate(records):
        session.rows("INSERT INTO pg_temp.ingest_stage VALUES (%s, 'n', %s, NULL, NULL, '{}', %s, %s)", seq, primary,
                     ["n"] * len(links) or None, links or None)
    session.tenant("SELECT consign.batch_load(1, 12, tap.b(%s), 'a', 0, 1, 0, '[]')", number)
    return "loaded"


def persons():
    """The sets of identities that are one person; checks that rows and count agree with them."""
    with Session(None) as owner:
        found = owner.rows("SELECT array_agg(value) FROM consign.identity WHERE org = 1 AND sandbox = 12 GROUP BY person")
        astray = owner.one("SELECT count(*) FROM consign.profile_fragment f WHERE f.org = 1 AND f.sandbox = 12 AND NOT EXISTS"
                           " (SELECT FROM consign.identity i WHERE i.org = 1 AND i.sandbox = 12 AND i.identity = f.identity"
                           " AND i.person = f.person)")
        counted = owner.one("SELECT identities FROM consign.ingest_clock WHERE org = 1 AND sandbox = 12")
    sets = sorted(sorted(values) for (values,) in found)
    return sets, astray, counted == sum(map(len, sets))


def components(records):
    """The same by union-find."""
    up = {}

    def root(x):
        up.setdefault(x, x)
        while up[x] != x:
            x = up[x]
        return x

    for primary, *links in records:
        for link in [primary, *links]:
            up[root(link)] = root(primary)
    sets = {}
    for x in up:
        sets.setdefault(root(x), []).append(x)
    return sorted(sorted(s) for s in sets.values())


def in_turn(tap):
    with Session() as a, Session() as b:
        batch(1), batch(2), batch(3)
        with a.transaction():
            load(a, 1, [["x"], ["y"], ["z"]])
        with a.transaction():
            load(a, 2, [["x", "y"]])

            def second():
                with b.transaction():
                    return load(b, 3, [["y", "z", "new"], ["new"]])

            waiting = Waiting(b, second)
            tap.ok(waiting.waits, "the second load waits for the first")
        tap.is_(waiting.outcome(), "loaded", "and goes on when it has committed")
    tap.is_(persons(), ([["new", "x", "y", "z"]], 0, True), "the links of both count")


def undone(tap):
    with Session() as a, Session() as b:
        batch(1), batch(2)
        try:
            with a.transaction():
                load(a, 1, [["x", "y"], ["p"]])

                def second():
                    with b.transaction():
                        return load(b, 2, [["y", "z"], ["p", "q"]])

                waiting = Waiting(b, second)
                raise RuntimeError
        except RuntimeError:
            pass
        tap.is_(waiting.outcome(), "loaded", "a load goes on when the one before is undone")
    tap.is_(persons(), ([["p", "q"], ["y", "z"]], 0, True), "whose links do not count")


def many(tap):
    rng = random.Random(4)
    work = [[[f"i{rng.randrange(PEOPLE)}" for _ in range(rng.choice((1, 1, 2, 2, 3)))] for _ in range(rng.randrange(1, 4))]
            for _ in range(24)]
    for number in range(len(work)):
        batch(number)
    faults = []

    def loader(numbers):
        with Session() as s:
            for number in numbers:
                try:
                    with s.transaction():
                        load(s, number, work[number])
                except psycopg.Error as error:
                    faults.append(error.sqlstate)

    threads = [threading.Thread(target=loader, args=(range(n, len(work), 2),)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tap.is_(faults, [], "two loaders at once: no load fails because of another")
    tap.is_(persons(), (components(sum(work, [])), 0, True), "the persons are those of all links, whoever came first")


with Tap() as results:
    for test in (in_turn, undone, many):
        clean()
        test(results)
