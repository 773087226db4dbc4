"""iptables: the few rules that only its tables can hold, since what one of them drops no other table can save."""

import shlex
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass


class IptablesError(OSError):
    """iptables refused a rule."""


@dataclass(frozen=True, slots=True)
class Iptables:
    """The iptables command, in the network namespace of the thread that calls. It blocks while iptables runs."""

    def drops_forwarded(self) -> bool:
        """Whether packets that pass through this machine are dropped unless a rule lets them (as Docker sets it up)."""
        if shutil.which("iptables") is None:
            return False
        return "-P FORWARD DROP" in self._run("-S", "FORWARD").stdout.splitlines()

    def ensure_first(self, rule: str) -> None:
        """Let the rule, such as `FORWARD -s 10.0.0.0/8 -j ACCEPT`, be there, before others. Raises IptablesError."""
        chain, *words = rule.split()
        if self._run("-C", chain, *words).returncode:
            self._checked("-I", chain, "1", *words)

    def remove(self, rule: str) -> None:
        """Take the rule away; nothing is done where it is not."""
        if shutil.which("iptables") is not None and not self._run("-C", *rule.split()).returncode:
            self._checked("-D", *rule.split())

    def remove_idle(self, chains: Sequence[str]) -> None:
        """Take chains of the nat table away, and who jumps there; all stay while the first of them holds a rule."""
        if shutil.which("iptables") is None:
            return
        rules = [shlex.split(line) for line in self._run("-t", "nat", "-S").stdout.splitlines()]
        if any(rule[:2] == ["-A", chains[0]] for rule in rules):
            return
        for _, chain, *words in (rule for rule in rules if rule[0] == "-A"):
            if chain in chains or ("-j" in words and words[words.index("-j") + 1] in chains):
                self._checked("-t", "nat", "-D", chain, *words)
        for chain in (chain for chain in chains if ["-N", chain] in rules):
            self._checked("-t", "nat", "-X", chain)

    def _checked(self, *arguments: str) -> None:
        done = self._run(*arguments)
        if done.returncode:
            raise IptablesError(done.stderr.strip() or f"iptables ended with {done.returncode}")

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        line: Sequence[str] = ("iptables", "-w", *arguments)
        return subprocess.run(line, capture_output=True, text=True, check=False)
