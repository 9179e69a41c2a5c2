"""Placeholder."""

from fastapi import APIRouter

from app.http import Route

router = APIRouter(tags=["auth"], route_class=Route)
