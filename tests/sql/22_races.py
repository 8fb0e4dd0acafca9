"""Calls that meet: one key twice at once, cancel against claim and publish, complete against abort."""

from several import Session, Tap, Waiting, clean

MAKE = "SELECT tap.make_job(1, 12, %s, %s, %s)"
CANCEL = "SELECT consign.job_cancel(1, 12, 1)"
STATE = "SELECT tap.job_state(1, 12, 1)"
PUBLISH = "SELECT tap.publish(1, 12, 1, 'a')"


def one_key(tap):
    with Session("consign_api") as a, Session("consign_api") as b:
        with a.transaction():
            a.tenant(MAKE, 1, "key", "body")
            waiting = Waiting(b, lambda: b.tenant(MAKE, 2, "key", "body"))
            tap.ok(waiting.waits, "the second call with a key waits for the first")
        tap.is_(waiting.outcome(), 1, "and is answered its job")
        tap.is_(b.tenant("SELECT count(*) FROM consign.export_job WHERE org = 1 AND sandbox = 12"), 1, "there is one job")


def one_key_other_body(tap):
    with Session("consign_api") as a, Session("consign_api") as b:
        with a.transaction():
            a.tenant(MAKE, 1, "key", "body")
            waiting = Waiting(b, lambda: b.tenant(MAKE, 2, "key", "other"))
        tap.is_(waiting.outcome(), "CN422", "with another body it is refused")


def one_key_undone(tap):
    with Session("consign_api") as a, Session("consign_api") as b:
        try:
            with a.transaction():
                a.tenant(MAKE, 1, "key", "body")
                waiting = Waiting(b, lambda: b.tenant(MAKE, 2, "key", "body"))
                raise RuntimeError
        except RuntimeError:
            pass
        tap.is_(waiting.outcome(), 2, "when the first is undone the second makes the job")


def running_job(api, spooler):
    api.tenant(MAKE, 1, None, None)
    spooler.rows("SELECT consign.work_claim('a')")
    spooler.tenant("SELECT dataset FROM consign.job_start(1, 12, 1, tap.b(1), 'a')")


def publish_then_cancel(tap):
    with Session("consign_api") as api, Session() as spooler:
        running_job(api, spooler)
        with spooler.transaction():
            spooler.tenant(PUBLISH)
            waiting = Waiting(api, lambda: api.tenant(CANCEL))
            tap.ok(waiting.waits, "cancel waits for a publish that is under way")
        tap.is_(waiting.outcome(), "SUCCEEDED", "and comes too late")
        tap.is_(api.tenant(STATE), "SUCCEEDED success", "the job is whole")


def cancel_then_publish(tap):
    with Session("consign_api") as api, Session() as spooler:
        running_job(api, spooler)
        with api.transaction():
            tap.is_(api.tenant(CANCEL), "CANCELLING", "cancel of a running job")
            waiting = Waiting(spooler, lambda: spooler.tenant(PUBLISH))
            tap.ok(waiting.waits, "a publish waits for it")
        tap.is_(waiting.outcome(), "CN408", "and is refused")
        tap.is_(api.tenant(STATE), "CANCELLING active queued", "nothing of it shows")


def claim_then_cancel(tap):
    with Session("consign_api") as api, Session() as spooler:
        api.tenant(MAKE, 1, None, None)
        with spooler.transaction():
            spooler.rows("SELECT consign.work_claim('a')")
            waiting = Waiting(api, lambda: api.tenant(CANCEL))
            tap.ok(waiting.waits, "cancel waits for a claim that is under way")
        tap.is_(waiting.outcome(), "CANCELLING", "and asks its worker to stop")
        tap.is_(api.tenant(STATE), "CANCELLING active queued", "which is to end it")


def cancel_then_claim(tap):
    with Session("consign_api") as api, Session() as spooler:
        api.tenant(MAKE, 1, None, None)
        with api.transaction():
            tap.is_(api.tenant(CANCEL), "CANCELLED", "cancel of a waiting job")
            spooler.rows("SET statement_timeout = '5s'")
            tap.is_(spooler.one("SELECT batch FROM consign.work_claim('a')"), None, "a claim passes it over")
        tap.is_(api.tenant(STATE), "CANCELLED aborted", "the job has ended")


def complete_and_abort(tap):
    with Session("consign_api") as a, Session("consign_api") as b:
        a.tenant("SELECT tap.make_batch(1, 12, 1)")
        with a.transaction():
            a.tenant("SELECT consign.batch_complete(1, 12, tap.b(1))")
            waiting = Waiting(b, lambda: b.tenant("SELECT consign.batch_abort(1, 12, tap.b(1))"))
            tap.ok(waiting.waits, "abort waits for a complete that is under way")
        tap.is_(waiting.outcome(), "CN409", "and is refused")


with Tap() as results:
    for test in (one_key, one_key_other_body, one_key_undone, publish_then_cancel, cancel_then_publish,
                 claim_then_cancel, cancel_then_claim, complete_and_abort):
        clean()
        test(results)
