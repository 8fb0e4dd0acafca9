"""One session sweeps at a time and not before its time; what is being changed meanwhile is passed over, not waited for."""

from several import Session, Tap, Waiting, eventually

BEGIN = "SELECT count(*) FROM consign.sweep_begin(%s)"
END = "SELECT pg_advisory_unlock(4, 0)"
MARK = "INSERT INTO consign.sweep_mark (step, place) VALUES ('lake', '1/12') ON CONFLICT (step) DO UPDATE SET place = '1/12'"
MAKE = "SELECT tap.make_job(1, 12, %s)"
ARCHIVE = "SELECT consign.job_archive(1, 12, 1000, 9)"
EXPIRE = "SELECT count(*) FROM consign.batch_expire(1, 12, tap.d(1), 9)"
RETRY = "SELECT consign.job_retry(1, 12, %s)"


def one_at_a_time(tap):
    with Session() as one, Session() as two, Session() as three, Session(None) as owner:
        owner.rows("DELETE FROM consign.sweep_mark")
        tap.is_(one.one(BEGIN, 60000), 1, "the first sweep of all")
        tap.is_(two.one(BEGIN, 0), 0, "nobody else's meanwhile, however long ago it began")
        two.rows(MARK)
        tap.is_(one.one(END), True, "it ends")
        tap.is_(two.one(BEGIN, 60000), 0, "it is too early for the next")
        tap.is_(three.one(BEGIN, 0), 2, "who did not get it holds nothing; and the marks are handed on")
        three.conn.close()
        tap.is_(eventually(lambda: two.one(BEGIN, 0)), 2, "it ends with its session")
        two.one(END)
        owner.rows("UPDATE consign.sweep_mark SET began_ms = consign.now_ms() + 3600000")
        tap.is_(one.one(BEGIN, 60000), 2, "a clock that was set back stops nothing")


def ended(owner, *jobs):
    for job in jobs:
        owner.rows(MAKE.replace("%s", str(job)))
        owner.rows("SELECT consign.job_end(1, 12, %s, 'FAILED', '[]')", job)
    owner.rows("UPDATE consign.export_job SET ended_ms = 1 WHERE sandbox = 12")


def held_rows_are_passed_over(tap):
    with Session() as spooler, Session(None) as owner:
        owner.rows("SET consign.org = 1")
        ended(owner, 1, 2)
        owner.rows("INSERT INTO consign.dataset_retention VALUES (1, 12, tap.d(1), 1) ON CONFLICT DO NOTHING")
        owner.rows("UPDATE consign.batch SET status = 'success' WHERE sandbox = 12")
        owner.rows("UPDATE consign.batch SET completed_ms = 1 WHERE sandbox = 12")
        with owner.transaction():
            owner.rows("SELECT FROM consign.export_job WHERE job = 1 AND sandbox = 12 FOR UPDATE")
            owner.rows("SELECT FROM consign.batch WHERE batch = tap.b(2) AND sandbox = 12 FOR UPDATE")
            tap.is_(spooler.tenant(EXPIRE), 1, "a batch that somebody holds expires the next time")
            tap.is_(spooler.tenant(ARCHIVE), 1, "a job that somebody holds goes the next time")
        tap.is_(spooler.tenant(EXPIRE), 1, "which is this")
        tap.is_(spooler.tenant(ARCHIVE), 1, "for both")
        owner.rows("DELETE FROM consign.dataset_retention WHERE sandbox = 12")


def a_retry_holds_the_dataset(tap):
    """A failed job is made new again while its dataset is deleted: the job must not end up without one."""
    with Session("consign_api") as api, Session(None) as owner:
        owner.rows("SET consign.org = 1")
        owner.rows("DELETE FROM consign.batch WHERE sandbox = 12")
        ended(owner, 3)
        with owner.transaction():
            owner.rows(RETRY, 3)
            delete = Waiting(api, lambda: api.fault("SELECT consign.dataset_delete(1, 12, tap.d(1))"))
            tap.ok(delete.waits, "the deletion waits for the retry")
        tap.is_(delete.outcome(), "CN409", "and finds a live job")
        tap.is_(owner.one("SELECT tap.job_state(1, 12, 3)"), "NEW active queued", "which is whole")


with Tap() as tap:
    one_at_a_time(tap)
    held_rows_are_passed_over(tap)
    a_retry_holds_the_dataset(tap)
