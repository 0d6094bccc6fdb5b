# SPDX-License-Identifier: LGPL-2.1-or-later
"""The option that names the build directory."""


def pytest_addoption(parser):
    parser.addoption("--build", help="the build directory with berth for Arm")
