"""Builds the application: routers, the edge around them, and the process's runtime."""

import asyncio
import gc
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

from fastapi import FastAPI

from app import edge, errors, health, logs
from app.api_page import serve_api_page
from app.audit import tell_counted
from app.caseload import SHARED_AS, CaseloadLimits
from app.db import Clock, Database
from app.erasures import ledger_of
from app.http import API
from app.importing import Importer
from app.keys import KeyStore, export_jwks, load_export_keys
from app.logs import log
from app.openapi import describe
from app.organisation_totals import OrganisationTotals
from app.routers import (
    actions,
    activities,
    areas,
    assessments,
    assignments,
    assistance,
    attachments,
    audit,
    auth,
    break_glass,
    businesses,
    cases,
    commitments,
    consents,
    deaths,
    disbursements,
    disclosures,
    distributions,
    erasure,
    exports,
    feedback,
    fhir_directory,
    fhir_referrals,
    fhir_server,
    follow_ups,
    health_record,
    home_visits,
    hsds,
    imports,
    incidents,
    notes,
    organisations,
    outside_reviews,
    people,
    referrals,
    reports,
    safety_plans,
    screening,
    search,
    services,
    sync,
    transfers,
    users,
    webhooks,
    whereabouts,
    worklist,
)
from app.screening_tokens import of_people
from app.sealing import KeyRing
from app.sealing.key_encryption import key_encryption
from app.security import RequestRate, Runtime
from app.services.event_feed import CURSORS
from app.settings import Settings, SetupError, settings
from app.tokens import AccessTokens
from app.webhooks.sending import Sender
from app.webhooks.signing import SEALED_AS, seal_of

# What takes files: their bodies may be larger, and may take longer.
UPLOADS = re.compile(f"{API}/(cases/[^/]+/attachments|imports)")

# Addresses of webhooks that one process looks at, when they are named, at once.
ADDRESSES_LOOKED_AT = 8

# In the order in which a path is looked for: what is asked most comes first.
ROUTERS = (
    cases.router,
    notes.router,
    assignments.router,
    outside_reviews.router,
    break_glass.router,
    consents.router,
    deaths.router,
    disclosures.router,
    follow_ups.router,
    actions.router,
    assessments.router,
    safety_plans.router,
    assistance.router,
    disbursements.router,
    incidents.router,
    transfers.router,
    referrals.router,
    whereabouts.router,
    health_record.router,
    attachments.router,
    attachments.adding,
    attachments.opening,
    worklist.router,
    erasure.router,
    people.router,
    search.searching,
    search.router,
    screening.router,
    activities.router,
    businesses.router,
    commitments.router,
    distributions.router,
    feedback.router,
    home_visits.router,
    sync.router,
    imports.sending,
    imports.router,
    areas.router,
    services.router,
    reports.router,
    exports.router,
    exports.opening,
    users.router,
    organisations.router,
    webhooks.naming,
    webhooks.router,
    audit.router,
    auth.router,
    auth.well_known,
    exports.well_known,
    hsds.router,
    fhir_directory.router,
    fhir_referrals.router,
    fhir_referrals.patching,
    fhir_server.router,
    health.router,
)


def create_app(chosen: Settings | None = None, clock: Clock | None = None) -> FastAPI:
    """The application for these settings. `clock` is for tests: what it says is the time, in the database too."""
    configuration = chosen or settings()
    logs.configure()
    runtime = build_runtime(configuration, clock)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        # What exists by now stays for good: the collector need not walk through it at every turn.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)
        beside = [asyncio.create_task(_tell_counted(runtime)), asyncio.create_task(Importer(runtime).run())]
        yield
        for task in beside:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await runtime.database.close()
        await runtime.totals.close()

    app = FastAPI(
        title="Samaki",
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        openapi_url=f"{API}/openapi.json",
    )
    app.state.runtime = runtime
    errors.install(app)
    for router in ROUTERS:
        # The routes themselves, in one list: an included router is matched as a whole first, at every request.
        app.router.routes.extend(router.routes)
    describe(app)
    pages = serve_api_page(app) if configuration.demo else []
    edge.wrap(
        app,
        body_limit=configuration.body_limit_bytes,
        upload_paths=UPLOADS,
        message_paths=re.compile(f"{errors.FHIR}(/Task/[^/]+)?"),
        cors_origins=configuration.cors_origins,
        docs_paths=pages,
    )
    return app


async def _tell_counted(runtime: Runtime) -> None:
    """Every minute, and once more at the end, tell the trail of the strangers that were only counted."""
    try:
        while True:
            await asyncio.sleep(60)
            await _try_to_tell(runtime)
    finally:
        await _try_to_tell(runtime)


async def _try_to_tell(runtime: Runtime) -> None:
    try:
        await tell_counted(runtime)
    except Exception as error:
        log.error("audit.failed", exc_info=error)


def build_runtime(configuration: Settings, clock: Clock | None = None) -> Runtime:
    """Keys, tokens, connections and rates of one process. Raises UnusableKey or SetupError."""
    if configuration.database_url is None:
        raise SetupError("no database: set SAMAKI_DATABASE_URL, or start with samaki serve")
    keys = KeyStore.load(configuration.keys_dir)
    url, kek = configuration.database_url.get_secret_value(), key_encryption(configuration)
    shared = {
        **of_people(keys),
        SEALED_AS: seal_of(keys),
        CURSORS: partial(keys.digest, "feed-cursor"),
        SHARED_AS: CaseloadLimits(configuration.caseload_warn_at, configuration.caseload_full_at),
    }
    return Runtime(
        settings=configuration,
        database=Database(url, configuration, lambda: KeyRing(kek), clock, shared),
        keys=keys,
        kek=kek,
        tokens=AccessTokens(keys, configuration.issuer, configuration.audience),
        rate=RequestRate(configuration.requests_per_minute),
        searches=RequestRate(configuration.searches_per_minute, policy="searches"),
        visits=RequestRate(configuration.visits_per_minute, policy="visits"),
        ledger=ledger_of(configuration, keys),
        hooks=Sender(demo=configuration.demo, at_once=ADDRESSES_LOOKED_AT),
        totals=OrganisationTotals(configuration),
        export_key_set=export_jwks(load_export_keys(configuration.keys_dir)),
    )
