"""walls: what others get to see of a tenant's job: nothing. Caller: main."""
from export import ACCESS, JOBS
from show import line, require

NO_SUCH_JOB = 999999999999


def told(answer):
    """What an answer says, but for the id of the request."""
    body = answer.json()
    body.pop("requestId", None)
    return answer.status, body


def ask(client, who, path, status):
    answer = client.get(path, status=None)
    require(answer.status == status, f"{who} got {answer.status} for {path}, not {status}")
    line(f"{who:38} GET …{path[-48:]:48} {answer.status}")
    return answer


def check_walls(own, other, job):
    path = f"{JOBS}/{job['id']}"
    batch = job["destination"]["batchId"]
    ask(own, f"{own.org}/{own.sandbox}", path, 200)
    foreign = ask(other, f"{other.org}/{other.sandbox}", path, 404)
    unknown = ask(other, f"{other.org}/{other.sandbox}", f"{JOBS}/{NO_SUCH_JOB}", 404)
    require(told(foreign) == told(unknown), "the answer for a foreign job differs from that for none at all")
    ask(other, f"{other.org}/{other.sandbox}", f"{ACCESS}/batches/{batch}/files", 404)
    ask(own.elsewhere(sandbox="stage"), f"{own.org}/stage", path, 404)
    ask(other.elsewhere(org=own.org), f"{other.org} as {own.org}", path, 403)
    line("A job of others and a job that never was get the same answer:")
    line(foreign.body.decode().strip())
