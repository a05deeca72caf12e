"""The commands of the shell: one module a noun, each usable while the daemon runs and while it does not."""
