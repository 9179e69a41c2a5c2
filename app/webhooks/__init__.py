"""Telling partners' systems that a referral has moved: where to, signed how, when again, and the sending."""
