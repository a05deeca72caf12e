"""Number to rate, rate times time to money, credit to time. Pure."""
