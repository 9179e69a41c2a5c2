"""The verbs of the field: plain async functions `(session, actor, …)`, called inside the request's transaction."""
