"""scripts/soak: hours of a cluster's life in minutes, with every answer checked."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from callers import CALLERS, all_known, call, connect  # noqa: E402
from cases import World  # noqa: E402
from certificates import NEW_WITHIN, Certificates  # noqa: E402
from changes import Changes  # noqa: E402
from churn import KINDS, churn  # noqa: E402
from history import RECOVERY, Calm  # noqa: E402
from measure import Measure  # noqa: E402
from run import MOST_FAILURES, Run  # noqa: E402
from support import controlplane, crd  # noqa: E402
from support.rbac import RULES, Account  # noqa: E402
from support.server import Server  # noqa: E402
from support.settings import binary  # noqa: E402

PROGRESS = 10.0
# The exit status when something that it needs is not installed.
CANNOT_RUN = 3
# As many shards on each machine: threads and memory can be compared.
FLAGS = ("--threads", "2", "--log-level", "info", "--shutdown-delay", "100ms")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/soak",
        description="Runs the server on a real API server under a moderate load of reviews, "
        "changing backups, coming and going connections, certificate swaps and API server "
        "restarts; checks every answer, and that memory, descriptors and threads stay flat.",
    )
    parser.add_argument("minutes", type=float, help="how long; 0.5 will do")
    parser.add_argument("--seed", type=int, help="of an earlier run, to do the same again")
    parser.add_argument(
        "--keep", type=Path, help="a new folder for logs (default: a temporary one)"
    )
    chosen = parser.parse_args()
    if not 0.2 <= chosen.minutes <= 7 * 24 * 60:
        parser.error("minutes: must be between 0.2 and 10080")
    if chosen.keep and chosen.keep.exists():
        parser.error(f"--keep: {chosen.keep} exists")
    return chosen


@contextlib.contextmanager
def prepared(directory: Path, seed: int, seconds: float) -> Iterator[tuple[Run, World, Path]]:
    with controlplane.running(directory / "controlplane") as plane:
        if isinstance(plane, str):
            print(f"soak: {plane}", file=sys.stderr)
            sys.exit(CANNOT_RUN)
        crd.install(plane)
        account = Account(plane, plane.new_namespace()).grant(RULES)
        calm = Calm()
        world = World(plane.api, account.namespace, calm)
        certificates = Certificates(directory / "certificates")
        certificates.swap()
        token = directory / "token"
        token.write_text(account.token())
        kubeconfig = account.write_kubeconfig(directory / "kubeconfig", {"tokenFile": str(token)})
        server = Server(
            directory / "server", *FLAGS, cert_dir=certificates.folder, kubeconfig=kubeconfig
        )
        with contextlib.closing(server):
            server.start()
            run = Run(seed, seconds, plane, account, server, certificates, calm)
            yield run, world, token


async def show(run: Run, measure: Measure) -> None:
    async def one() -> None:
        answers, began = run.counts["answers"], time.monotonic()
        await run.pause(PROGRESS)
        rate = (run.counts["answers"] - answers) / (time.monotonic() - began)
        look = measure.looks[-1]
        print(
            f"{run.elapsed:6.0f} s  {run.counts['answers']} answers ({rate:.0f}/s, p99 "
            f"{run.percentile(99):.1f} ms)  {run.counts['connections']} connections  "
            f"{run.counts['backup changes']} changes  "
            f"{run.counts['API server restarts']} restarts  "
            f"{run.counts['certificates']} swaps  {look.resident / 2**20:.1f} MiB  "
            f"{look.descriptors} descriptors  {look.threads} threads  {len(run.failures)} wrong",
            flush=True,
        )

    await run.keep("progress", one)


async def load(run: Run, world: World, token: Path, measure: Measure) -> None:
    changes = Changes(run, world)
    await changes.store_all()
    await all_known(run, world)
    run.began = time.monotonic()

    async def end() -> None:
        await run.pause(run.seconds)
        run.stop.set()

    await asyncio.gather(
        end(),
        show(run, measure),
        measure.keep_looking(),
        changes.keep_changing(),
        changes.keep_restarting(),
        changes.keep_swapping(),
        changes.keep_renewing(token),
        *(call(run, world, number) for number in range(CALLERS)),
        *(churn(run, world, kind) for kind in KINDS),
    )
    try:
        await caught_up(run, world, changes)
    except Exception as error:  # whatever it is, it is the server that did not do as it should
        run.fail(f"at the end: {error!r}")


async def caught_up(run: Run, world: World, changes: Changes) -> None:
    """The last changes show, whatever has happened before."""
    if not run.server.running():
        run.fail(f"the server ended with {run.server.process.poll()}")
        return
    try:
        await changes.store_all()
        await all_known(run, world)
    except TimeoutError:
        run.fail(f"the last backups are not followed within {RECOVERY:g} s")
    deadline = time.monotonic() + NEW_WITHIN
    while not run.certificates.latest_seen and len(run.failures) < MOST_FAILURES:
        if time.monotonic() > deadline:
            run.fail(f"the last certificate is not shown within {NEW_WITHIN:g} s")
            return
        await (await connect(run)).close()
        await asyncio.sleep(0.1)


def judge_own_words(run: Run) -> None:
    """What the server itself says that should not be."""
    with run.server.log_file.open(errors="replace") as log:
        for line in log:
            # An API server that has just started knows nobody's rights for a moment.
            if "\tERROR\t" in line and "\tWatch refused" not in line:
                run.fail(f"the log says: {line.rstrip()}")
    for outcome in ("error", "shed", "timeout"):
        count = run.server.metric("smw_admission_requests_total", outcome=outcome)
        if count:
            run.fail(f"{count:g} requests ended with outcome {outcome}")


def summary(run: Run, world: World, measure: Measure) -> None:
    followed = [seconds for subject in world.subjects for seconds in subject.history.followed]
    rows = [
        ("seed", str(run.seed)),
        *((kind, str(count)) for kind, count in sorted(run.counts.items())),
        ("time to an answer, ms", f"p50 {run.percentile(50):.1f}, p99 {run.percentile(99):.1f}, "
                                  f"most {1000 * max(run.latencies, default=0):.1f}"),
        ("a change showed after, s", f"{max(followed, default=0):.2f} at most"),
        ("a certificate after, s", f"{max(run.certificates.followed, default=0):.2f} at most"),
        *measure.lines(),
        ("wrong", str(len(run.failures))),
    ]  # fmt: skip
    width = max(len(name) for name, _ in rows)
    print("\n".join(f"{name:<{width}}  {value}" for name, value in rows))


def soak(directory: Path, seed: int, seconds: float) -> list[str]:
    """What was wrong."""
    with prepared(directory, seed, seconds) as (run, world, token):
        measure = Measure(run)
        asyncio.run(load(run, world, token, measure))
        if run.server.running():
            measure.judge()
            judge_own_words(run)
        summary(run, world, measure)
    return run.failures


def main() -> int:
    chosen = arguments()
    if not binary().exists():
        print(f"soak: no server: set SMW_BINARY, or build {binary()}", file=sys.stderr)
        return CANNOT_RUN
    seed = secrets.randbelow(1 << 32) if chosen.seed is None else chosen.seed
    directory = chosen.keep.resolve() if chosen.keep else Path(tempfile.mkdtemp(prefix="soak-"))
    directory.mkdir(parents=True, exist_ok=True)
    print(f"soak: seed {seed}, {binary()}, logs in {directory}", flush=True)
    failures = soak(directory, seed, chosen.minutes * 60)
    if failures:
        print("\n".join(f"WRONG {failure}" for failure in failures))
        print(f"soak: failed; again: scripts/soak {chosen.minutes:g} --seed {seed}")
        return 1
    if not chosen.keep:
        shutil.rmtree(directory)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("soak: interrupted")
