"""Removals that meet loads, exports, messages, each other, and what is being accepted for a dataset."""

from several import Session, Tap, Waiting, clean, kept

STAGE = ("CREATE TEMP TABLE IF NOT EXISTS ingest_stage (seq bigint, ns text, value text, event_id text, time_ms bigint,"
         " body text, link_ns text[], link_value text[]) ON COMMIT DROP")
REMOVE = "SELECT consign.entity_remove(1, 12, 'n', %s, tap.p(%s), 'client')"
RUN = "SELECT consign.system_job_run(1, 12, 'delete-' || tap.p(%s), 'a')"
PERSONS = ("SELECT coalesce(string_agg(of, ' | ' ORDER BY of), '') FROM (SELECT string_agg(value, ' ' ORDER BY value) AS of"
           " FROM consign.identity WHERE org = 1 AND sandbox = 12 GROUP BY person) p")
STORED = "SELECT count(*) FROM consign.profile_fragment WHERE org = 1 AND sandbox = 12"
FIGURES = ("SELECT identities || ' ' || (SELECT count(*) FROM consign.identity i WHERE i.org = 1 AND i.sandbox = 12)"
           " FROM consign.ingest_clock WHERE org = 1 AND sandbox = 12")


def complete(number, dataset=3):
    """A batch that waits, in the hands of the attempt "a"."""
    kept("consign_api").tenant("SELECT tap.make_batch(1, 12, %s, tap.d(%s))", number, dataset)
    kept("consign_api").tenant("SELECT consign.batch_complete(1, 12, tap.b(%s))", number)
    kept().rows("UPDATE consign.work_queue SET attempt = 'a' WHERE sandbox = 12 AND batch = tap.b(%s)", number)


def load(session, number, *records):
    """Loads a completed batch in the open transaction; a record is its identities, the primary first."""
    session.tenant(STAGE)
    for place, record in enumerate(records):
        first, *links = record.split()
        session.tenant("INSERT INTO pg_temp.ingest_stage VALUES (%s, 'n', %s, NULL, NULL, '{}', %s, %s)", place, first,
                       ["n"] * len(links) or None, links or None)
    session.tenant("SELECT consign.batch_load(1, 12, tap.b(%s), 'a', 0, %s, 0, '[]')", number, len(records))


def loaded(number, *records):
    complete(number)
    with Session() as spooler, spooler.transaction():
        load(spooler, number, *records)


def take(number):
    kept().rows("UPDATE consign.work_queue SET attempt = 'a' WHERE sandbox = 12 AND batch = 'delete-' || tap.p(%s)", number)


def remove_while_loading(tap):
    loaded(1, "a b")
    complete(2)
    with Session() as spooler, Session("consign_api") as api:
        with spooler.transaction():
            load(spooler, 2, "a c")
            tap.is_(api.tenant(REMOVE, "a", 1), "queued", "a removal does not wait for a load that is under way")
        tap.is_(api.tenant(PERSONS), "a b c", "which ends first")
        take(1)
        tap.is_(spooler.tenant(RUN, 1), 1, "then the profile goes")
        tap.is_(api.tenant(PERSONS) + "/" + api.tenant(FIGURES), "/0 0", "with what that load brought")


def load_while_removing(tap):
    loaded(1, "a b", "d")
    with Session() as spooler, Session("consign_api") as api:
        with api.transaction():
            tap.is_(api.tenant(REMOVE, "b", 1), "done", "a removal with nothing in its way")
            complete(2)

            def later():
                with spooler.transaction():
                    load(spooler, 2, "a c", "d e")
            waiting = Waiting(spooler, later)
            tap.ok(waiting.waits, "a load that was completed meanwhile waits for it")
        waiting.outcome()
        tap.is_(api.tenant(PERSONS), "a c | d e", "and makes a new profile, without what was linked before")
        tap.is_(api.tenant(FIGURES), "4 4", "the count is exact")
        tap.is_(api.tenant("SELECT count(*) FROM consign.profile_fragment f JOIN consign.identity i"
                           " USING (org, sandbox, identity, person) WHERE f.org = 1 AND f.sandbox = 12"), 2, "nothing is astray")


def two_removals(tap):
    loaded(1, "a b")
    with Session("consign_api") as one, Session("consign_api") as two, Session() as spooler:
        with one.transaction():
            tap.is_(one.tenant(REMOVE, "a", 1), "done", "one removal")
            tap.is_(two.tenant(REMOVE, "b", 2), "queued", "another of the same profile does not wait for it")
        take(2)
        tap.is_(spooler.tenant(RUN, 2), 0, "and finds nothing any more")
        tap.is_(one.tenant(FIGURES), "0 0", "the identities were counted down once")


def job_and_removal(tap):
    loaded(1, "a b", "c")
    with Session("consign_api") as api, Session() as spooler:
        api.tenant("SELECT job FROM consign.system_job_create(1, 12, tap.p(1), tap.d(3), NULL, 'c', NULL, NULL)")
        take(1)
        with spooler.transaction():
            tap.is_(spooler.tenant(RUN, 1), 2, "a dataset's removal")
            tap.is_(api.tenant(REMOVE, "a", 2), "queued", "a profile's is queued behind it")
        take(2)
        tap.is_(spooler.tenant(RUN, 2), 0, "with nothing left to do")
        tap.is_(api.tenant(FIGURES), "0 0", "the count is exact")


def export_under_way(tap):
    loaded(1, "a b", "c")
    with Session() as reader, Session("consign_api") as api:
        with reader.transaction():
            reader.rows("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            mark = reader.tenant("SELECT last_ms FROM consign.ingest_clock WHERE org = 1 AND sandbox = 12")
            tap.is_(api.tenant(REMOVE, "a", 1), "done", "a removal does not wait for an export")
            tap.is_((reader.tenant(STORED), reader.tenant(PERSONS), reader.tenant(FIGURES)), (2, "a b | c", "3 3"),
                    "whose snapshot holds all as it was")
        tap.is_(reader.tenant(STORED), 1, "the next one does not")
        tap.is_(reader.tenant("SELECT last_ms FROM consign.ingest_clock WHERE org = 1 AND sandbox = 12"), mark,
                "nor has the watermark moved")


def message_on_its_way(tap):
    put = ("INSERT INTO consign.stream_message (org, sandbox, dataset, received_ms, bytes, body)"
           " VALUES (1, 12, tap.d(3), 0, 2, '{}') RETURNING number")
    horizon = "SELECT horizon FROM consign.work_queue WHERE org = 1 AND sandbox = 12 AND task = 'delete'"
    with Session(None) as pool, Session("consign_api") as api, Session() as spooler:
        with pool.transaction():
            pool.tenant("SELECT pg_advisory_xact_lock_shared(2, 12)")
            waiting = Waiting(api, lambda: api.tenant(
                "SELECT job FROM consign.system_job_create(1, 12, tap.p(1), tap.d(3), NULL, 'c', NULL, NULL)"))
            tap.ok(waiting.waits, "a removal waits for a message that is being accepted")
            before = pool.tenant(put)
        waiting.outcome()
        after = pool.tenant(put)
        tap.ok(before < api.tenant(horizon) < after, "its place is behind that one and before the next")
        tap.is_(spooler.tenant("SELECT consign.system_job_horizon(1, 12)"), api.tenant(horizon), "up to there messages are loaded")
        tap.is_(spooler.tenant("SELECT consign.system_job_horizon(1, 11)") == api.tenant(horizon), False, "in this sandbox")


def delete_and_batch(tap):
    delete, make = "SELECT consign.dataset_delete(1, 12, tap.d(%s))", "SELECT tap.make_batch(1, 12, %s, tap.d(%s))"
    with Session("consign_api") as one, Session("consign_api") as two, Session(None) as owner:
        owner.tenant("INSERT INTO consign.dataset SELECT org, sandbox, tap.d(70 + n), name, description, schema_id,"
                     " schema_content_type, class, format, compression, tags, 0, 0, 'c' FROM consign.dataset,"
                     " generate_series(0, 2) n WHERE org = 1 AND sandbox = 12 AND dataset = tap.d(3)")
        with one.transaction():
            one.tenant(make, 1, 70)
            waiting = Waiting(two, lambda: two.tenant(delete, 70))
            tap.ok(waiting.waits, "deleting a dataset waits for a batch that is being opened")
        tap.is_(waiting.outcome(), "CN409", "and is refused")
        with one.transaction():
            one.tenant(delete, 71)
            waiting = Waiting(two, lambda: two.tenant(make, 2, 71))
            tap.ok(waiting.waits, "opening one waits for a delete")
        tap.is_(waiting.outcome(), "CN404", "and finds no dataset")
        with one.transaction():
            one.tenant("SELECT tap.make_policy(1, 12, 1, false, ARRAY[tap.d(72)], NULL, NULL,"
                       " '{\"order\":[\"' || tap.d(72) || '\"]}')")
            waiting = Waiting(two, lambda: two.tenant(delete, 72))
            tap.ok(waiting.waits, "a delete waits for a policy that is being made")
        tap.is_(waiting.outcome(), "CN409", "and is refused, since its order names the dataset")
        clean()
        owner.rows("DELETE FROM consign.dataset WHERE org = 1 AND sandbox = 12 AND dataset IN (tap.d(70), tap.d(71), tap.d(72))")


with Tap() as results:
    for test in (remove_while_loading, load_while_removing, two_removals, job_and_removal, export_under_way,
                 message_on_its_way, delete_and_batch):
        clean()
        test(results)
    clean()
