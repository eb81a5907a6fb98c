"""Writes the fixtures of this directory with the TensorFlow it runs under.

    python testdata/generate.py [CASE...]

Without arguments: every case that belongs to the running TensorFlow version.
"""

import sys

from generate.registry import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
