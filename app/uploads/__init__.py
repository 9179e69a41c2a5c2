"""Files that people send: read from the socket in parts, sealed at once, and let in only for what they are."""
