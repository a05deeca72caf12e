"""What the live stories share; where it asserts, a failure says what was found, as in a story itself."""

import pytest

pytest.register_assert_rewrite(
    *(f"{__name__}.{name}" for name in ("bill", "books", "doomed", "ear", "house", "programs", "shop", "sipp"))
)
