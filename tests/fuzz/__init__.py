"""Requests generated from the description of the API, as every role: whatever is sent, the service answers for it."""
