"""One code cache for all tests of this folder that do not test the cache itself."""

import pytest

from nndsl.runtime.cache import Cache


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    return Cache(tmp_path_factory.mktemp("code") / "cache")
