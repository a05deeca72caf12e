"""SIP as values and machines: pure but for transport and transaction_layer."""
