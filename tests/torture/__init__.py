"""RFC 4475 and RFC 5118: messages that break parsers, bit for bit, and what must become of each."""
