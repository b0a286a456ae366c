"""`python -m labelrisk`."""

import sys

from labelrisk.cli import main

sys.exit(main())
