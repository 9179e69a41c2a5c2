"""Placeholder."""

from fastapi import APIRouter

from app.http import Route

router = APIRouter(tags=["users"], route_class=Route)
