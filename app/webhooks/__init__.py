"""Telling partners' systems that a referral has moved: where to, signed with what, when again, and the sending itself."""
