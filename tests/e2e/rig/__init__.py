# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rig of the end-to-end tests: booted hosts, registries, and images made by other tools."""
