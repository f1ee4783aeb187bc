from tests.remote.memory import memory  # noqa: F401 - a fixture
