-- The health record and attachments (access.md): for lead, assigned and cover, with keys of their own, so that nobody
-- else who sees the case comes near: staff, supervisor, reviewer, broken glass, liaison.
-- After 100 and 110, which take all policies and rights away first.

set local role samaki_definer;  -- who owns what follows

create or replace function on_attachment_gone() returns trigger
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  delete from vault.data_keys where home = old.id;
  return null;
end
$$;
revoke all on function on_attachment_gone() from public;
grant execute on function on_attachment_gone() to samaki_owner;  -- who owns the table and so makes the trigger

reset role;

create or replace trigger attachment_gone after delete on attachments
  for each row execute function on_attachment_gone();

do $$
declare
  t text;
  p record;
  -- %1$s: the column with the case's id.
  by_work constant text :=
    '(exists (select 1 from case_access a where a.case_id = %1$s'
    ' and a.principal = any ((select app_principals())::uuid[])'
    ' and (a.expires_at is null or a.expires_at > (select app_now())) and a.via in (''lead'', ''assigned'', ''cover'') offset 0)'
    ' and %1$s <> all ((select app_excluded_cases())::uuid[]))';
begin
  for p in select policyname, schemaname, tablename from pg_policies
            where tablename in ('health_records', 'attachments', 'attachment_chunks')
               or policyname in ('see_private', 'add_private') loop
    execute format('drop policy %I on %I.%I', p.policyname, p.schemaname, p.tablename);  -- this file may run alone
  end loop;
  foreach t in array array['health_records', 'attachments', 'attachment_chunks'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy definer on %I to samaki_definer using (true) with check (true)', t);
    execute format('create policy see on %I for select to samaki_runtime using ', t) || format(by_work, t || '.case_id');
  end loop;
  execute 'create policy add on health_records for insert to samaki_runtime
             with check (created_by = app_user_id() and ' || format(by_work, 'health_records.case_id') || ')';
  execute 'create policy change on health_records for update to samaki_runtime
             using ' || format(by_work, 'health_records.case_id');
  execute 'create policy add on attachments for insert to samaki_runtime
             with check (created_by = app_user_id() and ' || format(by_work, 'attachments.case_id') || ')';
  execute 'create policy remove on attachments for delete to samaki_runtime
             using ' || format(by_work, 'attachments.case_id');
  -- Chunks name nobody who made them: they hang on an attachment, and go with it.
  execute 'create policy add on attachment_chunks for insert to samaki_runtime
             with check ' || format(by_work, 'attachment_chunks.case_id');
  execute 'create policy see_private on vault.data_keys for select to samaki_runtime
             using (part in (''health'', ''attachment'') and ' || format(by_work, 'data_keys.case_id') || ')';
  execute 'create policy add_private on vault.data_keys for insert to samaki_runtime
             with check (part in (''health'', ''attachment'') and ' || format(by_work, 'data_keys.case_id') || ')';
end
$$;

grant select, insert on health_records, attachment_chunks to samaki_runtime;
grant update (sealed, version, updated_at) on health_records to samaki_runtime;
grant select, insert, delete on attachments to samaki_runtime;
