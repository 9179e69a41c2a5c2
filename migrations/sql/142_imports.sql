-- Imports of registers. An import is its uploader's alone, as long as she is a supervisor of the organisation for which
-- she sent it: a file may name people whom a colleague must not see. After 100 and 110, which take everything away first.
--
-- Whoever works on an import does so as the API's role in the sign-in of the uploader (begin_request), so that the row
-- policies see her and nobody else; what follows hands out work, and shows nothing of a case.
set local role samaki_definer;  -- who owns what follows

-- The next import to work on, taken for a minute and a half. One that somebody has left lying (killed, cut off) comes
-- first; two commits of one organisation follow each other, so that no row is written twice.
create or replace function claim_import(the_run uuid)
  returns table (id uuid, session_id uuid, user_id uuid, committing boolean)
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
#variable_conflict use_column
begin
  if not exists (select from imports w where w.state in ('queued', 'checking', 'committing')) then
    return;
  end if;
  lock table imports in share row exclusive mode;  -- of two who look at once, the second sees what the first has taken
  return query
    update imports i
       set state = case i.state when 'queued' then 'checking' else i.state end, run = the_run,
           lease_until = app_now() + interval '90 seconds'
     where i.id = (
       select w.id from imports w
        where w.state in ('queued', 'checking', 'committing') and (w.lease_until is null or w.lease_until <= app_now())
          and not (w.state = 'committing'
                   and exists (select from imports o
                                where o.organisation_id = w.organisation_id and o.state = 'committing' and o.id <> w.id
                                  and (o.lease_until > app_now() or (o.lease_until is not null and w.lease_until is null))))
        order by w.lease_until nulls last, w.created_at, w.id
        limit 1)
    returning i.id, i.session_id, i.created_by, i.state = 'committing';
end
$$;

-- The work cannot go on: the sign-in has ended, or what is in the file cannot be written. Nothing of it is kept.
create or replace function fail_import(the_import uuid, the_run uuid, why text) returns void
  language sql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  update imports i set state = 'failed', failure = why, ended_at = app_now(), lease_until = null
   where i.id = the_import and i.run = the_run and i.state in ('checking', 'committing')
$$;

-- A file and its report stay for a day.
create or replace function expire_imports(at_most int) returns int
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  done int;
begin
  update imports i set state = 'expired', ended_at = app_now(), lease_until = null
   where i.id in (select w.id from imports w
                   where w.state in ('queued', 'checking', 'checked', 'committing')
                     and w.created_at <= app_now() - interval '24 hours'
                     and (w.lease_until is null or w.lease_until <= app_now())
                   order by w.created_at limit at_most for update skip locked);
  get diagnostics done = row_count;
  return done;
end
$$;

-- When it is over, in whichever way, its rows, its report and the key that opens them are gone in the same transaction.
create or replace function on_import_over() returns trigger
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  delete from import_chunks c where c.import_id = old.id;
  delete from vault.data_keys k where k.home = old.id;
  return null;
end
$$;

revoke all on function claim_import(uuid), fail_import(uuid, uuid, text), expire_imports(int), on_import_over() from public;
grant execute on function claim_import(uuid), fail_import(uuid, uuid, text) to samaki_runtime;
grant execute on function expire_imports(int) to samaki_worker;
grant execute on function on_import_over() to samaki_owner;  -- who owns the table and so makes the triggers

reset role;

create or replace trigger import_over after update of state on imports
  for each row when (new.state in ('committed', 'failed', 'expired')) execute function on_import_over();
create or replace trigger import_gone after delete on imports
  for each row execute function on_import_over();

do $$
declare
  t text;
  p text;
  own constant text :=
    '(%1$s.created_by = app_user_id() and app_role() = ''supervisor'' and %1$s.organisation_id = app_organisation_id())';
  of_own constant text :=
    '(exists (select from imports i where i.id = import_chunks.import_id and i.organisation_id = import_chunks.organisation_id
               and ' || format(own, 'i') || '))';
  -- Imported by the caller, who knows so; or become something that the caller sees.
  seen constant text :=
    '(imported_rows.organisation_id = app_organisation_id() and app_role() = ''supervisor'''
    ' and (imported_rows.created_by = app_user_id() or imported_rows.case_id is null'
    '      or (exists (select 1 from case_access a where a.case_id = imported_rows.case_id'
    '             and a.principal = any ((select app_principals())::uuid[])'
    '             and (a.expires_at is null or a.expires_at > (select app_now())) offset 0)'
    '          and imported_rows.case_id <> all ((select app_excluded_cases())::uuid[]))))';
begin
  foreach t in array array['imports', 'import_chunks', 'imported_rows'] loop
    for p in select policyname from pg_policies where schemaname = 'public' and tablename = t loop
      execute format('drop policy %I on %I', p, t);  -- 100 did so with those of an earlier version; this file may run alone
    end loop;
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy definer on %I to samaki_definer using (true) with check (true)', t);
  end loop;
  execute 'create policy see on imports for select to samaki_runtime using ' || format(own, 'imports');
  execute 'create policy add on imports for insert to samaki_runtime with check ' || format(own, 'imports');
  execute 'create policy change on imports for update to samaki_runtime using ' || format(own, 'imports');
  execute 'create policy remove on imports for delete to samaki_runtime using ' || format(own, 'imports');
  execute 'create policy see on import_chunks for select to samaki_runtime using ' || of_own;
  execute 'create policy add on import_chunks for insert to samaki_runtime with check ' || of_own;
  execute 'create policy change on import_chunks for update to samaki_runtime using ' || of_own;
  execute 'create policy see on imported_rows for select to samaki_runtime using ' || seen;
  execute 'create policy add on imported_rows for insert to samaki_runtime
             with check (created_by = app_user_id() and organisation_id = app_organisation_id() and app_role() = ''supervisor''
                         and (case_id is null or app_just_opened(case_id)))';
end
$$;

grant select, insert, delete on imports to samaki_runtime;
grant update (state, failure, rows_done, errors, duplicates, unchanged, written, session_id, lease_until, run, ended_at)
  on imports to samaki_runtime;
grant select, insert on import_chunks to samaki_runtime;
grant update (errors, duplicates, unchanged, report_sealed) on import_chunks to samaki_runtime;
grant select, insert on imported_rows to samaki_runtime;
grant select, update on imports to samaki_definer;
grant select, delete on import_chunks, imported_rows to samaki_definer;
