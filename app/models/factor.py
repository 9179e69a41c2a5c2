"""What a person sends and gets back to prove, change and enrol factors, and the list of own sessions."""

from datetime import datetime
from uuid import UUID

from pydantic import Field as Rule

from app.models.base import Body, Read
from app.models.user import TypedOtp, TypedSecret


class StepUp(Body):
    """The factors once more; `otp` where a second factor is enrolled."""

    password: TypedSecret
    otp: TypedOtp | None = None


class PasswordChange(Body):
    """The password that is, and the one that shall be (12 to 1,024 characters, none of the common ones)."""

    current_password: TypedSecret
    new_password: str = Rule(min_length=1, max_length=1024)


class TotpConfirm(Body):
    """A code that the new factor shows."""

    otp: TypedOtp


class TotpEnrolment(Read):
    """The only answer that holds the secret: base32 to type, and the URI to show as a QR code."""

    secret: str
    otpauth_uri: str


class SessionRead(Read):
    """One sign-in that still counts; `current` is the one that asks."""

    id: UUID
    created_at: datetime
    expires_at: datetime
    current: bool
