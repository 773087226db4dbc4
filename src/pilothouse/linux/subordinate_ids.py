"""Users that the system's administrator has set aside for one user. subid(5), getsubids(1)."""

import pwd
import shutil
import subprocess


def subordinate_ids(user: str, tool: str = "getsubids") -> tuple[int, int] | None:
    """The first and how many, of users and groups alike. None where nobody says: no such user, or no such tool.

    Raises ValueError where it cannot be read, or is not one range for both.
    """
    try:
        pwd.getpwnam(user)
    except KeyError:
        return None
    if shutil.which(tool) is None:
        return None
    users, groups = _ask(tool, user), _ask(tool, "-g", user)
    if users != groups:
        raise ValueError(f'mismatched subuids and subgids for user "{user}"')
    return users


def _ask(tool: str, *arguments: str) -> tuple[int, int]:
    done = subprocess.run([tool, *arguments], capture_output=True, text=True, check=False)
    lines = done.stdout.strip().splitlines()
    if done.returncode or len(lines) != 1:
        raise ValueError(f"{tool} must name one range, it said: {done.stdout.strip() or done.stderr.strip()}")
    words = lines[0].split()
    if len(words) != 4 or not (words[2].isdecimal() and words[3].isdecimal()):
        raise ValueError(f'error parsing line "{lines[0]}"')
    return int(words[2]), int(words[3])
