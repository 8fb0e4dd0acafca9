"""The watermark rule (fcgi/README.md, Decisions): ingest stamps grow in the order of the commits, so what a snapshot
sees of a sandbox is exactly what is stamped up to the ingest_clock that it sees."""

import random
import threading

import psycopg

from several import Session, Tap, Waiting, clean, kept

STAGE = ("CREATE TEMP TABLE ingest_stage (seq bigint, ns text, value text, event_id text, time_ms bigint, body text,"
         " link_ns text[], link_value text[]) ON COMMIT DROP")


def batch(number, sandbox=12):
    """A complete batch of dataset 3 whose entry the attempt "a" holds."""
    kept("consign_api").tenant("SELECT tap.make_batch(1, %s, %s)", sandbox, number)
    kept("consign_api").tenant("SELECT consign.batch_complete(1, %s, tap.b(%s))", sandbox, number)
    kept().rows("UPDATE consign.work_queue SET attempt = 'a' WHERE sandbox = %s AND batch = tap.b(%s)", sandbox, number)


def load(session, number, sandbox=12):
    """Stages two records and loads them, in the session's open transaction."""
    session.rows(STAGE)
    session.rows("INSERT INTO pg_temp.ingest_stage VALUES (1, 'n', %s, NULL, NULL, %s), (2, 'n', 'shared', NULL, NULL, %s)",
                 f"own-{number}", str(number), str(number))
    session.tenant("SELECT consign.batch_load(1, %s, tap.b(%s), 'a', 0, 2, 0, '[]')", sandbox, number)
    return "loaded"


LOOK = ("SELECT coalesce((SELECT last_ms FROM consign.ingest_clock WHERE org = 1 AND sandbox = 12), 0), coalesce((SELECT"
        " jsonb_object_agg(batch_of.value, f.ingested_ms) FROM consign.profile_fragment f JOIN consign.identity batch_of"
        " USING (org, sandbox, identity) WHERE f.org = 1 AND f.sandbox = 12), '{}')")


def look(session):
    """(watermark, {value: stamp}) of sandbox 12, in one snapshot."""
    with session.transaction():
        session.rows("SET LOCAL consign.org = 1")
        return session.rows(LOOK)[0]


def in_turn(tap, what):
    """Two loads at once: the second waits for the commit of the first."""
    with Session() as a, Session() as b, Session() as reader:
        before, _ = look(reader)
        batch(1), batch(2)
        with a.transaction():
            load(a, 1)

            def second():
                with b.transaction():
                    return load(b, 2)

            waiting = Waiting(b, second)
            tap.ok(waiting.waits, f"{what}: the second load waits")
            tap.is_(look(reader)[0], before, f"{what}: nothing shows of the first, nor its stamp")
        tap.is_(waiting.outcome(), "loaded", f"{what}: the second goes on when the first has committed")
        mark, stamps = look(reader)
        tap.ok(before < stamps["own-1"] < stamps["own-2"], f"{what}: stamps grow in the order of the commits")
        tap.is_((stamps["own-2"], stamps["shared"]), (mark, mark), f"{what}: the watermark is the last stamp")


def between(tap):
    """A snapshot between the two commits splits them exactly."""
    with Session() as a, Session() as b, Session() as reader:
        batch(1), batch(2)
        with a.transaction():
            load(a, 1)
        with reader.transaction():
            reader.rows("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            first = look(reader)
            with b.transaction():
                load(b, 2)
            tap.is_(look(reader), first, "an export's snapshot stands still, its watermark too")
        tap.is_(max(first[1].values()), first[0], "what it sees is stamped up to the watermark")
        tap.ok(look(reader)[1]["own-2"] > first[0], "what came after is stamped later")


def undone(tap):
    with Session() as a, Session() as b, Session() as reader:
        batch(1), batch(2)
        try:
            with a.transaction():
                load(a, 1)

                def second():
                    with b.transaction():
                        return load(b, 2)

                waiting = Waiting(b, second)
                raise RuntimeError
        except RuntimeError:
            pass
        tap.is_(waiting.outcome(), "loaded", "the second goes on when the first is undone")
        tap.is_(sorted(look(reader)[1]), ["own-2", "shared"], "of the first nothing is there")


def beside(tap):
    with Session() as a, Session() as b, Session(None) as owner:
        owner.rows("DELETE FROM consign.batch WHERE org = 1 AND sandbox = 11 AND batch = tap.b(1001)")
        batch(1), batch(1001, 11)
        with a.transaction(), b.transaction():
            load(a, 1)
            b.rows("SET LOCAL lock_timeout = '2s'")
            tap.is_(load(b, 1001, 11), "loaded", "another sandbox does not wait")


def many(tap):
    """Three loaders and a reader at once: nothing appears later with a stamp up to a watermark seen before."""
    for number in range(36):
        batch(number)
    faults, seen, running = [], [], threading.Event()

    def loader(numbers):
        with Session() as s:
            for number in numbers:
                try:
                    with s.transaction():
                        load(s, number)
                        if random.random() < 0.2:
                            raise RuntimeError
                except RuntimeError:
                    pass
                except psycopg.Error as error:
                    faults.append(error.sqlstate)

    def watch():
        with Session() as s:
            while not running.is_set():
                seen.append(look(s))
            seen.append(look(s))

    threads = [threading.Thread(target=loader, args=(range(n, 36, 3),)) for n in range(3)]
    reader = threading.Thread(target=watch)
    for thread in [reader, *threads]:
        thread.start()
    for thread in threads:
        thread.join()
    running.set()
    reader.join()
    tap.is_(faults, [], "no load fails because of another")
    tap.ok(all(max(stamps.values(), default=0) <= mark for mark, stamps in seen), "no stamp beyond the watermark")
    late = [(mark, new) for (mark, old), (_, new) in zip(seen, seen[1:])
            if any(stamp <= mark for value, stamp in new.items() if old.get(value) != stamp)]
    tap.is_(late, [], f"nothing appears behind a watermark ({len(seen)} snapshots)")
    tap.ok(len({mark for mark, _ in seen}) > 3, "the reader saw the loads go on")


with Tap() as results:
    in_turn(results, "first loads of a sandbox")
    with Session(None) as cleaner:
        cleaner.rows("DELETE FROM consign.batch WHERE org = 1 AND sandbox = 12")
    in_turn(results, "later loads")
    for test in (between, undone, beside, many):
        clean()
        test(results)
