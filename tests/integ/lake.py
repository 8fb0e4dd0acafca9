"""What lies in the lake: published batches and strays. Used by the fault tests."""

import json
import time


def published(stack, dataset):
    """Batch ids that have a directory below the dataset, whole or not."""
    return sorted(path.name for path in stack.lake.glob(f"*/*/{dataset}/*"))


def assert_whole(stack, dataset, batch):
    """The batch's directory holds exactly manifest.json and the files it lists."""
    (folder,) = stack.lake.glob(f"*/*/{dataset}/{batch}/*")  # the attempt that was published
    listed = {entry["name"]: entry for entry in json.loads((folder / "manifest.json").read_text())["files"]}
    there = {path.name: path.stat().st_size for path in folder.iterdir()}
    there.pop("manifest.json")
    assert there == {name: int(entry["bytes"]) for name, entry in listed.items()}


def strays(stack):
    """Files below the lake that no manifest beside them lists, and all that is in tmp/."""
    found, listed = [], {}
    for path in stack.lake.rglob("*"):
        if path.relative_to(stack.lake).parts[0] == "tmp":
            if path.parent != stack.lake:
                found.append(path)
            continue
        if path.is_dir() or path.name == "manifest.json":
            continue
        if path.parent not in listed:
            listed[path.parent] = names_in_manifest(path.parent)
        if path.name not in listed[path.parent]:
            found.append(path)
    return found


def names_in_manifest(folder):
    try:
        return {entry["name"] for entry in json.loads((folder / "manifest.json").read_text())["files"]}
    except FileNotFoundError:
        return set()


def wait_clean(stack, seconds):
    """Wait until there is no stray; fails with their names after the time."""
    deadline, pause = time.monotonic() + seconds, 0.05
    while True:
        try:
            found = strays(stack)
        except FileNotFoundError:  # swept while we looked
            found = ["changing"]
        if not found:
            return
        assert time.monotonic() < deadline, f"stray files: {[str(p) for p in found[:20]]}"
        time.sleep(max(0.02, min(pause, deadline - time.monotonic())))  # the last look is at the end of the time
        pause = min(pause * 1.5, 0.25)
