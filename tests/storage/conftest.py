from dextgen_class import published  # noqa: F401  a fixture
