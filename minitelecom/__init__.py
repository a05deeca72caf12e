"""MiniTelecom: a softswitch and billing daemon in one process."""
