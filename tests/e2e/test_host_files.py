# SPDX-License-Identifier: LGPL-2.1-or-later
"""Host files below a directory of a hostile user: no verb follows a link of that user."""

from rig import images
from rig.checks import DEPLOYMENTS

NAME = "neighbour"
LOADER = "/etc/ld.so.conf.d"
MANIFEST = '{"version": "1.0", "noContainerService": true}'


def image(version, **files):
    return images.with_exports(f"neighbour-{version}", {"manifest.json": MANIFEST}, {f"srv/app/conf/{name}": text for name, text in files.items()})


def test_no_verb_follows_a_link_of_another_user(shared_host):
    """The directory is given to a service user, who replaces a part of the path by a link."""
    host = shared_host
    before = sorted(host.path(LOADER).iterdir())
    host.berth("install", f"--name={NAME}", f"oci:{image('one', one='1').inside}")
    host.berth("update", f"--rebase=oci:{image('two', one='2', two='2').inside}", NAME)
    host.run("chown", "-R", "1000:1000", "/srv/app")
    attack = f"cd /srv/app && mv conf moved && ln -s {LOADER} conf"
    host.run("setpriv", "--reuid=1000", "--regid=1000", "--clear-groups", "sh", "-c", attack)
    for verb in (("update", f"--rebase=oci:{image('three', one='3', libc='3').inside}"), ("rollback",)):
        refused = host.berth(*verb, NAME, check=False)
        assert refused.returncode == 5, refused.stderr
        assert "/srv/app" in refused.stderr and "1000" in refused.stderr
        assert not host.path(f"{DEPLOYMENTS}/.transactions").exists()
    done = host.berth("uninstall", NAME)
    assert "/srv/app/conf/one is left as it is" in done.stderr
    assert not host.path(f"{DEPLOYMENTS}/{NAME}").is_symlink()
    assert sorted(host.path(LOADER).iterdir()) == before
    assert host.path("/srv/app/moved/one").read_text() == "2"
