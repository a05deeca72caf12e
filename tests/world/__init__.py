"""A world in memory: clock, network, media, telephones and carriers, around a real exchange and a real database."""
