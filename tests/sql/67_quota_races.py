"""Jobs that end at the same moment do not take the same room in the lake together."""

from several import Session, Tap, Waiting, clean

MAKE = "SELECT tap.make_job(1, %s, %s, NULL, NULL)"


def running(api, spooler, sandbox, number):
    api.tenant(MAKE, sandbox, number)
    spooler.tenant("SELECT tap.take(1, %s, %s, 'a')", sandbox, number)
    spooler.tenant("SELECT dataset FROM consign.job_start(1, %s, %s, tap.b(%s), 'a')", sandbox, number, number)


def two_sandboxes(tap):
    with Session(None) as owner, Session("consign_api") as api, Session() as a, Session() as b:
        owner.rows("DELETE FROM consign.quota WHERE org = 1")
        owner.rows("UPDATE consign.lake_usage SET bytes = 0 WHERE org = 1")
        owner.rows("INSERT INTO consign.quota (org, lake_bytes_most) VALUES (1, 150)")
        running(api, a, 11, 81)
        running(api, b, 12, 82)
        with a.transaction():
            a.tenant("SELECT tap.publish(1, 11, 81, 'a')")
            second = Waiting(b, lambda: b.tenant("SELECT tap.publish(1, 12, 82, 'a')"))
            tap.ok(second.waits, "with a quota of the lake the second of an org waits for the first")
        tap.is_(second.outcome(), "CN507", "and finds the room taken")
        tap.is_(b.tenant("SELECT tap.job_state(1, 12, 82)"), "PROCESSING active queued", "nothing of it shows")
        tap.is_(owner.one("SELECT sum(bytes)::integer FROM consign.lake_usage WHERE org = 1"), 100, "what is counted is what is there")
        owner.rows("DELETE FROM consign.quota WHERE org = 1")
        running(api, a, 11, 83)
        with a.transaction():
            a.tenant("SELECT tap.publish(1, 11, 83, 'a')")
            tap.is_(b.fault("SELECT tap.publish(1, 12, 82, 'a')"), None, "without a quota nobody waits")


with Tap() as results:
    two_sandboxes(results)
    clean()
