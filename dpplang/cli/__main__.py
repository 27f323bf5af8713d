"""``python -m dpplang.cli`` is ``dpp``."""

import sys

from dpplang.cli.main import main

sys.exit(main())
