"""The FHIR face: an independent judge of its resources, what partners send, and the tests."""
