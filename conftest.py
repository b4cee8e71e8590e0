"""Imports the packages whose names equal their folders' names.

pytest names a test by its path, `gateway/tests/test_sse.py` is `gateway.tests.test_sse`, and would make an empty module
`gateway` for it where the package is not loaded yet.
"""

import gateway  # noqa: F401
import servicekit  # noqa: F401
