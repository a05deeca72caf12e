"""What we say to callers: prompts, keys and dialogues, over Protocols."""
