"""
An hour of a shop's traffic per seed, over a bad network and a faulty database, under a fake clock.

workload   what is tried: who calls when, what breaks when
people     how callers and carriers behave
town       the world they live in: one shop, whose daemon may be killed and started again
wire       the network, and a tap on it
auditor    what must hold, judged by the tap, the parties and the database, never by the exchange's own memory
"""
