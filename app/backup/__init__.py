"""Backup and restore: the data in one place, the wrapped data keys in another, the keys that unwrap them in neither.

A backup is one moment of the database. A restore is whole and checked, or nothing serves it.
"""
