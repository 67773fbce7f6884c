"""For all tests: properties are judged by what comes out, never by how long one example takes on a busy machine."""

from hypothesis import settings

settings.register_profile("without-clock", deadline=None, print_blob=True)
settings.load_profile("without-clock")
