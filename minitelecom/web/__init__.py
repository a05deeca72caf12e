"""Web CashManager: server-rendered pages with Klein and Jinja2, live parts by server-sent events. It holds no rules of its own."""
