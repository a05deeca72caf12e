"""A shop to try: its settings and furniture, and a carrier of its own that answers every number."""
