"""Another vendor's mutating webhook: standard library only, so that it shares no bug with ours."""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from .api import Object

# From the request of a review to the JSON patch.
Mutate = Callable[[Object], list[Object]]


def make_certificate(directory: Path) -> tuple[Path, Path]:
    key, certificate = directory / "tls.key", directory / "tls.crt"
    command = ["openssl", "req", "-x509", "-nodes", "-days", "2"]
    command += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-subj", "/CN=other-webhook", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return key, certificate


class OtherWebhook:
    """Serves `mutate` at https://127.0.0.1:PORT/mutate and remembers the requests."""

    def __init__(self, directory: Path, mutate: Mutate) -> None:
        key, certificate = make_certificate(directory)
        self.ca = certificate.read_text()
        self.requests: list[Object] = []
        requests = self.requests

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                requests.append(review["request"])
                patch = json.dumps(mutate(review["request"])).encode()
                response = {
                    "uid": review["request"]["uid"],
                    "allowed": True,
                    "patchType": "JSONPatch",
                    "patch": base64.b64encode(patch).decode(),
                }
                answer = {key: review[key] for key in ("apiVersion", "kind")}
                body = json.dumps({**answer, "response": response}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate, key)
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._http.socket = tls.wrap_socket(self._http.socket, server_side=True)
        self.port: int = self._http.server_address[1]
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
