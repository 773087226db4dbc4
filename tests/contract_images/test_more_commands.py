"""The sub-commands that some few tests need."""

import json
import re
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from contract_images.agnhost.commands import connect, dns_suffix, etc_hosts, logs_generator, serve_hostname
from contract_images.agnhost.commands.guestbook import Guestbook
from contract_images.agnhost.commands.nettest import Nettest
from contract_images.agnhost.fetch import fetch
from contract_images.agnhost.resolver import values
from contract_images.agnhost.web import Routes, Server, listen

ME = socket.gethostname()
Serve = Callable[[Routes], str]


def test_nettest_counts_who_wrote(served: Serve) -> None:
    url = served(Nettest().routes)
    assert json.loads(fetch(f"{url}/read").body)["Received"] is None
    for source in ("prestop", "prestop", "other"):
        answer = fetch(f"{url}/write", method="POST", body=json.dumps({"Source": source}).encode())
        assert json.loads(answer.body) == {"Hostname": ME}
    fetch(f"{url}/write", method="POST", body=b"{}")
    state = json.loads(fetch(f"{url}/read").body)
    assert state["Received"] == {"prestop": 2, "other": 1}
    assert state["Errors"] == [f"{ME}: Got request with no source"]


def test_logs_generator_prints_numbered_lines_over_its_time(capsys: pytest.CaptureFixture[str]) -> None:
    assert logs_generator.run(["-t", "5", "--run-duration=10ms"]) == 0
    lines = capsys.readouterr().err.splitlines()
    form = r"I\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ logs_generator\.go:76\] (\d) (GET|POST|PUT) /api/v1/namespaces/\S+ \d{3}"
    found = [re.fullmatch(form, line) for line in lines]
    assert [each[1] for each in found if each] == [*"01234"]


@pytest.mark.parametrize("words", [["-d", "1s"], ["-t", "5"]])
def test_logs_generator_wants_a_number_and_a_time(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert logs_generator.run(words) == 255
    assert "] Invalid " in capsys.readouterr().err


def test_a_guestbook_spreads_what_is_written_to_its_primary() -> None:
    servers = [Server({}, listen(0, address)) for address in ("127.0.0.1",)]
    port = str(servers[0].port)
    taking = [listen(int(port), address) for address in ("127.0.0.2", "127.0.0.3")]
    servers[0].close()
    primary, replica = (Guestbook(port, "127.0.0.2", "127.0.0.3") for _ in taking)
    front = Guestbook(port, "127.0.0.2", "127.0.0.3")
    running = [
        Server(each.routes, sockets)
        for each, sockets in zip((primary, replica, front), (*taking, listen(0, "127.0.0.1")), strict=True)
    ]
    threads = [each.start() for each in running]
    url = f"http://127.0.0.1:{running[2].port}/guestbook"
    assert fetch(f"{url}?cmd=set&key=before&value=1").body == b'{"message":"Updated"}'
    fetch(f"http://127.0.0.2:{port}/register?host=127.0.0.3")
    assert fetch(f"{url}?cmd=set&key=messages&value=a%20b").body == b'{"message":"Updated"}'
    assert fetch(f"{url}?cmd=get&key=messages").body == b'{"data":"a b"}'
    assert fetch(f"{url}?cmd=get&key=before").body == b'{"data":""}'
    assert replica.register("127.0.0.2")
    assert fetch(f"{url}?cmd=get&key=before").body == b'{"data":"1"}'
    assert fetch(f"{url}?cmd=get").body == b'{"data":{"before":"1","messages":"a b"}}'
    assert (fetch(f"{url}?cmd=put").status, fetch(f"{url}?cmd=set").status) == (400, 400)
    for server, thread in zip(running, threads, strict=True):
        server.close(5)
        thread.join()
    assert not replica.register("127.0.0.2", patience=0)


def test_the_resolver_s_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    file.write_text("# search none\nsearch a.b c\nnameserver 1.2.3.4\nnameserver ::1\noptions ndots:5\n")
    assert values("search", file) == ["a.b", "c"]
    assert values("nameserver", file) == ["1.2.3.4", "::1"]


def test_names_of_this_machine_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert etc_hosts.run([]) == dns_suffix.run([]) == 0
    assert capsys.readouterr().out.startswith(Path("/etc/hosts").read_text())


def test_connect_says_what_is_wrong(served: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    address = served({}).removeprefix("http://")
    assert connect.run(["--timeout=5s", address]) == 0
    assert connect.run(["127.0.0.1:1"]) == 1
    assert connect.run(["--protocol=udp", "127.0.0.1:1"]) == 1
    assert connect.run(["somewhere"]) == 1
    words = [line.split(":")[0] for line in capsys.readouterr().err.splitlines()]
    assert words == ["REFUSED", "REFUSED", "UNKNOWN"]


def test_connect_gives_up_in_time() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        assert connect.attempt("127.0.0.1", silent.getsockname()[1], 0.01, b"x") == "TIMEOUT"


def test_serve_hostname_tells_its_name(served: Serve) -> None:
    assert fetch(served({"/": serve_hostname.name}) + "/").body == ME.encode()
