"""Starting and ending the process, seen from outside."""

from __future__ import annotations

import signal
import socket

from support.fixtures import StartServer


def test_ends_however_early(start_server: StartServer) -> None:
    # What goes wrong between the start and the first connection shows only now and then.
    for _ in range(20):
        server = start_server(flags=("--shutdown-delay", "0s"))
        assert server.terminate() == 0, server.log()


def test_second_signal_ends_at_once(start_server: StartServer) -> None:
    server = start_server(flags=("--shutdown-delay", "1h"))
    server.process.send_signal(signal.SIGTERM)
    server.wait_for_message("Stopping")
    assert server.terminate() == 1


def test_silent_peers_are_cut(start_server: StartServer) -> None:
    server = start_server(flags=("--shutdown-delay", "0s", "--drain-timeout", "500ms"))
    silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(4)]
    assert server.terminate() == 0, server.log()
    for peer in silent:
        peer.close()
