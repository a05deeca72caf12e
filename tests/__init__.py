"""Tests of MiniTelecom; the folders mirror the packages."""

from hypothesis import HealthCheck, settings

# The machine may be busy with a simulated hour next door: an example is judged by its answer, never by its seconds.
settings.register_profile("house", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")
