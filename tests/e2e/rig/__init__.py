"""The rig of the end-to-end tests: a booted host, a registry and images made by other people's tools."""
