"""Shared by every test: no test reaches the network, and none fails for being slow."""

from __future__ import annotations

import socket

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is no fault of the code.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


class NetworkUsedError(RuntimeError):
    """A test tried to open a network connection."""


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection but those to a socket of this machine."""

    def refuse(self: socket.socket, address: object) -> None:
        if self.family == socket.AF_UNIX:
            return original(self, address)
        raise NetworkUsedError(f"a test tried to connect to {address}")

    original = socket.socket.connect
    monkeypatch.setattr(socket.socket, "connect", refuse)
