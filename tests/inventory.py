"""What the catalogue of the database must say about its walls: policies, rights, definer functions."""

from collections.abc import Iterable
from typing import Any

import psycopg

RUNTIME, DEFINER, REPORTS, WORKER = "samaki_runtime", "samaki_definer", "samaki_reports", "samaki_worker"

# Beside tables with a case_id, which are found by that column.
NAMED = {
    "people",
    "person_links",
    "households",
    "idempotency_keys",
    "cases",
    "case_access",
    "case_exclusions",
    "user_private",
    "user_tokens",
    *("imports", "import_chunks"),  # of people who have no case yet
    # Of an organisation's programme; home_visits has a case_id.
    *("activities", "activity_attendance", "activity_participants", "commitments", "feedback"),
    *("businesses", "distributions"),
    *("report_versions", "report_targets"),  # of an organisation's reports
    # Of several organisations' cases, and what was released of them.
    *("exports", "export_cohorts", "export_parties", "export_approvals", "export_files", "export_chunks"),
    "webhooks",  # of an organisation: whoever changes one leads its stream elsewhere
    "audit_events",  # case_ids instead of a case_id: one row may speak of a whole page
}

_RECORDS = {
    *(("see", "SELECT", RUNTIME), ("add", "INSERT", RUNTIME), ("change", "UPDATE", RUNTIME)),
    *(("remove", "DELETE", RUNTIME), ("count", "SELECT", REPORTS)),
}
_RECORDS_OF_ACTIVITY = _RECORDS - {("change", "UPDATE", RUNTIME)}

# table: (policy, command, role); the definer's own policy is on every one of them.
POLICIES: dict[str, set[tuple[str, str, str]]] = {
    "actions": {("see", "SELECT", RUNTIME), ("add", "INSERT", RUNTIME), ("change", "UPDATE", RUNTIME)},
    "assessments": {("see", "SELECT", RUNTIME), ("add", "INSERT", RUNTIME)},
    "risk_changes": {("see", "SELECT", RUNTIME), ("add", "INSERT", RUNTIME), ("change", "UPDATE", RUNTIME)},
    "safety_plans": {("see", "SELECT", RUNTIME), ("add", "INSERT", RUNTIME), ("change", "UPDATE", RUNTIME)},
    "audit_events": set(),
    "assignments": {("see", "SELECT", RUNTIME), ("add", "INSERT", RUNTIME), ("change", "UPDATE", RUNTIME)},
    "assistance_disbursements": {("see", "SELECT", RUNTIME), ("add", "INSERT", RUNTIME)},
    "assistance_requests": {("see", "SELECT", RUNTIME), ("add", "INSERT", RUNTIME), ("change", "UPDATE", RUNTIME)},
    "attachment_chunks": {("see", "SELECT", RUNTIME), ("add", "INSERT", RUNTIME)},
    "attachments": {("see", "SELECT", RUNTIME), ("add", "INSERT", RUNTIME), ("remove", "DELETE", RUNTIME)},
    "break_glass_grants": set(),
    "case_access": {("see", "SELECT", RUNTIME)},
    "case_exclusions": set(),
    "cases": {
        ("see", "SELECT", RUNTIME),
        *(("open", "INSERT", RUNTIME), ("open_referred", "INSERT", RUNTIME)),
        ("change", "UPDATE", RUNTIME),
        ("count", "SELECT", REPORTS),
    },
    "consents": {
        ("see", "SELECT", RUNTIME),
        ("add", "INSERT", RUNTIME),
        ("change", "UPDATE", RUNTIME),
        ("count", "SELECT", REPORTS),
    },
    "data_keys": {
        *(("see", "SELECT", RUNTIME), ("add", "INSERT", RUNTIME), ("rotate", "ALL", WORKER)),
        *(("see_whereabouts", "SELECT", RUNTIME), ("add_whereabouts", "INSERT", RUNTIME)),
        *(("see_private", "SELECT", RUNTIME), ("add_private", "INSERT", RUNTIME)),
        *(("see_transfer", "SELECT", RUNTIME), ("add_transfer", "INSERT", RUNTIME)),
        *(("see_words", "SELECT", RUNTIME), ("add_words", "INSERT", RUNTIME)),
        *(
            ("see_referral", "SELECT", RUNTIME),
            ("see_snapshot", "SELECT", RUNTIME),
            ("add_referral", "INSERT", RUNTIME),
        ),
    },
    "erasure_ledger": {("copy", "SELECT", WORKER)},
    "erasure_requests": {("see", "SELECT", RUNTIME), ("add", "INSERT", RUNTIME), ("change", "UPDATE", RUNTIME)},
    "events": {("see", "SELECT", RUNTIME), ("add", "INSERT", RUNTIME), ("see_referred", "SELECT", RUNTIME)},
    "health_records": {("see", "SELECT", RUNTIME), ("add", "INSERT", RUNTIME), ("change", "UPDATE", RUNTIME)},
    "households": {("see", "SELECT", RUNTIME), ("add", "INSERT", RUNTIME), ("change", "UPDATE", RUNTIME)},
    "idempotency_keys": {("own", "ALL", RUNTIME), ("sweep", "ALL", WORKER)},
    "imports": {
        *(("see", "SELECT", RUNTIME), ("add", "INSERT", RUNTIME)),
        *(("change", "UPDATE", RUNTIME), ("remove", "DELETE", RUNTIME)),
    },
    "import_chunks": {("see", "SELECT", RUNTIME), ("add", "INSERT", RUNTIME), ("change", "UPDATE", RUNTIME)},
    "imported_rows": {("see", "SELECT", RUNTIME), ("add", "INSERT", RUNTIME)},
    "incidents": {("see", "SELECT", RUNTIME), ("add", "INSERT", RUNTIME), ("change", "UPDATE", RUNTIME)},
    "legal_holds": {("see", "SELECT", RUNTIME), ("add", "INSERT", RUNTIME), ("change", "UPDATE", RUNTIME)},
    "disclosures": {("see", "SELECT", RUNTIME), ("add", "INSERT", RUNTIME), ("confirm", "UPDATE", RUNTIME)},
    "follow_ups": {
        *(("see", "SELECT", RUNTIME), ("add", "INSERT", RUNTIME), ("change", "UPDATE", RUNTIME)),
        ("open", "INSERT", RUNTIME),
    },
    "notes": {("see", "SELECT", RUNTIME), ("add", "INSERT", RUNTIME)},
    "outside_reviews": {("see", "SELECT", RUNTIME), ("add", "INSERT", RUNTIME), ("change", "UPDATE", RUNTIME)},
    "people": {("see", "SELECT", RUNTIME), ("add", "INSERT", RUNTIME), ("change", "UPDATE", RUNTIME)},
    "person_links": {
        *(("see", "SELECT", RUNTIME), ("add", "INSERT", RUNTIME), ("remove", "DELETE", RUNTIME)),
        ("count", "SELECT", REPORTS),
    },
    "referrals": {("see", "SELECT", RUNTIME), ("add", "INSERT", RUNTIME), ("change", "UPDATE", RUNTIME)},
    "referral_messages": {("see", "SELECT", RUNTIME), ("add", "INSERT", RUNTIME)},
    "referral_snapshots": {("see", "SELECT", RUNTIME), ("add", "INSERT", RUNTIME), ("change", "UPDATE", RUNTIME)},
    "search_tokens": {("see", "SELECT", RUNTIME), ("add", "INSERT", RUNTIME), ("remove", "DELETE", RUNTIME)},
    "screening_matches": set(),
    "screening_tokens": set(),
    "transfers": {("see", "SELECT", RUNTIME), ("add", "INSERT", RUNTIME), ("change", "UPDATE", RUNTIME)},
    "user_private": {("see", "SELECT", RUNTIME), ("add", "INSERT", RUNTIME), ("change", "UPDATE", RUNTIME)},
    "user_tokens": set(),
    "webhooks": {
        *(("see", "SELECT", RUNTIME), ("add", "INSERT", RUNTIME)),
        *(("change", "UPDATE", RUNTIME), ("remove", "DELETE", RUNTIME)),
    },
    "webhook_deliveries": {("see", "SELECT", RUNTIME)},
    "whereabouts": {("see", "SELECT", RUNTIME), ("add", "INSERT", RUNTIME), ("remove", "DELETE", RUNTIME)},
    "activities": _RECORDS,
    "activity_attendance": _RECORDS_OF_ACTIVITY,
    "activity_participants": _RECORDS_OF_ACTIVITY,
    "home_visits": _RECORDS,
    "commitments": _RECORDS,
    "feedback": _RECORDS,
    "businesses": _RECORDS,
    "distributions": _RECORDS,
    "case_flow": {("count", "SELECT", REPORTS)},
    "report_versions": {("see", "SELECT", RUNTIME), ("add", "INSERT", RUNTIME), ("count", "SELECT", REPORTS)},
    "report_targets": _RECORDS - {("remove", "DELETE", RUNTIME)},
    "exports": {("see", "SELECT", RUNTIME), ("freezing", "ALL", WORKER)},
    "export_cohorts": {("freezing", "ALL", WORKER)},
    "export_members": set(),
    "export_parties": set(),
    "export_approvals": set(),
    "export_files": {("see", "SELECT", RUNTIME), ("review", "SELECT", RUNTIME), ("freezing", "ALL", WORKER)},
    "export_chunks": {("see", "SELECT", RUNTIME), ("review", "SELECT", RUNTIME), ("freezing", "ALL", WORKER)},
}

# What the API's role may do with a whole table; columns that it may update are below.
RIGHTS: dict[str, set[str]] = {
    "actions": {"SELECT", "INSERT"},
    "assessments": {"SELECT", "INSERT"},
    "risk_changes": {"SELECT", "INSERT"},
    "safety_plans": {"SELECT", "INSERT"},
    "audit_events": set(),
    "assignments": {"SELECT", "INSERT"},
    "assistance_disbursements": {"SELECT", "INSERT"},
    "assistance_requests": {"SELECT", "INSERT"},
    "attachment_chunks": {"SELECT", "INSERT"},
    "attachments": {"SELECT", "INSERT", "DELETE"},
    "break_glass_grants": set(),
    "case_access": {"SELECT"},
    "case_exclusions": set(),
    "cases": {"SELECT", "INSERT"},
    "consents": {"SELECT", "INSERT"},
    "data_keys": {"SELECT", "INSERT"},
    "erasure_ledger": set(),
    "erasure_requests": {"SELECT", "INSERT"},
    "events": {"SELECT", "INSERT"},
    "health_records": {"SELECT", "INSERT"},
    "households": {"SELECT", "INSERT", "UPDATE"},
    "idempotency_keys": {"SELECT", "INSERT", "UPDATE"},
    "imports": {"SELECT", "INSERT", "DELETE"},
    "import_chunks": {"SELECT", "INSERT"},
    "imported_rows": {"SELECT", "INSERT"},
    "incidents": {"SELECT", "INSERT"},
    "legal_holds": {"SELECT", "INSERT"},
    "disclosures": {"SELECT", "INSERT"},
    "follow_ups": {"SELECT", "INSERT"},
    "notes": {"SELECT", "INSERT"},
    "outside_reviews": {"SELECT", "INSERT"},
    "people": {"SELECT", "INSERT"},
    "person_links": {"SELECT", "INSERT", "DELETE"},
    "referrals": {"SELECT", "INSERT"},
    "referral_messages": {"SELECT", "INSERT"},
    "referral_snapshots": {"SELECT", "INSERT"},
    "search_tokens": {"SELECT", "INSERT", "DELETE"},
    "screening_matches": set(),
    "screening_tokens": set(),
    "transfers": {"SELECT", "INSERT"},
    "user_private": {"SELECT", "INSERT", "UPDATE"},
    "user_tokens": set(),
    "webhooks": {"SELECT", "INSERT", "DELETE"},
    "webhook_deliveries": {"SELECT"},
    "whereabouts": {"SELECT", "INSERT", "DELETE"},
    "activities": {"SELECT", "INSERT", "DELETE"},
    "activity_attendance": {"SELECT", "INSERT", "DELETE"},
    "activity_participants": {"SELECT", "INSERT", "DELETE"},
    "home_visits": {"SELECT", "INSERT", "DELETE"},
    "commitments": {"SELECT", "INSERT", "DELETE"},
    "feedback": {"SELECT", "INSERT", "DELETE"},
    "businesses": {"SELECT", "INSERT", "DELETE"},
    "distributions": {"SELECT", "INSERT", "DELETE"},
    "case_flow": set(),
    "report_versions": {"SELECT", "INSERT"},
    "report_targets": {"SELECT", "INSERT"},
    "exports": {"SELECT"},
    "export_cohorts": set(),
    "export_members": set(),
    "export_parties": set(),
    "export_approvals": set(),
    "export_files": {"SELECT"},
    "export_chunks": {"SELECT"},
}
COLUMNS: dict[str, set[str]] = {
    "actions": {
        *("due_on", "due_at", "urgent", "assignee_id", "completed_at", "completed_by", "ended_at"),
        *("sealed", "version", "updated_at"),
    },
    "risk_changes": {"reviewed_at", "reviewed_by", "sealed", "version", "updated_at"},
    "safety_plans": {"review_due_on", "sealed", "version", "updated_at"},
    "assignments": {"ended_at", "ended_by", "end_reason"},
    "assistance_requests": {
        *("status", "first_approved_minor", "first_approved_by", "first_approved_at", "approved_minor"),
        *("decided_by", "decided_at", "ended_by", "ended_at", "sealed", "version", "updated_at"),
    },
    "cases": {
        *("category", "sensitivity", "status", "priority", "risk_level", "commune_code", "referred_from"),
        *("opened_at", "closed_at", "next_due_at", "closure_reason", "outcome", "closure_requested_by"),
        "death_review_due_at",
        *("team_version", "version", "updated_at", "sealed"),
    },
    "consents": {"withdrawn_at", "withdrawn_by", "caregiver_doubted_at", "sealed", "version", "updated_at"},
    "disclosures": {"confirmed_at", "confirmed_by", "version", "updated_at"},
    "erasure_requests": {"withdrawn_at", "withdrawn_by"},
    "health_records": {"sealed", "version", "updated_at"},
    "legal_holds": {"lifted_at", "lifted_by"},
    "follow_ups": {
        *("due_at", "assignee_id", "happened_at", "recorded_by", "ended_at", "of_opening"),
        *("sealed", "version", "updated_at"),
    },
    "imports": {
        *("state", "failure", "rows_done", "errors", "duplicates", "unchanged", "written"),
        *("session_id", "lease_until", "run", "ended_at"),
    },
    "import_chunks": {"errors", "duplicates", "unchanged", "report_sealed"},
    "incidents": {"occurred_at", "precision", "sealed", "version", "updated_at"},
    "outside_reviews": {"withdrawn_at"},
    "people": {"sex", "household_id", "sealed", "version", "updated_at"},
    "referrals": {"consent_id", "contact_suspended_at", "sealed", "version", "updated_at"},
    "referral_snapshots": {"sealed", "contact_sealed", "version", "updated_at"},
    "webhooks": {
        *("url", "events", "active", "stopped_because", "keeper_id", "sealed", "previous_sealed", "previous_until"),
        *("version", "updated_at"),
    },
    "transfers": {"status", "answered_at", "answered_by", "snapshot_sealed", "version", "updated_at"},
    "activities": {
        *("kind", "starts_on", "ends_on", "commune_code", "village_code", "topics", "facilitators", "people", "groups"),
        *("channel", "reach", "reach_basis", "version", "updated_at"),
    },
    "home_visits": {"caseworker_id", "visited_on", "topics", "outcome", "next_visit_on", "version", "updated_at"},
    "commitments": {
        *("promised_by", "commune_code", "issue", "activity_id", "made_on", "due_on", "status", "status_on"),
        *("sealed", "version", "updated_at"),
    },
    "feedback": {
        *("public_service", "commune_code", "village_code", "sentiment", "given_on", "given_sex", "given_age_band"),
        *("given_people", "responded_on", "sealed", "version", "updated_at"),
    },
    "businesses": {
        *("kind", "commune_code", "started_on", "activity_id", "alive_at_3_months", "alive_at_6_months"),
        *("alive_at_12_months", "version", "updated_at"),
    },
    "distributions": {"cause", "item", "quantity", "distributed_on", "version", "updated_at"},
    "report_targets": {"targets", "set_by", "set_at"},
}
# Other roles on the tables above. Backup and loader bypass the policies and are no part of the service.
OTHER_RIGHTS = {
    (WORKER, "idempotency_keys"): {"SELECT", "DELETE"},
    (WORKER, "data_keys"): {"SELECT"},
    (WORKER, "erasure_ledger"): {"SELECT"},
    (REPORTS, "activities"): {"SELECT"},
    (REPORTS, "activity_attendance"): {"SELECT"},
    (REPORTS, "activity_participants"): {"SELECT"},
    (REPORTS, "businesses"): {"SELECT"},
    (REPORTS, "distributions"): {"SELECT"},
    (REPORTS, "report_versions"): {"SELECT"},
    (REPORTS, "report_targets"): {"SELECT"},
    (WORKER, "exports"): {"SELECT"},
    (WORKER, "export_cohorts"): {"SELECT"},
    (WORKER, "export_files"): {"SELECT", "INSERT"},
    (WORKER, "export_chunks"): {"SELECT", "INSERT"},
}
WORKER_COLUMNS = {
    "data_keys": {"kek_id", "wrapped"},  # wrapped anew; what they seal stays closed to the worker
    "exports": {
        *(
            "cohort_id",
            "state",
            "code",
            "stage",
            "share",
            "known",
            "report",
            "told",
            "manifest_sha256",
            "tries",
            "not_before",
        ),
        *("run", "lease_until", "frozen_at", "withdrawn_at"),
    },
}
DEFINER_COLUMNS = {"search_tokens": {"sensitive"}, "safety_plans": {"review_due_on"}}  # follow from the case
REPORT_COLUMNS: dict[str, set[str]] = {
    "cases": {
        *("id", "organisation_id", "category", "sensitivity", "status", "risk_level", "commune_code"),
        *("client_sex", "client_age_band", "client_disability", "opened_at", "closed_at"),
        *("closure_reason", "outcome", "erased_at"),
    },
    "consents": {"case_id", "organisation_id", "purpose", "obtained_on", "expires_on", "withdrawn_at"},
    "home_visits": {
        *("id", "organisation_id", "household_id", "visited_on", "commune_code", "topics", "outcome"),
        *("recorded_at", "created_at", "updated_at"),
    },
    "commitments": {
        *("id", "organisation_id", "promised_by", "commune_code", "issue", "made_on", "due_on", "status"),
        *("status_on", "recorded_at", "created_at", "updated_at"),
    },
    "feedback": {
        *("id", "organisation_id", "public_service", "commune_code", "sentiment", "given_on", "given_sex"),
        *("given_age_band", "given_people", "responded_on", "recorded_at", "created_at", "updated_at"),
    },
    "person_links": {"person_id", "other_id"},
    "case_flow": {
        *("case_id", "organisation_id", "at", "kind", "enters", "moved", "commune_code", "category"),
        *("client_sex", "client_age_band", "client_disability", "sensitive", "late", "decided", "statistics"),
    },
}

# Definer functions that the API's role may call; every other one only triggers and definer functions call.
CALLABLE = {
    "access_report(uuid,timestamp with time zone,uuid,integer)",
    "append_audit_apart(uuid,timestamp with time zone,text,text,integer,text,uuid,uuid,text,bytea,bytea,integer)",
    "append_audit_event(text,text,integer,text,uuid[],text[],uuid,text)",
    "audit_page(uuid,uuid,text,timestamp with time zone,timestamp with time zone,uuid,integer,integer)",
    "audit_state()",
    "insider_report(timestamp with time zone,timestamp with time zone,integer)",
    "app_assistance_case(uuid)",
    "app_client_died(uuid)",
    "assistance_ledger(date,date)",
    "app_excluded_cases()",
    "app_id_is_taken(text,uuid)",
    "app_just_opened(uuid)",
    "app_just_opened_for(uuid)",
    "app_leads(uuid)",
    "app_may_confirm(uuid)",
    "confirm_bypass(uuid,uuid)",
    "services_consent(uuid)",
    "app_knows_exclusion(uuid)",
    "app_is_export_party(uuid)",
    "request_export(uuid,text,text,text,text,integer)",
    "export_approvals_of(uuid[])",
    "told_by_own_releases()",
    "approve_export(uuid,text)",
    "app_may_erase(uuid)",
    "app_may_hold(uuid)",
    "claim_import(uuid)",
    "confirm_erasure(uuid,uuid)",
    "erasures_undone(uuid[],uuid[])",
    "app_sees_home_of(uuid)",
    "app_sees_visit(uuid)",
    "app_supervises(uuid)",
    "begin_request(uuid,timestamp with time zone,boolean)",
    "break_glass(uuid,uuid,text)",
    "case_flow_behind(text,timestamp with time zone,timestamp with time zone,date,text)",
    "case_flow_seen(timestamp with time zone[],timestamp with time zone,date)",
    "case_of_code(text)",
    "case_receipt(uuid)",
    "case_stubs(uuid,boolean,uuid,uuid,integer)",
    "caseload_counts(boolean,uuid)",
    "caseload_seen(timestamp with time zone,timestamp with time zone)",
    "decide_statistics(timestamp with time zone,date)",
    "escalate_case(uuid)",
    "stubs_to_review(integer)",
    "waiting_counts()",
    "stranded_cases()",
    "delivery_counts()",
    "feed_place(uuid)",
    "redeliver(uuid,uuid,timestamp with time zone,integer)",
    "exclude_user(uuid,uuid,text,uuid,bytea)",
    "exclusions_of(uuid)",
    "lift_exclusion(uuid,uuid,bytea)",
    "answer_match(uuid,uuid,boolean,bytea)",
    "is_screened(uuid)",
    "lock_client_graph()",
    "put_user_tokens(uuid,bigint[],bigint[],bigint[],boolean)",
    "screen_incident(uuid,bigint[])",
    "screening_known(uuid,uuid,boolean,timestamp with time zone,uuid,integer)",
    "settle_user_private(uuid)",
    "fail_import(uuid,uuid,text)",
    "glass_broken(uuid,boolean,timestamp with time zone,uuid,integer)",
    "glass_is_blocked()",
    "may_be_assigned(uuid,uuid)",
    *("may_ask_outside(uuid,uuid)", "complete_outside_review(uuid)"),
    "outside_reviews_waiting(uuid,timestamp with time zone,uuid,integer)",
    "note_glass(uuid,bytea)",
    "reading_alerts_told(timestamp with time zone,uuid,integer)",
    "review_glass(uuid,text,bytea)",
    "report_met_incident(uuid,uuid,bytea,uuid,bytea,timestamp with time zone)",
    "transfers_in(uuid,text,timestamp with time zone,uuid,integer)",
    "accept_transfer(uuid)",
    "settle_transfer(uuid,uuid)",
    "decline_transfer(uuid)",
    "note_transfer(uuid,bytea)",
    "suspend_transfer_contact(uuid)",
    "app_sees_referral(uuid)",
    "hold_referral(uuid)",
    "tell_referral(uuid,text)",
    "referral_of_external_id(text)",
    "move_referral(uuid,text,text,text,text,timestamp with time zone,timestamp with time zone,bytea,text)",
    "app_may_open_referral(uuid)",
    "referral_openings(uuid)",
    "suspend_referral_contact(uuid)",
    "cases_led(uuid[],uuid)",
    "handover_of(uuid,uuid)",
    "leave_case(uuid,uuid,uuid)",
}
# Case data without an organisation_id: case_access is derived and found by its principals, keys belong to a
# user, a link stands between two rows that have one, the trail speaks of cases of many, and details are of a user. A
# release is of the cases of several.
WITHOUT_ORGANISATION = {
    "audit_events",
    "case_access",
    *("exports", "export_cohorts", "export_files", "export_chunks"),
    "idempotency_keys",
    "person_links",
    "user_private",
    "user_tokens",
}
SHARED = {"users", "organisations", "areas", "services"}


def differences(connection: psycopg.Connection[Any]) -> list[str]:
    """Everything in which this database differs from the tables above."""
    return [
        *_policies(connection),
        *_rights(connection),
        *_columns(connection),
        *_functions(connection),
        *_roles(connection),
        *_views(connection),
        *_shape(connection),
    ]


def walled(connection: psycopg.Connection[Any]) -> set[str]:
    """The tables that must have row level security."""
    query = (
        "select table_name from information_schema.columns join information_schema.tables"
        " using (table_schema, table_name) where table_schema in ('public', 'vault') and table_type = 'BASE TABLE'"
        " and column_name = 'case_id'"
    )
    return {name for (name,) in connection.execute(query)} | NAMED


def _compare(what: str, found: Iterable[Any], expected: Iterable[Any]) -> list[str]:
    found, expected = set(found), set(expected)
    missing = [f"{what}: {one} is missing" for one in sorted(map(str, expected - found))]
    return missing + [f"{what}: {one} is too much" for one in sorted(map(str, found - expected))]


def _policies(connection: psycopg.Connection[Any]) -> list[str]:
    wrong = _compare("tables with a wall", walled(connection), POLICIES)
    flags = "select relname, relrowsecurity, relforcerowsecurity from pg_class where relname = any (%s)"
    for name, enabled, forced in connection.execute(flags, [list(POLICIES)]):
        if not (enabled and forced):
            wrong.append(f"{name}: row level security is not enabled and forced")
    query = "select policyname, cmd, trim(roles::text, '{}'), permissive from pg_policies where tablename = %s"
    for table, expected in POLICIES.items():
        found = connection.execute(query, [table]).fetchall()
        wrong += [f"{table}: {row[0]} restricts" for row in found if row[3] != "PERMISSIVE"]
        wrong += _compare(table, (row[:3] for row in found), expected | {("definer", "ALL", DEFINER)})
    others = connection.execute("select tablename from pg_policies where schemaname in ('public', 'vault')")
    return wrong + _compare("tables with policies", (name for (name,) in others), POLICIES)


def _rights(connection: psycopg.Connection[Any]) -> list[str]:
    query = (
        "select r.rolname, c.relname, x.privilege_type from pg_class c cross join aclexplode(c.relacl) x"
        " left join pg_roles r on r.oid = x.grantee where c.relname = any (%s)"
        " and coalesce(r.rolname, 'public') not in ('samaki_owner', 'samaki_definer', 'samaki_backup',"
        " 'samaki_loader')"
    )
    found = connection.execute(query, [list(POLICIES)]).fetchall()
    expected = {(RUNTIME, table, right) for table, rights in RIGHTS.items() for right in rights}
    expected |= {(role, table, right) for (role, table), rights in OTHER_RIGHTS.items() for right in rights}
    return _compare("rights", found, expected)


def _columns(connection: psycopg.Connection[Any]) -> list[str]:
    query = (
        "select x.grantee::regrole::text, c.relname, a.attname, x.privilege_type"
        " from pg_class c join pg_attribute a on a.attrelid = c.oid cross join lateral aclexplode(a.attacl) x"
        " where c.relname = any (%s)"
    )
    found = connection.execute(query, [list(POLICIES)]).fetchall()
    expected = {(RUNTIME, table, name, "UPDATE") for table, names in COLUMNS.items() for name in names}
    expected |= {(REPORTS, table, name, "SELECT") for table, names in REPORT_COLUMNS.items() for name in names}
    expected |= {(DEFINER, table, name, "UPDATE") for table, names in DEFINER_COLUMNS.items() for name in names}
    expected |= {(WORKER, table, name, "UPDATE") for table, names in WORKER_COLUMNS.items() for name in names}
    return _compare("columns", found, expected)


def _functions(connection: psycopg.Connection[Any]) -> list[str]:
    query = (
        "select oid::regprocedure::text, pg_get_userbyid(proowner), coalesce(proconfig, '{}'),"
        " has_function_privilege('public', oid, 'execute'), has_function_privilege(%s, oid, 'execute')"
        " from pg_proc where prosecdef and pronamespace = 'public'::regnamespace"
    )
    found = connection.execute(query, [RUNTIME]).fetchall()
    wrong = _compare("callable functions", (name for name, *_, callable_ in found if callable_), CALLABLE)
    for name, owner, config, public, _ in found:
        if owner != DEFINER:
            wrong.append(f"{name}: owned by {owner}")
        if "search_path=pg_catalog, public, pg_temp" not in config:
            wrong.append(f"{name}: does not pin search_path")
        if public:
            wrong.append(f"{name}: anybody may call it")
    return wrong


def _roles(connection: psycopg.Connection[Any]) -> list[str]:
    query = "select rolname, rolcanlogin, rolbypassrls, rolsuper, rolcreaterole from pg_roles where rolname = any (%s)"
    expected = {
        (DEFINER, False, False, False, False),
        (RUNTIME, True, False, False, False),
        (WORKER, True, False, False, False),
        (REPORTS, True, False, False, False),
    }
    found = connection.execute(query, [[RUNTIME, DEFINER, WORKER, REPORTS]])
    memberships = connection.execute(
        "select member::regrole::text, roleid::regrole::text from pg_auth_members"
        " where member::regrole::text = any (%s)",
        [[RUNTIME, WORKER, REPORTS]],
    )
    return _compare("roles", found, expected) + _compare("memberships", memberships, ())


def _views(connection: psycopg.Connection[Any]) -> list[str]:
    query = (
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('v', 'm')"
        " and (has_table_privilege('public', oid, 'select') or has_table_privilege(%s, oid, 'select')"
        " or has_table_privilege(%s, oid, 'select') or has_table_privilege(%s, oid, 'select'))"
    )
    found = connection.execute(query, [RUNTIME, WORKER, REPORTS])
    return _compare("readable views", (name for (name,) in found), ())


def _shape(connection: psycopg.Connection[Any]) -> list[str]:
    query = (
        "select table_name from information_schema.columns where table_schema in ('public', 'vault')"
        " and column_name = 'organisation_id' and is_nullable = 'NO'"
    )
    with_organisation = {name for (name,) in connection.execute(query)}
    wrong = _compare("tables without organisation_id", set(POLICIES) - with_organisation, WITHOUT_ORGANISATION)
    keys = (
        "select conrelid::regclass::text, confrelid::regclass::text from pg_constraint"
        " where contype = 'f' and conrelid::regclass::text = any (%s)"
        " and confrelid::regclass::text = any (%s)"
    )
    found = connection.execute(keys, [list(SHARED), list(POLICIES)])
    return wrong + _compare("foreign keys of shared tables to case data", found, ())
