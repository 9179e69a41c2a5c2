"""Anonymised exports: what auditors get of a quarter's cases, and how well it withstands an attack.

Pure functions over recoded rows; nothing here knows the database or the API. exports.md is the specification.
"""
