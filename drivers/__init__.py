"""Telephony hardware; imported as minitelecom.drivers."""
