"""Those who write one export together, when they meet: a helper that gives up or finds nothing left, the attempt
that ends its job, an attempt that goes on after another took its job over."""

from several import Session, Tap, Waiting, clean

CLEAR = "SELECT consign.share_clear(1, 12, 1)"


def take(attempt, who):
    return f"SELECT person_from FROM consign.share_take(1, 12, 1, tap.b(1), '{attempt}', '{who}')"


def shared_job(api, spooler, shares=3):
    """A job of the attempt a, cut into shares, with the helper h."""
    clean()
    with Session(None) as owner:
        for table in ("export_share", "export_helper"):
            owner.rows(f"DELETE FROM consign.{table} WHERE org = 1 AND sandbox = 12")
    api.tenant("SELECT tap.make_job(1, 12, 1)")
    spooler.rows("SELECT consign.work_claim('a')")
    spooler.tenant("SELECT dataset FROM consign.job_start(1, 12, 1, tap.b(1), 'a')")
    spooler.tenant("SELECT consign.share_open(1, 12, 1, tap.b(1), 'a', '1-1', ARRAY(SELECT 100 + g FROM generate_series(1, %s - 1) g))", shares)
    spooler.tenant("SELECT consign.help_enter(1, 12, 1, tap.b(1), 'a', 'h', 900001)")


def give_up_and_clear(tap):
    with Session("consign_api") as api, Session() as a, Session() as h, Session() as other:
        shared_job(api, a)
        for _ in range(3):
            h.tenant(take("a", "h"))
        with other.transaction():  # holds both up half-way
            other.tenant("SELECT share FROM consign.export_share WHERE org = 1 AND sandbox = 12 AND share = 2 FOR UPDATE")
            ending = Waiting(a, lambda: a.tenant(CLEAR))
            tap.ok(ending.waits, "the attempt's end meets somebody")
            dropping = Waiting(h, lambda: h.tenant("SELECT consign.help_drop(1, 12, 1, 'h')"))
            tap.ok(dropping.waits, "its helper, who gives up meanwhile, waits")
        tap.is_([ending.outcome(), dropping.outcome()], [None, ""], "both come to an end")


def close_and_end(tap):
    with Session("consign_api") as api, Session() as a, Session() as h:
        shared_job(api, a, shares=1)
        a.tenant(take("a", "a"))
        with a.transaction():
            a.tenant("SELECT consign.work_hold(1, 12, tap.b(1), 'a', false)")
            nothing = Waiting(h, lambda: h.tenant(take("a", "h")))
            tap.ok(not nothing.waits, "a helper that finds nothing left does not wait for the job's end")
            a.tenant(CLEAR)
        tap.is_(nothing.outcome(), None, "and gets nothing")


def attempt_closes(tap):
    with Session("consign_api") as api, Session() as a, Session() as h:
        shared_job(api, a, shares=1)
        a.tenant(take("a", "a"))
        with h.transaction():
            h.tenant("SELECT consign.help_enter(1, 12, 1, tap.b(1), 'a', 'h2', 900002)")
            closing = Waiting(a, lambda: a.tenant(take("a", "a")))
            tap.ok(closing.waits, "the attempt closes its job after who is entering")
        tap.is_(closing.outcome(), None, "and it is closed")
        tap.is_(h.fault("SELECT consign.help_enter(1, 12, 1, tap.b(1), 'a', 'h3', 900003)"), "CN410", "for who comes later")
        tap.is_(a.tenant("SELECT working FROM consign.help_look(1, 12, 1, 100000)"), 0, "it knows of who entered")


def late_attempt(tap):
    """The attempt a stands still between finding itself the owner and taking a share."""
    with Session("consign_api") as api, Session() as a, Session() as b, Session(None) as owner:
        shared_job(api, a)
        with owner.transaction():
            owner.rows("LOCK TABLE consign.export_share IN ACCESS EXCLUSIVE MODE")
            late = Waiting(a, lambda: a.tenant(take("a", "a")))
            tap.ok(late.waits, "an attempt is about to take a share")
            b.rows("SELECT tap.take_over(1, 12, 1, 'a', 'b')")
            owner.tenant("DELETE FROM consign.export_share WHERE org = 1 AND sandbox = 12")
            owner.tenant("INSERT INTO consign.export_share VALUES (1, 12, 1, 0, 0, 1000, NULL)")
        tap.is_(late.outcome(), None, "when the job was taken over meanwhile it gets none of the new owner's")
        tap.is_(b.tenant(take("b", "b")), 0, "who gets it")


with Session(None) as maker:
    maker.rows("CREATE OR REPLACE FUNCTION tap.take_over(org integer, sandbox integer, n integer, was text, attempt text)"
               " RETURNS integer LANGUAGE sql AS $$ SELECT t.attempts FROM consign.work_queue q,"
               " LATERAL consign.work_take(q.org, q.sandbox, q.entry, was, take_over.attempt) t"
               " WHERE q.org = take_over.org AND q.sandbox = take_over.sandbox AND q.batch = tap.b(n) $$")
with Tap() as results:
    for test in (give_up_and_clear, close_and_end, attempt_closes, late_attempt):
        test(results)
    clean()
