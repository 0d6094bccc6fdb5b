"""Fixtures of the end-to-end tests. Everything runs in a sandbox of its own (rig/sandbox.py)."""

import signal
import sys

import pytest

sys.dont_write_bytecode = True

from rig import sandbox  # noqa: E402  (the line above has to come first)
from rig.host import Host  # noqa: E402
from rig.site import Site  # noqa: E402


def pytest_cmdline_main(config):
    """Runs pytest again inside the sandbox."""
    if config.option.collectonly or sandbox.inside():
        return None
    return sandbox.run([sys.executable, "-B", "-m", "pytest", *config.invocation_params.args])


def pytest_configure(config):
    config.addinivalue_line("markers", "portable: also run on the host of another Debian release, by ./test debian13")


# A shell script ignores these for what it runs in the background, and programs inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)


@pytest.fixture(scope="session")
def work():
    """A directory on a real file system, gone after the run."""
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
    """For tests that change nothing: one site for all tests of a file."""
    made = Site(work)
    yield made
    made.close()


@pytest.fixture(scope="module")
def shared_host(shared_site):
    return shared_site.host()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """A failed test shows what the host's journal says."""
    outcome = yield
    report = outcome.get_result()
    if report.when != "call" or not report.failed:
        return
    for name in ("host", "shared_host"):
        host = item.funcargs.get(name)
        if isinstance(host, Host):
            journal = host.run("journalctl", "--no-pager", "-n", "60", check=False).stdout
            report.sections.append((f"journal of {name}", journal))
