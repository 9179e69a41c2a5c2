-- What each role may touch at all; the policies then say which rows. Backup reads everything, and the loader fills an
-- empty database by COPY, which row level security refuses to everybody else.

do $$
declare
  t text;
begin
  -- The tables, which the owner owns; the views are the definer's own and 030 says who reads them.
  for t in select c.relname from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' loop
    execute format('revoke all on %I from public, samaki_runtime, samaki_worker, samaki_reports, samaki_definer', t);
    execute format('grant select on %I to samaki_backup', t);
    execute format('grant select, insert, update, delete on %I to samaki_loader', t);
  end loop;
end
$$;
grant select on all sequences in schema public to samaki_backup;

-- Data keys: the worker wraps them anew; the backup of the data leaves the schema out, and one of its own takes it.
revoke all on all tables in schema vault from public, samaki_runtime, samaki_worker, samaki_reports, samaki_definer;
grant usage on schema vault to samaki_runtime, samaki_worker, samaki_definer, samaki_backup, samaki_loader;
grant select, insert on vault.data_keys to samaki_runtime, samaki_loader;
grant select on vault.data_keys, vault.key_checks to samaki_backup;
grant select, update (kek_id, wrapped) on vault.data_keys to samaki_worker;
grant select, insert on vault.key_checks to samaki_worker, samaki_runtime;
grant select, delete on vault.data_keys to samaki_definer;

-- The definer functions.
grant select on organisations, users, sessions, areas to samaki_definer;
grant update (updated_at) on users to samaki_definer;  -- without it no row may be locked; nothing writes it
grant select (user_id, must_change, mfa_due) on user_credentials to samaki_definer;
grant select (user_id, confirmed_at) on user_totp to samaki_definer;
grant select, insert, update, delete on case_access to samaki_definer;
grant select, update on cases, assignments, break_glass_grants to samaki_definer;
grant select on people, person_links, consents, follow_ups to samaki_definer;
grant select, insert, update on case_exclusions to samaki_definer;
grant insert on events, break_glass_grants to samaki_definer;
grant select, update on client_graph to samaki_definer;
grant select, update (sensitive), delete on search_tokens to samaki_definer;
-- The trail is appended to, by nobody else and in no other way; the loader has no business there either.
grant select, insert on audit_events to samaki_definer;
grant select, update on audit_heads to samaki_definer;
grant select on audit_signatures, audit_verifications to samaki_definer;
revoke all on audit_events, audit_heads, audit_signatures, audit_verifications from samaki_loader;

-- The API.
grant select on case_access, areas, worker_heartbeats, schema_sql, alembic_version to samaki_runtime;
grant select, insert on person_links, notes, events, follow_ups to samaki_runtime;
grant delete on person_links to samaki_runtime;
grant select, insert, delete on search_tokens to samaki_runtime;
grant select, insert, update on cases, people, households, consents, incidents, assignments to samaki_runtime;
grant select, insert, update on organisations, users, user_credentials, sessions, refresh_tokens to samaki_runtime;
grant select, insert, update, delete on user_totp to samaki_runtime;
grant select, insert, update on user_requests to samaki_runtime;
grant select, insert, delete on sign_in_attempts to samaki_runtime;
grant select, insert, update on idempotency_keys to samaki_runtime;
-- lead_id follows from the assignments, the opening's transaction from the database.
revoke update on cases from samaki_runtime;
grant update (category, sensitivity, status, priority, risk_level, commune_code, referred_from, opened_at, closed_at, next_due_at,
              closure_reason, outcome, closure_requested_by, team_version, version, updated_at, sealed)
  on cases to samaki_runtime;
revoke update on people, assignments, consents, incidents from samaki_runtime;
grant update (sex, household_id, sealed, version, updated_at) on people to samaki_runtime;
grant update (ended_at, ended_by, end_reason) on assignments to samaki_runtime;
grant update (withdrawn_at, withdrawn_by, sealed, version, updated_at) on consents to samaki_runtime;
grant update (occurred_at, precision, sealed, version, updated_at) on incidents to samaki_runtime;
grant update (due_at, assignee_id, happened_at, recorded_by, ended_at, sealed, version, updated_at) on follow_ups to samaki_runtime;

-- The worker: housekeeping of rows that belong to nobody's case.
grant select, delete on idempotency_keys, sign_in_attempts, sessions, refresh_tokens to samaki_worker;
grant select, insert, update on worker_heartbeats to samaki_worker;
-- It signs the heads of the trail, whose rows it does not see.
grant select on audit_heads to samaki_worker;
grant select, insert on audit_signatures to samaki_worker;
grant insert on audit_verifications to samaki_worker;

-- Reports: counts only.
grant select (id, organisation_id, category, sensitivity, status, risk_level, commune_code, client_sex, client_age_band,
              client_disability, opened_at, closed_at, closure_reason, outcome) on cases to samaki_reports;
grant select (case_id, organisation_id, purpose, obtained_on, expires_on, withdrawn_at) on consents to samaki_reports;
grant select on areas to samaki_reports;
grant select (id, name, name_km, kind) on organisations to samaki_reports;
