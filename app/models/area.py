"""The administrative areas of Cambodia: NCDD codes, which are strings with leading zeros."""

from typing import Annotated

from pydantic import Field as Rule
from sqlmodel import Field, SQLModel

from app.models.base import Read, coded
from app.models.codes.people import AreaLevel

AreaCode = Annotated[str, Rule(strict=True, pattern=r"^([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{8})$")]
# A client's place may be known only to its district or province.
PlaceCode = Annotated[str, Rule(strict=True, pattern=r"^([0-9]{2}|[0-9]{4}|[0-9]{6})$")]
CommuneCode = Annotated[str, Rule(strict=True, pattern=r"^[0-9]{6}$")]
VillageCode = Annotated[str, Rule(strict=True, pattern=r"^[0-9]{8}$")]


class Area(SQLModel, table=True):
    __tablename__ = "areas"

    code: str = Field(primary_key=True, max_length=8)
    level: AreaLevel = Field(sa_type=coded(AreaLevel), index=True)
    name_km: str
    name_en: str | None = None
    parent: str | None = Field(default=None, foreign_key="areas.code", index=True)


class AreaRead(Read):
    code: str
    level: AreaLevel
    name_km: str
    name_en: str | None
    parent: str | None
