"""
Packages, the drivers/ mapping, and the SIP core as compiled modules where that is asked for (MINITELECOM_COMPILED=1, see
scripts/compile_sip.py); everything declarative stands in pyproject.toml.
"""

import os
from pathlib import Path

from setuptools import find_packages, setup

AS_THEY_ARE = {"__init__", "sockets", "streams", "tls", "transport"}
"""Of minitelecom/sip: what waits for the system and not for Python."""


def compiled() -> list[object]:
    """The modules of minitelecom/sip as one library, made by mypyc from the same source."""
    if not os.environ.get("MINITELECOM_COMPILED"):
        return []
    from mypyc.build import mypycify

    modules = [str(path) for path in sorted(Path("minitelecom/sip").glob("*.py")) if path.stem not in AS_THEY_ARE]
    return mypycify(modules, group_name="minitelecom.sip.core")


setup(
    packages=[
        *find_packages(include=["minitelecom", "minitelecom.*"]),
        "minitelecom.drivers",
        *(f"minitelecom.drivers.{name}" for name in find_packages("drivers")),
    ],
    package_dir={"minitelecom.drivers": "drivers"},
    package_data={
        "minitelecom.store": ["schema/*.sql"],
        "minitelecom.web": ["templates/*.html", "static/*", "locale/*.po"],
    },
    ext_modules=compiled(),
)
