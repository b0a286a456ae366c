"""Run as a command."""

import sys

from labelrisk.cli import main

sys.exit(main())
