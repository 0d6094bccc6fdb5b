# SPDX-License-Identifier: LGPL-2.1-or-later
"""Lists of containers and images: tables, filters, JSON; and inspect."""

import re

import pytest
from rig import images


@pytest.fixture(scope="module")
def listed(shared_host, shared_site):
    """A host with the container hello, which runs, the container idle, which does not, and a third stored image."""
    hello = shared_site.pushed(images.hello_world())
    shared_host.berth("install", "--now", "--name=hello", hello)
    shared_host.berth("install", "--name=idle", "--runtime=/usr/bin/crun", shared_site.pushed(images.plain()))
    shared_host.berth("pull", shared_site.pushed(images.whiteouts()))
    shared_host.fetch("http://127.0.0.1:8081/")
    return shared_host


def names(host, *options):
    return [row["container"] for row in host.listed(*options)]


def test_only_running_containers_are_listed(listed):
    assert names(listed) == ["hello"]


def test_all_containers_are_listed_with_their_states(listed):
    rows = listed.listed("-a")
    assert {row["container"]: row["state"] for row in rows} == {"hello": "running", "idle": "inactive"}


@pytest.mark.parametrize(
    "given, expected",
    [
        ("container=hel", ["hello"]),
        ("image=plain", ["idle"]),
        ("command=/usr/bin/run.sh", ["hello"]),
        ("state=inactive", ["idle"]),
        ("backend=ostree", ["hello", "idle"]),
        ("runtime=crun", ["idle"]),
        ("created=20", ["hello", "idle"]),
        ("container=nothing", []),
    ],
)
def test_a_filter_picks_rows(listed, given, expected):
    assert names(listed, "-a", "-f", given) == expected


def test_all_filters_have_to_match(listed):
    assert names(listed, "-a", "-f", "backend=ostree", "-f", "state=running") == ["hello"]


def test_the_table_has_a_heading_and_no_heading_with_n(listed):
    heading, *rows = map(str.split, listed.berth("containers", "list", "-a").stdout.splitlines())
    assert heading == ["CONTAINER", "IMAGE", "COMMAND", "CREATED", "STATE", "BACKEND", "RUNTIME"]
    assert len(rows) == 2
    assert [line.split() for line in listed.berth("containers", "list", "-a", "-n").stdout.splitlines()] == rows


def test_quiet_prints_names_only(listed):
    assert listed.berth("containers", "list", "-a", "-q").stdout.split() == ["hello", "idle"]


def test_no_trunc_shows_whole_ids(listed):
    short = listed.berth("containers", "list", "-a").stdout
    assert not re.search(r"\b[0-9a-f]{64}\b", short)
    whole = listed.berth("images", "list", "--no-trunc").stdout
    assert len(re.findall(r"\b[0-9a-f]{64}\b", whole)) == 3


def test_an_empty_list_is_an_empty_json_list(host):
    assert host.listed() == []
    assert host.stored() == []


def test_images_are_listed_with_repository_tag_and_id(listed):
    rows = listed.stored()
    assert [(row["repository"], row["tag"]) for row in rows] == [
        ("localhost:5000/hello-world", "latest"), ("localhost:5000/plain", "latest"), ("localhost:5000/whiteouts", "latest"),
    ]  # fmt: skip
    assert all(re.fullmatch("[0-9a-f]{64}", row["id"]) for row in rows)


def test_used_images_are_marked(listed):
    lines = listed.berth("images", "list").stdout.splitlines()[1:]
    assert {line.lstrip("> ").split()[0]: line.startswith(">") for line in lines} == {
        "localhost:5000/hello-world": True, "localhost:5000/plain": True, "localhost:5000/whiteouts": False,
    }  # fmt: skip


def test_all_lists_layers_as_none(listed):
    few = listed.berth("images", "list", "-n").stdout.splitlines()
    all_of_them = listed.berth("images", "list", "-n", "-a").stdout.splitlines()
    assert len(all_of_them) == len(few) + 2 + 1 + 3  # layers of hello-world, plain and whiteouts
    assert sum("<none>" in line for line in all_of_them) == len(all_of_them) - len(few)


@pytest.mark.parametrize("given, expected", [("repo=plain", 1), ("tag=latest", 3), ("type=system", 3), ("repo=x", 0)])
def test_an_image_filter_picks_rows(listed, given, expected):
    assert len(listed.stored("-f", given)) == expected


def test_quiet_prints_ids_only(listed):
    lines = listed.berth("images", "list", "-q").stdout.split()
    assert len(lines) == 3 and all(re.fullmatch("[0-9a-f]{12,64}", line) for line in lines)


def test_inspect_of_a_container_shows_unit_values_and_configuration(listed):
    container = listed.berth_json("inspect", "hello")
    assert container["name"] == "hello"
    assert container["state"] == "running"
    assert container["values"]["RECEIVER"] == "World"
    assert container["unit"]["mainPid"] == int(listed.unit("hello")["MainPID"])
    assert container["config"]["root"]["readonly"] is True


def test_inspect_of_an_image_shows_manifest_and_configuration(listed):
    image = listed.berth_json("inspect", "localhost:5000/plain:latest")
    assert image["config"]["config"]["WorkingDir"] == "/srv/home"
    assert len(image["manifest"]["layers"]) == len(image["layers"])


def test_inspect_of_an_unknown_name_is_not_found(listed):
    done = listed.berth("inspect", "nothing", check=False)
    assert done.returncode == 3
    assert "nothing" in done.stderr and done.stdout == ""


