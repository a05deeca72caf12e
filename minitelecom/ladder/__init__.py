"""The message ladder of a call: what was sent and received for it, as values; drawn, written out, exported. Pure."""
