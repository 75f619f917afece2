"""A node's network in a namespace of the test's own: Pods on veth pairs, and nft in the part of
kube-proxy, so that the API server dials a Service as in production."""

from __future__ import annotations

import itertools
import subprocess
import threading
from pathlib import Path

from .controlplane import ControlPlane
from .network import nft
from .poll import poll
from .service_path_pod import KUBERNETES, NODE, Pod, Template

GATEWAY = "10.244.0.1"
SERVICES = "10.96.0.0/16"
TABLE = ("ip", "smw_services")


def ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr}"


def lay_out() -> None:
    """The addresses of a node. What is sent to a Service goes by `lo` until it is rewritten."""
    ip("address", "add", f"{NODE}/32", "dev", "lo")
    ip("route", "add", SERVICES, "dev", "lo", "src", NODE)


def plug_in(pod: Pod) -> None:
    """As the CNI plugin `ptp`: goes with the Pod's network namespace, which stays when its server
    ends, as a sandbox does. Who connects then is refused, and not lost in nowhere."""
    here = pod.name
    pid = str(pod.process.pid)
    ours = Path("/proc/thread-self/ns/net").readlink()
    poll("it has a network of its own", lambda: Path(f"/proc/{pid}/ns/net").readlink() != ours)
    pod.sandbox = Path(f"/proc/{pid}/ns/net").open()
    ip("link", "add", here, "type", "veth", "peer", "name", "eth0", "netns", pid)
    ip("address", "add", f"{GATEWAY}/32", "dev", here)
    ip("link", "set", here, "up")
    ip("route", "add", pod.address, "dev", here, "src", NODE)
    for arguments in (
        ["link", "set", "lo", "up"],
        ["address", "add", f"{pod.address}/32", "dev", "eth0"],
        ["link", "set", "eth0", "up"],
        ["route", "add", GATEWAY, "dev", "eth0"],
        ["route", "add", "default", "via", GATEWAY],
    ):
        subprocess.run(["nsenter", "--net", "--target", pid, "ip", *arguments], check=True)


class Proxy:
    """What kube-proxy does: rewrites the Services' addresses to those of ready Pods.

    A connection stays where it was sent, whatever becomes of the endpoints.
    """

    def __init__(self, api_server_port: int) -> None:
        nft("add", "table", *TABLE)
        nft("add", "chain", *TABLE, "services")
        nft("add", "chain", *TABLE, "refused")
        for chain, kind, priority in (
            ("output", "nat", "-100"),
            ("prerouting", "nat", "-100"),
            ("filter", "filter", "0"),
        ):
            hook = "output" if kind == "filter" else chain
            head = f"{{ type {kind} hook {hook} priority {priority}; }}"
            nft("add", "chain", *TABLE, chain, head)
            target = "refused" if kind == "filter" else "services"
            nft("add", "rule", *TABLE, chain, "jump", target)
        self._api_server = f"ip daddr {KUBERNETES} tcp dport 443 dnat to {NODE}:{api_server_port}"
        self._services: list[tuple[str, int, int]] = []
        self._ready: list[str] = []
        self._lock = threading.Lock()
        self.send_to([])

    def add(self, address: str, port: int, target: int) -> None:
        """A Service that the Pods of send_to() are behind."""
        with self._lock:
            self._services.append((address, port, target))
            self._write()

    def send_to(self, addresses: list[str]) -> None:
        """New connections go to these Pods, from now on and all at once."""
        with self._lock:
            self._ready = addresses
            self._write()

    def _write(self) -> None:
        addresses = self._ready
        places = ", ".join(f"{number} : {address}" for number, address in enumerate(addresses))
        lines = [self._api_server]
        refused = []
        for service, port, target in self._services:
            to_service = f"ip daddr {service} tcp dport {port}"
            if addresses:
                pick = f"numgen random mod {len(addresses)} map {{ {places} }}"
                lines.append(f"{to_service} dnat to {pick} : {target}")
            else:
                refused.append(f"{to_service} reject with tcp reset")
        table = " ".join(TABLE)
        script = [f"flush chain {table} {chain}" for chain in ("services", "refused")]
        script += [f"add rule {table} services {line}" for line in lines]
        script += [f"add rule {table} refused {line}" for line in refused]
        subprocess.run(["nft", "-f", "-"], input="\n".join(script), text=True, check=True)


class Node:
    """Runs Pods, probes them, and keeps the Service's endpoints: those that are ready and that
    nobody has begun to delete."""

    def __init__(self, directory: Path, cluster: ControlPlane, proxy: Proxy) -> None:
        self._directory = directory
        self._cluster = cluster
        self._proxy = proxy
        self._addresses = (f"10.244.0.{last}" for last in itertools.count(2))
        self._ready: list[Pod] = []
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._probes: list[threading.Thread] = []
        self.pods: list[Pod] = []

    def run(self, template: Template) -> Pod:
        """A new Pod; wait_until_ready() waits for it."""
        pod = Pod(self._directory, self._cluster, template, next(self._addresses))
        self.pods.append(pod)
        plug_in(pod)
        pod.start()
        thread = threading.Thread(target=self._follow, args=(pod,))
        self._probes.append(thread)
        thread.start()
        return pod

    def _follow(self, pod: Pod) -> None:
        """startupProbe until it succeeds, then readinessProbe."""
        kind, failures = "startupProbe", 0
        while pod.running() and not pod.deleted.is_set() and not self._closed.is_set():
            probe = pod.template.container[kind]
            succeeded = pod.probe(kind)
            if kind == "startupProbe" and succeeded:
                kind = "readinessProbe"
                continue
            failures = 0 if succeeded else failures + 1
            if succeeded:
                self._set_ready(pod, True)
            elif failures >= probe["failureThreshold"]:
                self._set_ready(pod, False)
            self._closed.wait(probe["periodSeconds"])
        self._set_ready(pod, False)

    def _set_ready(self, pod: Pod, ready: bool) -> None:
        with self._lock:
            ready = ready and not pod.deleted.is_set()
            if ready != (pod in self._ready):
                if ready:
                    self._ready.append(pod)
                else:
                    self._ready.remove(pod)
                self._proxy.send_to([entry.address for entry in self._ready])

    def is_ready(self, pod: Pod) -> bool:
        with self._lock:
            assert pod.running(), f"{pod.name} ended:\n{pod.log()}"
            return pod in self._ready

    def wait_until_ready(self, pod: Pod) -> None:
        poll(f"{pod.name} is ready", lambda: self.is_ready(pod))

    def delete(self, pod: Pod, noticed_after: float) -> None:
        """The kubelet's SIGTERM at once; it takes the endpoints a moment to say so everywhere."""
        pod.terminate()
        self._closed.wait(noticed_after)
        pod.deleted.set()
        self._set_ready(pod, False)

    def close(self) -> None:
        self._closed.set()
        for thread in self._probes:
            thread.join()
        for pod in self.pods:
            pod.close()
