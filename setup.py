"""Packages and the drivers/ mapping; everything declarative stands in pyproject.toml."""

from setuptools import find_packages, setup

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
)
