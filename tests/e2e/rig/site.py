# SPDX-License-Identifier: LGPL-2.1-or-later
"""A network with a registry and hosts."""

import itertools

from rig import memlock
from rig.cache import root as cache_root
from rig.host import Host
from rig.installed import installed
from rig.network import Network
from rig.registry import Front, Registry, TokenServer

_numbers = itertools.count(1)


class Site:
    """@param work the directory for the files of the site; the storage of the registry there is shared by all sites"""

    def __init__(self, work):
        self.directory = work / f"site{next(_numbers)}"
        self._storage = work / "registry"
        self.network = Network()
        self._closing = []
        self._registry = None
        self.hosts = []

    def host(self, without_bus=False, boot=True, bare=False):
        """A new host.
        @param without_bus without a D-Bus daemon: only /run/systemd/private answers  @param bare without berth"""
        layers = [*memlock.layers(), *([] if bare else [installed()])]
        host = Host(self.directory / f"{self.directory.name}-host{len(self.hosts) + 1}", self.network, layers, cache_root())
        self.hosts.append(host)
        self._closing.append(host.close)
        if without_bus:
            for unit in ("dbus.service", "dbus.socket"):
                (host.tree / "etc/systemd/system" / unit).symlink_to("/dev/null")
        return host.boot() if boot else host

    @property
    def registry(self):
        if self._registry is None:
            self._registry = self.another_registry(storage=self._storage)
        return self._registry

    def another_registry(self, **options):
        name = f"registry{len(self._closing)}"
        options.setdefault("storage", self.directory / (name + "-storage"))
        registry = Registry(self.network, self.directory / name, **options)
        self._closing.append(registry.stop)
        return registry

    def tokens(self, identity, *options, port=5600):
        server = TokenServer(self.network, self.directory / f"tokens{port}", identity, port, *options)
        self._closing.append(server.stop)
        return server

    def front(self, *options, port=5100, registry=None):
        front = Front(self.network, registry or self.registry, self.directory / f"front{port}", port, *options)
        self._closing.append(front.stop)
        return front

    def pushed(self, image, name=None, tag="latest"):
        """Pushes an image of the cache to the registry. @return its reference"""
        return self.registry.push(image.layout, f"{name or image.name}:{tag}", "--all")

    def close(self):
        for close in reversed(self._closing):
            close()
        self.network.close()
