"""HTTP in, HTTP out: one file per resource; what they do is in `app.services`."""
