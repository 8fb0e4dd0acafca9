"""tools/watch: alert rules and dashboard are sound, and name only metrics that there are."""

import json
import re
import subprocess

import pytest

import metrics
from stack import REPO

WATCH = REPO / "tools" / "watch"
RULES, DASHBOARD = WATCH / "alerts.yml", WATCH / "dashboard.json"


def promtool(*args):
    told = subprocess.run(["promtool", *args], capture_output=True, text=True, timeout=120, cwd=WATCH)
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout


def test_the_rules_are_sound():
    assert f"{RULES.read_text().count('- alert:')} rules found" in promtool("check", "rules", str(RULES))


def test_the_rules_fire_when_they_should():
    promtool("test", "rules", "alerts_test.yml")


def test_every_rule_has_a_test():
    names = set(re.findall(r"- alert: (\w+)", RULES.read_text()))
    tested = set(re.findall(r"alertname: (\w+)\n +exp_alerts:\n", (WATCH / "alerts_test.yml").read_text()))
    assert names == tested


def expressions():
    return [target["expr"] for panel in json.loads(DASHBOARD.read_text())["panels"] for target in panel.get("targets", [])]


def test_the_dashboard_asks_what_prometheus_can_answer(tmp_path):
    """Each of its questions as a rule, with Grafana's variables filled."""
    rules = tmp_path / "rules.yml"
    asked = [text.replace("$__rate_interval", "5m").replace("$instance", ".*") for text in expressions()]
    assert len(asked) > 20 and not any("$" in text for text in asked)
    # JSON is YAML
    rules.write_text(json.dumps({"groups": [{"name": "d", "rules": [
        {"record": f"d:{n}", "expr": text} for n, text in enumerate(asked)]}]}))
    promtool("check", "rules", str(rules))


def test_the_dashboard_has_its_parts():
    board = json.loads(DASHBOARD.read_text())
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    places = [panel["gridPos"] for panel in board["panels"]]
    for one in places:
        assert one["x"] + one["w"] <= 24
        assert not [other for other in places if other is not one
                    and one["x"] < other["x"] + other["w"] and other["x"] < one["x"] + one["w"]
                    and one["y"] < other["y"] + other["h"] and other["y"] < one["y"] + one["h"]]


@pytest.mark.parametrize("file", [RULES, DASHBOARD, WATCH / "alerts_test.yml"], ids=lambda path: path.name)
def test_every_metric_that_is_named_exists(stack, file):
    shown = {sample.name for family in metrics.families(stack).values() for sample in family.samples}
    shown |= {"consign_queue_connections", "consign_queue_limit"}  # absent where the kernel does not tell
    assert set(metrics.OUR_NAME.findall(file.read_text())) - shown == set()


def test_the_dashboard_shows_every_metric(stack):
    shown = {sample.name.removesuffix("_bucket").removesuffix("_count").removesuffix("_sum")
             for family in metrics.families(stack).values() for sample in family.samples}
    named = {name.removesuffix("_bucket") for name in metrics.OUR_NAME.findall(DASHBOARD.read_text())}
    assert shown - named == set()
