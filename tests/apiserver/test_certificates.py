"""Certificates that change under a running server."""

import ssl
from pathlib import Path

from pilothouse.apiserver.certificates import renew
from pilothouse.apiserver.config import CertificateFiles
from pilothouse.net.pki import DAY, Authority, KeyPair, Usage
from pilothouse.net.tls import ServerTls
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.loop import EPOCH, run

AUTHORITY = Authority.create("kubernetes", EPOCH)


class Told(ServerTls):
    """Remembers what it was told."""

    def __init__(self, pair: KeyPair, authority: bytes) -> None:
        super().__init__(pair, authority)
        self.told: list[bytes] = []

    def renew(self, pair: KeyPair) -> None:
        super().renew(pair)
        self.told.append(pair.certificate)

    def trust(self, client_authority: bytes) -> None:
        super().trust(client_authority)
        self.told.append(client_authority)


def issue(name: str) -> KeyPair:
    return AUTHORITY.issue(name, usage=Usage.SERVER, now=EPOCH, lifetime=DAY)


def write(files: CertificateFiles, pair: KeyPair) -> None:
    files.certificate.write_bytes(pair.certificate)
    files.key.write_bytes(pair.key)


def test_files_are_read_again_when_they_change(tmp_path: Path) -> None:
    async def story(clock: LoopClock, _: Chance) -> None:
        files = CertificateFiles(
            certificate=tmp_path / "a.crt", key=tmp_path / "a.key", client_authority=tmp_path / "ca"
        )
        first, second, other = issue("first"), issue("second-with-another-length"), Authority.create("other", EPOCH)
        write(files, first)
        files.client_authority.write_bytes(AUTHORITY.certificate)
        tls = Told(first, AUTHORITY.certificate)
        async with Tasks() as tasks:
            tasks.spawn(renew(files, tls, clock), name="renew")
            await clock.sleep(200)
            assert tls.told == [], "nothing has changed"
            files.certificate.write_bytes(second.certificate)
            await clock.sleep(61)
            assert tls.told == [], "half a pair"
            files.key.write_bytes(second.key)
            await clock.sleep(61)
            assert tls.told == [second.certificate]
            files.client_authority.unlink()
            await clock.sleep(61)
            assert len(tls.told) == 1
            files.client_authority.write_bytes(other.certificate)
            await clock.sleep(61)
            assert tls.told == [second.certificate, other.certificate]
            await clock.sleep(600)
            assert len(tls.told) == 2
            assert isinstance(tls.context, ssl.SSLContext)

    run(story)
