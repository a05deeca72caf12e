"""RTP, codecs, DTMF and prompts behind one narrow door."""
