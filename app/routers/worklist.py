"""`/worklist`: what is to be done today, the first screen of every front end."""

from typing import Annotated

from fastapi import APIRouter

from app.http import API, Route, Session
from app.models.worklist import Worklist
from app.permissions import Permission
from app.security import Actor, allowed
from app.services import worklist

router = APIRouter(prefix=API, tags=["worklist"], route_class=Route)


@router.get("/worklist")
async def read_worklist(session: Session, actor: Annotated[Actor, allowed(Permission.WORKLIST_READ)]) -> Worklist:
    """Everything that waits for you until midnight in Phnom Penh, most urgent first. Reasons may be read by anybody."""
    return await worklist.worklist(session, actor)
