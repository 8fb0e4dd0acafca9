"""GET /metrics as Prometheus asks for it, read strictly."""

import re
import time

import requests
from prometheus_client.openmetrics.parser import text_string_to_metric_families

OPEN = {"Accept": "application/openmetrics-text; version=1.0.0"}
OUR_NAME = re.compile(r"\bconsign_[a-z_]+")
SAMPLE = re.compile(r"_(bucket|count|sum|total)$")


def text(stack, headers=None):
    answer = requests.get(stack.ops_url + "/metrics", headers=headers, timeout=20)
    assert answer.status_code == 200, answer.text
    return answer


def families(stack):
    """name (without _total) -> family."""
    found = list(text_string_to_metric_families(text(stack, OPEN).text))
    assert len({family.name for family in found}) == len(found)
    return {family.name: family for family in found}


class Figures(dict):
    """(name, labels as a sorted tuple of pairs) -> value."""

    def of(self, name, **labels):
        return self[name, tuple(sorted(labels.items()))]

    def added(self, before, name):
        """What came to the samples of that name since: labels -> how much, where it is not 0."""
        return {key[1]: value - before.get(key, 0) for key, value in self.items()
                if key[0] == name and value != before.get(key, 0)}


def scrape(stack):
    return Figures({(sample.name, tuple(sorted(sample.labels.items()))): sample.value
                    for family in families(stack).values() for sample in family.samples})


def settled(stack):
    """The figures when all that was done before is in them: a spooler tells once a second, the pool asks every five."""
    time.sleep(6.5)
    return scrape(stack)


def await_figures(stack, good, seconds=20):
    """Scrapes until good(figures); returns them. What comes from the database is up to five seconds old."""
    deadline = time.monotonic() + seconds
    while True:
        found = scrape(stack)
        if good(found):
            return found
        assert time.monotonic() < deadline, {key: value for key, value in found.items() if value}
        time.sleep(0.25)  # reading what was scraped takes some of a core
