"""
What PostgreSQL tells every process of an administrative change (NOTIFY), a JSON object with one key:

{"account": id}      it was recharged, enabled, blocked, closed or prolonged
{"prices": list}     the price list has a new version
{"devices": 1}       a telephone was added, changed or removed
{"trunks": 1}        a trunk was
{"buy_prices": name} the price list of a trunk has a new version
{"exchange_rates": 1}  a currency is worth something else
{"numbers": 1}       a number that carriers deliver to us was
{"restart": {"device": name, "mac": address}}  a telephone is to fetch its configuration anew
{"bans": 1}          a host was banned or released

The functions and triggers of schema/ notify. Beginning, answering and ending a call never do: a transaction that notifies
takes a lock of the whole database at its commit.
"""

CHANNEL = "minitelecom"
