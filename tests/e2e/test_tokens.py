# SPDX-License-Identifier: LGPL-2.1-or-later
"""Bearer tokens of a token server, and the servers that a login is sent to."""

import base64
import json

import pytest
from rig import images
from rig.authority import Authority
from rig.registry import TokenServer
from rig.shell import run

USER = "captain"


class Setting:
    """A registry that requires tokens, the token server, and a host."""

    def __init__(self, site, host):
        self.site, self.host = site, host
        self.identity = Authority(site.directory / "signer").sign("tokens.test")
        self.tokens = site.tokens(self.identity)
        self.registry = site.another_registry(port=5300, tokens=self.tokens)
        for name in ("public/whiteouts", "private/whiteouts"):
            self.registry.push(images.whiteouts().layout, f"{name}:latest", f"--dest-creds={USER}:{TokenServer.PASSWORD}")
        self._seen = len(self.tokens.log().splitlines())
        self.write_login()

    def write_login(self, password=TokenServer.PASSWORD):
        login = base64.b64encode(f"{USER}:{password}".encode()).decode()
        self.host.path("/root/auth.json").write_text(json.dumps({"auths": {self.registry.address: {"auth": login}}}))

    def pull(self, name, *options, check=True):
        """Pulls an image. @return (the done command, the log lines of the token server)"""
        run("rm", "-rf", self.host.path("/var/lib/containers/berth"))
        self._seen = len(self.tokens.log().splitlines())
        done = self.host.berth("pull", *options, f"{self.registry.address}/{name}", check=check)
        return done, self.tokens.log().splitlines()[self._seen :]


LOGIN = "--authfile=/root/auth.json"


@pytest.fixture(scope="module")
def setting(shared_site, shared_host):
    return Setting(shared_site, shared_host)


def test_a_public_repository_needs_no_login(setting):
    _, log = setting.pull("public/whiteouts")
    assert log == ["token for nobody scope repository:public/whiteouts:pull accepted"]


def test_a_login_is_exchanged_for_one_token_for_one_repository(setting):
    _, log = setting.pull("private/whiteouts", LOGIN)
    assert log == ["token for captain scope repository:private/whiteouts:pull accepted"]
    assert len(setting.host.stored()) == 1


def test_without_a_login_it_is_refused_with_the_remedy(setting):
    done, _ = setting.pull("private/whiteouts", check=False)
    assert done.returncode == 5
    assert "localhost:5300 does not give private/whiteouts without a login" in done.stderr
    assert "podman login localhost:5300" in done.stderr
    assert setting.host.stored() == []


def test_a_wrong_password_is_refused_by_the_token_server_and_not_repeated(setting):
    setting.write_login("wr0ng-password")
    done, log = setting.pull("private/whiteouts", LOGIN, check=False)
    setting.write_login()
    assert done.returncode == 5
    assert log == ["token for captain scope repository:private/whiteouts:pull refused"]
    assert "/root/auth.json" in done.stderr and "wr0ng" not in done.stderr


def test_a_token_without_the_permission_is_refused(setting):
    done, _ = setting.pull("forbidden/whiteouts", LOGIN, check=False)
    assert done.returncode == 5
    assert "forbidden/whiteouts" in done.stderr


def test_a_token_that_expires_during_a_pull_is_renewed(setting):
    """The first token is valid for two seconds at most, and the proxy is slower than that."""
    tokens = setting.site.tokens(setting.identity, "--first-lifetime=2", port=5601)
    registry = setting.site.another_registry(port=5301, tokens=tokens, storage=setting.registry.storage)
    front = setting.site.front("--delay=0.5", port=5101, registry=registry)
    run("rm", "-rf", setting.host.path("/var/lib/containers/berth"))
    setting.host.berth("pull", f"{front.address}/public/whiteouts")
    assert len(setting.host.stored()) == 1
    scope = "token for nobody scope repository:public/whiteouts:pull accepted"
    assert set(tokens.log().splitlines()) == {scope} and len(tokens.log().splitlines()) >= 2


def test_a_redirect_to_another_host_does_not_send_the_login(setting):
    """Registries redirect requests for blobs to a storage server, which must not get the password."""
    reference = setting.site.pushed(images.whiteouts())
    store = setting.site.front(port=5102)
    users = setting.site.directory / "users"
    users.write_text(run("htpasswd", "-nbB", USER, TokenServer.PASSWORD).stdout)
    guarded = setting.site.another_registry(port=5302, users=users, storage=setting.registry.storage)
    front = setting.site.front(f"--redirect-blobs={store.address}", port=5103, registry=guarded)
    guarded.push(images.whiteouts().layout, "whiteouts:latest", f"--dest-creds={USER}:{TokenServer.PASSWORD}")
    login = base64.b64encode(f"{USER}:{TokenServer.PASSWORD}".encode()).decode()
    setting.host.path("/root/front.json").write_text(json.dumps({"auths": {front.address: {"auth": login}}}))
    run("rm", "-rf", setting.host.path("/var/lib/containers/berth"))
    setting.host.berth("pull", "--authfile=/root/front.json", f"{front.address}/whiteouts")
    assert reference.endswith("/whiteouts:latest")
    assert [line for line in front.log().splitlines() if "manifests" in line][-1].endswith("with a login")
    assert len([line for line in store.log().splitlines() if line.endswith("without")]) == 4  # three layers, one configuration
    assert "with a login" not in store.log()
