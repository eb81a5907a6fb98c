"""``python -m ckptmap …`` is the program."""

import os
import subprocess
import sys

from ._errors import Error
from ._program import find


def main() -> int:
    """Runs the program in this one's place; where there is no such thing, below it."""
    try:
        program = find()
    except Error as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    command = [program, *sys.argv[1:]]
    if os.name == "posix":
        os.execv(program, command)
    return subprocess.run(command).returncode


if __name__ == "__main__":
    sys.exit(main())
