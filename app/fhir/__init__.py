"""FHIR R4 (4.0.1) as Samaki speaks it: the shapes that are taken and given, and what stands in them of a referral."""
