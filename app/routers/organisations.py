"""Placeholder."""

from fastapi import APIRouter

from app.http import Route

router = APIRouter(tags=["organisations"], route_class=Route)
