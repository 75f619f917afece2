"""Another vendor's mutating webhook."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Callable
from pathlib import Path

from .api import Object
from .certificates import self_signed
from .https import JsonHandler, serving_https

# From the request of a review to the JSON patch.
Mutate = Callable[[Object], list[Object]]


class OtherWebhook:
    """Serves `mutate` at https://127.0.0.1:PORT/mutate and remembers the requests."""

    def __init__(self, directory: Path, mutate: Mutate) -> None:
        key, certificate = self_signed(directory, "other-webhook", "IP:127.0.0.1")
        self.ca = certificate.read_text()
        self.requests: list[Object] = []
        requests = self.requests

        class Handler(JsonHandler):
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
                self.answer({**answer, "response": response})

        self._stack = contextlib.ExitStack()
        self.port = self._stack.enter_context(serving_https(Handler, key, certificate))

    def close(self) -> None:
        self._stack.close()
