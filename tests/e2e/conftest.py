# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fixtures of the end-to-end tests. All of them run in a sandbox (rig/sandbox.py)."""

import signal
import sys

import pytest

sys.dont_write_bytecode = True

from rig import sandbox  # noqa: E402  (the line above has to come first)
from rig.site import Site  # noqa: E402


def pytest_cmdline_main(config):
    """Runs pytest again inside the sandbox."""
    if config.option.collectonly or sandbox.inside():
        return None
    return sandbox.run([sys.executable, "-B", "-m", "pytest", *config.invocation_params.args])


def pytest_configure(config):
    config.addinivalue_line("markers", "portable: also run on the host of another Debian release, by ./test debian13")


# A shell ignores these signals for a command in the background, and programs inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)


@pytest.fixture(scope="session")
def work():
    """A directory on a real file system, removed after the run."""
    sandbox.prepare()
    return sandbox.directory()


@pytest.fixture
def site(work):
    made = Site(work)
    yield made
    made.close()


@pytest.fixture
def host(site):
    return site.host()


@pytest.fixture(scope="module")
def shared_site(work):
    """One site for all tests of a file, for tests that leave it as it was."""
    made = Site(work)
    yield made
    made.close()


@pytest.fixture(scope="module")
def shared_host(shared_site):
    return shared_site.host()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """Adds the last messages of every host to the report of a test that failed, also in its fixtures."""
    outcome = yield
    report = outcome.get_result()
    if not report.failed:
        return
    for site in [made for made in item.funcargs.values() if isinstance(made, Site)]:
        for host in site.hosts:
            report.sections.append((f"messages of {host.directory.name}", host.last_messages(60)))
