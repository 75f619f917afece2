"""What a Service is to the API server: one address in front of several servers.

As kube-proxy does it, a connection goes to one server for good, without looking inside, and a
server that is not ready gets no new ones; as with endpoints, that takes a moment to be noticed.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading

from .server import Server

PROBE_PERIOD = 0.2


class Balancer:
    def __init__(self, *servers: Server) -> None:
        self._servers = servers
        self._ready = list(servers)
        self._turn = itertools.count()
        self._closed = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        for work in (self._accept, self._probe):
            threading.Thread(target=work, daemon=True).start()

    def close(self) -> None:
        self._closed.set()
        self._listener.close()

    def _probe(self) -> None:
        while not self._closed.wait(PROBE_PERIOD):
            self._ready = [server for server in self._servers if server.ready()]

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            ready = self._ready
            if not ready:
                client.close()
                continue
            server = ready[next(self._turn) % len(ready)]
            threading.Thread(target=self._splice, args=(client, server.port), daemon=True).start()

    def _splice(self, client: socket.socket, port: int) -> None:
        # A server that refuses is a failure for the caller to see: kube-proxy tries no other.
        try:
            upstream = socket.create_connection(("127.0.0.1", port), timeout=10)
        except OSError:
            client.close()
            return
        upstream.settimeout(None)
        for end in (client, upstream):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        answers = threading.Thread(target=copy, args=(upstream, client), daemon=True)
        answers.start()
        copy(client, upstream)
        answers.join()
        client.close()
        upstream.close()


def copy(source: socket.socket, target: socket.socket) -> None:
    """Copies until the end of `source`, and passes that end on."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
