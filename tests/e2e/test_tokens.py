"""Bearer tokens from a real token server, and where a login may go and where not."""

import base64
import json

import pytest
from rig import images
from rig.authority import Authority
from rig.registry import TokenServer
from rig.shell import run

USER = "captain"


class Place:
    """A registry that wants tokens, the server that gives them, and a host that asks."""

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
        """Pulls and gives the done command and what the token server was asked for."""
        run("rm", "-rf", self.host.path("/var/lib/containers/berth"))
        self._seen = len(self.tokens.log().splitlines())
        done = self.host.berth("pull", *options, f"{self.registry.address}/{name}", check=check)
        return done, self.tokens.log().splitlines()[self._seen :]


LOGIN = "--authfile=/root/auth.json"


@pytest.fixture(scope="module")
def place(shared_site, shared_host):
    return Place(shared_site, shared_host)


def test_what_anybody_may_read_needs_no_login(place):
    _, asked = place.pull("public/whiteouts")
    assert asked == ["token for nobody scope repository:public/whiteouts:pull accepted"]


def test_a_login_buys_one_token_for_one_repository(place):
    _, asked = place.pull("private/whiteouts", LOGIN)
    assert asked == ["token for captain scope repository:private/whiteouts:pull accepted"]
    assert len(place.host.stored()) == 1


def test_without_a_login_it_is_refused_with_the_remedy(place):
    done, _ = place.pull("private/whiteouts", check=False)
    assert done.returncode == 5
    assert "localhost:5300 does not give private/whiteouts without a login" in done.stderr
    assert "podman login localhost:5300" in done.stderr
    assert place.host.stored() == []


def test_a_wrong_password_is_refused_by_the_token_server_and_not_repeated(place):
    place.write_login("wr0ng-password")
    done, asked = place.pull("private/whiteouts", LOGIN, check=False)
    place.write_login()
    assert done.returncode == 5
    assert asked == ["token for captain scope repository:private/whiteouts:pull refused"]
    assert "/root/auth.json" in done.stderr and "wr0ng" not in done.stderr


def test_a_token_that_does_not_allow_it_is_a_refusal(place):
    done, _ = place.pull("forbidden/whiteouts", LOGIN, check=False)
    assert done.returncode == 5
    assert "forbidden/whiteouts" in done.stderr


def test_a_token_that_expires_on_the_way_is_renewed(place):
    """The first is good for two seconds at most; the proxy takes longer than that for the whole image."""
    tokens = place.site.tokens(place.identity, "--first-lifetime=2", port=5601)
    registry = place.site.another_registry(port=5301, tokens=tokens, storage=place.registry.storage)
    front = place.site.front("--delay=0.5", port=5101, registry=registry)
    run("rm", "-rf", place.host.path("/var/lib/containers/berth"))
    place.host.berth("pull", f"{front.address}/public/whiteouts")
    assert len(place.host.stored()) == 1
    scope = "token for nobody scope repository:public/whiteouts:pull accepted"
    assert set(tokens.log().splitlines()) == {scope} and len(tokens.log().splitlines()) >= 2


def test_a_redirect_to_another_host_takes_no_login_along(place):
    """Registries send whoever wants a blob to a store of their own, which must not learn the password."""
    reference = place.site.pushed(images.whiteouts())
    store = place.site.front(port=5102)
    users = place.site.directory / "users"
    users.write_text(run("htpasswd", "-nbB", USER, TokenServer.PASSWORD).stdout)
    guarded = place.site.another_registry(port=5302, users=users, storage=place.registry.storage)
    front = place.site.front(f"--redirect-blobs={store.address}", port=5103, registry=guarded)
    guarded.push(images.whiteouts().layout, "whiteouts:latest", f"--dest-creds={USER}:{TokenServer.PASSWORD}")
    login = base64.b64encode(f"{USER}:{TokenServer.PASSWORD}".encode()).decode()
    place.host.path("/root/front.json").write_text(json.dumps({"auths": {front.address: {"auth": login}}}))
    run("rm", "-rf", place.host.path("/var/lib/containers/berth"))
    place.host.berth("pull", "--authfile=/root/front.json", f"{front.address}/whiteouts")
    assert reference.endswith("/whiteouts:latest")
    assert [line for line in front.log().splitlines() if "manifests" in line][-1].endswith("with a login")
    assert len([line for line in store.log().splitlines() if line.endswith("without")]) == 4  # three layers, one configuration
    assert "with a login" not in store.log()
