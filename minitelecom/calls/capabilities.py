"""What we are able to do in a call, as our messages say it (RFC 3261 sections 20.5 and 20.37)."""

METHODS = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO", "UPDATE", "REGISTER", "SUBSCRIBE", "REFER")
ALLOW = ", ".join(METHODS)

# Option tags (RFC 3261 19.2): what a far end may require of us.
EXTENSIONS = ("timer",)
TRANSFER = ("replaces", "norefersub")  # RFC 3891, RFC 4488
