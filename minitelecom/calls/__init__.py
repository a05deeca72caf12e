"""Call control, where everything meets: legs, the B2BUA, routing, credit, live calls."""
