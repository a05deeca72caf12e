"""What we are able to do in a call, as our messages say it (RFC 3261 sections 20.5 and 20.37)."""

from minitelecom.sip import reliability, session_timer

METHODS = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "PRACK", "INFO", "UPDATE", "REGISTER", "SUBSCRIBE", "REFER")
ALLOW = ", ".join(METHODS)

# Option tags (RFC 3261 19.2): what a far end may require of us.
REPLACES = "replaces"  # RFC 3891
WITHOUT_TIMER = (reliability.OPTION, REPLACES, "norefersub")  # the last: RFC 4488
EXTENSIONS = (*WITHOUT_TIMER, session_timer.OPTION)
