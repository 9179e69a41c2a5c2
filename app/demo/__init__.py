"""The demo: an invented quarter of the programme in six communes, and load data for the bench."""

from app.demo.load import load_cases
from app.demo.load_people import load_accounts
from app.demo.quarter import load_demo

__all__ = ["load_accounts", "load_cases", "load_demo"]
