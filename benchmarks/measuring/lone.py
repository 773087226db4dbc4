"""The API server's process alone, exactly as the supervisor makes it. Usage: python -m measuring.lone HOME"""

import gc
import importlib
import sys
from pathlib import Path

from pilothouse.cluster.home import Home
from pilothouse.cluster.process import become_role, role_directory
from pilothouse.cluster.role import ROLES
from pilothouse.cluster.settings import Settings
from pilothouse.cluster.supervisor import SHARED

if __name__ == "__main__":
    home = Home(Path(sys.argv[1]))
    settings = Settings.load(home)
    for module in SHARED:
        importlib.import_module(module)
    gc.freeze()
    role = next(each for each in ROLES if each.name == "apiserver")
    role_directory(home, settings, role)
    become_role(home, settings, role)
