"""The command line's door: the only module that knows the real reactor."""
