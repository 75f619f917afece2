"""What the process does with too much: too large, too many, too slow. And that it recovers."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from support.poll import poll
from support.raw_http import PATH, Answer, RawClient, connected, head, post, trust
from support.reviews import encode, padded, review, train_backup
from support.server import Server
from support.standalone import ending, serving

MIB = 1 << 20
JSON = "Content-Type: application/json"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("limits"), train_backup()) as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[RawClient]:
    with connected(server.port, server.ca) as client:
        yield client


def is_status(answer: Answer, status: int) -> None:
    assert answer.status == status, answer.body
    assert (answer.json["kind"], answer.json["code"]) == ("Status", status)


def serves(server: Server) -> None:
    with connected(server.port, server.ca) as client:
        assert client.ask(post(encode(review()))).status == 200


def in_flight(server: Server) -> float:
    return server.metric("smw_admission_in_flight")


def bytes_in_flight(server: Server) -> float:
    return server.metric("smw_admission_bytes_in_flight")


def shed(server: Server) -> float:
    return server.metric("smw_admission_requests_total", outcome="shed", operation="unknown")


def test_seven_mebibytes_and_not_one_byte_more(server: Server, client: RawClient) -> None:
    assert client.ask(post(padded(7 * MIB))).status == 200
    answer = client.ask(post(padded(7 * MIB + 1)))
    is_status(answer, 413)
    assert answer.header("Connection") == "close"
    client.expect_close()
    assert bytes_in_flight(server) == 0


def test_chunks_over_the_cap(client: RawClient) -> None:
    client.send(head("POST", PATH, JSON, "Transfer-Encoding: chunked"))
    chunk = b"100000\r\n" + b"x" * MIB + b"\r\n"
    for _ in range(8):
        client.send(chunk)
    answer = client.answer()
    is_status(answer, 413)
    assert answer.header("Connection") == "close"
    client.expect_close()


def test_chunked_and_expected_bodies(client: RawClient) -> None:
    body = encode(review())
    chunks = [body[at : at + 100] for at in range(0, len(body), 100)]
    coded = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    request = head("POST", PATH, JSON, "Transfer-Encoding: chunked") + coded
    assert client.ask(request).status == 200
    # Two at once: answered in order.
    client.send(request + post(encode(review("second"))))
    assert client.answer().json["response"]["uid"] == "4a1c6f0e-0001"
    assert client.answer().json["response"]["uid"] == "second"
    client.send(head("POST", PATH, JSON, f"Content-Length: {len(body)}", "Expect: 100-continue"))
    assert client.answer().status == 100
    assert client.ask(body).status == 200


def test_http_1_0(server: Server, client: RawClient) -> None:
    body = encode(review())
    request = f"POST {PATH} HTTP/1.0\r\nContent-Length: {len(body)}\r\n"
    kept = client.ask(f"{request}Connection: keep-alive\r\n\r\n".encode() + body)
    assert (kept.status, kept.header("Connection")) == (200, "keep-alive")
    ended = client.ask(f"{request}\r\n".encode() + body)
    assert (ended.status, ended.header("Connection")) == (200, "close")
    client.expect_close()


BAD_HEADS = {
    "length and coding": (["Content-Length: 4", "Transfer-Encoding: chunked"], 400),
    "two lengths": (["Content-Length: 4", "Content-Length: 5"], 400),
    "two equal lengths": (["Content-Length: 4", "Content-Length: 4"], 400),
    "list of lengths": (["Content-Length: 4, 4"], 400),
    "negative length": (["Content-Length: -1"], 400),
    "plus": (["Content-Length: +4"], 400),
    "length of 21 digits": (["Content-Length: 100000000000000000000"], 400),
    "no header": (["garbage"], 400),
    "blank before the colon": (["Content-Length : 4"], 400),
    "folded": (["X: 1", "  more"], 400),
    "two hosts": (["Host: other"], 400),
    "16 KiB of a header": (["X: " + "y" * 16384], 431),
    "16 KiB of headers": ([f"X{number}: {'y' * 200}" for number in range(100)], 431),
    "gzip": (["Transfer-Encoding: gzip"], 501),
    "gzip, chunked": (["Transfer-Encoding: gzip, chunked"], 501),
}


@pytest.mark.parametrize("name", BAD_HEADS)
def test_bad_heads_end_the_connection(server: Server, client: RawClient, name: str) -> None:
    lines, status = BAD_HEADS[name]
    before = server.metric("smw_admission_requests_total")
    answer = client.ask(head("POST", PATH, JSON, *lines) + b"{}  ")
    is_status(answer, status)
    assert answer.header("Connection") == "close"
    client.expect_close()
    if status != 501:
        assert server.metric("smw_admission_requests_total") == before
    serves(server)


def test_bad_chunks(client: RawClient) -> None:
    client.send(head("POST", PATH, JSON, "Transfer-Encoding: chunked"))
    answer = client.ask(b"zz\r\n{}\r\n0\r\n\r\n")
    is_status(answer, 400)
    assert answer.header("Connection") == "close"
    client.expect_close()


def test_a_body_that_never_comes(server: Server) -> None:
    before = server.metric("smw_admission_requests_total", operation="unknown")
    with connected(server.port, server.ca) as client:
        started = time.monotonic()
        target = f"{PATH}?timeout=400ms"
        answer = client.ask(head("POST", target, JSON, "Content-Length: 100") + b'{"kind"')
        took = time.monotonic() - started
        is_status(answer, 408)
        assert answer.header("Connection") == "close"
        client.expect_close()
    # Half of a deadline below a second is for the way back.
    assert 0.2 <= took
    assert server.metric("smw_admission_requests_total", operation="unknown") == before + 1
    assert bytes_in_flight(server) == 0


def test_a_caller_that_goes_in_the_middle(server: Server) -> None:
    for number in range(20):
        client = RawClient(server.port, trust(server.ca))
        client.send(head("POST", PATH, JSON, "Content-Length: 100000") + b"{" * (number * 1000))
        go = client.reset if number % 2 else client.close
        go()
    poll("bytes given back", lambda: bytes_in_flight(server) == 0)
    serves(server)


def test_a_slow_body_is_no_hindrance_to_others(server: Server) -> None:
    with ExitStack() as stack:
        body = encode(review())
        slow = [stack.enter_context(connected(server.port, server.ca)) for _ in range(50)]
        for client in slow:
            client.send(post(body)[:-10])
        serves(server)
        for client in slow:
            assert client.ask(body[-10:]).status == 200


def test_bytes_in_flight(server: Server) -> None:
    body = padded(7 * MIB)
    with connected(server.port, server.ca) as holder, connected(server.port, server.ca) as other:
        holder.send(post(body)[: 4 * MIB + 1000])
        poll("the bytes are reserved", lambda: bytes_in_flight(server) == 7 * MIB)
        before = shed(server)
        answer = other.ask(post(body))
        is_status(answer, 503)
        assert answer.header("Retry-After") == "1"
        assert answer.json["details"]["retryAfterSeconds"] == 1
        assert answer.header("Connection") == "close"
        other.expect_close()
        assert shed(server) == before + 1
        # What still fits is answered.
        serves(server)
        rest = post(body)[4 * MIB + 1000 :]
        assert holder.ask(rest).status == 200
        assert bytes_in_flight(server) == 0
        assert holder.ask(post(body)).status == 200


def test_bytes_in_flight_of_chunks(server: Server) -> None:
    with connected(server.port, server.ca) as holder, connected(server.port, server.ca) as other:
        holder.send(post(padded(7 * MIB))[:-1])
        poll("the bytes are reserved", lambda: bytes_in_flight(server) == 7 * MIB)
        other.send(head("POST", PATH, JSON, "Transfer-Encoding: chunked"))
        other.send(b"200000\r\n" + b" " * (2 * MIB) + b"\r\n")
        answer = other.answer()
        is_status(answer, 503)
        assert (answer.header("Retry-After"), answer.header("Connection")) == ("1", "close")
        holder.reset()
    poll("bytes given back", lambda: bytes_in_flight(server) == 0)
    serves(server)


def test_reviews_in_flight(tmp_path: Path) -> None:
    # Reviews wait while the manifests cannot be read; --max-in-flight counts them.
    server = Server(tmp_path, "--shutdown-delay", "0s", "--max-in-flight", "2")
    server.manifests.rmdir()
    with ending(server, until_ready=False), ExitStack() as stack:
        first, second, third = (
            stack.enter_context(connected(server.port, server.ca)) for _ in range(3)
        )
        for client in (first, second):
            client.send(post(encode(review())))
        poll("two in flight", lambda: in_flight(server) == 2)
        answer = third.ask(post(encode(review())))
        is_status(answer, 503)
        assert answer.header("Retry-After") == "1"
        # Its body was read, so that the connection may go on.
        assert answer.header("Connection") is None
        # A body that is still coming does not count.
        third.send(post(encode(review()))[:-1])
        server.write_manifests_folder(train_backup())
        for client in (first, second):
            assert client.answer().json["response"]["auditAnnotations"]["reason"] == "restored"
        assert third.ask(b"}").status == 200
        assert in_flight(server) == 0
        assert shed(server) == 1


def open_descriptors(server: Server) -> int:
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def resident_mebibytes(server: Server) -> float:
    return server.metric("process_resident_memory_bytes") / MIB


def test_idle_connections_make_room(tmp_path: Path) -> None:
    # One thread: so that who was answered first is idle first.
    flags = ("--max-connections", "4", "--threads", "1")
    with serving(tmp_path, train_backup(), flags=flags) as server:
        with ExitStack() as stack:
            clients = [stack.enter_context(connected(server.port, server.ca)) for _ in range(4)]
            # The first is the longest idle one after this.
            for client in clients:
                assert client.ask(post(encode(review()))).status == 200
            busy = clients[0]
            busy.send(head("POST", PATH, JSON, "Content-Length: 10") + b"{")
            poll("the body is awaited", lambda: bytes_in_flight(server) == 10)
            newcomer = stack.enter_context(connected(server.port, server.ca))
            assert newcomer.ask(post(encode(review()))).status == 200
            clients[1].expect_close()
            # The busy one was not touched.
            is_status(busy.ask(b"         "), 400)
            for client in (clients[2], clients[3], busy):
                assert client.ask(post(encode(review()))).status == 200
            assert server.metric("smw_connections", listener="webhook") == 4


def crowd(server: Server) -> None:
    """2,000 silent connections, of which 1,024 may stay, and a review amid them."""
    with ExitStack() as stack:
        for _ in range(2000):
            stack.callback(RawClient(server.port, None).close)
        serves(server)
        assert server.metric("smw_connections", listener="webhook") <= 1024
    poll("all are gone", lambda: server.metric("smw_connections", listener="webhook") == 0)


def test_two_thousand_connections(server: Server) -> None:
    descriptors = open_descriptors(server)
    crowd(server)
    poll("descriptors are back", lambda: open_descriptors(server) <= descriptors + 2)
    after_one = resident_mebibytes(server)
    crowd(server)
    # What one crowd needed is enough for the next.
    assert resident_mebibytes(server) < after_one + 48
    serves(server)


def test_garbage_in_place_of_tls(server: Server) -> None:
    before = server.metric("smw_tls_handshakes_total", result="failed")
    too_long, empty_hello = b"\x16\x03\x01\xff\xff", b"\x16\x03\x01\x00\x04\x01\x00\x00\x00"
    for garbage in (b"\x00" * 100, bytes(range(1, 256)) * 4, too_long + b"a" * 100, empty_hello):
        with connected(server.port, None) as client:
            client.send(garbage)
            # An alert or nothing, then the end.
            poll("closed", lambda client=client: not client.receive())  # type: ignore[misc]
    with connected(server.port, None) as client:
        answer = client.ask(post(encode(review())))
        is_status(answer, 400)
        assert "TLS" in answer.json["message"]
        assert answer.header("Connection") == "close"
    poll(
        "all five are counted",
        lambda: server.metric("smw_tls_handshakes_total", result="failed") == before + 5,
    )
    serves(server)
