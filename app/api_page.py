"""The API page of the demo: Swagger UI from a package's files, so that it works without internet."""

from pathlib import Path

import fastapi_offline
from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

from app.http import API

PAGE = "/docs"
ASSETS = "/docs/assets"


def serve_api_page(app: FastAPI) -> list[str]:
    """Serve the page and its assets; returns the paths that may run script."""
    files = Path(fastapi_offline.__file__).parent / "static"
    app.mount(ASSETS, StaticFiles(directory=files), name="api-page-assets")

    async def page(_: Request) -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url=f"{API}/openapi.json",
            title="Samaki API",
            swagger_js_url=f"{ASSETS}/swagger-ui-bundle.js",
            swagger_css_url=f"{ASSETS}/swagger-ui.css",
            swagger_favicon_url=f"{ASSETS}/favicon.png",
        )

    app.add_route(PAGE, page, include_in_schema=False)
    return [PAGE]
