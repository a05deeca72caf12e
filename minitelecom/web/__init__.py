"""Web CashManager: pages, live updates and sessions over Klein; no rules of its own."""
