"""Placeholder."""

from fastapi import APIRouter

from app.http import Route

router = APIRouter(tags=["areas"], route_class=Route)
