"""The rules of access a second time, and a driver that holds the API against them."""
