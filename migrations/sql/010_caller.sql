-- Who is calling, as begin_request() wrote it into this transaction. A setting is '' after its transaction ended,
-- so every reader treats '' as nothing: no settings, no rows.

create or replace function app_user_id() returns uuid
  language sql stable parallel safe
  return nullif(current_setting('samaki.user_id', true), '')::uuid;

create or replace function app_organisation_id() returns uuid
  language sql stable parallel safe
  return nullif(current_setting('samaki.organisation_id', true), '')::uuid;

create or replace function app_role() returns text
  language sql stable parallel safe
  return nullif(current_setting('samaki.role', true), '');

create or replace function app_principals() returns uuid[]
  language sql stable parallel safe
  return coalesce(nullif(current_setting('samaki.principals', true), ''), '{}')::uuid[];

-- The application's clock when it is set (tests, demo and load data), else the transaction's time.
create or replace function app_now() returns timestamptz
  language sql stable parallel safe
  return coalesce(nullif(current_setting('samaki.now', true), '')::timestamptz, now());
