"""Jobs that are accepted under a merge policy while it is deleted or changed."""

from several import Session, Tap, Waiting, clean

POLICY = "00000000-0000-0000-0000-000000000001"
MAKE = "SELECT tap.make_job(1, 12, 1, policy => %s)"
DELETE = "SELECT consign.policy_delete(1, 12, %s)"
USES = "SELECT merge_policy || ' ' || merge_policy_version FROM consign.export_job WHERE org = 1 AND sandbox = 12"


def make_policy():
    with Session(None) as owner:
        owner.tenant("""INSERT INTO consign.merge_policy (org, sandbox, policy, class, is_default, version, created_ms,
            updated_ms, created_client) VALUES (1, 12, %s, '_xdm.context.profile', true, 1, 0, 0, 'client')""", POLICY)
        owner.tenant("""INSERT INTO consign.merge_policy_version (org, sandbox, policy, version, name, rules,
            active_on_edge, created_ms) VALUES (1, 12, %s, 1, 'name', 'rules', false, 0)""", POLICY)


def remove_policy():
    with Session(None) as owner:
        owner.rows("DELETE FROM consign.merge_policy_version WHERE org = 1 AND sandbox = 12")
        owner.rows("DELETE FROM consign.merge_policy WHERE org = 1 AND sandbox = 12")


def job_then_delete(tap):
    with Session("consign_api") as a, Session("consign_api") as b:
        with a.transaction():
            a.tenant(MAKE, POLICY)
            waiting = Waiting(b, lambda: b.tenant(DELETE, POLICY))
            tap.ok(waiting.waits, "a delete waits for a job that is being accepted")
        tap.is_(waiting.outcome(), "CN409", "and finds it using the policy")
        tap.is_(a.tenant(USES), f"{POLICY} 1", "the job has its policy")


def delete_then_job(tap):
    with Session("consign_api") as a, Session("consign_api") as b:
        with a.transaction():
            a.tenant(DELETE, POLICY)
            waiting = Waiting(b, lambda: b.tenant(MAKE, POLICY))
            tap.ok(waiting.waits, "a job waits for a delete of its policy")
        tap.is_(waiting.outcome(), "CN405", "and is refused")


def delete_then_default_job(tap):
    with Session("consign_api") as a, Session("consign_api") as b:
        with a.transaction():
            a.tenant(DELETE, POLICY)
            waiting = Waiting(b, lambda: b.tenant(MAKE, None))
            tap.ok(waiting.waits, "a job under the default waits for its delete")
        tap.is_(waiting.outcome(), 1, "and is accepted")
        tap.is_(a.tenant(USES), "timestampOrdered-none-mp 1", "under the built-in one")


def change_and_job(tap):
    with Session("consign_api") as a, Session("consign_api") as b:
        with a.transaction():
            a.tenant("UPDATE consign.merge_policy SET version = 2, is_default = false WHERE org = 1 AND policy = %s", POLICY)
            tap.is_(b.tenant(MAKE, None), 1, "a job doesn't wait for a change of its policy")
        tap.is_(a.tenant(USES), f"{POLICY} 1", "and has it as it was")


with Tap() as results:
    for test in (job_then_delete, delete_then_job, delete_then_default_job, change_and_job):
        clean()
        remove_policy()
        make_policy()
        test(results)
    clean()
    remove_policy()
