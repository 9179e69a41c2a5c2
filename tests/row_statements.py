# the statements of a test, one a line; nothing in them comes from outside
"""The statements with which the wall of rows is tried, as the API's database role."""

from typing import LiteralString

_NEW = "gen_random_uuid(), 1, %(now)s, %(now)s"
_TABLE = "id, version, created_at, updated_at"
_OF_CASE = "%(case_id)s, %(organisation_id)s"

READS: dict[str, LiteralString] = {
    "cases": "select from cases where id = %(case_id)s",
    "client": "select from people where id = %(person_id)s",
    "child": "select from people where id = %(child)s",
    "consents": "select from consents where id = %(consent_id)s",
    "incidents": "select from incidents where id = %(incident_id)s",
    "caseworkers_note": "select from notes where id = %(caseworkers_note)s",
    "team_note": "select from notes where id = %(team_note)s",
    "assistance": "select from assistance_requests where id = %(assistance_request_id)s",
    "disbursement": "select from assistance_disbursements where id = %(disbursement_id)s",
    "case_visit": "select from home_visits where id = %(case_visit)s",
    "disclosure": "select from disclosures where id = %(disclosure_id)s",
    "others_follow_up": "select from follow_ups where id = %(follow_up_id)s and assignee_id <> %(me)s",
    "others_action": "select from actions where id = %(action_id)s and assignee_id <> %(me)s",
    "assessment": "select from assessments where id = %(assessment_id)s",
    "risk_change": "select from risk_changes where id = %(change_id)s",
    "safety_plan": "select from safety_plans where case_id = %(case_id)s",
    "caseworkers_event": "select from events where case_id = %(case_id)s and audience = 'caseworkers'",
    "team_event": "select from events where case_id = %(case_id)s and audience = 'team'",
    "oversight_event": "select from events where case_id = %(case_id)s and audience = 'oversight'",
    "own_assignment": "select from assignments where case_id = %(case_id)s and user_id = %(me)s",
    "others_assignment": "select from assignments where case_id = %(case_id)s and user_id <> %(me)s",
    "grants": "select from break_glass_grants",
    "own_access": "select from case_access where case_id = %(case_id)s",
    "others_access": "select from case_access where principal <> all (app_principals())",
    "exclusions": "select from case_exclusions",
    "matches": "select from screening_matches",
    "case_tokens": "select from screening_tokens",
    "user_tokens": "select from user_tokens",
    "own_details": "select from user_private where user_id = %(me)s",
    "others_details": "select from user_private where user_id <> %(me)s",
    "outside_review": "select from outside_reviews where id = %(outside_review_id)s",
    "wish": "select from erasure_requests where case_id = %(case_id)s",
    "hold": "select from legal_holds where case_id = %(case_id)s",
    "household": "select from households where id = %(household_id)s",
    "import": "select from imports where id = %(import_id)s",
    "webhook": "select from webhooks where id = %(webhook_id)s",
    "import_chunk": "select from import_chunks where import_id = %(import_id)s",
    "imported": "select from imported_rows where case_id = %(case_id)s",
    "imported_to_register": "select from imported_rows where case_id is null and organisation_id = %(organisation_id)s",
    "register": "select from people where id = %(register_person)s",
    "link": "select from person_links where person_id = %(person_id)s and other_id = %(linked)s",
    "client_token": "select from search_tokens where person_id = %(person_id)s",
    "register_token": "select from search_tokens where person_id = %(register_person)s",
    "case_key": "select from vault.data_keys where home = %(case_id)s",
    "register_key": "select from vault.data_keys where home = %(register_person)s",
    "whereabouts": "select from whereabouts where id = %(whereabouts_id)s",
    "whereabouts_key": "select from vault.data_keys where home = %(whereabouts_id)s",
    "health": "select from health_records where id = %(health_id)s",
    "health_key": "select from vault.data_keys where home = %(health_id)s",
    "attachment": "select from attachments where id = %(attachment_id)s",
    "attachment_chunk": "select from attachment_chunks where attachment_id = %(attachment_id)s",
    "attachment_key": "select from vault.data_keys where home = %(attachment_id)s",
    "transfers": "select from transfers where id = %(transfer_id)s",
    "transfer_key": "select from vault.data_keys where home = %(transfer_id)s",
    "referral": "select from referrals where id = %(referral_id)s",
    "referral_snapshot": "select from referral_snapshots where id = %(snapshot_id)s",
    "referral_message": "select from referral_messages where id = %(message_id)s",
    "referral_key": "select from vault.data_keys where home = %(referral_id)s",
    "referral_snapshot_key": "select from vault.data_keys where home = %(snapshot_id)s",
    "own_key": "select from idempotency_keys where actor_id = %(me)s",
    "others_key": "select from idempotency_keys where actor_id <> %(me)s",
}
_TOKENS = "insert into search_tokens (organisation_id, kind, token, person_id, case_id)"
_KEYS = "insert into vault.data_keys (home, case_id, organisation_id, kek_id, wrapped)"
_PARTS = "insert into vault.data_keys (home, case_id, organisation_id, kek_id, wrapped, part)"
_IMPORTS = (
    "insert into imports (id, organisation_id, kind, state, digest, rows_total, rows_done, errors, duplicates,"
    " unchanged, written, session_id, created_at, created_by)"
)
_IMPORT = "'people', 'queued', '', 1, 0, 0, 0, 0, 0, gen_random_uuid(), %(now)s, %(by)s"
_CHUNKS = (
    "insert into import_chunks (id, import_id, organisation_id, number, rows, first_row, last_row, errors, duplicates,"
    " unchanged, sealed)"
)
_CHUNK = "1, 1, 2, 2, 0, 0, 0, ''"
_IMPORTED = "insert into imported_rows (id, organisation_id, digest, case_id, created_at, created_by)"
CHANGES: dict[str, LiteralString] = {
    "import": "update imports set rows_done = 1 where id = %(import_id)s",
    "any_import": "update imports set rows_done = 1",
    "import_gone": "delete from imports where id = %(import_id)s",
    "any_import_gone": "delete from imports",
    "import_chunk": "update import_chunks set errors = 1 where import_id = %(import_id)s",
    "any_import_chunk": "update import_chunks set errors = 1",
    "import_chunk_new": f"{_CHUNKS} values (gen_random_uuid(), %(import_id)s, %(organisation_id)s, {_CHUNK})",
    "import_chunk_elsewhere": f"{_CHUNKS} values (gen_random_uuid(), %(import_id)s, %(elsewhere)s, {_CHUNK})",
    "import_rows": "update import_chunks set sealed = '' where import_id = %(import_id)s",
    "cases": "update cases set priority = 'urgent' where id = %(case_id)s",
    "client": "update people set sex = 'female' where id = %(person_id)s",
    "consents": "update consents set sealed = '' where id = %(consent_id)s",
    "incidents": "update incidents set precision = 'day' where id = %(incident_id)s",
    "case_visit": "update home_visits set visited_on = %(now)s where id = %(case_visit)s",
    "case_visit_gone": "delete from home_visits where id = %(case_visit)s",
    "case_of_visit": "update home_visits set case_id = null where id = %(case_visit)s",
    "assistance": "update assistance_requests set updated_at = %(now)s where id = %(assistance_request_id)s",
    "paid": "update assistance_requests set paid_minor = 0 where id = %(assistance_request_id)s",
    "asked": "update assistance_requests set amount_minor = 200 where id = %(assistance_request_id)s",
    "disclosure": "update disclosures set confirmed_at = %(now)s, confirmed_by = %(me)s where id = %(disclosure_id)s",
    "disclosure_for_another": "update disclosures set confirmed_at = %(now)s, confirmed_by = %(excluded)s"
    " where id = %(disclosure_id)s",
    "disclosure_words": "update disclosures set sealed = '' where id = %(disclosure_id)s",
    "others_follow_up": "update follow_ups set due_at = %(now)s where id = %(follow_up_id)s and assignee_id <> %(me)s",
    "others_action": "update actions set urgent = true where id = %(action_id)s and assignee_id <> %(me)s",
    "assessment": "update assessments set sealed = '' where id = %(assessment_id)s",
    "risk_change": "update risk_changes set reviewed_at = %(now)s where id = %(change_id)s",
    "safety_plan": "update safety_plans set sealed = '' where case_id = %(case_id)s",
    "own_assignment": "update assignments set end_reason = 'test' where case_id = %(case_id)s and user_id = %(me)s",
    "others_assignment": "update assignments set end_reason = 'test' where case_id = %(case_id)s and user_id <> %(me)s",
    "outside_review": "update outside_reviews set withdrawn_at = null where id = %(outside_review_id)s",
    "wish": "update erasure_requests set withdrawn_at = %(now)s where case_id = %(case_id)s",
    "hold": "update legal_holds set lifted_at = %(now)s where case_id = %(case_id)s",
    "household": "update households set size = 5 where id = %(household_id)s",
    "webhook": "update webhooks set active = false, keeper_id = %(me)s where id = %(webhook_id)s",
    "webhook_gone": "delete from webhooks where id = %(webhook_id)s",
    # Without a condition no row is read, so that the policy on reading does not help the one on changing.
    "any_household": "update households set size = 5",
    "register": "update people set sex = 'female' where id = %(register_person)s",
    "link": "delete from person_links where person_id = %(person_id)s and other_id = %(linked)s",
    "link_back": "delete from person_links where person_id = %(linked)s and other_id = %(person_id)s",
    "link_in_the_case": "delete from person_links where person_id = %(person_id)s and other_id = %(child)s",
    "client_token": "delete from search_tokens where person_id = %(person_id)s",
    "register_token": "delete from search_tokens where person_id = %(register_person)s",
    # New tokens and keys name nobody who made them.
    "client_token_new": f"{_TOKENS} values (%(organisation_id)s, 'name', 1, %(person_id)s, %(case_id)s)",
    "register_token_new": f"{_TOKENS} values (%(organisation_id)s, 'name', 1, %(register_person)s, null)",
    "own_details": "update user_private set wanted = null where user_id = %(me)s",
    "others_details": "update user_private set wanted = null where user_id <> %(me)s",
    "case_key": f"{_KEYS} values (gen_random_uuid(), %(case_id)s, %(organisation_id)s, 'x', '')",
    "register_key": f"{_KEYS} values (gen_random_uuid(), null, %(organisation_id)s, 'x', '')",
    "whereabouts": "delete from whereabouts where id = %(whereabouts_id)s",
    "whereabouts_key": f"{_PARTS} values (gen_random_uuid(), {_OF_CASE}, 'x', '', 'whereabouts')",
    "health": "update health_records set sealed = '' where id = %(health_id)s",
    "health_key": f"{_PARTS} values (gen_random_uuid(), {_OF_CASE}, 'x', '', 'health')",
    "attachment": "delete from attachments where id = %(attachment_id)s",
    # A chunk names nobody who made it.
    "attachment_chunk_new": "insert into attachment_chunks (attachment_id, number, case_id, organisation_id, content)"
    f" values (%(attachment_id)s, 1, {_OF_CASE}, '')",
    "attachment_key": f"{_PARTS} values (gen_random_uuid(), {_OF_CASE}, 'x', '', 'attachment')",
    "other_part": f"{_PARTS} values (gen_random_uuid(), {_OF_CASE}, 'x', '', 'unheard of')",
    "transfers": "update transfers set answered_at = %(now)s where id = %(transfer_id)s",
    "transfer_key": f"{_PARTS} values (gen_random_uuid(), {_OF_CASE}, 'x', '', 'transfer')",
    "referral": "update referrals set updated_at = %(now)s where id = %(referral_id)s",
    "referral_status": "update referrals set status = 'completed' where id = %(referral_id)s",
    "referral_open_words": "update referrals set open_sealed = '' where id = %(referral_id)s",
    "referral_snapshot": "update referral_snapshots set sealed = null where id = %(snapshot_id)s",
    "referral_message": "update referral_messages set sealed = '' where id = %(message_id)s",
    # A snapshot names nobody who made it.
    "referral_snapshot_new": f"insert into referral_snapshots ({_TABLE}, referral_id, case_id, organisation_id)"
    f" values ({_NEW}, %(referral_id)s, {_OF_CASE})",
    "referral_key": f"{_PARTS} values (gen_random_uuid(), {_OF_CASE}, 'x', '', 'referral')",
    "referral_snapshot_key": f"{_PARTS} values (gen_random_uuid(), {_OF_CASE}, 'x', '', 'referral_snapshot')",
    "wrapping": "update vault.data_keys set wrapped = '' where home = %(case_id)s",
}
_PEOPLE = f"insert into people ({_TABLE}, organisation_id, case_id, role, sex, created_by, sealed)"
_EVENTS = "insert into events (id, case_id, organisation_id, type, audience, at, actor_id, data)"
_NOTES = f"insert into notes ({_TABLE}, case_id, organisation_id, audience, created_by, sealed)"
_FOLLOW_UPS = f"insert into follow_ups ({_TABLE}, case_id, organisation_id, due_at, assignee_id, created_by, sealed)"
_DISCLOSURES = f"insert into disclosures ({_TABLE}, case_id, organisation_id, basis, disclosed_at, created_by, sealed"
_MESSAGES = (
    f"insert into referral_messages ({_TABLE}, referral_id, snapshot_id, case_id, organisation_id, created_by, sealed,"
    " by_partner)"
)
_MESSAGE = f"{_NEW}, %(referral_id)s, %(snapshot_id)s, {_OF_CASE}, %(by)s, ''"
_LINKS = "insert into person_links (id, person_id, other_id, created_at, created_by)"
ADDS: dict[str, LiteralString] = {
    "case_visit": f"insert into home_visits ({_TABLE}, case_id, organisation_id, household_id, caseworker_id,"
    " visited_on, topics, outcome, erased, recorded_at, created_by) values"
    f" ({_NEW}, {_OF_CASE}, %(household_id)s, %(me)s, %(now)s, '[]', 'no_need', false, %(now)s, %(by)s)",
    "import": f"{_IMPORTS} values (gen_random_uuid(), %(organisation_id)s, {_IMPORT})",
    "import_elsewhere": f"{_IMPORTS} values (gen_random_uuid(), %(elsewhere)s, {_IMPORT})",
    "imported": f"{_IMPORTED} values (gen_random_uuid(), %(organisation_id)s, '', %(case_id)s, %(now)s, %(by)s)",
    "imported_to_register": f"{_IMPORTED} values (gen_random_uuid(), %(organisation_id)s, '', null, %(now)s, %(by)s)",
    "client": f"{_PEOPLE} values ({_NEW}, %(organisation_id)s, %(case_id)s, 'client', 'female', %(by)s, '{{}}')",
    "consents": f"insert into consents ({_TABLE}, case_id, organisation_id, purpose, shared_fields, given_by, form,"
    f" obtained_on, created_by) values ({_NEW}, {_OF_CASE}, 'services', '[]', 'client', 'verbal',"
    " %(now)s, %(by)s)",
    "incidents": f"insert into incidents ({_TABLE}, case_id, organisation_id, precision, created_by, sealed)"
    f" values ({_NEW}, {_OF_CASE}, 'day', %(by)s, '{{}}')",
    "caseworkers_note": f"{_NOTES} values ({_NEW}, {_OF_CASE}, 'caseworkers', %(by)s, '{{}}')",
    "team_note": f"{_NOTES} values ({_NEW}, {_OF_CASE}, 'team', %(by)s, '{{}}')",
    "assistance": f"insert into assistance_requests ({_TABLE}, case_id, organisation_id, kind, status, paid_minor,"
    f" payments, created_by, sealed) values ({_NEW}, {_OF_CASE}, 'social', 'submitted', 0, 0, %(by)s, '')",
    "disbursement": "insert into assistance_disbursements (id, request_id, case_id, organisation_id, reference,"
    " amount_minor, method, paid_on, created_at, created_by, sealed) values (gen_random_uuid(),"
    f" %(assistance_request_id)s, {_OF_CASE}, gen_random_uuid(), 1, 'cash', '2026-03-02', %(now)s, %(by)s, '')",
    "disclosure": f"{_DISCLOSURES}) values ({_NEW}, {_OF_CASE}, 'court_order', %(now)s, %(by)s, '')",
    "confirmed_disclosure": f"{_DISCLOSURES}, confirmed_at, confirmed_by)"
    f" values ({_NEW}, {_OF_CASE}, 'court_order', %(now)s, %(by)s, '', %(now)s, %(excluded)s)",
    "own_follow_up": f"{_FOLLOW_UPS} values ({_NEW}, {_OF_CASE}, %(now)s, %(me)s, %(by)s, '')",
    "others_follow_up": f"{_FOLLOW_UPS} values ({_NEW}, {_OF_CASE}, %(now)s, %(other)s, %(by)s, '')",
    "own_action": f"insert into actions ({_TABLE}, case_id, organisation_id, due_on, due_at, urgent, assignee_id,"
    f" created_by, sealed) values ({_NEW}, {_OF_CASE}, %(now)s, %(now)s, false, %(me)s, %(by)s, '')",
    "assessment": f"insert into assessments ({_TABLE}, case_id, organisation_id, tool, created_by, sealed)"
    f" values ({_NEW}, {_OF_CASE}, 'needs', %(by)s, '')",
    "risk_change": f"insert into risk_changes ({_TABLE}, case_id, organisation_id, before, level, created_by, sealed)"
    f" values ({_NEW}, {_OF_CASE}, 'low', 'high', %(by)s, '')",
    "safety_plan": f"insert into safety_plans ({_TABLE}, case_id, organisation_id, created_by, sealed)"
    f" values ({_NEW}, {_OF_CASE}, %(by)s, '')",
    "caseworkers_event": f"{_EVENTS} values (gen_random_uuid(), {_OF_CASE}, 'test', 'caseworkers', %(now)s,"
    " %(by)s, '{}')",
    "event_without_case": f"{_EVENTS} values (gen_random_uuid(), null, %(organisation_id)s, 'test', 'caseworkers',"
    " %(now)s, %(by)s, '{}')",
    "others_assignment": "insert into assignments (id, case_id, organisation_id, user_id, role, created_at,"
    f" created_by) values (gen_random_uuid(), {_OF_CASE}, %(other)s, 'caseworker', %(now)s, %(by)s)",
    "whereabouts": f"insert into whereabouts ({_TABLE}, case_id, organisation_id, created_by, sealed)"
    f" values ({_NEW}, {_OF_CASE}, %(by)s, '')",
    "health": f"insert into health_records ({_TABLE}, case_id, organisation_id, created_by, sealed)"
    f" values ({_NEW}, {_OF_CASE}, %(by)s, '')",
    "attachment": f"insert into attachments ({_TABLE}, case_id, organisation_id, media_type, size, created_by, sealed)"
    f" values ({_NEW}, {_OF_CASE}, 'text/plain', 1, %(by)s, '')",
    "transfers": f"insert into transfers ({_TABLE}, case_id, organisation_id, recipient_id, consent_id, code, sector,"
    f" priority, status, due_at, created_by, sealed) values ({_NEW}, {_OF_CASE}, %(organisation_id)s, %(consent_id)s,"
    " 'TR', 'other', 'routine', 'cancelled', %(now)s, %(by)s, '')",
    "referral": f"insert into referrals ({_TABLE}, case_id, organisation_id, partner_id, direction, code, sector,"
    " protected, standard, province_code, priority, status, due_at, created_by) values"
    f" ({_NEW}, {_OF_CASE}, %(elsewhere)s, 'out', left(gen_random_uuid()::text, 12), 'other', false, true, '17',"
    " 'routine', 'requested', %(now)s, %(by)s)",
    "message_to_partner": f"{_MESSAGES} values ({_MESSAGE}, false)",
    "message_by_partner": f"{_MESSAGES} values ({_MESSAGE}, true)",
    # Ended ones: one that stands is there already.
    "wish": "insert into erasure_requests (id, case_id, organisation_id, reason_code, sealed, created_at, created_by,"
    f" withdrawn_at) values (gen_random_uuid(), {_OF_CASE}, 'other', '', %(now)s, %(by)s, %(now)s)",
    "outside_review": "insert into outside_reviews (id, case_id, organisation_id, user_id, lender_id, sealed,"
    f" created_at, created_by, withdrawn_at) values (gen_random_uuid(), {_OF_CASE}, %(other)s, %(organisation_id)s, '',"
    " %(now)s, %(by)s, %(now)s)",
    "hold": "insert into legal_holds (id, case_id, organisation_id, basis, created_at, created_by, lifted_at)"
    f" values (gen_random_uuid(), {_OF_CASE}, 'decided', %(now)s, %(by)s, %(now)s)",
    "webhook": f"insert into webhooks ({_TABLE}, organisation_id, created_by, keeper_id, url, events, active, sealed)"
    f" values ({_NEW}, %(organisation_id)s, %(by)s, %(by)s, '', '{{}}', true, '')",
    "household": f"insert into households ({_TABLE}, organisation_id, id_poor_level, created_by, sealed)"
    f" values ({_NEW}, %(organisation_id)s, 'unknown', %(by)s, '{{}}')",
    "register": f"{_PEOPLE} values ({_NEW}, %(organisation_id)s, null, null, 'female', %(by)s, '{{}}')",
    "case": f"insert into cases ({_TABLE}, code, organisation_id, category, sensitivity, status, priority, risk_level,"
    " commune_code, client_id, client_sex, client_age_band, opened_at, team_version, created_by, sealed) values"
    f" ({_NEW}, 'TEST', %(organisation_id)s, 'id_poor', 'standard', 'intake', 'routine', 'not_assessed',"
    " %(commune)s, %(person_id)s, 'female', 'unknown', %(now)s, 1, %(by)s, '{}')",
    "link": f"{_LINKS} values (gen_random_uuid(), %(register_person)s, %(person_id)s, %(now)s, %(by)s)",
    "link_the_other_way": f"{_LINKS} values (gen_random_uuid(), %(person_id)s, %(register_person)s, %(now)s, %(by)s)",
    "key": "insert into idempotency_keys (actor_id, key, digest, created_at) values (%(by)s, 'new', '', %(now)s)",
}
CALLS: dict[str, LiteralString] = {
    "supervises": "select app_supervises(%(case_id)s)",
    "leads": "select app_leads(%(case_id)s)",
    "sees_client": "select app_sees_home_of(%(person_id)s)",
    "sees_case_visit": "select app_sees_visit(%(case_visit)s)",
    "sees_register": "select app_sees_home_of(%(register_person)s)",
    "assistance_case": "select coalesce(app_assistance_case(%(assistance_request_id)s) = %(case_id)s, false)",
    "ledger": "select exists (select from assistance_ledger('1990-01-01', '2199-01-01') l join"
    " (select %(ledger_reference)s::uuid as own) o on o.own = l.reference)",
    "just_opened": "select app_just_opened(%(case_id)s)",
    "stub": "select exists (select from case_stubs(only_case => %(case_id)s))",
    "exclusions": "select exists (select from exclusions_of(%(case_id)s))",
    "knows_exclusion": "select app_knows_exclusion(%(exclusion_id)s)",
    "may_assign": "select may_be_assigned(%(case_id)s, %(other)s)",
    "may_assign_excluded": "select may_be_assigned(%(case_id)s, %(excluded)s)",
    "exclude": "select exclude_user(%(case_id)s, %(other)s, 'client_wish', gen_random_uuid(), null) is not null",
    "lift": "select lift_exclusion(%(case_id)s, %(exclusion_id)s, '') is not null",
    "match": "select exists (select from screening_known(only_match => %(match_id)s))",
    "answer": "select coalesce(answer_match(%(case_id)s, %(match_id)s, true, ''), '') = 'answered'",
    "answer_elsewhere": "select answer_match(gen_random_uuid(), %(match_id)s, true, '') is not null",
    "screen": "select screen_incident(%(incident_id)s, '{}')::text is not null",
    "code": "select exists (select where case_of_code(%(case_code)s) = %(case_id)s)",
    "glass": "select coalesce(break_glass(gen_random_uuid(), %(case_id)s, 'other'), '') = 'opened'",
    "grant": "select exists (select from glass_broken(only_grant => %(grant_id)s))",
    "grant_words": "select exists (select from glass_broken(only_grant => %(grant_id)s) where sealed is not null)",
    "review": "select coalesce(review_glass(%(grant_id)s, 'justified', ''), '') = 'reviewed'",
    "may_confirm": "select app_may_confirm(%(case_id)s)",
    "confirm_bypass": "select coalesce(confirm_bypass(%(case_id)s, %(consent_id)s), '') = 'confirmed'",
    "services": "select client from services_consent(%(case_id)s)",
    "may_erase": "select app_may_erase(%(case_id)s)",
    "may_hold": "select app_may_hold(%(case_id)s)",
    "confirm": "select coalesce((select outcome from confirm_erasure(%(case_id)s, %(wish_id)s)), '') = 'legal_hold'",
    # On a follow-up that somebody else has planned and nobody recorded.
    "met_again": "select report_met_incident(%(second_follow_up)s, gen_random_uuid(), '', null, '', %(now)s)",
    "incoming": "select exists (select from transfers_in(only_transfer => %(transfer_id)s))",
    "accept": "select exists (select from accept_transfer(%(transfer_id)s))",
    "decline": "select exists (select from decline_transfer(%(transfer_id)s))",
    "settle": "select settle_transfer(%(transfer_id)s, %(case_id)s)::text is not null",
    "leave": "select leave_case(%(case_id)s, %(other)s, null) is not null",
    "receipt": "select exists (select from case_receipt(%(case_id)s))",
    "sees_referral": "select app_sees_referral(%(referral_id)s)",
    "hold_referral": "select hold_referral(%(referral_id)s) is not null",
    "hold_for_partner": "select coalesce(hold_referral(%(referral_id)s), '') = 'partner'",
    "tell_referral": "select tell_referral(%(referral_id)s, 'message')::text is not null",
    "move_referral": "select move_referral(%(referral_id)s, 'on_hold', null, null, null, null, null, '', 'on_hold')"
    " is not null",
    "may_open_referral": "select app_may_open_referral(%(referral_id)s)",
}
PROBES = {"see": READS, "change": CHANGES, "add": ADDS, "call": CALLS}
